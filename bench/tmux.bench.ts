import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentId } from '../src/core/agents/agent';
import { SystemClock } from '../src/core/base/clock';
import { silentLogger } from '../src/core/base/log';
import { launchScript } from '../src/core/tmux/launchScript';
import { ControlClient } from '../src/core/tmux/node/controlClient';
import { TmuxArgs, TmuxStart } from '../src/core/tmux/tmuxArgs';
import { childrenOf } from '../test/support/processTree';
import { installedTmux, TmuxTestServer } from '../test/support/tmuxServer';
import { eventually } from '../test/support/eventually';
import { bench, figure, interleave, median, percentile, timed } from './figure';

const PATH = process.env.PATH ?? '';
const tmux = installedTmux() ?? 'tmux';

/** One tmux command by a process of its own: what most programs do. */
function execTmux(server: TmuxTestServer, ...args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(tmux, ['-L', server.socketName, ...args], {
      env: server.serverEnv,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    child.stdout.resume();
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`tmux ${args[0] ?? ''}: ${String(code)}`))));
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

/** 100 agents by our host, against the same launch scripts by one process of tmux after the other. */
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
  const measured = await interleave(5, { ours, baseline });
  report(figure('start.100', median(measured.ours), 'ms', { ratioAtMost: 0.45 }, median(measured.baseline)));
}

/** 50 agents that print; each is killed, and the time until the host tells it with the right cause is taken. */
async function measureExits(report: Parameters<Parameters<typeof bench>[0]>[0]): Promise<void> {
  const times: number[] = [];
  let wrong = 0;
  let killed = 0;
  for (let round = 0; round < 4; round++) {
    const server = new TmuxTestServer();
    try {
      const host = server.host();
      await host.start();
      const known = new Map<AgentId, number>();
      host.onDidExit(({ agentId, cause }) => {
        known.set(agentId, performance.now());
        if (cause.signal !== 'SIGKILL') wrong++;
      });
      const agents = await Promise.all(
        Array.from({ length: 50 }, async (_, i) => {
          const agentId = `agent-${i}` as AgentId;
          const argv = ['/bin/sh', '-c', 'while :; do echo working; sleep 1; done'];
          return { agentId, ...(await host.launch({ agentId, generation: 1, folder: '/', argv, env: { PATH } })) };
        }),
      );
      for (const { agentId, pid } of agents) {
        const child = await eventually('its program', () => childrenOf(pid)[0]);
        const killedMs = performance.now();
        process.kill(child, 'SIGKILL');
        killed++;
        await eventually('known', () => known.has(agentId), { timeoutMs: 3_000, everyMs: 5 }).catch(() => undefined); // a miss is counted below
        const knownMs = known.get(agentId);
        if (knownMs !== undefined) times.push(knownMs - killedMs);
      }
    } finally {
      server.dispose();
    }
  }
  report(figure('exit.known.p50', percentile(times, 50), 'ms', { atMost: 10 }));
  report(figure('exit.known.p99', percentile(times, 99), 'ms', { atMost: 50 }));
  report(figure('exit.missed', killed - times.length + wrong, '1', { atMost: 0 }));
}

void bench(async (report) => {
  await measureCommand(report);
  await measureStart(report);
  await measureExits(report);
});
