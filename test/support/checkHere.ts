import { checkStoreFile } from '../../src/core/data/node/checkStoreFile';
import type { RunCheck } from '../../src/core/data/node/storeMaintenance';

/** Checks in this thread: for files that this thread does not have open. */
export const checkHere: RunCheck = async (task, signal) => {
  signal.throwIfAborted();
  return checkStoreFile(task);
};
