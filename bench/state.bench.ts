import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentId } from '../src/core/agents/agent';
import type { Activity } from '../src/core/agents/agentState';
import type { AgentView } from '../src/core/engine';
import { eventually } from '../test/support/eventually';
import { EngineMachine, type RunningEngine } from '../test/support/runningEngine';
import { bench, figure, median, NotRunHere, percentile } from './figure';
import { childrenSeconds, cpuSeconds, POLL_MS, Poller } from './poller';

const IDLE_AGENTS = 50;
const AGENTS = 8;
const ROUNDS = 8;
const POLLED_ROUNDS = 3;
const WINDOW_MS = 8_000;
const WINDOWS = 3;
/** So many programs are started at a time: each of them is a Node that wants a core for itself. */
const STARTS_AT_ONCE = 5;
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** What is typed, what the agent then does, and what it answers to `key`. */
const PROMPTS: readonly { readonly text: string; readonly shows: Activity; readonly key: string }[] = [
  { text: 'work 30', shows: 'busy', key: 'Escape' },
  { text: 'approve', shows: 'awaiting_approval', key: 'Escape' },
];

async function startAgents(machine: EngineMachine, engine: RunningEngine, count: number): Promise<readonly string[]> {
  const names = Array.from({ length: count }, (_, i) => `Agent ${i + 1}`);
  for (let from = 0; from < count; from += STARTS_AT_ONCE) {
    const some = names.slice(from, from + STARTS_AT_ONCE);
    await Promise.all(
      some.map((name) =>
        engine.call('start', {
          name,
          typeId: 'demo',
          folder: machine.workspace,
          env: { DEMO_LOG: join(machine.workspace, `${name}.jsonl`) },
        }),
      ),
    );
  }
  return names;
}

function view(agents: readonly AgentView[], name: string): AgentView {
  const found = agents.find((one) => one.name === name);
  if (!found) throw new Error(`no agent ${name}`);
  return found;
}

async function become(engine: RunningEngine, name: string, activity: Activity): Promise<AgentView> {
  return eventually(
    `${name} is ${activity}`,
    async () => {
      const agent = view(await engine.call('agents'), name);
      return agent.activity === activity ? agent : undefined;
    },
    { timeoutMs: 15_000 },
  );
}

/** When the demo agent took its newest prompt or was last interrupted, which it shows in the same instant (epoch ms). */
function shownAtMs(machine: EngineMachine, name: string): number {
  const lines = readFileSync(join(machine.workspace, `${name}.jsonl`), 'utf8')
    .trim()
    .split('\n');
  const last = lines.map((line) => JSON.parse(line) as { at: number }).at(-1); // written by the demo agent
  return last?.at ?? NaN;
}

/** Looks at the same agents as the engine does, past it. */
async function pollerOf(machine: EngineMachine, ids: readonly AgentId[], onChange: (id: AgentId) => void) {
  const socketName = await machine.socketName();
  return new Poller(socketName, { ...process.env, TMUX_TMPDIR: machine.root }, ids, onChange);
}

/** When a poller has first seen a changed screen of this agent since `sinceMs` (epoch ms). */
async function polledAtMs(seenMs: ReadonlyMap<AgentId, number>, id: AgentId, sinceMs: number): Promise<number> {
  return eventually('polled', () => {
    const atMs = seenMs.get(id) ?? 0;
    return atMs >= sinceMs ? atMs : undefined;
  });
}

/** From the output that shows another state until the engine says so. Typed past the engine, which learns of it by the output alone. */
async function measureKnown(report: Parameters<Parameters<typeof bench>[0]>[0]): Promise<void> {
  const machine = new EngineMachine();
  try {
    const engine = await machine.engine();
    await engine.becomes('ready');
    const names = await startAgents(machine, engine, AGENTS);
    for (const name of names) await become(engine, name, 'idle');
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      for (const [i, name] of names.entries()) {
        const { text, shows, key } = PROMPTS[(round + i) % PROMPTS.length] ?? { text: '', shows: 'idle', key: '' };
        const { id } = view(await engine.call('agents'), name);
        await press(machine, id, text, 'Enter');
        const { sinceMs } = await become(engine, name, shows);
        times.push(sinceMs - shownAtMs(machine, name));
        await press(machine, id, key);
        const idle = await become(engine, name, 'idle');
        times.push(idle.sinceMs - shownAtMs(machine, name));
      }
    }
    const polled = await pollKnown(machine, engine, names);
    report(figure('state.known.p95', percentile(times, 95), 'ms', { atMost: 250 }, percentile(polled, 95)));
  } finally {
    await machine.end();
  }
}

/** The same changes as a poller meets them: it is at any point of its period, and what it sees it is taken to understand at once. */
async function pollKnown(machine: EngineMachine, engine: RunningEngine, names: readonly string[]): Promise<number[]> {
  const ids = (await engine.call('agents')).map(({ id }) => id);
  const seenMs = new Map<AgentId, number>();
  const poller = await pollerOf(machine, ids, (id) => seenMs.set(id, Date.now()));
  const times: number[] = [];
  try {
    for (let round = 0; round < POLLED_ROUNDS; round++) {
      for (const name of names) {
        const { id } = view(await engine.call('agents'), name);
        await wait(Math.random() * POLL_MS);
        await press(machine, id, 'work 30', 'Enter');
        await become(engine, name, 'busy');
        const shownMs = shownAtMs(machine, name);
        times.push((await polledAtMs(seenMs, id, shownMs)) - shownMs);
        await press(machine, id, 'Escape');
        await become(engine, name, 'idle');
      }
    }
  } finally {
    await poller.stop();
  }
  return times;
}

async function press(machine: EngineMachine, id: AgentId, ...keys: readonly string[]): Promise<void> {
  await machine.tmux('send-keys', '-t', `=${id}:`, ...keys);
}

/** Cores that the engine with all its threads, the tmux server and its control clients take while every agent rests. */
async function measureIdle(report: Parameters<Parameters<typeof bench>[0]>[0]): Promise<void> {
  const machine = new EngineMachine();
  try {
    const engine = await machine.engine();
    await engine.becomes('ready');
    const names = await startAgents(machine, engine, IDLE_AGENTS);
    for (const name of names) await become(engine, name, 'idle');
    await wait(3_000);
    const tmux = `${await machine.tmux('display-message', '-p', '#{pid}')}${await machine.tmux('list-clients', '-F', '#{client_pid}')}`;
    const pids = [engine.pid, ...tmux.trim().split('\n').map(Number)];
    const measure = (): number => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
    const loads: number[] = [];
    for (let i = 0; i < WINDOWS; i++) {
      const startedMs = performance.now();
      const before = measure();
      await wait(WINDOW_MS);
      loads.push((measure() - before) / ((performance.now() - startedMs) / 1_000));
    }
    const ids = (await engine.call('agents')).map(({ id }) => id);
    const poller = await pollerOf(machine, ids, () => undefined);
    await wait(2 * POLL_MS);
    const ownSeconds = (): number => {
      const own = process.cpuUsage();
      return measure() + (own.user + own.system) / 1e6 + childrenSeconds();
    };
    const startedMs = performance.now();
    const before = ownSeconds();
    await wait(WINDOW_MS);
    const withPoller = (ownSeconds() - before) / ((performance.now() - startedMs) / 1_000);
    await poller.stop();
    // What a poller of the same agents adds, in itself, its processes and the server: without an engine of its own behind it.
    report(figure('idle.cpu.50', median(loads), 'cores', { atMost: 0.02 }, withPoller - median(loads)));
  } finally {
    await machine.end();
  }
}

void bench(async (report) => {
  await measureKnown(report);
  if (process.platform !== 'linux')
    throw new NotRunHere('idle.cpu.50: the processor time of the server is read in /proc');
  await measureIdle(report);
});
