import type { Clock } from '../../core/base/clock';
import { type Disposable, MutableDisposable } from '../../core/base/disposable';

/** Between two refreshes of a view: a burst of changes costs one. */
export const REFRESH_INTERVAL_MS = 100;

/** Collects what must be drawn again: the first change goes out at once, what follows within the interval together at its end. */
export class RefreshQueue<T> implements Disposable {
  readonly #pending = new Set<T>();
  readonly #timer = new MutableDisposable<Disposable>();
  #isQuiet = true;

  constructor(
    private readonly clock: Clock,
    private readonly flush: (items: readonly T[]) => void,
  ) {}

  add(item: T): void {
    this.#pending.add(item);
    if (this.#isQuiet) this.#send();
  }

  /** Forgets what is waiting: everything is drawn again anyway. */
  clear(): void {
    this.#pending.clear();
  }

  #send(): void {
    const items = [...this.#pending];
    this.#pending.clear();
    this.#isQuiet = false;
    this.#timer.value = this.clock.setTimer(REFRESH_INTERVAL_MS, () => {
      this.#isQuiet = true;
      if (this.#pending.size > 0) this.#send();
    });
    this.flush(items);
  }

  dispose(): void {
    this.#timer.dispose();
    this.#pending.clear();
  }
}
