import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import nodePath from 'node:path';
import { DataError } from '../dataErrors';
import type { BackupReport, MaintenanceOptions, StoreCheckReport } from '../durableStore';
import { errnoCode } from './fileSystem';
import { syncFolder } from './storeFiles';
import { isBackupFile, markComplete } from './storeHeader';

export interface PlaceCopyOptions {
  /** Absolute; its folder is there. */
  readonly to: string;
  readonly signal: AbortSignal;
  readonly onProgress?: MaintenanceOptions['onProgress'];
  /** Calls its parameter with the file to copy, at a time at which that does not change. */
  readonly copy: (write: (from: string) => Promise<void>) => Promise<void>;
  /** Looks at the copy before it gets its name; what it throws ends all. */
  readonly check: (file: string) => Promise<StoreCheckReport>;
}

const chunkBytes = 1024 * 1024;
/** Every so often is told how far a copy is. */
const toldBytes = 16 * chunkBytes;

/**
 * Copies a complete main file to a temporary file beside `to`, synced, checks it, and gives it its name in one step. An existing file
 * is replaced only if it is a backup of this product. On any failure nothing is left behind and `to` is what it was.
 * @throws {DataError} data.fileUnusable, data.io; what `copy`, `check` and the signal throw
 */
export async function placeCopy({ to, signal, onProgress, copy, check }: PlaceCopyOptions): Promise<BackupReport> {
  if (!nodePath.isAbsolute(to)) throw new DataError('data.fileUnusable', 'the name of a backup is an absolute path');
  refuseOthers(to);
  const temporary = `${to}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await copy((from) => copyComplete(from, temporary, signal, onProgress));
    const { seq, records } = await check(temporary);
    signal.throwIfAborted();
    refuseOthers(to);
    await fs.promises.rename(temporary, to);
    syncFolder(nodePath.dirname(to));
    const { size: sizeBytes } = await fs.promises.stat(to);
    return { file: to, sizeBytes, seq, records };
  } catch (error) {
    await fs.promises.rm(temporary, { force: true });
    if (errnoCode(error) === undefined || DataError.is(error)) throw error;
    throw new DataError('data.io', `the backup cannot be written (${errnoCode(error)})`, { cause: error });
  }
}

/** @throws {DataError} data.fileUnusable when its folder is not there, or something else than a backup of ours is */
function refuseOthers(to: string): void {
  try {
    if (isBackupFile(to)) return;
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return requireFolder(nodePath.dirname(to));
    throw new DataError('data.fileUnusable', `${to} cannot be looked at (${errnoCode(error) ?? 'unknown'})`, {
      cause: error,
    });
  }
  throw new DataError('data.fileUnusable', `${to} is there and is not a backup of this product; it was not touched`);
}

function requireFolder(folder: string): void {
  if (!fs.existsSync(folder)) throw new DataError('data.fileUnusable', `there is no folder ${folder}`);
}

/** A copy without a log beside it, 0600 and on the disk when this resolves. */
export async function copyComplete(
  from: string,
  to: string,
  signal: AbortSignal,
  onProgress?: MaintenanceOptions['onProgress'],
): Promise<void> {
  const source = await fs.promises.open(from, 'r');
  try {
    const target = await fs.promises.open(to, 'wx', 0o600);
    try {
      const buffer = Buffer.alloc(chunkBytes);
      const { size: total } = await source.stat();
      for (let position = 0; ;) {
        signal.throwIfAborted();
        const { bytesRead } = await source.read(buffer, 0, chunkBytes, position);
        if (bytesRead === 0) break;
        const chunk = buffer.subarray(0, bytesRead);
        markComplete(chunk, position);
        await writeAll(target, chunk, position);
        position += bytesRead;
        if (position % toldBytes === 0) onProgress?.({ phase: 'copying', done: position, total });
      }
      await target.sync();
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

async function writeAll(target: fs.promises.FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < chunk.length;) {
    const { bytesWritten } = await target.write(chunk, done, chunk.length - done, position + done);
    if (bytesWritten === 0) throw Object.assign(new Error('nothing was written'), { code: 'EIO' });
    done += bytesWritten;
  }
}
