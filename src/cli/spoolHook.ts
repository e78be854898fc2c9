import fs from 'node:fs';
import path from 'node:path';
import {
  parseSpoolFileName,
  SPOOL_LIMITS,
  type SpooledHook,
  spoolFileName,
  surplusOf,
  UNFINISHED_ENDING,
} from '../shared/hookSpool';
import { fitPayload } from './fitPayload';

/** Room for everything but the payload: names and numbers, all of them bounded. */
const FRAME_BYTES = 1024;
/** As deep as the gateway takes it. */
const MAX_DEPTH = 30;

/**
 * Leaves a report for the next engine. Whole or not at all; the folder stays within its limits.
 * @throws {Error} of node:fs, or when the folder is not ours alone
 */
export function spoolHook(folder: string, report: Omit<SpooledHook, 'format'>): void {
  ensureOwnFolder(folder);
  const { payload, ...head } = report;
  const json = `${JSON.stringify({ format: 1, ...head }).slice(0, -1)},"payload":${fitPayload(payload, SPOOL_LIMITS.fileBytes - FRAME_BYTES, MAX_DEPTH)}}`;
  const unique = `${process.pid.toString(36)}-${process.hrtime.bigint().toString(36)}`;
  const name = spoolFileName(report.sentAtMs, unique, Buffer.byteLength(json));
  const unfinished = path.join(folder, `.${name}${UNFINISHED_ENDING}`);
  try {
    fs.writeFileSync(unfinished, json, { flag: 'wx', mode: 0o600 });
    fs.renameSync(unfinished, path.join(folder, name));
  } catch (error) {
    fs.rmSync(unfinished, { force: true });
    throw error;
  }
  tidy(folder, report.sentAtMs);
}

/** After the own report is there: whoever comes last sees all, so the folder is within its limits again once all are done. */
function tidy(folder: string, nowMs: number): void {
  const names = fs.readdirSync(folder);
  for (const name of surplusOf(names)) fs.rmSync(path.join(folder, name), { force: true });
  for (const name of names.filter((each) => each.endsWith(UNFINISHED_ENDING))) {
    const begunAtMs = parseSpoolFileName(name.slice(1, -UNFINISHED_ENDING.length))?.sentAtMs ?? 0;
    if (nowMs - begunAtMs > SPOOL_LIMITS.unfinishedMs) fs.rmSync(path.join(folder, name), { force: true });
  }
}

/** Made when missing, but nothing above it: a data folder that is gone stays gone. */
function ensureOwnFolder(folder: string): void {
  try {
    fs.mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error; // what node:fs throws
  }
  const stat = fs.lstatSync(folder);
  const isOwn = process.getuid === undefined || stat.uid === process.getuid();
  if (!stat.isDirectory() || !isOwn || (stat.mode & 0o077) !== 0)
    throw new Error(`${folder} is not a folder of ours alone`);
}
