import { setOwn } from '../processing/recordPath';
import type { ValidationRule } from './validationRule';

/** A schema of JSON Schema 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>> | boolean;

export const SCHEMA_DIALECT = 'https://json-schema.org/draft/2020-12/schema';

/** Writes the schemas of the rules that a rule is made of. */
export interface SchemaWriter {
  (rule: ValidationRule): JsonSchema;
  /** The `$ref` to a rule that may contain itself; it is written once, under `$defs`. */
  readonly reference: (name: string, rule: ValidationRule) => JsonSchema;
}

/** An object with these properties, whatever they are called. */
export function fromEntries<T>(entries: Iterable<readonly [string, T]>): Record<string, T> {
  const made: Record<string, T> = {};
  for (const [name, value] of entries) setOwn(made, name, value);
  return made;
}

/** A schema that everything fulfils and that need not be written. */
export function saysNothing(schema: JsonSchema): boolean {
  return schema === true || (schema !== false && Object.keys(schema).length === 0);
}

/** Keywords whose meaning depends on the others of their group: two schemas that both use one group are not merged. */
const groups: readonly ReadonlySet<string>[] = [
  new Set(['properties', 'additionalProperties', 'required']),
  new Set(['if', 'then', 'else']),
];

/** One schema that asks for all of these; `allOf` where their keywords would disturb each other. */
export function mergeSchemas(schemas: readonly JsonSchema[]): JsonSchema {
  let merged: Record<string, unknown> = {};
  const apart: JsonSchema[] = [];
  for (const schema of schemas) {
    if (schema === true) continue;
    if (schema === false || !canMerge(merged, schema)) apart.push(schema);
    else merged = { ...merged, ...schema };
  }
  if (apart.length === 0) return merged;
  const first = merged.allOf as readonly JsonSchema[] | undefined; // written by rules only: a list
  return { ...merged, allOf: [...(first ?? []), ...apart] };
}

function canMerge(merged: Readonly<Record<string, unknown>>, schema: Readonly<Record<string, unknown>>): boolean {
  const names = Object.keys(schema);
  if (names.some((name) => Object.hasOwn(merged, name))) return false;
  return !groups.some(
    (group) => names.some((name) => group.has(name)) && Object.keys(merged).some((name) => group.has(name)),
  );
}

/** A rule as a schema (JSON Schema 2020-12), complete with `$schema` and `$defs`. What JSON Schema cannot say stands under `x-core-…`. */
export function exportSchema(rule: ValidationRule): Readonly<Record<string, unknown>> {
  const names = new Map<ValidationRule, string>();
  const definitions: Record<string, JsonSchema> = {};
  const write = ((part: ValidationRule) =>
    part.schema ? part.schema(writer) : { 'x-core-rule': part.code }) as SchemaWriter; // reference is added just below
  const reference = (wanted: string, part: ValidationRule): JsonSchema => {
    const known = names.get(part);
    if (known !== undefined) return { $ref: `#/$defs/${known}` };
    let name = wanted.replace(/[^A-Za-z0-9._-]/g, '_');
    for (let count = 2; name === '__proto__' || Object.hasOwn(definitions, name); count++) name = `${wanted}_${count}`;
    names.set(part, name);
    definitions[name] = true; // its place, before its own references to itself
    definitions[name] = write(part);
    return { $ref: `#/$defs/${name}` };
  };
  const writer: SchemaWriter = Object.assign(write, { reference });
  const schema = write(rule);
  const whole = typeof schema === 'boolean' ? (schema ? {} : { allOf: [false] }) : schema;
  return {
    $schema: SCHEMA_DIALECT,
    ...whole,
    ...(Object.keys(definitions).length > 0 ? { $defs: definitions } : {}),
  };
}
