import { DataError } from '../dataErrors';
import { getAt, parsePath, type RecordPath } from '../processing/recordPath';
import { crc32c } from '../recordCodec';
import { compareText } from '../recordQuery';
import { boundedJson } from './jsonText';
import { rfc3339Ms } from './textFormats';
import {
  isPlainObject,
  problem,
  VALID,
  type ValidationInput,
  type ValidationProblem,
  type ValidationRule,
} from './validationRule';
import { below } from './validationRun';
import { MAX_DEPTH, MAX_TEXT, spendText } from './valueRules';

/** Lists without equal elements, or without elements that are equal at `by` (a JSON pointer). @throws {DataError} data.invalid */
export function unique(by?: string): ValidationRule {
  const place = by === undefined ? undefined : pointer('unique', by);
  const self = { code: 'unique', description: by === undefined ? 'no two equal elements' : `elements differ at ${by}` };
  return {
    ...self,
    validate: (value, context) => {
      if (!Array.isArray(value)) return VALID;
      const seen = new Set<string>();
      const found: ValidationProblem[] = [];
      for (const [index, item] of (value as readonly unknown[]).entries()) {
        if (found.length > context.maxProblems || !context.spend(1)) break;
        const part = place ? getAt(item, place) : item;
        if (part === undefined) continue;
        const json = boundedJson(part, MAX_DEPTH, MAX_TEXT);
        if (!json.ok) {
          found.push(...below(index, problem(self, 'unique.notJson', 'cannot be compared')));
          context.spend(MAX_TEXT >> 6); // how far it was read is not known
        } else if (seen.size === seen.add(json.text).size) {
          found.push(...below(index, problem(self, 'unique', 'is there already', by)));
        }
        if (json.ok && !spendText(context, json.text)) break;
      }
      return found;
    },
    schema: () => (by === undefined ? { uniqueItems: true } : { 'x-core-uniqueBy': by }),
  };
}

/** A text, number or boolean that no other record of `kind` has as its `property`. Needs a lookup. */
export function uniqueIn(kind: string, property: string): ValidationRule {
  const self = { code: 'uniqueIn', description: `no other ${kind} has the same ${property}` };
  return {
    ...self,
    validate: (value, context) => {
      if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return VALID;
      const { recordId } = context.input;
      const isTaken = context.lookup.idsWith(kind, property, value).some((id) => id !== recordId);
      return isTaken ? problem(self, 'unique', `another ${kind} has the same ${property}`) : VALID;
    },
    schema: () => ({ 'x-core-uniqueIn': { kind, property } }),
  };
}

/** A text that is the id of a record of `kind`. Needs a lookup. */
export function reference(kind: string): ValidationRule {
  const self = { code: 'reference', description: `must be the id of a ${kind}` };
  return {
    ...self,
    validate: (value, context) =>
      typeof value !== 'string' || context.lookup.exists(kind, value)
        ? VALID
        : problem(self, 'reference', `there is no ${kind} with this id`),
    schema: () => ({ 'x-core-reference': kind }),
  };
}

const comparisons = {
  '<': (order: number) => order < 0,
  '<=': (order: number) => order <= 0,
  '>': (order: number) => order > 0,
  '>=': (order: number) => order >= 0,
  '=': (order: number) => order === 0,
  '!=': (order: number) => order !== 0,
} as const;
export type Comparison = keyof typeof comparisons;
export const COMPARISONS = Object.keys(comparisons) as readonly Comparison[]; // the keys of a literal

export interface FieldComparison {
  /** JSON pointer of the field that must be … */
  readonly left: string;
  readonly is: Comparison;
  /** … than, or to, this one. */
  readonly right: string;
  /** `value`: numbers by size, texts by code point, booleans; `time`: texts by RFC 3339, by instant. Default `value`. */
  readonly as?: 'value' | 'time';
}

/** Two fields of an object in an order: `expiresAt` > `time`. Says nothing when one of them is missing or null. @throws {DataError} data.invalid */
export function compareFields(fields: FieldComparison): ValidationRule {
  const { left, is, right, as = 'value' } = fields;
  const [leftPlace, rightPlace] = [pointer('compare', left), pointer('compare', right)];
  const self = { code: 'compare', description: `${left} ${is} ${right}` };
  const read = (value: unknown): unknown =>
    as === 'time' ? (typeof value === 'string' ? rfc3339Ms(value) : undefined) : value;
  return {
    ...self,
    validate: (value) => {
      const [a, b] = [getAt(value, leftPlace), getAt(value, rightPlace)];
      if (a === undefined || a === null || b === undefined || b === null) return VALID;
      const order = orderOf(read(a), read(b));
      if (order === undefined) return problem(self, 'compare.kind', `cannot be compared with ${right}`, left);
      return comparisons[is](order) ? VALID : problem(self, 'compare', `must be ${is} ${right}`, left);
    },
    schema: () => ({ 'x-core-compare': { left, is, right, as } }),
  };
}

function orderOf(a: unknown, b: unknown): number | undefined {
  if (Number.isFinite(a) && Number.isFinite(b)) return (a as number) - (b as number); // finite numbers, just asked
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  return typeof a === 'boolean' && typeof b === 'boolean' ? Number(a) - Number(b) : undefined;
}

export interface Transitions {
  /** JSON pointer of the state. */
  readonly to: string;
  /** JSON pointer of the state before it, in the same value; default: at `to` in the value that is replaced. */
  readonly from?: string;
  /** The states that each state may become; a state that is not here is unknown. Staying is always legal. */
  readonly table: Readonly<Record<string, readonly string[]>>;
  /** States that may be the first; default all. */
  readonly initial?: readonly string[];
}

/** A legal step of a state machine. @throws {DataError} data.invalid – the table names a state that it does not have */
export function transition(transitions: Transitions): ValidationRule {
  const { to, from, initial } = transitions;
  const table = new Map(Object.entries(transitions.table).map(([state, next]) => [state, new Set(next)]));
  const place = pointer('transition', to);
  const fromPlace = from === undefined ? undefined : pointer('transition', from);
  for (const state of [...[...table.values()].flatMap((next) => [...next]), ...(initial ?? [])])
    if (!table.has(state)) throw new DataError('data.invalid', 'transition: the table lacks a state that it names');
  const self = { code: 'transition', description: `${to} takes legal steps only` };
  return {
    ...self,
    validate: (value, { input }) => {
      const state = getAt(value, place);
      if (state === undefined) return VALID;
      if (typeof state !== 'string' || !table.has(state))
        return problem(self, 'transition.unknown', 'is no known state', to);
      const before = fromPlace ? getAt(value, fromPlace) : getAt(input.previous, place);
      if (before === undefined || before === null)
        return !initial || initial.includes(state)
          ? VALID
          : problem(self, 'transition.initial', 'is no first state', to);
      if (before === state || (typeof before === 'string' && table.get(before)?.has(state))) return VALID;
      const isKnown = typeof before === 'string' && table.has(before);
      return problem(self, 'transition', `${isKnown ? before : 'an unknown state'} cannot become ${state}`, to);
    },
    schema: () => ({
      'x-core-transition': {
        to,
        ...(from === undefined ? {} : { from }),
        table: transitions.table,
        ...(initial ? { initial } : {}),
      },
    }),
  };
}

export interface Sequence {
  /** JSON pointer of the number or text in each element; default the element. */
  readonly by?: string;
  /** `increasing`: each above the one before; `notDecreasing`: or equal; `gapless`: numbers, each one more. Default `increasing`. */
  readonly order?: 'increasing' | 'notDecreasing' | 'gapless';
}

/** Lists in order. Elements without the field are passed over. @throws {DataError} data.invalid */
export function monotonic(sequence: Sequence = {}): ValidationRule {
  const { by, order = 'increasing' } = sequence;
  const place = by === undefined ? [] : pointer('monotonic', by);
  const self = { code: 'monotonic', description: `elements are ${order}` };
  return {
    ...self,
    validate: (value, context) => {
      if (!Array.isArray(value)) return VALID;
      const found: ValidationProblem[] = [];
      let before: unknown;
      for (let index = 0; index < value.length; index++) {
        if (found.length > context.maxProblems || !context.spend(1)) break;
        const current = getAt(value[index], place);
        if (current === undefined) continue;
        if (before !== undefined && !follows(before, current, order))
          found.push(...below(index, problem(self, 'monotonic', `must be ${order}`, by)));
        before = current;
      }
      return found;
    },
    schema: () => ({ 'x-core-monotonic': { ...(by === undefined ? {} : { by }), order } }),
  };
}

/** A field of a record that only grows from one write to the next. Says nothing of the first write. @throws {DataError} data.invalid */
export function advances(
  field: string,
  order: 'increasing' | 'notDecreasing' | 'gapless' = 'increasing',
): ValidationRule {
  const place = pointer('advances', field);
  const self = { code: 'advances', description: `${field} is ${order} from write to write` };
  return {
    ...self,
    validate: (value, { input }) => {
      const [before, current] = [getAt(input.previous, place), getAt(value, place)];
      if (before === undefined || current === undefined || follows(before, current, order)) return VALID;
      return problem(self, 'monotonic', `must be ${order} from write to write`, field);
    },
    schema: () => ({ 'x-core-advances': { field, order } }),
  };
}

function follows(before: unknown, current: unknown, order: NonNullable<Sequence['order']>): boolean {
  if (order === 'gapless') return typeof before === 'number' && current === before + 1;
  const difference = orderOf(current, before);
  return difference !== undefined && (order === 'increasing' ? difference > 0 : difference >= 0);
}

/**
 * The property `property` of an object is the CRC-32C (`recordCodec.ts`) of all its other properties, as JSON with sorted
 * keys: a number. For what crosses a border; the store has checksums of its own.
 */
export function checksum(property: string): ValidationRule {
  const self = { code: 'checksum', description: `${property} is the CRC-32C of the rest` };
  return {
    ...self,
    validate: (value, context) => {
      if (!isPlainObject(value) || !Object.hasOwn(value, property) || value[property] === undefined) return VALID;
      const expected = checksumOf(value, property);
      context.spend(MAX_TEXT >> 10);
      return expected !== undefined && expected === value[property]
        ? VALID
        : below(property, problem(self, 'checksum', 'is not the checksum of the rest'));
    },
    schema: () => ({ 'x-core-checksum': property }),
  };
}

/** What `checksum(property)` asks for; undefined when the rest is no JSON of at most 1 MiB. */
export function checksumOf(value: Readonly<Record<string, unknown>>, property: string): number | undefined {
  const { [property]: _own, ...rest } = value;
  const json = boundedJson(rest, MAX_DEPTH, MAX_TEXT);
  return json.ok ? crc32c(json.text) : undefined;
}

/** A requirement in code. `holds` must be pure; for several problems or paths implement `ValidationRule` itself. */
export function custom<T = unknown>(
  code: string,
  description: string,
  holds: (value: unknown, input: ValidationInput) => boolean,
): ValidationRule<T> {
  const self = { code, description };
  return {
    ...self,
    validate: (value, { input }) => (holds(value, input) ? VALID : problem(self, code, description)),
  };
}

/** @throws {DataError} data.invalid – not a JSON pointer to a part of a value */
function pointer(what: string, text: string): RecordPath {
  const place = text.startsWith('/') ? parsePath(text) : undefined;
  if (!place) throw new DataError('data.invalid', `${what}: a field is named by a JSON pointer like /expiresAt`);
  return place;
}
