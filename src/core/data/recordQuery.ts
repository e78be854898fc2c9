import type { Below, Collection, Query } from './dataStore';
import { DataError } from './dataErrors';
import { isComparableText, type StoredRecord } from './recordCodec';

/** A query after checking: what drivers run. */
export interface PlainQuery {
  readonly where: readonly (readonly [property: string, value: Scalar])[];
  readonly orderBy: string;
  readonly descending: boolean;
  /** Only ids above this one; the order is then by id, ascending. */
  readonly after?: string;
  /** Infinity is written as undefined. */
  readonly limit: number | undefined;
}

export type Scalar = string | number | boolean | null;

/** @throws {DataError} data.invalid when it names something that is not declared, or a bad limit */
export function compileQuery<T>(collection: Collection<T>, query: Query<T> = {}): PlainQuery {
  const declared: readonly string[] = collection.indexes;
  const where: (readonly [string, Scalar])[] = [];
  for (const [property, value] of Object.entries(query.where ?? {})) {
    if (value === undefined) continue;
    if (!declared.includes(property)) throw undeclared(collection.kind, property);
    where.push([property, checkScalar(value)]);
  }
  const orderBy = query.orderBy ?? 'id';
  if (orderBy !== 'id' && !declared.includes(orderBy)) throw undeclared(collection.kind, orderBy);
  const { limit, after } = query;
  const descending = query.descending ?? false;
  if (after !== undefined && (orderBy !== 'id' || descending || !isComparableText(after)))
    throw new DataError('data.invalid', '`after` is an id, and asks for the default order');
  if (limit !== undefined && (!Number.isInteger(limit) || limit < 0))
    throw new DataError('data.invalid', 'limit is a whole number ≥ 0');
  return { where, orderBy, descending, limit, ...(after !== undefined && { after }) };
}

function undeclared(kind: string, property: string): DataError {
  return new DataError('data.invalid', `${JSON.stringify(property)} is not an index of ${kind}`);
}

function checkScalar(value: unknown): Scalar {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value === 'string' && isComparableText(value)) return value;
  throw new DataError(
    'data.invalid',
    'a query compares with text without control characters, finite numbers, booleans or null',
  );
}

/** A record with its value parsed once, for comparing. */
interface Candidate {
  readonly record: StoredRecord;
  readonly value: unknown;
}

/** The records that `query` asks for, in order. The reference that every driver must agree with. */
export function runQuery(records: Iterable<StoredRecord>, query: PlainQuery): StoredRecord[] {
  const found: Candidate[] = [];
  for (const record of records) {
    if (query.after !== undefined && compareText(record.id, query.after) <= 0) continue;
    const candidate = { record, value: JSON.parse(record.json) as unknown };
    if (matches(candidate.value, query)) found.push(candidate);
  }
  const sign = query.descending ? -1 : 1;
  found.sort((a, b) => sign * (compareBy(a, b, query.orderBy) || compareText(a.record.id, b.record.id)));
  return found.slice(0, query.limit).map((candidate) => candidate.record);
}

/** True when `value` (parsed) fulfils every condition, type for type. */
export function matches(value: unknown, query: PlainQuery): boolean {
  return query.where.every(([property, expected]) => propertyOf(value, property) === expected);
}

/** True when the property is, as SQLite compares, a number below. */
export function isBelow(value: unknown, below: Below): boolean {
  const found = comparable(propertyOf(value, below.property));
  return typeof found === 'number' && found < below.value;
}

function compareBy(a: Candidate, b: Candidate, property: string): number {
  return property === 'id' ? 0 : compareScalars(propertyOf(a.value, property), propertyOf(b.value, property));
}

function propertyOf(value: unknown, property: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, property)) return null;
  return (value as Record<string, unknown>)[property] ?? null; // an object, checked above
}

/** SQLite's order of storage classes: null, numbers, text; objects and arrays count as their JSON text. */
export function compareScalars(a: unknown, b: unknown): number {
  const [x, y] = [comparable(a), comparable(b)];
  if (typeof x === 'number' && typeof y === 'number') return x - y;
  if (typeof x === 'string' && typeof y === 'string') return compareText(x, y);
  return rank(x) - rank(y);
}

function comparable(value: unknown): string | number | null {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value;
  return typeof value === 'boolean' ? Number(value) : JSON.stringify(value);
}

function rank(value: string | number | null): number {
  return value === null ? 0 : typeof value === 'number' ? 1 : 2;
}

/** By code point, as SQLite compares UTF-8 bytes; JavaScript's own `<` compares UTF-16 units. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) return isSurrogate(x) === isSurrogate(y) ? x - y : isSurrogate(x) ? 1 : -1;
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
