import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { SystemClock } from '../../../../../src/core/base/clock';
import type { Collection } from '../../../../../src/core/data/dataStore';
import { type DataExportPorts, type ExportRequest, exportData } from '../../../../../src/core/data/exchange/dataExport';
import { ExchangeError } from '../../../../../src/core/data/exchange/exchangeErrors';
import { DataError } from '../../../../../src/core/data/dataErrors';
import { MemoryDataStore } from '../../../../../src/core/data/memoryDataStore';
import { DataProcessor } from '../../../../../src/core/data/processing/dataProcessor';
import { markdownSections } from '../../../../../src/core/data/processing/markdownExport';
import { MemoryExportFiles } from '../../../../support/memoryExportFiles';

interface Note {
  readonly text: string;
  readonly env?: Readonly<Record<string, string>>;
}
const notes: Collection<Note> = { kind: 'note', indexes: [], parse: (value) => value as Note }; // whatever the test writes
const pairs: Collection<Note> = { ...notes, kind: 'pair' };
const collections = [notes, pairs] as unknown as readonly Collection<never>[];

const FILE = '/x';

describe('exportData', () => {
  const clock = new SystemClock();
  let store: MemoryDataStore;
  let files: MemoryExportFiles;
  beforeEach(() => {
    store = new MemoryDataStore({ clock });
    files = new MemoryExportFiles();
  });
  afterEach(() => store.close());

  function ports(more: Partial<DataExportPorts> = {}): DataExportPorts {
    return {
      store,
      files,
      processor: new DataProcessor({ clock, breathe: () => new Promise((done) => setImmediate(done)) }),
      nowMs: () => 7,
      collections,
      secretPlaces: [['value', 'env', '*']],
      document: {
        async *records(snapshot) {
          for await (const page of snapshot.read(notes)) yield page.map(({ id, value }) => ({ id, body: value.text }));
        },
        format: () => markdownSections({ title: 'id', body: 'body' }),
      },
      ...more,
    };
  }
  const put = (id: string, value: Note): Promise<void> => store.tx((tx) => tx.put(notes, id, value));
  const request = (more: Partial<ExportRequest> = {}): ExportRequest => ({
    ...{ file: FILE, format: 'ndjson', overwrite: true },
    ...more,
  });
  const text = (): string => files.texts.get(FILE) ?? '';
  const lines = (): { kind: string; id: string; value: Note }[] =>
    text()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { kind: string; id: string; value: Note }); // what the test wrote

  it('writes every record of every collection, after one that tells about the export', async () => {
    await put('a', { text: 'one' });
    await store.tx((tx) => tx.put(pairs, 'p', { text: 'two' }));
    const report = await exportData(ports(), request(), () => undefined);
    const [head, ...rest] = lines();
    const end = rest.pop();
    assert.deepEqual(head, {
      kind: '$export',
      id: 'header',
      value: { format: 2, schemaVersion: 1, seq: 2, atMs: 7, isRedacted: true },
    });
    assert.deepEqual(
      rest.map(({ kind, id, value }) => [kind, id, value.text]),
      [
        ['note', 'a', 'one'],
        ['pair', 'p', 'two'],
      ],
    );
    const before = text().slice(0, text().lastIndexOf('{"kind":"$export","id":"end"'));
    const sha256 = createHash('sha256').update(before).digest('hex');
    assert.deepEqual(end, { kind: '$export', id: 'end', value: { records: 2, sha256 } });
    assert.deepEqual([report.records, report.leftOut, report.seq, report.isRedacted], [2, 0, 2, true]);
    assert.equal(report.sizeBytes, text().length);
  });

  it('S18 leaves secrets out, by their place and by what they look like, unless they are asked for', async () => {
    const token = `ghp_${'a1B2'.repeat(9)}`;
    await put('a', { text: `use ${token} now`, env: { PLAIN: 'canary' } });
    for (const format of ['json', 'ndjson', 'csv', 'markdown'] as const) {
      await exportData(ports(), request({ format }), () => undefined);
      assert.ok(text().includes('use') && !text().includes(token) && !text().includes('canary'), format);
    }
    const report = await exportData(ports(), request({ withSecrets: true }), () => undefined);
    assert.equal(report.isRedacted, false);
    assert.deepEqual(lines()[1]?.value, { text: `use ${token} now`, env: { PLAIN: 'canary' } });
  });

  it('writes JSON that is read back, CSV without formulas, and Markdown without markup', async () => {
    await put('=1+1', { text: '<b>*x*</b>' });
    await exportData(ports(), request({ format: 'json' }), () => undefined);
    assert.equal((JSON.parse(text()) as unknown[]).length, 3);
    await exportData(ports(), request({ format: 'csv' }), () => undefined);
    assert.match(text(), /^kind,id,version,createdAtMs,updatedAtMs,epoch,value\r\n\$export,.*\r\nnote,'=1\+1,1,/);
    await exportData(ports(), request({ format: 'markdown' }), () => undefined);
    assert.match(text(), /^## \\=1\+1\n\n```\n<b>\*x\*<\/b>\n```\n/);
  });

  /** A store that cannot hold its file still, to which `write` writes before every page. */
  function unholdable(write: () => Promise<void>): DataExportPorts['store'] {
    return {
      snapshot: () => Promise.reject(new DataError('data.io', 'the disk is full')),
      changes: store.changes.bind(store),
      find: async (collection, query) => {
        await write();
        return store.find(collection, query);
      },
      get health() {
        return store.health;
      },
    };
  }

  it('R5 reads again from the beginning when what it reads by pages was changed meanwhile', async () => {
    for (let i = 0; i < 20; i++) await put(`n${i}`, { text: 'old' });
    let reads = 0;
    const live = unholdable(async () => {
      if (++reads === 2) await store.tx((tx) => ['n0', 'n9'].forEach((id) => tx.put(notes, id, { text: 'new' })));
    });
    const report = await exportData(ports({ store: live, snapshot: { pageSize: 4 } }), request(), () => undefined);
    const changed = lines().filter(({ value }) => value.text === 'new');
    assert.deepEqual(changed.map(({ id }) => id), ['n0', 'n9']); // prettier-ignore
    assert.deepEqual([report.records, files.restarts], [20, 2]);
  });

  it('R5 gives up with a reason when it is changed during every reading, and not for other collections', async () => {
    for (let i = 0; i < 10; i++) await put(`n${i}`, { text: 'old' });
    const other: Collection<Note> = { ...notes, kind: 'other' };
    const writing = (to: Collection<Note>): DataExportPorts['store'] =>
      unholdable(() => store.tx((tx) => tx.put(to, 'n1', { text: 'new' })));
    const snapshot = { pageSize: 4 };
    await exportData(ports({ store: writing(other), snapshot }), request(), () => undefined);
    assert.equal(lines().length, 12);
    files.texts.clear();
    await assert.rejects(
      exportData(ports({ store: writing(notes), snapshot }), request(), () => undefined),
      (error) => ExchangeError.is(error, 'exchange.moving'),
    );
    assert.equal(files.texts.size, 0);
  });

  it('R5 holds the state of one moment, whatever is written while it is read', async () => {
    for (let i = 0; i < 600; i++) await put(`n${String(i).padStart(3, '0')}`, { text: 'old' });
    const write = async (): Promise<void> => void (await put('n599', { text: 'new' }));
    const report = await exportData(ports(), request(), () => void write());
    assert.ok(lines().every(({ kind, value }) => kind === '$export' || value.text === 'old'));
    assert.deepEqual([report.records, report.seq, files.restarts], [600, 600, 1]);
  });

  it('hands a database the records as they are kept, without secrets', async () => {
    const token = `ghp_${'a1B2'.repeat(9)}`;
    await put('a', { text: `use ${token} now`, env: { PLAIN: 'canary' } });
    await put('b', { text: 'plain' });
    const report = await exportData(ports(), request({ format: 'sqlite' }), () => undefined);
    assert.deepEqual(files.databases.get(FILE)?.records.map(({ id, version, json }) => [id, version, json]), [
      ['a', 1, '{"env":{"PLAIN":"[redacted]"},"text":"use [redacted] now"}'],
      ['b', 1, '{"text":"plain"}'],
    ]); // prettier-ignore
    assert.deepEqual([files.databases.get(FILE)?.header.isRedacted, report.records, report.sizeBytes], [true, 2, 2]);
  });

  it('ends when it is cancelled and gives the file up', async () => {
    await put('a', { text: 'one' });
    const abort = new AbortController();
    abort.abort(new Error('enough'));
    await assert.rejects(
      exportData(ports(), request(), () => undefined, abort.signal),
      /enough/,
    );
    assert.equal(files.texts.size, 0);
  });
});
