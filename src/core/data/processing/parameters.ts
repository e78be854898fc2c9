import { readCondition, readExpression } from './expression';
import { parsePath, type RecordPath } from './recordPath';
import { child, type Report } from './report';

/** Reads one parameter of a step that came from outside, and describes it. */
export interface Parameter<T> {
  /** For people and editors: JSON Schema (2020-12) of what is accepted. */
  readonly schema: Readonly<Record<string, unknown>>;
  readonly isOptional?: boolean;
  /** The value, or undefined after every mistake in it was reported. An absent optional parameter is never read. */
  readonly read: (value: unknown, at: string, report: Report) => T | undefined;
}

/** The values of a table of parameters: optional ones may be undefined. */
export type Parameters = Readonly<Record<string, Parameter<unknown>>>;
export type ValuesOf<P extends Parameters> = {
  readonly [K in keyof P]: P[K] extends Parameter<infer T>
    ? P[K] extends { readonly isOptional: true }
      ? T | undefined
      : T
    : never;
};

export function optional<T>(parameter: Parameter<T>): Parameter<T> & { readonly isOptional: true } {
  return { ...parameter, isOptional: true };
}

export function integer(minimum: number, maximum: number): Parameter<number> {
  return {
    schema: { type: 'integer', minimum, maximum },
    read: (value, at, report) => {
      if (typeof value !== 'number' || !Number.isInteger(value)) return report(at, 'type', 'this is a whole number');
      return value >= minimum && value <= maximum ? value : report(at, 'range', `from ${minimum} to ${maximum}`);
    },
  };
}

export function text(maxLength: number): Parameter<string> {
  return {
    schema: { type: 'string', maxLength },
    read: (value, at, report) => {
      if (typeof value !== 'string') return report(at, 'type', 'this is a text');
      return value.length <= maxLength ? value : report(at, 'length', `at most ${maxLength} characters`);
    },
  };
}

export const flag: Parameter<boolean> = {
  schema: { type: 'boolean' },
  read: (value, at, report) => (typeof value === 'boolean' ? value : report(at, 'type', 'this is true or false')),
};

export function oneOf<const T extends string>(...values: readonly T[]): Parameter<T> {
  return {
    schema: { enum: values },
    read: (value, at, report) =>
      values.find((one) => one === value) ?? report(at, 'enum', `one of ${values.join(', ')}`),
  };
}

export const recordPath: Parameter<RecordPath> = {
  schema: { type: 'string', description: 'agent.name or /agent/name' },
  read: (value, at, report) =>
    (typeof value === 'string' ? parsePath(value) : undefined) ??
    report(at, 'path', 'a path is written agent.name or /agent/name'),
};

/** Anything that JSON can hold. */
export const json: Parameter<{ readonly value: unknown }> = { schema: {}, read: (value) => ({ value }) };

export const condition: Parameter<(record: unknown) => boolean> = {
  schema: { type: 'object', description: 'a condition: op, path, value; and, or, not with of' },
  read: readCondition,
};

export const expression: Parameter<(record: unknown) => unknown> = {
  schema: { type: 'object', description: 'an expression: path, value, or op with of' },
  read: readExpression,
};

export function list<T>(element: Parameter<T>, minItems: number, maxItems: number): Parameter<readonly T[]> {
  return {
    schema: { type: 'array', items: element.schema, minItems, maxItems },
    read: (value, at, report) => {
      if (!Array.isArray(value)) return report(at, 'type', 'this is a list');
      if (value.length < minItems || value.length > maxItems)
        return report(at, 'length', `${minItems} to ${maxItems} elements`);
      const found = value.map((part: unknown, index) => element.read(part, `${at}/${index}`, report));
      return found.includes(undefined) ? undefined : (found as readonly T[]); // none is undefined, just asked
    },
  };
}

/** Names of their own choice with a value each; as pairs, in the order given. */
export function table<T>(element: Parameter<T>, maxItems: number): Parameter<readonly (readonly [string, T])[]> {
  return {
    schema: { type: 'object', additionalProperties: element.schema, minProperties: 1, maxProperties: maxItems },
    read: (value, at, report) => {
      if (!isObject(value)) return report(at, 'type', 'this is an object');
      const entries = Object.entries(value);
      if (entries.length < 1 || entries.length > maxItems) return report(at, 'length', `1 to ${maxItems} properties`);
      const found = entries.map(([name, part]) => [name, element.read(part, child(at, name), report)] as const);
      return found.some(([, part]) => part === undefined) ? undefined : (found as readonly (readonly [string, T])[]); // none is, just asked
    },
  };
}

/** An object with these properties and no others. */
export function shape<P extends Parameters>(parameters: P): Parameter<ValuesOf<P>> {
  const names = Object.keys(parameters);
  return {
    schema: {
      type: 'object',
      properties: Object.fromEntries(Object.entries(parameters).map(([name, { schema }]) => [name, schema])),
      required: names.filter((name) => !parameters[name]?.isOptional),
      additionalProperties: false,
    },
    read: (value, at, report) => {
      if (!isObject(value)) return report(at, 'type', 'this is an object');
      let isValid = true;
      for (const name of Object.keys(value)) {
        if (names.includes(name)) continue;
        isValid = false;
        report(child(at, name), 'unknown', 'this has no meaning here');
      }
      const found: Record<string, unknown> = {};
      for (const [name, parameter] of Object.entries(parameters)) {
        const given = Object.hasOwn(value, name) ? value[name] : undefined;
        if (given === undefined) {
          if (parameter.isOptional) continue;
          isValid = false;
          report(child(at, name), 'required', 'this is needed');
          continue;
        }
        found[name] = parameter.read(given, child(at, name), report);
        if (found[name] === undefined) isValid = false;
      }
      return isValid ? (found as ValuesOf<P>) : undefined; // every property was read by its own parameter
    },
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
