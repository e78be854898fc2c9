import type { Clock } from '../../base/clock';

/** Wakes who waits for news, or for time to pass, whichever is first. */
export class Pulse {
  readonly #sleepers = new Set<() => void>();

  constructor(private readonly clock: Clock) {}

  /** There is news. */
  beat(): void {
    for (const wake of [...this.#sleepers]) wake();
  }

  /** Resolves at the next beat or after `maxMs`. @throws the signal's reason */
  wait(maxMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      const end = (): void => {
        timer.dispose();
        this.#sleepers.delete(wake);
        signal.removeEventListener('abort', onAbort);
      };
      const wake = (): void => {
        end();
        resolve();
      };
      const onAbort = (): void => {
        end();
        reject(signal.reason as Error);
      };
      const timer = this.clock.setTimer(Math.max(0, maxMs), wake);
      this.#sleepers.add(wake);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }
}
