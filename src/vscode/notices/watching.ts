import type { Clock } from '../../core/base/clock';

/** The host without a window makes way for one that opens within this time: the window only waited for its turn. */
const WAITING_MS = 10_000;

/** The window followed another one and so saw what happened; it is not news once it is the owner. */
export function hasWatched(followsSinceMs: number | undefined, clock: Clock): boolean {
  return followsSinceMs !== undefined && clock.monotonicMs() - followsSinceMs > WAITING_MS;
}
