import assert from 'node:assert/strict';
import fc from 'fast-check';
import { mayHoldSecret, isSecretName, redact, REDACTED } from '../../../../../src/shared/redact';
import type { DataTransformation, JsonObject } from '../../../../../src/core/data/processing/dataTransformation';
import { compileCondition, compileExpression } from '../../../../../src/core/data/processing/expression';
import { RecordRejection } from '../../../../../src/core/data/processing/processingErrors';
import { getAt, parsePath, withAt, withoutAt } from '../../../../../src/core/data/processing/recordPath';
import {
  coerce,
  defaults,
  filter,
  map,
  mapFields,
  normalise,
  project,
  rename,
  utcTime,
  validateStep,
} from '../../../../../src/core/data/processing/recordSteps';
import { redactStep } from '../../../../../src/core/data/processing/redactStep';
import { collect, jsonRecord, refusal } from './support';

const name = fc.stringMatching(/^[a-z]{1,3}$/);

describe('paths into records', () => {
  it('are dots or JSON pointers', () => {
    assert.deepEqual(parsePath('a.b'), ['a', 'b']);
    assert.deepEqual(parsePath('/a.b/c~1d/~0'), ['a.b', 'c/d', '~']);
    for (const bad of ['', '.', 'a..b', 'a.', '/~2', '__proto__', 'a.__proto__', '/__proto__/x', 'x'.repeat(1_001)])
      assert.equal(parsePath(bad), undefined, bad);
  });

  it('see own properties only and change copies only', () => {
    const record = Object.freeze({ a: Object.freeze({ b: 1, c: Object.freeze([1, 2]) }) });
    assert.equal(getAt(record, ['toString']), undefined);
    assert.equal(getAt(record, ['a', 'c', '1']), 2);
    assert.deepEqual(withAt(record, ['a', 'c', '1'], 9), { a: { b: 1, c: [1, 9] } });
    assert.deepEqual(withAt(record, ['x', 'y'], 9), { ...record, x: { y: 9 } });
    assert.equal(withAt(record, ['a', 'b', 'c'], 9), undefined);
    assert.equal(withAt(record, ['a', 'c', '7'], 9), undefined);
    assert.deepEqual(withoutAt(record, ['a', 'b']), { a: { c: [1, 2] } });
    assert.deepEqual(withoutAt(record, ['a', 'c', '0']), { a: { b: 1, c: [null, 2] } });
    assert.equal(withoutAt(record, ['a', 'z']), record);
  });

  it('give back what was put there', () =>
    fc.assert(
      fc.property(
        jsonRecord,
        fc.array(name, { minLength: 1, maxLength: 3 }),
        fc.jsonValue(),
        (record, parts, value) => {
          const before = JSON.stringify(record);
          const changed = withAt(record, parts, value);
          assert.equal(JSON.stringify(record), before);
          if (changed) assert.deepEqual(getAt(changed, parts), value);
        },
      ),
    ));
});

describe('transformations of records', () => {
  it('compose associatively', async () => {
    const step: fc.Arbitrary<DataTransformation<JsonObject, JsonObject>> = fc.oneof(
      fc.tuple(name, name).map(([from, to]) => rename([[from, to]])),
      fc.array(name, { minLength: 1 }).map((paths) => project(paths)),
      fc.tuple(name, fc.jsonValue()).map(([at, value]) => defaults([[at, value]])),
      name.map((at) => filter<JsonObject>({ op: 'exists', path: at })),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(jsonRecord), step, step, step, async (records, a, b, c) => {
        const left = a.pipe(b).pipe(c);
        const right = a.pipe(b.pipe(c));
        assert.equal(left.name, right.name);
        assert.deepEqual(await collect(left, records), await collect(right, records));
      }),
    );
  });

  it('keep a value when it is renamed and then projected', () =>
    fc.assert(
      fc.asyncProperty(jsonRecord, name, name, async (record, from, to) => {
        const [result] = await collect(rename([[from, to]]).pipe(project([to])), [record]);
        const value = getAt(record, [from]) ?? getAt(record, [to]);
        assert.deepEqual(result, from in record || to in record ? { [to]: from in record ? record[from] : value } : {});
      }),
    ));

  it('never change what they are given', () =>
    fc.assert(
      fc.asyncProperty(fc.array(jsonRecord), async (records) => {
        const before = JSON.stringify(records);
        const all = rename([['a', 'b.c']])
          .pipe(defaults([['d.e', 1]]))
          .pipe(normalise())
          .pipe(redactStep({ paths: ['*.b'] }));
        await collect(
          all,
          records.filter((record) => typeof record.b !== 'string'),
        ).catch(() => undefined);
        assert.equal(JSON.stringify(records), before);
      }),
    ));

  it('map through a function or through expressions', async () => {
    assert.deepEqual(
      await collect(
        map((n: number) => n * 2),
        [1, 2],
      ),
      [2, 4],
    );
    const fields = mapFields([
      ['id', { path: 'id' }],
      ['label', { op: 'concat', of: [{ op: 'upper', of: [{ path: 'name' }] }, { value: '#' }, { path: 'id' }] }],
      ['size', { op: 'if', when: { op: 'gt', path: 'id', value: 5 }, then: { value: 'large' } }],
      ['gone', { path: 'nothing' }],
    ]);
    assert.deepEqual(await collect(fields, [{ id: 7, name: 'ada' }]), [{ id: 7, label: 'ADA#7', size: 'large' }]);
    assert.equal(
      await refusal(mapFields([['x', { op: 'divide', of: [{ path: 'a' }, { value: 0 }] }]]), { a: 1 }),
      'map.notFinite',
    );
    assert.equal(await refusal(mapFields([['x', { op: 'add', of: [{ path: 'a' }] }]]), { a: 'x' }), 'map.notANumber');
    assert.equal(await refusal(mapFields([['x', { op: 'lower', of: [{ path: 'a' }] }]]), { a: {} }), 'map.notAText');
  });

  it('filter by conditions, type for type', () => {
    const holds = (condition: Parameters<typeof compileCondition>[0], record: unknown): boolean =>
      compileCondition(condition)(record);
    const record = { n: 3, t: 'abc', b: false, o: { x: null } };
    assert.equal(holds({ op: 'eq', path: 'n', value: 3 }, record), true);
    assert.equal(holds({ op: 'eq', path: 'n', value: '3' }, record), false);
    assert.equal(holds({ op: 'eq', path: 'o.x', value: null }, record), true);
    assert.equal(holds({ op: 'eq', path: 'o.y', value: null }, record), true);
    assert.equal(holds({ op: 'exists', path: 'o.x' }, record), false);
    assert.equal(holds({ op: 'lt', path: 't', value: 'b' }, record), true);
    assert.equal(holds({ op: 'lt', path: 't', value: 5 }, record), false);
    assert.equal(holds({ op: 'ge', path: 't', value: 5 }, record), false);
    assert.equal(holds({ op: 'in', path: 'b', values: [false, 1] }, record), true);
    assert.equal(holds({ op: 'contains', path: 't', value: 'bc' }, record), true);
    assert.equal(holds({ op: 'startsWith', path: 'n', value: '3' }, record), false);
    assert.equal(holds({ op: 'not', of: { op: 'or', of: [{ op: 'endsWith', path: 't', value: 'x' }] } }, record), true);
    assert.throws(() => compileCondition({ op: 'eval', path: 'x', value: '1' } as never), RangeError);
    assert.throws(() => compileExpression({ op: 'call', of: [] } as never), RangeError);
  });

  it('coerce without loss or refuse', async () => {
    const all = coerce([
      ['n', 'number'],
      ['i', 'integer'],
      ['b', 'boolean'],
      ['t', 'text'],
      ['at', 'time'],
    ]);
    assert.deepEqual(await collect(all, [{ n: ' 1.5e3 ', i: '-7', b: 0, t: 12, at: '2026-01-02T03:04:05+02:00' }]), [
      { n: 1500, i: -7, b: false, t: '12', at: '2026-01-02T01:04:05.000Z' },
    ]);
    assert.deepEqual(await collect(all, [{ n: null }]), [{ n: null }]);
    const bad: JsonObject[] = [
      { n: '' },
      { n: '0x10' },
      { n: 'Infinity' },
      { n: true },
      { i: 1.5 },
      { b: 'yes' },
      { t: {} },
      { at: 'today' },
    ];
    for (const record of bad) assert.equal(await refusal(all, record), 'coerce.impossible', JSON.stringify(record));
  });

  it('normalise texts and times', async () => {
    const record = { a: ' e\u0301 ', b: [{ c: '\tx\n' }], at: '2026-02-28t23:59:59.98765z', n: 5 };
    assert.deepEqual(await collect(normalise({ times: ['at'] }), [record]), [
      { a: '\u00e9', b: [{ c: 'x' }], at: '2026-02-28T23:59:59.987Z', n: 5 },
    ]);
    const clean = { a: 'x' };
    assert.equal((await collect(normalise(), [clean]))[0], clean);
    assert.equal(await refusal(normalise({ times: ['at'] }), { at: '2026-02-30T00:00:00Z' }), 'normalise.notATime');
  });

  it('know the times of RFC 3339 and no others', () => {
    const bad = [
      '2026-02-29T00:00:00Z',
      '2026-01-01',
      '2026-01-01T24:00:00Z',
      '2026-01-01T00:00:60Z',
      '2026-01-01T00:00:00',
      '2026-01-01T00:00:00+24:00',
      '26-01-01T00:00:00Z',
      'x',
    ];
    for (const text of [...bad, Number.NaN, Infinity, 1e20, null, {}])
      assert.equal(utcTime(text), undefined, String(text));
    assert.equal(utcTime(0), '1970-01-01T00:00:00.000Z');
    assert.equal(utcTime('0001-01-01T00:00:00Z'), '0001-01-01T00:00:00.000Z');
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date('9999-01-01'), noInvalidDate: true }), (date) =>
        assert.equal(utcTime(date.toISOString()), date.toISOString()),
      ),
    );
  });

  it('set defaults where nothing is', async () => {
    assert.deepEqual(await collect(defaults([['a.b', 1]]), [{}, { a: { b: null } }, { a: { b: 2 } }]), [
      { a: { b: 1 } },
      { a: { b: null } },
      { a: { b: 2 } },
    ]);
    assert.deepEqual(await collect(defaults([['a', 1]], { alsoNull: true }), [{ a: null }]), [{ a: 1 }]);
    assert.equal(await refusal(defaults([['a.b', 1]]), { a: 'text' }), 'default.blocked');
  });

  it('refuse what a validator finds wrong, with its code', async () => {
    const validator = {
      validate: (value: unknown) => {
        const problems =
          typeof value === 'number'
            ? []
            : [
                { path: '/x', code: 'type', message: 'a number' },
                { code: 'b', message: '' },
              ];
        return { ok: problems.length === 0, problems };
      },
    };
    assert.deepEqual(await collect(validateStep<unknown>(validator), [1]), [1]);
    await assert.rejects(collect(validateStep<unknown>(validator), ['x']), (error: unknown) => {
      assert.ok(error instanceof RecordRejection);
      assert.deepEqual([error.code, error.message], ['validate.type', '/x: a number (and 1 more)']);
      return true;
    });
  });

  it('refuse what is no record', async () => {
    for (const step of [
      rename([['a', 'b']]),
      project(['a']),
      defaults([['a', 1]]),
      coerce([['a', 'text']]),
      normalise(),
      redactStep(),
    ])
      for (const item of [null, 1, 'x', []])
        assert.equal(await refusal(step, item as unknown as JsonObject), `${step.name}.notARecord`);
  });
});

describe('S18 redaction of records', () => {
  /** Joined here so that no scanner takes this file for a leak. */
  const key = ['sk', '-CANARY1234567890'].join('');

  it('S18 takes secrets out of every text, by look and by name', async () => {
    const record = {
      a: `see ${key}`,
      b: [{ password: 'CANARY', tokens: 12, token: 'CANARY' }],
      GITHUB_TOKEN: 'CANARY',
      fine: 'text',
    };
    assert.deepEqual(await collect(redactStep(), [record]), [
      {
        a: `see ${REDACTED}`,
        b: [{ password: REDACTED, tokens: 12, token: REDACTED }],
        GITHUB_TOKEN: REDACTED,
        fine: 'text',
      },
    ]);
  });

  it('S18 finds every kind of secret, whatever is around it', () => {
    const join = (...parts: readonly string[]): string => parts.join('');
    const secrets: readonly string[] = [
      join('-----BEGIN ', 'PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----'),
      'AUTHORIZATION=CANARY',
      'Bearer\tCANARYCANARY',
      'x://:CANARY@',
      join('ey', 'JCANARY.CANARY'),
      join('s', 'k-CANARYCANARY'),
      join('gh', 'o_CANARYCANARYCANARY'),
      join('github', '_pat_CANARYCANARYCANARY'),
      join('AS', 'IACANARYCANARY1234'),
      'awsSessionToken : CANARYCANARYCANARY',
      join('xo', 'xp-CANARYCANARY'),
      join('AI', `za${'CANARY'.repeat(6)}`),
      join('np', `m_${'CANARY'.repeat(6)}`),
      join('glp', 'at-CANARYCANARYCANARY'),
      join('core', '_user_CANARYCANARYCANARY'),
      ...['api-key', 'APIKEY', 'access_token', 'Client-Secret', 'passwd', 'pwd', 'password', 'token'].map(
        (name) => `${name}"= CANARY`,
      ),
    ];
    const around = fc.string({ unit: fc.constantFrom('a', 'r', ' ', '\n', 'I', 'A', 'é', '.') });
    fc.assert(
      fc.property(fc.constantFrom(...secrets), around, around, (secret, before, after) => {
        const text = redact(`${before} ${secret} ${after}`);
        assert.equal(text.includes('CANARY'), false, text);
        const json = JSON.stringify({ text: `${before} ${secret} ${after}` });
        assert.ok(mayHoldSecret(json), 'what is kept is read before it is written without secrets');
      }),
      { numRuns: 500 },
    );
    const named = ['password', 'API-Key', 'access_token', 'PRIVATE_KEY', 'Authorization', 'pwd', 'clientSecret'];
    for (const name of named) assert.ok(isSecretName(name) && mayHoldSecret(JSON.stringify({ [name]: 'x' })), name);
    assert.equal(mayHoldSecret('{"text":"a plain text: with = and _ and - in it"}'), false);
  });

  it('takes out by path, with * for every name', async () => {
    const step = redactStep({ paths: ['env.*', '/list/*/x', 'gone.a'], secrets: [] });
    assert.deepEqual(await collect(step, [{ env: { A: 1, B: { c: 2 } }, list: [{ x: 1, y: 2 }, 5], k: key }]), [
      { env: { A: REDACTED, B: REDACTED }, list: [{ x: REDACTED, y: 2 }, 5], k: key },
    ]);
  });

  it('takes out the kinds asked for alone', async () => {
    const step = redactStep({ secrets: ['providerKey'] });
    assert.deepEqual(await collect(step, [{ a: key, password: 'CANARY' }]), [{ a: REDACTED, password: 'CANARY' }]);
  });

  it('passes a record without secrets on as it is', () =>
    fc.assert(
      fc.asyncProperty(jsonRecord, async (record) => {
        fc.pre(!JSON.stringify(record).includes('pwd'));
        assert.equal((await collect(redactStep(), [record]))[0], record);
      }),
    ));
});
