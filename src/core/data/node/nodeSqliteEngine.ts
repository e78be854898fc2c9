import fs from 'node:fs';
import { DataError } from '../dataErrors';
import { errnoCode } from './fileSystem';
import {
  isWholeCheckpoint,
  rollBackIfOpen,
  type SqlEngine,
  SqlEngineError,
  type SqlEngineStats,
  type SqlErrorKind,
  type SqlRow,
  type SqlValue,
} from './sqlEngine';

/** The part of `node:sqlite` used here; the product is compiled for a Node that may not have it. */
interface NodeSqlite {
  readonly DatabaseSync: new (path: string, options: { readonly enableForeignKeyConstraints: boolean }) => Database;
  readonly StatementSync: { readonly prototype: object };
}

interface Database {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

interface Statement {
  setReturnArrays(enabled: boolean): void;
  run(...params: readonly SqlValue[]): { readonly changes: number | bigint };
  get(...params: readonly SqlValue[]): SqlRow | undefined;
  all(...params: readonly SqlValue[]): readonly SqlRow[];
}

/** Found at run time, never by an import: bundlers would resolve it, and a Node without it could not load the bundle. */
function builtIn(): NodeSqlite | undefined {
  const get = process.getBuiltinModule as ((id: string) => object | undefined) | undefined; // Node ≥ 20.16, 22.3
  return get?.('node:sqlite') as NodeSqlite | undefined; // its shape is probed below
}

/** True when this runtime has a `node:sqlite` that can do what is asked of it here (Node ≥ 22.16 or 24). */
export function hasNodeSqlite(): boolean {
  const sqlite = builtIn();
  return sqlite !== undefined && 'setReturnArrays' in sqlite.StatementSync.prototype;
}

/**
 * Opens `path` with the SQLite of the runtime, in the same modes as sql.js: write-ahead log, exclusive, no shared memory.
 * @throws {DataError} data.engineUnavailable when this runtime has none
 * @throws {SqlEngineError} when the file cannot be opened or is no database
 */
export function openNodeSqliteEngine(path: string): SqlEngine {
  const sqlite = hasNodeSqlite() ? builtIn() : undefined;
  if (!sqlite) throw new DataError('data.engineUnavailable', `Node ${process.versions.node} has no node:sqlite`);
  return new NodeSqliteEngine(sqlite, path);
}

/** Pages and log frames of one changed row, roughly: the row, an index or two. */
const bytesPerChange = 3 * 4120;

class NodeSqliteEngine implements SqlEngine {
  readonly name: string;
  readonly #database: Database;
  readonly #path: string;
  readonly #statements = new Map<string, Statement>();
  #isDurable = true;
  #isInTransaction = false;
  #isClosed = false;
  #walFd: number | undefined;
  #syncCount = 0;
  #writtenBytes = 0;
  /** Written since the last checkpoint, as far as this can be told from outside. */
  #estimatedWalBytes = 0;
  /** Size of the log's file at the last checkpoint: SQLite begins at its start again and leaves it as long as it is. */
  #walBytesAtCheckpoint = 0;

  constructor(sqlite: NodeSqlite, path: string) {
    this.#path = path;
    // The file is made first, so that it never is open to others.
    fs.closeSync(fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600));
    this.#database = attempt(() => new sqlite.DatabaseSync(path, { enableForeignKeyConstraints: false }));
    try {
      this.#prepare();
      this.name = `node:sqlite ${String(this.get('SELECT sqlite_version()')?.[0])}`;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #prepare(): void {
    this.exec('PRAGMA locking_mode=EXCLUSIVE; PRAGMA auto_vacuum=INCREMENTAL');
    this.exec('PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8000');
    const mode = this.get('PRAGMA journal_mode=WAL')?.[0];
    if (mode !== 'wal') throw new DataError('data.engineUnavailable', `no write-ahead log (${String(mode)})`);
    // As sql.js: checkpoints are made between batches, and on macOS a sync really reaches the disk.
    this.exec('PRAGMA synchronous=FULL; PRAGMA fullfsync=1; PRAGMA wal_autocheckpoint=0');
    // The lock is taken by the first access; another process must be noticed here, not at the first write.
    this.get('SELECT count(*) FROM sqlite_schema');
    this.#walBytesAtCheckpoint = 0;
    this.#estimatedWalBytes = sizeOf(`${this.#path}-wal`);
  }

  exec(sql: string): void {
    attempt(() => this.#database.exec(sql));
  }

  run(sql: string, params: readonly SqlValue[] = []): number {
    const changes = attempt(() => Number(this.#statement(sql).run(...params).changes));
    this.#count(params);
    return changes;
  }

  get(sql: string, params: readonly SqlValue[] = []): SqlRow | undefined {
    return attempt(() => this.#statement(sql).get(...params));
  }

  all(sql: string, params: readonly SqlValue[] = []): readonly SqlRow[] {
    return attempt(() => this.#statement(sql).all(...params));
  }

  begin(isDurable: boolean): void {
    if (isDurable !== this.#isDurable) this.exec(`PRAGMA synchronous=${isDurable ? 'FULL' : 'NORMAL'}`);
    this.#isDurable = isDurable;
    this.run('BEGIN IMMEDIATE');
    this.#isInTransaction = true;
  }

  commit(): void {
    try {
      this.run('COMMIT');
      this.#isInTransaction = false;
    } catch (error) {
      this.rollback();
      throw error;
    }
    if (this.#isDurable) this.#syncCount++; // SQLite syncs the log inside a commit in this mode
  }

  rollback(): void {
    if (!this.#isInTransaction) return;
    this.#isInTransaction = false;
    rollBackIfOpen(this);
  }

  /**
   * Through a descriptor of our own. The locks of POSIX that closing one would drop are on the main file, which is
   * never opened here a second time.
   */
  syncWal(): void {
    try {
      this.#walFd ??= fs.openSync(`${this.#path}-wal`, fs.constants.O_RDONLY);
      fs.fdatasyncSync(this.#walFd);
    } catch (cause) {
      throw new SqlEngineError('io', 'the write-ahead log cannot be synced', errnoCode(cause), { cause });
    }
    this.#syncCount++;
  }

  checkpoint(log: 'kept' | 'emptied' = 'kept'): boolean {
    const mode = log === 'emptied' ? 'TRUNCATE' : 'PASSIVE';
    const isWhole = isWholeCheckpoint(this.get(`PRAGMA wal_checkpoint(${mode})`));
    this.#walBytesAtCheckpoint = sizeOf(`${this.#path}-wal`);
    this.#estimatedWalBytes = 0;
    return isWhole;
  }

  stats(): SqlEngineStats {
    const walFileBytes = sizeOf(`${this.#path}-wal`);
    // Beyond its former size the file ends where the log ends; before, only the estimate is known.
    const isGrown = walFileBytes > this.#walBytesAtCheckpoint;
    const walBytes = isGrown ? walFileBytes : Math.min(this.#estimatedWalBytes, walFileBytes);
    const { size: mainBytes } = fs.statSync(this.#path);
    return {
      syncCount: this.#syncCount,
      writtenBytes: this.#writtenBytes,
      walBytes,
      sizeBytes: mainBytes + walBytes,
    };
  }

  fileBytes(): number {
    return sizeOf(this.#path) + sizeOf(`${this.#path}-wal`);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#statements.clear();
    if (this.#walFd !== undefined) fs.closeSync(this.#walFd);
    attempt(() => this.#database.close());
  }

  #count(params: readonly SqlValue[]): void {
    if (params.length === 0) return;
    let bytes = bytesPerChange;
    for (const value of params) if (typeof value === 'string') bytes += value.length;
    this.#estimatedWalBytes += bytes;
    this.#writtenBytes += bytes;
  }

  #statement(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#database.prepare(sql);
      statement.setReturnArrays(true);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

function sizeOf(path: string): number {
  return fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function attempt<T>(body: () => T): T {
  try {
    return body();
  } catch (cause) {
    if (cause instanceof SqlEngineError || cause instanceof DataError) throw cause;
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new SqlEngineError(kindOf(cause), message, undefined, { cause });
  }
}

/** By SQLite's primary result code, which node:sqlite passes on as `errcode` (sqlite.org/rescode.html). */
export function kindOf(error: unknown): SqlErrorKind {
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
  return primaryKinds.get(code) ?? 'other';
}

const primaryKinds = new Map<number, SqlErrorKind>([
  [13, 'full'], // SQLITE_FULL
  [3, 'io'], // SQLITE_PERM
  [5, 'io'], // SQLITE_BUSY: another program holds the file
  [6, 'io'], // SQLITE_LOCKED
  [7, 'io'], // SQLITE_NOMEM
  [8, 'io'], // SQLITE_READONLY
  [10, 'io'], // SQLITE_IOERR
  [14, 'io'], // SQLITE_CANTOPEN
  [15, 'io'], // SQLITE_PROTOCOL
  [11, 'corrupt'], // SQLITE_CORRUPT
  [26, 'corrupt'], // SQLITE_NOTADB
]);
