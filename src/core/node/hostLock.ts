import fs from 'node:fs';
import path from 'node:path';
import { isProcessGone, ownIdentity, type ProcessIdentity } from '../data/node/processIdentity';

/** How often a lock that others change meanwhile is tried. */
const TRIES = 5;

export type HostLock =
  | { readonly kind: 'held'; release(): void }
  /** Another host of this workspace runs. */
  | { readonly kind: 'taken'; readonly pid: number };

/**
 * One waiting host per workspace: every window may start one, all but the first end at once. Only a matter of economy: who owns the
 * workspace is decided by the epoch lock, whatever happens here. @throws {Error} of node:fs
 */
export async function takeHostLock(dataFolder: string): Promise<HostLock> {
  const file = path.join(dataFolder, 'host.lock');
  const own = JSON.stringify(await ownIdentity());
  const unfinished = `${file}.${process.pid}.tmp`;
  fs.mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  fs.writeFileSync(unfinished, own, { mode: 0o600 });
  try {
    for (let tries = 0; tries < TRIES; tries++) {
      if (link(unfinished, file)) return { kind: 'held', release: () => releaseIfOwn(file, own) };
      const holder = holderOf(file);
      if (holder && !(await isProcessGone(holder))) return { kind: 'taken', pid: holder.pid };
      releaseIfOwn(file, holder ? JSON.stringify(holder) : undefined);
    }
    return { kind: 'taken', pid: holderOf(file)?.pid ?? 0 };
  } finally {
    fs.rmSync(unfinished, { force: true });
  }
}

/** False when there is such a file already. */
function link(from: string, to: string): boolean {
  try {
    fs.linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false; // what node:fs throws
    throw error;
  }
}

function holderOf(file: string): ProcessIdentity | undefined {
  try {
    const { pid, startTime, bootId } = JSON.parse(fs.readFileSync(file, 'utf8')) as ProcessIdentity; // checked below
    const isWhole = Number.isInteger(pid) && typeof startTime === 'string' && typeof bootId === 'string';
    return isWhole ? { pid, startTime, bootId } : undefined;
  } catch {
    return undefined; // gone meanwhile, or damaged: nobody's
  }
}

/** Removes the file if it holds `text`; undefined: if it is nobody's. */
function releaseIfOwn(file: string, text: string | undefined): void {
  const holder = holderOf(file);
  if ((holder ? JSON.stringify(holder) : undefined) === text) fs.rmSync(file, { force: true });
}
