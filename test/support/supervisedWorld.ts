import type { AgentId, AgentSpec, ProcessIdentity } from '../../src/core/agents/agent';
import { AgentFactory, MARKER_VARIABLE } from '../../src/core/agents/agentFactory';
import type { LaunchSpec } from '../../src/core/agents/agentHost';
import { AgentSupervisor } from '../../src/core/agents/agentSupervisor';
import { builtInTypes } from '../../src/core/agents/builtInTypes';
import type { Agent } from '../../src/core/agents/baseAgent';
import type { AgentNotice, SupervisorPorts, SupervisorSettings } from '../../src/core/agents/supervisorPorts';
import type { HookFact } from '../../src/core/agents/signals/agentSignal';
import { Emitter } from '../../src/core/base/event';
import { silentLogger } from '../../src/core/base/log';
import { aSpec, CountingIds } from './builders';
import { FakeAgentHost } from './fakeAgentHost';
import { FakeAgentStore } from './fakeAgentStore';
import { FakeDeliveryStore } from './fakeDeliveryStore';
import { type FakeProcess, FakeProcesses } from './fakeProcesses';
import { ManualClock } from './manualClock';

/** A host whose launches are processes of a {@link FakeProcesses}: what ends there, ends here. */
export class LinkedHost extends FakeAgentHost {
  readonly #agents = new Map<number, AgentId>();
  /** Shape of the processes that launches start: ignored signals. */
  shape: Partial<FakeProcess> = {};
  /** Called after each launch, before the caller learns of it. */
  onDidLaunch: (spec: LaunchSpec, process: ProcessIdentity) => void = () => undefined;

  constructor(
    clock: ManualClock,
    private readonly processes: FakeProcesses,
  ) {
    super(clock);
    processes.onDidEnd = (row, signal) => {
      const id = this.#agents.get(row.pid);
      this.#agents.delete(row.pid);
      if (id) super.simulateExit(id, signal ? { signal } : {});
    };
  }

  override async launch(spec: LaunchSpec, signal?: AbortSignal): Promise<ProcessIdentity> {
    const identity = await super.launch(spec, signal);
    this.#agents.set(identity.pid, spec.agentId);
    this.processes.add({ ...identity, marker: spec.env[MARKER_VARIABLE] ?? '', ...this.shape });
    this.onDidLaunch(spec, identity);
    return identity;
  }

  /** The program ends by itself. */
  override simulateExit(agentId: AgentId, cause = {}): void {
    const [pid] = [...this.#agents].find(([, id]) => id === agentId) ?? [];
    const row = this.processes.table.find((one) => one.pid === pid);
    if (pid !== undefined) this.#agents.delete(pid);
    if (row) this.processes.end(row);
    super.simulateExit(agentId, cause);
  }
}

/** Everything a supervisor needs, on fakes; `restart()` gives a second supervisor over the same store, host and processes. */
export class SupervisedWorld {
  readonly clock = new ManualClock();
  readonly store = new FakeAgentStore();
  readonly deliveries = new FakeDeliveryStore();
  /** What programs tell by their hooks. */
  readonly hooks = new Emitter<HookFact>((error) => {
    throw error;
  });
  readonly processes = new FakeProcesses();
  readonly host = new LinkedHost(this.clock, this.processes);
  readonly notices = new Map<string, AgentNotice>();
  readonly raised: AgentNotice[] = [];
  readonly folders = new Set(['/project']);
  readonly commands = new Set(['/bin/bash', '/usr/bin/node', 'true', 'claude']);
  readonly ids = new CountingIds();
  random = (): number => 0.5;
  settings: Partial<SupervisorSettings> = {};
  supervisor = this.make();

  ports(changes: Partial<SupervisorPorts> = {}): SupervisorPorts {
    return {
      host: this.host,
      store: this.store,
      processes: this.processes,
      checks: {
        isFolder: (path) => Promise.resolve(this.folders.has(path)),
        findCommand: (command) => Promise.resolve(this.commands.has(command) ? command : undefined),
      },
      environment: {
        read: () => Promise.resolve({ process: { PATH: '/usr/bin', HOME: '/home/me' }, loginShell: undefined }),
      },
      factory: new AgentFactory(
        { shell: '/bin/bash', execPath: '/usr/bin/node', demoAgent: '/demo.js', workspaceId: 'w1' },
        builtInTypes(),
        (error) => {
          throw error;
        },
      ),
      notices: {
        raise: (notice) => {
          this.notices.set(notice.fingerprint, notice);
          this.raised.push(notice);
        },
        resolve: (fingerprint) => void this.notices.delete(fingerprint),
      },
      clock: this.clock,
      ids: this.ids,
      log: silentLogger,
      random: () => this.random(),
      deliveries: this.deliveries,
      onDidHook: this.hooks.event,
      ...changes,
    };
  }

  make(changes: Partial<SupervisorPorts> = {}): AgentSupervisor {
    return new AgentSupervisor(this.ports(changes), () => ({ recoveredFolder: '/project', ...this.settings }));
  }

  /** The present supervisor leaves at once; a new one begins over what is left. */
  async restart(): Promise<void> {
    this.supervisor.dispose();
    this.supervisor = this.make();
    await this.run(this.supervisor.begin());
  }

  /** Lets `work` finish, moving time as it waits for it (in steps of 50 ms, at most `maxMs`). */
  async run<T>(work: Promise<T>, maxMs = 200_000): Promise<T> {
    let isDone = false;
    const done = work.finally(() => (isDone = true));
    done.catch(() => undefined);
    for (let waitedMs = 0; !isDone && waitedMs <= maxMs; waitedMs += 50)
      await this.clock.advanceMs(waitedMs === 0 ? 0 : 50);
    if (!isDone) throw new Error(`not within ${maxMs} ms of manual time`);
    return done;
  }

  /** A begun world with one agent that runs. */
  async runningAgent(spec: Partial<AgentSpec> = {}): Promise<Agent> {
    await this.run(this.supervisor.begin());
    const agent = await this.run(this.supervisor.create(aSpec(spec)));
    await this.run(this.supervisor.start(agent.id));
    return agent;
  }

  agent(id = 'reviewer'): Agent {
    return this.supervisor.registry.get(id);
  }

  launches(id = 'reviewer'): number {
    return this.host.launchedSpecs(id as AgentId).length; // ids of tests
  }
}
