import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { silentLogger } from '../../../src/core/base/log';
import { DataError, type DataErrorCode } from '../../../src/core/data/dataErrors';
import type { Collection, DataStore } from '../../../src/core/data/dataStore';
import { AutomaticBackups, automaticBackups, backUpBeforeSchema } from '../../../src/core/data/node/automaticBackups';
import { checkHere } from '../../support/checkHere';
import { eventually } from '../../support/eventually';
import { findStore } from '../../../src/core/data/node/storeFiles';
import { isBackupFile } from '../../../src/core/data/node/storeHeader';
import { cancelRestore, prepareRestore } from '../../../src/core/data/node/storeRestore';
import { journalIsWhole, sqlite3Check } from '../../support/sqlite3';
import { ManualClock } from '../../support/manualClock';
import { openFileStore, temporaryFolder, wasmFile } from '../../support/storeWorker';

interface Note {
  readonly text: string;
}
const notes: Collection<Note> = { kind: 'note', indexes: ['text'], parse: (value) => value as Note };

async function rejectsWith(code: DataErrorCode, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error) => DataError.is(error, code) || assert.fail(`${String(error)}, not ${code}`));
}

describe('backups of a store', () => {
  let folder: string;
  let remove: () => void;
  const opened: DataStore[] = [];
  const open: typeof openFileStore = async (...args) => {
    const result = await openFileStore(...args);
    opened.push(result.store);
    return result;
  };
  const main = (): string => findStore(folder)?.main ?? assert.fail('there is no store');
  const restore = (backup: string): ReturnType<typeof prepareRestore> =>
    prepareRestore({ folder, backup, runCheck: checkHere, wasmFile });

  beforeEach(() => ({ folder, remove } = temporaryFolder()));
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close().catch(() => undefined); // a failed test must not keep a thread
    remove();
  });

  it('C34 one is restored at the next opening, and the former store is kept aside', async () => {
    const first = await open(folder);
    await first.store.tx((tx) => tx.put(notes, 'a', { text: 'old' }));
    const file = path.join(folder, 'copy.db');
    await first.store.backup(file);
    await first.store.tx((tx) => tx.put(notes, 'a', { text: 'new' }));
    const report = await restore(file);
    assert.deepEqual([report.seq, report.records], [1, 1]);
    assert.equal((await first.store.get(notes, 'a'))?.value.text, 'new', 'nothing has changed yet');
    await first.store.close();
    const second = await open(folder);
    assert.equal((await second.store.get(notes, 'a'))?.value.text, 'old');
    assert.deepEqual([second.report.isNew, second.report.missingChanges], [false, undefined]);
    await second.store.tx((tx) => tx.put(notes, 'b', { text: 'in the log' }));
    assert.equal(await sqlite3Check(folder, journalIsWhole), 'ok\n1\n');
    const aside = second.report.restored?.replacedFile ?? assert.fail('the former store is not told');
    const sql = "SELECT json_extract(value, '$.text') FROM records; PRAGMA integrity_check";
    assert.equal(execFileSync('sqlite3', [aside, sql], { encoding: 'utf8' }), 'new\nok\n');
    await second.store.tx((tx) => tx.put(notes, 'b', { text: 'goes on' }));
    await second.store.close();
    const third = await open(folder);
    assert.equal(third.report.restored, undefined, 'once only');
    assert.deepEqual(
      (await third.store.find(notes)).map((record) => record.id),
      ['a', 'b'],
    );
    assert.equal((await third.store.check('full')).isWhole, true);
  });

  it('R5 C34 one is restored while others write: none of theirs is in it, and each that was confirmed is in the store that is kept aside', async () => {
    const { store } = await open(folder);
    const acked: string[] = [];
    let isOver = false;
    const writer = async (lane: number): Promise<void> => {
      for (let n = 0; !isOver; n++) {
        const ids = [`${lane}-${n}-left`, `${lane}-${n}-right`];
        const write = store.tx((tx) => ids.forEach((id) => tx.put(notes, id, { text: 'x' })));
        const isKept = await write.then(
          () => true,
          (error: unknown) => (DataError.is(error, 'data.closed') ? false : assert.fail(String(error))),
        );
        if (!isKept) return;
        acked.push(...ids);
      }
    };
    const load = Promise.all([0, 1, 2, 3].map(writer));
    const enough = (count: number) => eventually(`${count} are written`, () => acked.length >= count);
    await enough(40);
    const file = path.join(folder, 'copy.db');
    const { seq, records } = await store.backup(file);
    await enough(acked.length + 40);
    await restore(file);
    await enough(acked.length + 40);
    await store.close();
    isOver = true;
    await load;

    const { store: restored, report } = await open(folder);
    const ids = (await restored.find(notes)).map(({ id }) => id);
    assert.deepEqual([ids.length, restored.health.seq], [records, seq]);
    assert.equal(ids.filter((id) => id.endsWith('left')).length * 2, records, 'half a transaction');
    assert.ok(records < acked.length);
    const aside = fs.mkdtempSync(path.join(folder, 'aside-'));
    const replaced = report.restored?.replacedFile ?? assert.fail('the former store is not told');
    const names = fs.readdirSync(folder).filter((name) => name.includes('.replaced-'));
    for (const name of names)
      fs.copyFileSync(path.join(folder, name), path.join(aside, name.replace(/\.replaced-.*$/, '')));
    assert.ok(names.includes(path.basename(replaced)));
    const { store: former } = await open(aside);
    const kept = new Set((await former.find(notes)).map(({ id }) => id));
    assert.deepEqual(acked.filter((id) => !kept.has(id)), []); // prettier-ignore
  });

  it('an interrupted restore is finished by the next opening, wherever it stopped', async () => {
    const { store } = await open(folder);
    for (let i = 0; i < 5; i++) await store.tx((tx) => tx.put(notes, `n${i}`, { text: 'x' }));
    const file = path.join(folder, 'copy.db');
    await store.backup(file);
    await store.tx((tx) => tx.put(notes, 'later', { text: 'x' }));
    await store.close();
    const names = fs.readdirSync(folder).filter((name) => name.startsWith('store-'));
    const whole = names.map((name) => [name, fs.readFileSync(path.join(folder, name))] as const);
    for (let moved = 0; moved <= names.length; moved++) {
      for (const name of fs.readdirSync(folder)) if (name.startsWith('store')) fs.rmSync(path.join(folder, name));
      for (const [name, bytes] of whole) fs.writeFileSync(path.join(folder, name), bytes);
      await restore(file);
      for (const name of names.slice(0, moved)) {
        fs.renameSync(path.join(folder, name), path.join(folder, `${name}.replaced-before`));
      }
      const again = await open(folder);
      assert.equal((await again.store.find(notes)).length, 5, `${moved} moved`);
      assert.deepEqual([again.report.isNew, again.report.missingChanges], [false, undefined], `${moved} moved`);
      await again.store.close();
    }
  });

  it('nothing that is damaged or not ours is taken over, and a prepared restore can be taken back', async () => {
    const { store } = await open(folder);
    await store.tx((tx) => tx.put(notes, 'a', { text: 'to be damaged' }));
    const file = path.join(folder, 'copy.db');
    await store.backup(file);
    await store.tx((tx) => tx.put(notes, 'b', { text: 'x' }));
    await restore(file);
    cancelRestore(folder);
    const whole = fs.readFileSync(file);
    const bytes = Buffer.from(whole);
    const at = bytes.indexOf('to be damaged');
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    fs.writeFileSync(file, bytes);
    await rejectsWith('data.corrupt', restore(file));
    fs.writeFileSync(file, whole.subarray(0, whole.length - 4096));
    await rejectsWith('data.corrupt', restore(file));
    fs.writeFileSync(file, 'a letter');
    await rejectsWith('data.fileUnusable', restore(file));
    await rejectsWith('data.fileUnusable', restore(main()));
    await rejectsWith('data.fileUnusable', restore(path.join(folder, 'none.db')));
    await store.close();
    const again = await open(folder);
    assert.equal((await again.store.find(notes)).length, 2);
    assert.equal(again.report.restored, undefined);
    assert.deepEqual(
      fs.readdirSync(folder).filter((name) => name.endsWith('.tmp')),
      [],
    );
  });

  it('are made at most daily, when something has changed, and the oldest are removed', async () => {
    const { store } = await open(folder);
    const clock = new ManualClock(Date.UTC(2026, 10, 23, 8));
    const day = 24 * 60 * 60 * 1000;
    const backups = new AutomaticBackups({ store, folder, keep: 3, clock, log: silentLogger });
    const put = (text: string): Promise<void> => store.tx((tx) => tx.put(notes, 'a', { text }));
    assert.equal(await backups.backUpIfDue(), undefined, 'an empty store is not backed up');
    const made: (number | undefined)[] = [];
    for (let i = 0; i < 5; i++) {
      await put(`day ${i}`);
      made.push((await backups.backUpIfDue())?.seq);
      await put(`day ${i}, later`);
      made.push((await backups.backUpIfDue())?.seq);
      await clock.advanceMs(day);
    }
    assert.deepEqual(made, [1, undefined, 3, undefined, 5, undefined, 7, undefined, 9, undefined]);
    const kept = automaticBackups(folder);
    assert.deepEqual(
      kept.map((backup) => backup.seq),
      [9, 7, 5],
    );
    assert.equal(fs.statSync(path.dirname(kept[0]?.file ?? '')).mode & 0o777, 0o700);
    await backups.backUpIfDue();
    await clock.advanceMs(day);
    assert.equal(await backups.backUpIfDue(), undefined, 'nothing has changed');
    await restore(kept[1]?.file ?? '');
    backups.dispose();
    await store.close();
    const again = await open(folder);
    assert.equal((await again.store.get(notes, 'a'))?.value.text, 'day 3');
    const none = new AutomaticBackups({ store: again.store, folder, keep: 0, clock, log: silentLogger });
    assert.equal(await none.backUpIfDue(), undefined);
    none.dispose();
  });

  it('are made by themselves while a store is open', async () => {
    const clock = new ManualClock(Date.UTC(2026, 10, 23, 8));
    const { store } = await open(folder, { clock, keptBackups: 2 });
    await store.tx((tx) => tx.put(notes, 'a', { text: 'x' }));
    await clock.advanceMs(60_000);
    const deadline = Date.now() + 10_000;
    while (automaticBackups(folder).length === 0 && Date.now() < deadline) await new Promise((r) => setImmediate(r));
    assert.equal(automaticBackups(folder).length, 1);
    await store.close();
    const bytes = fs.readFileSync(main());
    const at = bytes.indexOf('{"text":"x"}');
    bytes[at + 9] = (bytes[at + 9] ?? 0) ^ 1;
    fs.writeFileSync(main(), bytes);
    let told = 0;
    const damaged = await open(folder, { clock, keptBackups: 2, onBackupDamage: () => void told++ });
    await damaged.store.tx((tx) => tx.put(notes, 'b', { text: 'y' }));
    await clock.advanceMs(26 * 60 * 60 * 1000);
    await eventually('it is told', () => told > 0);
    assert.equal(automaticBackups(folder).length, 1, 'the one from before is kept');
  });

  it('R5 C37 one is made before the schema changes, readable by another SQLite', async () => {
    const { store } = await open(folder);
    await store.tx((tx) => tx.put(notes, 'a', { text: 'x' }));
    await store.close();
    const made = [1, 2, 3, 4, 5].map((minute) =>
      backUpBeforeSchema(folder, main(), 9, Date.UTC(2026, 10, 23, 8, minute)),
    );
    assert.deepEqual(
      made.map((file) => fs.existsSync(file)),
      [false, false, true, true, true],
    );
    const file = made[4] ?? '';
    assert.ok(isBackupFile(file));
    assert.equal(execFileSync('sqlite3', ['-readonly', file, 'PRAGMA integrity_check'], { encoding: 'utf8' }), 'ok\n');
    await restore(file);
  });
});
