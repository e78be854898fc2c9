import fs from 'node:fs';
import path from 'node:path';
import { workerData } from 'node:worker_threads';
import type { StoreFaultPoint } from '../../src/core/data/node/storeFaultPoints';
import { FAULTS_FILE, type StoreFaults } from './storeFaults';
import { runStoreThread } from '../../src/core/data/node/storeThread';
import { writeWhole } from './writeWhole';

function readFaults(): StoreFaults {
  const { folder } = workerData as { readonly folder?: string }; // of a store; a check has none
  const file = path.join(folder ?? '', FAULTS_FILE);
  return folder !== undefined && fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')) as StoreFaults) : {}; // written by a test
}

/** Synchronously: a line that was returned from has reached the pipe. */
function say(point: StoreFaultPoint, what: 'at' | 'killed'): void {
  writeWhole(1, `${JSON.stringify({ at: Date.now(), say: what, point })}\n`);
}

const { tell = [], killAt } = readFaults();
let times = 0;

runStoreThread((point) => {
  if (tell.includes(point)) say(point, 'at');
  if (point !== killAt?.point || ++times < killAt.nth) return;
  say(point, 'killed');
  process.kill(process.pid, 'SIGKILL');
  for (;;); // the signal ends every thread of the process
});
