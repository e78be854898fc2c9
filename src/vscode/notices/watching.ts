import type { AgentId } from '../../core/agents/agent';
import type { Clock } from '../../core/base/clock';
import type { Event } from '../../core/base/event';

/** Whom a person looks at in a terminal of this window, as far as VS Code tells. */
export interface Watching {
  readonly watched: AgentId | undefined;
  /** Turned to another terminal, or to a text; not told of a panel that is closed, nor of a return to the same terminal. */
  readonly onDidLeave: Event<void>;
}

/** The host without a window makes way for one that opens within this time: the window only waited for its turn. */
const WAITING_MS = 10_000;

/** The window followed another one and so saw what happened; it is not news once it is the owner. */
export function hasWatched(followsSinceMs: number | undefined, clock: Clock): boolean {
  return followsSinceMs !== undefined && clock.monotonicMs() - followsSinceMs > WAITING_MS;
}
