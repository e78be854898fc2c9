// Runs alone: how long the event loop is held up is measured.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { DataError, type DataErrorCode } from '../../../src/core/data/dataErrors';
import type { Collection, DataStore, StoreHealth } from '../../../src/core/data/dataStore';
import { openSqlJsEngine } from '../../../src/core/data/node/sqlJsEngine';
import { findStore } from '../../../src/core/data/node/storeFiles';
import { applicationId, migrate, newestSchema, storeMigrations } from '../../../src/core/data/node/storeSchema';
import { FaultyFileSystem } from '../../support/crashFs';
import { checkHere } from '../../support/checkHere';
import { eventually } from '../../support/eventually';
import { silentLogger } from '../../../src/core/base/log';
import { connectStore, startWorkerThread } from '../../../src/core/data/node/openDataStore';
import type { StartThread, StoreThread } from '../../../src/core/data/node/storeConnection';
import * as threaded from '../../support/storeWorker';
import * as inProcess from '../../support/storeWorkerInProcess';

interface Note {
  readonly text: string;
}
const parse = (value: unknown): Note => value as Note;
const notes: Collection<Note> = { kind: 'note', indexes: ['text'], parse };
const metrics: Collection<Note> = { kind: 'metric', indexes: [], durability: 'normal', parse };

async function rejectsWith(code: DataErrorCode, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error) => DataError.is(error, code) || assert.fail(`${String(error)}, not ${code}`));
}

/** The pages of a store that was closed. */
function mainFile(folder: string): string {
  const store = findStore(folder);
  assert.ok(store);
  return store.main;
}

describe('the store under faults', () => {
  let folder: string;
  let remove: () => void;
  beforeEach(() => ({ folder, remove } = threaded.temporaryFolder()));
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close().catch(() => undefined); // a failed test must not keep a thread
    remove();
  });

  const opened: DataStore[] = [];
  const openFileStore: typeof threaded.openFileStore = async (...args) => {
    const result = await threaded.openFileStore(...args);
    opened.push(result.store);
    return result;
  };
  const openInProcess: typeof inProcess.openInProcess = async (...args) => {
    const result = await inProcess.openInProcess(...args);
    opened.push(result.store);
    return result;
  };

  /** A closed store with `count` notes. */
  const fill = async (count: number): Promise<void> => {
    const { store } = await openFileStore(folder);
    for (let i = 0; i < count; i++) await store.tx((tx) => tx.put(notes, `n${i}`, { text: `text number ${i}` }));
    await store.close();
  };

  it('C36 a full disk gives no acknowledgement, makes it read-only with a reason, and it recovers by itself', async function () {
    this.timeout(20_000);
    const files = new FaultyFileSystem();
    const { store } = await openInProcess(folder, files);
    const healths: StoreHealth[] = [];
    store.onDidChangeHealth((health) => healths.push(health));
    await store.tx((tx) => tx.put(notes, 'before', { text: 'x' }));
    files.simulateFullDisk(true);
    await rejectsWith(
      'data.readOnly',
      store.tx((tx) => tx.put(notes, 'during', { text: 'x' })),
    );
    await rejectsWith(
      'data.readOnly',
      store.tx((tx) => tx.put(notes, 'during', { text: 'x' })),
    );
    assert.deepEqual([store.health.isReadOnly, store.health.seq], [true, 1]);
    assert.match(store.health.reason ?? '', /space/);
    assert.equal((await store.get(notes, 'before'))?.value.text, 'x');
    files.simulateFullDisk(false);
    await eventually('it recovers', () => !store.health.isReadOnly);
    await store.tx((tx) => tx.put(notes, 'after', { text: 'x' }));
    assert.deepEqual(
      (await store.find(notes)).map((r) => r.id),
      ['after', 'before'],
    );
    assert.deepEqual(
      (await store.changes(0)).map((c) => [c.seq, c.id]),
      [
        [1, 'before'],
        [2, 'after'],
      ],
    );
    assert.deepEqual(
      healths.map((health) => health.isReadOnly),
      [true, false],
    );
    await store.close();
  });

  it('a failing sync is an unknown outcome, not an acknowledgement, whichever call fails', async function () {
    this.timeout(60_000);
    const files = new FaultyFileSystem();
    const { store } = await openInProcess(folder, files);
    const acked: string[] = [];
    for (const call of ['dataSync', 'write'] as const) {
      for (let k = 0; k < 4; k++) {
        let seen = 0;
        files.fault = (made) => (made === call && seen++ === k ? 'EIO' : undefined);
        for (let i = 0; i < 3; i++) {
          const id = `${call}${k}.${i}`;
          const done = await store
            .tx((tx) => tx.put(notes, id, { text: id }))
            .then(
              () => true,
              (error: unknown) => {
                assert.ok(DataError.is(error, 'data.io') || DataError.is(error, 'data.readOnly'), String(error));
                return false;
              },
            );
          if (done) acked.push(id);
        }
        files.fault = undefined;
        await eventually('it recovers', () => !store.health.isReadOnly);
      }
    }
    await store.close();
    const { store: again } = await openFileStore(folder);
    const found = new Set((await again.find(notes)).map((record) => record.id));
    assert.ok(acked.length > 8);
    assert.deepEqual(
      acked.filter((id) => !found.has(id)),
      [],
    );
    await again.close();
  });

  it('partial writes and reads change nothing', async () => {
    const files = new FaultyFileSystem();
    files.chunkBytes = 100;
    const { store } = await openInProcess(folder, files);
    await store.tx((tx) => tx.put(notes, 'a', { text: 'y'.repeat(50_000) }));
    await store.close();
    const { store: again } = await openFileStore(folder);
    assert.equal((await again.get(notes, 'a'))?.value.text.length, 50_000);
    await again.close();
  });

  it('C32 a store whose epoch is not the highest any more writes nothing, for good', async () => {
    fs.writeFileSync(path.join(folder, 'lock.1'), '');
    const ownership = {
      epoch: 1,
      hasStaleWriter: false,
      isStillMine: () => true,
      confirmFreshFiles: () => undefined,
      release: () => undefined,
    };
    const { store } = await openFileStore(folder, { ownership });
    await store.tx((tx) => tx.put(notes, 'a', { text: 'mine' }));
    fs.writeFileSync(path.join(folder, 'lock.2'), '');
    const before = fs.readFileSync(`${mainFile(folder)}-wal`);
    await rejectsWith(
      'data.fenced',
      store.tx((tx) => tx.put(notes, 'b', { text: 'not mine' })),
    );
    fs.rmSync(path.join(folder, 'lock.2'));
    await rejectsWith(
      'data.fenced',
      store.tx((tx) => tx.put(notes, 'b', { text: 'still not' })),
    );
    await rejectsWith('data.fenced', store.get(notes, 'a'));
    assert.equal(store.health.isReadOnly, true);
    await store.close();
    assert.deepEqual(fs.readFileSync(`${mainFile(folder)}-wal`), before);
    await rejectsWith('data.fenced', openFileStore(folder, { ownership: { ...ownership, epoch: 7 } }));
  });

  it('C35 a flipped bit in a record is found when it is read, and the others are served', async () => {
    await fill(3);
    const main = mainFile(folder);
    const bytes = fs.readFileSync(main);
    const at = bytes.indexOf('{"text":"text number 1"}');
    assert.ok(at > 0);
    bytes[at + 12] = (bytes[at + 12] ?? 0) ^ 1;
    fs.writeFileSync(main, bytes);
    const { store } = await openFileStore(folder);
    await rejectsWith('data.corrupt', store.get(notes, 'n1'));
    await rejectsWith('data.corrupt', store.find(notes));
    await rejectsWith(
      'data.corrupt',
      store.tx((tx) => tx.put(notes, 'n1', { text: 'over it' })),
    );
    assert.equal((await store.get(notes, 'n2'))?.value.text, 'text number 2');
    await store.tx((tx) => tx.delete(notes, 'n1'));
    assert.equal((await store.find(notes)).length, 2);
    await store.close();
  });

  it('R3 an index that leads past a record is made anew from the records; nothing is missing from what is served', async () => {
    await fill(8);
    const main = mainFile(folder);
    const bytes = fs.readFileSync(main);
    const entries = ['noten3', 'text number 5n5'].map((entry) => {
      const first = bytes.indexOf(entry); // the row of the table holds more between kind and id and the text, or behind them
      const isRow = bytes.subarray(first, first + 60).includes('{"text"');
      return isRow ? bytes.indexOf(entry, first + 1) : first;
    });
    for (const at of entries) {
      assert.ok(at > 0);
      const flipped = Buffer.from(bytes);
      flipped[at + 5] = (flipped[at + 5] ?? 0) ^ 4;
      fs.writeFileSync(main, flipped);
      const { store, report } = await openFileStore(folder);
      assert.equal(report.quarantined, undefined);
      assert.equal((await store.find(notes)).length, 8);
      assert.equal((await store.get(notes, 'n3'))?.value.text, 'text number 3');
      assert.deepEqual((await store.find(notes, { where: { text: 'text number 5' } })).map(({ id }) => id), ['n5']); // prettier-ignore
      assert.ok((await store.check('full')).isWhole);
      await store.close();
    }
  });

  it('R3 a number of the last change that was altered is no highest change', async () => {
    await fill(5);
    const engine = await openSqlJsEngine(mainFile(folder), threaded.wasmFile);
    engine.exec('UPDATE changes SET seq = seq + 128 WHERE seq = 5');
    engine.close();
    await rejectsWith('data.corrupt', openFileStore(folder));
  });

  it('R3 a table whose columns have other names is damage, and no failure of the disk', async () => {
    await fill(5);
    const bytes = fs.readFileSync(mainFile(folder));
    bytes.write('creatfd', bytes.indexOf('created INTEGER'));
    fs.writeFileSync(mainFile(folder), bytes);
    await rejectsWith('data.corrupt', openFileStore(folder));
  });

  it('a log that lost its end is reported and read-only until a person accepts it', async () => {
    await fill(2);
    const { store } = await openFileStore(folder);
    const copy = fs.readFileSync(`${mainFile(folder)}-wal`);
    const main = fs.readFileSync(mainFile(folder));
    for (let i = 0; i < 5; i++) await store.tx((tx) => tx.put(notes, `more${i}`, { text: 'x' }));
    await store.close();
    fs.writeFileSync(mainFile(folder), main); // as if the last five had never reached the disk
    fs.writeFileSync(`${mainFile(folder)}-wal`, copy);
    const damaged = await openFileStore(folder);
    assert.deepEqual(damaged.report.missingChanges, { acknowledgedSeq: 7, foundSeq: 2 });
    assert.match(damaged.store.health.reason ?? '', /Changes 3 to 7/);
    await rejectsWith(
      'data.readOnly',
      damaged.store.tx((tx) => tx.put(notes, 'a', { text: 'x' })),
    );
    assert.equal((await damaged.store.find(notes)).length, 2);
    await damaged.store.close();
    const accepted = await openFileStore(folder, { acceptMissingChanges: true });
    await accepted.store.tx((tx) => tx.put(notes, 'a', { text: 'x' }));
    await accepted.store.close();
    const healed = await openFileStore(folder);
    assert.deepEqual([healed.report.missingChanges, healed.store.health.isReadOnly], [undefined, false]);
    await healed.store.close();
  });

  const damages: Readonly<Record<string, (main: string) => void>> = {
    'a file that is no database': (main) => fs.writeFileSync(main, 'something else '.repeat(1000)),
    'a file of which one byte is left': (main) => fs.truncateSync(main, 1),
    'an emptied file': (main) => fs.truncateSync(main, 0),
    'a removed file': (main) => fs.rmSync(main),
    'a file cut in half': (main) => fs.truncateSync(main, Math.floor(fs.statSync(main).size / 2)),
  };
  for (const [what, damage] of Object.entries(damages)) {
    it(`${what} is rejected, never replaced in silence; on request it is moved aside and reported`, async () => {
      await fill(200);
      const main = mainFile(folder);
      damage(main);
      const left = fs.existsSync(main) ? fs.readFileSync(main) : undefined;
      await rejectsWith('data.corrupt', openFileStore(folder));
      if (left) assert.ok(fs.readFileSync(main).equals(left), 'the damaged file is untouched');
      const { store, report } = await openFileStore(folder, { onDamage: 'quarantine' });
      assert.ok(report.isNew);
      const [aside = '', ...others] = report.quarantined?.files ?? [];
      assert.match(aside, /store-1\.db.*\.corrupt-/);
      assert.deepEqual(others, []);
      if (left) assert.ok(fs.readFileSync(aside).equals(left), 'it was kept as it was');
      assert.deepEqual(await store.find(notes), []);
      await store.close();
    });
  }

  it('C37 refuses a newer schema and brings an older one forward, in one transaction', async () => {
    await fill(1);
    const engine = await openSqlJsEngine(mainFile(folder), threaded.wasmFile);
    const version = newestSchema + 1;
    const more = [...storeMigrations, { version, statements: ['CREATE TABLE two(a)'] }];
    const broken = [...storeMigrations, { version, statements: ['CREATE TABLE two(a)', 'CREATE TABLE two(b)'] }];
    assert.throws(() => migrate(engine, broken));
    assert.equal(engine.get('PRAGMA user_version')?.[0], newestSchema);
    assert.deepEqual(migrate(engine, more), { isNew: false, fromVersion: newestSchema, version });
    assert.deepEqual(engine.get('PRAGMA application_id'), [applicationId]);
    engine.close();
    await rejectsWith('data.newerSchema', openFileStore(folder));
    await rejectsWith('data.newerSchema', openFileStore(folder, { onDamage: 'quarantine' }));
  });

  it('C37 a new store is made whole or not at all, and several steps forward are one', async () => {
    const engine = await openSqlJsEngine(path.join(folder, 'store-1.db'), threaded.wasmFile);
    const step = (version: number, statement: string) => ({ version, statements: [statement] });
    const [first, second] = [
      step(newestSchema + 1, 'CREATE TABLE two(a)'),
      step(newestSchema + 2, 'CREATE TABLE two(b)'),
    ];
    assert.throws(() => migrate(engine, [...storeMigrations, first, second]));
    assert.deepEqual(engine.get('SELECT count(*) FROM sqlite_schema'), [0]);
    assert.equal(migrate(engine).isNew, true);
    assert.throws(() => migrate(engine, [...storeMigrations, first, second]));
    assert.deepEqual(engine.get('PRAGMA user_version'), [newestSchema]);
    engine.close();
  });

  it('a crashed thread rejects what was under way, starts again once, and loses nothing acknowledged', async function () {
    this.timeout(20_000);
    const threads: StoreThread[] = [];
    const settings = { ...inProcess.defaultSettings, folder };
    const start = startWorkerThread(await threaded.buildStoreWorker(), settings, silentLogger);
    const recording: StartThread = (...args) => {
      const thread = start(...args);
      threads.push(thread);
      return thread;
    };
    const { store } = await connectStore(recording, 1, { runCheck: checkHere });
    opened.push(store);
    const reasons: (string | undefined)[] = [];
    store.onDidChangeHealth((health) => reasons.push(health.reason));
    await store.tx((tx) => tx.put(notes, 'a', { text: 'kept' }));
    const underWay = store.tx((tx) => tx.put(notes, 'u', { text: 'unknown' }));
    const refused = assert.rejects(underWay, (error) => DataError.is(error, 'data.io'));
    await Promise.resolve(); // the callback has run, its writes are not posted yet
    await threads[0]?.terminate();
    await refused;
    await eventually('it is back', () => threads.length === 2 && !store.health.isReadOnly);
    assert.equal((await store.get(notes, 'a'))?.value.text, 'kept');
    await store.tx((tx) => tx.put(notes, 'b', { text: 'again' }));
    assert.deepEqual(await store.find(notes, { where: { text: 'again' } }).then((found) => found.map((r) => r.id)), [
      'b',
    ]);
    await threads[1]?.terminate();
    await rejectsWith('data.io', store.get(notes, 'a'));
    await rejectsWith(
      'data.io',
      store.tx((tx) => tx.put(notes, 'c', { text: 'x' })),
    );
    assert.equal(threads.length, 2, 'what crashes twice is not started for ever');
    assert.equal(reasons.length, 3);
    assert.match(reasons[2] ?? '', /crashed/);
    await store.close();
  });

  it('normal durability acknowledges without a sync and syncs within about a second', async () => {
    const files = new FaultyFileSystem();
    const { store } = await openInProcess(folder, files);
    const before = files.counts.dataSync;
    await store.tx((tx) => tx.put(metrics, 'm', { text: 'x' }));
    assert.equal(files.counts.dataSync, before);
    await eventually('it is synced', () => files.counts.dataSync > before, { timeoutMs: 3_000 });
    await store.close();
  });

  it('512 writers at once share commits: far fewer syncs than transactions', async () => {
    const files = new FaultyFileSystem();
    const { store } = await openInProcess(folder, files);
    const rounds = 4;
    await store.tx((tx) => tx.put(notes, 'first', { text: 'the index is made' }));
    const before = files.counts.dataSync;
    const writer = async (lane: number): Promise<void> => {
      for (let i = 0; i < rounds; i++) await store.tx((tx) => tx.put(notes, `w${lane}.${i}`, { text: 'x' }));
    };
    await Promise.all([...Array(512).keys()].map(writer));
    const syncs = files.counts.dataSync - before;
    assert.equal(store.health.seq, 1 + 512 * rounds);
    assert.ok(syncs >= rounds && syncs <= (512 * rounds) / 16, `${syncs} syncs for ${512 * rounds} transactions`);
    await store.close();
  });

  it('512 writers at once leave the thread responsive', async function () {
    this.timeout(60_000);
    const { store } = await openFileStore(folder);
    const body = 'x'.repeat(1000);
    let next = 0;
    const until = performance.now() + 2_000;
    const delay = monitorEventLoopDelay({ resolution: 1 });
    const writer = async (): Promise<void> => {
      while (performance.now() < until) {
        const id = `w${next++}`;
        await store.tx((tx) => tx.put(notes, id, { text: body }));
      }
    };
    delay.enable();
    await Promise.all(Array.from({ length: 512 }, writer));
    delay.disable();
    const p99Ms = delay.percentile(99) / 1e6;
    process.stdout.write(
      `      512 writers: ${Math.round(next / 2)} commits/s, loop delay p50 ${(delay.percentile(50) / 1e6).toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms\n`,
    );
    assert.ok(p99Ms < 100, `loop delay p99 ${p99Ms} ms`); // the goal of 10 ms is a figure of the bench
    assert.equal(store.health.seq, next);
    await store.close();
  });

  it('close leaves no handle behind', async () => {
    const handles = (): string[] =>
      process
        .getActiveResourcesInfo()
        .filter((name) => name === 'MessagePort' || name === 'Worker')
        .sort();
    const before = handles();
    const { store } = await openFileStore(folder);
    await store.tx((tx) => tx.put(notes, 'a', { text: 'x' }));
    await store.close();
    await eventually('they are gone', () => handles().length <= before.length);
    const open = fs.readdirSync('/proc/self/fd').map((fd) => {
      try {
        return fs.readlinkSync(`/proc/self/fd/${fd}`, 'utf8');
      } catch {
        return ''; // the listing's own descriptor
      }
    });
    assert.deepEqual(
      open.filter((name) => name.startsWith(folder)),
      [],
    );
  });
});
