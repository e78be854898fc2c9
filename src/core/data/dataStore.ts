import type { Event } from '../base/event';
import type { Disposable } from '../base/disposable';

/** What is kept: an immutable JSON value with its bookkeeping. */
export interface DataRecord<T = unknown> {
  /** Collection it belongs to. */
  readonly kind: string;
  /** Unique within its kind; 1–200 characters. */
  readonly id: string;
  /** Counts this record's writes from 1. */
  readonly version: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** Epoch of the owner that wrote it (the fencing token). */
  readonly epoch: number;
  readonly value: T;
}

/** A typed collection. Declared once, passed around; opening a store with a new set of indexes adds them. */
export interface Collection<T> {
  readonly kind: string;
  /** Top-level properties of the value that queries may use. */
  readonly indexes: readonly (keyof T & string)[];
  /** `full`: acknowledged only after fsync. `normal`: survives a kill, may lose its last second on power loss. Default `full`. */
  readonly durability?: 'full' | 'normal';
  /** Checks a value on its way in and out. @throws {DataError} data.invalid */
  readonly parse: (value: unknown) => T;
}

export interface Query<T> {
  /** Equality on declared indexes, all must hold. */
  readonly where?: { readonly [K in keyof T & string]?: string | number | boolean | null };
  /** A declared index, or `id`; default `id`. */
  readonly orderBy?: (keyof T & string) | 'id';
  readonly descending?: boolean;
  readonly limit?: number;
}

/** Reads and writes of one transaction. Only valid during the callback. */
export interface Tx {
  get<T>(collection: Collection<T>, id: string): DataRecord<T> | undefined;
  find<T>(collection: Collection<T>, query?: Query<T>): readonly DataRecord<T>[];
  /** Inserts or replaces. `expectedVersion` 0 = must not exist. @throws {DataError} data.conflict, data.invalid, data.tooLarge */
  put<T>(collection: Collection<T>, id: string, value: T, options?: { readonly expectedVersion?: number }): void;
  delete<T>(collection: Collection<T>, id: string): void;
}

export interface Change {
  /** Gap-free and strictly increasing over the whole store, from 1. */
  readonly seq: number;
  readonly kind: string;
  readonly id: string;
  readonly op: 'put' | 'delete';
  readonly version: number;
  readonly atMs: number;
}

export interface StoreHealth {
  readonly engine: string;
  /** True when acknowledged writes survive power loss. */
  readonly isDurable: boolean;
  /** Writes are refused with data.readOnly until space returns or a person repairs. */
  readonly isReadOnly: boolean;
  readonly reason?: string;
  readonly sizeBytes: number;
  readonly schemaVersion: number;
  /** Highest acknowledged change. */
  readonly seq: number;
}

/**
 * Durable typed collections. One instance per workspace, one writer (`workspaceLock.ts`).
 * `tx` callbacks are synchronous and pure over `Tx`: an implementation may run one more than once before it
 * takes effect exactly once. All operations after `close` reject with data.closed.
 */
export interface DataStore extends Disposable {
  readonly health: StoreHealth;
  readonly onDidChangeHealth: Event<StoreHealth>;
  /** Runs `work` atomically; resolves with its result once it is durable (per the collections' durability). Throwing rolls back. @throws {DataError} data.readOnly, data.fenced, data.closed, data.conflict */
  tx<T>(work: (tx: Tx) => T): Promise<T>;
  get<T>(collection: Collection<T>, id: string): Promise<DataRecord<T> | undefined>;
  find<T>(collection: Collection<T>, query?: Query<T>): Promise<readonly DataRecord<T>[]>;
  /** Committed changes with seq > `after`, oldest first, at most `limit` (default 1000). */
  changes(after: number, limit?: number): Promise<readonly Change[]>;
  /** Flushes and releases the file. Idempotent. */
  close(): Promise<void>;
}
