import type { Clock } from '../../src/core/base/clock';
import { type Disposable, toDisposable } from '../../src/core/base/disposable';

interface Timer {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Time that moves only when told to. Timers fire in order of due time, then of creation. */
export class ManualClock implements Clock {
  readonly #timers = new Set<Timer>();
  #monotonicMs = 0;
  #wallOffsetMs: number;
  #order = 0;

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#wallOffsetMs = startMs;
  }

  nowMs(): number {
    return this.#wallOffsetMs + this.#monotonicMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  setTimer(delayMs: number, callback: () => void): Disposable {
    const timer: Timer = { dueMs: this.#monotonicMs + Math.max(0, delayMs), order: this.#order++, callback };
    this.#timers.add(timer);
    return toDisposable(() => this.#timers.delete(timer));
  }

  /** Timers that are still pending: the leak check. */
  get pendingCount(): number {
    return this.#timers.size;
  }

  /** Wall clock jumps (NTP, suspend); the monotonic clock does not. */
  jumpWallMs(deltaMs: number): void {
    this.#wallOffsetMs += deltaMs;
  }

  /** Advances both clocks and fires what is due, letting promises settle after each timer. */
  async advanceMs(deltaMs: number): Promise<void> {
    const targetMs = this.#monotonicMs + deltaMs;
    await settle();
    for (;;) {
      const next = [...this.#timers]
        .filter((timer) => timer.dueMs <= targetMs)
        .sort((a, b) => a.dueMs - b.dueMs || a.order - b.order)[0];
      if (!next) break;
      this.#timers.delete(next);
      this.#monotonicMs = Math.max(this.#monotonicMs, next.dueMs);
      next.callback();
      await settle();
    }
    this.#monotonicMs = targetMs;
    await settle();
  }
}

/** Lets pending promise reactions run: 20 turns of the microtask queue across one macrotask. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}
