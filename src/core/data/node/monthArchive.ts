import fs from 'node:fs';
import nodePath from 'node:path';
import { Worker } from 'node:worker_threads';
import { DataError } from '../dataErrors';
import type { KeptRecord } from '../dataStore';
import type { RecordArchive } from '../retention/retention';
import type { ArchiveMessage, ArchiveTask } from './archiveWriter';
import { fromWireError } from './storeProtocol';

export interface MonthArchiveOptions {
  /** Data folder of the workspace; the archive is in its folder `archive`. */
  readonly folder: string;
  /** Of the owner that writes. */
  readonly epoch: number;
  readonly workerFile: string;
  readonly wasmFile: string;
}

/** Of a workspace, in its data folder. */
export function archiveFolder(folder: string): string {
  return nodePath.join(folder, 'archive');
}

/** The files of all months, with what lies beside them; none when there is no archive. */
export function listMonths(folder: string): readonly string[] {
  const archive = archiveFolder(folder);
  return fs.existsSync(archive) ? fs.readdirSync(archive).map((name) => nodePath.join(archive, name)) : [];
}

/**
 * One store file for each month, `archive/<yyyy-mm>.<epoch>.db`: complete by itself, in the format of the store and readable by any
 * sqlite3. The epoch is that of the owner that wrote it, so that one who was suspended meanwhile and goes on can never put an older file
 * in the place of a newer; the next one who writes takes the contents of the others over and removes them.
 */
export class MonthArchive implements RecordArchive {
  constructor(private readonly options: MonthArchiveOptions) {}

  append(month: string, records: readonly KeptRecord[], signal: AbortSignal): Promise<void> {
    const { folder, epoch, workerFile, wasmFile } = this.options;
    const task: ArchiveTask = { archive: archiveFolder(folder), month, epoch, wasmFile, records };
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const worker = new Worker(workerFile, { workerData: task, name: 'store archive', execArgv: [], env: {} });
      let outcome: (() => void) | undefined;
      const onAbort = (): void => {
        outcome = () => reject(signal.reason);
        void worker.terminate();
      };
      signal.addEventListener('abort', onAbort, { once: true });
      worker.on('message', (message: ArchiveMessage) => {
        outcome ??= () => ('error' in message ? reject(fromWireError(message.error)) : resolve());
      });
      worker.on('error', (cause) => {
        outcome ??= () => reject(new DataError('data.io', 'the archive could not be written', { cause }));
      });
      worker.on('exit', () => {
        signal.removeEventListener('abort', onAbort);
        if (outcome) outcome();
        else reject(new DataError('data.io', 'writing the archive has ended without a result'));
      });
    });
  }
}
