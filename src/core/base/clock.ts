import { type Disposable, toDisposable } from './disposable';

/** Time as the core sees it. Tests drive it by hand (`test/support/manualClock.ts`). */
export interface Clock {
  /** Wall-clock milliseconds since the epoch: for records and for people. May jump. */
  nowMs(): number;
  /** Milliseconds of a clock that never goes back: for durations and deadlines. */
  monotonicMs(): number;
  /** Calls `callback` once after `delayMs` (≥ 0). Disposing cancels. Never keeps the process alive by itself. */
  setTimer(delayMs: number, callback: () => void): Disposable;
}

/** The real clock. */
export class SystemClock implements Clock {
  nowMs(): number {
    return Date.now();
  }

  monotonicMs(): number {
    return performance.now();
  }

  setTimer(delayMs: number, callback: () => void): Disposable {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return toDisposable(() => clearTimeout(timer));
  }
}

/** A short duration for people: `1.2 s`. */
export function secondsText(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(1)} s`;
}

/**
 * Resolves after `delayMs`; rejects with the signal's reason as soon as it is aborted, also during the wait.
 */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = (): void => {
      timer.dispose();
      reject(signal?.reason);
    };
    const timer = clock.setTimer(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** A wait that ends early when there is news, for one waiter at a time. */
export class WakeableWait {
  #wake: () => void = () => undefined;

  constructor(private readonly clock: Clock) {}

  /** Resolves after `timeoutMs`, at the next `wake`, or once the signal is aborted, whichever is first; never rejects. */
  wait(timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = (): void => {
        timer.dispose();
        signal.removeEventListener('abort', finish);
        this.#wake = () => undefined;
        resolve();
      };
      const timer = this.clock.setTimer(timeoutMs, finish);
      signal.addEventListener('abort', finish, { once: true });
      this.#wake = finish;
    });
  }

  wake(): void {
    this.#wake();
  }
}

/**
 * Settles like `work`, but rejects with `makeError()` when it takes longer than `timeoutMs`. The work itself
 * is not stopped: pass it a signal for that.
 */
export function withTimeout<T>(clock: Clock, timeoutMs: number, work: Promise<T>, makeError: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(timeoutMs, () => reject(makeError()));
    work.then(resolve, reject).finally(() => timer.dispose());
  });
}
