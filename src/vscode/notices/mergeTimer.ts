import type { Clock } from '../../core/base/clock';
import { type Disposable, MutableDisposable } from '../../core/base/disposable';

/** What belongs together arrives together: a full disk concerns many agents at once. */
export const MERGE_MS = 300;
/** News that never ends puts nothing off for longer than this. */
export const MERGE_LIMIT_MS = 1_000;

/** Runs `show` when there has been no news for {@link MERGE_MS}, at the latest {@link MERGE_LIMIT_MS} after the first of them. */
export class MergeTimer implements Disposable {
  readonly #timer = new MutableDisposable<Disposable>();
  #firstMs: number | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly show: () => void,
  ) {}

  /** Something came. */
  news(): void {
    const nowMs = this.clock.monotonicMs();
    this.#firstMs ??= nowMs;
    const delayMs = Math.min(MERGE_MS, this.#firstMs + MERGE_LIMIT_MS - nowMs);
    this.#timer.value = this.clock.setTimer(Math.max(0, delayMs), () => {
      this.#firstMs = undefined;
      this.show();
    });
  }

  dispose(): void {
    this.#timer.dispose();
  }
}
