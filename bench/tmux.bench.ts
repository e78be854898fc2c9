import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { AgentId } from '../src/core/agents/agent';
import { SystemClock } from '../src/core/base/clock';
import { silentLogger } from '../src/core/base/log';
import { launchScript } from '../src/core/tmux/launchScript';
import { ControlClient } from '../src/core/tmux/node/controlClient';
import type { TmuxAgentHost } from '../src/core/tmux/node/tmuxAgentHost';
import { TmuxArgs, TmuxStart } from '../src/core/tmux/tmuxArgs';
import { childrenOf } from '../test/support/processTree';
import { installedTmux, TmuxTestServer } from '../test/support/tmuxServer';
import { eventually } from '../test/support/eventually';
import { POLL_MS } from './poller';
import { bench, figure, interleave, NotRunHere, percentile, timed } from './figure';

const PATH = process.env.PATH ?? '';
const tmux = installedTmux() ?? 'tmux';

/** One tmux command by a process of its own: what most programs do. */
function execTmux(server: TmuxTestServer, ...args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(tmux, ['-L', server.socketName, ...args], {
      env: server.serverEnv,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve(output) : reject(new Error(`tmux ${args[0] ?? ''}: ${String(code)}`)),
    );
  });
}

async function measureCommand(report: Parameters<Parameters<typeof bench>[0]>[0]): Promise<void> {
  const server = new TmuxTestServer();
  const client = new ControlClient({
    program: tmux,
    args: TmuxStart.owner(server.socketName, '/dev/null'),
    env: server.serverEnv,
    clock: new SystemClock(),
    log: silentLogger,
    onEvent: () => {},
    onEnd: () => {},
  });
  try {
    await client.opened;
    const [pane = ''] = await client.run([TmuxArgs.displayServer('#{pane_id}')]);
    const capture = [TmuxArgs.capturePane(pane as Parameters<typeof TmuxArgs.capturePane>[0])]; // tmux's own answer
    const repeat = async (count: number, call: () => Promise<unknown>): Promise<number[]> => {
      const times: number[] = [];
      for (let i = 0; i < count; i++) times.push(await timed(call));
      return times;
    };
    await repeat(500, () => client.run(capture));
    const { ours, baseline } = await interleave(6, {
      ours: () => repeat(300, () => client.run(capture)),
      baseline: () => repeat(40, () => execTmux(server, 'capture-pane', '-p', '-t', pane)),
    });
    report(figure('tmux.command.p50', percentile(ours, 50), 'ms', { ratioAtMost: 1 / 20 }, percentile(baseline, 50)));
  } finally {
    await client.close();
    server.dispose();
  }
}

/** Odd: the median is a round that has happened. */
const START_ROUNDS = 9;

/**
 * 100 agents by our host, against the same launch scripts by one process of tmux after the other. The two of a round follow each other, so
 * a neighbour's load hits both: the round whose ratio is the median is told.
 */
async function measureStart(report: Parameters<Parameters<typeof bench>[0]>[0]): Promise<void> {
  const ids = Array.from({ length: 100 }, (_, i) => `agent-${i}` as AgentId);
  const spec = (agentId: AgentId) => ({ agentId, generation: 1, folder: '/', argv: ['/bin/cat'], env: { PATH } });
  const ours = async (): Promise<readonly number[]> => {
    const server = new TmuxTestServer();
    const host = server.host();
    try {
      await host.start();
      return [await timed(() => Promise.all(ids.map((agentId) => host.launch(spec(agentId)))))];
    } finally {
      server.dispose();
    }
  };
  const baseline = async (): Promise<readonly number[]> => {
    const server = new TmuxTestServer();
    try {
      await execTmux(server, '-f', '/dev/null', 'new-session', '-d', '-s', 'first', '/bin/cat');
      const folder = join(server.folder, 'scripts');
      mkdirSync(folder);
      const start = async (agentId: AgentId): Promise<void> => {
        const path = join(folder, agentId);
        writeFileSync(
          path,
          launchScript(spec(agentId), {
            exitFile: `${path}.exit`,
            temporaryExitFile: `${path}.tmp`,
            inheritedNames: [],
          }),
        );
        await execTmux(server, 'new-session', '-d', '-s', agentId, '-x', '120', '-y', '40', '/bin/sh', path);
      };
      return [
        await timed(async () => {
          for (const agentId of ids) await start(agentId);
        }),
      ];
    } finally {
      server.dispose();
    }
  };
  const measured = await interleave(START_ROUNDS, { ours, baseline });
  const rounds = measured.ours.map((oursMs, i) => ({ oursMs, baselineMs: measured.baseline[i] ?? NaN }));
  const byRatio = rounds.sort((a, b) => a.oursMs / a.baselineMs - b.oursMs / b.baselineMs);
  const { oursMs, baselineMs } = byRatio[Math.floor(START_ROUNDS / 2)] ?? { oursMs: NaN, baselineMs: NaN };
  report(figure('start.100', oursMs, 'ms', { ratioAtMost: 0.45 }, baselineMs));
}

/** By when a death must be known. */
const KNOWN_MS = 50;
const PRINTS = ['/bin/sh', '-c', 'while :; do echo working; sleep 1; done'];

/** `count` agents that print; each is killed, and the time until it is known (`knownMs`: at what time) is taken. Returns the times of those that were known. */
async function killEach(
  host: TmuxAgentHost,
  count: number,
  knownMs: (agentId: AgentId) => number | undefined,
  { restMs = 0 } = {},
): Promise<number[]> {
  const times: number[] = [];
  const agents = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const agentId = `agent-${i}` as AgentId;
      return { agentId, ...(await host.launch({ agentId, generation: 1, folder: '/', argv: PRINTS, env: { PATH } })) };
    }),
  );
  for (const { agentId, pid } of agents) {
    const child = await eventually('its program', () => childrenOf(pid)[0]);
    await wait(Math.random() * restMs);
    const killedMs = performance.now();
    process.kill(child, 'SIGKILL');
    await eventually('known', () => knownMs(agentId), { timeoutMs: 3_000, everyMs: 5 }).then(
      (atMs) => times.push(atMs - killedMs),
      () => undefined, // a miss is counted by the caller
    );
  }
  return times;
}

/** The host tells it, with the right cause. */
async function ourExits(): Promise<{ readonly times: readonly number[]; readonly missed: number }> {
  const server = new TmuxTestServer();
  try {
    const host = server.host();
    await host.start();
    const known = new Map<AgentId, number>();
    host.onDidExit(({ agentId, cause }) => {
      if (cause.signal === 'SIGKILL') known.set(agentId, performance.now());
    });
    const times = await killEach(host, 50, (agentId) => known.get(agentId));
    return { times, missed: 50 - times.length };
  } finally {
    server.dispose();
  }
}

/** One process of tmux each 500 ms lists the terminals whose program lives. */
async function polledExits(): Promise<readonly number[]> {
  const server = new TmuxTestServer();
  const host = server.host();
  const gone = new Map<string, number>();
  let isOver = false;
  const poll = async (): Promise<void> => {
    for (const seen = new Set<string>(); !isOver; await wait(POLL_MS)) {
      const list = await execTmux(server, 'list-panes', '-a', '-F', '#{pane_dead} #{session_name}');
      const live = new Set(list.split('\n').filter((line) => line.startsWith('0 ')).map((line) => line.slice(2))); // prettier-ignore
      for (const name of live) seen.add(name);
      for (const name of seen) if (!live.has(name) && !gone.has(name)) gone.set(name, performance.now());
    }
  };
  let polling = Promise.resolve();
  try {
    await host.start();
    polling = poll();
    return await killEach(host, 15, (agentId) => gone.get(agentId), { restMs: POLL_MS }); // at any time between two looks
  } finally {
    isOver = true;
    await polling;
    server.dispose();
  }
}

async function measureExits(report: Parameters<Parameters<typeof bench>[0]>[0]): Promise<void> {
  const ours: number[] = [];
  const polled: number[] = [];
  let missed = 0;
  for (let round = 0; round < 4; round++) {
    const exits = await ourExits();
    ours.push(...exits.times);
    missed += exits.missed;
    polled.push(...(await polledExits()));
  }
  report(
    figure('exit.known.p50', percentile(ours, 50), 'ms', { atMost: 10, ratioAtMost: 1 / 50 }, percentile(polled, 50)),
  );
  report(figure('exit.known.p99', percentile(ours, 99), 'ms', { atMost: KNOWN_MS }, percentile(polled, 99)));
  // A poller does not miss a death for good (it only comes late): of as many deaths, those it has not seen when ours must be known.
  const late = (polled.filter((ms) => ms > KNOWN_MS).length / polled.length) * (ours.length + missed);
  report(figure('exit.missed', missed, '1', { atMost: 0 }, late));
}

void bench(async (report) => {
  await measureCommand(report);
  await measureStart(report);
  if (process.platform !== 'linux') throw new NotRunHere('exits: the processes to kill are found in /proc');
  await measureExits(report);
});
