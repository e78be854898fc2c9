import type { JsonSchema, SchemaWriter } from './jsonSchema';

/** A warning is told and refuses nothing. */
export type Severity = 'error' | 'warning';

/** One thing that is wrong with a value. */
export interface ValidationProblem {
  /** JSON pointer (RFC 6901) to what is wrong, relative to the validated value; empty for the whole. Names in it come from the value: text from outside; those above 200 characters are cut. */
  readonly path: string;
  /** Code of the rule that found it. */
  readonly rule: string;
  /** What is wrong, stable: `required`, `type`, `range.min`, `rule_failed`, … */
  readonly code: string;
  /** One sentence for people: what is expected. Holds no text of the value. */
  readonly message: string;
  readonly severity: Severity;
}

/** What is known of other records. Synchronous: a transaction is. What it throws ends the validation and reaches its caller. */
export interface ValidationLookup {
  /** Whether there is a record of this kind with this id. */
  exists(kind: string, id: string): boolean;
  /** Ids of records of this kind whose property has this value; two are enough. */
  idsWith(kind: string, property: string, value: string | number | boolean): readonly string[];
}

/** What rules may know beside the value. */
export interface ValidationInput {
  /** Needed by rules about other records; without it these fail (`rule_failed`). */
  readonly lookup?: ValidationLookup;
  /** Id of the record whose value it is: it is no duplicate of itself. */
  readonly recordId?: string;
  /** The value that is replaced, for rules about changes; absent when there is none. */
  readonly previous?: unknown;
}

/** Handed to a rule by whoever runs it. */
export interface ValidationContext {
  readonly input: ValidationInput;
  /** Composite rules stop collecting above this number: the validation says then that it stopped. */
  readonly maxProblems: number;
  /** Runs a rule on a value or a part of it: bounds depth and work, and turns what the rule throws into a problem. */
  check(rule: ValidationRule, value: unknown): readonly ValidationProblem[];
  /** The same for a property or an element, read by this call; paths are below `key`. */
  checkAt(rule: ValidationRule, holder: object, key: string | number): readonly ValidationProblem[];
  /** Accounts for work beyond the call itself, about 20 ns each. False once the bound of this validation is passed: stop. */
  spend(steps: number): boolean;
  /** The lookup; what it throws is no failure of the rule. @throws {Error} when none was given */
  readonly lookup: ValidationLookup;
}

/** In the type only: what a value is once the rule found no errors. */
declare const validated: unique symbol;

/**
 * One requirement on a value; pure and synchronous. Like the keywords of JSON Schema a rule looks only at values of
 * its own type: `range` says nothing about a text. `type`, `object` and `arrayOf` say what the type is.
 */
export interface ValidationRule<T = unknown> {
  /** A letter, then letters, digits, `.`, `_` or `-`; at most 100. */
  readonly code: string;
  /** One sentence for people. */
  readonly description: string;
  /** Default `error`. */
  readonly severity?: Severity;
  /** Everything that is wrong, paths relative to `value`. It must not change the value. */
  readonly validate: (value: unknown, context: ValidationContext) => readonly ValidationProblem[];
  /** Its form in JSON Schema; absent: exported by its code (`x-core-rule`). */
  readonly schema?: (write: SchemaWriter) => JsonSchema;
  readonly [validated]?: T;
}

/** The type of a value in which the rule found no errors. */
export type Validated<R> = R extends ValidationRule<infer T> ? T : never;

/** No problems. */
export const VALID: readonly ValidationProblem[] = Object.freeze([]);

/** One problem with the value that the rule was given. */
export function problem(
  rule: Pick<ValidationRule, 'code' | 'severity'>,
  code: string,
  message: string,
  path = '',
): readonly ValidationProblem[] {
  return [{ path, rule: rule.code, code, message, severity: rule.severity ?? 'error' }];
}

export function hasErrors(problems: readonly ValidationProblem[]): boolean {
  for (const { severity } of problems) if (severity === 'error') return true;
  return false;
}

export type PlainObject = Readonly<Record<string, unknown>>;

/** True for objects as JSON makes them: no arrays, no class instances. */
export function isPlainObject(value: unknown): value is PlainObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

const unprintable = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** One line without control, bidi and other invisible characters, cut at `maxLength` characters. */
export function printable(text: string, maxLength = 80): string {
  const clean = text.slice(0, maxLength + 1).replace(unprintable, '\ufffd');
  return clean.length <= maxLength ? clean : `${clean.slice(0, maxLength - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
