/**
 * How long a short prompt to a free, idle agent takes until there is evidence that it arrived: our delivery, with its states kept
 * on the real store, against the careful way of a program that polls the screen with processes of tmux: ready twice 120 ms apart,
 * one bracketed paste, the draft unchanged for 250 ms, Enter, and then the hook where there is one, else the draft gone for 200 ms.
 * Both type into the same demo agents and learn of its hooks from the same file.
 */
import { spawnSync } from 'node:child_process';
import { watch } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { AgentId } from '../src/core/agents/agent';
import { SystemClock } from '../src/core/base/clock';
import { silentLogger } from '../src/core/base/log';
import { DamagedRecords } from '../src/core/damagedRecords';
import { DataDeliveryStore } from '../src/core/dataDeliveryStore';
import { DeliveryWorld } from '../test/support/deliveryWorld';
import { openFileStore, temporaryFolder } from '../test/support/storeWorker';
import { bench, figure, interleave, median, percentile, timed } from './figure';

/** Rounds of the hooked way: 64 deliveries, for a p95 that is not just the largest value. */
const HOOKED_ROUNDS = 8;
const SEEN_ROUNDS = 4;
const PER_ROUND = 8;
const RULE = /^─{20,}$/;

/** The polling way, for the demo agent's screen. */
class PollingDelivery {
  #count = 0;

  constructor(
    private readonly world: DeliveryWorld,
    private readonly name: string,
    private readonly id: AgentId,
    private readonly hasHooks: boolean,
  ) {}

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
    let isTold = false;
    const watcher = watch(this.world.server.folder, () => (isTold ||= this.world.taken(this.name).includes(text)));
    try {
      let enters = 0;
      let nextMs = 0;
      let goneMs = 0;
      for (;;) {
        if (this.hasHooks && isTold) return;
        if (performance.now() >= nextMs && goneMs === 0) {
          this.#tmux('send-keys', '-t', `=${this.id}:`, 'Enter');
          nextMs = performance.now() + Math.min(500 * 2 ** enters++, 3_000);
        }
        await wait(70);
        if (this.#draft() === draft) goneMs = 0;
        else goneMs ||= performance.now();
        if (!this.hasHooks && goneMs > 0 && performance.now() - goneMs >= 200) return;
      }
    } finally {
      watcher.close();
    }
  }

  /** One process asks for the pane's facts, one for its screen. Undefined: no box. */
  #draft(): string | undefined {
    this.#tmux('display-message', '-p', '-t', `=${this.id}:`, '#{pane_title} #{pane_dead} #{pane_in_mode}');
    const lines = this.#tmux('capture-pane', '-p', '-t', `=${this.id}:`).split('\n').map((line) => line.trimEnd()); // prettier-ignore
    const bottom = lines.findLastIndex((line) => RULE.test(line));
    const top = lines.slice(0, bottom).findLastIndex((line) => RULE.test(line));
    if (top < 0) return undefined;
    return lines.slice(top + 1, bottom).map((line) => line.slice(2)).join('\n').trim(); // prettier-ignore
  }

  #paste(text: string): void {
    const buffer = `poll-${this.#count++}`;
    spawnSync('tmux', ['-L', this.world.server.socketName, 'load-buffer', '-b', buffer, '-'], { input: text, env: this.world.server.serverEnv }); // prettier-ignore
    this.#tmux('paste-buffer', '-d', '-p', '-r', '-b', buffer, '-t', `=${this.id}:`);
  }

  #tmux(...args: readonly string[]): string {
    return this.world.server.tmux(...args).stdout;
  }
}

async function measure(
  hasHooks: boolean,
): Promise<{ readonly ours: readonly number[]; readonly baseline: readonly number[] }> {
  const { folder, remove } = temporaryFolder();
  const { store } = await openFileStore(folder);
  const nobody = { raise: () => undefined, resolve: () => undefined }; // a new store has no damage to tell of
  const damage = new DamagedRecords({ notices: nobody, clock: new SystemClock(), log: silentLogger });
  const world = new DeliveryWorld(new DataDeliveryStore(store, damage));
  try {
    const id = await world.start('demo', { DEMO_WORK_MS: '0' });
    if (hasHooks) world.tellHooks('demo', id);
    const polling = new PollingDelivery(world, 'demo', id, hasHooks);
    let count = 0;
    const text = (): string => `look at file ${count++}`;
    for (let turn = 0; turn < 3; turn++) await world.supervisor.sendPrompt(id, text());
    const repeat = async (call: () => Promise<unknown>): Promise<number[]> => {
      const times: number[] = [];
      for (let turn = 0; turn < PER_ROUND; turn++) {
        await wait(300); // the agent is free and its screen has been still
        times.push(await timed(call));
      }
      return times;
    };
    const measured = await interleave(hasHooks ? HOOKED_ROUNDS : SEEN_ROUNDS, {
      ours: () => repeat(() => world.supervisor.sendPrompt(id, text())),
      baseline: () => repeat(() => polling.deliver(text())),
    });
    const taken = world.taken('demo');
    if (taken.length !== count || new Set(taken).size !== count) throw new Error('a prompt was lost or doubled');
    return measured;
  } finally {
    await world.end();
    await store.close();
    remove();
  }
}

void bench(async (report) => {
  const hooked = await measure(true);
  report(figure('delivery.p50', median(hooked.ours), 'ms', { ratioAtMost: 0.7 }, median(hooked.baseline)));
  report(figure('delivery.p95', percentile(hooked.ours, 95), 'ms', { atMost: 800 }, percentile(hooked.baseline, 95)));
  const seen = await measure(false);
  report(figure('delivery.screenOnly.p50', median(seen.ours), 'ms', { ratioAtMost: 0.9 }, median(seen.baseline)));
});
