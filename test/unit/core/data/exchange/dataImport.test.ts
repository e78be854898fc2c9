import assert from 'node:assert/strict';
import { SystemClock } from '../../../../../src/core/base/clock';
import { OrchestratorError } from '../../../../../src/core/base/errors';
import { DataError } from '../../../../../src/core/data/dataErrors';
import type { Collection } from '../../../../../src/core/data/dataStore';
import { exportData } from '../../../../../src/core/data/exchange/dataExport';
import { type DataImportPorts, importData, type ImportRequest } from '../../../../../src/core/data/exchange/dataImport';
import { ExchangeError, type ExchangeErrorCode } from '../../../../../src/core/data/exchange/exchangeErrors';
import type { ImportKind, NeverImported } from '../../../../../src/core/data/exchange/importPlan';
import { IMPORT_LIMITS } from '../../../../../src/core/data/exchange/importReader';
import { MemoryDataStore } from '../../../../../src/core/data/memoryDataStore';
import { DataProcessor } from '../../../../../src/core/data/processing/dataProcessor';
import { jsonArray } from '../../../../../src/core/data/processing/jsonExport';
import { redactor } from '../../../../../src/core/data/processing/redactStep';
import type { ImportReport } from '../../../../../src/shared/importReport';
import { seededRandom } from '../../../../support/builders';
import { MemoryImportFile, sha256Digest } from '../../../../support/memoryImport';
import { mutated } from '../../../../support/mutatedBytes';
import { trials } from '../../../../support/trials';

interface Note {
  readonly text: string;
  readonly owner?: string;
}
const kindOf = (kind: string): Collection<Note> => ({ kind, indexes: [], parse: (value) => value as Note });
const [owners, notes, permits] = [kindOf('owner'), kindOf('note'), kindOf('permit')];

describe('importData', () => {
  const clock = new SystemClock();
  const breathe = (): Promise<void> => new Promise((done) => setImmediate(done));
  let store: MemoryDataStore;
  let file: MemoryImportFile;
  beforeEach(() => {
    store = new MemoryDataStore({ clock });
    file = new MemoryImportFile();
  });
  afterEach(() => store.close());

  const plain: ImportKind = { prepare: (value) => ({ value, changes: [] }) };
  function ports(more: Partial<DataImportPorts> = {}): DataImportPorts {
    return {
      ...{ store, files: file, newDigest: sha256Digest, clock, breathe },
      kinds: () =>
        new Map<string, ImportKind | NeverImported>([
          ['owner', plain],
          ['note', { ...plain, owner: { kind: 'owner', idOf: (value) => String(value['owner']) } }],
          ['permit', { never: 'trustDecision', titleOf: ({ text }) => (typeof text === 'string' ? text : undefined) }],
        ]),
      validate: (_kind, value) =>
        typeof (value as Partial<Note>).text === 'string'
          ? []
          : [{ path: '/text', rule: 'type', code: 'type', message: 'must be a text' }],
      clean: redactor(),
      apply: (_plan, write) => write(),
      ...more,
    };
  }
  const run = (more: Partial<ImportRequest> = {}, own: Partial<DataImportPorts> = {}): Promise<ImportReport> =>
    importData(ports(own), { file: '/x.json', ...more }, () => undefined);
  const applied = async (more: Partial<ImportRequest> = {}): Promise<ImportReport> =>
    run({ ...more, apply: (await run(more)).fingerprint });
  const rejects = (work: Promise<unknown>, code: ExchangeErrorCode): Promise<void> =>
    assert.rejects(work, (error) => ExchangeError.is(error, code));

  /** An export of these records by the product, as text. */
  async function exported(
    format: 'ndjson' | 'json',
    records: readonly (readonly [Collection<Note>, string, Note])[],
    withSecrets = true,
  ): Promise<string> {
    const from = new MemoryDataStore({ clock });
    await from.tx((tx) => records.forEach(([collection, id, value]) => tx.put(collection, id, value)));
    let text = '';
    const writer = {
      write: async (more: string) => void (text += more),
      digest: () => {
        const digest = sha256Digest();
        digest.update(Buffer.from(text));
        return digest.hex();
      },
      restart: async () => void (text = ''),
      finish: async () => text.length,
      abandon: async () => undefined,
    };
    await exportData(
      {
        store: from,
        files: { create: async () => writer, createDatabase: () => assert.fail('no database') },
        processor: new DataProcessor({ clock, breathe }),
        nowMs: () => 7,
        collections: [owners, notes, permits] as unknown as readonly Collection<never>[],
        secretPlaces: [],
        document: { records: async function* () {}, format: jsonArray },
      },
      { file: '/x', format, withSecrets },
      () => undefined,
    );
    await from.close();
    return text;
  }
  const some = [
    [owners, 'o1', { text: 'one' }],
    [owners, 'o2', { text: 'zwei\n"ü" ☃' }],
    [notes, 'n1', { text: 'a note', owner: 'o1' }],
    [permits, 'p1', { text: 'rm -rf' }],
  ] as const;
  const texts = async (collection: Collection<Note>): Promise<readonly string[]> =>
    (await store.find(collection)).map(({ id, value }) => `${id} ${value.text}`);

  for (const format of ['ndjson', 'json'] as const)
    it(`brings back what an export as ${format} holds, once, and says so before`, async () => {
      file.text = await exported(format, some);
      const told = await run();
      assert.deepEqual([told.isApplied, store.health.seq], [false, 0]);
      assert.deepEqual(
        [told.format, told.integrity, told.records, told.exportedAtMs, told.isRedacted],
        [format, 'whole', 4, 7, false],
      );
      assert.deepEqual([told.counts.new, told.counts.skipped, told.countsByReason], [3, 1, { trustDecision: 1 }]);
      const done = await run({ apply: told.fingerprint });
      assert.equal(done.isApplied, true);
      assert.deepEqual(await texts(owners), ['o1 one', 'o2 zwei\n"ü" ☃']);
      assert.deepEqual(await texts(notes), ['n1 a note']);
      assert.deepEqual(await texts(permits), [], 'what a person permitted is never taken in');
      const again = await applied();
      assert.deepEqual([again.counts.identical, again.counts.new, store.health.seq], [3, 0, 3]);
      assert.equal(file.openCount, 0);
    });

  it('keeps what differs here, unless it is to be replaced', async () => {
    file.text = await exported('ndjson', some);
    await store.tx((tx) => tx.put(owners, 'o1', { text: 'mine' }));
    const kept = await applied();
    assert.deepEqual([kept.counts.conflicting, kept.counts.new], [1, 2]);
    assert.deepEqual(await texts(owners), ['o1 mine', 'o2 zwei\n"ü" ☃']);
    const replaced = await applied({ replace: true });
    assert.deepEqual([replaced.counts.replaced, replaced.counts.identical], [1, 2]);
    assert.deepEqual((await store.get(owners, 'o1'))?.version, 2);
    assert.deepEqual(await texts(owners), ['o1 one', 'o2 zwei\n"ü" ☃']);
  });

  it('leaves a record alone that is here and not valid by the rules', async () => {
    file.text = await exported('ndjson', some);
    await store.tx((tx) => tx.put(owners, 'o1', { odd: true } as unknown as Note)); // of another version
    const report = await applied({ replace: true });
    assert.deepEqual(report.countsByReason, { trustDecision: 1, damagedHere: 1, agentLeftOut: 1 });
    assert.deepEqual((await store.get(owners, 'o1'))?.value, { odd: true });
  });

  it('compares a redacted export with what is here without its secrets, and never puts it in its place', async () => {
    const token = `ghp_${'a1B2'.repeat(9)}`;
    file.text = await exported('ndjson', [[owners, 'o1', { text: `use ${token}` }]], false);
    await store.tx((tx) => tx.put(owners, 'o1', { text: `use ${token}` }));
    assert.equal((await applied({ replace: true })).counts.identical, 1);
    await store.tx((tx) => tx.put(owners, 'o1', { text: `now use ${token}` }));
    const report = await applied({ replace: true });
    assert.deepEqual([report.isRedacted, report.counts.conflicting, report.countsByReason], [true, 1, { redacted: 1 }]);
    assert.deepEqual(await texts(owners), [`o1 now use ${token}`]);
  });

  it('takes nothing in with a record that is not valid, and names it with what is wrong', async () => {
    const lines = (await exported('ndjson', some)).trimEnd().split('\n');
    const bad = '{"kind":"owner","id":"o3","version":1,"createdAtMs":1,"updatedAtMs":1,"epoch":1,"value":{"text":3}}';
    const foreign = bad.replace('"owner"', '"lock"').replace('o3', 'l1');
    const noRecord = '{"kind":"owner","id":"","version":1}';
    file.text = [lines[0], bad, foreign, noRecord, lines[1], lines[1], ...lines.slice(2, 4)].join('\n');
    const told = await run();
    assert.deepEqual([told.integrity, told.counts.invalid, told.counts.new], ['cut', 4, 3]);
    assert.deepEqual(
      told.entries.filter(({ verdict }) => verdict === 'invalid').map(({ record, problems }) => [record, problems?.[0]?.path, problems?.[0]?.code]),
      [
        [2, '/value/text', 'type'],
        [3, '/kind', 'kind.unknown'],
        [4, '/id', 'length'],
        [6, '/id', 'id.twice'],
      ],
    ); // prettier-ignore
    const apply = told.fingerprint;
    await rejects(run({ apply }), 'exchange.notWhole');
    await rejects(run({ apply, acceptChanged: true }), 'exchange.invalidRecords');
    assert.equal(store.health.seq, 0);
    assert.equal((await run({ apply, acceptChanged: true, skipInvalid: true })).isApplied, true);
    assert.deepEqual(await texts(notes), ['n1 a note']);
  });

  it('lets nothing in that belongs to a record that does not come in', async () => {
    file.text = await exported('ndjson', [[notes, 'n1', { text: 'x', owner: 'nobody' }]]);
    assert.deepEqual((await applied()).countsByReason, { agentLeftOut: 1 });
    await store.tx((tx) => tx.put(owners, 'nobody', { text: 'here' }));
    assert.equal((await applied()).counts.new, 1);
  });

  it('notices that a file was cut, changed, or joined with another', async () => {
    const whole = await exported('ndjson', some);
    const lines = whole.trimEnd().split('\n');
    const integrityOf = async (text: string): Promise<string> => ((file.text = text), (await run()).integrity);
    assert.equal(await integrityOf(whole), 'whole');
    assert.equal(await integrityOf(`${lines.slice(0, -1).join('\n')}\n`), 'cut');
    assert.equal(await integrityOf(whole.replace('a note', 'a mote')), 'changed');
    assert.equal(await integrityOf([...lines.slice(0, 2), ...lines.slice(3)].join('\n')), 'changed');
    assert.equal(await integrityOf(whole + whole), 'changed');
    assert.equal(await integrityOf(`${lines[1] ?? ''}\n`), 'unknown');
    const list = await exported('json', some);
    assert.equal(await integrityOf(list.replace('a note', 'a mote')), 'changed');
    assert.equal(await integrityOf(list.slice(0, -3)), 'cut');
    assert.equal(await integrityOf(`${whole}{"kind":`), 'changed');
    await rejects(integrityOf(`${lines[1] ?? ''}\n{"kind":`), 'exchange.notAnExport');
    // In the midst of a record: what stands before it can be taken in.
    for (const text of [whole.slice(0, whole.indexOf('a note')), list.slice(0, list.indexOf('a note'))]) {
      file.text = text;
      const { fingerprint, integrity, counts } = await run();
      assert.deepEqual([integrity, counts.new], ['cut', 2]);
      await rejects(run({ apply: fingerprint }), 'exchange.notWhole');
      file.text = text.slice(0, -1);
      await rejects(run({ apply: fingerprint, acceptChanged: true }), 'exchange.fileChanged');
    }
    file.text = whole.slice(0, whole.indexOf('a note'));
    assert.equal((await applied({ acceptChanged: true })).isApplied, true);
    assert.equal((await store.find(owners)).length, 2);
  });

  it('applies only to the file of which the report told', async () => {
    file.text = await exported('ndjson', some);
    const { fingerprint } = await run();
    file.text = await exported('ndjson', some.slice(0, 1));
    await rejects(run({ apply: fingerprint }), 'exchange.fileChanged');
    assert.equal(store.health.seq, 0);
  });

  it('refuses with a reason what is no export that it can read', async () => {
    const head = '{"kind":"$export","id":"header","value":{"format":3,"schemaVersion":1,"isRedacted":true}}\n';
    const cases: readonly (readonly [string | Uint8Array, ExchangeErrorCode])[] = [
      [head, 'exchange.newer'],
      [head.replace('"format":3', '"format":2').replace('"schemaVersion":1', '"schemaVersion":99'), 'exchange.newer'],
      [head.replace('"format":3', '"format":"2"'), 'exchange.notAnExport'],
      ['', 'exchange.notAnExport'],
      ['[]', 'exchange.notAnExport'],
      ['hello', 'exchange.notAnExport'],
      ['{"a":1} {"b":2}', 'exchange.notAnExport'],
      ['[{"a":1},]', 'exchange.notAnExport'],
      ['{"a":\n1}', 'exchange.notAnExport'],
      ['{"a":undefined}', 'exchange.notAnExport'],
      [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'exchange.notAnExport'],
      [`{"a":${'['.repeat(100)}${']'.repeat(100)}}`, 'exchange.notAnExport'],
      [`{"a":1}${' '.repeat(5_000)}`, 'exchange.notAnExport'],
      ['SQLite format 3\0 and more', 'exchange.unknownFormat'],
    ];
    for (const [content, code] of cases) {
      file.bytes = typeof content === 'string' ? Buffer.from(content) : content;
      file.portion = 64; // its first portion tells a database
      await rejects(run(), code);
    }
    for (const name of ['/x.csv', '/x.md', '/x.sqlite', '/x.DB'])
      await rejects(run({ file: name }), 'exchange.unknownFormat');
    assert.equal(file.openCount, 0);
  });

  it('S17 takes a bounded file with bounded records, and says when it is more', async () => {
    file.text = await exported('ndjson', some);
    const limit = (more: Partial<typeof IMPORT_LIMITS>): Promise<ImportReport> =>
      run({}, { limits: { ...IMPORT_LIMITS, ...more } });
    await rejects(limit({ maxFileBytes: 100 }), 'exchange.tooLarge');
    await rejects(limit({ maxRecords: 3 }), 'exchange.tooLarge');
    await rejects(limit({ maxRecordBytes: 60 }), 'exchange.tooLarge');
    assert.equal((await limit({})).records, 4);
    // A file that grows while it is read is no way around the bound.
    const { length } = file.bytes;
    const open: MemoryImportFile['open'] = async (name) => ({ ...(await file.open(name)), sizeBytes: 1 });
    await rejects(
      run({}, { files: { open }, limits: { ...IMPORT_LIMITS, maxFileBytes: length - 1 } }),
      'exchange.tooLarge',
    );
  });

  it('S17 names no more than fits into an answer, and counts the rest', async () => {
    const long = 'x'.repeat(200);
    const lines = Array.from({ length: 400 }, (_, i) => {
      const value = JSON.stringify({ ...Object.fromEntries([[long, i]]) });
      return `{"kind":"owner","id":"${i}${long.slice(10)}","version":1,"createdAtMs":1,"updatedAtMs":1,"epoch":1,"value":${value}}`;
    });
    file.text = lines.join('\n');
    file.portion = 65_536;
    const path = `/${long.repeat(50)}`;
    const validate: DataImportPorts['validate'] = () =>
      Array.from({ length: 50 }, () => ({ path, rule: 'rule', code: 'code', message: 'is wrong' }));
    const report = await run({}, { validate });
    assert.deepEqual([report.counts.invalid, report.isCut], [400, true]);
    assert.ok(report.entries.length > 10 && JSON.stringify(report).length < 600_000);
  });

  it('leaves nothing when it is cancelled, or when the store takes none of it', async () => {
    file.text = await exported('ndjson', some);
    const { fingerprint } = await run();
    const abort = new AbortController();
    let reads = 0;
    file.onRead = () => void (++reads === 3 && abort.abort(new Error('enough')));
    await assert.rejects(
      importData(ports(), { file: '/x.json', apply: fingerprint }, () => undefined, abort.signal),
      /enough/,
    );
    file.onRead = () => undefined;
    store.simulateReadOnly('the disk is full');
    await assert.rejects(run({ apply: fingerprint }), (error) => DataError.is(error, 'data.readOnly'));
    store.simulateReadOnly(undefined);
    assert.deepEqual([store.health.seq, file.openCount], [0, 0]);
  });

  it('looks again when somebody wrote one of its records in between, and gives up in the end', async () => {
    file.text = await exported('ndjson', some);
    const { fingerprint } = await run();
    let count = 0;
    const writeFirst: DataImportPorts['apply'] = async (_plan, write) => {
      if (++count === 1) await store.tx((tx) => tx.put(owners, 'o1', { text: 'mine' }));
      await write();
    };
    const report = await run({ apply: fingerprint }, { apply: writeFirst });
    assert.deepEqual([report.counts.conflicting, report.counts.new, count], [1, 2, 2]);
    const always: DataImportPorts['apply'] = () => Promise.reject(new DataError('data.conflict', 'again'));
    await assert.rejects(run({ apply: fingerprint, replace: true }, { apply: always }), (error) =>
      DataError.is(error, 'data.conflict'),
    );
  });

  it('R5 S17 a damaged or hostile file is refused with a reason or read, and is taken in whole or not at all', async function () {
    this.timeout(1_800_000);
    const rounds = trials(500, 100_000, 300_000);
    const bases = [await exported('ndjson', some), await exported('json', some), await exported('ndjson', some, false)];
    for (let round = 0; round < rounds; round++) {
      const random = seededRandom(round);
      file.bytes = mutated(Buffer.from(bases[round % bases.length] ?? ''), random);
      file.portion = 1 + Math.floor(random() * 400);
      const own = new MemoryDataStore({ clock });
      if (random() < 0.3) await own.tx((tx) => tx.put(owners, 'o1', { text: 'mine' }));
      const before = own.health.seq;
      const pick = (): boolean => random() < 0.5;
      const options = { replace: pick(), skipInvalid: pick(), acceptChanged: pick() };
      let report: ImportReport | undefined;
      try {
        const told = await run(options, { store: own });
        assert.equal(own.health.seq, before, 'telling writes nothing');
        report = await run({ ...options, apply: told.fingerprint }, { store: own });
      } catch (error) {
        if (!(error instanceof OrchestratorError)) throw new Error(`round ${round}`, { cause: error });
        assert.equal(own.health.seq, before, `round ${round}: refused, and nothing was written`);
      }
      if (report) {
        const { counts, records } = report;
        assert.equal(own.health.seq - before, counts.new + counts.replaced, `round ${round}`);
        assert.equal(Object.values(counts).reduce((sum, each) => sum + each, 0), records, `round ${round}`); // prettier-ignore
        assert.equal((await own.find(permits)).length, 0, `round ${round}: no permit came in`);
      }
      assert.equal(file.openCount, 0);
      await own.close();
    }
  });
});
