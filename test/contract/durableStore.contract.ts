import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import type { Collection, DataStore } from '../../src/core/data/dataStore';
import { DataError, type DataErrorCode } from '../../src/core/data/dataErrors';
import type { DurableStore } from '../../src/core/data/durableStore';
import { openSqlEngine, type SqlEngineId } from '../../src/core/data/node/openSqlEngine';
import { findStore } from '../../src/core/data/node/storeFiles';
import { headerBytes } from '../../src/core/data/node/storeHeader';
import { migrate, newestSchema, storeMigrations } from '../../src/core/data/node/storeSchema';
import { insertChange, insertRecord } from '../../src/core/data/node/storeSql';
import { openFileStore, temporaryFolder, wasmFile } from '../support/storeWorker';

interface Note {
  readonly text: string;
}
const notes: Collection<Note> = { kind: 'note', indexes: ['text'], parse: (value) => value as Note };

/** Where SQLite keeps the number of the schema (sqlite.org/fileformat.html, 1.3). */
const schemaVersionAt = 60;

/** What every store on a file does besides (C32, C34, C35, C37); C36 and C38 need a process of their own. */
export function durableStoreContract(engine: SqlEngineId): void {
  let folder: string;
  let remove: () => void;
  const opened: DataStore[] = [];
  const open = async (options: Parameters<typeof openFileStore>[1] = {}, at = folder): Promise<DurableStore> => {
    const { store } = await openFileStore(at, { engine, ...options });
    opened.push(store);
    return store;
  };
  const put = (store: DataStore, id: string, text: string): Promise<void> =>
    store.tx((tx) => tx.put(notes, id, { text }));
  const main = (): string => findStore(folder)?.main ?? assert.fail('there is no store');

  beforeEach(() => ({ folder, remove } = temporaryFolder()));
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close().catch(() => undefined); // a failed test must not keep a thread
    remove();
  });

  it('C32 refuses every write once another one owns the workspace, and the other finds all that was acknowledged', async () => {
    const owner = (epoch: number) => ({
      ...{ epoch, hasStaleWriter: false, isStillMine: () => true },
      ...{ confirmFreshFiles: () => undefined, release: () => undefined },
    });
    fs.writeFileSync(path.join(folder, 'lock.1'), '');
    const former = await open({ ownership: owner(1) });
    await put(former, 'a', 'acknowledged');
    fs.writeFileSync(path.join(folder, 'lock.2'), '');
    for (const id of ['b', 'c']) await rejectsWith('data.fenced', put(former, id, 'too late'));
    assert.equal(former.health.isReadOnly, true);
    await former.close();
    const next = await open({ ownership: owner(2) });
    assert.deepEqual(
      (await next.find(notes)).map(({ id, epoch }) => [id, epoch]),
      [['a', 1]],
    );
    await put(next, 'd', 'goes on');
    assert.equal((await next.get(notes, 'd'))?.epoch, 2);
  });

  it('C34 a backup under load restores equal to one moment', async () => {
    const store = await open();
    for (let i = 0; i < 50; i++) await put(store, `a${i}`, 'x'.repeat(1_000));
    let isEnough = false;
    const load = Promise.all(
      [0, 1].map(async (lane) => {
        for (let i = 0; !isEnough; i++) await put(store, `w${lane}.${i % 9}`, `${i}`);
      }),
    );
    const file = path.join(folder, 'copy.db');
    const { seq, records } = await store.backup(file);
    isEnough = true;
    await load;
    const at = fs.mkdtempSync(path.join(folder, 'restored-'));
    fs.copyFileSync(file, path.join(at, 'store-1.db'));
    const restored = await open({}, at);
    assert.deepEqual(await restored.changes(0, 1_000_000), (await store.changes(0, 1_000_000)).slice(0, seq));
    const found = await restored.find(notes);
    assert.equal(found.length, records);
    const last = new Map((await restored.changes(0, 1_000_000)).map((change) => [change.id, change.version]));
    assert.deepEqual(new Map(found.map(({ id, version }) => [id, version])), last);
    for (const { id, version, value } of found) {
      // The writers count on: of each record the value of every version is known.
      const counted = /^w\d\.(\d)$/.exec(id);
      assert.equal(value.text, counted ? `${9 * (version - 1) + Number(counted[1])}` : 'x'.repeat(1_000), id);
    }
  });

  it('C35 a check finds a flipped byte, which is not served; everything else is', async () => {
    const store = await open();
    for (const id of ['a', 'b', 'c']) await put(store, id, `the text of ${id}`);
    await store.close();
    const bytes = fs.readFileSync(main());
    const at = bytes.indexOf('{"text":"the text of b"}') + 12;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    fs.writeFileSync(main(), bytes);
    const damaged = await open();
    const { isWhole, findings } = await damaged.check('full');
    assert.equal(isWhole, false);
    assert.ok(findings.some(({ code, id }) => code === 'check.record' && id === 'b'), JSON.stringify(findings)); // prettier-ignore
    await rejectsWith('data.corrupt', damaged.get(notes, 'b'));
    assert.equal((await damaged.get(notes, 'a'))?.value.text, 'the text of a');
    await rejectsWith('data.corrupt', damaged.backup(path.join(folder, 'copy.db')));
  });

  it('C37 refuses a newer schema and changes nothing; brings an older one forward, with all that is in it', async () => {
    const store = await open();
    await put(store, 'a', 'kept');
    await store.close();
    const whole = fs.readFileSync(main());
    const newer = Buffer.from(whole);
    newer.writeUInt32BE(newestSchema + 1, schemaVersionAt);
    fs.writeFileSync(main(), newer);
    for (const onDamage of ['reject', 'quarantine'] as const) {
      await rejectsWith('data.newerSchema', open({ onDamage }));
      // But for the counter of its openings, in the header.
      assert.ok(fs.readFileSync(main()).subarray(headerBytes).equals(newer.subarray(headerBytes)), onDamage);
    }
    fs.writeFileSync(main(), whole);
    assert.equal((await (await open()).get(notes, 'a'))?.value.text, 'kept');
    const before = storeMigrations.at(-2);
    if (!before) return; // this is the first schema
    const at = fs.mkdtempSync(path.join(folder, 'older-'));
    const older = await openSqlEngine(engine, path.join(at, 'store-1.db'), { wasmFile });
    migrate(older, storeMigrations.slice(0, -1));
    older.begin(true);
    const records = [...Array(300).keys()].map((i) => {
      const of = { kind: notes.kind, id: `n${i}`, version: 1 + (i % 3), epoch: 1, createdAtMs: i, updatedAtMs: 2 * i };
      return { ...of, json: JSON.stringify({ text: `text ${i}` }) };
    });
    for (const [i, record] of records.entries()) {
      insertRecord(older, record);
      const { kind, id, version, updatedAtMs: atMs } = record;
      insertChange(older, { seq: i + 1, kind, id, op: 'put', version, atMs });
    }
    older.commit();
    older.close();
    const { store: forward, report } = await openFileStore(at, { engine });
    opened.push(forward);
    assert.equal(report.migratedFromVersion, before.version);
    const found = await forward.find(notes);
    const forwarded = found.map(({ value, ...record }) => ({ ...record, json: JSON.stringify(value) }));
    const byId = (a: { readonly id: string }, b: { readonly id: string }): number => (a.id < b.id ? -1 : 1);
    assert.deepEqual(forwarded.toSorted(byId), records.toSorted(byId));
    assert.deepEqual(
      (await forward.changes(0, 1_000)).map(({ seq, id, version }) => [seq, id, version]),
      records.map(({ id, version }, i) => [i + 1, id, version]),
    );
    assert.deepEqual(
      (await forward.find(notes, { where: { text: 'text 7' } })).map(({ id }) => id),
      ['n7'],
    );
    await put(forward, 'b', 'goes on');
    assert.equal((await forward.check('full')).isWhole, true);
  });
}

async function rejectsWith(code: DataErrorCode, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error) => DataError.is(error, code) || assert.fail(`${String(error)}, not ${code}`));
}
