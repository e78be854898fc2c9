import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { timeoutOf } from './commandLine';
import type { VerbContext } from './context';
import { EngineClient } from './engineClient';
import { CliError, ExitCode, usageError } from './exitCodes';
import { cleanLine, formatTable } from './terminalText';

/** What `data.status` answers. */
export interface DataStatusAnswer {
  readonly engine: string;
  readonly file?: string;
  readonly mainBytes: number;
  readonly walBytes: number;
  readonly backupBytes: number;
  readonly asideBytes: number;
  readonly archiveBytes?: number;
  readonly archive?: string;
  readonly schemaVersion: number;
  readonly seq: number;
  readonly isReadOnly: boolean;
  readonly reason?: string;
  readonly backups: readonly BackupRow[];
  readonly lastCheck?: { readonly atMs: number; readonly cause: string; readonly report: CheckAnswer };
}

interface BackupRow {
  readonly file: string;
  readonly kind: string;
  readonly takenAtMs: number;
  readonly sizeBytes: number;
  readonly seq?: number;
  readonly schemaVersion: number;
  readonly sqliteVersion: string;
  readonly isChecked: boolean;
}

interface CheckAnswer {
  readonly isWhole: boolean;
  readonly isCut: boolean;
  readonly records: number;
  readonly changes: number;
  readonly findings: readonly { readonly code: string; readonly message: string; readonly fix?: string }[];
}

interface BackupAnswer {
  readonly file: string;
  readonly sizeBytes: number;
  readonly seq: number;
  readonly records: number;
  readonly presentBackup?: string;
}

interface Restored {
  readonly fingerprint: string;
  readonly atMs: number;
}

/** 20 s: longest wait for the engine to begin anew with a restored store. */
const REOPENED_MS = 20_000;

/** `orc data status` */
export async function dataStatus(context: VerbContext): Promise<ExitCode> {
  const status = (await context.call('data.status', {})) as DataStatusAnswer; // the engine's own
  context.answer(status, () => {
    const { lastCheck, backups } = status;
    const when = lastCheck && localTime(lastCheck.atMs);
    const checked = lastCheck ? `${when}: ${checkWords(lastCheck.report)}` : 'never';
    return [
      `${context.strong('store')}    ${storeWords(status)}`,
      ...(status.file === undefined ? [] : [`${context.strong('file')}     ${cleanLine(status.file)}`]),
      ...(status.isReadOnly ? [`read-only: ${cleanLine(status.reason ?? 'it cannot be written')}`] : []),
      `${context.strong('holds')}    ${status.seq} changes, schema ${status.schemaVersion}`,
      `${context.strong('backups')}  ${backups.length}, ${bytesWords(status.backupBytes)}`,
      ...archiveLines(status),
      ...(status.asideBytes > 0 ? [`put aside: former stores, ${bytesWords(status.asideBytes)}`] : []),
      `${context.strong('checked')}  ${checked}`,
    ].join('\n');
  });
  return lastCheckExit(status);
}

function archiveLines({ archive, archiveBytes = 0 }: DataStatusAnswer): readonly string[] {
  return archive === undefined ? [] : [`archive  ${bytesWords(archiveBytes)}, ${cleanLine(archive)}`];
}

function lastCheckExit({ isReadOnly, lastCheck }: DataStatusAnswer): ExitCode {
  return isReadOnly || lastCheck?.report.isWhole === false ? ExitCode.Failure : ExitCode.Ok;
}

/** `sql.js 1.16.0 (file), 12.3 MB, log 40 KB`, for `orc status`, too. */
export function storeWords({ engine, mainBytes, walBytes }: DataStatusAnswer): string {
  return `${cleanLine(engine)}, ${bytesWords(mainBytes)}, log ${bytesWords(walBytes)}`;
}

function checkWords({ isWhole, isCut, findings, records, changes }: CheckAnswer): string {
  if (isWhole) return `whole, ${records} records and ${changes} changes`;
  return `DAMAGED, ${isCut ? 'more than ' : ''}${findings.length} found`;
}

/** `orc data backups` */
export async function listBackups(context: VerbContext): Promise<ExitCode> {
  const { backups } = (await context.call('data.status', {})) as DataStatusAnswer; // the engine's own
  context.answer({ backups }, () => {
    if (backups.length === 0) return 'no backups yet; `orc data backup` makes one';
    const rows = backups.map((backup) => [
      localTime(backup.takenAtMs), kindWords(backup.kind), bytesWords(backup.sizeBytes), String(backup.seq ?? ''),
      `${backup.schemaVersion}, SQLite ${cleanLine(backup.sqliteVersion)}`, backup.isChecked ? 'checked' : 'not checked', cleanLine(backup.file),
    ]); // prettier-ignore
    const head = ['TAKEN', 'BY', 'SIZE', 'CHANGE', 'SCHEMA', 'WHOLE', 'FILE'];
    return formatTable(head, rows, context.terminal.columns, { kept: [0, 6], droppable: [4, 5, 3, 2, 1] });
  });
  return ExitCode.Ok;
}

function kindWords(kind: string): string {
  const words: Readonly<Record<string, string>> = {
    automatic: 'itself',
    manual: 'a person',
    beforeRestore: 'a restore',
    beforeSchema: 'an update',
  };
  return words[kind] ?? cleanLine(kind);
}

/** `orc data backup [FILE] [--replace]` */
export async function backUp(context: VerbContext): Promise<ExitCode> {
  const name = context.line.operands[1];
  const params = name === undefined ? {} : { file: resolve(context.terminal.cwd, name) };
  if (params.file !== undefined && existsSync(params.file) && !context.has('replace')) {
    const advice = 'Choose another name, or replace it with --replace, if it is a backup.';
    throw new CliError(ExitCode.Refused, `${cleanLine(params.file)} is there already`, advice);
  }
  const report = (await context.call('data.backup', params)) as BackupAnswer; // the engine's own
  context.answer(
    report,
    () => `${report.records} records in ${cleanLine(report.file)} (${bytesWords(report.sizeBytes)}), checked`,
  );
  return ExitCode.Ok;
}

/** `orc data compact` */
export async function compact(context: VerbContext): Promise<ExitCode> {
  const report = (await context.call('data.compact', {})) as Readonly<Record<'beforeBytes' | 'afterBytes', number>>; // the engine's own
  const { beforeBytes, afterBytes } = report;
  const gain = beforeBytes - afterBytes;
  context.answer(report, () =>
    gain > 0
      ? `${bytesWords(beforeBytes)} before, ${bytesWords(afterBytes)} now`
      : `${bytesWords(afterBytes)}: there was nothing to give back`,
  );
  return ExitCode.Ok;
}

const BACKUPS_ADVICE = '`orc data backups` lists those of this workspace.';

/** `orc data restore FILE --yes`: done when the engine has begun anew with it. */
export async function restore(context: VerbContext): Promise<ExitCode> {
  const name = context.operand(1);
  if (name === '') throw usageError('restore takes the FILE of a backup', BACKUPS_ADVICE);
  const backup = resolve(context.terminal.cwd, name);
  if (!statSync(backup, { throwIfNoEntry: false })?.isFile())
    throw usageError(`there is no file ${cleanLine(backup)}`, BACKUPS_ADVICE);
  if (!context.has('yes')) {
    const what = 'a restore puts the backup in the place of what is kept now';
    const advice = `What is there now is backed up first, where it can be; agents that live go on as they are. If you mean it: orc data restore ${name} --yes`;
    throw usageError(what, advice);
  }
  const askedAtMs = Date.now();
  const report = (await context.call('data.restore', { backup })) as BackupAnswer; // the engine's own
  await reopened(context, report, askedAtMs);
  context.answer(report, () => {
    const undo = report.presentBackup;
    return [
      `restored: ${report.records} records, up to change ${report.seq}`,
      undo === undefined
        ? 'no backup was made of what was there before: `orc status` tells where it is'
        : `what was there before: ${cleanLine(undo)}`,
    ].join('\n');
  });
  return ExitCode.Ok;
}

/**
 * Resolves when an engine tells that it runs on the store that was restored after `askedAtMs`: the notice of an earlier restore stands until the engine
 * begins anew. @throws {CliError} TimedOut
 */
async function reopened(context: VerbContext, { seq }: BackupAnswer, askedAtMs: number): Promise<void> {
  const { env, version } = context.terminal;
  const untilMs = Date.now() + (timeoutOf(context.line) ?? REOPENED_MS);
  while (Date.now() < untilMs) {
    await after(150);
    const timeoutMs = Math.max(1, untilMs - Date.now());
    const client = EngineClient.connect({ pointer: context.pointer, env, version, timeoutMs });
    try {
      const notices = (await client.call('engine.notices', {})) as readonly Partial<Restored>[]; // the engine's own
      const { seq: now } = (await client.call('data.status', {})) as DataStatusAnswer; // the engine's own
      const isNew = ({ fingerprint, atMs = 0 }: Partial<Restored>): boolean =>
        fingerprint === 'store.restored' && atMs >= askedAtMs;
      if (now >= seq && notices.some(isNew)) return;
    } catch (error) {
      if (!(error instanceof CliError)) throw error; // it is beginning anew
    } finally {
      client.dispose();
    }
  }
  throw new CliError(
    ExitCode.TimedOut,
    'the backup is prepared, but the engine has not begun anew with it yet',
    'It is taken over when the store is opened next: reload the window, then `orc data status`.',
  );
}

/** `812 KB`, `12.3 MB` */
export function bytesWords(bytes: number): string {
  if (bytes < 1_000_000) return `${Math.ceil(bytes / 1000)} KB`;
  return bytes < 1_000_000_000 ? `${(bytes / 1_000_000).toFixed(1)} MB` : `${(bytes / 1_000_000_000).toFixed(1)} GB`;
}

/** `2026-11-23 04:05` where the person is. */
function localTime(atMs: number): string {
  const date = new Date(atMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}
