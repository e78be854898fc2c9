import assert from 'node:assert/strict';
import type { Clock } from '../../../../../src/core/base/clock';
import { DataError } from '../../../../../src/core/data/dataErrors';
import { MemoryDataStore } from '../../../../../src/core/data/memoryDataStore';
import { DataProcessor } from '../../../../../src/core/data/processing/dataProcessor';
import type { JsonObject } from '../../../../../src/core/data/processing/dataTransformation';
import type { DeadLetter } from '../../../../../src/core/data/processing/deadLetter';
import {
  KEPT_DEAD_LETTERS,
  listDeadLetters,
  NewestDeadLetters,
  replaceDeadLetters,
} from '../../../../../src/core/data/processing/deadLetterStore';
import { type OutsideTransformation, outsideKind } from '../../../../../src/core/data/processing/outsideStep';
import { ProcessingError } from '../../../../../src/core/data/processing/processingErrors';
import { TransformationRegistry } from '../../../../../src/core/data/processing/transformationRegistry';
import { OutsideData } from '../../../../../src/core/outsideData';
import { createKeptValidator } from '../../../../../src/core/keptRules';
import { aRecord, aSpec, aType, CountingIds } from '../../../../support/builders';
import { ManualClock } from '../../../../support/manualClock';

const NAME = 'some.body/change';

describe('steps of others', () => {
  let clock: ManualClock;
  let letters: DeadLetter[];

  beforeEach(() => {
    clock = new ManualClock();
    letters = [];
  });

  async function run(
    apply: OutsideTransformation['apply'],
    source: readonly JsonObject[],
    parameters?: unknown,
    itsClock: Clock = clock,
  ): Promise<readonly unknown[]> {
    const registry = new TransformationRegistry();
    registry.register(outsideKind({ name: NAME, description: 'changes', apply }, itsClock));
    const step = { use: NAME, ...(parameters === undefined ? {} : { with: { parameters } }) };
    const written: unknown[] = [];
    await new DataProcessor({ clock, breathe: async () => undefined }).run({
      source,
      transformation: registry.compile({ name: 'p', version: 1, steps: [step] }),
      sink: { write: (items) => void written.push(...items) },
      deadLetters: (found) => void letters.push(...found),
    });
    return written;
  }

  it('make one, several or no records of one, with parameters', async () => {
    const apply: OutsideTransformation['apply'] = (record, times) =>
      record.n === 0 ? undefined : Array.from({ length: Number(times) }, (_, i) => ({ ...record, i }));
    assert.deepEqual(await run(apply, [{ n: 0 }, { n: 1 }], 2), [{ n: 1, i: 0 }, { n: 1, i: 1 }]); // prettier-ignore
    assert.deepEqual(await run((record) => record, [{ n: 1 }]), [{ n: 1 }]);
  });

  it('cannot change what others hold', async () => {
    const [given, kept] = [{ deep: { n: 1 } }, { n: 1 }];
    const written = await run(
      (record) => {
        (record.deep as { n: number }).n = 2;
        return kept;
      },
      [given],
    );
    kept.n = 3;
    assert.deepEqual([given, written], [{ deep: { n: 1 } }, [{ n: 1 }]]);
  });

  const wrong: readonly (readonly [code: string, apply: () => unknown])[] = [
    ['failed', () => { throw new Error('with a secret'); }],
    ['notRecords', () => 7],
    ['notRecords', () => Promise.reject(new Error('later'))],
    ['notRecords', () => ({ date: new Date() })],
    ['notRecords', () => Object.defineProperty({}, 'x', { enumerable: true, get: () => { throw new Error('no'); } })],
    ['tooLarge', () => ({ text: 'x'.repeat(1024 * 1024 + 1) })],
    ['tooLarge', () => Array(1_001).fill({})],
  ]; // prettier-ignore
  for (const [code, make] of wrong)
    it(`refuse one record, and the run goes on: ${code}, ${make.toString().slice(6, 40)}`, async () => {
      const apply = (record: JsonObject): JsonObject => (record.n === 1 ? (make() as JsonObject) : record);
      assert.deepEqual(await run(apply, [{ n: 1 }, { n: 2 }]), [{ n: 2 }]);
      assert.deepEqual(letters.map((letter) => letter.code), [`${NAME}.${code}`]); // prettier-ignore
      assert.equal(letters[0]?.message.includes('secret'), false);
    });

  it('are left out for the rest of a run when they are too slow', async () => {
    let [calls, nowMs] = [0, 0];
    const slowly: Clock = { nowMs: () => 0, monotonicMs: () => nowMs, setTimer: (...args) => clock.setTimer(...args) };
    const apply = (record: JsonObject): JsonObject => ((nowMs += ++calls === 2 ? 1 : 60), record);
    const source = Array.from({ length: 10 }, (_, n) => ({ n }));
    const written = await run(apply, source, undefined, slowly);
    assert.deepEqual([calls, written.length, letters.length], [5, 5, 5]); // three in a row
    assert.equal(letters[0]?.code, `${NAME}.suspended`);
  });

  it('have names of their own, once each, until they are taken back', () => {
    const data = new OutsideData(clock);
    const given = { name: NAME, description: 'x', apply: (record: JsonObject) => record };
    const registration = data.registerTransformation(given);
    assert.throws(() => data.registerTransformation(given), (error) => ProcessingError.is(error, 'processing.duplicateStep')); // prettier-ignore
    registration.dispose();
    data.registerTransformation(given).dispose();
    for (const name of ['change', 'some.body/', 'some.body/a b', 'somebody/change'])
      assert.throws(() => data.registerTransformation({ ...given, name }), (error) => DataError.is(error, 'data.invalid'), name); // prettier-ignore
  });
});

describe('rules of others', () => {
  const rule = {
    name: 'some.body/noRed',
    kind: 'agent',
    description: 'no red teams',
    validate: (value: unknown) => {
      seen.push(value);
      return (value as { spec: { team?: string } }).spec.team === 'red' ? [{ message: 'no red teams' }] : [];
    },
  } as const;
  let seen: unknown[] = [];
  beforeEach(() => (seen = []));

  it('may be said as JSON Schema, and go out as one with what the product asks for', () => {
    const clock = new ManualClock();
    const data = new OutsideData(clock);
    const validator = createKeptValidator(clock);
    data.supply(validator);
    const schema = {
      type: 'object',
      properties: { spec: { type: 'object', properties: { team: { enum: ['blue', 'green'] } }, required: ['team'] } },
    };
    const { validate: _code, ...said } = rule;
    data.registerRule({ ...said, schema });
    const judge = (team: string): readonly string[] => {
      const agent = aRecord({ spec: aSpec({ team }) });
      const { problems } = validator.validate('agent', agent, { recordId: agent.id, previous: undefined });
      return problems.map(({ path }) => path);
    };
    assert.deepEqual([judge('blue'), judge('red')], [[], ['/spec/team']]);
    const exported = data.schema('agent');
    assert.equal(exported['$schema'], 'https://json-schema.org/draft/2020-12/schema');
    assert.ok(JSON.stringify(exported).includes('"enum":["blue","green"]'));
    data.registerRule({ ...rule, name: 'some.body/inCode' });
    assert.ok(JSON.stringify(data.schema('agent')).includes('"x-core-rule":"some.body/inCode"'));
    const wrong = [
      { ...said, name: 'some.body/a', schema: { type: 'object', unheardOf: 1 } },
      { ...rule, name: 'some.body/b', schema },
      { ...said, name: 'some.body/c' },
    ];
    for (const one of wrong)
      assert.throws(() => data.registerRule(one as unknown as typeof rule), (error) => DataError.is(error, 'data.invalid'), one.name); // prettier-ignore
    assert.throws(() => data.schema('approval' as 'agent'), (error) => DataError.is(error, 'data.invalid')); // prettier-ignore
  });

  it('reach every session of an owner, now and later, until they are taken back', () => {
    const clock = new ManualClock();
    const data = new OutsideData(clock);
    const [early, late] = [createKeptValidator(clock), createKeptValidator(clock)];
    data.supply(early);
    const registration = data.registerRule(rule);
    const supplied = data.supply(late);
    const red = aRecord({ spec: aSpec({ team: 'red', env: { KEY: 'secret' } }) });
    for (const validator of [early, late])
      assert.deepEqual(validator.validate('agent', red).problems.map(({ rule: by, message }) => `${by} ${message}`), ['some.body/noRed no red teams']); // prettier-ignore
    assert.equal(JSON.stringify(seen).includes('secret'), false, 'values of the environment do not go out');
    data.registerRule({
      ...rule,
      name: 'some.body/types',
      kind: 'fleetType',
      validate: (value) => (seen.push(value), []),
    });
    const type = aType({ env: { KEY: 'secret' }, inject: { args: ['kept'], env: { KEY: { json: 'secret' } } } });
    early.validate('fleetType', type);
    assert.match(JSON.stringify(seen), /"args":\["kept"\]/);
    assert.equal(JSON.stringify(seen).includes('secret'), false, 'nor those that a type adds');
    supplied.dispose();
    assert.equal(late.validate('agent', red).ok, true);
    registration.dispose();
    assert.equal(early.validate('agent', red).ok, true);
    data.registerRule(rule).dispose();
  });

  it('are refused when they are none', () => {
    const data = new OutsideData(new ManualClock());
    data.registerRule(rule);
    const wrong = [rule, { ...rule, name: 'noRed' }, { ...rule, name: 'a.b/c', kind: 'agentChange' }, { ...rule, name: 'a.b/c', validate: 1 }, { ...rule, name: 'a.b/c', description: '' }, { ...rule, name: 'a.b/c', severity: 'fatal' }]; // prettier-ignore
    for (const one of wrong)
      assert.throws(() => data.registerRule(one as unknown as typeof rule), (error) => DataError.is(error, 'data.invalid')); // prettier-ignore
  });
});

describe('kept dead letters', () => {
  const letter = (n: number): DeadLetter => ({ excerpt: `{"n":${n}}`, step: 'coerce', stepIndex: 0, code: 'coerce.x', message: 'm' }); // prettier-ignore

  it('are kept by the name of the run, of the last run only, and listed newest first', async () => {
    const clock = new ManualClock();
    const store = new MemoryDataStore({ clock });
    const ports = { store, ids: new CountingIds(), nowMs: () => clock.nowMs() };
    const kept = async (run?: string): Promise<readonly string[]> =>
      (await listDeadLetters(store, run === undefined ? {} : { run })).map(({ excerpt }) => excerpt);
    await replaceDeadLetters(ports, 'p', [letter(1), letter(2)]);
    await replaceDeadLetters(ports, 'q', [letter(3)]);
    assert.deepEqual(await kept('p'), ['{"n":2}', '{"n":1}']);
    assert.deepEqual((await listDeadLetters(store, { limit: 1 })).map(({ run }) => run), ['q']); // prettier-ignore
    await replaceDeadLetters(ports, 'p', [letter(4)]);
    assert.deepEqual(await kept(), ['{"n":4}', '{"n":3}']);
    await replaceDeadLetters(ports, 'p', []);
    assert.deepEqual(await kept(), ['{"n":3}']);
  });

  it('are the newest of those that a run has refused', () => {
    const newest = new NewestDeadLetters();
    void newest.take([letter(1), letter(2)]);
    void newest.take(Array.from({ length: KEPT_DEAD_LETTERS - 1 }, (_, n) => letter(3 + n)));
    assert.equal(newest.letters.length, KEPT_DEAD_LETTERS);
    assert.equal(newest.letters[0]?.excerpt, '{"n":2}');
  });
});
