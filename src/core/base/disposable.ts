/** Something that must be released exactly once; a second call is a no-op. */
export interface Disposable {
  dispose(): void;
}

/** Wraps `release` so that it runs at most once. */
export function toDisposable(release: () => void): Disposable {
  let isLive = true;
  return {
    dispose: () => {
      if (!isLive) return;
      isLive = false;
      release();
    },
  };
}

/**
 * Owns disposables and releases them newest first.
 * One failing child never stops the others; the failures surface together as one AggregateError.
 */
export class DisposableStore implements Disposable {
  readonly #owned = new Set<Disposable>();
  #isDisposed = false;

  /** How many disposables are owned now; 0 after `dispose()`. Tests use it as the leak check. */
  get size(): number {
    return this.#owned.size;
  }

  get isDisposed(): boolean {
    return this.#isDisposed;
  }

  /** Adopts `item` and returns it. After `dispose()` the item is released at once, not leaked. */
  add<T extends Disposable>(item: T): T {
    if (this.#isDisposed) item.dispose();
    else this.#owned.add(item);
    return item;
  }

  /** Releases `item` now and forgets it; unknown items are released too. */
  release(item: Disposable): void {
    this.#owned.delete(item);
    item.dispose();
  }

  /** @throws {AggregateError} when at least one child failed; all children were still called. */
  dispose(): void {
    this.#isDisposed = true;
    const failures: unknown[] = [];
    for (const item of [...this.#owned].reverse()) {
      try {
        item.dispose();
      } catch (error) {
        failures.push(error);
      }
    }
    this.#owned.clear();
    if (failures.length > 0) throw new AggregateError(failures, 'dispose failed');
  }
}

/** A slot for something that is replaced over time (a session, a timer): setting it releases the previous value. */
export class MutableDisposable<T extends Disposable> implements Disposable {
  #value: T | undefined;
  #isDisposed = false;

  get value(): T | undefined {
    return this.#value;
  }

  set value(next: T | undefined) {
    if (next === this.#value) return;
    const previous = this.#value;
    this.#value = this.#isDisposed ? undefined : next;
    previous?.dispose();
    if (this.#isDisposed) next?.dispose();
  }

  dispose(): void {
    this.#isDisposed = true;
    const previous = this.#value;
    this.#value = undefined;
    previous?.dispose();
  }
}
