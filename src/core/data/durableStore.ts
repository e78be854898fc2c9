import type { DataStore } from './dataStore';

/** What can be wrong with a store's file. */
export type StoreFindingCode =
  /** SQLite's own check of pages, tables and indexes found something. */
  | 'check.structure'
  /** A record is not what was written; it is not served. */
  | 'check.record'
  /** An entry of the journal of changes is not what was written. */
  | 'check.change'
  /** Entries of the journal are missing in its midst. */
  | 'check.changeGap'
  /** Acknowledged changes are missing at the end. */
  | 'check.missingChanges'
  /** The index of texts: nothing is lost, it is made anew. A store with only this is whole. */
  | 'check.search'
  /** The note of the highest change, beside the store, is damaged; it is written anew with the next change. */
  | 'check.highWater'
  /** The file is no store of this product, or of a newer one. */
  | 'check.foreign';

/** What a person can do about a finding; nothing is repaired without one. */
export type StoreFix = 'restoreBackup' | 'deleteRecord' | 'acceptMissingChanges';

export interface StoreFinding {
  readonly code: StoreFindingCode;
  readonly kind?: string;
  readonly id?: string;
  /** One sentence, without the contents of records. */
  readonly message: string;
  readonly fix?: StoreFix;
}

export interface StoreCheckReport {
  readonly isWhole: boolean;
  /** At most {@link maxFindings}; `isCut` says that there were more. */
  readonly findings: readonly StoreFinding[];
  readonly isCut: boolean;
  readonly depth: CheckDepth;
  readonly records: number;
  readonly changes: number;
  /** Highest change in what was checked. */
  readonly seq: number;
  /** Only when it was asked for. */
  readonly contents?: StoreContents;
}

/** What a check tells of a file besides findings. */
export interface StoreContents {
  /** When the newest change in it was made; absent when it has none. */
  readonly lastChangeAtMs?: number;
  /** Values of the kind that was asked for, without those of damaged records; at most {@link maxListed}. */
  readonly values: readonly unknown[];
}

export const maxListed = 1_000;
export const maxFindings = 1_000;

/** `quick`: pages and tables (quick_check). `full`: indexes, too (integrity_check), every record, every entry of the journal. */
export type CheckDepth = 'quick' | 'full';

/** How far some work on a store has come; `done` of `total` bytes or rows, `total` 0 while that is not known. */
export interface MaintenanceStep {
  readonly phase: 'copying' | 'checking' | 'compacting';
  readonly done: number;
  readonly total: number;
}

export interface MaintenanceOptions {
  /** Ends the work; nothing is left behind. Default: never. */
  readonly signal?: AbortSignal;
  /** At most a few times a second. */
  readonly onProgress?: ((step: MaintenanceStep) => void) | undefined;
}

export interface BackupReport {
  readonly file: string;
  readonly sizeBytes: number;
  /** Highest change in it: it holds every change up to this one and none above. */
  readonly seq: number;
  readonly records: number;
}

/** What main file and log together take on the disk. */
export interface CompactReport {
  readonly beforeBytes: number;
  readonly afterBytes: number;
}

/**
 * A store on a file. Maintenance goes on beside writers: the main file changes only when the log is moved into it, so it is
 * read whole by a thread of its own while that is put off, and the log grows meanwhile.
 */
export interface DurableStore extends DataStore {
  /** Looks for damage in the state as of the call. @throws {DataError} data.io, data.closed, data.fenced; what aborted it */
  check(depth: CheckDepth, options?: MaintenanceOptions): Promise<StoreCheckReport>;
  /**
   * Writes the state as of the call, whole and checked, to `file` (absolute; 0600): complete under its name, or not there.
   * A file that is there is replaced if it is a backup of this product.
   * @throws {DataError} data.fileUnusable (no such folder, or something else is there), data.corrupt (the store is damaged: no backup was made),
   * data.io, data.closed, data.fenced; what aborted it
   */
  backup(file: string, options?: MaintenanceOptions): Promise<BackupReport>;
  /** Gives space of deleted records back to the disk, in steps between which writers are served. @throws as `tx` */
  compact(options?: MaintenanceOptions): Promise<CompactReport>;
}
