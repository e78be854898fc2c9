import assert from 'node:assert/strict';
import { DataError } from '../../../../../src/core/data/dataErrors';
import type { Collection } from '../../../../../src/core/data/dataStore';
import { MemoryDataStore } from '../../../../../src/core/data/memoryDataStore';
import { allOf, object, optional, text, warning } from '../../../../../src/core/data/validation/composeRules';
import { DataValidator } from '../../../../../src/core/data/validation/dataValidator';
import { containedRule, refusesNewOnly } from '../../../../../src/core/data/validation/outsideRule';
import { advances, custom, reference, uniqueIn } from '../../../../../src/core/data/validation/recordRules';
import { ValidatedStore, type WriteFinding } from '../../../../../src/core/data/validation/validatedStore';
import { length, type } from '../../../../../src/core/data/validation/valueRules';
import { ManualClock } from '../../../../support/manualClock';

interface Note {
  readonly name: string;
  readonly seq?: number;
  readonly about?: string;
}
const NOTES: Collection<Note> = { kind: 'note', indexes: ['name'], parse: (value) => value as Note };
const ODD: Collection<Note> = { kind: 'odd', indexes: [], parse: (value) => value as Note };
const rule = object({
  name: allOf(text, length({ min: 1 }), warning(length({ max: 5 })), uniqueIn('note', 'name')),
  seq: optional(type('integer')),
  about: optional(reference('note')),
});

async function refusal(work: Promise<unknown>): Promise<DataError> {
  const error: unknown = await work.then(() => assert.fail('it was kept'), (reason: unknown) => reason); // prettier-ignore
  assert.ok(DataError.is(error, 'data.invalid'), String(error));
  return error;
}

describe('a store whose writes are validated', () => {
  let findings: WriteFinding[];
  let memory: MemoryDataStore;
  let validator: DataValidator;
  let store: ValidatedStore;

  beforeEach(() => {
    findings = [];
    const clock = new ManualClock();
    memory = new MemoryDataStore({ clock, isRehearsing: true }); // each callback runs twice
    validator = new DataValidator(clock);
    validator.register('note', rule);
    validator.register('note', advances('/seq', 'increasing'));
    store = new ValidatedStore(memory, validator, {
      collections: [NOTES as unknown as Collection<never>],
      onFindings: (found) => findings.push(...found),
    });
  });

  const put = (id: string, value: unknown): Promise<void> => store.tx((tx) => tx.put(NOTES, id, value as Note));

  it('keeps what is valid, and says nothing', async () => {
    await put('a', { name: 'one', seq: 1 });
    assert.deepEqual((await store.get(NOTES, 'a'))?.value, { name: 'one', seq: 1 });
    assert.equal((await store.find(NOTES)).length, 1);
    assert.equal((await store.changes(0)).length, 1);
    assert.deepEqual(findings, []);
  });

  it('refuses what is not, with every problem, and writes nothing of its transaction', async () => {
    const work = store.tx((tx) => {
      tx.put(NOTES, 'a', { name: 'one' });
      tx.put(NOTES, 'b', { name: '', seq: 1.5, other: 1 } as Note);
    });
    const { problems } = await refusal(work);
    assert.deepEqual(
      problems.map(({ path, rule: by, code }) => `${path} ${by} ${code}`),
      ['/name length length', '/seq type type', '/other object additional'],
    );
    assert.deepEqual([await store.find(NOTES), memory.health.seq], [[], 0]);
    assert.deepEqual(
      findings.map(({ kind, id, isRefused }) => [kind, id, isRefused]),
      [['note', 'b', true]],
    );
  });

  it('tells a warning once, after the record is kept', async () => {
    await put('a', { name: 'a long name' });
    assert.deepEqual(
      findings.map(({ id, isRefused, problems }) => [id, isRefused, problems.map(({ severity }) => severity)]),
      [['a', false, ['warning']]],
    );
    assert.equal(memory.health.seq, 1);
  });

  it('does not keep a kind that has no rules', async () => {
    await refusal(store.tx((tx) => tx.put(ODD, 'a', { name: 'x' })));
    await refusal(store.putAll([{ kind: 'odd', id: 'a', json: '{}', expectedVersion: 0 }]));
    assert.equal(memory.health.seq, 0);
  });

  it('rules ask about the record before it and about others in the same transaction', async () => {
    await put('a', { name: 'one', seq: 5 });
    assert.equal((await refusal(put('a', { name: 'one', seq: 5 }))).problems[0]?.code, 'monotonic');
    assert.equal((await refusal(put('b', { name: 'one' }))).problems[0]?.rule, 'uniqueIn');
    assert.equal((await refusal(put('b', { name: 'two', about: 'c' }))).problems[0]?.rule, 'reference');
    await store.tx((tx) => {
      tx.put(NOTES, 'c', { name: 'three' });
      tx.put(NOTES, 'b', { name: 'two', about: 'c' });
    });
    assert.equal((await store.find(NOTES)).length, 3);
  });

  it('a read that fails is what it is, and no problem of the value', async () => {
    validator.register('note', reference('nowhere'));
    validator.register(
      'note',
      custom('asks', 'asks', () => true),
    );
    const asking = object({ name: reference('nowhere') }, { additional: 'keep' });
    validator.register('note', { ...asking, code: 'asking' });
    const error = await refusal(put('a', { name: 'one' }));
    assert.match(error.message, /cannot ask about records of the kind nowhere/);
    assert.deepEqual(error.problems, []);
  });

  it('many records at once: each is checked, and one that is wrong keeps all out', async () => {
    validator = new DataValidator(new ManualClock());
    validator.register('note', object({ name: text }));
    store = new ValidatedStore(memory, validator, { onFindings: (found) => findings.push(...found) });
    const of = (id: string, value: unknown) => ({ kind: 'note', id, json: JSON.stringify(value), expectedVersion: 0 });
    await refusal(store.putAll([of('a', { name: 'one' }), of('b', { name: 2 })]));
    assert.equal(memory.health.seq, 0);
    await store.putAll([of('a', { name: 'one' }), of('b', { name: 'two' })]);
    assert.equal(memory.health.seq, 2);
    const canceled = AbortSignal.abort(new Error('enough'));
    await assert.rejects(store.putAll([of('c', { name: 'x' })], { signal: canceled }), /enough/);
  });

  it('rules of others keep new records out, and leave what is kept changeable whatever they do', async () => {
    const clock = new ManualClock();
    let mood: 'refuse' | 'throw' = 'throw';
    const outside = {
      code: 'some.body/noNotes',
      description: 'no notes',
      validate: () => {
        if (mood === 'throw') throw new Error('boom');
        return [{ path: '', rule: '', code: 'no', message: 'no', severity: 'error' as const }];
      },
    };
    const registration = validator.register('note', refusesNewOnly(containedRule(outside, clock)));
    await put('a', { name: 'one', seq: 1 }); // it failed: that refuses nothing
    mood = 'refuse';
    await put('a', { name: 'one', seq: 2 });
    assert.deepEqual(
      findings.map(({ isRefused, problems }) => [
        isRefused,
        problems.map(({ code, severity }) => `${code} ${severity}`),
      ]),
      [
        [false, ['rule_failed warning']],
        [false, ['no warning']],
      ],
    );
    assert.equal((await refusal(put('b', { name: 'two' }))).problems[0]?.rule, 'some.body/noNotes');
    registration.dispose();
    await put('b', { name: 'two' });
  });
});
