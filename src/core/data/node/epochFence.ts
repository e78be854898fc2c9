import fs from 'node:fs';
import nodePath from 'node:path';

/** Name of the file whose existence makes `epoch` the owner's number, as long as there is no higher one. */
export function lockFileName(epoch: number): string {
  return `lock.${epoch}`;
}

/** All epochs that have a lock file in `folder`, in no order. @throws what `readdir` throws */
export function lockEpochs(folder: string): number[] {
  const epochs: number[] = [];
  for (const name of fs.readdirSync(folder)) {
    const match = /^lock\.([1-9]\d{0,14})$/.exec(name);
    if (match) epochs.push(Number(match[1]));
  }
  return epochs;
}

/** The owner's epoch; 0 when nobody ever owned it. @throws what `readdir` throws */
export function highestEpoch(folder: string): number {
  return Math.max(0, ...lockEpochs(folder));
}

/**
 * Says whether somebody still owns a workspace. `unknown` when the folder cannot be listed: then nothing may be
 * written, but nothing has been lost either.
 */
export type Fence = () => 'mine' | 'lost' | 'unknown';

/**
 * The fence of the owner with `epoch`. Asked before and after every commit, so the usual answer costs two look-ups
 * instead of a listing: nobody can own a higher epoch while `lock.<epoch + 1>` is missing and, looked at *after* that,
 * `lock.<epoch>` is there, because numbers are taken one by one and removed lowest first. Anything else is decided by
 * a listing.
 */
export function epochFence(folder: string, epoch: number): Fence {
  const own = nodePath.join(folder, lockFileName(epoch));
  const next = nodePath.join(folder, lockFileName(epoch + 1));
  return () => {
    if (!fs.existsSync(next) && fs.existsSync(own)) return 'mine';
    try {
      return highestEpoch(folder) === epoch ? 'mine' : 'lost';
    } catch {
      return 'unknown'; // says all that is known; the caller refuses to write
    }
  };
}
