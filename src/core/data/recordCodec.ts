import { DataError } from './dataErrors';
import type { DataRecord } from './dataStore';

/** 1 MiB of UTF-8: the largest value of one record. Larger things belong in files that a record names. */
export const maxRecordBytes = 1024 * 1024;

/** Nesting allowed in a value; far below the 1000 levels at which SQLite's JSON functions refuse. */
export const maxRecordDepth = 64;

/** A record as a driver keeps it: the value as canonical JSON text. */
export interface StoredRecord extends Omit<DataRecord, 'value'> {
  readonly json: string;
}

const kindPattern = /^[A-Za-z][A-Za-z0-9._-]{0,63}$/;
const propertyPattern = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
/** Control characters and halves of surrogate pairs: neither survives every text codec unchanged. */
const unsafeTextPattern = /[\p{Cc}\p{Surrogate}]/u;

/** @throws {DataError} data.invalid */
export function checkKind(kind: string): void {
  if (!kindPattern.test(kind)) throw new DataError('data.invalid', `not a collection name: ${JSON.stringify(kind)}`);
}

/** @throws {DataError} data.invalid */
export function checkIndexName(property: string): void {
  if (!propertyPattern.test(property))
    throw new DataError('data.invalid', `cannot be indexed: ${JSON.stringify(property)}`);
}

/** @throws {DataError} data.invalid */
export function checkId(id: string): void {
  if (typeof id !== 'string' || id.length < 1 || id.length > 200)
    throw new DataError('data.invalid', 'a record id has 1 to 200 characters');
  if (unsafeTextPattern.test(id))
    throw new DataError('data.invalid', 'a record id has no control characters or unpaired surrogates');
}

/** True when `text` can be compared inside SQLite exactly as in JavaScript. */
export function isComparableText(text: string): boolean {
  return !unsafeTextPattern.test(text);
}

/**
 * JSON with sorted keys and no spaces: equal values have equal text.
 * @throws {DataError} data.invalid for anything that JSON would change in silence (functions, NaN, bigint, dates,
 * maps, class instances, holes, cycles, more than {@link maxRecordDepth} levels); data.tooLarge above {@link maxRecordBytes}
 */
export function encodeValue(value: unknown): string {
  const json = encode(value, 0);
  if (utf8Length(json) > maxRecordBytes)
    throw new DataError('data.tooLarge', `a record has at most ${maxRecordBytes} bytes`);
  return json;
}

function encode(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'number':
      if (!Number.isFinite(value)) throw notJson(String(value));
      return JSON.stringify(value);
    case 'object':
      if (value === null) return 'null';
      if (depth >= maxRecordDepth) throw notJson(`more than ${maxRecordDepth} levels`);
      return Array.isArray(value) ? encodeArray(value, depth) : encodeObject(value, depth);
    default:
      throw notJson(typeof value);
  }
}

function encodeArray(items: readonly unknown[], depth: number): string {
  let text = '[';
  for (let i = 0; i < items.length; i++) text += (i === 0 ? '' : ',') + encode(items[i], depth + 1); // a loop, not map: holes must be met
  return `${text}]`;
}

function encodeObject(value: object, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) throw notJson('a class instance');
  let text = '';
  for (const key of Object.keys(value).sort()) {
    const item = (value as Record<string, unknown>)[key]; // own key of a plain object
    if (item === undefined) continue;
    text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${encode(item, depth + 1)}`;
  }
  return `{${text}}`;
}

function notJson(what: string): DataError {
  return new DataError('data.invalid', `a record's value is plain JSON, not ${what}`);
}

/** The value of a stored record, through the collection's own check. @throws {DataError} data.invalid */
export function decodeValue<T>(stored: StoredRecord, parse: (value: unknown) => T): T {
  return checkValue(stored.kind, JSON.parse(stored.json), parse);
}

/** Runs a collection's check. @throws {DataError} data.invalid, whatever the check throws */
export function checkValue<T>(kind: string, value: unknown, parse: (value: unknown) => T): T {
  try {
    return parse(value);
  } catch (cause) {
    if (DataError.is(cause, 'data.invalid')) throw cause;
    throw new DataError('data.invalid', `a value of ${kind} was refused by its collection`, { cause });
  }
}

/** CRC-32C over every field of the record: what was read is what was written, or it is not served. */
export function recordChecksum(record: StoredRecord): number {
  const { kind, id, version, createdAtMs, updatedAtMs, epoch, json } = record;
  return crc32c(`${kind}\0${id}\0${version}\0${createdAtMs}\0${updatedAtMs}\0${epoch}\0${json}`);
}

/** CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `data`; text counts as UTF-8. Four bytes a step ("slicing"). */
export function crc32c(data: string | Uint8Array): number {
  const bytes = typeof data === 'string' ? encoder.encode(data) : data;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let crc = 0xffffffff;
  let at = 0;
  for (; at + 4 <= bytes.length; at += 4) {
    crc ^= view.getUint32(at, true);
    crc =
      entry(768 + (crc & 0xff)) ^
      entry(512 + ((crc >>> 8) & 0xff)) ^
      entry(256 + ((crc >>> 16) & 0xff)) ^
      entry(crc >>> 24);
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ entry((crc ^ view.getUint8(at)) & 0xff);
  return (crc ^ 0xffffffff) >>> 0;
}

const encoder = new TextEncoder();

/** Four tables of the reversed polynomial 0x82F63B78: the effect of a byte with 0 to 3 bytes behind it. */
const table = makeTables();

function entry(index: number): number {
  return table[index] ?? 0; // always within the four tables
}

function makeTables(): Int32Array {
  const tables = new Int32Array(1024);
  for (let index = 0; index < 256; index++) {
    let crc = index;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    tables[index] = crc;
  }
  for (let at = 256; at < 1024; at++) {
    const before = tables[at - 256] ?? 0;
    tables[at] = (before >>> 8) ^ (tables[before & 0xff] ?? 0);
  }
  return tables;
}

/** Bytes of `text` as UTF-8; a short text that cannot be too large is not encoded just to be measured. */
function utf8Length(text: string): number {
  return text.length * 3 <= maxRecordBytes ? text.length : encoder.encode(text).length;
}
