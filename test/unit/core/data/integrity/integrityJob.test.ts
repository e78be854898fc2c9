import assert from 'node:assert/strict';
import { DataError } from '../../../../../src/core/data/dataErrors';
import type { Collection, DataStore } from '../../../../../src/core/data/dataStore';
import { applyIntegrityFix } from '../../../../../src/core/data/integrity/integrityFix';
import { type IntegrityPorts, runIntegrityJob } from '../../../../../src/core/data/integrity/integrityJob';
import type { IntegrityModel, TerminalFact } from '../../../../../src/core/data/integrity/integrityModel';
import type { IntegrityProgress, IntegrityReport } from '../../../../../src/core/data/integrity/integrityReport';
import { MemoryDataStore } from '../../../../../src/core/data/memoryDataStore';
import { object, optional, text } from '../../../../../src/core/data/validation/composeRules';
import { DataValidator } from '../../../../../src/core/data/validation/dataValidator';
import { type } from '../../../../../src/core/data/validation/valueRules';
import { ManualClock } from '../../../../support/manualClock';

type Value = Readonly<Record<string, unknown>>;
const collection = (kind: string): Collection<Value> => ({ kind, indexes: [], parse: (value) => value as Value });
const [OWNERS, LINES] = [collection('owner'), collection('line')];
const all = [LINES, OWNERS] as unknown as readonly Collection<never>[];

const model: IntegrityModel = {
  references: [
    {
      kind: 'line', at: '/owner', to: 'owner', severity: 'warning', message: 'nobody owns it', removeLabel: 'Remove it',
      isGone: (value) => (value as Value).state === 'gone',
      notAhead: { at: '/run', of: '/run', words: 'run' },
    },
  ], // prettier-ignore
  sequences: [
    {
      kind: 'line', groupBy: '/owner', severity: 'warning', advice: 'leave it',
      check: (before, after) =>
        Number((after as Value).nr) === Number((before as Value).nr) + 1 ? undefined : { code: 'sequence.gap', message: 'a line is missing' },
    },
  ], // prettier-ignore
  distinct: [{ kind: 'owner', keyOf: (value) => String((value as Value).name), message: 'the same name', advice: 'rename' }],
  runs: {
    kind: 'owner',
    read: (value) => {
      const { id, run, state } = value as { id: string; run: number; state: string };
      return { id, generation: run, expects: state === 'up' ? 'alive' : state === 'down' ? 'none' : 'open' };
    },
  },
  fixOf: (kind, id, version) => ({ kind: 'deleteRecord', label: 'Remove', recordKind: kind, id, ...(version !== undefined && { version }) }),
}; // prettier-ignore

const owner = (id: string, state = 'down', more: Value = {}): Value => ({ id, name: id, run: 1, state, ...more });
const line = (of: string, nr: number, more: Value = {}): Value => ({ owner: of, nr, run: 1, ...more });
const up = (id: string, generation = 1, liveness: TerminalFact['liveness'] = 'alive'): TerminalFact => ({
  id,
  generation,
  liveness,
});

describe('the check of what is kept', () => {
  let store: MemoryDataStore;
  let validator: DataValidator;
  let terminals: readonly TerminalFact[];

  beforeEach(async () => {
    const clock = new ManualClock();
    store = new MemoryDataStore({ clock });
    validator = new DataValidator(clock);
    validator.register(
      'line',
      object({ owner: text, nr: type('integer'), run: type('integer'), note: optional(text) }),
    );
    terminals = [];
    await put(OWNERS, 'a', owner('a'));
    for (const nr of [1, 2, 3]) await put(LINES, `l${nr}`, line('a', nr));
  });

  const put = (where: Collection<Value>, id: string, value: Value): Promise<void> =>
    store.tx((tx) => tx.put(where, id, value));
  const ports = (changes: Partial<IntegrityPorts> = {}): IntegrityPorts => ({
    store, collections: all, validator, model, terminals: async () => terminals, breathe: async () => undefined, ...changes,
  }); // prettier-ignore
  /** To be replaced one by one. */
  const parts = (): IntegrityPorts['store'] => ({
    find: store.find.bind(store),
    get: store.get.bind(store),
    changes: store.changes.bind(store),
    snapshot: store.snapshot.bind(store),
    health: store.health,
  });
  const told = ({ findings }: IntegrityReport): readonly string[] =>
    findings.map(({ code, severity, kind, id, path }) => [code, severity, kind, id, path].filter(Boolean).join(' '));
  const check = async (changes?: Partial<IntegrityPorts>): Promise<readonly string[]> =>
    told(await runIntegrityJob(ports(changes)));

  it('finds nothing where nothing is wrong, and counts what it looked at', async () => {
    terminals = [up('b')];
    await put(OWNERS, 'b', owner('b', 'up'));
    const phases: IntegrityProgress[] = [];
    const report = await runIntegrityJob(ports(), { onProgress: (progress) => phases.push(progress) });
    assert.deepEqual(report, {
      ...{ isWhole: true, findings: [], isCut: false, records: 5, changes: 5, sessions: 1, settled: 0 },
    });
    assert.deepEqual([...new Set(phases.map(({ phase }) => phase))], ['file', 'journal', 'records', 'terminals']);
  });

  it('ends with its signal while tmux does not answer', async () => {
    const controller = new AbortController();
    const hangs = (): Promise<never> => {
      setImmediate(() => controller.abort(new Error('enough')));
      return new Promise(() => undefined);
    };
    await assert.rejects(runIntegrityJob(ports({ terminals: hangs }), { signal: controller.signal }), /enough/);
  });

  const wrong: readonly (readonly [title: string, make: () => Promise<void>, ...told: string[]])[] = [
    ['a rule that does not hold', () => put(LINES, 'l3', line('a', 3, { note: 7 })), 'record.invalid error line l3 /note'],
    ['a reference to nothing', () => put(LINES, 'm', line('x', 1)), 'reference.missing warning line m /owner'],
    [
      'what should have gone with its owner',
      async () => (await put(OWNERS, 'g', owner('g', 'gone')), put(LINES, 'm', line('g', 1))),
      'record.orphan warning line m /owner',
    ],
    ['a number that was never given out', () => put(LINES, 'l4', line('a', 4, { run: 2 })), 'sequence.ahead error line l4 /owner'],
    ['a gap in a sequence', () => put(LINES, 'l5', line('a', 5)), 'sequence.gap warning line l5'],
    ['one name twice', () => put(OWNERS, 'b', owner('b', 'down', { name: 'a' })), 'record.duplicate warning owner b'],
    ['a session that is gone', () => put(OWNERS, 'b', owner('b', 'up')), 'terminal.gone error owner b'],
    [
      'a process that has ended',
      async () => ((terminals = [up('b', 1, 'dead')]), put(OWNERS, 'b', owner('b', 'up'))),
      'terminal.dead error owner b',
    ],
    [
      'another generation',
      async () => ((terminals = [up('b', 4)]), put(OWNERS, 'b', owner('b', 'up'))),
      'terminal.generation error owner b',
    ],
    ['what runs and should not', async () => void (terminals = [up('a')]), 'terminal.unexpected error owner a'],
    ['a session without a record', async () => void (terminals = [up('z')]), 'terminal.unrecorded error owner z'],
    [
      'nothing of what is being started, or cannot be told',
      async () => ((terminals = [up('b', 1, 'unknown'), up('y', 1, 'dead')]), await put(OWNERS, 'b', owner('b', 'up')), put(OWNERS, 'c', owner('c', 'starting'))),
    ],
  ]; // prettier-ignore
  for (const [title, make, ...expected] of wrong)
    it(`finds ${title}`, async () => {
      await make();
      assert.deepEqual(await check(), expected);
    });

  it('says that tmux could not be asked, and calls that no damage', async () => {
    const report = await runIntegrityJob(ports({ terminals: () => Promise.reject(new Error('gone')) }));
    assert.deepEqual([told(report), report.isWhole, report.sessions], [['terminal.unknown info'], true, undefined]);
  });

  it('hands on what the check of the file found, with what can be done', async () => {
    const findings = [
      { code: 'check.record', kind: 'line', id: 'l1', message: 'm', fix: 'deleteRecord' },
      { code: 'check.structure', message: 'm.', fix: 'restoreBackup' },
      { code: 'check.structure', message: 'n.', fix: 'restoreBackup' },
      { code: 'check.highWater', message: 'm' },
    ] as const;
    const report = await runIntegrityJob(
      ports({
        checkFile: async () => ({
          isWhole: false,
          findings,
          isCut: false,
          depth: 'full',
          records: 4,
          changes: 4,
          seq: 4,
        }),
      }),
    );
    assert.deepEqual(
      report.findings.map(({ code, message, severity, fix }) => `${code} ${message} ${severity} ${fix.kind}`),
      ['check.record m error deleteRecord', 'check.structure m error advice', 'check.structure n error advice', 'check.highWater m warning advice'], // prettier-ignore
    );
  });

  it('reads on where single records are damaged, and names them once', async () => {
    const isDamaged = (id: string): boolean => id === 'l2';
    const damaged: IntegrityPorts['store'] = {
      ...parts(),
      get: (from, id) => (isDamaged(id) ? Promise.reject(new DataError('data.corrupt', 'x')) : store.get(from, id)),
      find: (from, query) =>
        from.kind === 'line' ? Promise.reject(new DataError('data.corrupt', 'x')) : store.find(from, query),
    };
    const report = await runIntegrityJob(ports({ store: damaged }));
    assert.deepEqual(
      [told(report), report.records],
      [['record.damaged error line l2', 'sequence.gap warning line l3'], 3],
    );
    const again = await runIntegrityJob(
      ports({
        store: damaged,
        checkFile: async () => ({
          ...{ isWhole: false, isCut: false, depth: 'full', records: 4, changes: 4, seq: 4 },
          findings: [{ code: 'check.record', kind: 'line', id: 'l2', message: 'm', fix: 'deleteRecord' }],
        }),
      }),
    );
    assert.deepEqual(told(again), ['check.record error line l2', 'sequence.gap warning line l3']);
  });

  it('finds records that the journal does not know, and entries without their record', async () => {
    const changes: DataStore['changes'] = async (after, limit) =>
      (await store.changes(after, limit)).map((change) => (change.id === 'l1' ? { ...change, id: 'l0' } : change));
    const lying = { ...parts(), changes };
    assert.deepEqual(await check({ store: lying }), ['journal.record error line l1', 'journal.record error line l0']);
    const gap: DataStore['changes'] = async (after, limit) =>
      (await store.changes(after, limit)).filter(({ seq }) => seq !== 2);
    const holed = { ...parts(), changes: gap };
    assert.deepEqual(await check({ store: holed }), ['journal.gap error']);
  });

  it('says what it has not compared with the journal, and compares the rest', async () => {
    const forged: IntegrityPorts['store'] = {
      ...parts(),
      changes: async (after, limit) =>
        (await store.changes(after, limit)).map((change) => (change.id === 'l1' ? { ...change, version: 9 } : change)),
    };
    const report = await runIntegrityJob(ports({ store: forged }), { maxJournalRecords: 2 });
    assert.deepEqual(told(report), ['journal.record error line l1', 'journal.notCompared info']);
    assert.match(report.findings[1]?.message ?? '', /more than 2 records: 2 of its entries/);
    const whole = await runIntegrityJob(ports(), { maxJournalRecords: 2 });
    assert.deepEqual([whole.isWhole, told(whole)], [true, ['journal.notCompared info']]);
    const later = {
      ...parts(),
      changes: async (after: number, limit?: number) => store.changes(Math.max(after, 1), limit),
    };
    assert.deepEqual(await check({ store: later }), ['journal.notCompared info']);
  });

  it('a journal that cannot be read is a finding with what to do, told once, and hides nothing else', async () => {
    await put(LINES, 'l5', line('a', 5));
    const changes: DataStore['changes'] = (after, limit) =>
      after < 5 ? Promise.reject(new DataError('data.corrupt', 'x')) : store.changes(after, limit);
    const report = await runIntegrityJob(ports({ store: { ...parts(), changes } }));
    assert.deepEqual(told(report), ['journal.damaged error', 'sequence.gap warning line l5']);
    assert.match(JSON.stringify(report.findings[0]?.fix), /Restore the newest backup/);
    const never = (): Promise<never> => Promise.reject(new DataError('data.corrupt', 'x'));
    assert.deepEqual(await check({ store: { ...parts(), changes: never } }), told(report));
    const io = (): Promise<never> => Promise.reject(new DataError('data.io', 'x'));
    await assert.rejects(check({ store: { ...parts(), changes: io } }), { code: 'data.io' });
  });

  it('tells nothing of records that are written while it looks', async () => {
    await put(LINES, 'm', line('x', 1));
    let isFirst = true;
    const find: DataStore['find'] = async (from, query) => {
      const found = await store.find(from, query);
      if (from.kind === 'line' && isFirst) {
        isFirst = false;
        await put(OWNERS, 'x', owner('x')); // its owner comes behind the reading of owners
      }
      return found;
    };
    const moving = { ...parts(), find };
    const report = await runIntegrityJob(ports({ store: moving }));
    assert.deepEqual([told(report), report.settled], [[], 1]);
  });

  it('ends when it is told to, at any of its steps', async () => {
    for (let after = 1; after <= 4; after++) {
      const controller = new AbortController();
      let count = 0;
      const breathe = async (): Promise<void> => void (++count === after && controller.abort(new Error('enough')));
      await assert.rejects(runIntegrityJob(ports({ breathe }), { signal: controller.signal }), /enough/);
    }
  });

  it('does what a finding offers, if its record is still what was seen', async () => {
    await put(LINES, 'm', line('x', 1));
    const [finding] = (await runIntegrityJob(ports())).findings;
    assert.ok(finding && finding.fix.kind !== 'advice');
    const fixing = { store, collections: all, reconcile: async () => void (reconciled += 1) };
    let reconciled = 0;
    await put(LINES, 'm', line('x', 2));
    const isCode = (code: string) => (error: unknown) => error instanceof DataError && error.code === code;
    await assert.rejects(applyIntegrityFix(fixing, finding.fix), isCode('data.conflict'));
    assert.ok(await store.get(LINES, 'm'));
    const [again] = (await runIntegrityJob(ports())).findings;
    assert.ok(again && again.fix.kind !== 'advice');
    assert.match(await applyIntegrityFix(fixing, again.fix), /removed/);
    assert.deepEqual([await store.get(LINES, 'm'), await check()], [undefined, []]);
    await applyIntegrityFix(fixing, { kind: 'reconcile', label: '' });
    assert.equal(reconciled, 1);
    const foreign = { kind: 'deleteRecord', label: '', recordKind: 'other', id: 'x' } as const;
    await assert.rejects(applyIntegrityFix(fixing, foreign), isCode('data.invalid'));
  });
});
