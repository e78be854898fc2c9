import fs from 'node:fs';
import path from 'node:path';
import { isAgentId } from '../agents/agent';
import type { HookReport } from '../agents/signals/hookReport';
import { ignore, type Logger } from '../base/log';
import type { LeftReport, TokenClaims } from '../services/authentication/authPorts';
import { parseSpoolFileName, SPOOL_HEAD, SPOOL_LIMITS, surplusOf, UNFINISHED_ENDING } from '../../shared/hookSpool';

/** @throws {AuthError} auth.unauthenticated */
export type VerifyLeft = (left: LeftReport) => Pick<TokenClaims, 'sub' | 'generation'>;

const PROOF = /^([A-Za-z0-9_-]{43})",/;
const EVENT = /^[A-Za-z0-9._:-]{1,80}$/;

/**
 * Hands over what `orc hook` left because no engine took it, oldest first, as late reports; each file is removed once `deliver` has
 * taken its report, so that after a crash a report may come twice, but never not at all. Files that are no reports are removed and
 * logged; of more than the limits allow, the oldest are dropped. Resolves with the number of reports.
 *
 * Who reports is what the token says by which a report is proved (`verify`); what is proved by none is dropped. That the run is the present one is for `deliver` to check (R19).
 * @throws what `deliver` throws: the rest stays for the next time
 */
export async function drainHookSpool(
  folder: string,
  verify: VerifyLeft,
  deliver: (report: HookReport) => Promise<unknown>,
  log: Logger,
  signal?: AbortSignal,
): Promise<number> {
  const names = listNames(folder, log);
  const surplus = new Set(surplusOf(names));
  let count = 0;
  let droppedCount = 0;
  for (const name of [...names].sort()) {
    if (signal?.aborted) break;
    const file = path.join(folder, name);
    if (name.endsWith(UNFINISHED_ENDING)) {
      removeAbandoned(file);
      continue;
    }
    const report = surplus.has(name) || !parseSpoolFileName(name) ? undefined : await readReport(file, verify, log);
    if (report) {
      await deliver(report);
      count += 1;
    } else droppedCount += 1;
    fs.rmSync(file, { force: true, recursive: true });
  }
  if (droppedCount > 0)
    log.warn('of the spool of hooks was dropped what is no report, too much or not proved to come from a run', {
      droppedCount,
    });
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

async function readReport(file: string, verify: VerifyLeft, log: Logger): Promise<HookReport | undefined> {
  try {
    const stat = fs.lstatSync(file);
    if (!stat.isFile() || stat.size > SPOOL_LIMITS.fileBytes) return undefined;
    return parseReport(await fs.promises.readFile(file, 'utf8'), verify);
  } catch (error) {
    ignore(log, error, 'it is damaged or not proved: the caller counts it');
    return undefined;
  }
}

/** @throws {AuthError | SyntaxError} */
function parseReport(file: string, verify: VerifyLeft): HookReport | undefined {
  if (!file.startsWith(SPOOL_HEAD)) return undefined;
  const [head, proof] = PROOF.exec(file.slice(SPOOL_HEAD.length)) ?? [];
  if (head === undefined || proof === undefined) return undefined;
  const text = file.slice(SPOOL_HEAD.length + head.length);
  const { claims, event, payload, sentAtMs } = JSON.parse(`{${text}`) as Readonly<Record<string, unknown>>; // checked below
  if (typeof claims !== 'string' || typeof event !== 'string' || !EVENT.test(event)) return undefined;
  if (typeof sentAtMs !== 'number' || !Number.isSafeInteger(sentAtMs) || sentAtMs < 0) return undefined;
  const { sub, generation } = verify({ claims, text, proof });
  return isAgentId(sub) ? { agentId: sub, generation, event, payload, sentAtMs, isLate: true } : undefined;
}
