import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { silentLogger } from '../../../src/core/base/log';
import { DataError, type DataErrorCode } from '../../../src/core/data/dataErrors';
import type { Collection } from '../../../src/core/data/dataStore';
import type { DurableStore } from '../../../src/core/data/durableStore';
import { HighWater } from '../../../src/core/data/node/highWater';
import { nodeFileSystem } from '../../../src/core/data/node/fileSystem';
import { NodeStoreKeeper } from '../../../src/core/data/node/nodeStoreKeeper';
import { findStore } from '../../../src/core/data/node/storeFiles';
import { type KeptCheck, StoreCare } from '../../../src/core/data/storeCare';
import { checkHere } from '../../support/checkHere';
import { ManualClock } from '../../support/manualClock';
import { openFileStore, temporaryFolder, wasmFile } from '../../support/storeWorker';

interface Note {
  readonly text: string;
}
const notes: Collection<Note> = { kind: 'note', indexes: ['text'], parse: (value) => value as Note };

async function rejectsWith(code: DataErrorCode, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error) => DataError.is(error, code) || assert.fail(`${String(error)}, not ${code}`));
}

describe('looking after a store', () => {
  let folder: string;
  let remove: () => void;
  let store: DurableStore | undefined;
  const clock = new ManualClock(Date.UTC(2026, 10, 23, 8));
  const checks: KeptCheck[] = [];
  const main = (): string => findStore(folder)?.main ?? assert.fail('there is no store');
  const open = async (): ReturnType<typeof openFileStore> => {
    await store?.close();
    const opened = await openFileStore(folder);
    ({ store } = opened);
    return opened;
  };
  const careOf = (of: DurableStore): StoreCare => {
    const keeper = new NodeStoreKeeper({ folder, runCheck: checkHere, wasmFile });
    return new StoreCare({
      store: of,
      keeper,
      clock,
      log: silentLogger,
      onDidCheck: (check) => void checks.push(check),
    });
  };
  const put = async (id: string, text: string): Promise<void> => store?.tx((tx) => tx.put(notes, id, { text }));
  const backupNames = async (care: StoreCare): Promise<string[]> =>
    (await care.status()).backups.map(({ file }) => path.basename(file));

  beforeEach(() => ({ folder, remove } = temporaryFolder()));
  afterEach(async () => {
    await store?.close();
    store = undefined;
    checks.length = 0;
    remove();
  });

  it('tells engine, sizes, backups and the last check, and keeps what a check found', async () => {
    const care = careOf((await open()).store);
    await put('a', 'x');
    const empty = await care.status();
    assert.deepEqual([empty.backups, empty.backupBytes, empty.lastCheck, empty.asideBytes], [[], 0, undefined, 0]);
    assert.ok(empty.engine.startsWith('sql.js') && empty.mainBytes > 0 && empty.walBytes > 0 && empty.file === main());
    await care.backUp(undefined, {});
    await care.check('full', 'schedule', {});
    const { backups, backupBytes, lastCheck } = await care.status();
    const [made] = backups;
    assert.deepEqual([made?.kind, made?.takenAtMs, made?.seq, made?.isChecked], ['manual', clock.nowMs(), 1, true]);
    assert.match(made?.sqliteVersion ?? '', /^3\.\d+\.\d+$/);
    assert.deepEqual([backupBytes, made?.schemaVersion], [made?.sizeBytes, empty.schemaVersion]);
    assert.deepEqual([lastCheck?.report.isWhole, lastCheck?.cause, checks.length], [true, 'schedule', 1]);
  });

  it('a restore is told once, also when the process ended before it could be told; the store before is a backup', async () => {
    const care = careOf((await open()).store);
    await put('a', 'old');
    const { file } = await care.backUp(undefined, {});
    await put('a', 'new');
    const report = await care.restore(file, {});
    assert.deepEqual(await backupNames(care), [path.basename(report.presentBackup ?? ''), path.basename(file)]);
    const second = await open();
    assert.deepEqual({ ...second.report.restored, replacedFile: undefined }, {
      ...{ backup: file, seq: 1, records: 1, presentBackup: report.presentBackup, replacedFile: undefined },
    }); // prettier-ignore
    assert.equal((await second.store.get(notes, 'a'))?.value.text, 'old');
    // As if the process had been killed between the taking over and the telling.
    fs.writeFileSync(path.join(folder, 'store.restored'), JSON.stringify(second.report.restored));
    assert.equal((await open()).report.restored?.backup, file);
    const last = await open();
    assert.equal(last.report.restored, undefined, 'once');
    await careOf(last.store).restore(report.presentBackup ?? '', {});
    assert.equal((await (await open()).store.get(notes, 'a'))?.value.text, 'new', 'undone in the same way');
  });

  it('a restore that fails or is aborted leaves nothing behind', async () => {
    const care = careOf((await open()).store);
    await put('a', 'to be damaged');
    const { file } = await care.backUp(undefined, {});
    const whole = fs.readFileSync(file);
    const before = await backupNames(care);
    const damaged = Buffer.from(whole);
    damaged.write('X', damaged.indexOf('to be damaged'));
    fs.writeFileSync(file, damaged);
    await rejectsWith('data.corrupt', care.restore(file, {}));
    const newer = Buffer.from(whole);
    newer.writeUInt32BE(99, 60);
    fs.writeFileSync(file, newer);
    await rejectsWith('data.newerSchema', care.restore(file, {}));
    fs.writeFileSync(file, whole);
    const abort = new AbortController();
    const aborted = care.restore(file, { signal: abort.signal });
    abort.abort(new Error('enough'));
    await assert.rejects(aborted, /enough/);
    for (const other of ['relative.db', path.join(folder, 'none.db'), main()])
      await rejectsWith('data.fileUnusable', care.restore(other, {}));
    assert.deepEqual(await backupNames(care), before);
    assert.deepEqual(fs.readdirSync(folder).filter((name) => /restore|tmp/.test(name)), []); // prettier-ignore
  });

  it('a file is looked at before it is restored: what is in it, or what is wrong with it', async () => {
    const care = careOf((await open()).store);
    await put('a', 'to be damaged');
    await put('b', 'x');
    const { file } = await care.backUp(undefined, {});
    const keeper = new NodeStoreKeeper({ folder, runCheck: checkHere, wasmFile });
    const look = (at = file): ReturnType<NodeStoreKeeper['inspectBackup']> => keeper.inspectBackup(at, 'note', {});
    const found = await look();
    assert.ok(found.isUsable);
    assert.deepEqual([found.seq, found.records, found.contents?.values.length], [2, 2, 2]);
    assert.deepEqual(found.contents?.values[0], { text: 'to be damaged' });
    assert.equal(Number.isFinite(found.contents?.lastChangeAtMs), true);
    const whole = fs.readFileSync(file);
    const whyWith = async (change: (bytes: Buffer) => void): Promise<string> => {
      const bytes = Buffer.from(whole);
      change(bytes);
      fs.writeFileSync(file, bytes);
      const result = await look();
      return result.isUsable ? 'usable' : `${result.why}: ${result.detail}`;
    };
    assert.match(
      await whyWith((bytes) => bytes.write('X', bytes.indexOf('to be damaged'))),
      /^damaged: The record "a"/,
    );
    assert.match(await whyWith((bytes) => bytes.fill(0, 4096)), /^damaged: ./);
    assert.match(await whyWith((bytes) => bytes.writeUInt32BE(99, 60)), /^newer: schema 99, here \d+$/);
    assert.equal(await whyWith((bytes) => bytes.writeUInt32BE(1, 68)), 'other: ', 'another program’s database');
    assert.equal(await whyWith((bytes) => bytes.fill('x', 0, 100)), 'other: ', 'no database');
    const wrong = [main(), folder, path.join(folder, 'none.db')].map(async (at) => {
      const result = await look(at);
      return result.isUsable || [result.why, result.detail];
    });
    assert.deepEqual(await Promise.all(wrong), [['store', ''], ['other', ''], ['unreadable', 'ENOENT']]); // prettier-ignore
    assert.deepEqual(fs.readdirSync(folder).filter((name) => /restore|tmp/.test(name)), [], 'nothing was copied'); // prettier-ignore
  });

  it('a store that has lost changes, or is damaged, is given back by a restore', async () => {
    const care = careOf((await open()).store);
    await put('a', 'the text of a');
    const { file } = await care.backUp(undefined, {});
    await store?.close();
    const high = new HighWater(`${main()}.high`, nodeFileSystem);
    high.write(9);
    high.close();
    const lossy = await open();
    assert.deepEqual(lossy.report.missingChanges, { acknowledgedSeq: 9, foundSeq: 1 });
    assert.notEqual((await careOf(lossy.store).restore(file, {})).presentBackup, undefined);
    const again = await open();
    assert.deepEqual([again.report.missingChanges, again.store.health.isReadOnly], [undefined, false]);
    await again.store.close();
    const bytes = fs.readFileSync(main());
    bytes.write('X', bytes.indexOf('the text of a'));
    fs.writeFileSync(main(), bytes);
    const corrupt = await open();
    const damagedCare = careOf(corrupt.store);
    assert.equal((await damagedCare.check('full', 'person', {})).isWhole, false);
    const { lastCheck } = await damagedCare.status();
    assert.ok(lastCheck?.report.findings.some(({ code }) => code === 'check.record'));
    assert.equal((await damagedCare.restore(file, {})).presentBackup, undefined, 'no backup of what is damaged');
    const mended = await open();
    assert.equal((await mended.store.get(notes, 'a'))?.value.text, 'the text of a');
    assert.ok(fs.existsSync(mended.report.restored?.replacedFile ?? ''), 'it is kept aside');
  });
});
