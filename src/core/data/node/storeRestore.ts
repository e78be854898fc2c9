import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import nodePath from 'node:path';
import { DataError } from '../dataErrors';
import type { BackupReport, MaintenanceOptions, StoreFinding } from '../durableStore';
import { errnoCode } from './fileSystem';
import { copyComplete } from './placeCopy';
import type { AtStoreFaultPoint } from './storeFaultPoints';
import { moveAside, storePaths, syncFolder } from './storeFiles';
import { readNote, removeNote, UNREADABLE, writeNote } from './storeNote';
import { forgetQuarantined } from './storeQuarantine';
import { isBackupFile } from './storeHeader';
import type { RunCheck } from './storeMaintenance';

/** A checked copy of a backup that takes the store's place at the next opening. */
const waitingName = 'store.restore';
/** What that copy is of; `told` once it has taken the place, until a person was told. */
const aboutName = 'store.restore.about';
const toldName = 'store.restored';

export interface PrepareRestoreOptions extends MaintenanceOptions {
  /** Data folder of the workspace. Its store may be open: it is not touched now. */
  readonly folder: string;
  readonly backup: string;
  readonly runCheck: RunCheck;
  readonly wasmFile: string;
  /** The backup of the present store that was made before, to be told afterwards. */
  readonly presentBackup?: string;
}

/** What took the store's place. Everything but `replacedFile` is missing when the note about it was lost. */
export interface AppliedRestore {
  /** The former store, the last one that an owner has worked with, kept under this name with its companions; absent when there was none. */
  readonly replacedFile?: string;
  /** The backup that was restored. */
  readonly backup?: string;
  /** Highest change in it. */
  readonly seq?: number;
  readonly records?: number;
  /** Backup of that store. */
  readonly presentBackup?: string;
}

/**
 * Checks a backup completely and puts a copy of it where the next opening of the store takes it over, in one step. Until then nothing
 * has changed, and {@link cancelRestore} takes it back. A later one replaces an earlier one.
 * @throws {DataError} data.fileUnusable (no backup of this product), data.newerSchema (a newer product made it), data.corrupt (it is damaged), data.io; what aborted it
 */
export async function prepareRestore(options: PrepareRestoreOptions): Promise<BackupReport> {
  const {
    folder,
    backup,
    runCheck,
    wasmFile,
    presentBackup,
    onProgress,
    signal = new AbortController().signal,
  } = options;
  if (!isBackup(backup)) throw new DataError('data.fileUnusable', `${backup} is not a backup of this product`);
  const temporary = nodePath.join(folder, `restore.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await copyComplete(backup, temporary, signal, onProgress);
    const task = { file: temporary, wasmFile, depth: 'full' } as const;
    const { isWhole, findings, seq, records } = await runCheck(task, signal, onProgress);
    if (!isWhole) throw unusable(findings);
    signal.throwIfAborted();
    const { size: sizeBytes } = await fs.promises.stat(temporary);
    const about: AppliedRestore = { backup, seq, records, ...(presentBackup !== undefined && { presentBackup }) };
    writeNote(nodePath.join(folder, aboutName), about);
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
  for (const name of [waitingName, aboutName]) fs.rmSync(nodePath.join(folder, name), { force: true });
}

/**
 * Takes over what {@link prepareRestore} left: the present store goes aside under names that end in `.replaced-<time>`, and the copy
 * becomes the store of this owner. What is interrupted is done again by the next opening, because the copy gets its name last.
 * Returns what has taken the place, now or in an opening before that could not tell it; undefined when nothing has.
 */
export function applyRestore(
  folder: string,
  epoch: number,
  nowMs: number,
  at: AtStoreFaultPoint = () => undefined,
): AppliedRestore | undefined {
  const waiting = nodePath.join(folder, waitingName);
  const told = nodePath.join(folder, toldName);
  if (!fs.existsSync(waiting)) return readApplied(told);
  const moved = moveAside(folder, nowMs, 'replaced');
  const about = readApplied(nodePath.join(folder, aboutName));
  const restored = { ...about, ...(moved !== undefined && { replacedFile: moved }), ...formerOf(readApplied(told)) };
  writeNote(told, restored); // it is told also when the power goes right after the copy got its name
  at('restore.aside');
  fs.renameSync(waiting, storePaths(folder, epoch).main);
  removeNote(nodePath.join(folder, aboutName));
  syncFolder(folder);
  forgetQuarantined(folder); // what was damaged is mended
  at('restore.named');
  return restored;
}

/** Of a restore that no owner has gone on with: what it has put in the place of this store was never worked with. */
function formerOf({ replacedFile, presentBackup }: AppliedRestore = {}): AppliedRestore {
  if (replacedFile === undefined) return {};
  return presentBackup === undefined ? { replacedFile } : { replacedFile, presentBackup };
}

/** The person was told, or will be by what is kept now: the next opening says nothing about it. */
export function forgetRestored(folder: string): void {
  removeNote(nodePath.join(folder, toldName));
}

/** It carries our mark: what is foreign about it is a newer schema. */
function unusable(findings: readonly StoreFinding[]): DataError {
  const [first] = findings.filter(({ code }) => code !== 'check.search'); // which alone damages nothing
  const message = first?.message ?? '';
  const isNewer = findings.some(({ code }) => code === 'check.foreign');
  if (isNewer) return new DataError('data.newerSchema', `the backup cannot be restored here: ${message}`);
  return new DataError('data.corrupt', `the backup is damaged: ${message}`);
}

/** Only for telling: what cannot be read is told without details. */
function readApplied(file: string): AppliedRestore | undefined {
  const fields = readNote(file);
  if (fields === undefined) return undefined;
  if (fields === UNREADABLE) return {};
  const text = (name: string): object => (typeof fields[name] === 'string' ? { [name]: fields[name] } : {});
  const count = (name: string): object => (Number.isSafeInteger(fields[name]) ? { [name]: fields[name] } : {});
  return { ...text('replacedFile'), ...text('backup'), ...text('presentBackup'), ...count('seq'), ...count('records') };
}

function isBackup(file: string): boolean {
  try {
    return isBackupFile(file);
  } catch {
    return false; // the caller says so
  }
}
