import { assertNever } from '../../base/errors';
import { compareText } from '../recordQuery';
import { RecordRejection } from './processingErrors';
import { getAt, parsePath, type RecordPath } from './recordPath';
import { child, type Report } from './report';

/** A question about a record, as JSON: no code, no regular expressions, bounded in size. */
export type Condition =
  | { readonly op: 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge'; readonly path: string; readonly value: Scalar }
  | { readonly op: 'in'; readonly path: string; readonly values: readonly Scalar[] }
  | { readonly op: 'exists'; readonly path: string }
  | { readonly op: 'contains' | 'startsWith' | 'endsWith'; readonly path: string; readonly value: string }
  | { readonly op: 'and' | 'or'; readonly of: readonly Condition[] }
  | { readonly op: 'not'; readonly of: Condition };

/** A value made from a record, as JSON. */
export type Expression =
  | { readonly path: string }
  | { readonly value: unknown }
  | { readonly op: ExpressionOp; readonly of: readonly Expression[] }
  | { readonly op: 'if'; readonly when: Condition; readonly then: Expression; readonly else?: Expression };

export type ExpressionOp =
  | 'concat'
  | 'add'
  | 'subtract'
  | 'multiply'
  | 'divide'
  | 'lower'
  | 'upper'
  | 'length'
  | 'coalesce';

export type Scalar = string | number | boolean | null;

type Test = (record: unknown) => boolean;
type Make = (record: unknown) => unknown;

/** Nesting and number of parts of one condition or expression: more is refused when it is read. */
const limits = { depth: 32, parts: 1_000 };
const expressionOps: ReadonlySet<string> = new Set<ExpressionOp>([
  'concat',
  'add',
  'subtract',
  'multiply',
  'divide',
  'lower',
  'upper',
  'length',
  'coalesce',
]);
const comparisons: ReadonlySet<string> = new Set(['eq', 'ne', 'lt', 'le', 'gt', 'ge']);
const textTests: ReadonlySet<string> = new Set(['contains', 'startsWith', 'endsWith']);

interface Budget {
  parts: number;
}

/** Compiles a condition that came from outside; undefined when something was reported. */
export function readCondition(value: unknown, at: string, report: Report): Test | undefined {
  return condition(value, at, report, 0, { parts: limits.parts });
}

/** Compiles an expression that came from outside; undefined when something was reported. */
export function readExpression(value: unknown, at: string, report: Report): Make | undefined {
  return expression(value, at, report, 0, { parts: limits.parts });
}

/** For conditions that the program itself names. @throws {RangeError} when it is not valid: a bug */
export function compileCondition(value: Condition): Test {
  const test = readCondition(value, '', () => undefined);
  if (!test) throw new RangeError('not a condition');
  return test;
}

/** For expressions that the program itself names. @throws {RangeError} when it is not valid: a bug */
export function compileExpression(value: Expression): Make {
  const make = readExpression(value, '', () => undefined);
  if (!make) throw new RangeError('not an expression');
  return make;
}

type Node = Readonly<Record<string, unknown>>;

/** The parts of an object of this form, or a report. */
function nodeAt(value: unknown, at: string, report: Report, depth: number, budget: Budget): Node | undefined {
  if (depth > limits.depth || --budget.parts < 0)
    return report(at, 'length', `at most ${limits.depth} levels and ${limits.parts} parts`);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return report(at, 'type', 'this is an object with an "op"');
  return value as Node; // an object, just asked
}

function condition(value: unknown, at: string, report: Report, depth: number, budget: Budget): Test | undefined {
  const node = nodeAt(value, at, report, depth, budget);
  if (!node) return undefined;
  const { op } = node;
  if (op === 'and' || op === 'or') {
    if (!hasOnly(node, ['op', 'of'], at, report)) return undefined;
    const tests = each(node.of, `${at}/of`, report, (part, place) => condition(part, place, report, depth + 1, budget));
    if (!tests) return undefined;
    return op === 'and'
      ? (record) => tests.every((test) => test(record))
      : (record) => tests.some((test) => test(record));
  }
  if (op === 'not') {
    if (!hasOnly(node, ['op', 'of'], at, report)) return undefined;
    const test = condition(node.of, `${at}/of`, report, depth + 1, budget);
    return test && ((record) => !test(record));
  }
  return leaf(node, at, report);
}

function leaf(node: Node, at: string, report: Report): Test | undefined {
  const op = String(node.op);
  const isKnown = comparisons.has(op) || textTests.has(op) || op === 'in' || op === 'exists';
  if (typeof node.op !== 'string' || !isKnown)
    return report(
      `${at}/op`,
      'enum',
      'eq, ne, lt, le, gt, ge, in, exists, contains, startsWith, endsWith, and, or or not',
    );
  const allowed = op === 'exists' ? ['op', 'path'] : op === 'in' ? ['op', 'path', 'values'] : ['op', 'path', 'value'];
  const isClean = hasOnly(node, allowed, at, report);
  const path = pathOf(node.path, `${at}/path`, report);
  if (op === 'exists') return isClean && path ? (record) => (getAt(record, path) ?? null) !== null : undefined;
  if (op === 'in') {
    const values = each(node.values, `${at}/values`, report, (part, place) => scalarBox(part, place, report));
    if (!isClean || !path || !values) return undefined;
    const set = new Set(values.map(([item]) => item));
    return (record) => set.has((getAt(record, path) ?? null) as Scalar); // anything else is in no set of scalars
  }
  const box = scalarBox(node.value, `${at}/value`, report);
  if (!isClean || !path || !box) return undefined;
  const [expected] = box;
  if (!textTests.has(op)) return comparison(op, path, expected);
  if (typeof expected !== 'string') return report(`${at}/value`, 'type', 'this is a text');
  return textTest(op, path, expected);
}

/** Type for type: 1 is not "1", and nothing is less or greater than a value of another type. Missing counts as null. */
function comparison(op: string, path: RecordPath, expected: Scalar): Test {
  if (op === 'eq') return (record) => (getAt(record, path) ?? null) === expected;
  if (op === 'ne') return (record) => (getAt(record, path) ?? null) !== expected;
  const holds = orderTests[op] ?? ((): boolean => false);
  return (record) => {
    const order = compare(getAt(record, path), expected);
    return order !== undefined && holds(order);
  };
}

const orderTests: Readonly<Record<string, (order: number) => boolean>> = {
  lt: (order) => order < 0,
  le: (order) => order <= 0,
  gt: (order) => order > 0,
  ge: (order) => order >= 0,
};

function compare(a: unknown, b: Scalar): number | undefined {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  return undefined;
}

function textTest(op: string, path: RecordPath, expected: string): Test {
  const holds = (text: string): boolean => {
    if (op === 'contains') return text.includes(expected);
    return op === 'startsWith' ? text.startsWith(expected) : text.endsWith(expected);
  };
  return (record) => {
    const text = getAt(record, path);
    return typeof text === 'string' && holds(text);
  };
}

function expression(value: unknown, at: string, report: Report, depth: number, budget: Budget): Make | undefined {
  const node = nodeAt(value, at, report, depth, budget);
  if (!node) return undefined;
  if ('path' in node) {
    const path = pathOf(node.path, `${at}/path`, report);
    return hasOnly(node, ['path'], at, report) && path ? (record) => getAt(record, path) : undefined;
  }
  if ('value' in node) {
    const constant = node.value;
    return hasOnly(node, ['value'], at, report) ? () => constant : undefined;
  }
  if (node.op === 'if') {
    const isClean = hasOnly(node, ['op', 'when', 'then', 'else'], at, report);
    const when = condition(node.when, `${at}/when`, report, depth + 1, budget);
    const then = expression(node.then, `${at}/then`, report, depth + 1, budget);
    const otherwise =
      node.else === undefined ? (): null => null : expression(node.else, `${at}/else`, report, depth + 1, budget);
    if (!isClean || !when || !then || !otherwise) return undefined;
    return (record) => (when(record) ? then(record) : otherwise(record));
  }
  if (typeof node.op !== 'string' || !expressionOps.has(node.op))
    return report(`${at}/op`, 'enum', `a "path", a "value", if, or one of ${[...expressionOps].join(', ')}`);
  const op = node.op as ExpressionOp; // one of the set, just asked
  const isClean = hasOnly(node, ['op', 'of'], at, report);
  const parts = each(node.of, `${at}/of`, report, (part, place) => expression(part, place, report, depth + 1, budget));
  return isClean && parts
    ? (record) =>
        evaluate(
          op,
          parts.map((make) => make(record)),
        )
    : undefined;
}

function evaluate(op: ExpressionOp, values: readonly unknown[]): unknown {
  switch (op) {
    case 'concat':
      return values.map(asText).join('');
    case 'coalesce':
      return values.find((value) => value !== undefined && value !== null) ?? null;
    case 'lower':
      return asText(values[0]).toLowerCase();
    case 'upper':
      return asText(values[0]).toUpperCase();
    case 'length':
      return Array.isArray(values[0]) ? values[0].length : asText(values[0]).length;
    case 'add':
      return finite(values.map(asNumber).reduce((a, b) => a + b, 0));
    case 'multiply':
      return finite(values.map(asNumber).reduce((a, b) => a * b, 1));
    case 'subtract':
      return finite(values.map(asNumber).reduce((a, b) => a - b));
    case 'divide':
      return finite(values.map(asNumber).reduce((a, b) => a / b));
    default:
      return assertNever(op);
  }
}

function asText(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new RecordRejection('map.notAText', 'a text, a number or a truth value was expected');
}

function asNumber(value: unknown): number {
  if (typeof value === 'number') return value;
  throw new RecordRejection('map.notANumber', 'a number was expected');
}

function finite(value: number): number {
  if (Number.isFinite(value)) return value;
  throw new RecordRejection('map.notFinite', 'the result is no finite number');
}

function pathOf(value: unknown, at: string, report: Report): RecordPath | undefined {
  const parts = typeof value === 'string' ? parsePath(value) : undefined;
  return parts ?? report(at, 'path', 'a path is written agent.name or /agent/name');
}

/** Boxed, since null is a value. */
function scalarBox(value: unknown, at: string, report: Report): readonly [Scalar] | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return [value];
  if (typeof value === 'number' && Number.isFinite(value)) return [value];
  return report(at, 'type', 'this is a text, a number, true, false or null');
}

function hasOnly(node: Node, names: readonly string[], at: string, report: Report): boolean {
  const strange = Object.keys(node).filter((name) => !names.includes(name));
  for (const name of strange) report(child(at, name), 'unknown', 'this has no meaning here');
  return strange.length === 0;
}

/** Every element read; undefined when one of them was reported, or when it is no array with at least one element. */
function each<T>(
  value: unknown,
  at: string,
  report: Report,
  read: (part: unknown, place: string) => T | undefined,
): readonly T[] | undefined {
  if (!Array.isArray(value) || value.length === 0)
    return report(at, 'type', 'this is a list with at least one element');
  const found = value.map((part: unknown, index) => read(part, `${at}/${index}`));
  return found.includes(undefined) ? undefined : (found as readonly T[]); // none is undefined, just asked
}
