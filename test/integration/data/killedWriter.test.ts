import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { findStore } from '../../../src/core/data/node/storeFiles';
import { notRun } from '../../support/notRun';
import { buildStoreWorker, openFileStore, temporaryFolder, wasmFile } from '../../support/storeWorker';
import { numbers } from '../../support/storeWorkerChild';
import { StoreProcess } from '../../support/storeWorkerProcess';
import { trials } from '../../support/trials';

const run = promisify(execFile);

/** What Debian's sqlite3 says about the structure of the store, opened from a copy. */
async function sqlite3Check(folder: string): Promise<string> {
  const store = findStore(folder);
  assert.ok(store);
  const { folder: copy, remove } = temporaryFolder();
  try {
    for (const suffix of ['', '-wal']) fs.copyFileSync(store.main + suffix, path.join(copy, `copy.db${suffix}`));
    const sql = 'PRAGMA integrity_check; SELECT count(*) = (SELECT max(seq) FROM changes) FROM changes;';
    return (await run('sqlite3', [path.join(copy, 'copy.db'), sql])).stdout;
  } finally {
    remove();
  }
}

async function hasSqlite3(): Promise<boolean> {
  return run('sqlite3', ['--version']).then(
    () => true,
    () => false,
  );
}

describe('a store whose process is killed', () => {
  let folder: string;
  let remove: () => void;
  beforeEach(() => ({ folder, remove } = temporaryFolder()));
  afterEach(() => remove());

  it('R1 kill -9 at any instant loses no acknowledged record', async function () {
    const count = trials(5, 100, 300);
    this.timeout(30_000 + count * 5_000);
    const workerFile = await buildStoreWorker();
    const acked = new Set<string>();
    for (let trial = 0; trial < count; trial++) {
      const name = `t${trial}`;
      const width = String([1, 8, 64][trial % 3]);
      const child = StoreProcess.start({ dataFolder: folder, workerFile, wasmFile, name, role: 'acks', width });
      await child.until('ack', 20_000);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 250)); // the instant is what is random here
      await child.kill();
      for (const { n } of child.said('ack')) acked.add(`${name}-${String(n)}`);
      const { store, report } = await openFileStore(folder);
      assert.equal(report.missingChanges, undefined);
      assert.equal(store.health.isReadOnly, false);
      const found = new Set((await store.find(numbers)).map((record) => record.id));
      const lost = [...acked].filter((id) => !found.has(id));
      assert.deepEqual(lost, [], `trial ${trial}: lost ${lost.length} of ${acked.size}`);
      await store.close();
    }
    process.stdout.write(`      ${count} kills, ${acked.size} acknowledged records, 0 lost\n`);
  });

  it('is whole for another SQLite, after a close and after a kill', async function () {
    this.timeout(60_000);
    if (!(await hasSqlite3())) notRun(this, 'sqlite3 is not installed');
    const workerFile = await buildStoreWorker();
    const { store } = await openFileStore(folder);
    await Promise.all(Array.from({ length: 500 }, (_, n) => store.tx((tx) => tx.put(numbers, `a${n}`, { n }))));
    await store.close();
    assert.equal(await sqlite3Check(folder), 'ok\n1\n');
    const child = StoreProcess.start({
      dataFolder: folder,
      workerFile,
      wasmFile,
      name: 'b',
      role: 'acks',
      width: '16',
    });
    await child.until('ack', 20_000);
    await new Promise((resolve) => setTimeout(resolve, 100)); // some more than one
    await child.kill();
    assert.equal(await sqlite3Check(folder), 'ok\n1\n');
  });
});
