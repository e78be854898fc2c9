import { DataError, type DataErrorCode } from '../dataErrors';
import type { Change } from '../dataStore';
import type { StoredRecord } from '../recordCodec';
import type { PlainQuery } from '../recordQuery';
import type { PlainSearch, SearchPage } from '../search/dataSearch';
import type { WriteOp } from '../transactionView';
import type { Quarantined } from './storeQuarantine';
import type { AppliedRestore } from './storeRestore';

/** The writes of one transaction. */
export interface TxRequest {
  readonly type: 'tx';
  readonly id: number;
  readonly ops: readonly WriteOp[];
  readonly isDurable: boolean;
  readonly nowMs: number;
  /** Its writes came before, in portions under this number, and come before `ops`. */
  readonly staged?: number;
}

/** A portion of the writes of a later transaction. */
export interface StageRequest {
  readonly type: 'stage';
  readonly staged: number;
  /** Null: the transaction will not come. */
  readonly ops: readonly WriteOp[] | null;
}

export type ReadQuestion =
  | { readonly of: 'record'; readonly kind: string; readonly recordId: string }
  | { readonly of: 'records'; readonly kind: string; readonly query: PlainQuery }
  | { readonly of: 'changes'; readonly after: number; readonly limit: number }
  | { readonly of: 'search'; readonly search: PlainSearch };

export interface ReadRequest {
  readonly type: 'read';
  readonly id: number;
  readonly question: ReadQuestion;
}

/**
 * - `hold` moves the log into the main file and leaves that file unchanged until `release`
 * - `release` ends a hold; it fails when that hold is not known any more, and what was read meanwhile may be torn
 * - `compact` gives some unused pages back to the disk
 * - `reindex` begins the index of texts anew, from the records
 */
export type MaintenanceAction =
  | { readonly do: 'hold' }
  | { readonly do: 'release'; readonly hold: number }
  | { readonly do: 'compact' }
  | { readonly do: 'reindex' };

/** A main file that is complete by itself and does not change. */
export interface HeldStore {
  readonly hold: number;
  readonly file: string;
  readonly seq: number;
  readonly notedSeq?: number | 'damaged';
}

/** What one step of `compact` has done. */
export interface CompactedStep {
  /** That are still in the file. */
  readonly unusedPages: number;
  /** Main file and log on the disk, before and after it. */
  readonly beforeBytes: number;
  readonly afterBytes: number;
}

export interface MaintainRequest {
  readonly type: 'maintain';
  readonly id: number;
  readonly action: MaintenanceAction;
}

/** From the caller's thread to the store's. Handled in order; a message carries several. */
export type StoreRequest =
  | TxRequest
  | StageRequest
  | ReadRequest
  | MaintainRequest
  /** Makes the indexes of a collection, and that of its texts; no reply: queries are right without, only slower. */
  | {
      readonly type: 'declare';
      readonly kind: string;
      readonly indexes: readonly string[];
      readonly texts: readonly string[];
    }
  | { readonly type: 'close' };

/** An error as it crosses threads. */
export interface WireError {
  readonly code: DataErrorCode;
  readonly detail: string;
}

export interface StoreState {
  readonly engine: string;
  readonly schemaVersion: number;
  readonly seq: number;
  readonly sizeBytes: number;
  /** Why nothing can be written at present; absent when all is well. */
  readonly reason?: string;
}

export interface OpenReport {
  /** The store's main file. */
  readonly file: string;
  /** There was no store before. */
  readonly isNew: boolean;
  /** The schema version it had, when it was brought forward. */
  readonly migratedFromVersion?: number;
  /** Damaged stores were put aside (with their companions), and an empty one begun, now or before. */
  readonly quarantined?: Quarantined;
  /** A backup has taken the store's place; nobody was told yet. */
  readonly restored?: AppliedRestore;
  /** The store was copied to fresh files, because a suspended process may hold the old ones open. */
  readonly hasFreshFiles: boolean;
  /** Acknowledged changes that are not in the store any more: it is read-only until a person accepts the loss. */
  readonly missingChanges?: { readonly acknowledgedSeq: number; readonly foundSeq: number };
  /** Whoever had it open last was killed, or lost the power: the log was still there. */
  readonly wasUnclean: boolean;
  /** True when the structure of the whole file was checked at open; large files are not. */
  readonly isChecked: boolean;
}

export type StoreReply =
  | { readonly type: 'opened'; readonly state: StoreState; readonly report: OpenReport }
  | { readonly type: 'openFailed'; readonly error: WireError }
  /** These transactions took effect and are durable; `seq` and `sizeBytes` as of now. The common reply, so a small one. */
  | { readonly type: 'done'; readonly ids: readonly number[]; readonly seq: number; readonly sizeBytes: number }
  | { readonly type: 'failed'; readonly id: number; readonly error: WireError }
  | {
      readonly type: 'answer';
      readonly id: number;
      readonly records?: readonly StoredRecord[];
      readonly changes?: readonly Change[];
      readonly page?: SearchPage;
      readonly held?: HeldStore;
      readonly compacted?: CompactedStep;
      readonly error?: WireError;
    }
  | { readonly type: 'state'; readonly state: StoreState }
  | { readonly type: 'closed'; readonly error?: WireError };

export function toWireError(error: unknown, fallback: DataErrorCode = 'data.io'): WireError {
  if (DataError.is(error)) return { code: error.code, detail: error.message.slice(error.code.length + 2) };
  return { code: fallback, detail: error instanceof Error ? error.message : String(error) };
}

export function fromWireError({ code, detail }: WireError): DataError {
  return new DataError(code, detail);
}
