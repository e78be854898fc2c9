import type { Clock } from '../../base/clock';
import { type Disposable, DisposableStore, MutableDisposable } from '../../base/disposable';
import type { StoreReply, StoreRequest, TxRequest } from './storeProtocol';
import { toWireError } from './storeProtocol';
import type { StoreSession } from './storeSession';

/** First wait before a refused write is tried again by the store itself, doubled up to {@link maxProbeMs}. */
const minProbeMs = 250;
const maxProbeMs = 10_000;

/** What was written gets into the index of texts this much later, together with what else was written. */
const searchAfterMs = 250;
/** While much is to be done, about half of the time. */
const betweenSlicesMs = 8;

/** How long a `normal` commit may stay unsynced. */
const syncAfterMs = 1_000;

/**
 * Serves one caller: takes everything that has arrived as one batch, commits its transactions together, acknowledges
 * them, then answers its reads (which therefore see every transaction that was posted before them).
 */
export class StoreServer implements Disposable {
  readonly #owned = new DisposableStore();
  readonly #probeTimer = this.#owned.add(new MutableDisposable());
  readonly #syncTimer = this.#owned.add(new MutableDisposable());
  readonly #searchTimer = this.#owned.add(new MutableDisposable());
  #probeMs = minProbeMs;
  #reason: string | undefined;

  constructor(
    private readonly session: StoreSession,
    private readonly clock: Clock,
    private readonly post: (replies: readonly StoreReply[]) => void,
    private readonly onClosed: () => void,
  ) {
    this.#reason = session.state.reason;
  }

  /** Handles a batch completely before it returns. */
  handle(requests: readonly StoreRequest[]): void {
    for (const request of requests)
      if (request.type === 'declare') this.session.declare(request.kind, request.indexes, request.texts);
    const transactions = requests.filter((request): request is TxRequest => request.type === 'tx');
    if (transactions.length > 0) {
      const replies = this.session.commit(transactions);
      this.#tellState(); // before a failure is: whoever is told finds the health that explains it
      this.post(replies);
    }
    const answers = requests.flatMap((request) => {
      if (request.type === 'read') return [this.session.answer(request.id, request.question)];
      return request.type === 'maintain' ? [this.session.maintain(request.id, request.action)] : [];
    });
    if (answers.length > 0) this.post(answers);
    if (requests.some((request) => request.type === 'close')) return this.#close();
    this.session.tidy();
    this.#schedule();
  }

  dispose(): void {
    this.#owned.dispose();
  }

  #schedule(searchAfter = searchAfterMs): void {
    this.#tellState();
    if (this.session.hasSearchWork && !this.#searchTimer.value) {
      this.#searchTimer.value = this.clock.setTimer(searchAfter, () => this.#workOnSearch());
    }
    if (this.session.isInTrouble && !this.#probeTimer.value) {
      this.#probeTimer.value = this.clock.setTimer(this.#probeMs, () => this.#probe());
      this.#probeMs = Math.min(this.#probeMs * 2, maxProbeMs);
    }
    if (this.session.hasUnsynced && !this.#syncTimer.value) {
      this.#syncTimer.value = this.clock.setTimer(syncAfterMs, () => {
        this.#syncTimer.value = undefined;
        this.session.sync();
        this.#schedule();
      });
    }
  }

  /** Between two slices everybody else has a turn. */
  #workOnSearch(): void {
    this.#searchTimer.value = undefined;
    this.session.workOnSearch();
    this.#schedule(betweenSlicesMs);
  }

  #probe(): void {
    this.#probeTimer.value = undefined;
    if (this.session.probe()) this.#probeMs = minProbeMs;
    this.#schedule();
  }

  #tellState(): void {
    const state = this.session.state;
    if (state.reason === this.#reason) return;
    this.#reason = state.reason;
    this.post([{ type: 'state', state }]);
  }

  #close(): void {
    this.dispose();
    try {
      this.session.close();
      this.post([{ type: 'closed' }]);
    } catch (error) {
      this.post([{ type: 'closed', error: toWireError(error) }]);
    }
    this.onClosed();
  }
}
