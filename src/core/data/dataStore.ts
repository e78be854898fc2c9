import type { Event } from '../base/event';
import type { Disposable } from '../base/disposable';
import type { SearchOptions, SearchPage } from './search/dataSearch';

/** What is kept: an immutable JSON value with its bookkeeping. */
export interface DataRecord<T = unknown> {
  /** Collection it belongs to. */
  readonly kind: string;
  /** Unique within its kind; 1–200 characters, no control characters. */
  readonly id: string;
  /** Counts this record's writes from 1; starts again at 1 when the record is deleted and made anew. */
  readonly version: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** Epoch of the owner that wrote it (the fencing token). */
  readonly epoch: number;
  readonly value: T;
}

/** A record as it is kept: its value as canonical JSON text, not looked at by its collection. */
export interface KeptRecord extends Omit<DataRecord, 'value'> {
  readonly json: string;
}

/** Records whose `property`, as a number, is less than `value`. On a declared index only these are looked at. */
export interface Below {
  readonly property: string;
  readonly value: number;
}

/** All records as of one moment, while writers go on. Valid during the call of {@link DataStore.snapshot} that gave it. */
export interface StoreSnapshot {
  /** It holds every change up to this one and none above. */
  readonly seq: number;
  /** Records that are not what was written: left out by `read`, and named here once it came to them. */
  readonly damaged: readonly { readonly kind: string; readonly id: string }[];
  /**
   * The records of a kind by id, in pages of some hundred or about a megabyte. `where`: as in a {@link Query}; on declared indexes it is fast.
   * `below`: only these, by that property, then by id.
   * @throws {DataError} data.invalid, data.io, data.corrupt (more than single records is damaged)
   */
  read(
    kind: string,
    where?: Readonly<Record<string, string | number | boolean | null>>,
    below?: Below,
  ): AsyncIterable<readonly KeptRecord[]>;
}

/** One write of {@link DataStore.putAll}. */
export interface PreparedPut {
  readonly kind: string;
  readonly id: string;
  /** As `encodeValue` makes it, of a value that its collection took. */
  readonly json: string;
  /** The version that the record must have now; 0: it must not exist. */
  readonly expectedVersion: number;
}

/** A typed collection. Declared once, passed around; opening a store with a new set of indexes adds them. */
export interface Collection<T> {
  /** 1–64 characters: a letter, then letters, digits, `.`, `_` or `-`. */
  readonly kind: string;
  /** Top-level properties of the value that queries may use. */
  readonly indexes: readonly (keyof T & string)[];
  /**
   * Where its texts are that {@link DataStore.search} looks through: properties, `*` for every element (`text`, `parts.*.text`). Stores
   * keep what was declared last; older records get into the index by and by.
   */
  readonly texts?: readonly string[];
  /** `full`: acknowledged only after fsync. `normal`: survives a kill, may lose its last second on power loss. Default `full`. */
  readonly durability?: 'full' | 'normal';
  /** Checks a value on its way in and out. Anything it throws reaches the caller as data.invalid. */
  readonly parse: (value: unknown) => T;
}

export interface Query<T> {
  /** Equality on declared indexes, all must hold. `null` also matches a missing property. */
  readonly where?: { readonly [K in keyof T & string]?: string | number | boolean | null };
  /**
   * A declared index, or `id`; default `id`. Order of values: missing and null, then numbers (false = 0, true = 1),
   * then text by code point. Ties are ordered by id, in the same direction.
   */
  readonly orderBy?: (keyof T & string) | 'id';
  readonly descending?: boolean;
  /** Only records whose id comes after this one; only with the default order. With `limit` it reads a collection page by page. */
  readonly after?: string;
  /** At most this many records, ≥ 0; default all. */
  readonly limit?: number;
}

/** Reads and writes of one transaction. Only valid during the callback; reads see the transaction's own writes. */
export interface Tx {
  get<T>(collection: Collection<T>, id: string): DataRecord<T> | undefined;
  find<T>(collection: Collection<T>, query?: Query<T>): readonly DataRecord<T>[];
  /**
   * Inserts or replaces. With `expectedVersion` (0 = must not exist) the transaction takes effect only when the
   * record has that version at this point; otherwise the whole transaction rejects with data.conflict (the
   * callback itself is not told, so that a blind write needs no round trip).
   * A value is plain JSON, at most 1 MiB as UTF-8; properties that are `undefined` are left out.
   * @throws {DataError} data.invalid, data.tooLarge
   */
  put<T>(collection: Collection<T>, id: string, value: T, options?: { readonly expectedVersion?: number }): void;
  /**
   * Removes the record; nothing happens when there is none. With `expectedVersion` the transaction takes effect only when the record has that
   * version, as in `put`. @throws {DataError} data.invalid
   */
  delete<T>(collection: Collection<T>, id: string, options?: { readonly expectedVersion?: number }): void;
}

export interface Change {
  /** Gap-free and strictly increasing over the whole store, from 1. */
  readonly seq: number;
  readonly kind: string;
  readonly id: string;
  readonly op: 'put' | 'delete';
  /** Version written; for a delete the version that was removed. */
  readonly version: number;
  readonly atMs: number;
}

export interface StoreHealth {
  /** What keeps the records: `memory`, `sql.js 1.16.0 (file)`. */
  readonly engine: string;
  /** True when acknowledged writes survive power loss. */
  readonly isDurable: boolean;
  /** Writes are refused with data.readOnly until space returns or a person repairs. */
  readonly isReadOnly: boolean;
  /** Why it is read-only or damaged, one sentence; absent when all is well. */
  readonly reason?: string;
  readonly sizeBytes: number;
  readonly schemaVersion: number;
  /** Highest acknowledged change. */
  readonly seq: number;
}

/**
 * Durable typed collections. One instance per workspace, one writer (`workspaceLock.ts`).
 *
 * `tx` callbacks are synchronous and pure over `Tx`: an implementation may run one more than once before it
 * takes effect exactly once. Transactions take effect in the order of the `tx` calls, one after the other
 * (serialisable). A read that starts after a transaction was acknowledged sees it.
 * All operations after `close` reject with data.closed.
 */
export interface DataStore extends Disposable {
  readonly health: StoreHealth;
  /** Fires when anything but `seq` and `sizeBytes` changes. */
  readonly onDidChangeHealth: Event<StoreHealth>;
  /**
   * Runs `work` atomically; resolves with its result once it is durable (per the collections' durability; the
   * strictest of those written counts). Throwing rolls back and rejects with what was thrown.
   * @throws {DataError} data.conflict; data.readOnly (nothing was written); data.fenced (another owner, for good);
   * data.io (the outcome is unknown: it may or may not be there after a restart); data.corrupt; data.closed
   */
  tx<T>(work: (tx: Tx) => T): Promise<T>;
  /** @throws {DataError} data.corrupt – this record is damaged and is not served; data.invalid, data.io, data.closed */
  get<T>(collection: Collection<T>, id: string): Promise<DataRecord<T> | undefined>;
  /** @throws {DataError} as `get`; data.invalid also for a query on something that is not a declared index */
  find<T>(collection: Collection<T>, query?: Query<T>): Promise<readonly DataRecord<T>[]>;
  /**
   * Records of collections with texts that hold all of `query`: words, `"a phrase"`, `begin*`, without regard to case, width and
   * diacritics; characters of scripts without spaces are words of their own. What was made last comes first. Finds the first 256 Ki
   * characters of each text. Nothing in `query` is a command. Damaged records are left out.
   * @throws {DataError} data.invalid (too long, a bad limit), data.corrupt (the index cannot be used), data.io, data.closed, data.fenced
   */
  search(query: string, options?: SearchOptions): Promise<SearchPage>;
  /** Committed changes with seq > `after`, oldest first, at most `limit` (default 1000). */
  changes(after: number, limit?: number): Promise<readonly Change[]>;
  /**
   * Calls `use` with all records as of one moment, never half of a transaction (R5), and resolves with its result. Writers go on meanwhile;
   * memory does not grow with the store. When the file had to be opened anew meanwhile, `use` is called again: what it did before must be undone.
   * Other maintenance of the same store waits for it, so `use` must not wait for any.
   * @throws {DataError} data.io, data.corrupt, data.closed, data.fenced; what `use` throws; the signal's reason
   */
  snapshot<R>(
    use: (snapshot: StoreSnapshot) => Promise<R>,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<R>;
  /**
   * Writes many records in one transaction, durably: all take effect or none, in the order of the calls among those of `tx`. They are handed over
   * in portions, between which others have a turn. Aborting has an effect until the last portion is handed over.
   * @throws {DataError} as `tx`; the signal's reason, and nothing was written
   */
  putAll(puts: readonly PreparedPut[], options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
  /** Finishes what was called before, flushes and releases the file. Idempotent. `dispose` starts the same and does not wait. */
  close(): Promise<void>;
}
