import { ignore, type Logger } from '../../base/log';
import { TmuxArgs, type PaneId } from '../tmuxArgs';
import type { TmuxConnection } from './tmuxConnection';

/** Up to 64 panes are all streamed: that costs about a hundredth of a core at 50. */
export const MAX_STREAMED_PANES = 64;

/**
 * Which panes the watch client streams: all while there are at most {@link MAX_STREAMED_PANES}; beyond that only those somebody
 * looks at. The others are paused (which is safe, unlike switching them off) and their activity comes once per second by subscription.
 */
export class StreamPolicy {
  readonly #paused = new Set<string>();
  #hasActivity = false;

  constructor(
    private readonly connection: Pick<TmuxConnection, 'runOnWatch'>,
    private readonly log: Logger,
    /** A pane is streamed again: what it put out before is not told. */
    private readonly onContinued: (paneId: PaneId) => void,
  ) {}

  /** True when the pause was our own wish. */
  isPausedByUs(paneId: string): boolean {
    return this.#paused.has(paneId);
  }

  update(panes: readonly PaneId[], watched: ReadonlySet<string>): void {
    const isLimited = panes.length > MAX_STREAMED_PANES;
    if (!isLimited && !this.#hasActivity && this.#paused.size === 0) return;
    const present: ReadonlySet<string> = new Set(panes);
    for (const paneId of [...this.#paused]) if (!present.has(paneId)) this.#paused.delete(paneId);
    if (isLimited !== this.#hasActivity) {
      this.#hasActivity = isLimited;
      this.#send(isLimited ? TmuxArgs.subscribe('core-activity') : TmuxArgs.unsubscribe('core-activity'));
    }
    for (const paneId of panes) {
      const shouldPause = isLimited && !watched.has(paneId);
      if (shouldPause === this.#paused.has(paneId)) continue;
      if (shouldPause) this.#paused.add(paneId);
      else this.#paused.delete(paneId);
      if (shouldPause) this.#send(TmuxArgs.controlFlow(paneId, 'pause'));
      else this.#send(TmuxArgs.controlFlow(paneId, 'continue'), () => this.onContinued(paneId));
    }
  }

  /** tmux paused a pane because we were slow: go on from the present. */
  resume(paneId: PaneId): void {
    if (!this.#paused.has(paneId)) this.#send(TmuxArgs.controlFlow(paneId, 'continue'));
  }

  #send(command: ReturnType<typeof TmuxArgs.controlFlow>, then: () => void = () => undefined): void {
    this.connection
      .runOnWatch([command])
      .then(then)
      .catch((error: unknown) => ignore(this.log, error, 'the pane has just gone'));
  }
}
