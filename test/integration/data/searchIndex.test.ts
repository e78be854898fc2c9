import assert from 'node:assert/strict';
import { silentLogger } from '../../../src/core/base/log';
import type { Collection, DataStore } from '../../../src/core/data/dataStore';
import { openSqlJsEngine } from '../../../src/core/data/node/sqlJsEngine';
import { SearchIndex } from '../../../src/core/data/node/searchIndex';
import { prepareRestore } from '../../../src/core/data/node/storeRestore';
import { checkHere } from '../../support/checkHere';
import { findStore } from '../../../src/core/data/node/storeFiles';
import { migrate, newestSchema, storeMigrations } from '../../../src/core/data/node/storeSchema';
import { insertRecord } from '../../../src/core/data/node/storeSql';
import { compileSearch } from '../../../src/core/data/search/dataSearch';
import { eventually } from '../../support/eventually';
import { openFileStore, temporaryFolder, wasmFile } from '../../support/storeWorker';

const messages: Collection<{ readonly text: string }> = {
  ...{ kind: 'message', indexes: [], texts: ['text'] },
  parse: (value) => value as { readonly text: string },
};

describe('the index of texts', () => {
  let folder: string;
  let remove: () => void;
  const stores: DataStore[] = [];

  beforeEach(() => ({ folder, remove } = temporaryFolder()));
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
    remove();
  });

  const open = async (): Promise<Awaited<ReturnType<typeof openFileStore>>> => {
    const opened = await openFileStore(folder);
    stores.push(opened.store);
    return opened;
  };
  const mainFile = (): string => findStore(folder)?.main ?? `${folder}/store-1.db`;
  const isIndexed = async (store: DataStore, query: string, count: number): Promise<void> => {
    await eventually(
      'everything is found',
      async () => {
        const { hits, isComplete } = await store.search(query, { limit: 500 });
        return isComplete && hits.length === count;
      },
      { timeoutMs: 25_000 },
    );
  };

  it('a store of version 1 is opened at once, and its texts are found by and by, the newest first', async () => {
    const engine = await openSqlJsEngine(mainFile(), wasmFile);
    migrate(engine, storeMigrations.slice(0, 1));
    engine.begin(true);
    const fields = { kind: 'message', version: 1, createdAtMs: 1, updatedAtMs: 1, epoch: 1 };
    for (let i = 0; i < 1_200; i++)
      insertRecord(engine, { ...fields, id: `m${i}`, json: `{"text":"old needle ${i % 20 ? '' : 'rare'}"}` });
    insertRecord(engine, { ...fields, id: 'other', kind: 'other', json: '{"text":"needle rare"}' });
    engine.commit();
    engine.close();
    const { store, report } = await open();
    assert.deepEqual([report.migratedFromVersion, store.health.schemaVersion], [1, newestSchema]);
    await store.tx((tx) => tx.put(messages, 'new', { text: 'new needle' }));
    const { hits } = await store.search('needle', { limit: 1 });
    assert.deepEqual(hits[0]?.id, 'new', 'what is written meanwhile is found at once');
    await isIndexed(store, 'rare', 60);
    const found = (await store.search('rare', { limit: 3 })).hits.map(({ id }) => id);
    assert.deepEqual(found, ['m1180', 'm1160', 'm1140']);
    assert.ok((await store.check('full')).isWhole);
  }).timeout(30_000);

  it('damage in the index costs nothing but the index, which is made anew', async () => {
    const first = await open();
    await first.store.tx((tx) => {
      for (let i = 0; i < 40; i++) tx.put(messages, `m${i}`, { text: `needle ${i}` });
    });
    await isIndexed(first.store, 'needle', 40);
    await first.store.close();
    const engine = await openSqlJsEngine(mainFile(), wasmFile);
    const index = new SearchIndex(engine, silentLogger);
    while (index.hasWork) index.work(); // what was only noted
    engine.begin(true);
    assert.ok(engine.run("UPDATE search_segdir SET root = x'ffffffffff'") > 0);
    engine.commit();
    engine.close();
    const { store } = await open();
    await store.tx((tx) => tx.put(messages, 'more', { text: 'needle more' }));
    await isIndexed(store, 'needle', 41);
    assert.equal(store.health.isReadOnly, false);
    assert.ok((await store.check('full')).isWhole);
  }).timeout(30_000);

  it('a word of the index that is another one now is found by a check, which has the index made anew, and by a restore', async () => {
    const first = await open();
    await first.store.tx((tx) => {
      for (let i = 0; i < 40; i++) tx.put(messages, `m${i}`, { text: `needle ${i}` });
    });
    await isIndexed(first.store, 'needle', 40);
    await first.store.close();
    const engine = await openSqlJsEngine(mainFile(), wasmFile);
    const index = new SearchIndex(engine, silentLogger);
    while (index.hasWork) index.work(); // what was only noted
    const [row, root] = engine.get("SELECT rowid, hex(root) FROM search_segdir WHERE instr(root, x'6e6565646c65') > 0") ?? assert.fail('no word'); // prettier-ignore
    const bytes = Buffer.from(String(root), 'hex');
    bytes.write('zzz', bytes.indexOf('needle'));
    engine.begin(true);
    engine.exec(`UPDATE search_segdir SET root = x'${bytes.toString('hex')}' WHERE rowid = ${String(row)}`);
    engine.commit();
    engine.close();
    const { store } = await open();
    const file = `${folder}/copy.db`;
    await store.backup(file);
    const report = await store.check('full');
    assert.deepEqual([report.isWhole, report.findings.map(({ code }) => code)], [true, ['check.search']]);
    await isIndexed(store, 'needle', 40);
    assert.deepEqual((await store.check('full')).findings, []);

    await prepareRestore({ folder, backup: file, runCheck: checkHere, wasmFile });
    await store.close();
    const restored = await open();
    assert.ok(restored.report.restored);
    await isIndexed(restored.store, 'needle', 40);
    assert.deepEqual((await restored.store.check('full')).findings, []);
  }).timeout(30_000);

  it('an index that is wrong shows nothing that is not there', async () => {
    const engine = await openSqlJsEngine(mainFile(), wasmFile);
    migrate(engine);
    const index = new SearchIndex(engine, silentLogger);
    const record = { kind: 'message', version: 1, createdAtMs: 1, updatedAtMs: 1, epoch: 1 };
    index.declare('message', ['text']);
    engine.begin(true);
    index.keepDeclared();
    for (const [id, text] of [['a', 'needle'], ['b', 'hay']] as const) {
      insertRecord(engine, { ...record, id, json: JSON.stringify({ text }) });
      index.note('message', id);
    } // prettier-ignore
    engine.commit();
    index.declaredAreKept();
    while (index.hasWork) index.work();
    engine.exec('UPDATE records SET value = \'{"text":"changed"}\' WHERE id = \'a\'');
    const search = (query: string): readonly string[] => index.search(compileSearch(query)).hits.map(({ id }) => id);
    assert.deepEqual([search('needle'), search('changed'), search('hay')], [[], [], ['b']]);
    engine.exec("DELETE FROM records WHERE id = 'b'");
    assert.deepEqual(search('hay'), []);
    engine.close();
  });

  it('S18 a secret that is left out since is found no more, neither before nor after its index is made anew', async () => {
    const text = 'X_PASSWORD=needle99 hay';
    const first = await open();
    await first.store.tx((tx) => tx.put(messages, 'm', { text }));
    await isIndexed(first.store, 'needle99', 1);
    await first.store.close();
    const engine = await openSqlJsEngine(mainFile(), wasmFile);
    const index = new SearchIndex(engine, silentLogger);
    while (index.hasWork) index.work(); // what was only noted
    const search = (query: string): readonly string[] => index.search(compileSearch(query)).hits.map(({ id }) => id);
    const words = (): unknown => engine.get("SELECT words FROM search WHERE words LIKE '%needle99%'");
    assert.deepEqual([search('needle99'), search('hay')], [['m'], ['m']]);
    assert.ok(words());
    index.declare('message', ['text~']);
    assert.deepEqual([search('needle99'), search('hay')], [[], ['m']], 'before');
    assert.ok(index.hasWork && words());
    while (index.hasWork) index.work();
    assert.deepEqual([search('needle99'), search('hay'), words()], [[], ['m'], undefined], 'after');
    engine.close();
  }).timeout(30_000);
});
