import fs from 'node:fs';
import { applicationId } from './storeSchema';

/** The header of an SQLite file (sqlite.org/fileformat.html, 1.3): 100 bytes, numbers with the highest byte first. */
export const headerBytes = 100;
const magic = 'SQLite format 3\0';
const writeVersionAt = 18;
const readVersionAt = 19;
const schemaVersionAt = 60;
const applicationIdAt = 68;
const sqliteVersionAt = 96;

/** A file in WAL mode says 2; 1 stands for a file that is complete without a log beside it. */
const withoutLog = 1;

/**
 * Marks a complete main file as one without a log, as `PRAGMA journal_mode=DELETE` does: it can then be read from a folder that
 * cannot be written, and cannot be taken for a store in use. `bytes` begin at `position` of the file.
 */
export function markComplete(bytes: Uint8Array, position: number): void {
  for (const at of [writeVersionAt, readVersionAt]) {
    if (at >= position && at < position + bytes.length) bytes[at - position] = withoutLog;
  }
}

/** What the header of a backup says. */
export interface BackupHeader {
  readonly sizeBytes: number;
  readonly schemaVersion: number;
  /** Of the SQLite that wrote it last: `3.49.1`. */
  readonly sqliteVersion: string;
}

function backupHeader(file: string): BackupHeader | undefined {
  const found = lookAtBackup(file);
  return typeof found === 'string' ? undefined : found;
}

/** True when `file` is a regular file that {@link markComplete} and our mark are in. @throws what `open` throws */
export function isBackupFile(file: string): boolean {
  return backupHeader(file) !== undefined;
}

/** Undefined when it is no backup of ours, or cannot be read. */
export function readBackupHeader(file: string): BackupHeader | undefined {
  try {
    return backupHeader(file);
  } catch {
    return undefined; // as good as none
  }
}

/**
 * What a file that a person calls a backup is: `store`: one of ours in use, which may lack what is in its log; `other`: none of ours, or no
 * regular file. @throws what `open` throws
 */
export function lookAtBackup(file: string): BackupHeader | 'store' | 'other' {
  const stat = fs.lstatSync(file);
  if (!stat.isFile()) return 'other';
  const header = Buffer.alloc(headerBytes);
  const fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  try {
    if (fs.readSync(fd, header, 0, headerBytes, 0) < headerBytes) return 'other';
  } finally {
    fs.closeSync(fd);
  }
  const isOurs =
    header.toString('latin1', 0, magic.length) === magic && header.readUInt32BE(applicationIdAt) === applicationId;
  if (!isOurs) return 'other';
  if (header[writeVersionAt] !== withoutLog || header[readVersionAt] !== withoutLog) return 'store';
  const version = header.readUInt32BE(sqliteVersionAt);
  const sqliteVersion = `${Math.floor(version / 1_000_000)}.${Math.floor(version / 1000) % 1000}.${version % 1000}`;
  return { sizeBytes: stat.size, schemaVersion: header.readUInt32BE(schemaVersionAt), sqliteVersion };
}
