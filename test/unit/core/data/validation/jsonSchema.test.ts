import assert from 'node:assert/strict';
import { Ajv2020 } from 'ajv/dist/2020';
import fc from 'fast-check';
import { DataError } from '../../../../../src/core/data/dataErrors';
import {
  allOf,
  anyOf,
  anything,
  arrayOf,
  elements,
  exactlyOne,
  members,
  nothing,
  nullable,
  object,
  oneOf,
  optional,
  recursive,
  required,
  text,
  warning,
  when,
} from '../../../../../src/core/data/validation/composeRules';
import { exportSchema, SCHEMA_DIALECT } from '../../../../../src/core/data/validation/jsonSchema';
import {
  advances,
  checksum,
  compareFields,
  COMPARISONS,
  custom,
  monotonic,
  reference,
  transition,
  unique,
  uniqueIn,
} from '../../../../../src/core/data/validation/recordRules';
import { importSchema } from '../../../../../src/core/data/validation/schemaImport';
import type { ValidationInput, ValidationRule } from '../../../../../src/core/data/validation/validationRule';
import { runRules } from '../../../../../src/core/data/validation/validationRun';
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
} from '../../../../../src/core/data/validation/valueRules';

const names = ['a', 'b', 'c', '__proto__', 'constructor', 'x/y'] as const;
const pointers = ['/a', '/b', '/a/b'] as const;
const orders = ['increasing', 'notDecreasing', 'gapless'] as const;
const table = { a: ['b'], b: ['a', 'c'], c: [] };

/** Few different values, so that rules meet some that they accept. */
const scalar = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    0,
    -0,
    1,
    2,
    3,
    1.5,
    -1,
    '',
    'a',
    'b',
    'c',
    'aa',
    '😀',
    '\ud800',
    'é\n',
    '\u202e',
  ),
  fc.constantFrom<unknown>(
    '2026-01-01T00:00:00Z',
    '2024-02-30T00:00:00Z',
    'https://a.b/c',
    '1.2.3',
    '01ARZ3NDEKTSV4RRFFQ69G5FAV',
  ),
);
const { value: values } = fc.letrec<{ value: unknown; list: unknown; record: unknown }>((tie) => ({
  value: fc.oneof({ maxDepth: 3, withCrossShrink: true }, scalar, tie('list'), tie('record')),
  list: fc.array(tie('value'), { maxLength: 4 }),
  record: fc.array(fc.tuple(fc.constantFrom(...names), tie('value')), { maxLength: 4 }).map((entries) => {
    const made = Object.fromEntries(entries.filter(([name]) => name !== '__proto__'));
    const proto = entries.find(([name]) => name === '__proto__');
    if (proto) Object.defineProperty(made, '__proto__', { value: proto[1], enumerable: true });
    return made;
  }),
}));

const count = fc.integer({ min: 0, max: 3 });
const anyNumber = fc.constantFrom(-1, 0, 1, 1.5, 2);

/** Rules that JSON Schema has itself. */
const standard: fc.Arbitrary<ValidationRule> = fc.oneof(
  fc
    .subarray([...TYPE_NAMES], { minLength: 1, maxLength: 3 })
    .map(([first = 'string', ...rest]) => type(first, ...rest)),
  fc.record({ min: anyNumber, above: anyNumber }, { requiredKeys: [] }).map(range),
  fc.record({ max: anyNumber, below: anyNumber }, { requiredKeys: [] }).map(range),
  fc.constantFrom(1, 2, 0.5).map(multipleOf),
  fc.record({ min: count, max: count }, { requiredKeys: [] }).map(length),
  fc.record({ min: count, max: count }, { requiredKeys: [] }).map(itemCount),
  fc.record({ min: count, max: count }, { requiredKeys: [] }).map(propertyCount),
  fc.constantFrom('^a', 'a$', '^[a-c]*$', '^(?:a|b)+$', '\\p{L}', '^.$').map((source) => pattern(source)),
  fc.array(values, { minLength: 1, maxLength: 3 }).map((list) => oneOfValues(list)),
  fc.constantFrom(unique(), anything, nothing, required('a'), required('a', '__proto__')),
);
/** Those that it has not. */
const extended: fc.Arbitrary<ValidationRule> = fc.oneof(
  fc.constantFrom('ulid' as const, 'date-time' as const, 'uri' as const, 'semver' as const).map(format),
  fc.constantFrom('nothing' as const, 'lines' as const).map(noControl),
  fc.record({ maxBytes: fc.integer({ min: 1, max: 20 }), maxDepth: count }, { requiredKeys: [] }).map(size),
  fc.constantFrom(unique('/a'), uniqueIn('agent', 'name'), reference('agent'), checksum('c')),
  fc
    .record({
      left: fc.constantFrom(...pointers),
      is: fc.constantFrom(...COMPARISONS),
      right: fc.constantFrom(...pointers),
      as: fc.constantFrom('value' as const, 'time' as const),
    })
    .map(compareFields),
  fc.constantFrom(
    transition({ to: '/a', table }),
    transition({ from: '/b', to: '/a', table, initial: ['a'] }),
    transition({ to: '/b', table, initial: [] }),
  ),
  fc
    .record({ by: fc.constantFrom(...pointers), order: fc.constantFrom(...orders) }, { requiredKeys: [] })
    .map(monotonic),
  fc.tuple(fc.constantFrom(...pointers), fc.constantFrom(...orders)).map(([field, order]) => advances(field, order)),
);

function composed(leaf: fc.Arbitrary<ValidationRule>): fc.Arbitrary<ValidationRule> {
  return fc.letrec<{ rule: ValidationRule; composed: ValidationRule }>((tie) => {
    const rule = tie('rule');
    const properties = fc
      .uniqueArray(fc.tuple(fc.constantFrom(...names), rule, fc.boolean()), {
        selector: ([name]) => name,
        maxLength: 3,
      })
      .map((list) => {
        const made = {};
        for (const [name, part, isOptional] of list)
          Object.defineProperty(made, name, { value: isOptional ? optional(part) : part, enumerable: true });
        return made as Record<string, ValidationRule>;
      });
    const additional = fc.oneof(fc.constantFrom('keep' as const, 'refuse' as const), rule);
    return {
      rule: fc.oneof({ maxDepth: 3, depthSize: 'small' }, leaf, tie('composed')),
      composed: fc.oneof(
        fc.tuple(properties, additional).map(([part, rest]) => object(part, { additional: rest })),
        fc.tuple(properties, additional).map(([part, rest]) => members(part, { additional: rest, required: ['b'] })),
        rule.map(arrayOf),
        rule.map(elements),
        rule.map(nullable),
        fc.array(rule, { maxLength: 4 }).map((rules) => allOf(...rules)),
        fc.array(rule, { minLength: 1, maxLength: 3 }).map((rules) => anyOf(...rules)),
        fc.array(rule, { minLength: 1, maxLength: 3 }).map((rules) => exactlyOne(...rules)),
        fc.tuple(rule, rule).map(([a, b]) => oneOf('a', { a: members({ b: optional(a) }, { additional: 'keep' }), b })),
        fc.tuple(rule, rule, fc.option(rule, { nil: undefined })).map(([a, b, c]) => when(a, b, c)),
        rule.map((inner) => recursive('tree', (self) => anyOf(inner, elements(self)))),
      ),
    };
  }).rule;
}

const lookup = {
  exists: (_kind: string, id: string) => id === 'a',
  idsWith: (_kind: string, _p: string, value: unknown) => (value === 'a' ? ['r'] : []),
};
const accepts = (rule: ValidationRule, value: unknown, input: ValidationInput = {}): boolean =>
  runRules([rule], value, input).ok;
const refusal = (schema: unknown): DataError => {
  try {
    importSchema(schema);
  } catch (error) {
    assert.ok(DataError.is(error, 'data.invalid'));
    return error;
  }
  throw new assert.AssertionError({ message: 'the schema was taken' });
};

describe('JSON Schema', () => {
  it('an exported and imported rule accepts and refuses the same values', () => {
    const rules = composed(fc.oneof(standard, extended, fc.oneof(standard, extended).map(warning)));
    let [accepted, refused] = [0, 0];
    fc.assert(
      fc.property(rules, fc.array(values, { minLength: 5, maxLength: 5 }), values, (rule, list, previous) => {
        const schema: unknown = JSON.parse(JSON.stringify(exportSchema(rule)));
        const again = importSchema(schema);
        for (const value of list) {
          const input = { lookup, previous };
          const isValid = accepts(rule, value, input);
          if (isValid) accepted++;
          else refused++;
          assert.equal(accepts(again, value, input), isValid, JSON.stringify({ schema, value }));
        }
        assert.deepEqual(importSchema(exportSchema(again)).code, again.code);
      }),
      { numRuns: 2_000 },
    );
    assert.ok(accepted > 1_000 && refused > 1_000, `${accepted} accepted, ${refused} refused`);
  });

  it('what says nothing is not written, so that what was read and written again is read the same', () => {
    const anyMembers = { type: 'object', additionalProperties: true };
    assert.deepEqual(exportSchema(object({}, { additional: anything })), { $schema: SCHEMA_DIALECT, type: 'object' });
    assert.deepEqual(exportSchema(object({}, { additional: allOf() })), { $schema: SCHEMA_DIALECT, type: 'object' });
    for (const schema of [anyMembers, { additionalProperties: {} }, { properties: {} }, { required: [] }]) {
      const rule = importSchema(schema);
      assert.equal(importSchema(exportSchema(rule)).code, rule.code, JSON.stringify(schema));
    }
  });

  it('rules that JSON Schema knows are exported to schemas that another validator reads the same way', () => {
    const ajv = new Ajv2020({ strict: false, allErrors: false, ownProperties: true, logger: false });
    let [accepted, refused] = [0, 0];
    fc.assert(
      fc.property(composed(standard), fc.array(values, { minLength: 5, maxLength: 5 }), (rule, list) => {
        const schema = JSON.parse(JSON.stringify(exportSchema(rule))) as Record<string, unknown>;
        fc.pre(!/__proto__|constructor/.test(JSON.stringify(schema))); // ajv makes JavaScript of names
        const other = ajv.compile(schema);
        for (const value of list) {
          const isValid = accepts(rule, value);
          if (isValid) accepted++;
          else refused++;
          assert.equal(other(value), isValid, JSON.stringify({ schema, value }));
        }
        ajv.removeSchema(schema);
      }),
      { numRuns: 1_000 },
    );
    assert.ok(accepted > 500 && refused > 500, `${accepted} accepted, ${refused} refused`);
  });

  it('a schema is written as people write it', () => {
    const rule = object({
      id: allOf(text, format('ulid'), length({ max: 26 })),
      n: optional(allOf(type('integer'), range({ min: 0 }))),
      tags: optional(arrayOf(oneOfValues(['a', 'b']))),
    });
    assert.deepEqual(exportSchema(rule), {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: {
        id: { type: 'string', format: 'ulid', maxLength: 26 },
        n: { type: 'integer', minimum: 0 },
        tags: { type: 'array', items: { enum: ['a', 'b'] } },
      },
      required: ['id'],
      additionalProperties: false,
    });
  });

  it('a rule that contains itself is written once, under $defs', () => {
    const tree = recursive('a tree', (self) => object({ left: optional(self), right: optional(self) }));
    assert.deepEqual(exportSchema(tree), {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $ref: '#/$defs/a_tree',
      $defs: {
        a_tree: {
          type: 'object',
          properties: { left: { $ref: '#/$defs/a_tree' }, right: { $ref: '#/$defs/a_tree' } },
          additionalProperties: false,
        },
      },
    });
  });

  it('a rule in code is exported by its name and imported only where that is known', () => {
    const even = custom('even', 'must be even', (value) => Number(value) % 2 === 0);
    const schema = exportSchema(arrayOf(even));
    assert.deepEqual(schema.items, { 'x-core-rule': 'even' });
    assert.equal(accepts(importSchema(schema, { rules: { even } }), [2, 3]), false);
    assert.deepEqual(
      refusal(schema).problems.map(({ path, code }) => `${path} ${code}`),
      ['/items/x-core-rule schema.unsupported'],
    );
  });

  it('reads schemas that others wrote', () => {
    const rule = importSchema({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      title: 'a message',
      type: ['object', 'null'],
      properties: { 'a/b': { $ref: '#/$defs/a~1b%20c' }, more: { $ref: '#' } },
      required: ['a/b', 'z'],
      $defs: { 'a/b c': { exclusiveMinimum: 1, exclusiveMaximum: 3 } },
    });
    const told = (value: unknown): readonly string[] =>
      runRules([rule], value).problems.map(({ path, code }) => `${path} ${code}`);
    assert.deepEqual(told({ 'a/b': 2, z: 0, more: null }), []);
    assert.deepEqual(told({ 'a/b': 3, more: 1 }), ['/a~1b range', '/more type', '/z required']);
  });

  const refused: readonly (readonly [schema: unknown, ...problems: string[]])[] = [
    [7, ' schema.malformed'],
    [
      { properties: { a: { not: {} } }, dependentRequired: {} },
      '/dependentRequired schema.unsupported',
      '/properties/a/not schema.unsupported',
    ],
    [{ $schema: 'http://json-schema.org/draft-07/schema#' }, '/$schema schema.unsupported'],
    [{ $ref: 'https://example.org/schema' }, '/$ref schema.unsupported'],
    [{ $ref: '#/$defs/gone' }, '/$ref schema.unsupported'],
    [{ $ref: '#/$defs/constructor' }, '/$ref schema.unsupported'],
    [{ $ref: '#/$defs/%' }, '/$ref schema.unsupported'],
    [{ items: { $defs: {} } }, '/items/$defs schema.unsupported'],
    [{ constructor: 1 }, '/constructor schema.unsupported'],
    [JSON.parse('{"__proto__": 1}'), '/__proto__ schema.unsupported'],
    [{ type: 'text' }, '/type schema.malformed'],
    [{ pattern: '(?=a)' }, '/pattern schema.malformed'],
    [{ minLength: -1, maximum: '3' }, '/minLength schema.malformed', '/maximum schema.malformed'],
    [{ format: 'email' }, '/format schema.malformed'],
    [{ anyOf: [] }, '/anyOf schema.malformed'],
    [{ required: 'a' }, '/required schema.malformed'],
    [{ 'x-core-transition': { to: '/a', table: { a: ['b'] } } }, '/x-core-transition schema.malformed'],
    [{ 'x-core-transition': { to: '/a', table: { a: [1] } } }, '/x-core-transition/table/a/0 schema.malformed'],
    [{ 'x-core-compare': { left: '/a', is: '~', right: '/b' } }, '/x-core-compare/is schema.malformed'],
  ];
  for (const [schema, ...problems] of refused)
    it(`refuses ${JSON.stringify(schema)}, naming the place`, () => {
      assert.deepEqual(
        refusal(schema).problems.map(({ path, code }) => `${path} ${code}`),
        problems,
      );
    });

  it('schemas from outside cannot take all the time or memory', () => {
    let deep: unknown = {};
    for (let i = 0; i < 100_000; i++) deep = { items: deep };
    assert.equal(refusal(deep).problems[0]?.code, 'schema.tooLarge');
    assert.equal(refusal({ allOf: Array(20_000).fill({}) }).problems[0]?.code, 'schema.tooLarge');
    const circle = importSchema({ $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } });
    assert.deepEqual(
      runRules([circle], 1).problems.map(({ code }) => code),
      ['too_deep'],
    );
    const both = { anyOf: [{ $ref: '#/$defs/n' }, { $ref: '#/$defs/n' }] };
    const many = importSchema({
      $ref: '#/$defs/n',
      $defs: { n: { type: 'object', properties: { a: both }, additionalProperties: false } },
    });
    let value: unknown = 7;
    for (let i = 0; i < 60; i++) value = { a: value };
    assert.equal(runRules([many], value).problems.at(-1)?.code, 'too_much_work');
  });
});
