/**
 * How long a short prompt to a free, idle agent takes until there is evidence that it arrived: our delivery in an engine of its own
 * process, with its states kept on the real store, against the careful way of a program that polls the screen with processes of tmux:
 * ready twice 120 ms apart, one bracketed paste, the draft unchanged for 250 ms, Enter, and then the hook where there is one, else the
 * draft gone for 200 ms. Both type into the same demo agents. Those with hooks start `orc hook` by a shell at each prompt, as real
 * programs do; ours has its evidence through it and the gateway. The polling way is told at the instant in which the agent takes
 * the prompt, as if its hook took no time.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, watch } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { AgentId } from '../src/core/agents/agent';
import { eventually } from '../test/support/eventually';
import { EngineMachine, type RunningEngine } from '../test/support/runningEngine';
import { bench, figure, interleave, median, percentile, timed } from './figure';

/** Rounds of the hooked way: 64 deliveries, for a p95 that is not just the largest value. */
const HOOKED_ROUNDS = 8;
const SEEN_ROUNDS = 4;
const PER_ROUND = 8;
const WARM_UPS = 3;
const RULE = /^─{20,}$/;
const HOOK = 'UserPromptSubmit';

/** The demo agent, and one that tells of its prompts as real programs do. */
function demoType(hasHooks: boolean): { readonly id: string } {
  const type = JSON.parse(readFileSync('src/core/agents/types/demo.json', 'utf8')) as object;
  const hooks = [{ event: HOOK, promptPath: '/prompt', says: 'it took a prompt' }];
  return { ...type, id: hasHooks ? 'hooking-demo' : 'silent-demo', ...(hasHooks && { hooks }) };
}

/** One running demo agent, as a program beside the engine meets it. */
interface Target {
  readonly id: AgentId;
  readonly hasHooks: boolean;
  /** The agent's own record of what it took. */
  readonly logFile: string;
  readonly tmux: (args: readonly string[], input?: string) => string;
}

/** Every prompt that the agent took, in order. */
function takenBy({ logFile }: Target): readonly string[] {
  const whole = readFileSync(logFile, 'utf8');
  return whole
    .slice(0, whole.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { readonly text: string }).text); // the demo agent writes it
}

/** The polling way, for the demo agent's screen. */
class PollingDelivery {
  #count = 0;

  constructor(private readonly target: Target) {}

  async deliver(text: string): Promise<void> {
    await this.#ready();
    this.#paste(text);
    const draft = await this.#settled();
    await this.#submit(text, draft);
  }

  async #ready(): Promise<void> {
    for (let agreed = 0; ;) {
      agreed = this.#draft() === '' ? agreed + 1 : 0;
      if (agreed >= 2) return;
      await wait(120);
    }
  }

  async #settled(): Promise<string> {
    let last = '';
    let sinceMs = 0;
    for (;;) {
      const draft = this.#draft() ?? '';
      if (draft !== '' && draft === last && performance.now() - sinceMs >= 250) return draft;
      if (draft !== last) [last, sinceMs] = [draft, performance.now()];
      await wait(50);
    }
  }

  async #submit(text: string, draft: string): Promise<void> {
    const { id, hasHooks, logFile, tmux } = this.target;
    let isTold = false;
    const watcher = watch(dirname(logFile), () => (isTold ||= takenBy(this.target).includes(text)));
    try {
      let enters = 0;
      let nextMs = 0;
      let goneMs = 0;
      for (;;) {
        if (hasHooks && isTold) return;
        if (performance.now() >= nextMs && goneMs === 0) {
          tmux(['send-keys', '-t', `=${id}:`, 'Enter']);
          nextMs = performance.now() + Math.min(500 * 2 ** enters++, 3_000);
        }
        await wait(70);
        if (this.#draft() === draft) goneMs = 0;
        else goneMs ||= performance.now();
        if (!hasHooks && goneMs > 0 && performance.now() - goneMs >= 200) return;
      }
    } finally {
      watcher.close();
    }
  }

  /** One process asks for the pane's facts, one for its screen. Undefined: no box. */
  #draft(): string | undefined {
    const { id, tmux } = this.target;
    tmux(['display-message', '-p', '-t', `=${id}:`, '#{pane_title} #{pane_dead} #{pane_in_mode}']);
    const lines = tmux(['capture-pane', '-p', '-t', `=${id}:`]).split('\n').map((line) => line.trimEnd()); // prettier-ignore
    const bottom = lines.findLastIndex((line) => RULE.test(line));
    const top = lines.slice(0, bottom).findLastIndex((line) => RULE.test(line));
    if (top < 0) return undefined;
    return lines.slice(top + 1, bottom).map((line) => line.slice(2)).join('\n').trim(); // prettier-ignore
  }

  #paste(text: string): void {
    const buffer = `poll-${this.#count++}`;
    this.target.tmux(['load-buffer', '-b', buffer, '-'], text);
    this.target.tmux(['paste-buffer', '-d', '-p', '-r', '-b', buffer, '-t', `=${this.target.id}:`]);
  }
}

async function targetOn(machine: EngineMachine, engine: RunningEngine, hasHooks: boolean): Promise<Target> {
  const logFile = join(machine.workspace, 'demo.jsonl');
  const hook = JSON.stringify(['/bin/sh', '-c', `orc hook ${HOOK}`]);
  const id = await engine.call('start', {
    name: 'Demo',
    typeId: demoType(hasHooks).id,
    folder: machine.workspace,
    env: { DEMO_LOG: logFile, DEMO_WORK_MS: '0', ...(hasHooks && { DEMO_HOOK: hook }) },
  });
  const socketName = await machine.socketName();
  const env = { ...process.env, TMUX_TMPDIR: machine.root };
  const tmux: Target['tmux'] = (args, input) =>
    spawnSync('tmux', ['-u', '-L', socketName, ...args], { env, encoding: 'utf8', ...(input !== undefined && { input }) }).stdout; // prettier-ignore
  const isIdle = async (): Promise<boolean> => (await engine.call('agents'))[0]?.activity === 'idle';
  await eventually('the agent is idle', isIdle, { timeoutMs: 20_000 });
  return { id, hasHooks, logFile, tmux };
}

type Measured = { readonly ours: readonly number[]; readonly baseline: readonly number[] };

async function measure(hasHooks: boolean): Promise<Measured> {
  const machine = new EngineMachine(demoType(hasHooks));
  try {
    const engine = await machine.engine();
    await engine.becomes('ready');
    const target = await targetOn(machine, engine, hasHooks);
    const polling = new PollingDelivery(target);
    let count = 0;
    const text = (): string => `look at file ${count++}`;
    const send = async (): Promise<void> => {
      const { evidence } = await engine.call('prompt', target.id, text());
      if (evidence !== (hasHooks ? 'hook' : 'screen')) throw new Error(`known by ${String(evidence)}`);
    };
    for (let turn = 0; turn < WARM_UPS; turn++) await engine.call('prompt', target.id, text());
    const repeat = async (call: () => Promise<unknown>): Promise<number[]> => {
      const times: number[] = [];
      for (let turn = 0; turn < PER_ROUND; turn++) {
        await wait(400); // the agent is free, its screen has been still, its hook has ended
        times.push(await timed(call));
      }
      return times;
    };
    const measured = await interleave(hasHooks ? HOOKED_ROUNDS : SEEN_ROUNDS, {
      ours: () => repeat(send),
      baseline: () => repeat(() => polling.deliver(text())),
    });
    const taken = takenBy(target);
    if (taken.length !== count || new Set(taken).size !== count) throw new Error('a prompt was lost or doubled');
    return measured;
  } finally {
    await machine.end();
  }
}

void bench(async (report) => {
  const hooked = await measure(true);
  report(figure('delivery.p50', median(hooked.ours), 'ms', { ratioAtMost: 0.7 }, median(hooked.baseline)));
  report(figure('delivery.p95', percentile(hooked.ours, 95), 'ms', { atMost: 800 }, percentile(hooked.baseline, 95)));
  const seen = await measure(false);
  report(figure('delivery.screenOnly.p50', median(seen.ours), 'ms', { ratioAtMost: 0.9 }, median(seen.baseline)));
});
