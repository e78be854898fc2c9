import { createHook } from 'node:async_hooks';
import { join } from 'node:path';
import type { AgentId } from '../src/core/agents/agent';
import { eventually } from '../test/support/eventually';
import { EngineMachine, type RunningEngine } from '../test/support/runningEngine';
import { TmuxTestServer } from '../test/support/tmuxServer';
import { ToldProgram } from '../test/support/toldProgram';
import { bench, figure, median, NotRunHere, percentile } from './figure';
import { childrenSeconds, cpuSeconds, Poller } from './poller';

const AGENTS = 50;
const WINDOW_MS = 6_000;
const ROUNDS = 3;
/** An engine that has just started compiles itself still, which is not what watching costs: steady state is measured. */
const SETTLE_MS = 15_000;
const PATH = process.env.PATH ?? '';
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const ids = Array.from({ length: AGENTS }, (_, i) => `agent-${i}` as AgentId);

/** What runs in each agent: it prints a line of 80 bytes per second. */
const PRINTS = ['/bin/sh', '-c', `while :; do echo ${'x'.repeat(72)} $((i+=1)); sleep 1; done`];

/** Processor seconds per second of these processes, of this one and of what it starts, during one window. */
async function load(pids: readonly number[]): Promise<number> {
  const measure = (): number => {
    const own = process.cpuUsage();
    return pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0) + (own.user + own.system) / 1e6 + childrenSeconds();
  };
  const startedMs = performance.now();
  const before = measure();
  await wait(WINDOW_MS);
  return (measure() - before) / ((performance.now() - startedMs) / 1_000);
}

/** An engine in a process of its own that has met all agents and come to rest, as after a reload of the window. */
async function restedEngine(machine: EngineMachine): Promise<RunningEngine> {
  const engine = await machine.engine();
  await engine.becomes('ready');
  await wait(SETTLE_MS);
  return engine;
}

/** The agents go on without it. */
async function endEngine(engine: RunningEngine): Promise<void> {
  await engine.call('end');
  await eventually('the engine has ended', () => engine.hasEnded);
}

/**
 * What observation adds to a server that nobody watches: of the whole engine, with rules, states and store, in all its threads and its
 * control clients; and of a poller that does no more than see that a screen has changed.
 */
async function measureLoad(report: Parameters<Parameters<typeof bench>[0]>[0]): Promise<void> {
  const machine = new EngineMachine();
  try {
    const first = await machine.engine();
    await first.becomes('ready');
    const started = ids.map((name) =>
      first.call('start', { name, typeId: 'command', folder: machine.workspace, command: PRINTS }),
    );
    await Promise.all(started);
    const agentIds = (await first.call('agents')).map(({ id }) => id);
    await endEngine(first);
    const pidsOf = async (...command: string[]): Promise<readonly number[]> =>
      (await machine.tmux(...command)).trim().split('\n').map(Number);
    const server = await pidsOf('display-message', '-p', '#{pid}');
    const socketName = await machine.socketName();
    const results: { nobody: number[]; ours: number[]; poller: number[] } = { nobody: [], ours: [], poller: [] };
    for (let round = 0; round < ROUNDS; round++) {
      const engine = await restedEngine(machine);
      results.ours.push(await load([engine.pid, ...server, ...(await pidsOf('list-clients', '-F', '#{client_pid}'))]));
      await endEngine(engine);
      await wait(500);
      results.nobody.push(await load(server));
      const poller = new Poller(socketName, { ...process.env, TMUX_TMPDIR: machine.root }, agentIds, () => {});
      await wait(500);
      results.poller.push(await load(server));
      await poller.stop();
    }
    const added = (loads: readonly number[]): number =>
      median(loads.map((value, round) => value - (results.nobody[round] ?? NaN)));
    report(figure('observe.cpu.50', added(results.ours), 'cores', { ratioAtMost: 1 / 8 }, added(results.poller)));
  } finally {
    await machine.end();
  }
}

/** Processes started by this process while `work` runs. */
async function countSpawns(work: () => Promise<void>): Promise<number> {
  let count = 0;
  const hook = createHook({ init: (_, type) => void (type === 'PROCESSWRAP' && count++) });
  hook.enable();
  await work();
  hook.disable();
  return count;
}

/** Of the agent host, which alone starts tmux, and of the poller. */
async function measureSpawns(report: Parameters<Parameters<typeof bench>[0]>[0]): Promise<void> {
  const server = new TmuxTestServer();
  try {
    const host = server.host();
    await host.start();
    await Promise.all(
      ids.map((agentId) => host.launch({ agentId, generation: 1, folder: '/', argv: PRINTS, env: { PATH } })),
    );
    await wait(1_500);
    const ours = await countSpawns(() => wait(ROUNDS * WINDOW_MS));
    await host.stop();
    const poller = new Poller(server.socketName, server.serverEnv, ids, () => {});
    await wait(500);
    const polled = await countSpawns(() => wait(WINDOW_MS));
    await poller.stop();
    const [perSecond, polledPerSecond] = [ours / (ROUNDS * WINDOW_MS), polled / WINDOW_MS].map((rate) => rate * 1_000);
    report(figure('tmux.spawns', perSecond ?? NaN, '1/s', { atMost: 0 }, polledPerSecond));
  } finally {
    server.dispose();
  }
}

/**
 * From telling a program to print until the agent host knows that its terminal has new output (the poller: until its screen has the
 * text). Of the host alone: what the engine makes of a screen, and when, is `state.known.p95`.
 */
async function measureLatency(report: Parameters<Parameters<typeof bench>[0]>[0]): Promise<void> {
  const server = new TmuxTestServer();
  const programs: ToldProgram[] = [];
  try {
    const host = server.host();
    await host.start();
    for (const agentId of ids) {
      const program = new ToldProgram(join(server.folder, 'programs'), agentId);
      programs.push(program);
      await host.launch({ agentId, generation: 1, folder: '/', argv: program.argv, env: { PATH } });
    }
    await wait(1_000);
    const told = new Map<AgentId, number>();
    const times: number[] = [];
    const note = (agentId: AgentId): void => {
      const toldMs = told.get(agentId);
      if (toldMs !== undefined) times.push(performance.now() - toldMs);
      told.delete(agentId);
    };
    const tellAll = async (pauseMs: number): Promise<readonly number[]> => {
      times.length = 0;
      for (let round = 0; round < 4; round++) {
        for (const [i, agentId] of ids.entries()) {
          told.set(agentId, performance.now());
          programs[i]?.tell(`print ${round} ${i}`);
          await wait(pauseMs);
        }
        await eventually('all known', () => told.size === 0, { timeoutMs: 10_000 });
      }
      return [...times];
    };
    const listening = host.onDidOutput(({ agentId }) => note(agentId));
    const ours = await tellAll(10);
    listening.dispose();
    await host.stop();
    const poller = new Poller(server.socketName, server.serverEnv, ids, note);
    await wait(2_000);
    const baseline = await tellAll(10);
    await poller.stop();
    report(
      figure(
        'observe.host.latency.p50',
        percentile(ours, 50),
        'ms',
        { ratioAtMost: 1 / 100 },
        percentile(baseline, 50),
      ),
    );
  } finally {
    for (const program of programs) program.dispose();
    server.dispose();
  }
}

void bench(async (report) => {
  if (process.platform !== 'linux') throw new NotRunHere('the processor time of the server is read in /proc');
  await measureLoad(report);
  await measureSpawns(report);
  await measureLatency(report);
});
