import { fitPayload } from './fitPayload';
import {
  parseSpoolFileName,
  SPOOL_HEAD,
  SPOOL_LIMITS,
  type SpooledHook,
  spoolFileName,
  surplusOf,
  UNFINISHED_ENDING,
} from './hookSpool';

/** Room for everything but the payload: claims, names and numbers, all of them bounded. */
const FRAME_BYTES = 4 * 1024;
const CLAIMS_LENGTH = 1_000;
/** As deep as the gateway takes it. */
const MAX_DEPTH = 30;

/** What is needed of `node:fs`: every program that spools hands in its own. */
export interface SpoolFiles {
  mkdirSync(folder: string, options: { readonly mode: number }): unknown;
  lstatSync(path: string): { readonly uid: number; readonly mode: number; isDirectory(): boolean };
  writeFileSync(file: string, text: string, options: { readonly flag: string; readonly mode: number }): void;
  renameSync(from: string, to: string): void;
  readdirSync(folder: string): readonly string[];
  rmSync(path: string, options: { readonly force: boolean }): void;
}

/** By what the engine knows who left a report. */
export interface SpoolProof {
  /** Of the run; never written. */
  readonly token: string;
  /** HMAC-SHA256, base64url. */
  readonly mac: (key: string, text: string) => string;
}

export interface SpoolPlace {
  /** Absolute; made when it is missing, but nothing above it. */
  readonly folder: string;
  /** Of this process; undefined: the system has no users. */
  readonly uid: number | undefined;
  /** Part of the file's name that nothing else uses at the same millisecond: 1–60 of [a-z0-9-]. */
  readonly unique: string;
}

/**
 * Leaves a report for the engine. Whole or not at all; the folder stays within its limits.
 * @throws {Error} of node:fs, or when the folder is not ours alone
 */
export function leaveInSpool(
  files: SpoolFiles,
  place: SpoolPlace,
  { token, mac }: SpoolProof,
  { event, sentAtMs, payload }: Omit<SpooledHook, 'claims'>,
): void {
  const { folder, unique } = place;
  ensureOwnFolder(files, place);
  const claims = Buffer.from(token.split('.')[1] ?? '', 'base64url')
    .toString()
    .slice(0, CLAIMS_LENGTH);
  const fitted = fitPayload(payload, SPOOL_LIMITS.fileBytes - FRAME_BYTES, MAX_DEPTH);
  const told = `${JSON.stringify({ claims, event, sentAtMs }).slice(1, -1)},"payload":${fitted}}`;
  const json = `${SPOOL_HEAD}${mac(token, told)}",${told}`;
  const name = spoolFileName(sentAtMs, unique, new TextEncoder().encode(json).length);
  const unfinished = `${folder}/.${name}${UNFINISHED_ENDING}`;
  try {
    files.writeFileSync(unfinished, json, { flag: 'wx', mode: 0o600 });
    files.renameSync(unfinished, `${folder}/${name}`);
  } catch (error) {
    files.rmSync(unfinished, { force: true });
    throw error;
  }
  tidy(files, folder, sentAtMs);
}

/** After the own report is there: whoever comes last sees all, so the folder is within its limits again once all are done. */
function tidy(files: SpoolFiles, folder: string, nowMs: number): void {
  const names = files.readdirSync(folder);
  for (const name of surplusOf(names)) files.rmSync(`${folder}/${name}`, { force: true });
  for (const name of names.filter((each) => each.endsWith(UNFINISHED_ENDING))) {
    const begunAtMs = parseSpoolFileName(name.slice(1, -UNFINISHED_ENDING.length))?.sentAtMs ?? 0;
    if (nowMs - begunAtMs > SPOOL_LIMITS.unfinishedMs) files.rmSync(`${folder}/${name}`, { force: true });
  }
}

/** A data folder that is gone stays gone. */
function ensureOwnFolder(files: SpoolFiles, { folder, uid }: SpoolPlace): void {
  try {
    files.mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error; // what node:fs throws
  }
  const stat = files.lstatSync(folder);
  const isOwn = uid === undefined || stat.uid === uid;
  if (!stat.isDirectory() || !isOwn || (stat.mode & 0o077) !== 0)
    throw new Error(`${folder} is not a folder of ours alone`);
}
