import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { writeArchive } from '../../../src/core/data/node/archiveWriter';
import { NodeStoreKeeper } from '../../../src/core/data/node/nodeStoreKeeper';
import { checkHere } from '../../support/checkHere';
import { temporaryFolder, wasmFile } from '../../support/storeWorker';

describe('the size of what is kept', () => {
  it('counts every month of the archive, and says where it is', async () => {
    const { folder, remove } = temporaryFolder();
    try {
      const keeper = new NodeStoreKeeper({ folder, runCheck: checkHere, wasmFile });
      const before = await keeper.sizes();
      assert.deepEqual([before.archiveBytes, before.archive], [0, undefined]);
      const archive = path.join(folder, 'archive');
      const record = {
        kind: 'line',
        id: 'a',
        version: 1,
        createdAtMs: 1,
        updatedAtMs: 1,
        epoch: 1,
        json: '{"atMs":1}',
      };
      for (const month of ['2026-01', '2026-02'])
        await writeArchive({ archive, month, epoch: 1, wasmFile, records: [record] });
      const bytes = fs.readdirSync(archive).map((name) => fs.statSync(path.join(archive, name)).size);
      assert.equal(bytes.length, 2);
      const after = await keeper.sizes();
      assert.deepEqual([after.archiveBytes, after.archive], [bytes.reduce((a, b) => a + b), archive]);
      assert.ok(after.archiveBytes > 0);
    } finally {
      remove();
    }
  });
});
