import { isJsonObject, type JsonObject } from '../jsonReader';
import type { Template } from '../agentType';

/** Placeholder name → what stands for it. */
export type Places = Readonly<Record<string, string>>;

const MAX_DEPTH = 20;

/** True for what JSON can say, within 20 levels. */
export function hasPlainValues(value: unknown, depth = 0): boolean {
  if (depth > MAX_DEPTH) return false;
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (Array.isArray(value)) return value.every((item) => hasPlainValues(item, depth + 1));
  return isJsonObject(value) && Object.values(value).every((item) => hasPlainValues(item, depth + 1));
}

/** `{name}` of a known place is replaced; everything else in braces stays as it is. What was put in is not looked at again. */
export function fillText(text: string, places: Places): string {
  return text.replace(/\{([A-Za-z]+)\}/g, (whole, name: string) =>
    Object.hasOwn(places, name) ? (places[name] ?? whole) : whole,
  );
}

/** In a value: `{ "$sha256": … }` stands for `sha256:` and the hash, in lower-case hex, of the JSON inside it, with sorted keys and without blanks. */
const HASH_KEY = '$sha256';

export type Sha256 = (text: string) => string;

/** True when a value can only be filled with a hash function. */
export function needsHash(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(needsHash);
  return isJsonObject(value) && (Object.hasOwn(value, HASH_KEY) || Object.values(value).some(needsHash));
}

/** The same in every text of a JSON value; keys stay. @throws {TypeError} for a hash without `sha256`: see {@link needsHash} */
export function fillValue(value: unknown, places: Places, sha256?: Sha256): unknown {
  if (typeof value === 'string') return fillText(value, places);
  if (Array.isArray(value)) return value.map((item) => fillValue(item, places, sha256));
  if (!isJsonObject(value)) return value;
  if (Object.hasOwn(value, HASH_KEY)) {
    if (!sha256) throw new TypeError('a template needs a hash');
    return `sha256:${sha256(JSON.stringify(sorted(fillValue(value[HASH_KEY], places))))}`;
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillValue(item, places, sha256)]));
}

/** The same value with the keys of every object in order of their code units. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])])); // prettier-ignore
}

/** A template as the text that it stands for. */
export function fillTemplate(template: Template, places: Places, sha256?: Sha256): string {
  if (typeof template === 'string') return fillText(template, places);
  if ('json' in template) return JSON.stringify(fillValue(template.json, places, sha256));
  return (template.prefix ?? '') + toToml(fillValue(template.toml, places, sha256));
}

/** A value in TOML's inline form (https://toml.io/en/v1.0.0). `null` cannot be said in TOML: its key is left out. */
export function toToml(value: unknown): string {
  if (typeof value === 'string') return tomlString(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return `[${value.map(toToml).join(',')}]`;
  const entries = isJsonObject(value) ? Object.entries(value).filter(([, item]) => item !== null) : [];
  return `{${entries.map(([key, item]) => `${/^[A-Za-z0-9_-]+$/.test(key) ? key : tomlString(key)}=${toToml(item)}`).join(',')}}`;
}

/** A basic string: JSON's escapes are TOML's, but DEL must be escaped, too. */
function tomlString(text: string): string {
  return JSON.stringify(text).replaceAll('\u007f', '\\u007F');
}

/** `over` on top of `base`: objects by key, lists appended (what is in both once), everything else replaced. */
export function mergeValues(base: unknown, over: unknown): unknown {
  if (Array.isArray(base) && Array.isArray(over)) {
    const known = new Set(base.map((item) => JSON.stringify(item)));
    return [...(base as unknown[]), ...(over as unknown[]).filter((item) => !known.has(JSON.stringify(item)))];
  }
  if (!isJsonObject(base) || !isJsonObject(over)) return over;
  const merged: Record<string, unknown> = { ...base };
  for (const [key, item] of Object.entries(over))
    Object.defineProperty(merged, key, {
      value: Object.hasOwn(base, key) ? mergeValues(base[key], item) : item,
      enumerable: true, writable: true, configurable: true,
    }); // prettier-ignore
  return merged;
}

/** The JSON object that `text` holds, comments and trailing commas allowed; undefined when it holds anything else. */
export function readJsonObject(text: string, parse: (text: string) => unknown): JsonObject | undefined {
  try {
    const value = parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
