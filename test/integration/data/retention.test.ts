import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { silentLogger } from '../../../src/core/base/log';
import { SystemClock } from '../../../src/core/base/clock';
import type { KeptRecord } from '../../../src/core/data/dataStore';
import { checkStoreFile } from '../../../src/core/data/node/checkStoreFile';
import { frozenFiles } from '../../../src/core/data/node/frozenFiles';
import { archiveFiles, writeArchive } from '../../../src/core/data/node/archiveWriter';
import { MonthArchive } from '../../../src/core/data/node/monthArchive';
import { openSqlJsReader } from '../../../src/core/data/node/sqlJsEngine';
import { DataProcessor } from '../../../src/core/data/processing/dataProcessor';
import { applyRetention, type RecordArchive } from '../../../src/core/data/retention/retention';
import { allLines, oldLines } from '../../support/retentionChild';
import { notRun } from '../../support/notRun';
import {
  buildStoreWorker,
  buildRetentionChild,
  openFileStore,
  temporaryFolder,
  wasmFile,
} from '../../support/storeWorker';
import { rejectsWith } from '../../contract/dataStore.contract';

const month = '2001-09';
const oldMs = Date.UTC(2001, 8, 9);
const signal = new AbortController().signal;

class LongAgo extends SystemClock {
  override nowMs(): number {
    return oldMs;
  }
}

describe('the archive of old records', () => {
  let folder: string;
  let archive: string;
  let remove: () => void;
  let workerFile: string;

  before(async () => (workerFile = await buildStoreWorker()));
  beforeEach(() => {
    ({ folder, remove } = temporaryFolder());
    archive = path.join(folder, 'archive');
  });
  afterEach(() => remove());

  const record = (id: string, updatedAtMs = oldMs, version = 1): KeptRecord => ({
    ...{ kind: 'line', id, version, createdAtMs: oldMs, updatedAtMs, epoch: 1 },
    json: JSON.stringify({ atMs: oldMs, text: `text of ${id}` }),
  });
  const write = (epoch: number, records: readonly KeptRecord[]): Promise<void> =>
    writeArchive({ archive, month, epoch, wasmFile, records });
  const names = (): readonly string[] => fs.readdirSync(archive).sort();

  /** What the archive holds, checked as a store. */
  async function archived(): Promise<readonly string[]> {
    const all: string[] = [];
    for (const { file } of archiveFiles(archive, month)) {
      const report = await checkStoreFile({ file, wasmFile, depth: 'full' });
      assert.ok(report.isWhole, JSON.stringify(report.findings));
      const engine = await openSqlJsReader(file, wasmFile, frozenFiles(file));
      all.push(...engine.all('SELECT id FROM records ORDER BY id').map(([id]) => String(id)));
      engine.close();
    }
    return all.sort();
  }

  it('is a store of its own for each month, to which is added without a copy of anything', async () => {
    await write(3, [record('a'), record('b')]);
    await write(3, [record('b'), record('c')]);
    assert.deepEqual([names(), await archived()], [[`${month}.3.db`], ['a', 'b', 'c']]);
    assert.equal(fs.statSync(path.join(archive, `${month}.3.db`)).mode & 0o777, 0o600);
  });

  it('R5 is found whole by the sqlite3 program, too', async function () {
    const run = promisify(execFile);
    const hasSqlite3 = await run('sqlite3', ['--version']).then(
      () => true,
      () => false,
    );
    if (!hasSqlite3) notRun(this, 'the sqlite3 program is not installed (apt-get install sqlite3)');
    await write(3, [record('a'), record('b')]);
    await write(3, [record('c')]);
    const sql = 'PRAGMA integrity_check; SELECT count(*) FROM records';
    const { stdout } = await run('sqlite3', ['-readonly', path.join(archive, `${month}.3.db`), sql]);
    assert.equal(stdout, 'ok\n3\n');
  });

  it('takes over what earlier owners wrote, keeps the newest, and is never written by one who was replaced', async () => {
    await write(3, [record('a'), record('b', oldMs + 5, 2)]);
    fs.renameSync(path.join(archive, `${month}.3.db`), path.join(archive, `${month}.2.db`));
    await write(3, [record('c')]);
    fs.copyFileSync(path.join(archive, `${month}.3.db`), path.join(archive, `${month}.1.db`));
    fs.writeFileSync(path.join(archive, `${month}.aaaaaaaaaaaa.tmp`), 'left by one who was killed');
    await write(7, [record('b', oldMs, 1), record('d')]);
    assert.deepEqual([names(), await archived()], [[`${month}.7.db`], ['a', 'b', 'c', 'd']]);
    await rejectsWith('data.fenced', write(6, [record('e')]));
    assert.deepEqual([names(), await archived()], [[`${month}.7.db`], ['a', 'b', 'c', 'd']]);
  });

  it('a damaged file is neither replaced nor removed', async () => {
    await write(3, [record('a')]);
    const file = path.join(archive, `${month}.3.db`);
    fs.writeFileSync(file, 'no database '.repeat(1_000));
    await rejectsWith('data.corrupt', write(4, [record('b')]));
    assert.deepEqual(names(), [`${month}.3.db`]);
    assert.match(fs.readFileSync(file, 'latin1'), /^no database/);
  });

  it('ended between archive and store, the next run finds all again and adds nothing twice', async () => {
    const { store } = await openFileStore(folder);
    await store.tx((tx) => {
      for (let i = 0; i < 250; i++) tx.put(oldLines, `l${i}`, { atMs: oldMs, text: `line ${i}` });
    });
    const clock = new SystemClock();
    const real = new MonthArchive({ folder, epoch: 1, workerFile, wasmFile });
    const ended: RecordArchive = {
      append: async (of, records) => {
        await real.append(of, records, signal);
        throw new Error('ended here');
      },
    };
    const run = (to: RecordArchive): ReturnType<typeof applyRetention> =>
      applyRetention(
        [allLines],
        {
          ...{ store, archive: to, nowMs: () => clock.nowMs() + 2 * 86_400_000, log: silentLogger },
          processor: new DataProcessor({ clock }),
        },
        signal,
      );
    await assert.rejects(run(ended), /ended here/);
    assert.deepEqual([(await store.find(oldLines)).length, (await archived()).length], [250, 250]);
    assert.deepEqual(await run(real), { moved: 250, isMore: false });
    assert.deepEqual([(await store.find(oldLines)).length, (await archived()).length], [0, 250]);
    await store.close();
  }).timeout(20_000);

  it('killed at any instant, each record is in the store or in the archive, and the next run ends it', async function () {
    this.timeout(60_000);
    const child = await buildRetentionChild();
    const all = Array.from({ length: 400 }, (_, i) => `l${String(i).padStart(4, '0')}`);
    const first = await openFileStore(folder, { clock: new LongAgo() });
    await first.store.tx((tx) => {
      for (const id of all) tx.put(oldLines, id, { atMs: oldMs, text: 'x'.repeat(500) });
    });
    await first.store.close();
    for (let kill = 0; kill < 2; kill++) {
      const running = spawn(process.execPath, [child, folder, workerFile, wasmFile], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await new Promise((resolve) => running.stdout.once('data', resolve));
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 120)); // the instant is what is random here
      running.kill('SIGKILL');
      await new Promise((resolve) => running.once('exit', resolve));
      const { store } = await openFileStore(folder);
      const left = (await store.find(oldLines)).map(({ id }) => id);
      assert.deepEqual([...new Set([...left, ...(await archived())])].sort(), all, `after kill ${kill}`);
      await store.close();
    }
    const last = spawn(process.execPath, [child, folder, workerFile, wasmFile], { stdio: 'ignore' });
    assert.equal(await new Promise((resolve) => last.once('exit', resolve)), 0);
    const { store } = await openFileStore(folder);
    assert.deepEqual([(await store.find(oldLines)).length, await archived()], [0, all]);
    assert.ok(
      names().every((name) => name.endsWith('.db')),
      names().join(),
    );
    await store.close();
  });
});
