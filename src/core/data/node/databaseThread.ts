import fs from 'node:fs';
import type { MessagePort } from 'node:worker_threads';
import { DataError } from '../dataErrors';
import type { KeptRecord } from '../dataStore';
import type { ExportHeader } from '../exchange/exportFormat';
import { type SqlEngine, SqlEngineError } from './sqlEngine';
import { openSqlJsEngine } from './sqlJsEngine';
import { markComplete } from './storeHeader';
import { toWireError, type WireError } from './storeProtocol';
import { migrate } from './storeSchema';
import { insertRecord } from './storeSql';

/** "Corx": tables of a store, but no store and no backup, so that none of its secrets is missed when it is taken for one. */
export const exportApplicationId = 0x436f7278;

/** What a thread that makes the SQLite file of an export is made for; plain data. */
export interface DatabaseTask {
  /** A file that is not there yet. */
  readonly database: string;
  readonly wasmFile: string;
}

export type DatabaseRequest =
  | { readonly id: number; readonly records: readonly KeptRecord[] }
  | { readonly id: number; readonly restart: true }
  | { readonly id: number; readonly finish: ExportHeader };
export type DatabaseReply = { readonly id: number; readonly error?: WireError };

/** The log is moved into the file when it is this long. */
const checkpointAtBytes = 8 * 1024 * 1024;

/** Runs in the thread that makes the file. It ends by itself after `finish`. */
export async function serveExportDatabase(port: MessagePort, task: DatabaseTask): Promise<void> {
  const post = (reply: DatabaseReply): void => port.postMessage(reply);
  let file: DatabaseFile;
  try {
    file = await DatabaseFile.make(task);
  } catch (error) {
    post({ id: 0, error: wireErrorOf(error) });
    return port.close();
  }
  port.on('message', (request: DatabaseRequest) => {
    const { id } = request;
    try {
      if ('records' in request) file.write(request.records);
      else if ('restart' in request) file.restart();
      else file.finish(request.finish);
      post({ id });
    } catch (error) {
      post({ id, error: wireErrorOf(error) });
    }
    if ('finish' in request) port.close();
  });
  post({ id: 0 });
}

class DatabaseFile {
  private constructor(
    private readonly engine: SqlEngine,
    private readonly path: string,
  ) {}

  /** @throws {DataError | SqlEngineError} */
  static async make({ database, wasmFile }: DatabaseTask): Promise<DatabaseFile> {
    const engine = await openSqlJsEngine(database, wasmFile);
    try {
      migrate(engine);
      engine.exec(`PRAGMA application_id=${exportApplicationId}`);
      engine.exec('CREATE TABLE export(name TEXT PRIMARY KEY, value NUMERIC) WITHOUT ROWID');
    } catch (error) {
      engine.close();
      throw error;
    }
    return new DatabaseFile(engine, database);
  }

  write(records: readonly KeptRecord[]): void {
    this.#inTransaction(() => {
      for (const record of records) insertRecord(this.engine, record);
    });
    if (this.engine.stats().walBytes >= checkpointAtBytes) this.engine.checkpoint();
  }

  restart(): void {
    this.#inTransaction(() => this.engine.exec('DELETE FROM records'));
  }

  /** The file is complete, without a log, and on the disk. */
  finish(header: ExportHeader): void {
    this.#inTransaction(() => {
      for (const [name, value] of Object.entries(header))
        this.engine.run('INSERT INTO export(name, value) VALUES(?, ?)', [
          name,
          typeof value === 'number' ? value : String(value),
        ]);
    });
    const isWhole = this.engine.checkpoint();
    this.engine.close();
    if (!isWhole) throw new DataError('data.io', 'the log could not be moved into the file');
    const fd = fs.openSync(this.path, 'r+');
    try {
      const head = Buffer.alloc(100);
      fs.readSync(fd, head, 0, head.length, 0);
      markComplete(head, 0);
      fs.writeSync(fd, head, 0, head.length, 0);
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  }

  #inTransaction(work: () => void): void {
    this.engine.begin(false);
    try {
      work();
      this.engine.commit();
    } catch (error) {
      this.engine.rollback();
      throw error;
    }
  }
}

/** An error as it crosses threads; the detail of one of a file call is its code. */
function wireErrorOf(error: unknown): WireError {
  return error instanceof SqlEngineError
    ? { code: 'data.io', detail: error.errno ?? error.message }
    : toWireError(error);
}
