import { randomInt } from 'node:crypto';
import fs from 'node:fs';
import { DataError } from '../dataErrors';
import type { FileSystem } from './fileSystem';
import type { SqlEngine } from './sqlEngine';
import { number } from './storeSchema';

/** SQLite writes whole numbers from 2^31 up to here as six bytes, the highest first (sqlite.org/fileformat2.html, 2.1). */
const marks = { from: 2 ** 40, below: 2 ** 47 } as const;
const markBytes = 6;

const syncedAtCommit = 2; // `synchronous=FULL`
const pieceBytes = 64 * 1024;

/**
 * Makes a durable write of a mark that was never written before and looks for it in the file of the log, past the engine: what the engine
 * says of itself proves nothing. That a commit waits for the disk cannot be seen in a file: for that the modes are read back, and
 * the engine whose file calls are ours must have made the call.
 * @throws {DataError} data.engineUnavailable when what is promised would not be true; data.corrupt when the store has lost its own numbers
 * @throws {SqlEngineError} and errors of file calls, as they come
 */
export function proveWrites(engine: SqlEngine, files: FileSystem, mainFile: string, epoch: number): void {
  const before = engine.stats();
  const mark = randomInt(marks.from, marks.below);
  engine.begin(true);
  try {
    requireModes(engine);
    const changed =
      engine.run("UPDATE meta SET value = max(value + 1, ?) WHERE name = 'epoch'", [epoch]) +
      engine.run("UPDATE meta SET value = ? WHERE name = 'probe'", [mark]);
    if (changed !== 2) throw new DataError('data.corrupt', 'the numbers of the store itself are damaged');
    engine.commit();
  } catch (error) {
    engine.rollback();
    throw error;
  }
  const isSynced = engine.stats().syncCount > before.syncCount;
  const kept = number(engine, "SELECT value FROM meta WHERE name = 'probe'");
  if (!isSynced || kept !== mark || files.stat(mainFile).size === 0 || !holds(files, `${mainFile}-wal`, mark))
    throw new DataError('data.engineUnavailable', 'a test write did not reach the disk');
}

function requireModes(engine: SqlEngine): void {
  const journal = engine.get('PRAGMA journal_mode')?.[0];
  const synchronous = number(engine, 'PRAGMA synchronous');
  if (journal === 'wal' && synchronous >= syncedAtCommit) return;
  const detail = `a commit would not wait for the disk (journal_mode ${String(journal)}, synchronous ${synchronous})`;
  throw new DataError('data.engineUnavailable', detail);
}

/** True when `mark` stands in the file, as SQLite writes it. */
function holds(files: FileSystem, file: string, mark: number): boolean {
  const wanted = Buffer.alloc(markBytes);
  wanted.writeUIntBE(mark, 0, markBytes);
  const fd = files.open(file, fs.constants.O_RDONLY);
  try {
    const buffer = Buffer.alloc(markBytes + pieceBytes);
    let kept = 0; // the end of the piece before, where the mark may begin
    for (let position = 0; ;) {
      const read = files.read(fd, buffer, kept, pieceBytes, position);
      if (read === 0) return false;
      const piece = buffer.subarray(0, kept + read);
      if (piece.includes(wanted)) return true;
      position += read;
      kept = Math.min(markBytes - 1, piece.length);
      piece.copyWithin(0, piece.length - kept);
    }
  } finally {
    files.close(fd);
  }
}
