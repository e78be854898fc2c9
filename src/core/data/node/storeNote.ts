import fs from 'node:fs';
import nodePath from 'node:path';
import { errnoCode } from './fileSystem';
import { syncFolder } from './storeFiles';

/** What a note says that is there and cannot be read. */
export const UNREADABLE = Symbol('unreadable');

/** Keeps a small note in a file, private and in one step: an interrupted one leaves the former. On the disk when this returns, and its name, too. */
export function writeNote(file: string, note: object): void {
  const temporary = `${file}.tmp`;
  const fd = fs.openSync(temporary, 'w', 0o600);
  try {
    fs.writeFileSync(fd, JSON.stringify(note));
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
  fs.renameSync(temporary, file);
  syncFolder(nodePath.dirname(file));
}

/** Undefined when there is none. What it says may be of another version, or damaged: everything is looked at before it is used. */
export function readNote(file: string): Readonly<Record<string, unknown>> | typeof UNREADABLE | undefined {
  try {
    const value: unknown = JSON.parse(fs.readFileSync(file, 'utf8'));
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : UNREADABLE;
  } catch (error) {
    return errnoCode(error) === 'ENOENT' ? undefined : UNREADABLE;
  }
}

export function removeNote(file: string): void {
  fs.rmSync(file, { force: true });
}
