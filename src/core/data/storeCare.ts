import type { Clock } from '../base/clock';
import { ignore, type Logger } from '../base/log';
import { DataError } from './dataErrors';
import type {
  BackupReport,
  CheckDepth,
  CompactReport,
  DurableStore,
  MaintenanceOptions,
  StoreCheckReport,
  StoreContents,
} from './durableStore';

/** Who made a backup: the schedule, a person, a restore (of what was there before it), or a change of the schema. */
export type BackupKind = 'automatic' | 'manual' | 'beforeRestore' | 'beforeSchema';

/** A backup in the workspace's own folder of backups. */
export interface KeptBackup {
  readonly file: string;
  readonly kind: BackupKind;
  readonly takenAtMs: number;
  readonly sizeBytes: number;
  /** Highest change in it; not known of one from before a change of the schema. */
  readonly seq?: number;
  readonly schemaVersion: number;
  /** Of the SQLite that wrote it: `3.49.1`. */
  readonly sqliteVersion: string;
  /** It was checked whole when it was made. A restore checks it again in any case. */
  readonly isChecked: boolean;
}

/** What a person should know of a file before it takes the place of the store, or why it cannot. */
export type InspectedFile =
  | (BackupReport & {
      readonly isUsable: true;
      readonly schemaVersion: number;
      readonly contents?: StoreContents;
    })
  | UnusableBackup;

export interface UnusableBackup {
  readonly isUsable: false;
  /**
   * `unreadable`: it is not there, or may not be read; `other`: no backup of this product; `store`: a store in use, which may lack what is in its
   * log; `newer`: a newer product made it; `damaged`.
   */
  readonly why: 'unreadable' | 'other' | 'store' | 'newer' | 'damaged';
  /** More, in words, without contents of records; may be empty. */
  readonly detail: string;
}

export interface StoreSizes {
  /** The main file; absent while there is none. */
  readonly file?: string;
  readonly mainBytes: number;
  /** Of the log beside it. */
  readonly walBytes: number;
  readonly backupBytes: number;
  /** Damaged or replaced stores that were put aside and are kept. */
  readonly asideBytes: number;
  /** Of the months that old records were moved to. */
  readonly archiveBytes: number;
  /** Where those are; absent while there are none. */
  readonly archive?: string;
}

/** What the last check of this store found. */
export interface KeptCheck {
  readonly atMs: number;
  readonly cause: 'schedule' | 'uncleanEnd' | 'person';
  /** With its first {@link keptFindings} findings. */
  readonly report: StoreCheckReport;
  /** What is kept does not fit together, or with tmux; nobody was asked about it in this session. */
  readonly hasFindings?: boolean;
}

export const keptFindings = 20;

/** Sizes, backups and health of what is kept. */
export interface DataStatus extends StoreSizes {
  /** `sql.js 1.16.0 (file)` */
  readonly engine: string;
  readonly schemaVersion: number;
  /** Highest change. */
  readonly seq: number;
  readonly isReadOnly: boolean;
  /** Why, when it is. */
  readonly reason?: string;
  /** The newest first. */
  readonly backups: readonly KeptBackup[];
  readonly lastCheck?: KeptCheck;
}

export interface RestoreReport extends BackupReport {
  /** The store as it was before, as a backup; absent when it is too damaged for one: then it is kept aside as it is. */
  readonly presentBackup?: string;
}

export interface PrepareOptions extends MaintenanceOptions {
  readonly presentBackup?: string;
}

/** The files beside an open store: everything that needs no store to be open. */
export interface StoreKeeper {
  /** Read when it is called. */
  sizes(): Promise<StoreSizes>;
  /** The newest first. What is no backup of this product is not among them. */
  backups(): Promise<readonly KeptBackup[]>;
  /** A file in the workspace's folder of backups, which is made. */
  newBackupFile(kind: 'manual' | 'beforeRestore', nowMs: number, seq: number): string;
  /** Removes a backup of ours from the folder of backups. */
  removeBackup(file: string): Promise<void>;
  /** Looks at the header only. @throws {DataError} data.fileUnusable when it is no backup of this product */
  requireBackup(file: string): void;
  /** Looks at all of a file that is to be restored and changes nothing. `kind`: whose values are told. @throws {DataError} data.io; what aborted it */
  inspectBackup(file: string, kind: string, options: MaintenanceOptions): Promise<InspectedFile>;
  /** Puts a checked copy where the next opening of the store takes it over. @throws {DataError} data.fileUnusable, data.corrupt, data.io */
  prepareRestore(backup: string, options: PrepareOptions): Promise<BackupReport>;
  lastCheck(): Promise<KeptCheck | undefined>;
  keepCheck(check: KeptCheck): Promise<void>;
}

export interface StoreCarePorts {
  readonly store: DurableStore;
  readonly keeper: StoreKeeper;
  readonly clock: Clock;
  readonly log: Logger;
  /** A check has ended; its result is kept. */
  readonly onDidCheck: (check: KeptCheck) => void;
}

/** What a person, or the schedule, does with an open store. */
export class StoreCare {
  constructor(private readonly ports: StoreCarePorts) {}

  async status(): Promise<DataStatus> {
    const { store, keeper } = this.ports;
    const [sizes, backups, lastCheck] = await Promise.all([keeper.sizes(), keeper.backups(), keeper.lastCheck()]);
    return statusOf(store, sizes, backups, lastCheck);
  }

  /** @throws as {@link DurableStore.check} */
  async check(depth: CheckDepth, cause: KeptCheck['cause'], options: MaintenanceOptions): Promise<StoreCheckReport> {
    const { store, keeper, clock, log, onDidCheck } = this.ports;
    const report = await store.check(depth, options);
    const kept: KeptCheck = {
      atMs: clock.nowMs(),
      cause,
      report: {
        ...report,
        findings: report.findings.slice(0, keptFindings),
        isCut: report.isCut || report.findings.length > keptFindings,
      },
    };
    // A quick look that finds nothing does not stand for the whole one that is kept.
    if (depth === 'full' || !report.isWhole) {
      await keeper.keepCheck(kept).catch((error: unknown) => ignore(log, error, 'the result of a check is not kept'));
    }
    onDidCheck(kept);
    return report;
  }

  /** @param file default: a new one in the folder of backups. @throws as {@link DurableStore.backup} */
  async backUp(file: string | undefined, options: MaintenanceOptions): Promise<BackupReport> {
    const { store, keeper, clock } = this.ports;
    return store.backup(file ?? keeper.newBackupFile('manual', clock.nowMs(), store.health.seq), options);
  }

  /**
   * Backs up what is there, checks the backup and leaves a copy of it for the next opening of the store: nothing has changed when
   * this resolves, and on a failure nothing is left behind.
   * @throws {DataError} data.fileUnusable, data.corrupt (of the backup), data.io; what aborted it
   */
  async restore(backup: string, options: MaintenanceOptions): Promise<RestoreReport> {
    const { keeper, log } = this.ports;
    keeper.requireBackup(backup);
    const presentBackup = await this.#backUpPresent(options);
    const of = presentBackup === undefined ? {} : { presentBackup };
    try {
      const report = await keeper.prepareRestore(backup, { ...options, ...of });
      log.warn('a backup takes the place of the store at its next opening', { ...report, ...of });
      return { ...report, ...of };
    } catch (error) {
      if (presentBackup !== undefined) {
        await keeper
          .removeBackup(presentBackup)
          .catch((cause: unknown) => ignore(log, cause, 'a backup more than needed is kept'));
      }
      throw error;
    }
  }

  /** @throws as {@link DurableStore.compact} */
  compact(options: MaintenanceOptions): Promise<CompactReport> {
    return this.ports.store.compact(options);
  }

  /** A store that is damaged cannot be backed up; it is put aside whole. An empty one needs no backup. */
  async #backUpPresent(options: MaintenanceOptions): Promise<string | undefined> {
    const { store, keeper, clock, log } = this.ports;
    if (store.health.seq === 0) return undefined;
    const file = keeper.newBackupFile('beforeRestore', clock.nowMs(), store.health.seq);
    try {
      return (await store.backup(file, options)).file;
    } catch (error) {
      if (!DataError.is(error, 'data.corrupt')) throw error;
      log.warn('the present store is damaged and is put aside as it is', { error });
      return undefined;
    }
  }
}

function statusOf(
  { health }: DurableStore,
  sizes: StoreSizes,
  backups: readonly KeptBackup[],
  lastCheck: KeptCheck | undefined,
): DataStatus {
  const { engine, schemaVersion, seq, isReadOnly, reason } = health;
  return {
    ...sizes,
    ...{ engine, schemaVersion, seq, isReadOnly, backups },
    ...(reason !== undefined && { reason }),
    ...(lastCheck && { lastCheck }),
  };
}
