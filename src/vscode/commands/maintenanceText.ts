import type { BackupKind, DataStatus, KeptBackup } from '../../core/engine';
import { bytesText } from '../../core/storeDiagnosis';
import { localTime } from '../documents/localTime';
import { escapeMarkdown } from '../plainText';

/** Who made a backup. */
export function backupKindText(kind: BackupKind): string {
  const texts: Record<BackupKind, string> = {
    automatic: 'made automatically',
    manual: 'made by you',
    beforeRestore: 'made before a restore',
    beforeSchema: 'made before an update',
  };
  return texts[kind];
}

/** Everything that a restore does, before it is confirmed. */
export function restoreDetail(
  backup: Pick<KeptBackup, 'file'> & Partial<KeptBackup>,
  { seq, isReadOnly }: DataStatus,
): string {
  const when = backup.takenAtMs === undefined ? '' : `Of ${localTime(backup.takenAtMs).slice(0, 16)}. `;
  const since = backup.seq === undefined ? undefined : seq - backup.seq;
  const lost =
    since === undefined || since <= 0
      ? 'What was kept since it was made is not in the store afterwards'
      : `${since} changes that were kept since then are not in the store afterwards`;
  const present = isReadOnly
    ? 'The present store is put aside whole'
    : 'The present store is backed up first, so that this can be undone in the same way, and put aside';
  return [
    `${when}${backup.file}`,
    `${lost}: agents that were added, names, history, prompts and approvals.`,
    'Agents keep running. Those that the backup does not know are shown under their ids. None is started: who does not run now is stopped.',
    `${present}. The backup is checked before anything changes; when it is damaged, everything stays as it is.`,
  ].join('\n\n');
}

/** What a person does about a damaged file, as lines of Markdown. */
export function damageAdvice(status: DataStatus): readonly string[] {
  const newest = status.backups[0];
  return [
    '## What to do',
    '',
    '1. Copy the folder of the store to another disk: damage can be a sign of a failing one.',
    newest
      ? `2. Run "Restore from Backup…". The newest backup is of ${localTime(newest.takenAtMs).slice(0, 16)}; the present store is kept aside.`
      : '2. There is no backup yet. "Export Data…" writes what can still be read to a file.',
    '3. Until then what is not damaged is served, and agents keep running.',
    '',
    `Store: ${escapeMarkdown(status.file ?? 'none')}, ${bytesText(status.mainBytes)}, ${escapeMarkdown(status.engine)}.`,
  ];
}
