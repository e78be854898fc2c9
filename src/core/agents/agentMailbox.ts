import type { AgentError } from './agentErrors';

/** What an operation is, as far as others may cut it short: a stop ends a start, a pause or resume (`switch`) and a prompt, an exit ends a prompt. */
export type OperationKind = 'start' | 'switch' | 'prompt' | 'other';

interface Entry {
  readonly kind: OperationKind;
  readonly controller: AbortController;
  readonly run: () => Promise<void>;
}

/**
 * Operations on one agent, one at a time, in the order in which they were asked for. A waiting operation whose signal is
 * aborted never runs; a running one gets the abort through its own signal.
 */
export class AgentMailbox {
  readonly #waiting: Entry[] = [];
  #running: Entry | undefined;
  #closedBy: Error | undefined;

  get isIdle(): boolean {
    return this.#running === undefined && this.#waiting.length === 0;
  }

  /**
   * Runs `work` when everything asked for before has ended. `kind`: what a later `preempt` may abort.
   * @throws the signal's reason when aborted while waiting; the reason of `close`
   */
  run<T>(
    work: (signal: AbortSignal) => Promise<T>,
    options: { readonly signal?: AbortSignal | undefined; readonly kind?: OperationKind } = {},
  ): Promise<T> {
    if (this.#closedBy) return Promise.reject(this.#closedBy);
    const controller = new AbortController();
    const { signal } = options;
    return new Promise((resolve, reject) => {
      const onAbort = (): void => controller.abort(signal?.reason);
      if (signal?.aborted) return reject(signal.reason as Error);
      signal?.addEventListener('abort', onAbort, { once: true });
      const entry: Entry = {
        kind: options.kind ?? 'other',
        controller,
        run: async () => {
          try {
            controller.signal.throwIfAborted();
            resolve(await work(controller.signal));
          } catch (error) {
            reject(error as Error);
          } finally {
            signal?.removeEventListener('abort', onAbort);
          }
        },
      };
      // Aborted while waiting: the caller learns of it at once, the entry is skipped when its turn comes.
      controller.signal.addEventListener(
        'abort',
        () => this.#running !== entry && reject(controller.signal.reason as Error),
        { once: true },
      );
      this.#waiting.push(entry);
      if (!this.#running) void this.#drain();
    });
  }

  /** Aborts operations of these kinds, running or waiting. */
  preempt(kinds: readonly OperationKind[], reason: AgentError): void {
    for (const entry of [this.#running, ...this.#waiting]) {
      if (entry && kinds.includes(entry.kind)) entry.controller.abort(reason);
    }
  }

  /** Aborts everything and refuses what comes later. */
  close(reason: Error): void {
    this.#closedBy ??= reason;
    for (const entry of [this.#running, ...this.#waiting]) entry?.controller.abort(reason);
  }

  async #drain(): Promise<void> {
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      this.#running = next;
      await next.run();
    }
    this.#running = undefined;
  }
}
