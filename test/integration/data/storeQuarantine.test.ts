import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { SystemClock } from '../../../src/core/base/clock';
import { silentLogger } from '../../../src/core/base/log';
import { DataError } from '../../../src/core/data/dataErrors';
import type { Collection } from '../../../src/core/data/dataStore';
import { connectStore, startWorkerThread } from '../../../src/core/data/node/openDataStore';
import { openStoreSession, type StoreSettings } from '../../../src/core/data/node/openStoreSession';
import { readHighWater } from '../../../src/core/data/node/highWater';
import type { StartThread, StoreThread } from '../../../src/core/data/node/storeConnection';
import { findStore } from '../../../src/core/data/node/storeFiles';
import type { OpenReport } from '../../../src/core/data/node/storeProtocol';
import { prepareRestore } from '../../../src/core/data/node/storeRestore';
import { checkHere } from '../../support/checkHere';
import { FaultyFileSystem } from '../../support/crashFs';
import { eventually } from '../../support/eventually';
import { buildStoreWorker, openFileStore, temporaryFolder, wasmFile } from '../../support/storeWorker';
import { defaultSettings, openInProcess } from '../../support/storeWorkerInProcess';

interface Note {
  readonly text: string;
}
const notes: Collection<Note> = { kind: 'note', indexes: ['text'], parse: (value) => value as Note };
const DAMAGED = 'something else '.repeat(1_000);

describe('a damaged store that was put aside', () => {
  let folder: string;
  let remove: () => void;
  beforeEach(() => ({ folder, remove } = temporaryFolder()));
  afterEach(() => remove());

  const noteFile = (): string => path.join(folder, 'store.quarantined');
  const mainFile = (): string => findStore(folder)?.main ?? assert.fail('there is no store');

  /** A closed store with a few records. */
  async function fill(): Promise<void> {
    const { store } = await openFileStore(folder);
    for (let i = 0; i < 5; i++) await store.tx((tx) => tx.put(notes, `n${i}`, { text: `text ${i}` }));
    await store.close();
  }

  async function damage(text = DAMAGED): Promise<void> {
    await fill();
    fs.writeFileSync(mainFile(), text);
  }

  /** Opens as the engine does, and closes. */
  async function reportOf(acceptMissingChanges = false): Promise<OpenReport> {
    const { store, report } = await openFileStore(folder, { onDamage: 'quarantine', acceptMissingChanges });
    await store.close();
    return report;
  }

  /** In threads of its own, which can be ended; `beforeRestart` is called when the first has ended, before another takes over. */
  async function connect(settings: Partial<StoreSettings>, beforeRestart: () => void) {
    const threads: StoreThread[] = [];
    const all = { ...defaultSettings, folder, ...settings };
    const start = startWorkerThread(await buildStoreWorker(), all, silentLogger);
    const recording: StartThread = (...args) => {
      if (threads.length === 1) beforeRestart();
      const thread = start(...args);
      threads.push(thread);
      return thread;
    };
    return { threads, ...(await connectStore(recording, 1, { runCheck: checkHere })) };
  }

  const asides = (report: OpenReport): readonly string[] | undefined =>
    report.quarantined?.files.map((file) => fs.readFileSync(file, 'utf8'));

  it('is told at every opening, until a person goes on without it; it stays where it is', async () => {
    await damage();
    const first = await reportOf();
    const second = await reportOf();
    assert.deepEqual([first.isNew, second.isNew, asides(second)], [true, false, [DAMAGED]]);
    assert.deepEqual(second.quarantined, first.quarantined);
    assert.ok(Math.abs((first.quarantined?.atMs ?? 0) - Date.now()) < 60_000);
    assert.equal(fs.statSync(noteFile()).mode & 0o777, 0o600);
    assert.equal((await reportOf(true)).quarantined, undefined);
    assert.equal((await reportOf()).quarantined, undefined);
    assert.ok((first.quarantined?.files ?? []).every((file) => fs.existsSync(file)));
  });

  it('is told with another one that follows, and not beside one that was accepted', async () => {
    await damage('the first '.repeat(1_000));
    await reportOf();
    await damage('the second '.repeat(1_000));
    const both = ['the first '.repeat(1_000), 'the second '.repeat(1_000)];
    assert.deepEqual(asides(await reportOf()), both);
    await reportOf(true);
    await damage('the third '.repeat(1_000));
    assert.deepEqual(asides(await reportOf(true)), ['the third '.repeat(1_000)], 'found by the opening that accepts');
    assert.deepEqual(asides(await reportOf()), ['the third '.repeat(1_000)]);
  });

  it('is told also when the new store could not be begun at once', async () => {
    await damage();
    const files = new FaultyFileSystem();
    files.simulateFullDisk(true);
    const failed = openInProcess(folder, files, { onDamage: 'quarantine' });
    await assert.rejects(failed, (error) => DataError.is(error, 'data.io'));
    const report = await reportOf();
    assert.deepEqual([report.isNew, asides(report)], [true, [DAMAGED]]);
  });

  for (const point of ['quarantine.noted', 'quarantine.aside'] as const)
    it(`is told when everything ended at ${point}`, async () => {
      await damage();
      const at = (reached: string): void => {
        if (reached === point) throw new Error('it ends here');
      };
      const ports = { clock: new SystemClock(), log: silentLogger, at };
      const ended = openStoreSession({ ...defaultSettings, folder, onDamage: 'quarantine' }, ports);
      await assert.rejects(ended, /it ends here/);
      assert.deepEqual(asides(await reportOf()), [DAMAGED]);
      assert.deepEqual(asides(await reportOf()), [DAMAGED]);
    });

  it('is not told when it was not moved after all, or was taken away', async () => {
    await fill();
    const name = `${path.basename(mainFile())}.corrupt-2026-01-01T000000000Z`;
    fs.writeFileSync(noteFile(), JSON.stringify({ files: [name], atMs: 1 }));
    assert.equal((await reportOf()).quarantined, undefined);
  });

  it('is not touched while that it is put aside cannot be noted', async () => {
    await damage();
    fs.mkdirSync(`${noteFile()}.tmp`);
    const refused = openFileStore(folder, { onDamage: 'quarantine' });
    await assert.rejects(refused, (error) => DataError.is(error, 'data.io'));
    assert.equal(fs.readFileSync(mainFile(), 'utf8'), DAMAGED);
  });

  const damagedNotes: Readonly<Record<string, (text: string) => string>> = {
    'an empty note': () => '',
    'a note that was cut': (text) => text.slice(0, 20),
    'a note of something else': () => '[1, {}]',
    'a note whose names are damaged': (text) => text.replace('store-', 'stoqe-'),
    'a note without names': () => '{"files": [], "atMs": 1e300}',
  };
  for (const [what, change] of Object.entries(damagedNotes))
    it(`is told by ${what}, without what that does not say`, async () => {
      await damage();
      await reportOf();
      fs.writeFileSync(noteFile(), change(fs.readFileSync(noteFile(), 'utf8')));
      assert.deepEqual((await reportOf()).quarantined?.files, []);
      assert.deepEqual((await reportOf(true)).quarantined, undefined);
    });

  it('is told no more once a backup has taken the place', async () => {
    await fill();
    const { store } = await openFileStore(folder);
    const backup = path.join(folder, 'copy.db');
    await store.backup(backup);
    await store.close();
    fs.writeFileSync(mainFile(), DAMAGED);
    assert.deepEqual(asides(await reportOf()), [DAMAGED]);
    await prepareRestore({ folder, backup, runCheck: checkHere, wasmFile });
    assert.ok(fs.existsSync(noteFile()), 'not before it has');
    const { restored, quarantined } = await reportOf();
    assert.deepEqual([restored?.backup, quarantined, fs.existsSync(noteFile())], [backup, undefined, false]);
  });

  it('R3 is not replaced by an empty one when its thread crashes: nothing is written any more, and the reason is told', async () => {
    let main = '';
    const { store, threads } = await connect({ onDamage: 'quarantine' }, () => {
      for (const file of fs.readdirSync(folder)) if (file !== path.basename(main)) fs.rmSync(path.join(folder, file));
      fs.writeFileSync(main, DAMAGED);
    });
    try {
      for (let i = 0; i < 5; i++) await store.tx((tx) => tx.put(notes, `n${i}`, { text: `text ${i}` }));
      main = mainFile();
      await threads[0]?.terminate();
      await eventually('it was looked at', () => /damaged/.test(store.health.reason ?? ''));
      assert.deepEqual([threads.length, store.health.isReadOnly, store.health.seq], [2, true, 5]);
      await assert.rejects(store.tx((tx) => tx.put(notes, 'after', { text: 'x' })), (error) => DataError.is(error, 'data.io')); // prettier-ignore
      await assert.rejects(store.backup(path.join(folder, 'b.db')), (error) => DataError.is(error, 'data.corrupt'));
      assert.equal(fs.readFileSync(main, 'utf8'), DAMAGED);
    } finally {
      await store.close();
    }
    assert.deepEqual(asides(await reportOf()), [DAMAGED], 'the next opening puts it aside and tells it');
  });

  it('R3 is missing no changes in silence when its thread crashes after a person accepted others', async () => {
    await fill();
    const main = mainFile();
    const before = fs.readFileSync(main);
    const { store, threads } = await connect({ acceptMissingChanges: true }, () => {
      fs.rmSync(`${main}-wal`, { force: true });
      fs.writeFileSync(main, before); // as if the last change had never reached the disk
    });
    try {
      await store.tx((tx) => tx.put(notes, 'more', { text: 'x' }));
      const { highWater } = findStore(folder) ?? assert.fail('there is no store');
      await eventually('it is noted, right behind its acknowledgement', () => {
        assert.deepEqual(readHighWater(highWater), { kind: 'seq', seq: 6 });
        return true;
      });
      await threads[0]?.terminate();
      await eventually('it is back', () => {
        assert.match(store.health.reason ?? '', /Changes 6 to 6/);
        return threads.length === 2;
      });
      await assert.rejects(store.tx((tx) => tx.put(notes, 'after', { text: 'x' })), (error) => DataError.is(error, 'data.readOnly')); // prettier-ignore
    } finally {
      await store.close();
    }
  });
});
