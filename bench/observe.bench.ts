import { createHook } from 'node:async_hooks';
import { join } from 'node:path';
import type { AgentId } from '../src/core/agents/agent';
import { eventually } from '../test/support/eventually';
import { TmuxTestServer } from '../test/support/tmuxServer';
import { ToldProgram } from '../test/support/toldProgram';
import { bench, figure, median, NotRunHere, percentile } from './figure';
import { childrenSeconds, cpuSeconds, Poller } from './poller';

const AGENTS = 50;
const WINDOW_MS = 6_000;
const ROUNDS = 3;
const PATH = process.env.PATH ?? '';
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const ids = Array.from({ length: AGENTS }, (_, i) => `agent-${i}` as AgentId);

/** Processor seconds per second of the server, its control clients and everything this process does, during one window. */
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

/** Processes started by this process while `work` runs. */
async function countSpawns(work: () => Promise<void>): Promise<number> {
  let count = 0;
  const hook = createHook({ init: (_, type) => void (type === 'PROCESSWRAP' && count++) });
  hook.enable();
  await work();
  hook.disable();
  return count;
}

async function measureLoad(report: Parameters<Parameters<typeof bench>[0]>[0]): Promise<void> {
  const server = new TmuxTestServer();
  try {
    const host = server.host();
    await host.start();
    const argv = ['/bin/sh', '-c', `while :; do echo ${'x'.repeat(72)} $((i+=1)); sleep 1; done`];
    await Promise.all(ids.map((agentId) => host.launch({ agentId, generation: 1, folder: '/', argv, env: { PATH } })));
    const serverPid = server.serverPid() ?? 0;
    const clientsOf = (): number[] =>
      server.tmux('list-clients', '-F', '#{client_pid}').stdout.trim().split('\n').filter(Boolean).map(Number);
    const results: { nobody: number[]; ours: number[]; poller: number[] } = { nobody: [], ours: [], poller: [] };
    const spawns = { ours: 0, poller: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      await host.start();
      await wait(1_500);
      const pids = [serverPid, ...clientsOf()];
      results.ours.push(await load(pids));
      spawns.ours += await countSpawns(() => wait(WINDOW_MS)); // in a window of its own: the hook itself costs
      await host.stop();
      await wait(500);
      results.nobody.push(await load([serverPid]));
      const poller = new Poller(server.socketName, server.serverEnv, ids, () => {});
      await wait(500);
      results.poller.push(await load([serverPid]));
      spawns.poller += await countSpawns(() => wait(WINDOW_MS));
      await poller.stop();
    }
    const nobody = median(results.nobody);
    report(
      figure(
        'observe.cpu.50',
        median(results.ours) - nobody,
        'cores',
        { ratioAtMost: 1 / 8 },
        median(results.poller) - nobody,
      ),
    );
    const seconds = (ROUNDS * WINDOW_MS) / 1_000;
    report(figure('tmux.spawns', spawns.ours / seconds, '1/s', { atMost: 0 }, spawns.poller / seconds));
  } finally {
    server.dispose();
  }
}

/** From telling a program to print until we know that its terminal has new output (the poller: until its screen has the text). */
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
      figure('observe.latency.p50', percentile(ours, 50), 'ms', { ratioAtMost: 1 / 100 }, percentile(baseline, 50)),
    );
  } finally {
    for (const program of programs) program.dispose();
    server.dispose();
  }
}

void bench(async (report) => {
  if (process.platform !== 'linux') throw new NotRunHere('the processor time of the server is read in /proc');
  await measureLoad(report);
  await measureLatency(report);
});
