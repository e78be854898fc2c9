import { DataError } from '../dataErrors';
import { fromEntries, type JsonSchema, mergeSchemas, saysNothing } from './jsonSchema';
import { oneOfValues, type } from './valueRules';
import {
  hasErrors,
  isPlainObject,
  problem,
  VALID,
  type Validated,
  type ValidationContext,
  type ValidationProblem,
  type ValidationRule,
} from './validationRule';
import { below } from './validationRun';

/** A rule for a property that may be missing. */
export interface OptionalRule<T> {
  readonly optional: ValidationRule<T>;
}

export type PropertyRules = Readonly<Record<string, ValidationRule | OptionalRule<unknown>>>;

type RequiredNames<P> = { [K in keyof P]: P[K] extends OptionalRule<unknown> ? never : K }[keyof P];
type Flat<T> = { readonly [K in keyof T]: T[K] };
/** What an object is once its properties are valid. */
export type ValidatedObject<P> = Flat<
  { readonly [K in RequiredNames<P>]: Validated<P[K]> } & {
    readonly [K in Exclude<keyof P, RequiredNames<P>>]?: P[K] extends OptionalRule<infer T> ? T : never;
  }
>;

/** What happens to properties that have no rule: refused, let through, or checked by a rule of their own. */
export type Additional = 'refuse' | 'keep' | ValidationRule;

/** In `object` and `members`: a property that may be missing. One that is `undefined` is missing. */
export function optional<T>(rule: ValidationRule<T>): OptionalRule<T> {
  return { optional: rule };
}

/** An object of JSON with these properties; others are refused unless told otherwise. */
export function object<const P extends PropertyRules>(
  properties: P,
  options: { readonly additional?: Additional } = {},
): ValidationRule<ValidatedObject<P>> {
  const inner = members(properties, options);
  const self = { code: 'object', description: 'must be an object' };
  return {
    ...self,
    validate: (value, context) =>
      isPlainObject(value) ? inner.validate(value, context) : problem(self, 'type', self.description),
    schema: (write) => mergeSchemas([{ type: 'object' }, inner.schema?.(write) ?? true]),
  };
}

interface Member {
  readonly name: string;
  readonly rule: ValidationRule;
  readonly isRequired: boolean;
}

/** Like `object`, for objects only: other values are left to other rules. Properties that are named in `required` and have no rule must be there. */
export function members(
  properties: PropertyRules,
  options: { readonly additional?: Additional; readonly required?: readonly string[] } = {},
): ValidationRule {
  const { additional = 'refuse', required = [] } = options;
  const list: readonly Member[] = Object.entries(properties).map(([name, rule]) =>
    'optional' in rule
      ? { name, rule: rule.optional, isRequired: required.includes(name) }
      : { name, rule, isRequired: true },
  );
  const known = new Set(list.map(({ name }) => name));
  const onlyRequired = required.filter((name) => !known.has(name));
  const self = { code: 'object', description: 'objects with certain properties' };
  const missing = (name: string): readonly ValidationProblem[] => below(name, problem(self, 'required', 'is needed'));
  return {
    ...self,
    validate: (value, context) => {
      if (!isPlainObject(value)) return VALID;
      const found = new Collector(context);
      for (const { name, rule, isRequired } of list) {
        if (found.isFull) break;
        if (isMissing(value, name)) {
          if (isRequired) found.add(missing(name));
        } else found.add(context.checkAt(rule, value, name));
      }
      for (const name of onlyRequired) if (isMissing(value, name)) found.add(missing(name));
      if (additional === 'keep') return found.problems;
      for (const name of Object.keys(value)) {
        if (known.has(name) || isMissing(value, name)) continue;
        if (found.isFull || !context.spend(1)) break;
        if (additional === 'refuse') found.add(below(name, problem(self, 'additional', 'has no meaning here')));
        else found.add(context.checkAt(additional, value, name));
      }
      return found.problems;
    },
    schema: (write) => {
      const names = [...list.filter(({ isRequired }) => isRequired).map(({ name }) => name), ...onlyRequired];
      const rest = additional === 'keep' ? true : additional === 'refuse' ? false : write(additional);
      return {
        ...(list.length > 0 ? { properties: fromEntries(list.map(({ name, rule }) => [name, write(rule)])) } : {}),
        ...(names.length > 0 ? { required: names } : {}),
        ...(saysNothing(rest) ? {} : { additionalProperties: rest }),
      };
    },
  };
}

function isMissing(value: Readonly<Record<string, unknown>>, name: string): boolean {
  if (!Object.hasOwn(value, name)) return true;
  try {
    return value[name] === undefined;
  } catch {
    return false; // it is there and cannot be read: whoever checks it says so
  }
}

/** Objects that have these properties. */
export function required(...names: readonly string[]): ValidationRule {
  return members({}, { additional: 'keep', required: names });
}

/** A list of which every element is valid. */
export function arrayOf<T>(element: ValidationRule<T>): ValidationRule<readonly T[]> {
  const inner = elements(element);
  const self = { code: 'array', description: 'must be a list' };
  return {
    ...self,
    validate: (value, context) =>
      Array.isArray(value) ? inner.validate(value, context) : problem(self, 'type', self.description),
    schema: (write) => mergeSchemas([{ type: 'array' }, inner.schema?.(write) ?? true]),
  };
}

/** Like `arrayOf`, for lists only. */
export function elements(element: ValidationRule): ValidationRule {
  return {
    code: 'array',
    description: 'lists of valid elements',
    validate: (value, context) => {
      if (!Array.isArray(value)) return VALID;
      const found = new Collector(context);
      for (let i = 0; i < value.length && !found.isFull && context.spend(0); i++)
        found.add(context.checkAt(element, value, i));
      return found.problems;
    },
    schema: (write) => ({ items: write(element) }),
  };
}

/** Null, or valid. */
export function nullable<T>(rule: ValidationRule<T>): ValidationRule<T | null> {
  return {
    code: rule.code,
    description: `${rule.description}, or is null`,
    validate: (value, context) => (value === null ? VALID : context.check(rule, value)),
    schema: (write) => ({ anyOf: [{ type: 'null' }, write(rule)] }),
  };
}

type AllTypes<R extends readonly ValidationRule[]> = R extends readonly [infer A, ...infer B extends ValidationRule[]]
  ? (unknown extends Validated<A> ? unknown : Validated<A>) & AllTypes<B>
  : unknown;

/** Every rule holds; all are asked. */
export function allOf<const R extends readonly ValidationRule[]>(...rules: R): ValidationRule<AllTypes<R>> {
  return {
    code: 'allOf',
    description: rules.map(({ description }) => description).join('; '),
    validate: (value, context) => {
      const found = new Collector(context);
      for (const rule of rules) if (!found.isFull) found.add(context.check(rule, value));
      return found.problems;
    },
    schema: (write) => mergeSchemas(rules.map((rule) => write(rule))),
  };
}

/** At least one holds. Otherwise told: that none does, and the problems of the one that comes closest. */
export function anyOf<const R extends readonly ValidationRule[]>(...rules: R): ValidationRule<Validated<R[number]>> {
  const self = { code: 'anyOf', description: `one of ${rules.length} forms` };
  return {
    ...self,
    validate: (value, context) => {
      let closest: readonly ValidationProblem[] | undefined;
      for (const rule of rules) {
        const problems = context.check(rule, value);
        if (!hasErrors(problems)) return problems;
        // One that failed comes first: whoever asks must see that this is not known.
        const isCloser = !closest || (!isUnknown(closest) && problems.length < closest.length);
        if (isCloser || isUnknown(problems)) closest = problems;
      }
      return [...problem(self, 'anyOf', `must have one of ${rules.length} forms`), ...(closest ?? [])];
    },
    schema: (write) => ({ anyOf: rules.map((rule) => write(rule)) }),
  };
}

/** Exactly one holds. Where a property tells which, `oneOf` is clearer and faster. */
export function exactlyOne<const R extends readonly ValidationRule[]>(
  ...rules: R
): ValidationRule<Validated<R[number]>> {
  const self = { code: 'exactlyOne', description: `exactly one of ${rules.length} forms` };
  return {
    ...self,
    validate: (value, context) => {
      const results = rules.map((rule) => context.check(rule, value));
      const unknown = results.find(isUnknown);
      if (unknown) return unknown;
      const valid = results.filter((problems) => !hasErrors(problems));
      const [first] = valid;
      if (valid.length === 1 && first) return first;
      return problem(self, 'exactlyOne', `must have exactly one of ${rules.length} forms, and has ${valid.length}`);
    },
    schema: (write) => ({ oneOf: rules.map((rule) => write(rule)) }),
  };
}

/** The property `discriminator` tells which rule holds; other values of it are refused. Only this rule is asked. */
export function oneOf<const C extends Readonly<Record<string, ValidationRule>>>(
  discriminator: string,
  cases: C,
): ValidationRule<Validated<C[keyof C]>> {
  const byValue = new Map(Object.entries(cases));
  const names = [...byValue.keys()];
  const self = { code: 'oneOf', description: `the form that ${discriminator} names` };
  const tag = oneOfValues(names);
  const base = object({ ...fromEntries([[discriminator, tag]]) }, { additional: 'keep' });
  const parts = names.map((name) => {
    const isCase = members(fromEntries([[discriminator, oneOfValues([name])]]), { additional: 'keep' });
    return [isCase, byValue.get(name)] as const;
  });
  return {
    ...self,
    validate: (value, context) => {
      const problems = context.check(base, value);
      if (hasErrors(problems)) return problems;
      const chosen = byValue.get(String((value as Readonly<Record<string, unknown>>)[discriminator])); // an object with a known tag
      return chosen ? context.check(chosen, value) : VALID;
    },
    schema: (write) => {
      const branches = parts.map(([isCase, rule]) => ({ if: write(isCase), then: rule ? write(rule) : true }));
      return mergeSchemas([write(base), { allOf: branches }]);
    },
  };
}

/** Where `condition` finds no errors, `then` must hold, elsewhere `otherwise`. What `condition` finds is not told, unless it fails. */
export function when(condition: ValidationRule, then: ValidationRule, otherwise?: ValidationRule): ValidationRule {
  return {
    code: 'when',
    description: `${then.description}, under a condition`,
    validate: (value, context) => {
      const told = context.check(condition, value);
      if (isUnknown(told)) return told;
      const chosen = hasErrors(told) ? otherwise : then;
      return chosen ? context.check(chosen, value) : VALID;
    },
    schema: (write) => ({
      if: write(condition),
      then: write(then),
      ...(otherwise ? { else: write(otherwise) } : {}),
    }),
  };
}

/** A rule that failed has not said whether it holds. */
function isUnknown(problems: readonly ValidationProblem[]): boolean {
  return problems.some(({ code }) => code === 'rule_failed');
}

/** A rule that contains itself: a tree, a list of lists. `make` is called once, with the rule itself. */
export function recursive<T = unknown>(
  name: string,
  make: (self: ValidationRule<T>) => ValidationRule<T>,
): ValidationRule<T> {
  const made: { rule?: ValidationRule<T> } = {};
  const target = (): ValidationRule<T> => {
    if (!made.rule) throw new DataError('data.invalid', `the rule ${name} is not complete yet`);
    return made.rule;
  };
  const self: ValidationRule<T> = {
    code: name,
    description: `a valid ${name}`,
    validate: (value, context) => context.check(target(), value),
    schema: (write): JsonSchema => write.reference(name, target()),
  };
  made.rule = make(self);
  return self;
}

/** What the rule finds is told and refuses nothing. */
export function warning(rule: ValidationRule): ValidationRule {
  return {
    code: rule.code,
    description: rule.description,
    severity: 'warning',
    validate: (value, context) => {
      const found = context.check(rule, value);
      return found.length === 0 ? found : found.map((one) => ({ ...one, severity: 'warning' as const }));
    },
    schema: (write) => ({ 'x-core-warning': write(rule) }),
  };
}

/** The same rule under a name and a sentence of its own, as `DataValidator.register` needs it. */
export function named<T>(code: string, description: string, rule: ValidationRule<T>): ValidationRule<T> {
  return { ...rule, code, description };
}

/** Anything. */
export const anything: ValidationRule = {
  code: 'anything',
  description: 'anything',
  validate: () => VALID,
  schema: () => true,
};

/** Nothing at all. */
export const nothing: ValidationRule<never> = {
  code: 'nothing',
  description: 'must not be there',
  validate: () => problem({ code: 'nothing' }, 'nothing', 'must not be there'),
  schema: () => false,
};

/** A text. */
export const text = type('string');

/** Collects problems without making a list when there are none. */
class Collector {
  problems: readonly ValidationProblem[] = VALID;
  #own: ValidationProblem[] | undefined;

  constructor(private readonly context: ValidationContext) {}

  /** More than can be told: whoever runs the rules sees by it that there were more. */
  get isFull(): boolean {
    return this.problems.length > this.context.maxProblems;
  }

  add(found: readonly ValidationProblem[]): void {
    if (found.length === 0) return;
    if (this.problems.length === 0) {
      this.problems = found;
      return;
    }
    if (!this.#own) this.problems = this.#own = [...this.problems];
    for (const one of found) this.#own.push(one);
  }
}
