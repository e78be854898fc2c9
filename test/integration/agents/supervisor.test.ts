import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import type { AgentSpec } from '../../../src/core/agents/agent';
import { AgentError } from '../../../src/core/agents/agentErrors';
import { AgentFactory } from '../../../src/core/agents/agentFactory';
import type { AgentHost } from '../../../src/core/agents/agentHost';
import { AgentSupervisor } from '../../../src/core/agents/agentSupervisor';
import type { Agent } from '../../../src/core/agents/baseAgent';
import { builtInTypes } from '../../../src/core/agents/builtInTypes';
import { LinuxProcesses } from '../../../src/core/agents/node/linuxProcesses';
import { NodeLaunchChecks } from '../../../src/core/agents/node/nodeLaunchChecks';
import { PsProcesses } from '../../../src/core/agents/node/psProcesses';
import type { Processes } from '../../../src/core/agents/processes';
import type { AgentNotice } from '../../../src/core/agents/supervisorPorts';
import { SystemClock } from '../../../src/core/base/clock';
import { silentLogger } from '../../../src/core/base/log';
import { CountingIds } from '../../support/builders';
import { eventually } from '../../support/eventually';
import { FakeAgentStore } from '../../support/fakeAgentStore';
import { FakeDeliveryStore } from '../../support/fakeDeliveryStore';
import { requireTmux, TmuxTestServer } from '../../support/tmuxServer';
import { sizedMs, trials } from '../../support/trials';

/** Ignores HUP and TERM, as do its child and a grandchild in a session of its own. Writes its pid to $PIDS. */
const STUBBORN = `trap '' HUP TERM INT; echo $$ >> "$PIDS"
setsid sh -c 'trap "" HUP TERM; echo $$ >> "$PIDS"; while :; do sleep 1; done' &
sh -c 'trap "" HUP TERM; echo $$ >> "$PIDS"; while :; do sleep 1; done' &
while :; do sleep 1; done`;

/** The supervisor on real tmux, real processes and a store in memory. */
class RealWorld {
  readonly server = new TmuxTestServer();
  readonly store = new FakeAgentStore();
  readonly processes: Processes = process.platform === 'linux' ? new LinuxProcesses() : new PsProcesses();
  readonly notices = new Map<string, AgentNotice>();
  readonly workspaceId = `t${Date.now().toString(36)}${Math.floor(performance.now() * 1000)}`;
  host!: AgentHost;
  supervisor!: AgentSupervisor;

  async begin(): Promise<void> {
    const clock = new SystemClock();
    this.host = this.server.host();
    const factory = new AgentFactory(
      { shell: '/bin/bash', execPath: process.execPath, demoAgent: this.#demoAgent(), workspaceId: this.workspaceId },
      builtInTypes(),
      (error) => assert.fail(String(error)),
    );
    this.supervisor = new AgentSupervisor(
      {
        host: this.host,
        store: this.store,
        deliveries: new FakeDeliveryStore(),
        processes: this.processes,
        checks: new NodeLaunchChecks(),
        environment: {
          read: () => Promise.resolve({ process: { ...process.env, CI: '1', CLAUDECODE: '1' }, loginShell: undefined }),
        },
        factory,
        notices: {
          raise: (notice) => void this.notices.set(notice.fingerprint, notice),
          resolve: (fingerprint) => void this.notices.delete(fingerprint),
        },
        clock,
        ids: new CountingIds(),
        log: silentLogger,
        random: () => 0.5,
      },
      () => ({ recoveredFolder: this.server.folder, lostCheckMs: 300 }),
    );
    await this.supervisor.begin();
  }

  /** The engine is gone without a word; a new one begins. */
  async crash(): Promise<void> {
    this.supervisor.dispose();
    this.host.dispose();
    await this.begin();
  }

  async start(spec: Partial<AgentSpec>): Promise<Agent> {
    const agent = await this.supervisor.create({ name: 'A', typeId: 'demo', folder: this.server.folder, ...spec });
    await this.supervisor.start(agent.id);
    return agent;
  }

  /** Pids of every process of the agents of this world, ever. */
  async living(agent: Agent): Promise<readonly number[]> {
    const found = await Promise.all(
      [1, 2, 3, 4].map((generation) => this.processes.marked(`${this.workspaceId}:${agent.id}:${generation}`)),
    );
    return found.flat().map((one) => one.pid);
  }

  shows(agent: Agent, activity: string): Promise<unknown> {
    return eventually(
      `${agent.id} is ${activity} (${agent.record.activity})`,
      () => agent.record.activity === activity,
      { timeoutMs: 10_000 },
    );
  }

  is(agent: Agent, lifecycle: string): Promise<unknown> {
    return eventually(`${agent.id} is ${lifecycle}`, () => agent.record.lifecycle === lifecycle, { timeoutMs: 15_000 });
  }

  async dispose(): Promise<void> {
    for (const agent of this.supervisor.registry.list()) {
      for (const pid of await this.living(agent))
        await this.processes.signal((await this.processes.identify(pid)) ?? { pid, startTime: '' }, 'SIGKILL');
    }
    this.supervisor.dispose();
    this.server.dispose();
  }

  #demoAgent(): string {
    const outfile = join(this.server.folder, 'demoAgent.js');
    if (!existsSync(outfile)) {
      buildSync({
        entryPoints: ['src/demo/demoAgent.ts'],
        bundle: true,
        platform: 'node',
        format: 'cjs',
        outfile,
        logLevel: 'error',
      });
    }
    return outfile;
  }
}

describe('AgentSupervisor on real tmux', function () {
  this.timeout(sizedMs(90_000, 600_000, 2_400_000));
  let world: RealWorld;

  beforeEach(async function () {
    requireTmux(this);
    world = new RealWorld();
    await world.begin();
  });

  afterEach(() => world?.dispose());

  it('follows the demo agent through work, a permission question and an end, and says why', async () => {
    const agent = await world.start({ firstPrompt: 'work 1' });
    assert.equal(agent.record.lifecycle, 'running');
    await world.shows(agent, 'busy');
    await world.shows(agent, 'idle');
    await world.supervisor.sendPrompt(agent.id, 'approve');
    await world.shows(agent, 'awaiting_approval');
    assert.match(agent.record.evidence[0]?.detail ?? '', /permission dialog/);
    await assert.rejects(world.supervisor.sendPrompt(agent.id, 'yes'), (error) =>
      AgentError.is(error, 'agent.dialogOpen'),
    );
    await agent.press(['Escape']);
    await world.shows(agent, 'idle');
    await world.supervisor.sendPrompt(agent.id, 'fail');
    await world.shows(agent, 'error');
    assert.equal((await world.supervisor.sendPrompt(agent.id, 'crash 7')).state, 'acknowledged');
    await world.is(agent, 'backoff');
    assert.deepEqual(agent.record.exit, { code: 7 });
    await world.is(agent, 'running');
    assert.equal(agent.record.generation, 2);
    await world.supervisor.stop(agent.id);
    assert.deepEqual([agent.record.lifecycle, await world.living(agent), await world.host.list()], ['stopped', [], []]);
  });

  it('gives agents the clean environment', async () => {
    const file = join(world.server.folder, 'env');
    const agent = await world.start({
      typeId: 'command',
      command: ['sh', '-c', `env > '${file}'`],
      env: { MINE: 'a b\n$(c)' },
      restartPolicy: 'never',
    });
    await world.is(agent, 'exited');
    const text = readFileSync(file, 'utf8');
    assert.match(text, /^TERM=/m);
    assert.match(text, /^MINE=a b\n\$\(c\)$/m);
    assert.doesNotMatch(text, /^(CI|CLAUDECODE|TMUX|TMUX_PANE|VSCODE_\w+|npm_\w+)=/m);
  });

  it('tells a waiting shell from a busy one', async () => {
    const agent = await world.start({ typeId: 'shell' });
    await world.shows(agent, 'idle');
    await world.supervisor.sendPrompt(agent.id, 'sleep 1');
    await world.shows(agent, 'busy');
    await world.shows(agent, 'idle');
    await world.supervisor.stop(agent.id);
    assert.deepEqual([agent.record.lifecycle, await world.living(agent)], ['stopped', []]);
  });

  it('says lost commands and folders plainly', async () => {
    await assert.rejects(world.start({ typeId: 'command', command: ['no-such-program'] }), (error) =>
      AgentError.is(error, 'agent.commandNotFound'),
    );
    await assert.rejects(world.start({ name: 'B', folder: '/no/such' }), (error) =>
      AgentError.is(error, 'agent.folderMissing'),
    );
  });

  it('R12 R17 stop leaves no process of programs that ignore HUP and TERM, nor of children in their own session', async () => {
    for (let round = 0; round < trials(1, 20, 100); round++) {
      const pids = join(world.server.folder, `pids-${round}`);
      const agent = await world.start({
        name: `S${round}`,
        typeId: 'command',
        command: ['sh', '-c', STUBBORN],
        env: { PIDS: pids },
      });
      const started = await eventually('three processes', () => {
        const list = existsSync(pids) ? readFileSync(pids, 'utf8').trim().split('\n').map(Number) : [];
        return list.length === 3 ? list : undefined;
      });
      await world.supervisor.stop(agent.id);
      for (const pid of started)
        assert.equal(await world.processes.identify(pid), undefined, `round ${round}: ${pid} lives`);
      assert.deepEqual([agent.record.lifecycle, await world.living(agent)], ['stopped', []]);
    }
  });

  it('R17 ends the demo agent that ignores signals, with its child in a session of its own', async () => {
    const agent = await world.start({});
    for (const prompt of ['ignore-term', 'child', 'child detached', 'ask']) {
      await world.supervisor.sendPrompt(agent.id, prompt);
      await eventually('it was taken', async () => (await agent.capture()).text.includes(`» ${prompt}`));
    }
    await world.shows(agent, 'awaiting_input');
    assert.ok((await world.living(agent)).length >= 3);
    await world.supervisor.stop(agent.id);
    assert.deepEqual([agent.record.lifecycle, await world.living(agent)], ['stopped', []]);
  });

  it('R14 the death of the engine disturbs no agent: the next one adopts them all, without a restart', async () => {
    const agents: Agent[] = [];
    for (let i = 0; i < 5; i++) agents.push(await world.start({ name: `Agent ${i}`, firstPrompt: 'loop' }));
    const before = agents.map((agent) => agent.record.process);
    for (let round = 0; round < trials(2, 20, 50); round++) {
      await world.crash();
      const now = () => agents.map((agent) => world.supervisor.registry.get(agent.id).record);
      // A host that does not answer for a moment makes it `lost`, of which nothing is started, and it is looked for again.
      await eventually(`round ${round}: all are found`, () => now().every(({ lifecycle }) => lifecycle === 'running'));
      assert.deepEqual(now().map(({ process: found, generation }) => [found, generation]), before.map((process) => [process, 1])); // prettier-ignore
    }
    const agent = world.supervisor.registry.get('agent-0');
    await eventually('its activity is known again', () => agent.record.activity !== 'unknown', { timeoutMs: 10_000 });
  });

  it('R17 a stop that the engine did not survive is finished by the next one', async () => {
    const agent = await world.start({ typeId: 'command', command: ['sh', '-c', STUBBORN], env: { PIDS: '/dev/null' } });
    const stop = world.supervisor.stop(agent.id);
    stop.catch(() => undefined);
    await eventually('it was ordered', () => world.store.records.get(agent.id)?.desired === 'stopped');
    await world.crash();
    const now = world.supervisor.registry.get(agent.id);
    assert.deepEqual([now.record.lifecycle, await world.living(now)], ['stopped', []]);
  });

  it('R12 an orphan of a killed tmux server is never doubled: lost until a person restarts it, which ends it first', async () => {
    const stubborn = await world.start({
      typeId: 'command',
      command: ['sh', '-c', STUBBORN],
      env: { PIDS: '/dev/null' },
    });
    const tame = await world.start({ name: 'Tame' });
    const orphans = await world.living(stubborn);
    process.kill(world.server.serverPid()!, 'SIGKILL');
    await eventually(
      'the tame one runs again',
      () => tame.record.generation === 2 && tame.record.lifecycle === 'running',
      { timeoutMs: 20_000 },
    );
    await world.is(stubborn, 'lost');
    await eventually('a person is told', () => world.notices.has(`agent.orphan:${stubborn.id}`));
    assert.equal(stubborn.record.generation, 1);
    await world.supervisor.restart(stubborn.id);
    assert.deepEqual([stubborn.record.lifecycle, stubborn.record.generation], ['running', 2]);
    const now = await world.living(stubborn);
    assert.deepEqual(orphans.filter((pid) => now.includes(pid)), []); // prettier-ignore
    await world.supervisor.stop(stubborn.id);
  });

  it('follows a fleet of agents that start beside each other', async () => {
    const agents = await Promise.all(
      [1, 2, 3, 4, 5, 6].map((i) => world.start({ name: `Fleet ${i}`, typeId: 'shell' })),
    );
    assert.ok(agents.every((agent) => agent.record.lifecycle === 'running'));
    await Promise.all(agents.map((agent) => world.supervisor.stop(agent.id)));
    assert.deepEqual(await world.host.list(), []);
  });
});
