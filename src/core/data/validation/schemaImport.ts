import { DataError } from '../dataErrors';
import { child } from '../processing/report';
import { allOf, anyOf, anything, elements, exactlyOne, members, nothing, warning, when } from './composeRules';
import { fromEntries, SCHEMA_DIALECT } from './jsonSchema';
import { SCHEMA_KEYWORDS } from './schemaKeywords';
import {
  isPlainObject,
  type PlainObject,
  printable,
  type ValidationProblem,
  type ValidationRule,
} from './validationRule';

export interface ImportOptions {
  /** Rules in code, by their code, for `x-core-rule`; without one of that code the import is refused. */
  readonly rules?: Readonly<Record<string, ValidationRule>>;
}

const maxSchemaDepth = 64;
const maxSchemaParts = 10_000;
const maxProblems = 100;
/** Say nothing about values. */
const annotations = new Set([
  '$comment',
  'title',
  'description',
  'default',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
]);
/** Read together with another keyword of the same schema. */
const companions = new Set(['required', 'additionalProperties', 'then', 'else']);

/**
 * A rule that accepts what the schema (JSON Schema 2020-12) accepts. Known: `type`, `enum`, `const`, bounds of
 * numbers, texts, lists and objects, `multipleOf`, `pattern`, `format` (as a requirement), `items`, `uniqueItems`, `properties`,
 * `required`, `additionalProperties`, `allOf`, `anyOf`, `oneOf`, `if`/`then`/`else`, `$ref` to `#` and `#/$defs/…`, and
 * what {@link exportSchema} writes. `undefined` counts as missing, and what is no JSON is refused by `type` only.
 * @throws {DataError} data.invalid with one problem for each keyword that is not known or not well formed, by its path
 */
export function importSchema(schema: unknown, options: ImportOptions = {}): ValidationRule {
  return new SchemaReader(schema, options).read();
}

class SchemaReader {
  readonly #problems: ValidationProblem[] = [];
  readonly #targets = new Map<string, ValidationRule>();
  #partCount = 0;

  constructor(
    private readonly root: unknown,
    private readonly options: ImportOptions,
  ) {}

  read(): ValidationRule {
    const definitions = isPlainObject(this.root) && Object.hasOwn(this.root, '$defs') ? this.root.$defs : {};
    if (isPlainObject(definitions))
      for (const [name, part] of Object.entries(definitions))
        this.#targets.set(name, this.#schema(part, child('/$defs', name), 1));
    else this.#refuse('', '$defs', 'must be an object');
    const rule = this.#schema(this.root, '', 0);
    this.#targets.set('', rule);
    const [first] = this.#problems;
    if (!first) return rule;
    const more = this.#problems.length > 1 ? ` (and ${this.#problems.length - 1} more)` : '';
    throw new DataError('data.invalid', `the schema cannot be used: ${printable(first.path)} ${first.message}${more}`, {
      problems: this.#problems,
    });
  }

  #refuse(at: string, keyword: string, why: string, code = 'schema.malformed'): ValidationRule {
    const path = keyword === '' ? at : child(at, keyword);
    if (this.#problems.length < maxProblems)
      this.#problems.push({ path, rule: 'schema', code, message: why, severity: 'error' });
    return nothing;
  }

  #schema(schema: unknown, at: string, depth: number): ValidationRule {
    if (schema === true) return anything;
    if (schema === false) return nothing;
    if (!isPlainObject(schema)) return this.#refuse(at, '', 'must be a schema: an object, true or false');
    if (depth > maxSchemaDepth || ++this.#partCount > maxSchemaParts)
      return this.#refuse(at, '', 'is more than a schema may have', 'schema.tooLarge');
    const rules = Object.keys(schema).flatMap((keyword) => this.#keyword(schema, keyword, at, depth) ?? []);
    if (this.#usesMembers(schema)) rules.push(...this.#members(schema, at, depth));
    const [only] = rules;
    if (rules.length === 1 && only) return only;
    return rules.length === 0 ? anything : allOf(...rules);
  }

  #keyword(schema: PlainObject, keyword: string, at: string, depth: number): ValidationRule | undefined {
    const value = schema[keyword];
    const inner = (part: unknown, ...keys: string[]): ValidationRule =>
      this.#schema(part, keys.reduce(child, child(at, keyword)), depth + 1);
    if (annotations.has(keyword) || keyword === 'properties' || companions.has(keyword)) return undefined;
    switch (keyword) {
      case '$schema':
        return value === SCHEMA_DIALECT
          ? undefined
          : this.#refuse(at, keyword, `must be ${SCHEMA_DIALECT}`, 'schema.unsupported');
      case '$defs':
        return at === '' ? undefined : this.#refuse(at, keyword, '$defs stands at the top only', 'schema.unsupported');
      case '$ref':
        return this.#reference(value, at);
      case 'items':
        return elements(inner(value));
      case 'allOf':
      case 'anyOf':
      case 'oneOf': {
        if (!Array.isArray(value) || value.length === 0)
          return this.#refuse(at, keyword, `${keyword} must be a list of schemas`);
        const parts = value.map((part: unknown, index) => inner(part, String(index)));
        return keyword === 'allOf' ? allOf(...parts) : keyword === 'anyOf' ? anyOf(...parts) : exactlyOne(...parts);
      }
      case 'if':
        return this.#when(schema, at, depth);
      case 'x-core-warning':
        return warning(inner(value));
      case 'x-core-rule':
        return this.#ruleInCode(value, at);
    }
    return this.#simple(keyword, value, at);
  }

  #simple(keyword: string, value: unknown, at: string): ValidationRule | undefined {
    const read = Object.hasOwn(SCHEMA_KEYWORDS, keyword) ? SCHEMA_KEYWORDS[keyword] : undefined;
    if (!read)
      return this.#refuse(at, keyword, `the keyword ${printable(keyword)} is not supported`, 'schema.unsupported');
    try {
      return read(value);
    } catch (error) {
      if (!DataError.is(error, 'data.invalid')) throw error;
      for (const { path, message } of error.problems) this.#refuse(child(at, keyword) + path, '', message);
      return error.problems.length > 0
        ? nothing
        : this.#refuse(at, keyword, printable(`${keyword} is not well formed (${error.message})`, 300));
    }
  }

  #reference(value: unknown, at: string): ValidationRule {
    const name = typeof value === 'string' ? definitionName(value) : undefined;
    const definitions = isPlainObject(this.root) && isPlainObject(this.root.$defs) ? this.root.$defs : {};
    if (name === undefined || (name !== '' && !Object.hasOwn(definitions, name)))
      return this.#refuse(
        at,
        '$ref',
        '$ref must name the schema itself (#) or one of its $defs (#/$defs/name)',
        'schema.unsupported',
      );
    const target = (): ValidationRule => this.#targets.get(name) ?? nothing; // all are there once the schema is read
    return {
      code: '$ref',
      description: `a valid ${name || 'whole'}`,
      validate: (part, context) => context.check(target(), part),
      schema: (write) => write.reference(name || 'root', target()),
    };
  }

  #when(schema: PlainObject, at: string, depth: number): ValidationRule | undefined {
    const branch = (name: 'if' | 'then' | 'else'): ValidationRule | undefined =>
      Object.hasOwn(schema, name) ? this.#schema(schema[name], child(at, name), depth + 1) : undefined;
    const [condition, then, otherwise] = [branch('if'), branch('then'), branch('else')];
    return condition && (then ?? otherwise) ? when(condition, then ?? anything, otherwise) : undefined;
  }

  #usesMembers(schema: PlainObject): boolean {
    return ['properties', 'required', 'additionalProperties'].some((keyword) => Object.hasOwn(schema, keyword));
  }

  /** None where these keywords say nothing. */
  #members(schema: PlainObject, at: string, depth: number): readonly ValidationRule[] {
    const own = (keyword: string): unknown => (Object.hasOwn(schema, keyword) ? schema[keyword] : undefined);
    const [properties = {}, required = [], additional = true] = [
      own('properties'),
      own('required'),
      own('additionalProperties'),
    ];
    if (!isPlainObject(properties)) return [this.#refuse(at, 'properties', 'properties must be an object of schemas')];
    if (!Array.isArray(required) || !required.every((name) => typeof name === 'string'))
      return [this.#refuse(at, 'required', 'required must be a list of texts')];
    const rules = Object.entries(properties).map(
      ([name, part]) =>
        [name, { optional: this.#schema(part, child(child(at, 'properties'), name), depth + 1) }] as const,
    );
    const rest =
      additional === false ? nothing : this.#schema(additional, child(at, 'additionalProperties'), depth + 1);
    if (rules.length === 0 && required.length === 0 && rest === anything) return [];
    return [
      members(fromEntries(rules), {
        required: [...new Set(required)],
        additional: rest === anything ? 'keep' : additional === false ? 'refuse' : rest,
      }),
    ];
  }

  #ruleInCode(value: unknown, at: string): ValidationRule {
    const { rules = {} } = this.options;
    const rule = typeof value === 'string' && Object.hasOwn(rules, value) ? rules[value] : undefined;
    return (
      rule ??
      this.#refuse(at, 'x-core-rule', 'x-core-rule names a rule in code that is not known', 'schema.unsupported')
    );
  }
}

/** The name in a reference to one of `$defs`, empty for the schema itself, undefined for any other reference. */
function definitionName(reference: string): string | undefined {
  if (reference === '#') return '';
  const [, encoded] = /^#\/\$defs\/([^/]+)$/.exec(reference) ?? [];
  if (encoded === undefined) return undefined;
  try {
    return decodeURIComponent(encoded).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return undefined; // a percent sign that encodes nothing
  }
}
