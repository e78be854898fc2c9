import { existsSync, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import type { AgentId } from '../../src/core/agents/agent';
import { AgentFactory } from '../../src/core/agents/agentFactory';
import type { AgentHost } from '../../src/core/agents/agentHost';
import { AgentSupervisor } from '../../src/core/agents/agentSupervisor';
import { builtInTypes } from '../../src/core/agents/builtInTypes';
import type { DeliveryStore } from '../../src/core/agents/delivery/promptDelivery';
import { LinuxProcesses } from '../../src/core/agents/node/linuxProcesses';
import { NodeLaunchChecks } from '../../src/core/agents/node/nodeLaunchChecks';
import { PsProcesses } from '../../src/core/agents/node/psProcesses';
import type { HookFact } from '../../src/core/agents/signals/agentSignal';
import { SystemClock } from '../../src/core/base/clock';
import { Emitter } from '../../src/core/base/event';
import { silentLogger } from '../../src/core/base/log';
import { CountingIds } from './builders';
import { eventually } from './eventually';
import { FakeAgentStore } from './fakeAgentStore';
import { FakeDeliveryStore } from './fakeDeliveryStore';
import { TmuxTestServer } from './tmuxServer';

/** Demo agents in a real tmux, a supervisor that delivers to them, and their own records of what arrived. */
export class DeliveryWorld {
  readonly server = new TmuxTestServer();
  readonly hooks = new Emitter<HookFact>((error) => {
    throw error;
  });
  readonly host: AgentHost;
  readonly supervisor: AgentSupervisor;
  readonly #demoAgent: string;
  readonly #watchers: { close(): void }[] = [];

  constructor(readonly deliveries: DeliveryStore = new FakeDeliveryStore()) {
    const clock = new SystemClock();
    this.host = this.server.host();
    this.#demoAgent = join(this.server.folder, 'demoAgent.js');
    buildSync({
      entryPoints: ['src/demo/demoAgent.ts'],
      bundle: true,
      platform: 'node',
      format: 'cjs',
      outfile: this.#demoAgent,
    });
    const factory = new AgentFactory(
      {
        shell: '/bin/bash',
        execPath: process.execPath,
        demoAgent: this.#demoAgent,
        workspaceId: this.server.socketName,
      },
      builtInTypes(),
      (error) => {
        throw error;
      },
    );
    this.supervisor = new AgentSupervisor(
      {
        host: this.host,
        store: new FakeAgentStore(),
        deliveries,
        onDidHook: this.hooks.event,
        processes: process.platform === 'linux' ? new LinuxProcesses() : new PsProcesses(),
        checks: new NodeLaunchChecks(),
        environment: { read: () => Promise.resolve({ process: process.env, loginShell: undefined }) },
        factory,
        notices: { raise: () => undefined, resolve: () => undefined },
        clock,
        ids: new CountingIds(),
        log: silentLogger,
        random: Math.random,
      },
      () => ({ recoveredFolder: this.server.folder }),
    );
  }

  /** Starts a demo agent with these manners (`DEMO_…`); resolves when it is ready. */
  async start(name: string, env: Readonly<Record<string, string>> = {}): Promise<AgentId> {
    await this.supervisor.begin();
    const { id } = await this.create(name, env);
    await this.supervisor.start(id);
    return id;
  }

  /** Makes one that is not started. */
  create(name: string, env: Readonly<Record<string, string>> = {}): Promise<{ readonly id: AgentId }> {
    const all = { DEMO_LOG: this.logFile(name), ...env };
    return this.supervisor.create({ name, typeId: 'demo', folder: this.server.folder, env: all });
  }

  logFile(name: string): string {
    return join(this.server.folder, `${name}.jsonl`);
  }

  /** Every prompt that the agent took, in order. */
  taken(name: string): readonly string[] {
    return this.#lines(name).flatMap(({ text }) => (text === undefined ? [] : [text]));
  }

  /** Every answer that a dialog got. */
  answers(name: string): readonly (string | null)[] {
    return this.#lines(name).flatMap(({ answer }) => (answer === undefined ? [] : [answer]));
  }

  /** From now on each prompt that the agent takes is told as its hook would tell it. */
  tellHooks(name: string, agentId: AgentId): void {
    let count = this.taken(name).length;
    const tell = (): void => {
      const taken = this.taken(name);
      const generation = this.supervisor.registry.get(agentId).record.generation;
      for (; count < taken.length; count++) {
        const prompt = taken[count] ?? '';
        this.hooks.fire({ agentId, generation, event: 'UserPromptSubmit', prompt, observedAtMs: Date.now() });
      }
    };
    this.#watchers.push(watch(this.server.folder, (_, file) => file === `${name}.jsonl` && tell()));
  }

  /** What a person types into the terminal. */
  type(agentId: AgentId, ...keys: readonly string[]): void {
    this.server.tmux('send-keys', '-t', `=${agentId}:`, ...keys);
  }

  async shows(agentId: AgentId, text: string | RegExp): Promise<void> {
    await eventually(`"${String(text)}" on the screen`, async () => {
      const { text: shown } = await this.host.capture(agentId);
      return typeof text === 'string' ? shown.includes(text) : text.test(shown);
    });
  }

  async end(): Promise<void> {
    for (const watcher of this.#watchers) watcher.close();
    await this.supervisor.detach();
    this.server.dispose();
  }

  #lines(name: string): readonly { readonly text?: string; readonly answer?: string | null }[] {
    if (!existsSync(this.logFile(name))) return [];
    const whole = readFileSync(this.logFile(name), 'utf8');
    return whole
      .slice(0, whole.lastIndexOf('\n') + 1)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { text?: string; answer?: string | null }); // the demo agent writes it
  }
}
