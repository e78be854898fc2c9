import fs from 'node:fs';

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

/** The fence of the owner with `epoch`: one directory listing per call. */
export function epochFence(folder: string, epoch: number): Fence {
  return () => {
    try {
      return highestEpoch(folder) === epoch ? 'mine' : 'lost';
    } catch {
      return 'unknown'; // says all that is known; the caller refuses to write
    }
  };
}
