import type {
  AgentView,
  BackedUpAgent,
  BackupKind,
  DataStatus,
  KeptBackup,
  UnusableBackup,
  UsableBackup,
} from '../../core/engine';
import { bytesText } from '../../core/storeDiagnosis';
import { localTime } from '../documents/localTime';
import { escapeMarkdown } from '../plainText';

/** More names than this are not read. */
const NAMED = 5;

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

/** A backup that was looked at and can be restored; what is known of it from its name only where it is one of the workspace's own. */
export interface ChosenBackup extends Pick<KeptBackup, 'file'>, Partial<Omit<KeptBackup, 'file'>> {
  readonly found: UsableBackup;
}

/** Where a backup would be restored. */
export interface RestorePlace {
  /** Folders of the workspace, absolute. */
  readonly folders: readonly string[];
  /** The agents that are there now. */
  readonly agents: readonly Pick<AgentView, 'folder'>[];
}

/** What the backup is and everything that a restore does, before it is confirmed. */
export function restoreDetail(backup: ChosenBackup, status: DataStatus, place: RestorePlace): string {
  const since = backup.seq === undefined ? undefined : status.seq - backup.seq;
  const changes = since === undefined || since <= 0 ? '' : ` (${countText(since, 'change')} in all)`;
  return [
    `${contentsText(backup)}${backup.takenAtMs === undefined ? `\n${backup.file}` : ''}`,
    ...foreignText(backup.found, place),
    `Agents that live keep running, ${livingText(status)}. None is started: who does not run now is stopped.`,
    `What else was kept since it was made${changes} is not in the store afterwards: changes of agents that do not live, history, approvals and older prompts.`,
    `${presentText(status)}.`,
  ].join('\n\n');
}

/** What a check has found is so until another one finds nothing. */
function isDamaged({ lastCheck }: DataStatus): boolean {
  return lastCheck?.report.isWhole === false;
}

function livingText(status: DataStatus): string {
  return status.isReadOnly || isDamaged(status)
    ? 'also those that the backup does not know. Their names, settings and newest prompts are carried over as they are now where the present store can be read; elsewhere the backup holds, and an agent that it does not know is shown under its id'
    : 'with their names, settings and newest prompts as they are now, also those that the backup does not know';
}

function presentText(status: DataStatus): string {
  if (isDamaged(status))
    return 'The present store is damaged: it is put aside whole, and where no backup can be made of it, this cannot be undone with Restore from Backup';
  if (status.isReadOnly) return 'The present store is put aside whole';
  return 'The present store is backed up first, so that this can be undone in the same way, and put aside';
}

/** `Of 2026-11-23 08:00: 12 records, 2 agents (Scout, Builder). It is whole.` */
function contentsText({ takenAtMs, found }: ChosenBackup): string {
  const { records, agents, lastChangeAtMs } = found;
  const time = (atMs: number): string => localTime(atMs).slice(0, 16);
  const when =
    takenAtMs !== undefined
      ? `Of ${time(takenAtMs)}`
      : lastChangeAtMs !== undefined
        ? `Its newest change is of ${time(lastChangeAtMs)}`
        : 'A backup without changes';
  const names = agents.slice(0, NAMED).map(({ name }) => name);
  const more = agents.length > names.length ? ` and ${agents.length - names.length} more` : '';
  const who = agents.length === 0 ? 'no agents' : `${countText(agents.length, 'agent')} (${names.join(', ')}${more})`;
  return `${when}: ${countText(records, 'record')}, ${who}. It was checked and is whole.`;
}

/** A backup says nothing of the workspace that it is of; where its agents work does. Their ids do not: workspaces use the same names. */
function foreignText({ agents }: UsableBackup, { folders, agents: present }: RestorePlace): readonly string[] {
  const isHere = ({ folder }: BackedUpAgent): boolean =>
    present.some((agent) => agent.folder === folder) ||
    folders.some((own) => folder === own || folder.startsWith(`${own}/`));
  const [first] = agents;
  if (!first || agents.some(isHere)) return [];
  return [
    `It looks like a backup of another workspace: none of its agents works in a folder of this one. ${first.name} works in ${first.folder}.`,
  ];
}

/** Why a file cannot be restored, and what to do. */
export function unusableText(file: string, { why, detail }: UnusableBackup): string {
  const texts: Record<UnusableBackup['why'], string> = {
    unreadable:
      detail === 'ENOENT'
        ? `${file} is not there any more. Choose another one.`
        : `${file} cannot be read (${detail}). Choose a file that you may read.`,
    other: `${file} is not a backup of Core Orchestrator. Choose a file that Back Up Store has made; an export is taken over by Import Data.`,
    store: `${file} is a store in use and no backup: its newest changes may be in another file. Open its workspace, run Back Up Store there, and choose what that makes.`,
    newer: `A newer version of Core Orchestrator made ${file} (${detail}). Update the extension, then restore it.`,
    damaged: `${file} is damaged: ${detail} Choose an older backup.`,
  };
  return `Nothing was changed. ${texts[why]}`;
}

function countText(count: number, what: string): string {
  return count === 1 ? `1 ${what}` : `${count} ${what}s`;
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
