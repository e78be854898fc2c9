import { createHash, type Hash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import nodePath from 'node:path';
import type { KeptRecord } from '../dataStore';
import type { ExportDatabaseWriter, ExportFiles, ExportWriter } from '../exchange/dataExport';
import { ExchangeError } from '../exchange/exchangeErrors';
import type { ExportHeader } from '../exchange/exportFormat';
import { DataError } from '../dataErrors';
import { ExportDatabase } from './exportDatabase';
import { errnoCode } from './fileSystem';
import { syncFolder } from './storeFiles';

export interface NodeExportFilesOptions {
  /** The bundle of `storeWorker.ts`, which makes databases. */
  readonly workerFile: string;
  readonly wasmFile: string;
}

/** Exports on this machine's disk: a temporary file beside the name, synced, then renamed. Unix only gives others no right to read it. */
export class NodeExportFiles implements ExportFiles {
  constructor(private readonly options: NodeExportFilesOptions) {}

  async create(file: string, { overwrite }: { readonly overwrite: boolean }): Promise<ExportWriter> {
    const place = await Place.open(file, overwrite);
    try {
      // Appending: after `restart` the next write is at the beginning, wherever the last one was.
      return new TextFile(place, await fs.promises.open(place.temporary, 'ax', 0o600));
    } catch (error) {
      throw unusable(file, error);
    }
  }

  async createDatabase(file: string, { overwrite }: { readonly overwrite: boolean }): Promise<ExportDatabaseWriter> {
    const place = await Place.open(file, overwrite);
    try {
      await (await fs.promises.open(place.temporary, 'wx', 0o600)).close(); // so that nobody else may read it, whatever the umask is
    } catch (error) {
      throw unusable(file, error);
    }
    const { workerFile, wasmFile } = this.options;
    return new DatabaseFile(place, new ExportDatabase(workerFile, { database: place.temporary, wasmFile }));
  }
}

/** A name, and the temporary one beside it. */
class Place {
  readonly temporary: string;
  isTaken = false;

  private constructor(
    readonly file: string,
    private readonly overwrite: boolean,
  ) {
    this.temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  }

  /** @throws {ExchangeError} */
  static async open(file: string, overwrite: boolean): Promise<Place> {
    if (!nodePath.isAbsolute(file)) throw new ExchangeError('exchange.fileUnusable', 'the name is no absolute path');
    await demandFree(file, overwrite);
    return new Place(file, overwrite);
  }

  /** `link` refuses a name that came into being meanwhile; `rename` would replace it. */
  async take(): Promise<void> {
    if (this.overwrite) {
      await demandFree(this.file, true);
      await fs.promises.rename(this.temporary, this.file);
    } else if (await this.#link()) await fs.promises.rm(this.temporary, { force: true });
    else {
      await demandFree(this.file, false);
      await fs.promises.rename(this.temporary, this.file);
    }
    this.isTaken = true;
    await this.#clearCompanions();
    syncFolder(nodePath.dirname(this.file));
  }

  /** False: a file system without hard links. */
  async #link(): Promise<boolean> {
    try {
      await fs.promises.link(this.temporary, this.file);
      return true;
    } catch (error) {
      if (errnoCode(error) === 'EEXIST') throw exists(this.file);
      return false;
    }
  }

  async clear(): Promise<void> {
    if (this.isTaken) return;
    await fs.promises.rm(this.temporary, { force: true });
    await this.#clearCompanions();
  }

  /** Of a database; what was in them is in it. */
  async #clearCompanions(): Promise<void> {
    for (const end of ['-wal', '-journal']) await fs.promises.rm(this.temporary + end, { force: true });
  }
}

/** Bytes of a unit of a text as UTF-8, at most. */
const LARGEST_LETTER = 3;
/** A larger place is not kept. */
const LARGEST_KEPT = 4 * 1024 * 1024;

class TextFile implements ExportWriter {
  #isOpen = true;
  #hash: Hash = createHash('sha256');
  #buffer = Buffer.alloc(0);
  /** The last write, whatever became of it. */
  #written: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly place: Place,
    private readonly handle: fs.promises.FileHandle,
  ) {}

  /** One after the other, as the export does it: the bytes are in the same place each time. */
  async write(text: string): Promise<void> {
    const bytes = this.#encode(text);
    this.#hash.update(bytes);
    const writing = doing(this.place, () => this.handle.appendFile(bytes));
    this.#written = Promise.allSettled([writing]);
    await writing;
  }

  #encode(text: string): Uint8Array {
    const most = text.length * LARGEST_LETTER;
    if (most > LARGEST_KEPT) return Buffer.from(text);
    if (most > this.#buffer.length) this.#buffer = Buffer.alloc(most);
    return this.#buffer.subarray(0, this.#buffer.write(text));
  }

  digest(): string {
    return this.#hash.copy().digest('hex');
  }

  async restart(): Promise<void> {
    await this.#written; // what failed may have left a write behind for which nobody waited
    this.#hash = createHash('sha256');
    await doing(this.place, () => this.handle.truncate(0));
  }

  async finish(): Promise<number> {
    return doing(this.place, async () => {
      await this.handle.sync();
      const { size } = await this.handle.stat();
      await this.#close();
      await this.place.take();
      return size;
    });
  }

  async abandon(): Promise<void> {
    if (this.place.isTaken) return;
    await this.#close();
    await this.place.clear();
  }

  async #close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.handle.close();
  }
}

class DatabaseFile implements ExportDatabaseWriter {
  constructor(
    private readonly place: Place,
    private readonly database: ExportDatabase,
  ) {}

  async writeRecords(records: readonly KeptRecord[]): Promise<void> {
    await doing(this.place, () => this.database.write(records));
  }

  async restart(): Promise<void> {
    await doing(this.place, () => this.database.restart());
  }

  async finish(header: ExportHeader): Promise<number> {
    return doing(this.place, async () => {
      await this.database.finish(header);
      const { size } = await fs.promises.stat(this.place.temporary);
      await this.place.take();
      return size;
    });
  }

  async abandon(): Promise<void> {
    await this.database.close();
    await this.place.clear();
  }
}

async function doing<T>({ file }: Place, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw unusable(file, error);
  }
}

/** @throws {ExchangeError} exchange.fileExists; exchange.fileUnusable when something is there that is no plain file */
async function demandFree(file: string, overwrite: boolean): Promise<void> {
  try {
    const there = await fs.promises.lstat(file);
    if (!there.isFile()) throw new ExchangeError('exchange.fileUnusable', `${file} is there and is no plain file`);
    if (!overwrite) throw exists(file);
  } catch (error) {
    if (errnoCode(error) !== 'ENOENT') throw unusable(file, error);
  }
}

function exists(file: string): ExchangeError {
  return new ExchangeError('exchange.fileExists', `${file} is there already`);
}

function unusable(file: string, error: unknown): unknown {
  if (ExchangeError.is(error)) return error;
  if (DataError.is(error)) {
    // Of the thread that makes a database: its file calls are those of this file.
    return new ExchangeError('exchange.fileUnusable', `the database cannot be made (${error.message})`, {
      cause: error,
    });
  }
  const code = errnoCode(error);
  if (code === undefined) return error;
  const why = code === 'ENOENT' ? 'its folder is not there' : code;
  return new ExchangeError('exchange.fileUnusable', `${file} cannot be written (${why})`, { cause: error });
}
