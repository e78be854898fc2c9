import fs from 'node:fs';
import nodePath from 'node:path';
import type { Clock } from '../../base/clock';
import { sleep } from '../../base/clock';
import { DataError } from '../dataErrors';
import { errnoCode } from './fileSystem';
import { readHighWater } from './highWater';

/**
 * A store's main file is called `store-<n>.db`, where n is the epoch of the owner that made this file: a new store, or
 * a copy made after a forced take-over. The highest n that has a main file is the store; lower ones are left over
 * from an interrupted copy. docs/adr/0004 explains the copy.
 */
export interface StorePaths {
  readonly generation: number;
  readonly main: string;
  readonly highWater: string;
}

const companions = ['-wal', '-journal', '.high'] as const;

/** Longer than a tick of any file system's clock, so that a later write always shows in the modification time. */
const quietMs = 50;

export function storePaths(folder: string, generation: number): StorePaths {
  const main = nodePath.join(folder, `store-${generation}.db`);
  return { generation, main, highWater: `${main}.high` };
}

/** The store in `folder`, if there is one. */
export function findStore(folder: string): StorePaths | undefined {
  const generation = Math.max(0, ...generations(folder));
  return generation > 0 ? storePaths(folder, generation) : undefined;
}

/** Generations that have a main file. */
function generations(folder: string): number[] {
  return numbered(folder, /^store-([1-9]\d{0,14})\.db$/);
}

function numbered(folder: string, pattern: RegExp): number[] {
  return fs
    .readdirSync(folder)
    .flatMap((name) => pattern.exec(name)?.[1] ?? [])
    .map(Number);
}

/** Highest change noted by a store whose main file is gone; 0 when there is no such trace. */
export function orphanedSeq(folder: string): number {
  const seqs = numbered(folder, /^store-([1-9]\d{0,14})\.db\.high$/).map((generation) => {
    const found = readHighWater(storePaths(folder, generation).highWater);
    return found.kind === 'seq' ? found.seq : 0;
  });
  return Math.max(0, ...seqs);
}

/**
 * True when the main file is empty but its companions say that it was not: SQLite would begin a new database there
 * and throw the log away.
 */
export function isEmptied({ main, highWater }: StorePaths): boolean {
  if (sizeOf(main) > 1) return false; // SQLite takes one byte for none (os_unix.c, unixFileSize)
  const noted = readHighWater(highWater);
  return sizeOf(`${main}-wal`) > 0 || noted.kind === 'damaged' || (noted.kind === 'seq' && noted.seq > 0);
}

/** True when whoever had the store open last did not close it: closing empties the log. */
export function hasLog({ main }: StorePaths): boolean {
  return sizeOf(`${main}-wal`) > 0;
}

function sizeOf(path: string): number {
  return fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/**
 * Copies the store to files of a new generation, for when somebody suspended may still hold the old ones open:
 * whatever that process writes later lands in files that nobody reads any more. Every file of the new generation is
 * complete and synced before its main file appears under its name (one rename), so an interruption leaves the old
 * store in force and the copy is made again.
 * @throws {DataError} data.io when somebody keeps writing to the old files
 */
export async function copyToFreshFiles(folder: string, generation: number, clock: Clock): Promise<boolean> {
  const from = findStore(folder);
  if (!from || from.generation >= generation) return false;
  const to = storePaths(folder, generation);
  const temporary = `${to.main}.tmp`;
  for (let attempt = 0; attempt < 100; attempt++) {
    const before = fingerprint(from);
    if (clock.nowMs() - before.newestMs >= quietMs || before.newestMs > clock.nowMs()) {
      for (const suffix of companions) copy(from.main + suffix, to.main + suffix);
      copy(from.main, temporary);
      if (fingerprint(from).text === before.text) {
        syncFolder(folder); // a main file whose log has lost its name would be an older store
        fs.renameSync(temporary, to.main);
        syncFolder(folder);
        return true;
      }
    }
    await sleep(clock, quietMs);
  }
  throw new DataError('data.io', 'the former owner keeps writing to the store');
}

/** Sizes and times of a store's files: equal before and after a copy = nobody wrote meanwhile. */
function fingerprint({ main }: StorePaths): { readonly text: string; readonly newestMs: number } {
  const stats = ['', ...companions].map((suffix) =>
    fs.statSync(main + suffix, { bigint: true, throwIfNoEntry: false }),
  );
  const text = stats.map((stat) => (stat ? `${stat.ino} ${stat.size} ${stat.mtimeNs}` : '-')).join(' ');
  return { text, newestMs: Math.max(0, ...stats.map((stat) => Number(stat?.mtimeMs ?? 0))) };
}

function copy(from: string, to: string): void {
  fs.rmSync(to, { force: true });
  try {
    fs.copyFileSync(from, to);
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return; // a companion that is not there
    throw error;
  }
  const fd = fs.openSync(to, 'r+');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Removes what is left over beside the store in force: lower generations, interrupted copies and restores. */
export function removeLeftovers(folder: string, inForce: StorePaths): void {
  for (const name of fs.readdirSync(folder)) {
    const match = /^store-(\d+)\.db(-wal|-journal|\.high|\.tmp)?$/.exec(name);
    const isInterrupted = /^restore\.[0-9a-f]{12}\.tmp$/.test(name);
    if (isInterrupted || (match && Number(match[1]) !== inForce.generation))
      fs.rmSync(nodePath.join(folder, name), { force: true });
  }
}

type WhyAside = 'corrupt' | 'replaced';

/**
 * Moves every file of every generation aside, under names that end in `.<why>-<time>`; nothing is deleted. Returns the new name of the main
 * file in force (or of what is left of it); undefined when there was nothing.
 */
export function moveAside(folder: string, nowMs: number, why: WhyAside): string | undefined {
  const moved = asideName(folder, nowMs, why);
  const suffix = asideSuffix(nowMs, why);
  for (const name of filesOf(folder)) fs.renameSync(nodePath.join(folder, name), nodePath.join(folder, name + suffix));
  if (moved !== undefined) syncFolder(folder);
  return moved;
}

/** What {@link moveAside} would return. */
export function asideName(folder: string, nowMs: number, why: WhyAside): string | undefined {
  const [first] = filesOf(folder);
  if (first === undefined) return undefined;
  return (findStore(folder)?.main ?? nodePath.join(folder, first)) + asideSuffix(nowMs, why);
}

function asideSuffix(nowMs: number, why: WhyAside): string {
  return `.${why}-${new Date(nowMs).toISOString().replaceAll(':', '').replace('.', '')}`;
}

/** Of every generation. */
function filesOf(folder: string): readonly string[] {
  return fs.readdirSync(folder).filter((name) => /^store-\d+\.db(-wal|-journal|\.high|\.tmp)?$/.test(name));
}

/** True for the name of a file that {@link moveAside} put aside, for this reason or any. */
export function isAside(name: string, why?: WhyAside): boolean {
  const found = /^store-\d+\.db(?:-wal|-journal|\.high|\.tmp)?\.(corrupt|replaced)-/.exec(name)?.[1];
  return why === undefined ? found !== undefined : found === why;
}

/** {@link hasLog} of a main file that {@link moveAside} put aside: what is in its log is not in it. */
export function hasAsideLog(main: string): boolean {
  const name = nodePath.basename(main).replace(/\.db\./, '.db-wal.');
  return sizeOf(nodePath.join(nodePath.dirname(main), name)) > 0;
}

/** Makes `folder`, and what is missing above it, with mode 0700, and makes their names durable: what is in a folder is lost with its name. */
export function makeFolder(folder: string): void {
  const first = fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return; // it is there
  for (let made = nodePath.resolve(folder); made.length >= first.length; made = nodePath.dirname(made))
    syncFolder(nodePath.dirname(made));
}

/** Makes new names durable. */
export function syncFolder(folder: string): void {
  const fd = fs.openSync(folder, fs.constants.O_RDONLY);
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}
