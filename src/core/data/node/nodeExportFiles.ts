import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import nodePath from 'node:path';
import type { ExportFiles, ExportWriter } from '../exchange/dataExport';
import { ExchangeError } from '../exchange/exchangeErrors';
import { errnoCode } from './fileSystem';
import { syncFolder } from './storeFiles';

/** Exports on this machine's disk: a temporary file beside the name, synced, then renamed. Unix only gives others no right to read it. */
export class NodeExportFiles implements ExportFiles {
  async create(file: string, { overwrite }: { readonly overwrite: boolean }): Promise<ExportWriter> {
    if (!nodePath.isAbsolute(file)) throw new ExchangeError('exchange.fileUnusable', 'the name is no absolute path');
    await demandFree(file, overwrite);
    const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
    try {
      return new TemporaryFile(await fs.promises.open(temporary, 'wx', 0o600), temporary, file, overwrite);
    } catch (error) {
      throw unusable(error);
    }
  }
}

class TemporaryFile implements ExportWriter {
  #isOpen = true;
  #isPlaced = false;

  constructor(
    private readonly handle: fs.promises.FileHandle,
    private readonly temporary: string,
    private readonly file: string,
    private readonly overwrite: boolean,
  ) {}

  async write(text: string): Promise<void> {
    await this.#doing(() => this.handle.appendFile(text));
  }

  async restart(): Promise<void> {
    await this.#doing(() => this.handle.truncate(0));
  }

  async finish(): Promise<number> {
    return this.#doing(async () => {
      await this.handle.sync();
      const { size } = await this.handle.stat();
      await this.#close();
      await this.#place();
      this.#isPlaced = true;
      syncFolder(nodePath.dirname(this.file));
      return size;
    });
  }

  async abandon(): Promise<void> {
    if (this.#isPlaced) return;
    await this.#close();
    await fs.promises.rm(this.temporary, { force: true });
  }

  /** `link` refuses a name that came into being meanwhile; `rename` would replace it. */
  async #place(): Promise<void> {
    if (this.overwrite) {
      await demandFree(this.file, true);
      return fs.promises.rename(this.temporary, this.file);
    }
    try {
      await fs.promises.link(this.temporary, this.file);
    } catch (error) {
      if (errnoCode(error) === 'EEXIST') throw exists(this.file);
      // A file system without hard links.
      await demandFree(this.file, false);
      return fs.promises.rename(this.temporary, this.file);
    }
    await fs.promises.rm(this.temporary, { force: true });
  }

  async #close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.handle.close();
  }

  async #doing<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw unusable(error);
    }
  }
}

/** @throws {ExchangeError} exchange.fileExists; exchange.fileUnusable when something is there that is no plain file */
async function demandFree(file: string, overwrite: boolean): Promise<void> {
  try {
    const there = await fs.promises.lstat(file);
    if (!there.isFile()) throw new ExchangeError('exchange.fileUnusable', 'what is there is no plain file');
    if (!overwrite) throw exists(file);
  } catch (error) {
    if (errnoCode(error) !== 'ENOENT') throw unusable(error);
  }
}

function exists(file: string): ExchangeError {
  return new ExchangeError('exchange.fileExists', `${file} is there already`);
}

function unusable(error: unknown): unknown {
  const code = errnoCode(error);
  if (ExchangeError.is(error) || code === undefined) return error;
  return new ExchangeError('exchange.fileUnusable', `the file cannot be written (${code})`, { cause: error });
}
