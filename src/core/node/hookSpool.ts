import fs from 'node:fs';
import path from 'node:path';
import { isAgentId } from '../agents/agent';
import type { HookReport } from '../agents/signals/hookReport';
import type { Logger } from '../base/log';
import { parseSpoolFileName, SPOOL_LIMITS, surplusOf, UNFINISHED_ENDING } from '../../shared/hookSpool';

const EVENT = /^[A-Za-z0-9._:-]{1,80}$/;

/**
 * Hands over what `orc hook` left because no engine took it, oldest first, as late reports; each file is removed once `deliver` has
 * taken its report, so that after a crash a report may come twice, but never not at all. Files that are no reports are removed and
 * logged; of more than the limits allow, the oldest are dropped. Resolves with the number of reports.
 *
 * Who reports is only as sure as the folder's mode: `deliver` must check agent and generation (R19).
 * @throws what `deliver` throws: the rest stays for the next time
 */
export async function drainHookSpool(
  folder: string,
  deliver: (report: HookReport) => Promise<unknown>,
  log: Logger,
  signal?: AbortSignal,
): Promise<number> {
  const names = listNames(folder, log);
  const surplus = new Set(surplusOf(names));
  let count = 0;
  for (const name of [...names].sort()) {
    if (signal?.aborted) return count;
    const file = path.join(folder, name);
    if (name.endsWith(UNFINISHED_ENDING)) {
      removeAbandoned(file);
      continue;
    }
    const report = surplus.has(name) || !parseSpoolFileName(name) ? undefined : await readReport(file);
    if (report) {
      await deliver(report);
      count += 1;
    } else log.warn('a file in the spool of hooks is dropped', { name });
    fs.rmSync(file, { force: true, recursive: true });
  }
  return count;
}

/** Empty when there is no folder, or it is not ours alone. */
function listNames(folder: string, log: Logger): readonly string[] {
  const stat = fs.lstatSync(folder, { throwIfNoEntry: false });
  if (!stat) return [];
  const isOwn = process.getuid === undefined || stat.uid === process.getuid();
  if (stat.isDirectory() && isOwn && (stat.mode & 0o077) === 0) return fs.readdirSync(folder);
  log.warn('the spool of hooks is not read: it is not a folder of ours alone', { folder });
  return [];
}

/** Somebody may be writing it just now. */
function removeAbandoned(file: string): void {
  const stat = fs.lstatSync(file, { throwIfNoEntry: false });
  if (stat && Date.now() - stat.mtimeMs > SPOOL_LIMITS.unfinishedMs) fs.rmSync(file, { force: true, recursive: true });
}

async function readReport(file: string): Promise<HookReport | undefined> {
  try {
    const stat = fs.lstatSync(file);
    if (!stat.isFile() || stat.size > SPOOL_LIMITS.fileBytes) return undefined;
    return parseReport(JSON.parse(await fs.promises.readFile(file, 'utf8')));
  } catch {
    return undefined; // damaged: the caller says so
  }
}

function parseReport(value: unknown): HookReport | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { format, agentId, generation, event, payload, sentAtMs } = value as Readonly<Record<string, unknown>>; // checked below
  if (format !== 1 || typeof agentId !== 'string' || !isAgentId(agentId)) return undefined;
  if (typeof generation !== 'number' || !Number.isSafeInteger(generation) || generation < 0) return undefined;
  if (typeof event !== 'string' || !EVENT.test(event)) return undefined;
  if (typeof sentAtMs !== 'number' || !Number.isSafeInteger(sentAtMs) || sentAtMs < 0) return undefined;
  return { agentId, generation, event, payload, sentAtMs, isLate: true };
}
