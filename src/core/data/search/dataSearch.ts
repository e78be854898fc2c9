import { DataError } from '../dataErrors';
import type { StoredRecord } from '../recordCodec';
import { checkKind } from '../recordCodec';
import { type SearchSnippet, snippetOf, textsAt, type TextPath } from './searchDocument';
import { parseSearch, type SearchTerm } from './searchTerms';

export interface SearchOptions {
  /** Only these collections; default all that declare texts. */
  readonly kinds?: readonly string[];
  /** 1–500; default 50. */
  readonly limit?: number;
  /** Only what is older than this {@link SearchHit.position}: the last one of a page gives the next page. */
  readonly before?: number;
}

/** A record whose texts have all that was looked for. */
export interface SearchHit {
  readonly kind: string;
  readonly id: string;
  readonly version: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** As it is kept, not checked by its collection. */
  readonly value: unknown;
  /** Grows with the order in which records were made. */
  readonly position: number;
  readonly snippet: SearchSnippet;
}

export interface SearchPage {
  /** What was made last comes first. */
  readonly hits: readonly SearchHit[];
  /** False while the index of an older store is being made, or more was written at once than is looked through: some may be missing. */
  readonly isComplete: boolean;
}

/** A search after checking: what drivers run, and what crosses threads. */
export interface PlainSearch {
  readonly terms: readonly SearchTerm[];
  readonly kinds: readonly string[] | undefined;
  readonly limit: number;
  readonly before: number | undefined;
}

export const defaultSearchLimit = 50;
export const maxSearchLimit = 500;
const maxKinds = 32;

/** @throws {DataError} data.invalid */
export function compileSearch(query: string, options: SearchOptions = {}): PlainSearch {
  const { kinds, limit = defaultSearchLimit, before } = options;
  if (!Number.isInteger(limit) || limit < 1 || limit > maxSearchLimit)
    throw new DataError('data.invalid', `the limit of a search is a whole number from 1 to ${maxSearchLimit}`);
  if (before !== undefined && (!Number.isSafeInteger(before) || before < 0))
    throw new DataError('data.invalid', '`before` is the position of a hit');
  if (kinds && kinds.length > maxKinds) throw new DataError('data.invalid', `at most ${maxKinds} collections`);
  for (const kind of kinds ?? []) checkKind(kind);
  return { terms: parseSearch(query), kinds, limit, before };
}

/** What one record is for a search; undefined when it is not found. The reference that every driver must agree with. */
export function hitOf(
  record: StoredRecord,
  position: number,
  paths: readonly TextPath[],
  terms: readonly SearchTerm[],
): SearchHit | undefined {
  const value = JSON.parse(record.json) as unknown;
  const snippet = snippetOf(textsAt(value, paths), terms);
  if (!snippet) return undefined;
  const { kind, id, version, createdAtMs, updatedAtMs } = record;
  return { kind, id, version, createdAtMs, updatedAtMs, value, position, snippet };
}
