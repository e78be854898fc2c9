import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import { promisify } from 'node:util';
import { findStore } from '../../../src/core/data/node/storeFiles';
import { eventually } from '../../support/eventually';
import { nodeFor } from '../../support/nodeWithSqlite';
import { notRun } from '../../support/notRun';
import { buildStoreWorker, openFileStore, temporaryFolder, wasmFile } from '../../support/storeWorker';
import { numbers } from '../../support/storeWorkerChild';
import { StoreProcess } from '../../support/storeWorkerProcess';

const run = promisify(execFile);

/** Files of this process may not grow beyond so much: its writes fail, whatever makes them. */
async function limitFiles(pid: number, bytes: number | 'unlimited'): Promise<void> {
  await run('prlimit', ['--pid', `${pid}`, `--fsize=${bytes}:unlimited`]);
}

describe('a store that cannot grow', () => {
  for (const engine of ['sql.js', 'node:sqlite'] as const) {
    it(`C36 gives no acknowledgement, is read-only with a reason, and recovers by itself: ${engine}`, async function () {
      this.timeout(60_000);
      const program = nodeFor(engine) ?? notRun(this, "neither this Node nor VS Code's has node:sqlite");
      const hasLimits = await run('prlimit', ['--version']).then(() => true, () => false); // prettier-ignore
      if (!hasLimits) notRun(this, 'prlimit (util-linux) is not installed');
      const { folder, remove } = temporaryFolder();
      const workerFile = await buildStoreWorker();
      const args = { dataFolder: folder, workerFile, wasmFile, engine, name: 'p', role: 'patient' };
      const child = await StoreProcess.start(args, program);
      try {
        await child.until('ack', 30_000);
        const log = `${findStore(folder)?.main ?? ''}-wal`;
        await limitFiles(child.pid, fs.statSync(log).size + 100_000);
        await child.until('failed', 30_000);
        await eventually('it says why', () => child.said('failed').some(({ isReadOnly }) => isReadOnly), { timeoutMs: 30_000 }); // prettier-ignore
        const before = child.said('ack').length;
        for (const { code } of child.said('failed')) assert.match(String(code), /^data\.(readOnly|io)$/);
        assert.notEqual(child.said('failed').at(-1)?.['reason'], '');
        await limitFiles(child.pid, 'unlimited');
        await eventually('it goes on', () => child.said('ack').length > before + 2, { timeoutMs: 30_000 });
      } finally {
        await child.kill();
      }
      const { store, report } = await openFileStore(folder);
      const found = new Set((await store.find(numbers)).map(({ id }) => id));
      assert.deepEqual(child.said('ack').filter(({ n }) => !found.has(`p-${String(n)}`)), []); // prettier-ignore
      assert.deepEqual([report.missingChanges, (await store.check('full')).isWhole], [undefined, true]);
      await store.close();
      remove();
    });
  }
});
