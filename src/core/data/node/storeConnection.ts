import type { Clock } from '../../base/clock';
import { withTimeout } from '../../base/clock';
import { Emitter, type Event } from '../../base/event';
import type { Logger } from '../../base/log';
import { DataError } from '../dataErrors';
import type { WriteOp } from '../transactionView';
import {
  fromWireError,
  toWireError,
  type MaintenanceAction,
  type OpenReport,
  type ReadQuestion,
  type StoreReply,
  type StoreRequest,
  type StoreState,
  type WireError,
} from './storeProtocol';

/** A running store thread. */
export interface StoreThread {
  post(requests: readonly StoreRequest[]): void;
  /** Ends it at once. */
  terminate(): Promise<void>;
}

/**
 * Starts a store thread; `onExit` comes once, after the last reply, with the reason when it was not asked to end. One that takes over from a
 * thread that crashed serves the same store or none: nobody would read its report.
 */
export type StartThread = (
  onReplies: (replies: readonly StoreReply[]) => void,
  onExit: (error?: Error) => void,
  isTakingOver: boolean,
) => StoreThread;

type Answer = Extract<StoreReply, { type: 'answer' }>;

interface Pending {
  readonly resolve: (answer: Answer | undefined) => void;
  readonly reject: (error: Error) => void;
}

/** Writes handed over together: some milliseconds of copying. */
const stagedOps = 500;

/** A thread that has not ended by itself this long after `close` is ended by force. */
const closeTimeoutMs = 10_000;

/**
 * The caller's end of the store's thread: numbers requests, collects those of one turn into one message, settles
 * them by the replies. A thread that dies takes its pending requests with it (data.io: their outcome is unknown) and
 * is started again once.
 */
export class StoreConnection {
  readonly #pending = new Map<number, Pending>();
  readonly #changed: Emitter<StoreState>;
  readonly #restarted: Emitter<void>;
  readonly onDidChangeState: Event<StoreState>;
  /** A new thread has taken over: what the old one was told is forgotten. */
  readonly onDidRestart: Event<void>;
  #outbox: StoreRequest[] = [];
  #nextId = 1;
  #state: StoreState = { engine: '', schemaVersion: 0, seq: 0, sizeBytes: 0, reason: 'The store is not open yet.' };
  #thread: StoreThread | undefined;
  #opening: { readonly resolve: (report: OpenReport) => void; readonly reject: (error: Error) => void } | undefined;
  #hasRestarted = false;
  /** The thread has crashed, and its store was found damaged. */
  #isDamaged = false;
  /** The present thread has opened its store. */
  #isServing = false;
  #isClosing = false;
  #onClosed: ((error?: WireError) => void) | undefined;
  #exited: Promise<void> = Promise.resolve();

  constructor(
    private readonly start: StartThread,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {
    const onFailure = (error: unknown): void => log.error('a listener of the store failed', { error });
    this.#changed = new Emitter(onFailure);
    this.#restarted = new Emitter(onFailure);
    this.onDidChangeState = this.#changed.event;
    this.onDidRestart = this.#restarted.event;
  }

  get state(): StoreState {
    return this.#state;
  }

  /** Starts the thread; resolves once its store is open. @throws {DataError} what made it fail */
  async open(): Promise<OpenReport> {
    try {
      return await new Promise<OpenReport>((resolve, reject) => {
        this.#opening = { resolve, reject };
        this.#startThread();
      });
    } catch (error) {
      this.#thread = undefined;
      await this.#exited;
      throw error;
    }
  }

  declare(kind: string, indexes: readonly string[], texts: readonly string[]): void {
    if (indexes.length + texts.length > 0) this.#post({ type: 'declare', kind, indexes, texts });
  }

  async write(ops: readonly WriteOp[], isDurable: boolean, nowMs: number): Promise<void> {
    await this.#ask((id) => ({ type: 'tx', id, ops, isDurable, nowMs }));
  }

  /**
   * Hands writes over in portions, between which this thread has a turn; `writeStaged` with the result makes one transaction of them.
   * @throws the signal's reason, and nothing is left of them
   */
  async stage(ops: readonly WriteOp[], signal?: AbortSignal): Promise<number> {
    const staged = this.#nextId++;
    try {
      for (let at = 0; at < ops.length; at += stagedOps) {
        signal?.throwIfAborted();
        this.#post({ type: 'stage', staged, ops: ops.slice(at, at + stagedOps) });
        await new Promise((resolve) => setImmediate(resolve));
      }
      signal?.throwIfAborted();
    } catch (error) {
      this.#post({ type: 'stage', staged, ops: null });
      throw error;
    }
    return staged;
  }

  async writeStaged(staged: number, nowMs: number): Promise<void> {
    await this.#ask((id) => ({ type: 'tx', id, ops: [], isDurable: true, nowMs, staged }));
  }

  async read(question: ReadQuestion): Promise<Pick<Answer, 'records' | 'changes' | 'page'>> {
    return (await this.#ask((id) => ({ type: 'read', id, question }))) ?? {};
  }

  async maintain(action: MaintenanceAction): Promise<Pick<Answer, 'held' | 'compacted'>> {
    if (this.#isDamaged) throw new DataError('data.corrupt', this.#state.reason ?? ''); // a backup may take its place
    return (await this.#ask((id) => ({ type: 'maintain', id, action }))) ?? {};
  }

  /** Flushes and ends the thread; what was asked before is still done. @throws {DataError} when flushing failed */
  async close(): Promise<void> {
    this.#isClosing = true;
    const thread = this.#thread;
    try {
      if (thread) await this.#closeThread(thread);
    } finally {
      this.#changed.dispose();
      this.#restarted.dispose();
    }
  }

  async #closeThread(thread: StoreThread): Promise<void> {
    const closed = new Promise<WireError | undefined>((resolve) => (this.#onClosed = resolve));
    this.#post({ type: 'close' });
    const late = (): Error => new DataError('data.io', 'the store did not close in time');
    try {
      const error = await withTimeout(this.clock, closeTimeoutMs, closed, late);
      if (error) throw fromWireError(error);
    } finally {
      await thread.terminate();
      await this.#exited;
    }
  }

  #ask(make: (id: number) => StoreRequest): Promise<Answer | undefined> {
    if (!this.#thread)
      return Promise.reject(new DataError('data.io', this.#state.reason ?? 'the store is not running'));
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#pending.set(id, { resolve, reject });
      this.#post(make(id));
    });
  }

  #post(request: StoreRequest): void {
    this.#outbox.push(request);
    if (this.#outbox.length === 1) queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    const requests = this.#outbox;
    this.#outbox = [];
    this.#thread?.post(requests);
  }

  #startThread(): void {
    let onExited: () => void = () => undefined;
    this.#exited = new Promise((resolve) => (onExited = resolve));
    this.#thread = this.start(
      (replies) => {
        for (const reply of replies) this.#onReply(reply);
      },
      (error) => {
        onExited();
        this.#onExit(error);
      },
      this.#hasRestarted,
    );
  }

  #onReply(reply: StoreReply): void {
    switch (reply.type) {
      case 'opened':
        this.#isServing = true;
        this.#setState(reply.state);
        this.#opening?.resolve(reply.report);
        this.#opening = undefined;
        return;
      case 'openFailed':
        this.#opening?.reject(fromWireError(reply.error));
        this.#opening = undefined;
        return;
      case 'state':
        return this.#setState(reply.state);
      case 'closed':
        return this.#onClosed?.(reply.error);
      case 'done':
        this.#state = { ...this.#state, seq: reply.seq, sizeBytes: reply.sizeBytes };
        for (const id of reply.ids) this.#take(id)?.resolve(undefined);
        return;
      case 'failed':
        return this.#take(reply.id)?.reject(fromWireError(reply.error));
      case 'answer':
        if (reply.error) this.#take(reply.id)?.reject(fromWireError(reply.error));
        else this.#take(reply.id)?.resolve(reply);
    }
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #onExit(error: Error | undefined): void {
    this.#thread = undefined;
    this.#outbox = [];
    const lost = new DataError('data.io', "the store's thread has ended; the outcome is unknown", { cause: error });
    for (const { reject } of this.#pending.values()) reject(lost);
    this.#pending.clear();
    this.#onClosed?.();
    this.#opening?.reject(new DataError('data.io', "the store's thread has ended", { cause: error }));
    this.#opening = undefined;
    const wasServing = this.#isServing;
    this.#isServing = false;
    if (this.#isClosing || !wasServing) return;
    this.log.error("the store's thread has ended unexpectedly", { error });
    this.#setState({ ...this.#state, reason: 'The part that writes the store has crashed.' });
    if (!this.#hasRestarted) void this.#restart();
  }

  /** Once only: what crashes twice would crash for ever. */
  async #restart(): Promise<void> {
    this.#hasRestarted = true;
    try {
      await this.open();
      this.#restarted.fire();
    } catch (error) {
      this.log.error('the store could not be opened again', { error });
      if (DataError.is(error, 'data.corrupt')) this.#tellDamage(error);
    }
  }

  #tellDamage(error: DataError): void {
    this.#isDamaged = true;
    const reason = `The part that writes the store has crashed, and the store was found damaged: ${toWireError(error).detail}. Its files were not touched.`;
    this.#setState({ ...this.#state, reason });
  }

  #setState(state: StoreState): void {
    this.#state = state;
    this.#changed.fire(state);
  }
}
