import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import nodePath from 'node:path';
import { DataError } from '../dataErrors';
import type { KeptRecord } from '../dataStore';
import { errnoCode } from './fileSystem';
import { frozenFiles } from './frozenFiles';
import { openSqlJsEngine, openSqlJsReader } from './sqlJsEngine';
import { type SqlEngine, SqlEngineError } from './sqlEngine';
import { headerBytes, markComplete } from './storeHeader';
import { toWireError, type WireError } from './storeProtocol';
import { makeFolder, syncFolder } from './storeFiles';
import { migrate } from './storeSchema';
import { insertChange, insertRecord, lastSeq, readRecord, updateRecord } from './storeSql';

/** What the thread that writes is told; plain data. */
export interface ArchiveTask {
  /** Folder of the archive. */
  readonly archive: string;
  /** `2026-11` */
  readonly month: string;
  readonly epoch: number;
  readonly wasmFile: string;
  readonly records: readonly KeptRecord[];
}

export type ArchiveMessage = { readonly isWritten: true } | { readonly error: WireError };

interface ArchiveFile {
  readonly file: string;
  readonly epoch: number;
}

/** Files of a month, that of the highest epoch last. */
export function archiveFiles(archive: string, month: string): readonly ArchiveFile[] {
  if (!fs.existsSync(archive)) return [];
  const found = fs.readdirSync(archive).flatMap((name): ArchiveFile[] => {
    const [, of, epoch] = /^(\d{4,6}-\d{2})\.([1-9]\d{0,14})\.db$/.exec(name) ?? [];
    return of === month ? [{ file: nodePath.join(archive, name), epoch: Number(epoch) }] : [];
  });
  return found.sort((a, b) => a.epoch - b.epoch);
}

/**
 * Writes the archive of a month anew with more records: beside the present one, synced, then named. On any failure the present files
 * are what they were. @throws {DataError} data.io, data.corrupt (a present file is damaged: nothing was written), data.newerSchema, data.fenced
 */
export async function writeArchive(task: ArchiveTask): Promise<void> {
  const { archive, month, epoch, wasmFile, records } = task;
  const temporary = nodePath.join(archive, `${month}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    makeFolder(archive);
    removeInterrupted(archive, month);
    const present = archiveFiles(archive, month);
    const newest = present.at(-1);
    if (newest && newest.epoch > epoch) throw new DataError('data.fenced', 'another owner writes the archive');
    if (newest) fs.copyFileSync(newest.file, temporary, fs.constants.COPYFILE_FICLONE);
    const others = present.slice(0, -1).map(({ file }) => file);
    await fill(temporary, wasmFile, records, others);
    seal(temporary);
    fs.renameSync(temporary, nodePath.join(archive, `${month}.${epoch}.db`));
    syncFolder(archive);
    for (const old of present) if (old.epoch < epoch) fs.rmSync(old.file, { force: true });
  } catch (error) {
    for (const suffix of ['', '-wal', '-journal']) fs.rmSync(temporary + suffix, { force: true });
    throw explain(error);
  }
}

/** What a process left that was killed. Only one thread of the owner writes at a time. */
function removeInterrupted(archive: string, month: string): void {
  for (const name of fs.readdirSync(archive)) {
    if (name.startsWith(`${month}.`) && /\.[0-9a-f]{12}\.tmp(-wal|-journal)?$/.test(name))
      fs.rmSync(nodePath.join(archive, name), { force: true });
  }
}

async function fill(
  file: string,
  wasmFile: string,
  records: readonly KeptRecord[],
  others: readonly string[],
): Promise<void> {
  const engine = await openSqlJsEngine(file, wasmFile);
  try {
    migrate(engine);
    for (const other of others) await copyAll(other, wasmFile, engine);
    engine.begin(true);
    records.forEach((record) => add(engine, record));
    engine.commit();
    if (!engine.checkpoint()) throw new DataError('data.io', 'the archive could not be written completely');
  } finally {
    engine.close();
  }
  const { size } = fs.statSync(file);
  if (size === 0) throw new DataError('data.io', 'the archive is empty');
}

/** What an earlier owner archived of the same month. */
async function copyAll(from: string, wasmFile: string, engine: SqlEngine): Promise<void> {
  const source = await openSqlJsReader(from, wasmFile, frozenFiles(from));
  try {
    for (let after = 0; ;) {
      const rows = source.all('SELECT rowid, kind, id FROM records WHERE rowid > ? ORDER BY rowid LIMIT 500', [after]);
      engine.begin(false);
      for (const [, kind, id] of rows) {
        const record = readRecord(source, String(kind), String(id));
        if (record) add(engine, record);
      }
      engine.commit();
      const last = rows.at(-1)?.[0];
      if (last === undefined) return;
      after = Number(last);
    }
  } finally {
    source.close();
  }
}

/** The version that was written last is the one that stays. */
function add(engine: SqlEngine, record: KeptRecord): void {
  const { kind, id, version, updatedAtMs } = record;
  const present = readRecord(engine, kind, id);
  const isOlder = present && present.updatedAtMs > updatedAtMs;
  if (isOlder || (present?.updatedAtMs === updatedAtMs && present.version >= version)) return;
  if (present) updateRecord(engine, record);
  else insertRecord(engine, record);
  insertChange(engine, { seq: lastSeq(engine) + 1, kind, id, op: 'put', version, atMs: updatedAtMs });
}

/** Complete without a log, private, and on the disk. */
function seal(file: string): void {
  fs.chmodSync(file, 0o600);
  const fd = fs.openSync(file, 'r+');
  try {
    const header = Buffer.alloc(headerBytes);
    fs.readSync(fd, header, 0, headerBytes, 0);
    markComplete(header, 0);
    fs.writeSync(fd, header, 0, headerBytes, 0);
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
  for (const suffix of ['-wal', '-journal']) fs.rmSync(file + suffix, { force: true });
}

function explain(error: unknown): unknown {
  if (DataError.is(error)) return error;
  const errno = errnoCode(error);
  if (errno !== undefined)
    return new DataError('data.io', `the archive cannot be written (${errno})`, { cause: error });
  if (!(error instanceof SqlEngineError)) return error;
  const code = error.kind === 'corrupt' ? 'data.corrupt' : 'data.io';
  return new DataError(code, `the archive cannot be written: ${error.message}`, { cause: error });
}

/** For the thread: says how it ended. */
export async function archiveAndTell(task: ArchiveTask, tell: (message: ArchiveMessage) => void): Promise<void> {
  try {
    await writeArchive(task);
    tell({ isWritten: true });
  } catch (error) {
    tell({ error: toWireError(error) });
  }
}
