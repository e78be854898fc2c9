import fs from 'node:fs';
import nodePath from 'node:path';
import type { Clock } from '../../base/clock';
import { type Disposable, MutableDisposable } from '../../base/disposable';
import { ignore, type Logger } from '../../base/log';
import { DataError } from '../dataErrors';
import type { DurableStore } from '../durableStore';
import { backupName, backupsFolder, listBackups, stamp } from './storeBackups';
import { syncFolder } from './storeFiles';
import { markComplete } from './storeHeader';

export interface AutomaticBackupsOptions {
  readonly store: Pick<DurableStore, 'backup' | 'health'>;
  /** Data folder of the workspace; backups are in its folder `backups`. */
  readonly folder: string;
  /** So many are kept, the newest ones; 0: none is made. */
  readonly keep: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** None could be made because the store is damaged. */
  readonly onDamage?: (() => void) | undefined;
}

export interface StoredBackup {
  readonly file: string;
  readonly takenAtMs: number;
  readonly seq: number;
}

/** At most one in this time. */
const everyMs = 24 * 60 * 60 * 1000;
/** How often is looked whether one is due: timers do not go on while a machine sleeps. */
const lookEveryMs = 60 * 60 * 1000;
/** Not while the window is being opened. */
const firstLookMs = 60 * 1000;
/** Backups from before a change of the schema that are kept. */
const keptBeforeSchema = 3;

/** Makes a backup of a store that changed since the last one, at most daily, and removes the oldest. Failures are logged; the next look tries again. */
export class AutomaticBackups implements Disposable {
  readonly #options: AutomaticBackupsOptions;
  readonly #timer = new MutableDisposable();
  readonly #end = new AbortController();

  constructor(options: AutomaticBackupsOptions) {
    this.#options = options;
    if (options.keep > 0) this.#lookAfter(firstLookMs);
  }

  /** Makes one if it is due. @throws what `backup` throws */
  async backUpIfDue(): Promise<StoredBackup | undefined> {
    const { store, folder, keep, clock } = this.#options;
    const nowMs = clock.nowMs();
    const newest = automaticBackups(folder)[0];
    const { seq } = store.health;
    const isRecent = newest !== undefined && Math.abs(nowMs - newest.takenAtMs) < everyMs;
    if (keep < 1 || seq === 0 || isRecent || newest?.seq === seq) return undefined;
    const at = backupsFolder(folder);
    const file = nodePath.join(at, backupName('automatic', nowMs, seq));
    const made = await store.backup(file, { signal: this.#end.signal });
    for (const old of automaticBackups(folder).slice(keep)) fs.rmSync(old.file, { force: true });
    return { file, takenAtMs: nowMs, seq: made.seq };
  }

  dispose(): void {
    this.#timer.dispose();
    this.#end.abort(new Error('the store is closed'));
  }

  #lookAfter(delayMs: number): void {
    const { clock, log, onDamage } = this.#options;
    this.#timer.value = clock.setTimer(delayMs, () => {
      this.backUpIfDue()
        .then((made) => made && log.info('the store was backed up', { ...made }))
        .catch((error: unknown) => {
          ignore(log, error, 'a backup is tried again later');
          if (DataError.is(error, 'data.corrupt')) onDamage?.();
        })
        .finally(() => {
          if (!this.#end.signal.aborted) this.#lookAfter(lookEveryMs);
        });
    });
  }
}

/** The automatic backups of a workspace, the newest first. */
export function automaticBackups(folder: string): readonly StoredBackup[] {
  return listBackups(folder).flatMap(({ kind, file, takenAtMs, seq }) =>
    kind === 'automatic' && seq !== undefined ? [{ file, takenAtMs, seq }] : [],
  );
}

/**
 * Copies `main`, complete by itself and unused meanwhile, before its schema is changed.
 * @throws an error of node:fs: then the schema must stay as it is
 */
export function backUpBeforeSchema(folder: string, main: string, version: number, nowMs: number): string {
  const at = backupsFolder(folder);
  const file = nodePath.join(at, `before-schema-${version}-${stamp(nowMs)}.db`);
  const temporary = `${file}.tmp`;
  fs.rmSync(temporary, { force: true });
  fs.copyFileSync(main, temporary, fs.constants.COPYFILE_FICLONE);
  fs.chmodSync(temporary, 0o600);
  const fd = fs.openSync(temporary, 'r+');
  try {
    const header = Buffer.alloc(100);
    fs.readSync(fd, header, 0, header.length, 0);
    markComplete(header, 0);
    fs.writeSync(fd, header, 0, header.length, 0);
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
  fs.renameSync(temporary, file);
  syncFolder(at);
  const kept = fs.readdirSync(at).filter((name) => /^before-schema-\d+-\d{8}T\d{6}Z\.db$/.test(name));
  const byTime = kept.sort((a, b) => (a.slice(-19) < b.slice(-19) ? 1 : -1));
  for (const old of byTime.slice(keptBeforeSchema)) fs.rmSync(nodePath.join(at, old), { force: true });
  return file;
}
