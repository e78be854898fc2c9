import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import nodePath from 'node:path';
import { DataError } from '../dataErrors';
import type { BackupReport } from '../durableStore';
import { errnoCode } from './fileSystem';
import { copyComplete } from './placeCopy';
import { moveAside, storePaths, syncFolder } from './storeFiles';
import { isBackupFile } from './storeHeader';
import type { RunCheck } from './storeMaintenance';

/** A checked copy of a backup that takes the store's place at the next opening. */
const waitingName = 'store.restore';

export interface PrepareRestoreOptions {
  /** Data folder of the workspace. Its store may be open: it is not touched now. */
  readonly folder: string;
  readonly backup: string;
  readonly runCheck: RunCheck;
  readonly wasmFile: string;
  readonly signal?: AbortSignal;
}

/**
 * Checks a backup completely and puts a copy of it where the next opening of the store takes it over, in one step. Until then nothing
 * has changed, and {@link cancelRestore} takes it back. A later one replaces an earlier one.
 * @throws {DataError} data.invalid (no backup of this product), data.corrupt (it is damaged), data.io; what aborted it
 */
export async function prepareRestore(options: PrepareRestoreOptions): Promise<BackupReport> {
  const { folder, backup, runCheck, wasmFile, signal = new AbortController().signal } = options;
  if (!isBackup(backup)) throw new DataError('data.invalid', `${backup} is not a backup of this product`);
  const temporary = nodePath.join(folder, `restore.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await copyComplete(backup, temporary, signal);
    const { isWhole, findings, seq, records } = await runCheck({ file: temporary, wasmFile, depth: 'full' }, signal);
    if (!isWhole) throw new DataError('data.corrupt', `the backup is damaged: ${findings[0]?.message ?? ''}`);
    signal.throwIfAborted();
    const { size: sizeBytes } = await fs.promises.stat(temporary);
    await fs.promises.rename(temporary, nodePath.join(folder, waitingName));
    syncFolder(folder);
    return { file: backup, sizeBytes, seq, records };
  } catch (error) {
    await fs.promises.rm(temporary, { force: true });
    const code = errnoCode(error);
    if (code === undefined || DataError.is(error)) throw error;
    throw new DataError('data.io', `the backup cannot be taken over (${code})`, { cause: error });
  }
}

/** Takes a prepared restore back; nothing happens when there is none. @throws what `rm` throws */
export function cancelRestore(folder: string): void {
  fs.rmSync(nodePath.join(folder, waitingName), { force: true });
}

/**
 * Takes over what {@link prepareRestore} left: the present store goes aside under names that end in `.replaced-<time>`, and the copy
 * becomes the store of this owner. What is interrupted is done again by the next opening, because the copy gets its name last.
 * Returns where the former store is, or undefined when nothing was prepared.
 */
export function applyRestore(
  folder: string,
  epoch: number,
  nowMs: number,
): { readonly replacedFile?: string } | undefined {
  const waiting = nodePath.join(folder, waitingName);
  if (!fs.existsSync(waiting)) return undefined;
  const replacedFile = moveAside(folder, nowMs, 'replaced');
  fs.renameSync(waiting, storePaths(folder, epoch).main);
  syncFolder(folder);
  return replacedFile === undefined ? {} : { replacedFile };
}

function isBackup(file: string): boolean {
  try {
    return isBackupFile(file);
  } catch {
    return false; // the caller says so
  }
}
