import { constants } from 'node:fs';
import { copyFile, lstat, link, mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { isJsonObject } from '../jsonReader';
import { addMissing } from '../signals/homePlan';
import { readJsonObject } from '../signals/templates';
import { replaceFile } from './settingsFile';

/** Locks and half-written files of a program: of no use without it. */
const PASSING = /\.(lock|tmp)$/;

/** What file systems without hard links answer. */
const NO_HARD_LINKS: readonly string[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];

export interface GiveBackOptions {
  /** When the copy began, by the clock of the file system. */
  readonly madeAtMs: number;
  readonly except?: readonly string[];
  /** Nothing but these. Default: all. */
  readonly only?: readonly string[];
}

/**
 * Gives what a program made in its copy of a folder to the folder itself: new files and folders go there; a file that it put in the
 * place of a link replaces the user's, unless that was changed since. Then, when both are JSON objects, only the keys that the
 * user's lacks are added; of anything else the user's stays. Links, locks and temporary files are left. @throws system errors
 */
export async function giveBack(
  from: string,
  to: string,
  { madeAtMs, except = [], only }: GiveBackOptions,
): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const { name } = entry;
    if (except.includes(name) || only?.includes(name) === false || PASSING.test(name)) continue;
    const [source, target] = [join(from, name), join(to, name)];
    if (entry.isDirectory()) {
      if (await makeFolder(target, (await lstat(source)).mode & 0o777)) await giveBack(source, target, { madeAtMs });
    } else if (entry.isFile()) await giveFile(source, target, madeAtMs);
  }
}

async function giveFile(source: string, target: string, madeAtMs: number): Promise<void> {
  if (await giveNew(source, target)) return;
  const there = await stat(target).catch(() => undefined); // a link that leads nowhere is the user's, too
  if (!there?.isFile()) return;
  if (there.mtimeMs < madeAtMs) return replaceFile(target, await readFile(source));
  const [ours, theirs] = [await readJson(source), await readJson(target)];
  if (!ours || !theirs) return;
  const merged = addMissing(theirs, ours);
  if (JSON.stringify(merged) !== JSON.stringify(theirs))
    await replaceFile(target, `${JSON.stringify(merged, undefined, 2)}\n`);
}

/** False when something of that name is there. It appears whole or not at all, and never in the place of anything. */
async function giveNew(source: string, target: string): Promise<boolean> {
  const temporary = `${target}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await copyFile(source, temporary, constants.COPYFILE_EXCL);
    const file = await open(temporary, 'r');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
    await link(temporary, target).catch((error: NodeJS.ErrnoException) => {
      if (!NO_HARD_LINKS.includes(error.code ?? '')) throw error;
      return copyFile(source, target, constants.COPYFILE_EXCL);
    });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false; // whatever has this code says so
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** False when something else than a folder is there. */
async function makeFolder(path: string, mode: number): Promise<boolean> {
  await mkdir(path, { recursive: true, mode }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST' && error.code !== 'ENOTDIR') throw error;
  });
  return stat(path).then((found) => found.isDirectory(), () => false); // prettier-ignore
}

async function readJson(path: string) {
  const value = readJsonObject(await readFile(path, 'utf8'), JSON.parse);
  return isJsonObject(value) ? value : undefined;
}
