import type { Clock } from '../../base/clock';
import { type Disposable, DisposableStore, MutableDisposable } from '../../base/disposable';
import { DataError } from '../dataErrors';
import type { WriteOp } from '../transactionView';
import type { StageRequest, StoreReply, StoreRequest, TxRequest } from './storeProtocol';
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
  /** Writes of transactions that are still coming. */
  readonly #staged = new Map<number, WriteOp[]>();
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
    for (const request of requests) if (request.type === 'stage') this.#stage(request);
    const asked = requests.filter((request): request is TxRequest => request.type === 'tx');
    if (asked.length > 0) {
      const { transactions, lost } = this.#withStaged(asked);
      const replies = [...this.session.commit(transactions), ...lost];
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

  #stage({ staged, ops }: StageRequest): void {
    const before = this.#staged.get(staged);
    if (ops === null) this.#staged.delete(staged);
    else if (before) for (const op of ops) before.push(op);
    else this.#staged.set(staged, [...ops]);
  }

  /** A thread that took over from one that crashed does not have the portions. */
  #withStaged(asked: readonly TxRequest[]): {
    readonly transactions: readonly TxRequest[];
    readonly lost: readonly StoreReply[];
  } {
    const transactions: TxRequest[] = [];
    const lost: StoreReply[] = [];
    for (const request of asked) {
      const { id, staged } = request;
      const ops = staged === undefined ? request.ops : this.#staged.get(staged);
      if (ops) transactions.push({ ...request, ops });
      else lost.push({ type: 'failed', id, error: toWireError(new DataError('data.io', 'its writes were lost')) });
      if (staged !== undefined) this.#staged.delete(staged);
    }
    return { transactions, lost };
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
