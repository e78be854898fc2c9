import type { Logger } from '../../base/log';
import { DataError } from '../dataErrors';
import { applyOp, checkExpectedVersion, type WriteOp } from '../transactionView';
import type { Fence } from './epochFence';
import { type HighWater, readHighWater } from './highWater';
import { type SqlEngine, SqlEngineError } from './sqlEngine';
import {
  type CompactedStep,
  fromWireError,
  type HeldStore,
  type MaintenanceAction,
  toWireError,
  type ReadQuestion,
  type StoreReply,
  type StoreState,
  type TxRequest,
  type WireError,
} from './storeProtocol';
import type { AtStoreFaultPoint } from './storeFaultPoints';
import { SearchIndex } from './searchIndex';
import type { StorePaths } from './storeFiles';
import { number } from './storeSchema';
import {
  createIndexSql,
  deleteRecord,
  findRecords,
  insertChange,
  insertRecord,
  lastSeq,
  readChanges,
  readRecord,
  updateRecord,
} from './storeSql';

/** 1000 pages: about 4 MB, SQLite's own default. */
const checkpointAtBytes = 1000 * 4096;

/** SQLite's number for `auto_vacuum=INCREMENTAL`. */
const incrementalVacuum = 2;

/** Given back in one step: some milliseconds. */
const compactPages = 256;

/** Holds are numbered over all sessions of a thread, so that one of an earlier session is not taken for a present one. */
let lastHold = 0;

export interface StoreSessionOptions {
  readonly engine: SqlEngine;
  readonly highWater: HighWater;
  readonly paths: StorePaths;
  readonly fence: Fence;
  /** Called once when the fence is found lost: nothing may be written any more. */
  readonly onFenced: () => void;
  readonly epoch: number;
  readonly schemaVersion: number;
  /** Damage found at open: read-only until a person decides. */
  readonly damage: string | undefined;
  readonly log: Logger;
  readonly at: AtStoreFaultPoint;
}

/**
 * An open store, as its thread sees it: synchronous, one batch at a time. Group commit: all transactions of a batch
 * share one commit, each under a savepoint, so that one that fails does not take the others with it.
 *
 * The fence is asked before every commit and again after it, before anything is acknowledged: a process that was
 * suspended in between may have committed into files that a new owner no longer uses.
 */
export class StoreSession {
  readonly #engine: SqlEngine;
  readonly #options: StoreSessionOptions;
  readonly #search: SearchIndex;
  /** Indexes to make with the next batch, by their statement. */
  readonly #undeclared = new Set<string>();
  #seq: number;
  #isFenced = false;
  /** Stays until a person decides. */
  #damage: string | undefined;
  /** A passing condition (no space, I/O error): tried again. */
  #trouble: string | undefined;
  #hasUnsynced = false;
  /** Highest durable change that is not noted beside the store yet. */
  #toNote: number | undefined;
  /** Holds under way: while there is one the main file is not changed. */
  readonly #holds = new Set<number>();
  #isClosed = false;

  constructor(options: StoreSessionOptions) {
    this.#options = options;
    this.#engine = options.engine;
    this.#damage = options.damage;
    this.#seq = lastSeq(options.engine);
    this.#search = new SearchIndex(options.engine, options.log);
  }

  get state(): StoreState {
    const reason = this.#isFenced ? fencedDetail : (this.#damage ?? this.#trouble);
    const { engine, schemaVersion } = this.#options;
    const common = { engine: engine.name, schemaVersion, seq: this.#seq, sizeBytes: this.#sizeBytes() };
    return reason === undefined ? common : { ...common, reason };
  }

  /** True while writes are refused for a reason that may pass: {@link probe} finds out. */
  get isInTrouble(): boolean {
    return this.#trouble !== undefined && !this.#isFenced;
  }

  /** True when something was committed that power loss may still take away: {@link sync} within a second. */
  get hasUnsynced(): boolean {
    return this.#hasUnsynced;
  }

  /** Remembers indexes to make with the next batch. */
  declare(kind: string, indexes: readonly string[], texts: readonly string[] = []): void {
    for (const property of indexes) this.#undeclared.add(createIndexSql(kind, property));
    this.#search.declare(kind, texts);
  }

  /** Runs `requests` in order under one commit. Never throws for an expected failure: the replies say. */
  commit(requests: readonly TxRequest[]): readonly StoreReply[] {
    const refused = this.#refusal();
    if (refused) return requests.map(({ id }) => ({ type: 'failed', id, error: refused }));
    const failures = new Map<number, WireError>();
    try {
      this.#checkFence();
      const seq = this.#write(requests, failures);
      this.#options.at('commit.durable');
      this.#checkFence();
      if (seq > this.#seq)
        this.#acknowledge(
          seq,
          requests.some((request) => request.isDurable),
        );
    } catch (error) {
      const wire = this.#explain(error);
      return requests.map(({ id }) => ({ type: 'failed', id, error: failures.get(id) ?? wire }));
    }
    const ids = requests.map(({ id }) => id).filter((id) => !failures.has(id));
    const failed = [...failures].map(([id, error]): StoreReply => ({ type: 'failed', id, error }));
    return [{ type: 'done', ids, seq: this.#seq, sizeBytes: this.#sizeBytes() }, ...failed];
  }

  answer(id: number, question: ReadQuestion): StoreReply {
    try {
      if (this.#isFenced) throw new DataError('data.fenced', fencedDetail);
      switch (question.of) {
        case 'record': {
          const record = readRecord(this.#engine, question.kind, question.recordId);
          return { type: 'answer', id, records: record ? [record] : [] };
        }
        case 'records':
          return { type: 'answer', id, records: findRecords(this.#engine, question.kind, question.query) };
        case 'changes':
          return { type: 'answer', id, changes: readChanges(this.#engine, question.after, question.limit) };
        case 'search':
          return { type: 'answer', id, page: this.#search.search(question.search) };
      }
    } catch (error) {
      return { type: 'answer', id, error: readFailure(error) };
    }
  }

  maintain(id: number, action: MaintenanceAction): StoreReply {
    try {
      this.#checkFence();
      switch (action.do) {
        case 'hold':
          return { type: 'answer', id, held: this.#hold() };
        case 'release':
          if (this.#holds.delete(action.hold)) return { type: 'answer', id };
          throw new DataError('data.io', 'the store was opened anew meanwhile');
        case 'compact':
          return { type: 'answer', id, compacted: this.#compact() };
        case 'reindex':
          this.#search.rebuild();
          return { type: 'answer', id };
      }
    } catch (error) {
      return { type: 'answer', id, error: this.#explain(error) };
    }
  }

  /** Housekeeping after the replies of a batch: notes the highest change, moves a long write-ahead log into the main file. */
  tidy(): void {
    if (this.#toNote !== undefined) this.#options.at('commit.told');
    this.#noteSeq();
    if (this.#isFenced || this.#trouble !== undefined || this.#holds.size > 0) return;
    if (this.#engine.stats().walBytes < checkpointAtBytes) return;
    this.#attempt('checkpoint', () => {
      this.#checkFence();
      this.#checkpoint();
      this.#hasUnsynced = false;
    });
  }

  /** Something that was written is not in the index of texts yet: {@link workOnSearch} when nobody waits. */
  get hasSearchWork(): boolean {
    return !this.#isClosed && this.#refusal() === undefined && this.#search.hasWork;
  }

  /** One slice of some milliseconds. */
  workOnSearch(): void {
    this.#attempt('the index of texts', () => {
      this.#checkFence();
      this.#search.work();
    });
  }

  /** Makes durable what was acknowledged without. */
  sync(): void {
    if (!this.#hasUnsynced || this.#isFenced) return;
    this.#attempt('sync', () => {
      this.#checkFence();
      try {
        this.#engine.syncWal();
      } catch (error) {
        if (this.#holds.size > 0) throw error;
        this.#options.log.warn('the log could not be synced; moving it into the main file instead', { error });
        this.#checkpoint();
      }
      this.#hasUnsynced = false;
    });
  }

  /** Tries a real durable write; true when the trouble is over. */
  probe(): boolean {
    if (!this.isInTrouble) return this.#trouble === undefined;
    try {
      this.#checkFence();
      this.#engine.begin(true);
      try {
        this.#engine.run("UPDATE meta SET value = value + 1 WHERE name = 'probe'");
        this.#engine.commit();
      } catch (error) {
        this.#engine.rollback();
        throw error;
      }
      this.#seq = lastSeq(this.#engine);
      this.#trouble = undefined;
      return true;
    } catch (error) {
      this.#explain(error);
      return false;
    }
  }

  /** Checkpoints (unless fenced) and releases the files. Idempotent. @throws {DataError} when flushing failed; the files are released all the same */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { engine, highWater, fence } = this.#options;
    if (!this.#isFenced && fence() === 'lost') this.#loseFence();
    try {
      this.#noteSeq();
      this.#syncNote();
      this.#options.at('close.begun');
      engine.close();
    } catch (error) {
      if (!this.#isFenced) throw fromWireError(this.#explain(error));
    } finally {
      highWater.close();
    }
  }

  #hold(): HeldStore {
    const { paths } = this.#options;
    if (this.#holds.size > 0) throw new DataError('data.io', 'the store is being checked or backed up already');
    this.#noteSeq();
    if (!this.#checkpoint()) throw new DataError('data.io', 'the log cannot be moved into the main file');
    this.#hasUnsynced = false;
    const hold = ++lastHold;
    this.#holds.add(hold);
    this.#options.at('hold.begun');
    const noted = readHighWater(paths.highWater);
    const held = { hold, file: paths.main, seq: this.#seq };
    if (noted.kind === 'none') return held;
    return { ...held, notedSeq: noted.kind === 'seq' ? noted.seq : 'damaged' };
  }

  /** Some pages at a time, in a transaction of its own. A file that cannot do that (an old one) is rebuilt once, in one go. */
  #compact(): CompactedStep {
    const refused = this.#refusal();
    if (refused) throw fromWireError(refused);
    const engine = this.#engine;
    const beforeBytes = engine.fileBytes();
    if (number(engine, 'PRAGMA auto_vacuum') !== incrementalVacuum) {
      engine.exec(`PRAGMA auto_vacuum=${incrementalVacuum}; VACUUM`);
      this.#search.rebuild(); // SQLite does not promise that rows keep their numbers
    } else {
      engine.begin(true);
      try {
        engine.exec(`PRAGMA incremental_vacuum(${compactPages})`);
        engine.commit();
      } catch (error) {
        engine.rollback();
        throw error;
      }
    }
    this.#options.at('compact.step');
    const unusedPages = number(engine, 'PRAGMA freelist_count');
    if (unusedPages === 0 && this.#holds.size === 0) this.#checkpoint('emptied');
    return { unusedPages, beforeBytes, afterBytes: engine.fileBytes() };
  }

  /** True when all of the log was moved into the main file. */
  #checkpoint(log: 'kept' | 'emptied' = 'kept'): boolean {
    this.#options.at('checkpoint.begun');
    const isWhole = this.#engine.checkpoint(log);
    this.#options.at('checkpoint.done');
    return isWhole;
  }

  #refusal(): WireError | undefined {
    if (this.#isFenced) return { code: 'data.fenced', detail: fencedDetail };
    const reason = this.#damage ?? this.#trouble;
    return reason === undefined ? undefined : { code: 'data.readOnly', detail: reason };
  }

  /** Writes and commits; returns the new highest change. */
  #write(requests: readonly TxRequest[], failures: Map<number, WireError>): number {
    const engine = this.#engine;
    const isDurable = requests.some((request) => request.isDurable);
    let seq = this.#seq;
    engine.begin(isDurable);
    try {
      this.#makeIndexes();
      this.#search.keepDeclared();
      // Alone, a transaction needs no savepoint: when it fails the whole commit is given up.
      if (requests.length === 1 && requests[0]) seq = this.#apply(requests[0], seq);
      else for (const request of requests) seq = this.#applyApart(request, seq, failures);
      this.#options.at('commit.written');
      engine.commit();
    } catch (error) {
      engine.rollback();
      throw error;
    }
    this.#undeclared.clear();
    this.#search.declaredAreKept();
    return seq;
  }

  /** An index that cannot be made (a damaged value) costs speed, not the batch. */
  #makeIndexes(): void {
    for (const sql of this.#undeclared) {
      this.#engine.run('SAVEPOINT declare');
      try {
        this.#engine.exec(sql);
      } catch (error) {
        if (error instanceof SqlEngineError && error.kind !== 'other') throw error;
        this.#engine.run('ROLLBACK TO declare');
        this.#options.log.warn('an index could not be made', { error });
      }
      this.#engine.run('RELEASE declare');
    }
  }

  #applyApart(request: TxRequest, from: number, failures: Map<number, WireError>): number {
    let seq = from;
    this.#engine.run('SAVEPOINT tx');
    try {
      seq = this.#apply(request, from);
    } catch (error) {
      if (error instanceof SqlEngineError && error.kind !== 'other') throw error; // it takes the whole batch
      this.#engine.run('ROLLBACK TO tx');
      failures.set(request.id, toWireError(error));
    }
    this.#engine.run('RELEASE tx');
    return seq;
  }

  #apply({ ops, nowMs }: TxRequest, from: number): number {
    let seq = from;
    for (const op of ops) {
      const version = op.op === 'put' ? this.#put(op, nowMs) : this.#delete(op);
      if (op.op === 'put') this.#search.note(op.kind, op.id);
      if (version === undefined) continue; // deleting what is not there changes nothing
      insertChange(this.#engine, { seq: ++seq, kind: op.kind, id: op.id, op: op.op, version, atMs: nowMs });
    }
    return seq;
  }

  /** Also of a damaged record, of which nothing but its version is looked at. */
  #delete(op: WriteOp): number | undefined {
    this.#search.note(op.kind, op.id);
    const version = deleteRecord(this.#engine, op.kind, op.id);
    checkExpectedVersion(version === undefined ? undefined : { version }, op);
    return version;
  }

  #put(op: WriteOp, nowMs: number): number | undefined {
    const { epoch } = this.#options;
    if (op.op === 'put' && op.expectedVersion === 0) {
      // What must be new need not be looked for first.
      const fresh = applyOp(undefined, op, nowMs, epoch);
      if (fresh && insertRecord(this.#engine, fresh)) return fresh.version;
    }
    const before = readRecord(this.#engine, op.kind, op.id);
    checkExpectedVersion(before, op);
    const after = applyOp(before, op, nowMs, epoch);
    if (!after) return undefined;
    if (before) updateRecord(this.#engine, after);
    else insertRecord(this.#engine, after);
    return after.version;
  }

  #acknowledge(seq: number, isDurable: boolean): void {
    this.#seq = seq;
    this.#hasUnsynced = !isDurable;
    // The number beside the store never runs ahead of what is on the disk.
    if (isDurable) this.#toNote = seq;
  }

  /** What a killed process wrote is there all the same: a note that cannot be synced costs nothing but that. */
  #syncNote(): void {
    if (this.#isFenced) return;
    try {
      this.#options.highWater.sync();
    } catch (error) {
      this.#options.log.warn('the note of the highest change could not be synced', { error });
    }
  }

  /** After the acknowledgements, so that nobody waits for it. */
  #noteSeq(): void {
    if (this.#toNote === undefined || this.#isFenced) return;
    const seq = this.#toNote;
    this.#toNote = undefined;
    try {
      this.#options.highWater.write(seq);
    } catch (error) {
      this.#options.log.warn('the highest change could not be noted beside the store', { error });
    }
  }

  #checkFence(): void {
    const state = this.#isFenced ? 'lost' : this.#options.fence();
    if (state === 'mine') return;
    if (state === 'unknown') throw new SqlEngineError('io', 'the folder of the store cannot be listed');
    this.#loseFence();
    throw new DataError('data.fenced', fencedDetail);
  }

  #loseFence(): void {
    this.#isFenced = true;
    this.#options.onFenced();
    this.#options.log.warn('another owner has taken over; this store has stopped writing');
  }

  #attempt(what: string, body: () => void): void {
    try {
      body();
    } catch (error) {
      this.#options.log.warn(`${what} failed`, { error });
      this.#explain(error);
    }
  }

  /** Turns a failure into what callers are told, and remembers the condition. */
  #explain(error: unknown): WireError {
    if (DataError.is(error)) return toWireError(error);
    if (!(error instanceof SqlEngineError)) throw error; // a bug: this thread cannot go on
    switch (error.kind) {
      case 'full':
        this.#trouble = 'No space is left for the store.';
        return { code: 'data.readOnly', detail: this.#trouble };
      case 'io':
        this.#trouble = `The store cannot be written (${error.errno ?? error.message}).`;
        return { code: 'data.io', detail: this.#trouble };
      case 'corrupt':
        this.#damage ??= 'The file of the store is damaged.';
        return { code: 'data.corrupt', detail: this.#damage };
      case 'other':
        return { code: 'data.io', detail: error.message };
    }
  }

  #sizeBytes(): number {
    try {
      return this.#isClosed ? 0 : this.#engine.stats().sizeBytes;
    } catch {
      return 0; // only for show
    }
  }
}

const fencedDetail = 'Another window has taken over this workspace.';

function readFailure(error: unknown): WireError {
  if (DataError.is(error)) return toWireError(error);
  if (!(error instanceof SqlEngineError)) throw error; // a bug: this thread cannot go on
  // A value that is no JSON any more fails inside SQLite's JSON functions before its checksum is seen.
  const isDamaged = error.kind === 'corrupt' || error.message.includes('malformed JSON');
  return { code: isDamaged ? 'data.corrupt' : 'data.io', detail: error.message };
}
