import { createHash } from 'node:crypto';
import type { KeptRecord } from '../../src/core/data/dataStore';
import type { ExportFiles } from '../../src/core/data/exchange/dataExport';
import { ExchangeError } from '../../src/core/data/exchange/exchangeErrors';
import type { ExportHeader } from '../../src/core/data/exchange/exportFormat';

/** Exports that are kept in memory, under their names. */
export class MemoryExportFiles implements ExportFiles {
  readonly texts = new Map<string, string>();
  readonly databases = new Map<string, { readonly records: readonly KeptRecord[]; readonly header: ExportHeader }>();
  /** Of all files together. */
  restarts = 0;

  create: ExportFiles['create'] = async (file, { overwrite }) => {
    this.#demandFree(file, overwrite);
    let open = '';
    return {
      write: async (text) => void (open += text),
      digest: () => createHash('sha256').update(open).digest('hex'),
      restart: async () => {
        this.restarts += 1;
        open = '';
      },
      finish: async () => {
        this.#demandFree(file, overwrite);
        this.texts.set(file, open);
        return Buffer.byteLength(open);
      },
      abandon: async () => undefined,
    };
  };

  createDatabase: ExportFiles['createDatabase'] = async (file, { overwrite }) => {
    this.#demandFree(file, overwrite);
    let open: KeptRecord[] = [];
    return {
      writeRecords: async (records) => void open.push(...records),
      restart: async () => void (open = []),
      finish: async (header) => {
        this.#demandFree(file, overwrite);
        this.databases.set(file, { records: open, header });
        return open.length;
      },
      abandon: async () => undefined,
    };
  };

  #demandFree(file: string, overwrite: boolean): void {
    if (!overwrite && (this.texts.has(file) || this.databases.has(file)))
      throw new ExchangeError('exchange.fileExists', `${file} is there already`);
  }
}
