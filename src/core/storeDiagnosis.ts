import type { Diagnosis } from './base/diagnosis';
import type { DataStatus, KeptCheck, StoreKeeper } from './data/storeCare';
import { type EngineStatus, STORE_BLOCKED, STORE_LOSS, STORE_QUARANTINED, STORE_UNUSABLE } from './engine';
import type { AlertNotice } from './monitoring/alertSink';

/** The engine cannot work because of its store: what is done about the store's files is done without it. */
export function isBlockedByStore(status: EngineStatus): boolean {
  return status.kind === 'blocked' && status.code.startsWith('data.');
}

/** A person is asked whether to go on without what is not in the store any more. */
export function hasStoreLoss(notices: readonly AlertNotice[]): boolean {
  return notices.some(({ fingerprint }) => fingerprint === STORE_LOSS || fingerprint === STORE_QUARANTINED);
}

/** Fingerprints of {@link blockedByStoreNotice}. */
export const BLOCKED_NOTICES = [STORE_BLOCKED, STORE_UNUSABLE] as const;

/** Without its store nothing is supervised: that needs a person, whether the view is open or not. */
export function blockedByStoreNotice(code: string, detail: string, atMs: number): AlertNotice {
  const isTriedAgain = code === 'data.io';
  const reason = detail.replace(`${code}: `, '').replace(/\.$/, '');
  const next = isTriedAgain ? 'It is tried again by itself.' : 'The Agents view says what to do.';
  return {
    fingerprint: isTriedAgain ? STORE_UNUSABLE : STORE_BLOCKED,
    level: 'critical',
    title: isTriedAgain ? 'Core Orchestrator cannot use its data folder' : 'Core Orchestrator cannot open its store',
    detail: `Reason: ${reason}. Agents keep running, but nothing is started or kept. ${next}`,
    atMs,
  };
}

/** What is known of a store that cannot be opened: its files. */
export async function statusWithoutStore(keeper: StoreKeeper, status: EngineStatus): Promise<DataStatus> {
  const [sizes, backups, lastCheck] = await Promise.all([keeper.sizes(), keeper.backups(), keeper.lastCheck()]);
  return {
    ...sizes,
    ...{ engine: 'not open', schemaVersion: 0, seq: 0, isReadOnly: true, backups },
    ...(status.kind === 'blocked' && { reason: status.detail }),
    ...(lastCheck && { lastCheck }),
  };
}

/** What Check Setup says about the store. */
export function storeDiagnoses(status: DataStatus): readonly Diagnosis[] {
  return [
    {
      id: 'store',
      label: 'Store',
      level: status.isReadOnly ? 'error' : 'ok',
      detail: `${storeLine(status)}${status.isReadOnly ? `; read-only: ${status.reason ?? 'it cannot be written'}` : ''}`,
    },
    { id: 'store.backups', label: 'Backups', level: 'info', detail: backupsLine(status) },
    ...(status.archive === undefined ? [] : [archiveDiagnosis(status.archive, status.archiveBytes)]),
    checkDiagnosis(status.lastCheck),
  ];
}

/** `sql.js 1.16.0 (file), 12.3 MB, log 0.4 MB` */
export function storeLine({ engine, mainBytes, walBytes }: DataStatus): string {
  return `${engine}, ${bytesText(mainBytes)}, log ${bytesText(walBytes)}`;
}

function backupsLine({ backups, backupBytes, asideBytes }: DataStatus): string {
  const newest = backups[0];
  const aside = asideBytes > 0 ? `; former stores put aside: ${bytesText(asideBytes)}` : '';
  if (!newest) return `none yet${aside}`;
  const count = backups.length === 1 ? '1 backup' : `${backups.length} backups`;
  return `${count}, ${bytesText(backupBytes)}, the newest of ${new Date(newest.takenAtMs).toISOString()}${aside}`;
}

function archiveDiagnosis(archive: string, bytes: number): Diagnosis {
  return {
    id: 'store.archive',
    label: 'Archive of old records',
    level: 'info',
    detail: `${bytesText(bytes)} in ${archive}`,
  };
}

function checkDiagnosis(check: KeptCheck | undefined): Diagnosis {
  const what = { id: 'store.check', label: 'Last full check of the store' } as const;
  if (!check) return { ...what, level: 'info', detail: 'none yet; it is checked by itself every week' };
  const { isWhole, findings, records, isCut } = check.report;
  const when = new Date(check.atMs).toISOString();
  if (isWhole) return { ...what, level: 'ok', detail: `${when}: whole, ${records} records` };
  return {
    ...what,
    level: 'error',
    detail: `${when}: ${isCut ? 'more than ' : ''}${findings.length} found: ${findings[0]?.message ?? ''}`,
    advice: 'Check Store says all of it; Restore from Backup puts a whole store in its place.',
  };
}

/** `0 KB`, `812 KB`, `12.3 MB`, `1.2 GB` */
export function bytesText(bytes: number): string {
  if (bytes < 1_000_000) return `${Math.ceil(bytes / 1000)} KB`;
  return bytes < 1_000_000_000 ? `${(bytes / 1_000_000).toFixed(1)} MB` : `${(bytes / 1_000_000_000).toFixed(1)} GB`;
}
