import { DataError } from '../dataErrors';
import { boundedJson, utf8Length } from './jsonText';
import { compileLinearPattern } from './linearPattern';
import { TEXT_FORMATS, type TextFormat } from './textFormats';
import {
  isPlainObject,
  printable,
  problem,
  VALID,
  type ValidationContext,
  type ValidationRule,
} from './validationRule';

interface TypeOf {
  readonly string: string;
  readonly number: number;
  readonly integer: number;
  readonly boolean: boolean;
  readonly null: null;
  readonly array: readonly unknown[];
  readonly object: Readonly<Record<string, unknown>>;
}
export type TypeName = keyof TypeOf;

export const TYPE_NAMES: readonly TypeName[] = ['string', 'number', 'integer', 'boolean', 'null', 'array', 'object'];

/** Whether it is of a type of JSON; NaN, infinities, bigints, class instances and functions are of none. */
export function isOfType(value: unknown, name: TypeName): boolean {
  switch (name) {
    case 'string':
    case 'boolean':
      return typeof value === name;
    case 'number':
      return Number.isFinite(value);
    case 'integer':
      return Number.isInteger(value);
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isPlainObject(value);
  }
}

const typeWords: Readonly<Record<TypeName, string>> = {
  string: 'a text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  null: 'null',
  array: 'a list',
  object: 'an object',
};

/** Of one of these types of JSON. */
export function type<const N extends TypeName>(...names: readonly [N, ...N[]]): ValidationRule<TypeOf[N]> {
  const description = `must be ${names.map((name) => typeWords[name]).join(' or ')}`;
  const self = { code: 'type', description };
  const [only] = names;
  return {
    ...self,
    validate: (value) => {
      if (names.length === 1 ? isOfType(value, only) : names.some((name) => isOfType(value, name))) return VALID;
      return problem(self, 'type', description);
    },
    schema: () => ({ type: names.length === 1 ? only : [...names] }),
  };
}

export interface Range {
  readonly min?: number;
  readonly max?: number;
  /** Above this. */
  readonly above?: number;
  /** Below this. */
  readonly below?: number;
}

/** Numbers within bounds. @throws {DataError} data.invalid – a bound is no number */
export function range(bounds: Range): ValidationRule {
  const { min, max, above, below } = bounds;
  requireNumbers('range', bounds);
  const self = { code: 'range', description: `numbers ${wordsOf(bounds)}` };
  return {
    ...self,
    validate: (value) => {
      if (typeof value !== 'number') return VALID;
      const isIn =
        (min === undefined || value >= min) &&
        (max === undefined || value <= max) &&
        (above === undefined || value > above) &&
        (below === undefined || value < below);
      return isIn ? VALID : problem(self, 'range', `must be ${wordsOf(bounds)}`);
    },
    schema: () => defined({ minimum: min, maximum: max, exclusiveMinimum: above, exclusiveMaximum: below }),
  };
}

/** Whole multiples of `step` (> 0); as exact as the division of doubles. @throws {DataError} data.invalid */
export function multipleOf(step: number): ValidationRule {
  if (!(step > 0) || !Number.isFinite(step)) throw new DataError('data.invalid', 'multipleOf: a number above 0');
  const self = { code: 'multipleOf', description: `multiples of ${step}` };
  return {
    ...self,
    validate: (value) =>
      typeof value !== 'number' || Number.isInteger(value / step)
        ? VALID
        : problem(self, 'multipleOf', `must be a multiple of ${step}`),
    schema: () => ({ multipleOf: step }),
  };
}

export interface CountBounds {
  readonly min?: number;
  readonly max?: number;
}

/** Texts of so many characters (Unicode code points). @throws {DataError} data.invalid */
export function length(bounds: CountBounds): ValidationRule {
  return counted('length', 'characters', bounds, ['minLength', 'maxLength'], (value, most) =>
    typeof value === 'string' ? countCodePoints(value, most) : undefined,
  );
}

/** Lists of so many elements. @throws {DataError} data.invalid */
export function itemCount(bounds: CountBounds): ValidationRule {
  return counted('itemCount', 'elements', bounds, ['minItems', 'maxItems'], (value) =>
    Array.isArray(value) ? value.length : undefined,
  );
}

/** Objects of so many properties; those that are undefined do not count. @throws {DataError} data.invalid */
export function propertyCount(bounds: CountBounds): ValidationRule {
  return counted('propertyCount', 'properties', bounds, ['minProperties', 'maxProperties'], (value) =>
    isPlainObject(value) ? Object.values(value).filter((item) => item !== undefined).length : undefined,
  );
}

function counted(
  code: string,
  what: string,
  bounds: CountBounds,
  [minName, maxName]: readonly [string, string],
  count: (value: unknown, most: number) => number | undefined,
): ValidationRule {
  const { min, max } = bounds;
  requireNumbers(code, bounds);
  if ([min, max].some((bound) => bound !== undefined && (!Number.isInteger(bound) || bound < 0)))
    throw new DataError('data.invalid', `${code}: bounds are whole numbers from 0`);
  const self = { code, description: `${wordsOf(bounds)} ${what}` };
  const most = Math.max(min ?? 0, (max ?? -1) + 1);
  return {
    ...self,
    validate: (value) => {
      const found = count(value, most);
      if (found === undefined) return VALID;
      const isIn = (min === undefined || found >= min) && (max === undefined || found <= max);
      return isIn ? VALID : problem(self, code, `must have ${wordsOf(bounds)} ${what}`);
    },
    schema: () => defined({ [minName]: min, [maxName]: max }),
  };
}

/** Code points of `text`, counted up to `most`; half a pair counts as one. */
function countCodePoints(text: string, most: number): number {
  if (text.length / 2 >= most) return most;
  let count = 0;
  for (let at = 0; at < text.length && count < most; at++, count++) {
    const isPair = (text.charCodeAt(at) & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00;
    if (isPair) at++;
  }
  return count;
}

/**
 * Texts in which the pattern is found; anchor it with `^` and `$`. ECMAScript with flag `u`, matched in linear time, so
 * that it may come from outside.
 * @throws {DataError} data.invalid – it does not compile or cannot be matched so (`linearPattern.ts`)
 */
export function pattern(source: string, message = `must match the pattern ${printable(source, 200)}`): ValidationRule {
  const compiled = compileLinearPattern(source);
  if (!compiled.ok) throw new DataError('data.invalid', `the pattern ${compiled.message}`);
  const self = { code: 'pattern', description: message };
  return {
    ...self,
    validate: (value, context) => {
      if (typeof value !== 'string') return VALID;
      const { isMatch, steps } = compiled.pattern.test(value, MAX_PATTERN_STEPS);
      context.spend(steps >> 1); // a step of it is about half of a check
      return isMatch === true ? VALID : problem(self, 'pattern', message);
    },
    schema: () => ({ pattern: source }),
  };
}

/** 5 · 10⁶ steps are some 0.1 s: a text of 1 MiB by a pattern with a few positions alive. */
const MAX_PATTERN_STEPS = 5_000_000;

/** One of these values of JSON; objects and lists by what is in them. @throws {DataError} data.invalid – no JSON */
export function oneOfValues<const V>(values: readonly V[]): ValidationRule<V> {
  const texts = new Set(values.map((value) => requireJson('enum', value)));
  const scalars = new Set<unknown>(values.filter((value) => typeof value !== 'object' || value === null));
  const hasObjects = scalars.size < values.length;
  const shown = printable([...texts].slice(0, 20).join(', '), 400);
  const self = { code: 'enum', description: `one of ${shown}` };
  return {
    ...self,
    validate: (value, context) => {
      if (scalars.has(value)) return VALID;
      if (hasObjects && typeof value === 'object' && value !== null) {
        const found = boundedJson(value, MAX_DEPTH, MAX_TEXT);
        if (found.ok && context.spend(found.text.length >> 3) && texts.has(found.text)) return VALID;
      }
      return problem(self, 'enum', `must be one of ${shown}`);
    },
    schema: () => (values.length === 1 ? { const: values[0] } : { enum: [...values] }),
  };
}

/** Texts in a format: `ulid`, `date-time` (RFC 3339), `uri`, `semver`. */
export function format(name: TextFormat): ValidationRule {
  const { test, message } = TEXT_FORMATS[name];
  const self = { code: 'format', description: message };
  return {
    ...self,
    validate: (value) => (typeof value !== 'string' || test(value) ? VALID : problem(self, `format.${name}`, message)),
    schema: () => ({ format: name }),
  };
}

/** Controls, marks and embeddings that turn the direction of text (Unicode TR 9, 2.0–2.6), and halves of surrogate pairs. */
const control = /[\p{Cc}\p{Surrogate}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
const controlButLines = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\p{Surrogate}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u; // eslint-disable-line no-control-regex

/** Texts without control and bidirectional characters and without halves of surrogate pairs; `lines` lets tab, line feed and carriage return through. */
export function noControl(allow: 'nothing' | 'lines' = 'nothing'): ValidationRule {
  const unwanted = allow === 'lines' ? controlButLines : control;
  const self = { code: 'noControl', description: 'must have no control or bidirectional characters' };
  return {
    ...self,
    validate: (value) =>
      typeof value === 'string' && unwanted.test(value) ? problem(self, 'noControl', self.description) : VALID,
    schema: () => ({ 'x-core-noControl': allow }),
  };
}

/** Nesting and text that are looked at where no bound is given: what a record may have (`recordCodec.ts`). */
export const MAX_DEPTH = 64;
export const MAX_TEXT = 1024 * 1024;

export interface SizeBounds {
  /** Of the value as JSON in UTF-8; default and at most 1 MiB, as a record. */
  readonly maxBytes?: number;
  /** Levels of objects and lists; default and at most 64, as a record. */
  readonly maxDepth?: number;
}

/** Plain JSON of bounded size and depth: also no cycles. @throws {DataError} data.invalid */
export function size(bounds: SizeBounds): ValidationRule {
  const { maxBytes = MAX_TEXT, maxDepth = MAX_DEPTH } = bounds;
  if (!(maxBytes >= 1 && maxBytes <= MAX_TEXT) || !(maxDepth >= 0 && maxDepth <= MAX_DEPTH))
    throw new DataError('data.invalid', 'size: bounds are above what a record may have');
  const self = { code: 'size', description: `at most ${maxBytes} bytes and ${maxDepth} levels` };
  return {
    ...self,
    validate: (value, context) => {
      const json = boundedJson(value, maxDepth, maxBytes);
      if (!json.ok && json.reason === 'notJson') return problem(self, 'size.notJson', 'must be plain JSON');
      if (!json.ok && json.reason === 'depth')
        return problem(self, 'size.depth', `must have at most ${maxDepth} levels`);
      const isIn = json.ok && spendText(context, json.text) && utf8Length(json.text) <= maxBytes;
      return isIn ? VALID : problem(self, 'size.bytes', `must have at most ${maxBytes} bytes as JSON`);
    },
    schema: () => ({ 'x-core-size': { maxBytes, maxDepth } }),
  };
}

/** Accounts for text that was made of a value. */
export function spendText(context: ValidationContext, text: string): boolean {
  return context.spend(text.length >> 3);
}

/** @throws {DataError} data.invalid */
export function requireJson(what: string, value: unknown): string {
  const json = boundedJson(value, MAX_DEPTH, MAX_TEXT);
  if (!json.ok) throw new DataError('data.invalid', `${what}: a value that is no JSON, or too large`);
  return json.text;
}

function requireNumbers(what: string, bounds: object): void {
  for (const bound of Object.values(bounds))
    if (bound !== undefined && !Number.isFinite(bound))
      throw new DataError('data.invalid', `${what}: a bound is no number`);
}

function wordsOf({ min, max, above, below }: Range): string {
  const words = [
    min === undefined ? '' : `at least ${min}`,
    max === undefined ? '' : `at most ${max}`,
    above === undefined ? '' : `above ${above}`,
    below === undefined ? '' : `below ${below}`,
  ];
  return words.filter((word) => word !== '').join(' and ') || 'any';
}

function defined(entries: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined));
}
