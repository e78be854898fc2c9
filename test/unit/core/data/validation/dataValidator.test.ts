import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DataError } from '../../../../../src/core/data/dataErrors';
import type { Collection } from '../../../../../src/core/data/dataStore';
import { validateStep } from '../../../../../src/core/data/processing/recordSteps';
import { DataValidator, parserFor } from '../../../../../src/core/data/validation/dataValidator';
import {
  allOf,
  anyOf,
  anything,
  arrayOf,
  exactlyOne,
  named,
  object,
  optional,
  recursive,
  text,
  warning,
  when,
} from '../../../../../src/core/data/validation/composeRules';
import {
  checksum,
  compareFields,
  custom,
  monotonic,
  transition,
  unique,
} from '../../../../../src/core/data/validation/recordRules';
import {
  noControl,
  length,
  oneOfValues,
  pattern,
  range,
  size,
  type,
} from '../../../../../src/core/data/validation/valueRules';
import type { ValidationRule } from '../../../../../src/core/data/validation/validationRule';
import { runRules } from '../../../../../src/core/data/validation/validationRun';
import { ManualClock } from '../../../../support/manualClock';

const codes = (rule: ValidationRule, value: unknown): readonly string[] =>
  runRules([rule], value).problems.map(({ path, code }) => `${path} ${code}`);

function rulesThatLookAtEverything(): readonly ValidationRule[] {
  const tree = recursive('tree', (self) =>
    anyOf(type('string', 'number', 'boolean', 'null'), arrayOf(self), object({}, { additional: self })),
  );
  const part = allOf(
    noControl(),
    length({ max: 5 }),
    pattern('^(a|b)*$'),
    range({ min: 0 }),
    oneOfValues(['a', { b: 1 }]),
  );
  return [
    tree,
    allOf(unique(), unique('/a'), monotonic(), monotonic({ by: '/a' }), size({}), checksum('a')),
    compareFields({ left: '/a', is: '<', right: '/b' }),
    transition({ to: '/a', table: { a: [] } }),
    object({ a: part, b: optional(arrayOf(part)) }, { additional: part }),
    arrayOf(part),
  ];
}

describe('DataValidator', () => {
  const aValidator = (): { readonly validator: DataValidator; readonly clock: ManualClock } => {
    const clock = new ManualClock();
    return { validator: new DataValidator(clock), clock };
  };
  const named1 = named('message.shape', 'a message', object({ id: text, n: optional(type('integer')) }));

  it('asks all rules of a kind, and none of another', () => {
    const { validator } = aValidator();
    validator.register('message', named1);
    validator.register(
      'message',
      custom('message.short', 'must be short', (value) => Object.keys(value as object).length < 2),
    );
    const { ok, problems } = validator.validate('message', { id: 1, n: '' });
    assert.deepEqual(
      [ok, problems.map(({ path, code }) => `${path} ${code}`)],
      [false, ['/id type', '/n type', ' message.short']],
    );
    assert.deepEqual(validator.validate('other', 1), { ok: true, problems: [] });
  });

  it('refuses a second rule with one code until the first is gone', () => {
    const { validator } = aValidator();
    const first = validator.register('message', named1);
    assert.throws(
      () => validator.register('message', named1),
      (error) => DataError.is(error, 'data.invalid'),
    );
    validator.register('other', named1);
    first.dispose();
    first.dispose();
    assert.deepEqual(validator.rules('message'), []);
    validator.register('message', named1);
    assert.deepEqual(
      validator.rules('message').map(({ code }) => code),
      ['message.shape'],
    );
    assert.throws(
      () => validator.register('a b', named1),
      (error) => DataError.is(error, 'data.invalid'),
    );
    assert.throws(
      () => validator.register('a', { ...named1, code: '' }),
      (error) => DataError.is(error, 'data.invalid'),
    );
  });

  it('requireValid throws all problems, and no text of the value', () => {
    const { validator } = aValidator();
    validator.register('message', named1);
    validator.register('message', warning(named('told', 'told', object({}))));
    validator.requireValid('message', { id: 'x' });
    const secret = 'sk-secret-secret-secret';
    assert.throws(
      () => validator.requireValid('message', { id: [secret], n: secret }),
      (error) => {
        assert.ok(DataError.is(error, 'data.invalid'));
        assert.equal(error.message, 'data.invalid: message is not valid at /id: must be a text (and 1 more)');
        assert.deepEqual(
          error.problems.map(({ path, severity }) => `${path} ${severity}`),
          ['/id error', '/n error', '/id warning', '/n warning'],
        );
        assert.ok(!JSON.stringify(error.problems).includes(secret));
        return true;
      },
    );
  });

  it('parserFor makes a check of a collection; validateStep takes a kind', async () => {
    const MESSAGES: Collection<{ readonly id: string }> = {
      kind: 'message',
      indexes: ['id'],
      parse: parserFor('message', object({ id: text })),
    };
    const value = { id: 'x' };
    assert.equal(MESSAGES.parse(value), value);
    assert.throws(
      () => MESSAGES.parse({}),
      (error) => DataError.is(error, 'data.invalid') && error.problems[0]?.path === '/id',
    );
    const { validator } = aValidator();
    validator.register('message', named1);
    const passed: unknown[] = [];
    for await (const one of validateStep(validator.of('message')).stream([value])) passed.push(one);
    assert.deepEqual(passed, [value]);
  });

  it('stops at the bound on problems and says so', () => {
    const { ok, problems } = runRules([arrayOf(text)], Array(5_000).fill(1));
    assert.deepEqual([ok, problems.length, problems.at(-1)?.code], [false, 1_001, 'stopped']);
    assert.equal(runRules([arrayOf(text)], Array(1_000).fill(1)).problems.at(-1)?.code, 'type');
    assert.equal(runRules([arrayOf(text)], [1, 2, 3], {}, { maxProblems: 2 }).problems.length, 3);
  });
});

describe('rules of others', () => {
  const outside = (
    validate: (value: unknown) => unknown,
    severity: 'error' | 'warning' = 'error',
  ): { readonly validator: DataValidator; readonly clock: ManualClock } => {
    const clock = new ManualClock();
    const validator = new DataValidator(clock);
    const rule = {
      code: 'theirs',
      description: 'theirs',
      severity,
      validate: (value: unknown) => validate(value) as never,
    };
    validator.register('message', rule, { origin: 'outside' });
    return { validator, clock };
  };
  const told = (validator: DataValidator, value: unknown = { a: 1 }): readonly string[] =>
    validator.validate('message', value).problems.map(({ code, severity }) => `${severity} ${code}`);

  for (const [what, validate] of [
    [
      'throws',
      () => {
        throw new Error('sk-secret');
      },
    ],
    [
      'throws something strange',
      () => {
        throw Object.defineProperty(new Error(), 'message', {
          get: () => {
            throw new Error('again');
          },
        });
      },
    ],
    ['answers with a promise', () => Promise.reject(new Error('late'))],
    ['answers with nothing', () => undefined],
    ['answers with no problems', () => [null]],
    [
      'never ends calling itself',
      function again(): unknown {
        return again();
      },
    ],
  ] as const)
    it(`one that ${what} is the problem rule_failed`, () => {
      const { validator } = outside(validate);
      assert.deepEqual(told(validator), ['error rule_failed']);
      assert.ok(!JSON.stringify(validator.validate('message', {})).includes('secret'));
    });

  it('its texts are cleaned, its code is its own, and a warning refuses nothing', () => {
    const { validator } = outside(() => [
      { path: 'no pointer', rule: 'id', code: 'a b', message: `x\u202e${'y'.repeat(500)}`, severity: 'fatal' },
    ]);
    const [first] = validator.validate('message', 1).problems;
    assert.deepEqual(
      [first?.path, first?.rule, first?.code, first?.severity, first?.message.slice(0, 3), first?.message.length],
      ['', 'theirs', 'theirs', 'error', 'x\ufffdy', 200],
    );
    const mild = outside(() => [{ path: '/a', code: 'mild', message: 'm', severity: 'error' }], 'warning');
    assert.equal(mild.validator.validate('message', 1).ok, true);
  });

  it('it cannot change the value', () => {
    const value = { a: { b: 1 } };
    const { validator } = outside((given) => {
      (given as { a: { b: number } }).a.b = 2;
      return [];
    });
    assert.deepEqual([told(validator, value), value], [[], { a: { b: 1 } }]);
  });

  it('a slow one is told of, and left out after three slow runs', () => {
    let runs = 0;
    const clock = new (class extends ManualClock {
      spentMs = 0;
      override monotonicMs = (): number => this.spentMs;
    })();
    const validator = new DataValidator(clock);
    const rule: ValidationRule = {
      code: 'theirs',
      description: '',
      validate: () => {
        runs++;
        clock.spentMs += 60;
        return [];
      },
    };
    validator.register('message', rule, { origin: 'outside' });
    assert.deepEqual(
      [1, 2, 3, 4, 5].map(() => told(validator).join()),
      [...Array<string>(3).fill('warning rule_slow'), ...Array<string>(2).fill('warning rule_suspended')],
    );
    assert.equal(runs, 3);
  });
});

describe('hostile values', () => {
  const cycle: Record<string, unknown> = { a: 1 };
  cycle.b = [cycle];
  cycle.c = cycle;
  let deepList: unknown = [];
  let deepObject: unknown = {};
  let shared: unknown = ['x'];
  for (let i = 0; i < 100_000; i++) [deepList, deepObject] = [[deepList], { a: deepObject }];
  for (let i = 0; i < 60; i++) shared = [shared, shared];
  const thrower = Object.defineProperty({ b: 1 }, 'a', {
    enumerable: true,
    get: () => {
      throw new Error('getter');
    },
  });
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const hostile: readonly (readonly [what: string, value: unknown])[] = [
    ['a cycle', cycle],
    ['a list of 100 000 levels', deepList],
    ['an object of 100 000 levels', deepObject],
    ['shared parts, 2^60 when written out', shared],
    ['a getter that throws', thrower],
    ['a revoked proxy', revoked.proxy],
    ['a list of 4 · 10⁹ holes', new Array(2 ** 32 - 1)],
    ['a list of a million', Array(1_000_000).fill('a')],
    ['a text of 4 MiB', 'a'.repeat(4 * 1024 * 1024)],
    ['halves of surrogate pairs', ['\ud800', '\udc00', { '\ud800': '\udfff' }]],
    ['numbers that are none', [NaN, Infinity, -0, 1n]],
    ['functions, symbols and dates', { a: () => 1, b: Symbol('x'), c: new Date(NaN) }],
    ['names of a megabyte', { ['x'.repeat(1_000_000)]: 1, ['y~/'.repeat(300_000)]: 1 }],
  ];
  for (const [what, value] of hostile)
    it(`${what}: an answer of bounded size`, () => {
      for (const rule of rulesThatLookAtEverything()) {
        const { problems } = runRules([rule], value);
        assert.ok(
          problems.length <= 1_002 &&
            problems.every(({ path, message }) => path.length < 200 * 600 && message.length < 600),
        );
      }
    });

  it('what cannot be read is said to be so, at its place, beside everything else', () => {
    assert.deepEqual(codes(object({ a: text, b: text }), thrower), ['/a unreadable', '/b type']);
    assert.deepEqual(codes(object({ a: optional(text), b: type('number') }), thrower), ['/a unreadable']);
  });

  it('a value that is too deep or too much to check is refused', () => {
    const tree = recursive('tree', (self) => anyOf(text, arrayOf(self)));
    const { problems } = runRules([tree], deepList, {}, { maxProblems: 10_000 });
    assert.ok(problems.some(({ code }) => code === 'too_deep'));
    assert.equal(runRules([arrayOf(anything)], new Array(2 ** 32 - 1)).ok, false);
  });

  it('a condition that fails is no condition that does not hold', () => {
    const failing = custom('failing', 'fails', () => {
      throw new Error('always');
    });
    assert.deepEqual(codes(when(failing, anything), 1), [' rule_failed']);
    assert.deepEqual(codes(exactlyOne(failing, anything), 1), [' rule_failed']);
    assert.deepEqual(codes(anyOf(failing, anything), 1), []);
  });

  it('no value makes a validation throw, and it is the same twice', () => {
    fc.assert(
      fc.property(
        fc.anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withSparseArray: true,
          withNullPrototype: true,
        }),
        (value) => {
          for (const rule of rulesThatLookAtEverything())
            assert.deepEqual(runRules([rule], value), runRules([rule], value));
        },
      ),
      { numRuns: 300 },
    );
  });
});
