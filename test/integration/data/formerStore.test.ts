import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { silentLogger } from '../../../src/core/base/log';
import type { Collection } from '../../../src/core/data/dataStore';
import { formerPages, type FormerQuestion, readFormerStore } from '../../../src/core/data/node/formerStore';
import { type OpenReader, readInThread } from '../../../src/core/data/node/storeReader';
import { storePaths } from '../../../src/core/data/node/storeFiles';
import {
  type AppliedRestore,
  applyRestore,
  forgetRestored,
  prepareRestore,
} from '../../../src/core/data/node/storeRestore';
import { restoredText } from '../../../src/core/node/openWorkspaceStore';
import { checkHere } from '../../support/checkHere';
import { buildStoreWorker, openFileStore, temporaryFolder, wasmFile } from '../../support/storeWorker';

const notes: Collection<{ readonly text: string; readonly id?: string }> = { kind: 'note', indexes: [], parse: (value) => value as { text: string } }; // prettier-ignore
const others: typeof notes = { ...notes, kind: 'other' };

describe('the store that a restore has replaced', () => {
  let folder: string;
  let remove: () => void;
  beforeEach(() => ({ folder, remove } = temporaryFolder()));
  afterEach(() => remove());

  /** Restores a backup of an empty store; `isKilled`: the one before it had no time to move its log. Returns the texts read. */
  async function replaced(
    spoil: (file: string) => void,
    isKilled = false,
    questions: readonly FormerQuestion[] = [{ kind: 'note' }],
  ) {
    const { store } = await openFileStore(folder);
    const [backup, presentBackup] = [path.join(folder, 'old.db'), path.join(folder, 'present.db')];
    await store.backup(backup);
    for (let index = 0; index < 200; index++)
      await store.tx((tx) => tx.put(notes, `n${index}`, { text: `${index}`, id: `n${index}` }));
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
    const former = await readFormerStore(restored, questions, openReader, silentLogger);
    return (
      former && {
        isLast: former.isLast,
        records: former.records.map(({ kind, id, json }) => [kind, id, (JSON.parse(json) as { text: string }).text]),
      }
    );
  }

  it('is read as it was last, of the kinds that are asked for', async () => {
    const former = await replaced(() => undefined);
    assert.deepEqual([former?.records.length, former?.isLast], [200, true]);
    assert.deepEqual(former?.records[0], ['note', 'n0', 'after the backup']);
  });

  it('is asked for single records, by their id or by a value', async () => {
    const where = [{ id: 'n7' }, { id: 'none' }, { text: '150' }];
    const former = await replaced(() => undefined, false, where.map((one) => ({ kind: 'note', where: one }))); // prettier-ignore
    assert.deepEqual(former?.records, [['note', 'n7', '7'], ['note', 'n150', '150']]); // prettier-ignore
  });

  it('is asked for the newest of its records, in pages that can be left', async () => {
    const texts = async (newest: number) => {
      const former = await replaced(() => undefined, false, [{ kind: 'note', newest }]);
      return former?.records.map(([, id]) => id);
    };
    const all = Array.from({ length: 200 }, (_, index) => `n${index}`).sort().reverse(); // prettier-ignore
    assert.deepEqual(await texts(100), all.slice(0, 100));
    remove();
    ({ folder, remove } = temporaryFolder());
    assert.deepEqual(await texts(1000), all);
  });

  it('is read in pages, from its backup when it cannot be read to its end', async () => {
    const pages: Record<string, number> = {};
    const openReader: OpenReader = async (file) => ({
      page: async () => {
        const count = (pages[file] = (pages[file] ?? 0) + 1);
        if (file === '/aside.db' && count === 2) throw new Error('damaged');
        const id = `${file} ${count}`;
        const record = { kind: 'note', id, version: 1, createdAtMs: 0, updatedAtMs: 0, epoch: 1, json: '{}' };
        return { records: [record], damagedIds: [], ...(count < 3 && { next: { id } }) };
      },
      close: async () => void (pages[`${file} closed`] = 1),
    });
    const restored = { replacedFile: '/aside.db', presentBackup: '/present.db', backup: '/old.db' };
    const read = async (from: AppliedRestore): Promise<readonly string[]> => {
      const ids: string[] = [];
      for await (const page of formerPages(from, [{ kind: 'note' }], openReader, silentLogger))
        ids.push(...page.map(({ id }) => id));
      return ids;
    };
    assert.deepEqual(await read(restored), ['/aside.db 1', ...[1, 2, 3].map((count) => `/present.db ${count}`)]);
    assert.deepEqual([pages['/aside.db closed'], pages['/present.db closed']], [1, 1]);
    assert.deepEqual(await read({ backup: '/old.db' }), [], 'there was no store');
    const failing = async (): Promise<void> => {
      for await (const _page of formerPages(restored, [{ kind: 'note' }], openReader, silentLogger)) throw new Error('of who reads'); // prettier-ignore
    };
    await assert.rejects(failing(), /of who reads/, 'what its reader throws is not taken for damage');
  });

  it('is read in parts where it is damaged and there is no backup: each question for itself', async () => {
    const record = { kind: 'note', id: 'n', version: 1, createdAtMs: 0, updatedAtMs: 0, epoch: 1, json: '{}' };
    const openReader: OpenReader = async (file) => ({
      page: async ({ kind, after }) => {
        if (file === '/gone.db' || kind === 'damaged' || after) throw new Error('damaged');
        const next = { id: 'n' };
        return { records: [{ ...record, kind }], damagedIds: [], ...(kind === 'cut' && { next }) };
      },
      close: async () => undefined,
    });
    const questions = ['cut', 'damaged', 'note'].map((kind) => ({ kind }));
    const from = { replacedFile: '/aside.db', backup: '/old.db' };
    const known = { records: ['cut', 'note'].map((kind) => ({ ...record, kind })), isLast: true, isWhole: false };
    const read = (restored: AppliedRestore) => readFormerStore(restored, questions, openReader, silentLogger);
    assert.deepEqual(await read(from), known);
    assert.deepEqual(await read({ ...from, presentBackup: '/gone.db' }), known);
    assert.equal(await read({ ...from, replacedFile: '/gone.db' }), undefined, 'nothing of it');
    const kinds: string[] = [];
    for await (const page of formerPages(from, questions, openReader, silentLogger))
      kinds.push(...page.map(({ kind }) => kind));
    assert.deepEqual(kinds, ['cut', 'note']);
  });

  it('is told: that no backup was made of it, where it lies, and what may be missing', () => {
    const about = { records: 3, backup: '/old.db', replacedFile: '/data/store-1.db.replaced-5' };
    assert.match(restoredText({ ...about, presentBackup: '/p.db' }, { isWhole: true }), /any more\. Restore from Backup undoes this\.$/); // prettier-ignore
    const damaged = restoredText(about, { isWhole: true });
    assert.match(damaged, /No backup was made of the store before it, which was put aside as \/data\/store-1\.db\.replaced-5; where it is damaged, newer prompts/); // prettier-ignore
    assert.doesNotMatch(damaged, /undoes|under their ids/);
    assert.match(restoredText(about, { isWhole: false }), /could only in part be read: agents that neither/);
    assert.match(restoredText(about, undefined), /could not be read: agents that the backup does not know are shown under their ids\.$/); // prettier-ignore
    assert.doesNotMatch(restoredText({}, undefined), /put aside/, 'its note was lost');
  });

  it('is read from its backup when its log was left over, or it is damaged', async () => {
    for (const isKilled of [true, false]) {
      const former = await replaced((file) => isKilled || fs.writeFileSync(file, 'no database'), isKilled);
      assert.deepEqual([former?.records.length, former?.records[0]], [200, ['note', 'n0', '0']]);
      assert.equal(former?.isLast, false);
      remove();
      ({ folder, remove } = temporaryFolder());
    }
  });

  it('is told not to be readable when neither is; there was nothing when there was none', async () => {
    const former = await replaced((file) => {
      for (const one of [file, path.join(folder, 'present.db')]) fs.writeFileSync(one, 'no database');
    });
    assert.equal(former, undefined);
    const none = { records: [], isLast: true, isWhole: true };
    const never = (): never => assert.fail('there is nothing to read');
    assert.deepEqual(await readFormerStore({ backup: '/old.db' }, [{ kind: 'note' }], never, silentLogger), none);
    assert.equal(await readFormerStore({}, [{ kind: 'note' }], never, silentLogger), undefined, 'the note was lost');
  });

  it('is the first of two that were restored before an engine went on with them', async () => {
    const paths = ['empty.db', 'present.db', 'second.db'].map((name) => path.join(folder, name));
    const [backup = '', presentBackup = '', second = ''] = paths;
    const { store } = await openFileStore(folder);
    await store.backup(backup);
    await store.tx((tx) => tx.put(notes, 'n', { text: 'of the store in use' }));
    await store.backup(presentBackup);
    await store.close();
    const openReader = readInThread(await buildStoreWorker(), wasmFile);
    const restore = async (present: string, nowMs: number) => {
      await prepareRestore({ folder, backup, runCheck: checkHere, wasmFile, presentBackup: present });
      return applyRestore(folder, 1, nowMs) ?? assert.fail('nothing was restored');
    };
    const first = await restore(presentBackup, 5);
    const restored = await restore(second, 6);
    const { replacedFile, presentBackup: its } = restored;
    assert.deepEqual([replacedFile, its, restored.backup], [first.replacedFile, presentBackup, backup]);
    assert.deepEqual(applyRestore(folder, 1, 7), restored, 'and stays so until it is settled');
    const former = await readFormerStore(restored, [{ kind: 'note' }], openReader, silentLogger);
    assert.deepEqual(former?.records.map(({ id }) => id), ['n']); // prettier-ignore
    forgetRestored(folder);
    assert.notEqual((await restore(second, 8)).replacedFile, first.replacedFile, 'of a settled one it is the last');
  });
});
