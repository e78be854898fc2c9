import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { silentLogger } from '../../../src/core/base/log';
import type { Collection } from '../../../src/core/data/dataStore';
import { readFormerStore } from '../../../src/core/data/node/formerStore';
import { readInThread } from '../../../src/core/data/node/storeReader';
import { storePaths } from '../../../src/core/data/node/storeFiles';
import { applyRestore, forgetRestored, prepareRestore } from '../../../src/core/data/node/storeRestore';
import { checkHere } from '../../support/checkHere';
import { buildStoreWorker, openFileStore, temporaryFolder, wasmFile } from '../../support/storeWorker';

const notes: Collection<{ readonly text: string }> = { kind: 'note', indexes: [], parse: (value) => value as { text: string } }; // prettier-ignore
const others: typeof notes = { ...notes, kind: 'other' };

describe('the store that a restore has replaced', () => {
  let folder: string;
  let remove: () => void;
  beforeEach(() => ({ folder, remove } = temporaryFolder()));
  afterEach(() => remove());

  /** Restores a backup of an empty store; `isKilled`: the one before it had no time to move its log. Returns the texts read. */
  async function replaced(spoil: (file: string) => void, isKilled = false) {
    const { store } = await openFileStore(folder);
    const [backup, presentBackup] = [path.join(folder, 'old.db'), path.join(folder, 'present.db')];
    await store.backup(backup);
    for (let index = 0; index < 200; index++) await store.tx((tx) => tx.put(notes, `n${index}`, { text: `${index}` }));
    await store.tx((tx) => tx.put(others, 'o', { text: 'of another kind' }));
    await store.backup(presentBackup);
    await store.tx((tx) => tx.put(notes, 'n0', { text: 'after the backup' }));
    await prepareRestore({ folder, backup, runCheck: checkHere, wasmFile, presentBackup });
    const { main } = storePaths(folder, 1);
    const log = fs.readFileSync(`${main}-wal`);
    await store.close();
    if (isKilled) fs.writeFileSync(`${main}-wal`, log);
    const restored = applyRestore(folder, 1, 5) ?? assert.fail('nothing was restored');
    forgetRestored(folder);
    spoil(restored.replacedFile ?? assert.fail('it is kept aside'));
    const openReader = readInThread(await buildStoreWorker(), wasmFile);
    const records = await readFormerStore(restored, ['note'], openReader, silentLogger);
    return records?.map(({ kind, id, json }) => [kind, id, (JSON.parse(json) as { text: string }).text]);
  }

  it('is read as it was last, of the kinds that are asked for', async () => {
    const records = await replaced(() => undefined);
    assert.equal(records?.length, 200);
    assert.deepEqual(records[0], ['note', 'n0', 'after the backup']);
  });

  it('is read from its backup when its log was left over, or it is damaged', async () => {
    for (const isKilled of [true, false]) {
      const records = await replaced((file) => isKilled || fs.writeFileSync(file, 'no database'), isKilled);
      assert.deepEqual([records?.length, records?.[0]], [200, ['note', 'n0', '0']]);
      remove();
      ({ folder, remove } = temporaryFolder());
    }
  });

  it('is told not to be readable when neither is; there was nothing when there was none', async () => {
    const records = await replaced((file) => {
      for (const one of [file, path.join(folder, 'present.db')]) fs.writeFileSync(one, 'no database');
    });
    assert.equal(records, undefined);
    const never = (): never => assert.fail('there is nothing to read');
    assert.deepEqual(await readFormerStore({ backup: '/old.db' }, ['note'], never, silentLogger), []);
    assert.equal(await readFormerStore({}, ['note'], never, silentLogger), undefined, 'the note was lost');
  });
});
