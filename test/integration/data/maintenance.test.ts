import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { DataError, type DataErrorCode } from '../../../src/core/data/dataErrors';
import type { Collection, DataStore } from '../../../src/core/data/dataStore';
import type { DurableStore } from '../../../src/core/data/durableStore';
import { checkStoreFile } from '../../../src/core/data/node/checkStoreFile';
import { findStore } from '../../../src/core/data/node/storeFiles';
import { journalIsWhole, sqlite3Check } from '../../support/sqlite3';
import { open as openHere } from '../../support/storePairs';
import { openFileStore, temporaryFolder, wasmFile } from '../../support/storeWorker';
import { trials } from '../../support/trials';

interface Account {
  readonly balance: number;
  readonly text?: string;
}
const accounts: Collection<Account> = { kind: 'account', indexes: ['balance'], parse: (value) => value as Account };

async function rejectsWith(code: DataErrorCode, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error) => DataError.is(error, code) || assert.fail(`${String(error)}, not ${code}`));
}

/** What Debian's sqlite3 answers, opened read-only. */
function sqlite3(file: string, sql: string): string {
  return execFileSync('sqlite3', ['-readonly', file, sql], { encoding: 'utf8' }).trim();
}

/** What a store holds, as a text to compare. */
async function contents(store: DataStore): Promise<string> {
  return JSON.stringify([await store.find(accounts), await store.changes(0, 1_000_000)]);
}

describe('maintenance of a store', () => {
  let folder: string;
  let remove: () => void;
  const opened: DataStore[] = [];
  const open = async (at: string): Promise<DurableStore> => {
    const { store } = await openFileStore(at);
    opened.push(store);
    return store;
  };
  /** Opens a backup as a store in a folder of its own. */
  const openBackup = async (file: string): Promise<DurableStore> => {
    const at = fs.mkdtempSync(path.join(folder, 'restored-'));
    fs.copyFileSync(file, path.join(at, 'store-1.db'));
    return open(at);
  };
  /** What a backup serves: its records by id, with versions and balances, and its changes. */
  const openedHere = async (file: string) => {
    const at = path.join(folder, 'opened');
    fs.rmSync(at, { recursive: true, force: true });
    fs.mkdirSync(at, { mode: 0o700 });
    fs.copyFileSync(file, path.join(at, 'store-1.db'));
    const { session } = await openHere(at);
    const query = { where: [], orderBy: 'id', descending: false, limit: undefined };
    const records = session.answer(0, { of: 'records', kind: accounts.kind, query });
    const changes = session.answer(0, { of: 'changes', after: 0, limit: 1_000_000 });
    session.close();
    assert.ok(records.type === 'answer' && records.records && changes.type === 'answer' && changes.changes);
    const found = records.records.map(({ id, version, json }) => [id, version, (JSON.parse(json) as Account).balance]);
    return { found, changes: changes.changes };
  };
  const main = (): string => findStore(folder)?.main ?? assert.fail('there is no store');

  beforeEach(() => ({ folder, remove } = temporaryFolder()));
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close().catch(() => undefined); // a failed test must not keep a thread
    remove();
  });

  describe('check', () => {
    it('finds nothing in a whole store, quick and full, while it is written', async () => {
      const store = await open(folder);
      for (let i = 0; i < 50; i++) await store.tx((tx) => tx.put(accounts, `a${i}`, { balance: i }));
      const quick = await store.check('quick');
      const writing = Promise.all(
        Array.from({ length: 200 }, (_, i) => store.tx((tx) => tx.put(accounts, `b${i}`, { balance: i }))),
      );
      const full = await store.check('full');
      await writing;
      for (const report of [quick, full]) assert.deepEqual([report.isWhole, report.findings], [true, []]);
      assert.deepEqual([quick.records, quick.changes, quick.seq], [50, 50, 50]);
      assert.ok(full.seq >= 50);
    });

    it('C35 finds a flipped byte in each part of the store, and says what it is', async () => {
      const store = await open(folder);
      const ids = Array.from({ length: 40 }, (_, i) => `acc-${i}`);
      await store.tx((tx) => ids.forEach((id, i) => tx.put(accounts, id, { balance: i, text: `secret ${i} text` })));
      await store.close();
      const whole = fs.readFileSync(main());
      const checkWith = async (find: string, flip: number): ReturnType<typeof checkStoreFile> => {
        const bytes = Buffer.from(whole);
        const at = bytes.indexOf(find);
        assert.ok(at > 0, find);
        bytes[at + flip] = (bytes[at + flip] ?? 0) ^ 1;
        fs.writeFileSync(main(), bytes);
        return checkStoreFile({ file: main(), wasmFile, depth: 'full' });
      };
      const record = await checkWith('secret 7 text', 3);
      assert.deepEqual(
        record.findings.map(({ code, kind, id, fix }) => ({ code, kind, id, fix })),
        [{ code: 'check.record', kind: 'account', id: 'acc-7', fix: 'restoreBackup' }],
      );
      assert.ok(!JSON.stringify(record.findings).includes('secret'), 'contents are not told');
      const journal = await checkWith('accountacc-7put', 8);
      const codes = new Set(journal.findings.map((finding) => finding.code));
      assert.ok(codes.has('check.change') || codes.has('check.structure'), [...codes].join());
      const foreign = await checkWith('Core', 0);
      assert.deepEqual(
        foreign.findings.map((finding) => finding.code),
        ['check.foreign'],
      );
      fs.writeFileSync(main(), whole.subarray(0, Math.floor(whole.length / 2)));
      const half = await checkStoreFile({ file: main(), wasmFile, depth: 'quick' });
      assert.ok(half.findings.some((finding) => finding.code === 'check.structure'));
      const texts = half.findings.map(({ code, message }) => `${code} ${message}`);
      assert.equal(new Set(texts).size, texts.length, 'each once');
      fs.writeFileSync(main(), 'x'.repeat(10_000));
      assert.equal((await checkStoreFile({ file: main(), wasmFile, depth: 'quick' })).isWhole, false);
    });

    it('C35 finds an index that does not agree with its records, a gap in the journal, and missing changes', async () => {
      const store = await open(folder);
      for (let i = 0; i < 9; i++) await store.tx((tx) => tx.put(accounts, `a${i}`, { balance: 1000 + i }));
      await store.close();
      const write = (sql: string): unknown => execFileSync('sqlite3', [main(), sql], { encoding: 'utf8' });
      const whole = fs.readFileSync(main());
      write('DELETE FROM changes WHERE seq = 4');
      const gap = await checkStoreFile({ file: main(), wasmFile, depth: 'full', notedSeq: 12 });
      assert.deepEqual(
        gap.findings.map((finding) => finding.code),
        ['check.changeGap', 'check.missingChanges'],
      );
      fs.writeFileSync(main(), whole);
      const name = String(write("SELECT name FROM sqlite_schema WHERE name LIKE 'ix_account%'")).trim();
      // The entries of the index are made for an index that says something else.
      write(
        `PRAGMA writable_schema=1; UPDATE sqlite_schema SET sql = replace(sql, 'balance', 'balancf') WHERE name = '${name}'`,
      );
      const index = await checkStoreFile({ file: main(), wasmFile, depth: 'full' });
      assert.ok(index.findings.some(({ code, message }) => code === 'check.structure' && message.includes(name)));
    });

    it('ends at once when it is aborted or the store is closed, and leaves the store usable', async () => {
      const store = await open(folder);
      await store.tx((tx) => tx.put(accounts, 'a', { balance: 1 }));
      const abort = new AbortController();
      const aborted = store.check('full', { signal: abort.signal });
      abort.abort(new Error('enough'));
      await assert.rejects(aborted, /enough/);
      await store.tx((tx) => tx.put(accounts, 'b', { balance: 1 }));
      const closed = store.check('full');
      await Promise.all([rejectsWith('data.closed', closed), store.close()]);
      await rejectsWith('data.closed', store.check('quick'));
    });
  });

  describe('backup', () => {
    it('R5 C34 under load restores equal to the state at one change, and sqlite3 finds it whole', async () => {
      const store = await open(folder);
      const text = 'x'.repeat(2_000);
      for (let i = 0; i < 300; i++) await store.tx((tx) => tx.put(accounts, `a${i}`, { balance: i, text }));
      let isEnough = false;
      let written = 0;
      const writer = async (lane: number): Promise<void> => {
        for (let i = 0; !isEnough; i++, written++) {
          await store.tx((tx) => tx.put(accounts, `w${lane}.${i % 20}`, { balance: i, text }));
        }
      };
      const load = Promise.all([0, 1, 2, 3].map(writer));
      const file = path.join(folder, 'copy.db');
      const before = store.health.seq;
      const report = await store.backup(file);
      const during = written;
      isEnough = true;
      await load;
      assert.ok(during > 0, 'writers were served meanwhile');
      assert.ok(report.seq >= before && report.seq <= store.health.seq);
      assert.equal(fs.statSync(file).mode & 0o777, 0o600);
      assert.equal(sqlite3(file, 'PRAGMA integrity_check; SELECT max(seq) FROM changes'), `ok\n${report.seq}`);
      const history = (await store.changes(0, 1_000_000)).filter((change) => change.seq <= report.seq);
      const restored = await openBackup(file);
      assert.deepEqual(await restored.changes(0, 1_000_000), history);
      const found = await restored.find(accounts);
      assert.equal(found.length, report.records);
      for (const { id, version, value } of found) {
        // The writers count on: of each record the value of every version is known.
        const [, lane, at] = /^(?:a|w(\d)\.)(\d+)$/.exec(id) ?? assert.fail(id);
        const balance = lane === undefined ? Number(at) : 20 * (version - 1) + Number(at);
        assert.deepEqual(value, { balance, text }, id);
      }
      assert.deepEqual(
        fs.readdirSync(folder).filter((name) => name.endsWith('.tmp')),
        [],
      );
    });

    it('R5 a backup never contains half a transaction, and restores equal', async function () {
      const count = trials(20, 1_000, 1_000);
      this.timeout(60_000 + count * 2_000);
      const width = 8;
      const total = width * 100;
      /** What each version of a record was written with, by the id and the version. */
      const written = new Map<string, number>();
      /** A new store for each so many backups: its history is checked whole each time. */
      const each = 100;
      const begin = async (): Promise<DurableStore> => {
        const begun = await open(fs.mkdtempSync(path.join(folder, 'store-')));
        written.clear();
        for (let i = 0; i < width; i++) written.set(`a${i} 1`, 100);
        await begun.tx((tx) => {
          for (let i = 0; i < width; i++) tx.put(accounts, `a${i}`, { balance: 100 });
        });
        return begun;
      };
      let store = await begin();
      // Every transaction moves something from one account to others: the sum is the same after each, and only then.
      const writer = async (): Promise<void> => {
        for (let i = 0; i < 5; i++) {
          const [from, step] = [Math.floor(Math.random() * width), 1 + Math.floor(Math.random() * (width - 1))];
          const moved = await store.tx((tx) =>
            (
              [
                [from, -1],
                [(from + step) % width, 1],
              ] as const
            ).map(([at, by]) => {
              const before = tx.get(accounts, `a${at}`) ?? assert.fail(`a${at}`);
              const balance = before.value.balance + by;
              tx.put(accounts, `a${at}`, { balance });
              return [`a${at} ${before.version + 1}`, balance] as const;
            }),
          );
          for (const [version, balance] of moved) written.set(version, balance);
        }
      };
      const file = path.join(folder, 'copy.db');
      for (let trial = 0; trial < count; trial++) {
        if (trial > 0 && trial % each === 0) {
          await store.close();
          store = await begin();
        }
        const [report] = await Promise.all([store.backup(file), writer(), writer(), writer()]);
        const where = `trial ${trial}`;
        const sql = "PRAGMA integrity_check; SELECT sum(json_extract(value, '$.balance')), count(*) FROM records";
        assert.equal(sqlite3(file, sql), `ok\n${total}|${width}`, where);
        assert.equal((report.seq - width) % 2, 0, `${where}: half a transaction`);
        // Opened by this product, in this thread: every record as it was written at that moment, and the whole history.
        const { found, changes } = await openedHere(file);
        const history = await store.changes(0, report.seq);
        assert.deepEqual([changes, changes.at(-1)?.seq], [history, report.seq], where);
        const versions = new Map(history.map(({ id, version }) => [id, version]));
        const expected = [...versions].map(([id, version]) => [id, version, written.get(`${id} ${version}`)]);
        assert.deepEqual(found, expected.toSorted(), where);
      }
    });

    it('replaces a backup of ours, and refuses to touch anything else', async () => {
      const store = await open(folder);
      await store.tx((tx) => tx.put(accounts, 'a', { balance: 1 }));
      const file = path.join(folder, 'copy.db');
      assert.equal((await store.backup(file)).seq, 1);
      await store.tx((tx) => tx.put(accounts, 'a', { balance: 2 }));
      assert.equal((await store.backup(file)).seq, 2);
      const letter = path.join(folder, 'letter.txt');
      fs.writeFileSync(letter, 'dear friend');
      const link = path.join(folder, 'link.db');
      fs.symlinkSync(file, link);
      const other = path.join(folder, 'other.db');
      execFileSync('sqlite3', [other, 'CREATE TABLE a(b)']);
      for (const target of [letter, link, other, main(), folder, 'relative.db']) {
        await rejectsWith('data.fileUnusable', store.backup(target));
      }
      assert.equal(fs.readFileSync(letter, 'utf8'), 'dear friend');
      await rejectsWith('data.fileUnusable', store.backup(path.join(folder, 'no such folder', 'copy.db')));
      assert.deepEqual(
        fs.readdirSync(folder).filter((name) => name.endsWith('.tmp')),
        [],
      );
      assert.equal(await contents(await openBackup(file)), await contents(store));
    });

    it('is not made of a damaged store, and the former one stays', async () => {
      const store = await open(folder);
      await store.tx((tx) => tx.put(accounts, 'a', { balance: 1, text: 'to be damaged' }));
      const file = path.join(folder, 'copy.db');
      await store.backup(file);
      const before = fs.readFileSync(file);
      await store.close();
      const bytes = fs.readFileSync(main());
      const at = bytes.indexOf('to be damaged');
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      fs.writeFileSync(main(), bytes);
      const damaged = await open(folder);
      await rejectsWith('data.corrupt', damaged.backup(file));
      assert.ok(fs.readFileSync(file).equals(before));
      assert.equal((await damaged.check('full')).findings[0]?.code, 'check.record');
    });
  });

  it('compact tells what the files take on the disk, and leaves no log behind', async () => {
    const store = await open(folder);
    const sizes = (): number => fs.statSync(main()).size + fs.statSync(`${main()}-wal`).size;
    await store.tx((tx) => {
      for (let i = 0; i < 200; i++) tx.put(accounts, `a${i}`, { balance: i, text: 'x'.repeat(1_000) });
    });
    const before = sizes();
    const { beforeBytes, afterBytes } = await store.compact();
    assert.ok(beforeBytes >= before && afterBytes < before, `${before}: ${beforeBytes} → ${afterBytes}`);
    assert.deepEqual([fs.statSync(`${main()}-wal`).size, fs.statSync(main()).size], [0, afterBytes]);
    assert.deepEqual(await store.compact(), { beforeBytes: afterBytes, afterBytes });
    await store.tx((tx) => tx.put(accounts, 'b', { balance: 1 }));
    assert.equal((await store.find(accounts)).length, 201);
    assert.equal((await store.check('full')).isWhole, true);
    assert.equal(await sqlite3Check(folder, journalIsWhole), 'ok\n1\n');
  });

  it('compact gives back what was deleted, while writers are served', async () => {
    const store = await open(folder);
    const text = 'x'.repeat(10_000);
    await store.tx((tx) => {
      for (let i = 0; i < 900; i++) tx.put(accounts, `a${i}`, { balance: i, text });
    });
    await store.tx((tx) => {
      for (let i = 0; i < 890; i++) tx.delete(accounts, `a${i}`);
    });
    let served = 0;
    const compacting = store.compact();
    let isDone = false;
    const finished = compacting.finally(() => (isDone = true));
    while (!isDone) {
      await store.tx((tx) => tx.put(accounts, 'b', { balance: served }));
      served++;
    }
    const { beforeBytes, afterBytes } = await finished;
    assert.ok(beforeBytes > 8_000_000 && afterBytes < 1_500_000, `${beforeBytes} → ${afterBytes}`);
    assert.ok(served > 2, `${served} transactions meanwhile`);
    assert.ok(fs.statSync(main()).size <= afterBytes);
    assert.equal((await store.find(accounts)).length, 11);
    assert.equal((await store.check('full')).isWhole, true);
    assert.equal(await sqlite3Check(folder, journalIsWhole), 'ok\n1\n');
  });
});
