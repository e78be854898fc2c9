import fs from 'node:fs';
import { applicationId } from './storeSchema';

/** The header of an SQLite file (sqlite.org/fileformat.html, 1.3): 100 bytes, numbers with the highest byte first. */
export const headerBytes = 100;
const magic = 'SQLite format 3\0';
const writeVersionAt = 18;
const readVersionAt = 19;
const applicationIdAt = 68;

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

/** True when `file` is a regular file that {@link markComplete} and our mark are in. @throws what `open` throws */
export function isBackupFile(file: string): boolean {
  if (!fs.lstatSync(file).isFile()) return false;
  const header = Buffer.alloc(headerBytes);
  const fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  try {
    if (fs.readSync(fd, header, 0, headerBytes, 0) < headerBytes) return false;
  } finally {
    fs.closeSync(fd);
  }
  return (
    header.toString('latin1', 0, magic.length) === magic &&
    header[writeVersionAt] === withoutLog &&
    header[readVersionAt] === withoutLog &&
    header.readUInt32BE(applicationIdAt) === applicationId
  );
}
