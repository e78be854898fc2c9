import type { KeptRecord } from '../dataStore';
import type { JsonObject } from '../processing/dataTransformation';

/** Kind of the first and the last record of an export, which tell about it; no collection can be called so. */
export const EXPORT_KIND = '$export';
export const HEADER_ID = 'header';
export const END_ID = 'end';
/** Of the records of an export as JSON, NDJSON or SQLite. 1 had no end; a newer one is refused by an import. */
export const EXPORT_FORMAT = 2;

/** What an export says of itself, first. */
export interface ExportHeader {
  readonly format: number;
  /** Of the store it is from. */
  readonly schemaVersion: number;
  /** Every change up to this one is in it. */
  readonly seq: number;
  readonly atMs: number;
  /** What looked like a secret was left out. */
  readonly isRedacted: boolean;
}

/** What an export as JSON or NDJSON says of itself, last: without it, or when it does not agree, the file was cut or changed. */
export interface ExportEnd {
  /** Between the header and this. */
  readonly records: number;
  /** SHA-256, hex, of every byte of the file before this record. */
  readonly sha256: string;
}

/** A record as one line of JSON; its value goes in as it is kept. */
export function lineOf({ kind, id, version, createdAtMs, updatedAtMs, epoch, json }: KeptRecord): string {
  return `{"kind":${JSON.stringify(kind)},"id":${JSON.stringify(id)},"version":${version},"createdAtMs":${createdAtMs},"updatedAtMs":${updatedAtMs},"epoch":${epoch},"value":${json}}`;
}

/** The same as an object. */
export function plainOf({ kind, id, version, createdAtMs, updatedAtMs, epoch, json }: KeptRecord): JsonObject {
  return { kind, id, version, createdAtMs, updatedAtMs, epoch, value: JSON.parse(json) as unknown };
}

/** A record about the export itself. */
export function aboutExport(id: string, value: ExportHeader | ExportEnd): JsonObject {
  return { kind: EXPORT_KIND, id, value };
}
