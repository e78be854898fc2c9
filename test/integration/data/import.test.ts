import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { SystemClock } from '../../../src/core/base/clock';
import type { Collection, PreparedPut } from '../../../src/core/data/dataStore';
import { type DataExportPorts, exportData } from '../../../src/core/data/exchange/dataExport';
import { type DataImportPorts, importData } from '../../../src/core/data/exchange/dataImport';
import { DataError } from '../../../src/core/data/dataErrors';
import { exportApplicationId } from '../../../src/core/data/node/databaseThread';
import { NodeExportFiles } from '../../../src/core/data/node/nodeExportFiles';
import { nodeImportFiles } from '../../../src/core/data/node/nodeImportFiles';
import { isBackupFile } from '../../../src/core/data/node/storeHeader';
import { DataProcessor } from '../../../src/core/data/processing/dataProcessor';
import { jsonArray } from '../../../src/core/data/processing/jsonExport';
import { notRun } from '../../support/notRun';
import { buildStoreWorker, openFileStore, temporaryFolder, wasmFile } from '../../support/storeWorker';

interface Note {
  readonly text: string;
}
const notes: Collection<Note> = { kind: 'note', indexes: [], parse: (value) => value as Note }; // written by this test
const TOKEN = `ghp_${'a1B2'.repeat(9)}`;

describe('Exports and imports of stores on files', () => {
  const clock = new SystemClock();
  const breathe = (): Promise<void> => new Promise((done) => setImmediate(done));
  let place: ReturnType<typeof temporaryFolder>;
  let store: Awaited<ReturnType<typeof openFileStore>>['store'];
  let exportPorts: DataExportPorts;
  beforeEach(async () => {
    place = temporaryFolder();
    fs.mkdirSync(path.join(place.folder, 'store'), { mode: 0o700 });
    ({ store } = await openFileStore(path.join(place.folder, 'store')));
    exportPorts = {
      ...{ store, nowMs: () => clock.nowMs(), processor: new DataProcessor({ clock, breathe }) },
      files: new NodeExportFiles({ workerFile: await buildStoreWorker(), wasmFile }),
      collections: [notes] as unknown as readonly Collection<never>[],
      secretPlaces: [],
      document: { records: async function* () {}, format: jsonArray },
    };
    await store.tx((tx) => {
      for (let i = 0; i < 300; i++) tx.put(notes, `n${i}`, { text: i % 7 === 0 ? `use ${TOKEN}` : `note ${i} ☃` });
      // More than one portion of a file, with records across its border.
      tx.put(notes, 'large', { text: 'ß'.repeat(150_000) });
    });
  });
  afterEach(async () => {
    await store.close();
    place.remove();
  });
  const importPorts = (into: DataImportPorts['store']): DataImportPorts => ({
    ...{ store: into, files: nodeImportFiles, newDigest: () => nodeImportFiles.newDigest(), clock, breathe },
    kinds: () => new Map([['note', { prepare: (value) => ({ value, changes: [] }) }]]),
    validate: () => [],
    clean: (value) => value,
    apply: (_plan, write) => write(),
  });
  const nothing = (): void => undefined;

  it('R5 an export that is imported into an empty store makes an equal one', async () => {
    const folder = path.join(place.folder, 'other');
    fs.mkdirSync(folder, { mode: 0o700 });
    const other = (await openFileStore(folder)).store;
    try {
      for (const format of ['ndjson', 'json'] as const) {
        const file = path.join(place.folder, `export.${format}`);
        await exportData(exportPorts, { file, format, withSecrets: true }, nothing);
        const told = await importData(importPorts(other), { file }, nothing);
        assert.equal(told.integrity, 'whole');
        const done = await importData(importPorts(other), { file, apply: told.fingerprint }, nothing);
        assert.equal(done.counts.new + done.counts.identical, 301);
      }
      const valuesOf = async (from: typeof store): Promise<unknown> =>
        (await from.find(notes)).map(({ id, value }) => [id, value]);
      assert.deepEqual(await valuesOf(other), await valuesOf(store));
      assert.equal(other.health.seq, 301, 'the second file holds nothing new');
      assert.equal((await other.check('full')).isWhole, true);
    } finally {
      await other.close();
    }
  });

  it('R5 an export as a database is found whole by the sqlite3 program, without secrets, and is no backup', async function () {
    const file = path.join(place.folder, 'export.sqlite');
    const report = await exportData(exportPorts, { file, format: 'sqlite' }, nothing);
    assert.deepEqual([report.records, report.sizeBytes], [301, fs.statSync(file).size]);
    assert.equal(fs.statSync(file).mode & 0o777, 0o600);
    assert.ok(!fs.readFileSync(file).includes(TOKEN));
    assert.equal(isBackupFile(file), false, 'it must not take the place of a store: its secrets are missing');
    assert.deepEqual(fs.readdirSync(place.folder).sort(), ['export.sqlite', 'store']);
    const query = async (sql: string): Promise<string> =>
      (await promisify(execFile)('sqlite3', ['-readonly', file, sql])).stdout.trim();
    try {
      await query('SELECT 1');
    } catch {
      notRun(this, 'the sqlite3 program is not installed (apt-get install sqlite3)');
    }
    assert.equal(await query('PRAGMA integrity_check'), 'ok');
    assert.equal(await query('PRAGMA application_id'), String(exportApplicationId));
    assert.equal(await query("SELECT count(*) FROM records WHERE value LIKE '%[redacted]%'"), '43');
    assert.equal(await query("SELECT value FROM export WHERE name = 'isRedacted'"), 'true');
  });

  it('leaves nothing of a database that is cancelled on its way', async () => {
    const abort = new AbortController();
    const file = path.join(place.folder, 'export.sqlite');
    const stopped = exportData(exportPorts, { file, format: 'sqlite' }, () => abort.abort(new Error('enough')), abort.signal); // prettier-ignore
    await assert.rejects(stopped, /enough/);
    assert.deepEqual(fs.readdirSync(place.folder), ['store']);
  });

  it('many records are written at once, all or none, in the order of the transactions', async () => {
    const puts = Array.from({ length: 1_201 }, (_, i): PreparedPut => ({
      ...{ kind: 'note', id: `p${i}`, json: `{"text":"${i}"}`, expectedVersion: 0 },
    }));
    const abort = new AbortController();
    const stopped = store.putAll(puts, { signal: abort.signal });
    setImmediate(() => abort.abort(new Error('enough')));
    await assert.rejects(stopped, /enough/);
    await assert.rejects(store.putAll([...puts, { ...puts[0], id: 'n0' } as PreparedPut]), (error) =>
      DataError.is(error, 'data.conflict'),
    );
    assert.deepEqual([await store.get(notes, 'p0'), store.health.seq], [undefined, 301]);
    await Promise.all([store.putAll(puts), store.tx((tx) => tx.put(notes, 'n1', { text: 'beside' }))]);
    assert.deepEqual((await store.get(notes, 'p1200'))?.value, { text: '1200' });
    assert.equal(store.health.seq, 301 + 1_201 + 1);
  });

  it('leaves damaged records out of an export, and counts them', async () => {
    const main = path.join(place.folder, 'store', 'store-1.db');
    await store.close();
    fs.rmSync(`${main}-wal`, { force: true }); // closed: all of it is in the main file
    const bytes = fs.readFileSync(main);
    const text = '{"text":"note 8 ☃"}';
    for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at)) bytes.write('nope', at + 9); // also what is left in free space
    fs.writeFileSync(main, bytes);
    ({ store } = await openFileStore(path.join(place.folder, 'store')));
    const file = path.join(place.folder, 'export.ndjson');
    const report = await exportData({ ...exportPorts, store }, { file, format: 'ndjson' }, nothing);
    assert.deepEqual([report.records, report.leftOut], [300, 1]);
    assert.equal((await importData(importPorts(store), { file }, nothing)).integrity, 'whole');
  });

  it('reads plain files only', async () => {
    fs.symlinkSync('/dev/zero', path.join(place.folder, 'endless.json'));
    for (const name of ['none.json', 'store', 'endless.json'])
      await assert.rejects(
        importData(importPorts(store), { file: path.join(place.folder, name) }, nothing),
        /exchange\.fileUnreadable/,
      );
  });
});
