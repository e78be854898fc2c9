import { type Clock, sleep } from '../../base/clock';

/** A stretch without a pause: with one slow record at its end still below the 10 ms at which others would notice. */
const stretchMs = 6;

/** Divides work into short stretches, so that the event loop turns between them. */
export class Pacer {
  #startedMs: number;

  constructor(
    private readonly clock: Clock,
    private readonly breathe: () => Promise<void> = () => sleep(clock, 0),
  ) {
    this.#startedMs = clock.monotonicMs();
  }

  /** To be asked after every unit of work; true: call `pause` now. Looking at the clock takes some 40 ns. */
  isDue(): boolean {
    return this.clock.monotonicMs() - this.#startedMs >= stretchMs;
  }

  /** Lets the event loop turn. */
  async pause(): Promise<void> {
    await this.breathe();
    this.#startedMs = this.clock.monotonicMs();
  }
}
