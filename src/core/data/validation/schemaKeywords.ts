import { DataError } from '../dataErrors';
import { allOf, anything, arrayOf, members, object, optional, text } from './composeRules';
import {
  advances,
  checksum,
  compareFields,
  COMPARISONS,
  monotonic,
  reference,
  transition,
  unique,
  uniqueIn,
} from './recordRules';
import { isTextFormat } from './textFormats';
import type { ValidationRule } from './validationRule';
import { runRules } from './validationRun';
import {
  format,
  itemCount,
  length,
  multipleOf,
  noControl,
  oneOfValues,
  pattern,
  propertyCount,
  range,
  size,
  type,
  TYPE_NAMES,
  type TypeName,
} from './valueRules';

/** Makes the rule of one keyword from its value. @throws {DataError} data.invalid – the value is none that the keyword has */
type ReadKeyword = (value: unknown) => ValidationRule | undefined;

const numeric = type('number');
const orders = oneOfValues(['increasing', 'notDecreasing', 'gapless']);
const sequence = object({ by: optional(text), order: optional(orders) });
const advance = object({ field: text, order: optional(orders) });
const comparison = object({
  left: text,
  is: oneOfValues(COMPARISONS),
  right: text,
  as: optional(oneOfValues(['value', 'time'])),
});
const states = arrayOf(text);
const transitions = object({
  to: text,
  from: optional(text),
  table: stateTable(),
  initial: optional(states),
});
const column = object({ kind: text, property: text });
const bounds = object({ maxBytes: optional(numeric), maxDepth: optional(numeric) });

/** The keywords that look at nothing but their own value. */
export const SCHEMA_KEYWORDS: Readonly<Record<string, ReadKeyword>> = {
  type: (value) => type(...typeNames(value)),
  enum: (value) => oneOfValues(as(arrayOf(anything), value)),
  const: (value) => oneOfValues([value]),
  minimum: (value) => range({ min: as(numeric, value) }),
  maximum: (value) => range({ max: as(numeric, value) }),
  exclusiveMinimum: (value) => range({ above: as(numeric, value) }),
  exclusiveMaximum: (value) => range({ below: as(numeric, value) }),
  multipleOf: (value) => multipleOf(as(numeric, value)),
  minLength: (value) => length({ min: as(numeric, value) }),
  maxLength: (value) => length({ max: as(numeric, value) }),
  minItems: (value) => itemCount({ min: as(numeric, value) }),
  maxItems: (value) => itemCount({ max: as(numeric, value) }),
  minProperties: (value) => propertyCount({ min: as(numeric, value) }),
  maxProperties: (value) => propertyCount({ max: as(numeric, value) }),
  pattern: (value) => pattern(as(text, value)),
  format: (value) => {
    if (!isTextFormat(value)) throw new DataError('data.invalid', 'no format that is known');
    return format(value);
  },
  uniqueItems: (value) => (as(type('boolean'), value) ? unique() : undefined),
  'x-core-noControl': (value) => noControl(as(oneOfValues(['nothing', 'lines']), value)),
  'x-core-size': (value) => size(as(bounds, value)),
  'x-core-uniqueBy': (value) => unique(as(text, value)),
  'x-core-uniqueIn': (value) => {
    const { kind, property } = as(column, value);
    return uniqueIn(kind, property);
  },
  'x-core-reference': (value) => reference(as(text, value)),
  'x-core-compare': (value) => compareFields(as(comparison, value)),
  'x-core-transition': (value) => transition(as(transitions, value)),
  'x-core-monotonic': (value) => monotonic(as(sequence, value)),
  'x-core-advances': (value) => {
    const { field, order } = as(advance, value);
    return advances(field, order);
  },
  'x-core-checksum': (value) => checksum(as(text, value)),
};

function stateTable(): ValidationRule<Readonly<Record<string, readonly string[]>>> {
  return {
    code: 'stateTable',
    description: 'states, and what each may become',
    validate: (value, context) => context.check(allOf(type('object'), members({}, { additional: states })), value),
  };
}

/** @throws {DataError} data.invalid with the problems */
function as<T>(rule: ValidationRule<T>, value: unknown): T {
  const { ok, problems } = runRules([rule], value);
  if (ok) return value as T; // the rule found no errors
  throw new DataError('data.invalid', 'not what the keyword asks for', { problems });
}

function typeNames(value: unknown): [TypeName, ...TypeName[]] {
  const names: readonly unknown[] = Array.isArray(value) ? value : [value];
  const known = TYPE_NAMES.filter((name) => names.includes(name));
  const [first, ...rest] = known;
  if (first === undefined || known.length !== names.length)
    throw new DataError('data.invalid', `one or several of ${TYPE_NAMES.join(', ')}`);
  return [first, ...rest];
}
