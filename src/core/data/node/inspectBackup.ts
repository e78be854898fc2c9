import type { MaintenanceOptions } from '../durableStore';
import type { InspectedFile, UnusableBackup } from '../storeCare';
import { errnoCode } from './fileSystem';
import { type BackupHeader, lookAtBackup } from './storeHeader';
import type { RunCheck } from './storeMaintenance';
import { newestSchema } from './storeSchema';

export interface InspectBackupOptions extends MaintenanceOptions {
  readonly file: string;
  /** Whose values are told. */
  readonly kind: string;
  readonly runCheck: RunCheck;
  readonly wasmFile: string;
}

/**
 * Looks at a file that a person wants to restore: its header first, then all of it. Changes nothing and copies nothing; a restore checks
 * its own copy again. @throws {DataError} data.io; what aborted it
 */
export async function inspectBackup(options: InspectBackupOptions): Promise<InspectedFile> {
  const { file, kind, runCheck, wasmFile, onProgress, signal = new AbortController().signal } = options;
  const unusable = (why: UnusableBackup['why'], detail = ''): UnusableBackup => ({ isUsable: false, why, detail });
  let header: BackupHeader | 'store' | 'other';
  try {
    header = lookAtBackup(file);
  } catch (error) {
    return unusable('unreadable', errnoCode(error));
  }
  if (typeof header === 'string') return unusable(header);
  const { schemaVersion, sizeBytes } = header;
  if (schemaVersion > newestSchema) return unusable('newer', `schema ${schemaVersion}, here ${newestSchema}`);
  const task = { file, wasmFile, depth: 'full', listed: kind } as const;
  const { isWhole, findings, seq, records, contents } = await runCheck(task, signal, onProgress);
  const worst = findings.find(({ code }) => code === 'check.record') ?? findings[0]; // a record says more to a person than a page
  if (!isWhole) return unusable('damaged', worst?.message);
  return { isUsable: true, file, sizeBytes, schemaVersion, seq, records, ...(contents && { contents }) };
}
