import { type AgentId, isAgentId } from '../agents/agent';
import { isJsonObject, type JsonReader, type StringLimits } from '../agents/jsonReader';

/** How one field of the parameters is read. Reports what is wrong to the reader and returns undefined then. */
export interface Field<T> {
  readonly isOptional: boolean;
  read(json: JsonReader, value: unknown, path: string): T | undefined;
}

export type Fields = Readonly<Record<string, Field<unknown>>>;

/** The values of fields; an optional one that was not given is undefined. */
export type FieldValues<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never;
};

/** Reads an object of exactly these fields; undefined when something was reported. */
export function readFields<F extends Fields>(fields: F, value: unknown, json: JsonReader): FieldValues<F> | undefined {
  if (!isJsonObject(value)) return json.report('params', 'must be an object');
  json.onlyKnown(value, '', Object.keys(fields));
  const entries = Object.entries(fields).map(([name, field]): [string, unknown] => {
    const given = Object.hasOwn(value, name) ? value[name] : undefined;
    if (given === undefined) return [name, field.isOptional ? undefined : json.report(name, 'is missing')];
    return [name, field.read(json, given, name)];
  });
  if (json.problems.length > 0) return undefined;
  return Object.fromEntries(entries) as FieldValues<F>; // each entry was read by the field of its name
}

function field<T>(read: Field<T>['read']): Field<T> {
  return { isOptional: false, read };
}

export function optional<T>(inner: Field<T>): Field<T | undefined> {
  return { isOptional: true, read: inner.read };
}

export function text(limits: StringLimits): Field<string> {
  return field((json, value, path) => json.string(value, path, limits));
}

export function oneOf<const T extends string>(...allowed: readonly T[]): Field<T> {
  return field((json, value, path) => json.oneOf(value, path, allowed));
}

export function integer(min: number, max: number): Field<number> {
  return field((json, value, path) => json.integer(value, path, min, max));
}

export const flag: Field<boolean> = field((json, value, path) => json.boolean(value, path));

/** Any JSON; `read` of the handler looks at it. */
export const anything: Field<unknown> = field((_json, value) => value);

export const agentId: Field<AgentId> = field((json, value, path) =>
  typeof value === 'string' && isAgentId(value) ? value : json.report(path, 'is no agent id'),
);

/** A ULID or whatever else the engine calls its things by. */
export const thingId: Field<string> = text({ maxLength: 64, pattern: /^[0-9A-Za-z-]+$/, expected: 'is no id' });

export const limit: Field<number | undefined> = optional(integer(1, 500));

export function listOf<T>(inner: Field<T>, maxCount: number): Field<readonly T[]> {
  return field((json, value, path) =>
    json.array(value, path, maxCount, (item, at) => inner.read(json, item, at) ?? undefined),
  );
}
