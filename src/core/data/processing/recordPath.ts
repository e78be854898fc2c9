import type { JsonObject } from './dataTransformation';

/** A place inside of a record, taken apart. Empty: the record itself. */
export type RecordPath = readonly string[];

const maxPathLength = 1_000;

/**
 * Reads `agent.name` (dots) or `/agent/name` (JSON pointer, RFC 6901, for names with dots in them). Arrays are
 * entered by index. Undefined when it is not a path: empty, an empty part between dots, a wrong `~`, over 1 000
 * characters, or `__proto__`, which is never a place.
 */
export function parsePath(text: string): RecordPath | undefined {
  if (text === '' || text.length > maxPathLength) return undefined;
  const parts = text.startsWith('/') ? pointerParts(text) : text.split('.');
  if (!parts || parts.includes('__proto__')) return undefined;
  return !text.startsWith('/') && parts.includes('') ? undefined : parts;
}

function pointerParts(text: string): string[] | undefined {
  if (/~(?![01])/.test(text)) return undefined;
  return text
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** A path that the program itself names. @throws {RangeError} when it is none: a bug */
export function path(text: string): RecordPath {
  const parts = parsePath(text);
  if (!parts) throw new RangeError(`not a path: ${JSON.stringify(text)}`);
  return parts;
}

/** What is there; undefined when nothing is. Only own properties are seen. */
export function getAt(value: unknown, parts: RecordPath): unknown {
  let found = value;
  for (const part of parts) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, part)) return undefined;
    found = (found as JsonObject)[part]; // an object with this property, just asked
  }
  return found;
}

/**
 * A copy of `record` with `value` at `parts`; what is not on the way is shared. Objects are made where nothing was;
 * undefined when something on the way is neither an object nor an array with that index: nothing is overwritten.
 */
export function withAt(record: JsonObject, parts: RecordPath, value: unknown): JsonObject | undefined {
  const copy = place(record, parts, 0, value);
  return copy as JsonObject | undefined; // a copy of a record is a record
}

function place(here: unknown, parts: RecordPath, depth: number, value: unknown): unknown {
  const part = parts[depth];
  if (part === undefined) return value;
  if (here !== undefined && (typeof here !== 'object' || here === null)) return undefined;
  if (Array.isArray(here) && (!/^\d+$/.test(part) || Number(part) >= here.length)) return undefined;
  const inner = place(getAt(here, [part]), parts, depth + 1, value);
  if (inner === undefined && value !== undefined) return undefined;
  const copy: Record<string, unknown> | unknown[] = Array.isArray(here) ? [...(here as unknown[])] : { ...here };
  setOwn(copy as Record<string, unknown>, part, inner); // an array takes an index as text, too
  return copy;
}

/** A copy of `record` without what is at `parts`; the same record when nothing is there. An element of an array becomes null. */
export function withoutAt(record: JsonObject, parts: RecordPath): JsonObject {
  const last = parts.at(-1);
  const holder = getAt(record, parts.slice(0, -1));
  if (last === undefined || typeof holder !== 'object' || holder === null || !Object.hasOwn(holder, last))
    return record;
  const rest: Record<string, unknown> | unknown[] = Array.isArray(holder)
    ? (holder as unknown[]).with(Number(last), null)
    : { ...holder };
  if (!Array.isArray(rest)) delete rest[last];
  return parts.length === 1 ? (rest as JsonObject) : (withAt(record, parts.slice(0, -1), rest) ?? record); // a record's copy is one
}

/** Sets an own property, whatever it is called: names may come from data. */
export function setOwn(target: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
  else target[name] = value;
}

/** How people write the path: dots, or a JSON pointer where a part has a dot or is empty. */
export function formatPath(parts: RecordPath): string {
  if (parts.every((part) => part !== '' && !part.includes('.')) && !parts[0]?.startsWith('/')) return parts.join('.');
  return parts.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
