import fs from 'node:fs';
import nodePath from 'node:path';
import type { BackupKind, KeptBackup } from '../storeCare';
import { makeFolder } from './storeFiles';
import { readBackupHeader } from './storeHeader';

/** Folder of a workspace's backups; made if need be. */
export function backupsFolder(dataFolder: string): string {
  const at = nodePath.join(dataFolder, 'backups');
  makeFolder(at);
  return at;
}

/** `20261123T110852Z` */
export function stamp(nowMs: number): string {
  return `${new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
}

/** Epoch ms of a {@link stamp}. */
function timeOf(text: string): number {
  const [, date = '', time = ''] = /^(\d{8})T(\d{6})Z$/.exec(text) ?? [];
  const day = date.replace(/(....)(..)(..)/, '$1-$2-$3');
  return Date.parse(`${day}T${time.replace(/(..)(..)(..)/, '$1:$2:$3')}Z`);
}

/** What a file's name says. Backups of a person's own, elsewhere, are called as the person likes. */
const names: readonly (readonly [kind: BackupKind, pattern: RegExp])[] = [
  ['automatic', /^store-(?<time>\d{8}T\d{6}Z)-(?<seq>\d{1,15})\.db$/],
  ['manual', /^manual-(?<time>\d{8}T\d{6}Z)-(?<seq>\d{1,15})\.db$/],
  ['beforeRestore', /^before-restore-(?<time>\d{8}T\d{6}Z)-(?<seq>\d{1,15})\.db$/],
  ['beforeSchema', /^before-schema-\d{1,6}-(?<time>\d{8}T\d{6}Z)\.db$/],
];

/** The name of a new backup. */
export function backupName(kind: 'automatic' | 'manual' | 'beforeRestore', nowMs: number, seq: number): string {
  const prefix = { automatic: 'store', manual: 'manual', beforeRestore: 'before-restore' }[kind];
  return `${prefix}-${stamp(nowMs)}-${seq}.db`;
}

/** The backups in a workspace's folder, the newest first; what is called like one but is none is left out. */
export function listBackups(dataFolder: string): readonly KeptBackup[] {
  const at = nodePath.join(dataFolder, 'backups');
  if (!fs.existsSync(at)) return [];
  const found = fs.readdirSync(at).flatMap((name): KeptBackup[] => {
    for (const [kind, pattern] of names) {
      const { time, seq } = pattern.exec(name)?.groups ?? {};
      const header = time === undefined ? undefined : readBackupHeader(nodePath.join(at, name));
      if (time === undefined || !header) continue;
      const { sizeBytes, schemaVersion, sqliteVersion } = header;
      const isChecked = kind !== 'beforeSchema';
      const of = { file: nodePath.join(at, name), kind, takenAtMs: timeOf(time), isChecked };
      return [{ ...of, sizeBytes, schemaVersion, sqliteVersion, ...(seq !== undefined && { seq: Number(seq) }) }];
    }
    return [];
  });
  return found.sort((a, b) => b.takenAtMs - a.takenAtMs || (b.seq ?? 0) - (a.seq ?? 0));
}
