import fs from 'node:fs';
import type { Database, SqlJsStatic, Statement } from 'sql.js';
import { DataError } from '../dataErrors';
import { type FileSystem, nodeFileSystem } from './fileSystem';
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
import { SqlJsFiles, type RedirectedFile } from './sqlJsFiles';
import { WalBuffer } from './walBuffer';
import { checkWasm, pinnedSqlJsVersion, redirectImports } from './sqlJsImports';

/** The part of the WebAssembly API used here; the core is compiled without the browser's types. */
interface Wasm {
  readonly Module: (new (bytes: Uint8Array) => object) & {
    imports(module: object): readonly { readonly module: string; readonly name: string }[];
  };
  readonly Instance: new (module: object, imports: object) => { readonly exports: Readonly<Record<string, unknown>> };
  readonly Memory: abstract new () => { readonly buffer: ArrayBuffer };
}

interface SqlJs {
  readonly static: SqlJsStatic;
  readonly files: SqlJsFiles;
}

/**
 * sql.js keeps the first instance it made and ignores the configuration of later calls, so there can be only one per
 * thread, and it must be ours. Module state, because the module it mirrors has that state.
 */
let loaded: Promise<SqlJs> | undefined;

/**
 * Opens `path` with the unmodified sql.js, working directly on the file. Emscripten's documented hook
 * `Module.instantiateWasm` hands over the import table of the build, in which the file calls are replaced
 * (docs/adr/0005). The database is in WAL mode, exclusive to this connection.
 * @throws {DataError} data.engineUnavailable when the build is not the pinned one or the redirection does not work
 * @throws {SqlEngineError} when the file cannot be opened or is no database
 */
export async function openSqlJsEngine(
  path: string,
  wasmFile: string,
  files: FileSystem = nodeFileSystem,
): Promise<SqlEngine> {
  loaded ??= load(wasmFile);
  return new SqlJsEngine(await loaded, path, files);
}

/** As {@link openSqlJsEngine}, for a file that is only read (`frozenFiles`): no log, no write, no proof of one. */
export async function openSqlJsReader(path: string, wasmFile: string, files: FileSystem): Promise<SqlEngine> {
  loaded ??= load(wasmFile);
  return new SqlJsEngine(await loaded, path, files, true);
}

async function load(wasmFile: string): Promise<SqlJs> {
  const bytes = readWasm(wasmFile);
  checkWasm(bytes);
  const wasm = (globalThis as unknown as { readonly WebAssembly: Wasm }).WebAssembly; // part of every Node
  const module = new wasm.Module(bytes);
  let memory: { readonly buffer: ArrayBuffer } | undefined;
  const files = new SqlJsFiles(() => memory?.buffer ?? new ArrayBuffer(0));
  const { default: initSqlJs } = await import('sql.js');
  const config = {
    instantiateWasm(
      original: Record<string, Record<string, unknown>>,
      done: (instance: object, module: object) => void,
    ): object {
      const imports = redirectImports(original, wasm.Module.imports(module), (name, call) => files.replace(name, call));
      const instance = new wasm.Instance(module, imports);
      memory = Object.values(instance.exports).find((item) => item instanceof wasm.Memory);
      done(instance, module);
      return instance.exports;
    },
  };
  // The published types describe the hook with the browser's WebAssembly types.
  return { static: await initSqlJs(config as unknown as Parameters<typeof initSqlJs>[0]), files };
}

function readWasm(wasmFile: string): Uint8Array {
  try {
    return fs.readFileSync(wasmFile);
  } catch (cause) {
    throw new DataError('data.engineUnavailable', 'the file of the database engine cannot be read', { cause });
  }
}

class SqlJsEngine implements SqlEngine {
  readonly name = `sql.js ${pinnedSqlJsVersion} (file)`;
  readonly #file: RedirectedFile;
  readonly #database: Database;
  readonly #statements = new Map<string, Statement>();
  #mainBytes = 0;
  #isDurable = true;
  #isInTransaction = false;
  #isClosed = false;

  constructor(
    private readonly sqlJs: SqlJs,
    path: string,
    files: FileSystem,
    isReader = false,
  ) {
    this.#file = {
      path,
      files,
      syncCount: 0,
      writtenBytes: 0,
      walBytes: 0,
      mainFd: undefined,
      walFd: undefined,
      walBuffer: new WalBuffer(),
      fault: undefined,
    };
    this.#database = this.#attempt(() =>
      sqlJs.files.claim(this.#file, () => new sqlJs.static.Database(new Uint8Array(0))),
    );
    try {
      if (isReader) this.exec('PRAGMA query_only=1; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8000');
      else this.#prepare();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Sets the modes (in this order: WAL without shared memory needs the exclusive lock first) and proves the redirection. */
  #prepare(): void {
    if (!this.sqlJs.files.isClaimed(this.#file))
      throw new DataError('data.engineUnavailable', 'the database is not on its file');
    // Of a new file only: what is freed can then be given back step by step.
    this.exec('PRAGMA locking_mode=EXCLUSIVE; PRAGMA auto_vacuum=INCREMENTAL');
    this.exec('PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8000');
    const mode = this.get('PRAGMA journal_mode=WAL')?.[0];
    if (mode !== 'wal') throw new DataError('data.engineUnavailable', `no write-ahead log (${String(mode)})`);
    // Checkpoints are made by the store between batches, never inside somebody's commit.
    this.exec('PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0');
    this.#measure();
  }

  exec(sql: string): void {
    this.#attempt(() => this.#database.exec(sql));
  }

  run(sql: string, params: readonly SqlValue[] = []): number {
    this.#step(sql, params, () => false);
    return this.#database.getRowsModified();
  }

  get(sql: string, params: readonly SqlValue[] = []): SqlRow | undefined {
    let first: SqlRow | undefined;
    this.#step(sql, params, (row) => {
      first = row;
      return false;
    });
    return first;
  }

  all(sql: string, params: readonly SqlValue[] = []): readonly SqlRow[] {
    const rows: SqlRow[] = [];
    this.#step(sql, params, (row) => {
      rows.push(row);
      return true;
    });
    return rows;
  }

  begin(isDurable: boolean): void {
    // The mode cannot be changed inside a transaction. The log is synced by SQLite's own commit, never after it: a
    // sync that fails must end in a rollback, since the kernel may forget what it could not write.
    if (isDurable !== this.#isDurable) this.exec(`PRAGMA synchronous=${isDurable ? 'FULL' : 'NORMAL'}`);
    this.#isDurable = isDurable;
    this.run('BEGIN IMMEDIATE');
    this.#isInTransaction = true;
    this.#file.walBuffer.isCollecting = isDurable;
  }

  commit(): void {
    try {
      this.run('COMMIT');
      this.#isInTransaction = false;
      this.#file.walBuffer.isCollecting = false;
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  rollback(): void {
    if (!this.#isInTransaction) return;
    this.#isInTransaction = false;
    this.#file.walBuffer.isCollecting = false;
    this.#file.walBuffer.drop();
    rollBackIfOpen(this);
  }

  syncWal(): void {
    const { walFd, files } = this.#file;
    if (walFd === undefined) return;
    try {
      files.dataSync(walFd);
    } catch (cause) {
      throw new SqlEngineError('io', 'the write-ahead log cannot be synced', undefined, { cause });
    }
    this.#file.syncCount++;
  }

  checkpoint(log: 'kept' | 'emptied' = 'kept'): boolean {
    const mode = log === 'emptied' ? 'TRUNCATE' : 'PASSIVE';
    const isWhole = isWholeCheckpoint(this.get(`PRAGMA wal_checkpoint(${mode})`));
    this.#measure();
    return isWhole;
  }

  stats(): SqlEngineStats {
    const { syncCount, writtenBytes, walBytes } = this.#file;
    return { syncCount, writtenBytes, walBytes, sizeBytes: this.#mainBytes + walBytes };
  }

  fileBytes(): number {
    const { files, mainFd, walFd } = this.#file;
    const sizeOf = (fd: number | undefined): number => (fd === undefined ? 0 : files.statFd(fd).size);
    return sizeOf(mainFd) + sizeOf(walFd);
  }

  /** In this mode the main file changes only in checkpoints. */
  #measure(): void {
    const { files, mainFd } = this.#file;
    if (mainFd !== undefined) this.#mainBytes = files.statFd(mainFd).size;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const statement of this.#statements.values()) statement.free();
    this.#statements.clear();
    try {
      this.#attempt(() => this.#database.close());
    } finally {
      this.sqlJs.files.release(this.#file);
    }
  }

  #step(sql: string, params: readonly SqlValue[], onRow: (row: SqlRow) => boolean): void {
    this.#attempt(() => {
      const statement = this.#statement(sql);
      try {
        if (params.length > 0) statement.bind([...params]);
        // Only numbers, text and null are ever stored (no blobs), so a row holds nothing else.
        while (statement.step() && onRow(statement.get() as SqlRow));
      } finally {
        statement.reset();
        statement.freemem();
      }
    });
  }

  #statement(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, (statement = this.#database.prepare(sql)));
    return statement;
  }

  #attempt<T>(body: () => T): T {
    this.#file.fault = undefined;
    try {
      return body();
    } catch (error) {
      // A trap leaves the engine in an unknown state: nothing may go on with it.
      if (error instanceof DataError || (error instanceof Error && error.name === 'RuntimeError')) throw error;
      throw this.#explain(error);
    }
  }

  #explain(cause: unknown): SqlEngineError {
    const { fault } = this.#file;
    const message = cause instanceof Error ? cause.message : String(cause);
    return new SqlEngineError(classify(message, fault), message, fault?.code, { cause });
  }
}

/**
 * sql.js reports SQLite's text (sqlite3_errmsg) and no code. A file call that failed says more than the text; without
 * one these are SQLite's fixed texts for SQLITE_CORRUPT, SQLITE_NOTADB and so on (sqlite3ErrStr).
 */
export function classify(message: string, fault: RedirectedFile['fault']): SqlErrorKind {
  if (fault) return fault.call !== 'sync' && (fault.code === 'ENOSPC' || fault.code === 'EDQUOT') ? 'full' : 'io';
  if (message.includes('malformed JSON')) return 'other'; // a value, not the file
  if (message.includes('malformed') || message.includes('not a database')) return 'corrupt';
  if (message.includes('disk is full')) return 'full';
  if (surroundings.some((text) => message.startsWith(text))) return 'io';
  return 'other';
}

/** What is wrong with the file's surroundings, not with what is in it. */
const surroundings = [
  'disk I/O error',
  'unable to open database',
  'access permission denied',
  'attempt to write a readonly database',
  'database is locked',
  'database schema is locked',
  'database table is locked',
  'locking protocol',
  'out of memory',
] as const;
