import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createInterface } from 'node:readline';
import type { Activity } from '../src/core/agents/agentState';
import { SystemClock } from '../src/core/base/clock';
import { silentLogger } from '../src/core/base/log';
import { connectGateway } from '../src/core/gateway/node/connectGateway';
import { RemoteEngine } from '../src/core/gateway/remoteEngine';
import { GATEWAY_PROTOCOL, type GatewayPointer } from '../src/shared/gatewayProtocol';
import { eventually } from '../test/support/eventually';
import { EngineMachine } from '../test/support/runningEngine';
import { bench, figure, percentile } from './figure';
import { POLL_MS } from './poller';

const REPORTS = 200;
const POLLED = 40;
/** An empty input box of the real program, as recorded; the fake one below draws it and waits. */
const IDLE_SCREEN = 'test/fixtures/screens/claude/2.1.197/120x40/bypass-idle.json';

function fakeClaude(folder: string): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const { lines } = JSON.parse(readFileSync(IDLE_SCREEN, 'utf8')) as { readonly lines: readonly string[] };
  writeFileSync(join(bin, 'screen.txt'), lines.join('\n'));
  writeFileSync(join(bin, 'claude'), `#!/bin/sh\ncat '${join(bin, 'screen.txt')}'\nexec sleep 1000\n`);
  chmodSync(join(bin, 'claude'), 0o755);
  return bin;
}

/** From the moment in which a hook's report is written to the socket until a window knows that the row has changed. */
void bench(async (report) => {
  const machine = new EngineMachine();
  try {
    const engine = await machine.engine();
    await engine.becomes('ready');
    const bin = fakeClaude(machine.workspace);
    const id = await engine.call('start', {
      name: 'Agent',
      typeId: 'claude-code',
      folder: machine.workspace,
      env: { PATH: `${bin}:${process.env['PATH'] ?? ''}` },
    });
    const workspaces = join(dirname(machine.workspace), 'storage', 'workspaces');
    const pointerFile = join(workspaces, readdirSync(workspaces)[0] ?? '', 'gateway.json');
    const pointer = JSON.parse(readFileSync(pointerFile, 'utf8')) as GatewayPointer;
    const ports = { clock: new SystemClock(), log: silentLogger };
    const window = await RemoteEngine.follow(
      await connectGateway({ pointerFile, client: 'bench', ...ports }),
      silentLogger,
    );
    const agent = net.connect(pointer.socket);
    createInterface({ input: agent }).on('line', () => undefined);
    const send = (method: string, params: object, requestId: number): void =>
      void agent.write(`${JSON.stringify({ jsonrpc: '2.0', id: requestId, method, params })}\n`);
    const token = readFileSync(join(pointer.tokenFolder, `${id}.1.jwt`), 'utf8');
    send('hello', { protocol: GATEWAY_PROTOCOL, client: 'bench', token }, 0);
    await eventually('the agent is idle', () => window.agent(id)?.activity === 'idle', { timeoutMs: 40_000 });

    const times: number[] = [];
    const measure = async (event: string, payload: object, becomes: Activity, number: number): Promise<void> => {
      const changed = new Promise<number>((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`${event} did not make it ${becomes}`)), 10_000);
        const listening = window.onDidChangeAgent(({ view }) => {
          if (view?.activity !== becomes) return;
          clearTimeout(late);
          listening.dispose();
          resolve(performance.now());
        });
      });
      const startedMs = performance.now();
      send('hook.report', { event, payload, sentAtMs: Date.now() }, number);
      times.push((await changed) - startedMs);
    };
    for (let i = 0; i < REPORTS / 2; i++) {
      await wait(120); // within the rate of an agent
      await measure('UserPromptSubmit', { session_id: 'bench', prompt: `number ${i}` }, 'busy', 2 * i + 1);
      await measure('Stop', { session_id: 'bench' }, 'idle', 2 * i + 2);
    }
    // The way without news: a window that asks for all agents again, a while after each answer.
    const polled: number[] = [];
    let isOver = false;
    let activity: Activity | undefined;
    const poll = async (): Promise<void> => {
      for (; !isOver; await wait(POLL_MS))
        activity = (await engine.call('agents')).find((one) => one.id === id)?.activity;
    };
    const asked = poll();
    for (let i = 0; i < POLLED; i++) {
      const [event, becomes] = i % 2 === 0 ? (['UserPromptSubmit', 'busy'] as const) : (['Stop', 'idle'] as const);
      await wait(Math.random() * POLL_MS);
      const startedMs = performance.now();
      const payload = { session_id: 'bench', ...(i % 2 === 0 && { prompt: `polled ${i}` }) };
      send('hook.report', { event, payload, sentAtMs: Date.now() }, REPORTS + i + 1);
      await eventually('polled', () => activity === becomes, { everyMs: 1 });
      polled.push(performance.now() - startedMs);
    }
    isOver = true;
    await asked;
    report(figure('hook.row.p95', percentile(times, 95), 'ms', { atMost: 50 }, percentile(polled, 95)));
    agent.destroy();
    window.dispose();
  } finally {
    await machine.end();
  }
});
