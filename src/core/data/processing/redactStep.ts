import { isSecretName, REDACTED, redactKinds, type SecretKind } from '../../../shared/redact';
import { asRecord, type DataTransformation, eachItem, type JsonObject } from './dataTransformation';
import { type Place, toPath } from './recordSteps';
import type { RecordPath } from './recordPath';
import { setOwn } from './recordPath';

export interface RedactOptions {
  /** What is there is replaced, whatever it is; a part `*` stands for every property or element. */
  readonly paths?: readonly Place[];
  /**
   * Kinds of secrets taken out of every text of the record; `named` also empties properties whose name is one of a
   * secret (`password`, `apiKey`, …). Default: all kinds; an empty list: none.
   */
  readonly secrets?: readonly SecretKind[] | 'all';
}

/** Takes secrets out, by place and by what they look like (`src/shared/redact.ts`). A record without any is passed on as it is. */
export function redactStep(options: RedactOptions = {}): DataTransformation<JsonObject, JsonObject> {
  const clean = redactor(options);
  return eachItem('redact', (item) => clean(asRecord(item, 'redact')));
}

/** What {@link redactStep} does to one record. */
export function redactor(options: RedactOptions = {}): (record: JsonObject) => JsonObject {
  const paths = (options.paths ?? []).map(toPath);
  const kinds = options.secrets ?? 'all';
  const clean = kinds.length === 0 ? undefined : secretCleaner(kinds === 'all' ? undefined : new Set(kinds));
  return (item) => {
    let record = item;
    for (const parts of paths) record = blank(record, parts, 0) as JsonObject; // no path is empty, so it stays a record
    return clean ? (clean(record) as JsonObject) : record; // the copy of a record is one
  };
}

/** Names of properties that were looked at, so that each is looked at once; all are forgotten when it is full. */
const maxNamesKept = 2_000;

/** A function that takes secrets out of any JSON value and shares what has none. Names of properties stay. */
export function secretCleaner(kinds: ReadonlySet<SecretKind> | undefined): (value: unknown) => unknown {
  const byName = !kinds || kinds.has('named');
  const names = new Map<string, boolean>();
  const isSecret = (name: string): boolean => {
    let known = names.get(name);
    if (known === undefined) {
      if (names.size >= maxNamesKept) names.clear();
      names.set(name, (known = isSecretName(name)));
    }
    return known;
  };
  const clean = (value: unknown): unknown => {
    if (typeof value === 'string') return redactKinds(value, kinds);
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return cleanArray(value, clean);
    let copy: Record<string, unknown> | undefined;
    for (const name in value) {
      const before = (value as JsonObject)[name]; // an object; JSON has own properties only
      let after: unknown;
      if (typeof before === 'string')
        after = byName && before !== '' && isSecret(name) ? REDACTED : redactKinds(before, kinds);
      else if (typeof before === 'object') after = clean(before);
      else continue;
      if (after !== before) setOwn((copy ??= { ...value }), name, after);
    }
    return copy ?? value;
  };
  return clean;
}

function cleanArray(items: readonly unknown[], clean: (value: unknown) => unknown): unknown {
  let copy: unknown[] | undefined;
  for (let i = 0; i < items.length; i++) {
    const after = clean(items[i]);
    if (after !== items[i]) (copy ??= [...items])[i] = after;
  }
  return copy ?? items;
}

function blank(here: unknown, parts: RecordPath, depth: number): unknown {
  const part = parts[depth];
  if (part === undefined) return REDACTED;
  if (typeof here !== 'object' || here === null) return here;
  const names = part === '*' ? Object.keys(here) : Object.hasOwn(here, part) ? [part] : [];
  if (names.length === 0) return here;
  const copy = (Array.isArray(here) ? [...(here as unknown[])] : { ...here }) as Record<string, unknown>; // an array takes an index as text, too
  for (const name of names) setOwn(copy, name, blank(copy[name], parts, depth + 1));
  return copy;
}
