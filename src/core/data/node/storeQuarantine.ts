import fs from 'node:fs';
import nodePath from 'node:path';
import { DataError } from '../dataErrors';
import { errnoCode } from './fileSystem';
import type { AtStoreFaultPoint } from './storeFaultPoints';
import { asideName, isAside, moveAside } from './storeFiles';
import { readNote, removeNote, UNREADABLE, writeNote } from './storeNote';

/** Damaged stores that were put aside: told at every opening until a backup is restored or a person goes on without them. */
export interface Quarantined {
  /** What their main files, or what was left of them, are called now; empty when the note about them cannot be read. */
  readonly files: readonly string[];
  /** When the last one was put aside. */
  readonly atMs?: number;
}

/** Written before anything is moved, so that no interruption leaves an empty store that nobody was told of. */
const noteName = 'store.quarantined';

/** Of a Date. */
const MAX_TIME_MS = 8.64e15;

/** Moves every file of every generation aside; nothing is deleted. @throws {DataError} data.io when that is not possible now */
export function quarantine(folder: string, nowMs: number, at: AtStoreFaultPoint): Quarantined {
  const before = readQuarantined(folder)?.files ?? [];
  const aside = asideName(folder, nowMs, 'corrupt');
  const quarantined = { files: aside === undefined ? before : [...before, aside], atMs: nowMs };
  try {
    const files = quarantined.files.map((file) => nodePath.basename(file));
    writeNote(nodePath.join(folder, noteName), { files, atMs: nowMs });
    at('quarantine.noted');
    moveAside(folder, nowMs, 'corrupt');
    at('quarantine.aside');
  } catch (error) {
    const code = errnoCode(error);
    if (code === undefined) throw error;
    throw new DataError('data.io', `the damaged store cannot be put aside (${code})`, { cause: error });
  }
  return quarantined;
}

/** What a person was not told for good. A note of files that were not moved after all, or that a person took away, says nothing. */
export function readQuarantined(folder: string): Quarantined | undefined {
  const note = readNote(nodePath.join(folder, noteName));
  if (note === undefined) return undefined;
  const { files, atMs } = note === UNREADABLE ? {} : note;
  const names = (Array.isArray(files) ? files : []).filter((name) => typeof name === 'string');
  const there = new Set(fs.readdirSync(folder).filter((name) => isAside(name, 'corrupt')));
  if (names.length > 0 && there.size === 0) return undefined;
  return {
    files: names.filter((name) => there.has(name)).map((name) => nodePath.join(folder, name)),
    ...(typeof atMs === 'number' && Math.abs(atMs) < MAX_TIME_MS && { atMs }),
  };
}

/** A backup has taken the place, or a person goes on without what is in those files. They stay where they are. */
export function forgetQuarantined(folder: string): void {
  removeNote(nodePath.join(folder, noteName));
}
