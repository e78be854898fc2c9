import type { Clock } from '../../base/clock';
import { type Disposable, MutableDisposable } from '../../base/disposable';
import { ignore, type Logger } from '../../base/log';
import type { RetentionReport } from './retention';

export interface RetentionScheduleOptions {
  /** One run; `isMore`: the next one follows soon. */
  readonly run: (signal: AbortSignal) => Promise<RetentionReport>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Not while the window is being opened. */
const firstMs = 2 * 60 * 1000;
/** Timers do not go on while a machine sleeps: looked for more often than daily, since a run that has nothing to do only reads, in a thread of its own. */
const everyMs = 6 * 60 * 60 * 1000;
const nextPartMs = 5_000;

/** Has what is due moved out of the store, soon after the start and then several times a day. Failures are logged; the next run tries again. */
export class RetentionSchedule implements Disposable {
  readonly #timer = new MutableDisposable();
  readonly #end = new AbortController();

  constructor(private readonly options: RetentionScheduleOptions) {
    this.#runAfter(firstMs);
  }

  dispose(): void {
    this.#timer.dispose();
    this.#end.abort(new Error('the store is closed'));
  }

  #runAfter(delayMs: number): void {
    const { clock } = this.options;
    this.#timer.value = clock.setTimer(delayMs, () => void this.#run());
  }

  async #run(): Promise<void> {
    const { run, log } = this.options;
    const { signal } = this.#end;
    let delayMs = everyMs;
    try {
      const { moved, isMore } = await run(signal);
      if (moved > 0) log.info('old records left the store', { moved });
      if (isMore && moved > 0) delayMs = nextPartMs;
    } catch (error) {
      if (!signal.aborted) ignore(log, error, 'old records stay until the next run');
    }
    if (!signal.aborted) this.#runAfter(delayMs);
  }
}
