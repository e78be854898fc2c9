import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentId } from '../../../src/core/agents/agent';
import { AgentFactory } from '../../../src/core/agents/agentFactory';
import type { AgentExit, HostStatus } from '../../../src/core/agents/agentHost';
import { AgentSupervisor } from '../../../src/core/agents/agentSupervisor';
import type { Agent } from '../../../src/core/agents/baseAgent';
import { builtInTypes } from '../../../src/core/agents/builtInTypes';
import { LinuxProcesses } from '../../../src/core/agents/node/linuxProcesses';
import { NodeLaunchChecks } from '../../../src/core/agents/node/nodeLaunchChecks';
import { PsProcesses } from '../../../src/core/agents/node/psProcesses';
import { SystemClock } from '../../../src/core/base/clock';
import { silentLogger } from '../../../src/core/base/log';
import type { TmuxAgentHost } from '../../../src/core/tmux/node/tmuxAgentHost';
import { TmuxError } from '../../../src/core/tmux/tmuxErrors';
import { CountingIds } from '../../support/builders';
import { eventually } from '../../support/eventually';
import { FakeAgentStore } from '../../support/fakeAgentStore';
import { FakeDeliveryStore } from '../../support/fakeDeliveryStore';
import { requireTmux, TmuxTestServer } from '../../support/tmuxServer';
import { ToldProgram } from '../../support/toldProgram';
import { sizedMs, trials } from '../../support/trials';

const PATH = process.env.PATH ?? '';

describe('loss of the server', function () {
  this.timeout(60_000);
  let server: TmuxTestServer;
  let host: TmuxAgentHost;
  let exits: AgentExit[];
  let statuses: HostStatus['kind'][];

  before(function () {
    requireTmux(this);
  });
  beforeEach(async () => {
    server = new TmuxTestServer();
    host = server.host();
    exits = [];
    statuses = [];
    host.onDidExit((exit) => exits.push(exit));
    host.onDidChangeStatus(({ kind }) => statuses.push(kind));
    await host.start();
    statuses = [];
  });
  afterEach(() => server?.dispose());

  const launch = (agentId: string, argv: readonly string[]) =>
    host.launch({ agentId: agentId as AgentId, generation: 1, folder: '/', argv, env: { PATH } });
  const killServer = (): void => void process.kill(server.serverPid() ?? -1, 'SIGKILL');

  it('R15 is said, repaired, and the agents that died with it are told, cause unknown', async () => {
    for (let round = 0; round < trials(1, 20, 50); round++) {
      statuses = [];
      exits = [];
      const ids = ['x', 'y', 'z'].map((name) => `${name}-${round}` as AgentId);
      for (const agentId of ids) await launch(agentId, ['sleep', '600']);
      killServer();
      await eventually('lost and back', () => statuses.join() === 'lost,ready');
      await eventually('all deaths told', () => exits.length === ids.length);
      assert.deepEqual(
        exits.map(({ agentId, cause, source }) => [agentId, cause, source]).sort(),
        ids.map((agentId) => [agentId, {}, 'process']),
      );
      assert.deepEqual(await host.list(), []);
      for (const agentId of ids) assert.deepEqual(await host.probe(agentId), { kind: 'dead', cause: {} });
    }
    await launch('after', ['sleep', '600']);
    assert.equal((await host.list()).length, 1);
  });

  it('does not call an agent dead that outlives the server, and tells its end later', async () => {
    const program = new ToldProgram(join(server.folder, 'programs'), 'tough');
    const [shell = '', ...rest] = program.argv;
    await launch('tough', [shell, '-c', `trap '' HUP; exec "$@"`, 'sh', shell, ...rest]);
    const agentId = 'tough' as AgentId;
    await eventually('it runs', async () => (await host.list())[0]?.foreground === 'sh');
    program.tell('print runs');
    await eventually('it ignores the hang-up', async () => (await host.capture(agentId)).text.includes('runs'));
    killServer();
    await eventually('lost and back', () => statuses.join() === 'lost,ready');
    assert.deepEqual([await host.probe(agentId), exits, await host.list()], [{ kind: 'alive' }, [], []]);
    program.tell('exit 0');
    const exit = await eventually('its end is told', () => exits[0], { timeoutMs: 15_000 });
    assert.deepEqual([exit.cause, exit.source], [{}, 'process'], 'nobody was left to see its code');
    program.dispose();
  });

  it('is not reported when only a connection breaks: agents are found again', async () => {
    const identity = await launch('stable', ['sleep', '600']);
    const clients = server.tmux('list-clients', '-F', '#{client_pid}').stdout.trim().split('\n').map(Number);
    assert.equal(clients.length, 3, 'three long-lived clients');
    server.tmux('detach-client', '-a', '-s', '_hub');
    server.tmux('detach-client', '-s', '_hub');
    await eventually('lost and back', () => statuses.includes('lost') && host.status.kind === 'ready');
    assert.deepEqual((await host.list())[0]?.process, identity);
    assert.deepEqual(exits, []);
  });

  it('is told from a server that only does not answer: nothing is restarted, and it comes back', async () => {
    await launch('waits', ['sleep', '600']);
    const serverPid = server.serverPid() ?? -1;
    process.kill(serverPid, 'SIGSTOP');
    try {
      await assert.rejects(host.list(), (error) => TmuxError.is(error, 'tmux.timeout'));
      assert.deepEqual([host.status.kind, statuses], ['lost', ['lost']]);
      assert.deepEqual(await host.probe('waits' as AgentId), { kind: 'alive' }, 'its process tells');
    } finally {
      process.kill(serverPid, 'SIGCONT');
    }
    await eventually('back', () => host.status.kind === 'ready', { timeoutMs: 10_000 });
    assert.equal(server.serverPid(), serverPid);
    assert.deepEqual(exits, []);
  });

  it('is not repaired by one who has lost the right to act', async () => {
    server.dispose();
    server = new TmuxTestServer();
    let mayAct = true;
    host = server.host({ fence: () => mayAct });
    await host.start();
    await launch('fenced', ['/bin/cat']);
    mayAct = false;
    const agentId = 'fenced' as AgentId;
    const isFenced = (error: unknown): boolean => TmuxError.is(error, 'tmux.fenced');
    await assert.rejects(launch('other', ['/bin/cat']), isFenced);
    await assert.rejects(host.paste(agentId, 'x'), isFenced);
    await assert.rejects(host.press(agentId, ['Enter']), isFenced);
    await assert.rejects(host.discard(agentId), isFenced);
    assert.equal((await host.list()).length, 1, 'looking is allowed');
    killServer();
    await eventually('refuses to start a server', () => host.status.kind === 'blocked');
    assert.equal(host.status.kind === 'blocked' && host.status.code, 'tmux.fenced');
    assert.equal(server.serverPid(), undefined);
  });

  it('leaves no server behind when nothing runs, and leaves it alone when something does', async () => {
    await launch('short', ['true']);
    await eventually('ended', () => exits.length === 1);
    await host.stop();
    await eventually('the server has ended', () => server.serverPid() === undefined);
    await host.start();
    await launch('long', ['/bin/cat']);
    await host.stop();
    assert.notEqual(server.serverPid(), undefined);
  });
});

/** Has a tool, and tells each of its starts with both pids; with $DEAF both ignore what a terminal sends that goes away, and what asks them to end. */
const PROGRAM = `[ -n "$DEAF" ] && trap '' HUP TERM
sleep 86400 &
echo "$$ $! $*" >> "$STARTS"
echo ready
wait`;

/** One start of a program. */
interface Start {
  readonly pids: readonly number[];
  readonly args: string;
}

/** Ten agents under a supervisor: three that outlive their terminal, one that is not to be restarted, six that are. */
class Fleet {
  readonly server = new TmuxTestServer();
  readonly host = this.server.host();
  readonly statuses: HostStatus['kind'][] = [];
  readonly raised: string[] = [];
  readonly open = new Set<string>();
  readonly supervisor: AgentSupervisor;
  readonly #processes = process.platform === 'linux' ? new LinuxProcesses() : new PsProcesses();
  agents: readonly Agent[] = [];

  constructor() {
    const factory = new AgentFactory(
      { shell: '/bin/sh', execPath: process.execPath, demoAgent: '', workspaceId: this.server.socketName },
      builtInTypes(),
      (error) => assert.fail(String(error)),
    );
    factory.register({
      id: 'keeper',
      label: 'Keeper',
      command: ['/bin/sh', '-c', PROGRAM, 'keeper'],
      resume: ['--resume', '{sessionId}'],
      session: { id: 'ours', newArgs: ['--session', '{sessionId}'], needsTurn: false, losses: [] },
      readiness: { when: 'rule' },
      screenRules: [{ id: 'ready', activity: 'idle', where: 'bottom', pattern: '^ready$' }],
      prompt: { canPaste: false },
      graceMs: 200,
    });
    this.supervisor = new AgentSupervisor(
      {
        host: this.host,
        store: new FakeAgentStore(),
        deliveries: new FakeDeliveryStore(),
        processes: this.#processes,
        checks: new NodeLaunchChecks(),
        environment: { read: () => Promise.resolve({ process: process.env, loginShell: undefined }) },
        factory,
        notices: {
          raise: ({ fingerprint }) => {
            if (!this.open.has(fingerprint)) this.raised.push(fingerprint); // as the board of notices does
            this.open.add(fingerprint);
          },
          resolve: (fingerprint) => void this.open.delete(fingerprint),
        },
        clock: new SystemClock(),
        ids: new CountingIds(),
        log: silentLogger,
        random: () => 0.5,
      },
      () => ({
        recoveredFolder: this.server.folder,
        lostCheckMs: 400,
        restart: { maxRestarts: 1_000, windowMs: 600_000, firstDelayMs: 20, maxDelayMs: 40, jitterRatio: 0 },
      }),
    );
    this.host.onDidChangeStatus(({ kind }) => this.statuses.push(kind));
  }

  /** The first three are deaf, the last one is not to be restarted. */
  async begin(): Promise<void> {
    await this.supervisor.begin();
    const names = Array.from({ length: 10 }, (_, index) => `${index < 3 ? 'deaf' : 'keeper'}-${index}`);
    this.agents = await Promise.all(
      names.map((name, index) =>
        this.supervisor.create({
          name,
          typeId: 'keeper',
          folder: this.server.folder,
          env: { STARTS: join(this.server.folder, `${name}.starts`), ...(index < 3 && { DEAF: '1' }) },
          restartPolicy: index === 9 ? 'never' : 'on_failure',
        }),
      ),
    );
    await Promise.all(this.agents.map(({ id }) => this.supervisor.start(id)));
  }

  /** In order. */
  starts({ record }: Agent): readonly Start[] {
    const file = join(this.server.folder, `${record.spec.name}.starts`);
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
    return lines.map((line) => {
      const [program, tool, ...args] = line.split(' ');
      return { pids: [Number(program), Number(tool)], args: args.join(' ') };
    });
  }

  /** Those of these starts that live. */
  async living(starts: readonly Start[]): Promise<readonly number[]> {
    const pids = starts.flatMap((start) => start.pids);
    const found = await Promise.all(pids.map((pid) => this.#processes.identify(pid)));
    return pids.filter((_, index) => found[index] !== undefined);
  }

  async end(): Promise<void> {
    for (const agent of this.agents) for (const pid of await this.living(this.starts(agent))) kill(pid);
    this.supervisor.dispose();
    this.server.dispose();
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // gone by itself
  }
}

describe('loss of the server with ten agents', function () {
  this.timeout(sizedMs(90_000, 660_000, 1_560_000));
  let fleet: Fleet;

  before(function () {
    requireTmux(this);
  });
  beforeEach(async () => {
    fleet = new Fleet();
    await fleet.begin();
  });
  afterEach(() => fleet?.end());

  const is = (agent: Agent, lifecycle: string, generation: number): boolean =>
    agent.record.lifecycle === lifecycle && agent.record.generation === generation;

  it('R15 is one incident: who died comes back by its policy and conversation, who outlived it is not doubled, and nothing of it is left', async () => {
    for (let round = 0; round < trials(1, 20, 50); round++) {
      const before = fleet.agents.map((agent) => ({
        generation: agent.record.generation,
        starts: fleet.starts(agent),
      }));
      const was = (index: number) => before[index] ?? { generation: 0, starts: [] };
      const [restarted, stopped, left] = fleet.agents as [Agent, Agent, Agent];
      const deaf = [restarted, stopped, left];
      fleet.statuses.length = 0;
      fleet.raised.length = 0;
      process.kill(fleet.server.serverPid() ?? -1, 'SIGKILL');

      await eventually('everybody is where it belongs', () =>
        fleet.agents.every((agent, index) => {
          const { generation } = was(index);
          if (index < 3) return is(agent, 'lost', generation) && agent.record.evidence[0]?.detail === 'its processes live without a terminal';
          return index === 9 ? is(agent, 'failed', generation) : is(agent, 'running', generation + 1);
        }), { timeoutMs: 30_000 }); // prettier-ignore
      assert.deepEqual(fleet.statuses, ['lost', 'ready'], 'one incident');
      assert.deepEqual(fleet.raised.toSorted(), deaf.map(({ id }) => `agent.orphan:${id}`), 'said of those alone that need a person'); // prettier-ignore
      const lookedAtMs = Date.now();
      await eventually('they are looked at again', () => deaf.every(({ record }) => (record.evidence[0]?.observedAtMs ?? 0) > lookedAtMs)); // prettier-ignore
      for (const [index, agent] of fleet.agents.entries()) {
        const { starts } = was(index);
        const made = fleet.starts(agent).slice(starts.length).map(({ args }) => args); // prettier-ignore
        const resumed = starts[0]?.args.replace('--session', '--resume');
        assert.deepEqual(made, index >= 3 && index < 9 ? [resumed] : [], `${agent.id} once, in its conversation`);
        const alive = index < 3 ? (starts.at(-1)?.pids ?? []) : [];
        assert.deepEqual(await fleet.living(starts), alive, `${agent.id}: who outlived it is left alone, nobody else is there`); // prettier-ignore
      }

      // What outlived the server is ended before anything of the same agent runs again: by an order, or by itself.
      for (const pid of await fleet.living(was(2).starts)) kill(pid);
      await Promise.all([fleet.supervisor.restart(restarted.id), fleet.supervisor.stop(stopped.id)]);
      await eventually('it comes back by its policy', () => is(left, 'running', was(2).generation + 1), { timeoutMs: 30_000 }); // prettier-ignore
      assert.ok(is(restarted, 'running', was(0).generation + 1) && is(stopped, 'stopped', was(1).generation));
      for (const [index, agent] of deaf.entries()) {
        assert.deepEqual(await fleet.living(was(index).starts), [], `${agent.id}: nothing is left of the old run`);
        assert.equal(fleet.starts(agent).length - was(index).starts.length, agent === stopped ? 0 : 1);
      }
      assert.deepEqual([...fleet.open], [], 'nothing is said any more');
      await Promise.all([stopped, ...fleet.agents.slice(9)].map(({ id }) => fleet.supervisor.start(id)));
    }
  });
});
