import assert from 'node:assert/strict';
import {
  allOf,
  anyOf,
  anything,
  arrayOf,
  exactlyOne,
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
import {
  advances,
  checksum,
  checksumOf,
  compareFields,
  custom,
  monotonic,
  reference,
  transition,
  unique,
  uniqueIn,
} from '../../../../../src/core/data/validation/recordRules';
import { isTextFormat, TEXT_FORMATS } from '../../../../../src/core/data/validation/textFormats';
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
} from '../../../../../src/core/data/validation/valueRules';
import type {
  Validated,
  ValidationInput,
  ValidationRule,
} from '../../../../../src/core/data/validation/validationRule';
import { runRules } from '../../../../../src/core/data/validation/validationRun';
import { DataError } from '../../../../../src/core/data/dataErrors';

/** Every problem as `path code`. */
function found(rule: ValidationRule, value: unknown, input?: ValidationInput): readonly string[] {
  return runRules([rule], value, input).problems.map(({ path, code }) => `${path} ${code}`);
}

/** Checks a rule by values that it must accept and others in which it must find exactly this. */
function judges(
  rule: ValidationRule,
  accepted: readonly unknown[],
  refused: readonly (readonly [value: unknown, ...problems: string[]])[],
): void {
  for (const value of accepted) assert.deepEqual(found(rule, value), []);
  for (const [value, ...problems] of refused) assert.deepEqual(found(rule, value), problems);
}

describe('rules about one value', () => {
  it('type: the types of JSON; NaN, infinities, bigints and class instances are of none', () => {
    judges(
      type('number'),
      [0, -0, 1.5],
      [
        [NaN, ' type'],
        [Infinity, ' type'],
        [1n, ' type'],
        ['1', ' type'],
      ],
    );
    judges(
      type('integer', 'null'),
      [1, 1e300, null],
      [
        [1.5, ' type'],
        [undefined, ' type'],
      ],
    );
    judges(
      type('object'),
      [{}, Object.create(null)],
      [
        [[], ' type'],
        [null, ' type'],
        [new Date(0), ' type'],
        [new Map(), ' type'],
      ],
    );
    judges(type('array'), [[]], [[{ length: 0 }, ' type']]);
  });

  it('range, multipleOf: bounds of numbers, and nothing about other values', () => {
    judges(
      range({ min: 0, max: 9 }),
      [0, -0, 9, 'text'],
      [
        [-1, ' range'],
        [10, ' range'],
        [NaN, ' range'],
      ],
    );
    judges(
      range({ above: 0, below: 1 }),
      [0.5],
      [
        [0, ' range'],
        [1, ' range'],
      ],
    );
    judges(multipleOf(5), [0, 10, -5], [[7, ' multipleOf']]);
    assert.throws(
      () => range({ min: NaN }),
      (error) => DataError.is(error, 'data.invalid'),
    );
  });

  it('length counts code points, half a pair as one', () => {
    judges(
      length({ min: 2, max: 3 }),
      ['ab', '😀😀😀', '\ud83d\ud83d', 7],
      [
        ['a', ' length'],
        ['😀', ' length'],
        ['😀😀😀😀', ' length'],
        ['x'.repeat(1e6), ' length'],
      ],
    );
    judges(itemCount({ max: 1 }), [[], [1], 'ab'], [[[1, 2], ' itemCount']]);
    judges(
      propertyCount({ min: 1 }),
      [{ a: 1 }],
      [
        [{}, ' propertyCount'],
        [{ a: undefined }, ' propertyCount'],
      ],
    );
    assert.throws(
      () => length({ max: 1.5 }),
      (error) => DataError.is(error, 'data.invalid'),
    );
  });

  it('pattern and enum', () => {
    judges(pattern('^[a-z]+$'), ['abc', 7], [['aB', ' pattern']]);
    assert.throws(
      () => pattern('(?=a)'),
      (error) => DataError.is(error, 'data.invalid'),
    );
    judges(
      oneOfValues(['a', 1, null, { b: [1], a: 0 }]),
      ['a', 1, null, { a: 0, b: [1] }],
      [
        ['b', ' enum'],
        [{ a: 0 }, ' enum'],
        [undefined, ' enum'],
        [true, ' enum'],
      ],
    );
    judges(oneOfValues([0]), [-0], [[NaN, ' enum']]);
  });

  const formats: readonly (readonly [name: string, right: readonly string[], wrong: readonly string[]])[] = [
    [
      'ulid',
      ['01ARZ3NDEKTSV4RRFFQ69G5FAV', '7ZZZZZZZZZZZZZZZZZZZZZZZZZ'],
      [
        '81ARZ3NDEKTSV4RRFFQ69G5FAV',
        '01arz3ndektsv4rrffq69g5fav',
        '01ARZ3NDEKTSV4RRFFQ69G5FA',
        '01ARZ3NDEKTSV4RRFFQ69G5FAI',
        '',
      ],
    ],
    [
      'date-time',
      [
        '2024-02-29T00:00:00Z',
        '2000-02-29t23:59:59.5z',
        '0001-01-01T00:00:00+14:00',
        '2016-12-31T23:59:60Z',
        '2016-12-31T18:59:60-05:00',
        '2026-11-23T10:30:05.123456789+01:00',
      ],
      [
        '2023-02-29T00:00:00Z',
        '1900-02-29T00:00:00Z',
        '2026-04-31T00:00:00Z',
        '2026-13-01T00:00:00Z',
        '2026-00-01T00:00:00Z',
        '2026-01-00T00:00:00Z',
        '2026-01-01T24:00:00Z',
        '2026-01-01T00:60:00Z',
        '2026-01-01T12:00:60Z',
        '2026-01-01T00:00:00',
        '2026-01-01 00:00:00Z',
        '2026-01-01T00:00:00+24:00',
        '2026-01-01T00:00:00Z\n',
        '٢٠٢٦-01-01T00:00:00Z',
      ],
    ],
    [
      'uri',
      [
        'https://example.org',
        'https://user:pw@example.org:8080/a%20b?c=d&e#f',
        'urn:isbn:0451450523',
        'mailto:a@b.c',
        'http://[2001:db8::1]/',
        'file:///etc/passwd',
        'a:',
      ],
      [
        'example.org',
        '/a/b',
        '//example.org',
        'http://a b',
        'http://a/%zz',
        'http://[::1',
        'http://a:b/',
        '1a:b',
        'http://a/<b>',
        'http://a\\b',
        'http://é.org',
        '',
      ],
    ],
    [
      'semver',
      ['1.2.3', '0.0.0', '1.0.0-alpha.1+build.5', '1.0.0--', '1.0.0-0a'],
      ['1.2', '01.2.3', '1.2.3-01', '1.2.3-', '1.2.3+', '1.2.3-a..b', 'v1.2.3', '1.2.3 '],
    ],
  ];
  for (const [name, right, wrong] of formats)
    it(`format ${name}`, () => {
      assert.ok(isTextFormat(name));
      judges(
        format(name),
        [...right, 7],
        wrong.map((value) => [value, ` format.${name}`]),
      );
      assert.equal(TEXT_FORMATS[name].test('x'.repeat(100_000)), false);
    });

  it('noControl finds controls, bidirectional characters and halves of pairs, and lets line breaks through when told', () => {
    judges(
      noControl(),
      ['é😀 ok', 7],
      ['\n', '\0', '\x1b', '\x7f', '\x85', '\u202e', '\u2066', '\u200f', '\ud800', 'a\udc00'].map((value) => [
        value,
        ' noControl',
      ]),
    );
    judges(
      noControl('lines'),
      ['a\r\n\tb'],
      ['\0', '\x0b', '\x85', '\u202e', '\ud800'].map((value) => [value, ' noControl']),
    );
  });

  it('size bounds bytes, depth and cycles, and wants JSON', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    judges(size({}), [], [[cycle, ' size.depth']]);
    judges(
      size({ maxBytes: 10, maxDepth: 2 }),
      ['12345678', [[1]], { a: 1 }],
      [
        ['123456789', ' size.bytes'],
        ['éééééé', ' size.bytes'],
        [[[[1]]], ' size.depth'],

        [{ a: 1n }, ' size.notJson'],
        [undefined, ' size.notJson'],
      ],
    );
  });
});

describe('rules about records', () => {
  it('unique tells every repetition by its place', () => {
    judges(
      unique(),
      [[1, '1', true, null, { a: 1 }, [1]]],
      [
        [[1, 2, 1, 1], '/2 unique', '/3 unique'],
        [
          [
            { a: 1, b: 2 },
            { b: 2, a: 1 },
          ],
          '/1 unique',
        ],
        [[0, -0], '/1 unique'],
      ],
    );
    judges(unique('/id'), [[{ id: 1 }, { id: 2 }, {}, {}]], [[[{ id: 1 }, { id: 1 }], '/1/id unique']]);
  });

  it('unique and reference over other records ask the lookup; a record is no duplicate of itself', () => {
    const lookup = { exists: (kind: string, id: string) => kind === 'agent' && id === 'a1', idsWith: () => ['r1'] };
    assert.deepEqual(found(reference('agent'), 'a1', { lookup }), []);
    assert.deepEqual(found(reference('agent'), 'a2', { lookup }), [' reference']);
    assert.deepEqual(found(uniqueIn('agent', 'name'), 'anna', { lookup }), [' unique']);
    assert.deepEqual(found(uniqueIn('agent', 'name'), 'anna', { lookup, recordId: 'r1' }), []);
    assert.deepEqual(found(reference('agent'), 'a1'), [' rule_failed']);
  });

  it('what a lookup throws reaches the caller unchanged, from any depth', () => {
    const again = new Error('read again');
    const lookup = {
      exists: () => {
        throw again;
      },
      idsWith: () => [],
    };
    const rule = anyOf(object({ by: arrayOf(reference('agent')) }), anything);
    assert.throws(
      () => runRules([rule], { by: ['a1'] }, { lookup }),
      (error) => error === again,
    );
  });

  it('fields are compared as numbers, texts and times; a missing one says nothing', () => {
    const later = compareFields({ left: '/expiresAt', is: '>', right: '/time', as: 'time' });
    judges(
      later,
      [
        { time: '2026-01-01T00:00:00Z', expiresAt: '2026-01-01T00:30:00+00:00' },
        {},
        { time: null, expiresAt: '2026-01-01T00:00:00Z' },
        7,
      ],
      [
        [{ time: '2026-01-01T00:00:00Z', expiresAt: '2026-01-01T00:30:00+01:00' }, '/expiresAt compare'],
        [{ time: 'soon', expiresAt: '2026-01-01T00:00:00Z' }, '/expiresAt compare.kind'],
      ],
    );
    judges(
      compareFields({ left: '/a/b', is: '<=', right: '/c' }),
      [
        { a: { b: 1 }, c: 1 },
        { a: { b: 'a' }, c: 'b' },
      ],
      [
        [{ a: { b: 2 }, c: 1 }, '/a/b compare'],
        [{ a: { b: 2 }, c: '3' }, '/a/b compare.kind'],
      ],
    );
    assert.throws(
      () => compareFields({ left: 'a', is: '<', right: '/b' }),
      (error) => DataError.is(error, 'data.invalid'),
    );
  });

  it('a transition is legal by its table, from the value before or from a field', () => {
    const table = { open: ['closed'], closed: [] };
    const rule = transition({ to: '/state', table, initial: ['open'] });
    const after = (state: unknown, previous?: unknown): readonly string[] =>
      found(rule, { state }, previous === undefined ? {} : { previous: { state: previous } });
    assert.deepEqual(after('open'), []);
    assert.deepEqual(after('closed'), ['/state transition.initial']);
    assert.deepEqual(after('closed', 'open'), []);
    assert.deepEqual(after('closed', 'closed'), []);
    assert.deepEqual(after('open', 'closed'), ['/state transition']);
    assert.deepEqual(after('open', 'gone'), ['/state transition']);
    assert.deepEqual(after('constructor', 'open'), ['/state transition.unknown']);
    judges(
      transition({ from: '/from', to: '/to', table }),
      [{ from: 'open', to: 'closed' }],
      [[{ from: 'closed', to: 'open' }, '/to transition']],
    );
    assert.throws(
      () => transition({ to: '/a', table: { a: ['b'] } }),
      (error) => DataError.is(error, 'data.invalid'),
    );
  });

  it('sequences grow within a list and from write to write', () => {
    judges(
      monotonic(),
      [[], [1, 2, 5], ['a', 'b']],
      [
        [[1, 1], '/1 monotonic'],
        [[1, 'a'], '/1 monotonic'],
        [[3, 2, 1], '/1 monotonic', '/2 monotonic'],
      ],
    );
    judges(
      monotonic({ by: '/seq', order: 'gapless' }),
      [[{ seq: 4 }, { seq: 5 }, {}]],
      [[[{ seq: 1 }, { seq: 3 }], '/1/seq monotonic']],
    );
    judges(monotonic({ order: 'notDecreasing' }), [[1, 1]], [[[NaN, 1], '/1 monotonic']]);
    assert.deepEqual(found(advances('/seq'), { seq: 2 }, { previous: { seq: 1 } }), []);
    assert.deepEqual(found(advances('/seq'), { seq: 1 }, { previous: { seq: 1 } }), ['/seq monotonic']);
    assert.deepEqual(found(advances('/seq'), { seq: 1 }), []);
  });

  it('a checksum covers everything beside itself', () => {
    const value = { a: 1, b: ['x'] };
    const crc = checksumOf(value, 'crc');
    judges(
      checksum('crc'),
      [{ ...value, crc }, { b: ['x'], crc, a: 1 }, value],
      [
        [{ ...value, a: 2, crc }, '/crc checksum'],
        [{ ...value, crc: 'no' }, '/crc checksum'],
      ],
    );
  });

  it('custom rules see the value and what is known beside it', () => {
    const rule = custom('even', 'must be even', (value) => typeof value !== 'number' || value % 2 === 0);
    judges(rule, [2, 'x'], [[3, ' even']]);
    assert.deepEqual(runRules([rule], 3).problems, [
      { path: '', rule: 'even', code: 'even', message: 'must be even', severity: 'error' },
    ]);
  });
});

describe('composed rules', () => {
  it('an object: all problems at once, by pointers that name any property', () => {
    const rule = object({
      'a/b~c': text,
      n: optional(range({ min: 1 })),
      list: arrayOf(object({ id: type('integer') })),
    });
    judges(
      rule,
      [
        { 'a/b~c': '', list: [] },
        { 'a/b~c': '', list: [{ id: 1 }], n: undefined },
      ],
      [
        [
          { 'a/b~c': 1, n: 0, list: [{ id: 1 }, { id: '2', x: 1 }, 3], extra: 1 },
          '/a~1b~0c type',
          '/n range',
          '/list/1/id type',
          '/list/1/x additional',
          '/list/2 type',
          '/extra additional',
        ],
        [{}, '/a~1b~0c required', '/list required'],
        [[], ' type'],
      ],
    );
    judges(object({ a: text }, { additional: 'keep' }), [{ a: '', b: 1 }], []);
    judges(object({}, { additional: type('number') }), [{ b: 1 }], [[{ b: '' }, '/b type']]);
    judges(required('a'), [{ a: 0 }, 7], [[{}, '/a required']]);
  });

  it('properties called __proto__ and constructor are properties like others', () => {
    const rule = object({ ['__proto__']: type('number'), constructor: optional(text) });
    judges(
      rule,
      [JSON.parse('{"__proto__": 1}'), JSON.parse('{"__proto__": 1, "constructor": "x"}')],
      [
        [{}, '/__proto__ required'],
        [JSON.parse('{"__proto__": "x", "constructor": 1}'), '/__proto__ type', '/constructor type'],
      ],
    );
    judges(object({}), [{}], [[JSON.parse('{"__proto__": {"a": 1}}'), '/__proto__ additional']]);
    assert.equal((Object.prototype as { a?: unknown }).a, undefined);
  });

  it('nullable, allOf, anyOf, exactlyOne, when, warning', () => {
    judges(nullable(text), [null, 'a'], [[1, ' type']]);
    judges(
      allOf(text, length({ max: 1 }), noControl()),
      ['a'],
      [
        ['\n\n', ' length', ' noControl'],
        [1, ' type'],
      ],
    );
    judges(anyOf(text, object({ a: text, b: text })), ['a', { a: '', b: '' }], [[{ a: '' }, ' anyOf', ' type']]);
    judges(exactlyOne(range({ min: 0 }), range({ max: 9 })), [-1, 10], [[5, ' exactlyOne']]);
    const rule = when(object({ kind: oneOfValues(['a']) }, { additional: 'keep' }), required('x'), required('y'));
    judges(
      rule,
      [
        { kind: 'a', x: 1 },
        { kind: 'b', y: 1 },
      ],
      [
        [{ kind: 'a' }, '/x required'],
        [{}, '/y required'],
      ],
    );
    const told = runRules([warning(text)], 1);
    assert.deepEqual(
      [told.ok, told.problems.map(({ severity, code }) => `${severity} ${code}`)],
      [true, ['warning type']],
    );
  });

  it('oneOf asks the rule that the discriminator names, and no other', () => {
    const rule = oneOf('type', { text: object({ type: text, body: text }), stop: object({ type: text }) });
    judges(
      rule,
      [{ type: 'text', body: '' }, { type: 'stop' }],
      [
        [{ type: 'text' }, '/body required'],
        [{ type: 'stop', body: '' }, '/body additional'],
        [{ type: 'constructor' }, '/type enum'],
        [{}, '/type required'],
        [7, ' type'],
      ],
    );
  });

  it('a rule may contain itself', () => {
    interface Tree {
      readonly children?: readonly Tree[];
    }
    const tree = recursive<Tree>('tree', (self) => object({ children: optional(arrayOf(self)) }));
    judges(
      tree,
      [{}, { children: [{ children: [] }] }],
      [[{ children: [{ children: [7] }] }, '/children/0/children/0 type']],
    );
  });

  it('tells the type of what it accepts', () => {
    const rule = object({
      id: text,
      n: optional(type('integer')),
      tags: arrayOf(oneOfValues(['a', 'b'])),
      of: nullable(allOf(text, length({ max: 9 }))),
    });
    const value: Validated<typeof rule> = { id: 'x', tags: ['a'], of: null };
    const check: {
      readonly id: string;
      readonly n?: number;
      readonly tags: readonly ('a' | 'b')[];
      readonly of: string | null;
    } = value;
    assert.deepEqual(found(rule, check), []);
  });
});
