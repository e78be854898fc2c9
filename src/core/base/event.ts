import { type Disposable, toDisposable } from './disposable';

/** Subscribes to facts; the listener runs synchronously, in subscription order. */
export type Event<T> = (listener: (fact: T) => void) => Disposable;

/** Called when a listener throws. The composition root passes the logger here. */
export type ListenerFailure = (error: unknown) => void;

/**
 * The only way core code announces something.
 * A listener that throws is reported and skipped: it can neither starve its neighbours nor fail the code
 * that fired. A fact fired from inside a listener waits its turn, so every listener sees every fact in the
 * same order. Firing after `dispose()` is silent.
 */
export class Emitter<T> implements Disposable {
  readonly #listeners = new Set<(fact: T) => void>();
  readonly #queue: T[] = [];
  #isDraining = false;
  #isDisposed = false;

  constructor(private readonly onFailure: ListenerFailure) {}

  readonly event: Event<T> = (listener) => {
    if (this.#isDisposed) return toDisposable(() => {});
    const entry = (fact: T): void => listener(fact); // a wrapper: the same function may subscribe twice
    this.#listeners.add(entry);
    return toDisposable(() => this.#listeners.delete(entry));
  };

  /** How many listeners are subscribed; the leak check of the tests. */
  get listenerCount(): number {
    return this.#listeners.size;
  }

  fire(fact: T): void {
    if (this.#isDisposed) return;
    this.#queue.push(fact);
    if (this.#isDraining) return;
    this.#isDraining = true;
    try {
      while (this.#queue.length > 0) this.#deliver(this.#queue.shift() as T); // length was just checked
    } finally {
      this.#isDraining = false; // even if onFailure itself throws, the next fire still delivers
    }
  }

  #deliver(fact: T): void {
    for (const listener of [...this.#listeners]) {
      if (!this.#listeners.has(listener)) continue; // unsubscribed by an earlier listener
      try {
        listener(fact);
      } catch (error) {
        this.onFailure(error);
      }
    }
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#listeners.clear();
    this.#queue.length = 0;
  }
}
