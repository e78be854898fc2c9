import { asRecord, type DataTransformation, eachItem, type JsonObject, transformation } from './dataTransformation';
import { type Condition, compileCondition, compileExpression, type Expression } from './expression';
import { RecordRejection } from './processingErrors';
import { formatPath, getAt, path, type RecordPath, setOwn, withAt, withoutAt } from './recordPath';

/** A path as people write it, or taken apart already. */
export type Place = string | RecordPath;

export function toPath(place: Place): RecordPath {
  return typeof place === 'string' ? path(place) : place;
}

/** Each item through a function of the program. */
export function map<I, O>(change: (item: I) => O): DataTransformation<I, O> {
  return eachItem('map', change);
}

/**
 * A new record of the fields named, each made by an expression; a result that is missing leaves its field out.
 * Refuses: map.notAText, map.notANumber, map.notFinite.
 */
export function mapFields(
  fields: readonly (readonly [name: string, make: Expression | ((record: unknown) => unknown)])[],
): DataTransformation<JsonObject, JsonObject> {
  const makers = fields.map(
    ([name, make]) => [name, typeof make === 'function' ? make : compileExpression(make)] as const,
  );
  return eachItem('map', (record) => {
    const result: Record<string, unknown> = {};
    for (const [name, make] of makers) {
      const value = make(record);
      if (value !== undefined) setOwn(result, name, value);
    }
    return result;
  });
}

/** Lets through what `condition` holds for; what it leaves out is no refusal. */
export function filter<T>(condition: Condition | ((item: T) => boolean)): DataTransformation<T, T> {
  const holds = typeof condition === 'function' ? condition : compileCondition(condition);
  return transformation('filter', () => ({
    push: (item, emit) => {
      if (holds(item)) emit(item);
    },
  }));
}

/**
 * Moves what is at the first path of a pair to the second, pair by pair; nothing happens where nothing is, and what
 * was at the second is replaced. Refuses: rename.blocked when the new place lies inside of something else than an object.
 */
export function rename(
  pairs: readonly (readonly [from: Place, to: Place])[],
): DataTransformation<JsonObject, JsonObject> {
  const moves = pairs.map(([from, to]) => [toPath(from), toPath(to)] as const);
  return eachItem('rename', (item) => {
    let record = asRecord(item, 'rename');
    for (const [from, to] of moves) {
      const value = getAt(record, from);
      if (value !== undefined) record = put('rename', withoutAt(record, from), to, value);
    }
    return record;
  });
}

/** Only what is at these paths, each at its own place; out of an array it becomes an object with the index as name. */
export function project(paths: readonly Place[]): DataTransformation<JsonObject, JsonObject> {
  const kept = paths.map(toPath);
  return eachItem('project', (item) => {
    const record = asRecord(item, 'project');
    let result: JsonObject = {};
    for (const parts of kept) {
      const value = getAt(record, parts);
      if (value !== undefined) result = put('project', result, parts, value);
    }
    return result;
  });
}

/** Sets what is missing (with `alsoNull`: or null). Refuses: default.blocked. */
export function defaults(
  values: readonly (readonly [place: Place, value: unknown])[],
  options: { readonly alsoNull?: boolean } = {},
): DataTransformation<JsonObject, JsonObject> {
  const set = values.map(([place, value]) => [toPath(place), value] as const);
  return eachItem('default', (item) => {
    let record = asRecord(item, 'default');
    for (const [parts, value] of set) {
      const present = getAt(record, parts);
      if (present === undefined || (options.alsoNull && present === null))
        record = put('default', record, parts, value);
    }
    return record;
  });
}

export type CoerceTo = 'text' | 'number' | 'integer' | 'boolean' | 'time';

/**
 * Makes what is at each path the type named, without loss: `"12"` becomes 12, `12.5` no integer. `time` is RFC 3339
 * in UTC, from RFC 3339 with any offset or from epoch milliseconds. Missing and null stay.
 * Refuses: coerce.impossible.
 */
export function coerce(
  types: readonly (readonly [place: Place, to: CoerceTo])[],
): DataTransformation<JsonObject, JsonObject> {
  const changes = types.map(([place, to]) => [toPath(place), to] as const);
  return eachItem('coerce', (item) => {
    let record = asRecord(item, 'coerce');
    for (const [parts, to] of changes) {
      const value = getAt(record, parts);
      if (value === undefined || value === null) continue;
      const result = coerced(value, to);
      if (result === undefined) throw new RecordRejection('coerce.impossible', `${formatPath(parts)} is no ${to}`);
      if (result !== value) record = put('coerce', record, parts, result);
    }
    return record;
  });
}

const numberText = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

function coerced(value: unknown, to: CoerceTo): string | number | boolean | undefined {
  if (to === 'time') return utcTime(value);
  if (typeof value === 'object') return undefined;
  if (to === 'text') return String(value);
  if (to === 'boolean') {
    if (typeof value === 'boolean') return value;
    return value === 1 || value === 'true' ? true : value === 0 || value === 'false' ? false : undefined;
  }
  const number = typeof value === 'string' && numberText.test(value.trim()) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) return undefined;
  return to === 'number' || Number.isSafeInteger(number) ? number : undefined;
}

export interface NormaliseOptions {
  /** Where texts are normalised; default: every text of the record, but not names of properties. */
  readonly texts?: readonly Place[];
  /** Unicode NFC. Default true. */
  readonly nfc?: boolean;
  /** White space at both ends goes. Default true. */
  readonly trim?: boolean;
  /** Where times are: they become RFC 3339 in UTC with milliseconds. Missing and null stay. */
  readonly times?: readonly Place[];
}

/** Refuses: normalise.notATime. */
export function normalise(options: NormaliseOptions = {}): DataTransformation<JsonObject, JsonObject> {
  const { nfc = true, trim = true } = options;
  const texts = options.texts?.map(toPath);
  const times = (options.times ?? []).map(toPath);
  const change = (text: string): string => {
    const composed = nfc ? text.normalize('NFC') : text;
    return trim ? composed.trim() : composed;
  };
  return eachItem('normalise', (item) => {
    let record = asRecord(item, 'normalise');
    if (texts === undefined) record = changeTexts(record, change) as JsonObject; // the copy of a record is one
    for (const parts of texts ?? []) {
      const value = getAt(record, parts);
      const result = changeTexts(value, change);
      if (result !== value) record = put('normalise', record, parts, result);
    }
    for (const parts of times) {
      const value = getAt(record, parts);
      if (value === undefined || value === null) continue;
      const time = utcTime(value);
      if (time === undefined) throw new RecordRejection('normalise.notATime', `${formatPath(parts)} is no time`);
      if (time !== value) record = put('normalise', record, parts, time);
    }
    return record;
  });
}

/** Every text inside of `value` through `change`; what did not change is shared, all of it if nothing did. */
export function changeTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    let copy: unknown[] | undefined;
    for (let i = 0; i < value.length; i++) {
      const before: unknown = value[i];
      const after = changeTexts(before, change);
      if (after !== before) (copy ??= [...(value as unknown[])])[i] = after;
    }
    return copy ?? value;
  }
  let copy: Record<string, unknown> | undefined;
  for (const [name, before] of Object.entries(value)) {
    const after = changeTexts(before, change);
    if (after !== before) setOwn((copy ??= { ...value }), name, after);
  }
  return copy ?? value;
}

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(\.\d+)?([Zz]|([+-])(\d\d):(\d\d))$/;

/**
 * RFC 3339 in UTC with milliseconds, from RFC 3339 with any offset (finer fractions are cut off) or from epoch
 * milliseconds; undefined for anything else: other formats, days that do not exist, leap seconds, years out of 0–9999.
 */
export function utcTime(value: unknown): string | undefined {
  const ms = typeof value === 'number' ? value : typeof value === 'string' ? parseTimeMs(value) : undefined;
  if (ms === undefined || !(ms >= -62_167_219_200_000 && ms < 253_402_300_800_000)) return undefined;
  return new Date(ms).toISOString();
}

/** Epoch milliseconds of an RFC 3339 time; undefined when it is none. */
export function parseTimeMs(text: string): number | undefined {
  const parts = rfc3339.exec(text);
  if (!parts) return undefined;
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number);
  if (year === undefined || month === undefined || day === undefined) return undefined;
  const midnight = new Date(0);
  midnight.setUTCFullYear(year, month - 1, day); // unlike Date.UTC it takes years below 100 as they are
  if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day) return undefined;
  const [offsetHour, offsetMinute] = [Number(parts[10] ?? 0), Number(parts[11] ?? 0)];
  if ((hour ?? 24) > 23 || (minute ?? 60) > 59 || (second ?? 60) > 59 || offsetHour > 23 || offsetMinute > 59)
    return undefined;
  const withinDayMs = (((hour ?? 0) * 60 + (minute ?? 0)) * 60 + (second ?? 0)) * 1_000;
  const fractionMs = Number((parts[7] ?? '.0').slice(1, 4).padEnd(3, '0'));
  const offsetMs = (offsetHour * 60 + offsetMinute) * 60_000 * (parts[9] === '-' ? -1 : 1);
  return midnight.getTime() + withinDayMs + fractionMs - offsetMs;
}

/** What checks a value: `DataValidator` is one, by its shape. */
export interface Validator {
  validate(value: unknown): {
    readonly ok: boolean;
    /** All that was found; those of severity `warning` refuse nothing. */
    readonly problems: readonly { readonly path?: string; readonly code: string; readonly message: string }[];
  };
}

/** Lets through what is valid. Refuses: validate.<code of the first problem>, with the number of the others. */
export function validateStep<T>(validator: Validator): DataTransformation<T, T> {
  return eachItem('validate', (item) => {
    const { ok, problems } = validator.validate(item);
    if (ok) return item;
    const [first] = problems;
    if (!first) throw new RecordRejection('validate.invalid', 'it is not valid');
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
    throw new RecordRejection(`validate.${first.code}`, `${first.path ?? ''}: ${first.message}${more}`);
  });
}

/** @throws {RecordRejection} `<step>.blocked` */
export function put(step: string, record: JsonObject, parts: RecordPath, value: unknown): JsonObject {
  const result = withAt(record, parts, value);
  if (result) return result;
  throw new RecordRejection(`${step}.blocked`, `${formatPath(parts)} lies inside of something that is no object`);
}
