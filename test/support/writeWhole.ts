import fs from 'node:fs';
import { errnoCode } from '../../src/core/data/node/fileSystem';

const pause = new Int32Array(new SharedArrayBuffer(4));

/** Synchronously, all of it, be the reader of the pipe ever so slow. */
export function writeWhole(fd: number, text: string): void {
  let left = Buffer.from(text);
  while (left.length > 0) {
    try {
      left = left.subarray(fs.writeSync(fd, left));
    } catch (error) {
      if (errnoCode(error) !== 'EAGAIN') throw error;
      Atomics.wait(pause, 0, 0, 1); // the pipe is full
    }
  }
}
