import { createHash } from 'node:crypto';
import fs from 'node:fs';
import nodePath from 'node:path';
import { ExchangeError } from '../exchange/exchangeErrors';
import type { Digest, ImportFiles, ImportSource } from '../exchange/importReader';
import { errnoCode } from './fileSystem';

const chunkBytes = 64 * 1024;

/** Files of exports on this machine's disk, and SHA-256. */
export const nodeImportFiles: ImportFiles & { readonly newDigest: () => Digest } = {
  async open(file) {
    if (!nodePath.isAbsolute(file)) throw new ExchangeError('exchange.fileUnusable', 'the name is no absolute path');
    // Opening a pipe must not wait for whoever writes into it.
    const flags = fs.constants.O_RDONLY | fs.constants.O_NONBLOCK;
    const handle = await reading(file, () => fs.promises.open(file, flags));
    try {
      const stat = await reading(file, () => handle.stat());
      if (!stat.isFile()) throw new ExchangeError('exchange.fileUnreadable', `${file} is no plain file`);
      return new OpenFile(file, handle, stat.size);
    } catch (error) {
      await handle.close();
      throw error;
    }
  },
  newDigest() {
    const hash = createHash('sha256');
    return { update: (bytes) => void hash.update(bytes), hex: () => hash.copy().digest('hex') };
  },
};

class OpenFile implements ImportSource {
  constructor(
    private readonly file: string,
    private readonly handle: fs.promises.FileHandle,
    readonly sizeBytes: number,
  ) {}

  /** Each portion is gone when the next one is asked for. */
  async *read(): AsyncGenerator<Uint8Array> {
    const buffer = Buffer.alloc(chunkBytes);
    for (let position = 0; ;) {
      const { bytesRead } = await reading(this.file, () => this.handle.read(buffer, 0, chunkBytes, position));
      if (bytesRead === 0) return;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}

/** @throws {ExchangeError} exchange.fileUnreadable */
async function reading<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = errnoCode(error);
    if (code === undefined || ExchangeError.is(error)) throw error;
    const what = code === 'ENOENT' ? `there is no file ${file}` : `${file} cannot be read (${code})`;
    throw new ExchangeError('exchange.fileUnreadable', what, { cause: error });
  }
}
