/** The answer of `PRAGMA wal_checkpoint`: was it kept from it, frames in the log, frames moved; -1 without a log. */
export function isWholeCheckpoint(row: SqlRow | undefined): boolean {
  return row !== undefined && row[0] === 0 && row[1] === row[2];
}

/** What can be bound and read. Whole numbers up to 2^53 are exact. */
export type SqlValue = string | number | null;
export type SqlRow = readonly SqlValue[];

export interface SqlEngineStats {
  /** Times a file of this database was made durable. */
  readonly syncCount: number;
  readonly writtenBytes: number;
  /** Where the next frame of the write-ahead log goes: what a checkpoint would have to move. */
  readonly walBytes: number;
  /** Main file and write-ahead log. */
  readonly sizeBytes: number;
}

/**
 * A database on one file, used from one thread, synchronous. Two libraries can stand behind it on the same file
 * format. Everything it throws is a {@link SqlEngineError}.
 */
export interface SqlEngine {
  /** For people: `sql.js 1.16.0 (file)`. */
  readonly name: string;
  /** One or more statements without parameters; rows are ignored. */
  exec(sql: string): void;
  /** One statement, prepared once and kept. Returns how many rows the last INSERT, UPDATE or DELETE changed. */
  run(sql: string, params?: readonly SqlValue[]): number;
  /** The first row, or undefined. */
  get(sql: string, params?: readonly SqlValue[]): SqlRow | undefined;
  all(sql: string, params?: readonly SqlValue[]): readonly SqlRow[];
  /** Starts a transaction whose commit is durable on return, or else only written ({@link syncWal} makes it durable later). */
  begin(isDurable: boolean): void;
  /** When it fails the transaction is rolled back. */
  commit(): void;
  /** Ends the transaction without effect; nothing happens when there is none. */
  rollback(): void;
  /**
   * Makes durable what was committed without. When it fails, only a checkpoint makes it durable: a second sync
   * may succeed without having written anything.
   */
  syncWal(): void;
  /**
   * Moves the write-ahead log into the main file. True when all of it was moved: the main file is complete by itself. `emptied`: the file of the log is then cut to
   * nothing; else it stays as long as it is and is written from its beginning again.
   */
  checkpoint(log?: 'kept' | 'emptied'): boolean;
  stats(): SqlEngineStats;
  /** What the main file and that of the log take now, as the file system says. */
  fileBytes(): number;
  /** Checkpoints and releases the file. Idempotent. */
  close(): void;
}

/**
 * - `full` no space (or quota); nothing of the statement was kept
 * - `io` any other failure of a file call, of a lock or for want of memory; for a commit: it may or may not be found after a restart
 * - `corrupt` the file is damaged or no database
 * - `other` a bad statement or a violated constraint: a bug
 */
export type SqlErrorKind = 'full' | 'io' | 'corrupt' | 'other';

export class SqlEngineError extends Error {
  constructor(
    readonly kind: SqlErrorKind,
    message: string,
    /** Code of the file call that failed, when one did: `ENOSPC`. */
    readonly errno?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'SqlEngineError';
  }
}

/** Ends a transaction without effect; SQLite ends one by itself after some failures, and then there is nothing left to end. */
export function rollBackIfOpen(engine: Pick<SqlEngine, 'run'>): void {
  try {
    engine.run('ROLLBACK');
  } catch (error) {
    if (!(error instanceof SqlEngineError && error.kind === 'other')) throw error;
  }
}
