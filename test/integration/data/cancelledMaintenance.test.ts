import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import type { Collection, DataStore } from '../../../src/core/data/dataStore';
import type { DurableStore, MaintenanceStep, StoreCheckReport } from '../../../src/core/data/durableStore';
import { placeCopy } from '../../../src/core/data/node/placeCopy';
import { findStore } from '../../../src/core/data/node/storeFiles';
import { openFileStore, temporaryFolder } from '../../support/storeWorker';

const texts: Collection<{ readonly text: string }> = { kind: 'text', indexes: [], parse: (value) => value as never };
const MB = 1024 * 1024;
const whole: StoreCheckReport = {
  ...{ isWhole: true, findings: [], isCut: false, depth: 'full', records: 0, changes: 0, seq: 1 },
};

describe('maintenance of a store that is cancelled', () => {
  let folder: string;
  let remove: () => void;
  let abort: AbortController;
  const opened: DataStore[] = [];
  const cancelled = new Error('cancelled');
  const isCancelled = (error: unknown): boolean => error === cancelled;

  const open = async (): Promise<DurableStore> => {
    const { store } = await openFileStore(path.join(folder, 'store'));
    opened.push(store);
    return store;
  };

  beforeEach(() => {
    ({ folder, remove } = temporaryFolder());
    fs.mkdirSync(path.join(folder, 'store'), { mode: 0o700 });
    fs.mkdirSync(path.join(folder, 'backups'), { mode: 0o700 });
    abort = new AbortController();
  });
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close().catch(() => undefined); // a failed test must not keep a thread
    remove();
  });

  const backups = (): readonly string[] => fs.readdirSync(path.join(folder, 'backups'));

  describe('a copy', () => {
    const to = (): string => path.join(folder, 'backups', 'copy.db');

    /** Copies a file of 40 MB; `check` and `onProgress` as the test says. */
    function copy(onProgress: (step: MaintenanceStep) => void, check: () => void): Promise<unknown> {
      const from = path.join(folder, 'large.db');
      fs.writeFileSync(from, 'SQLite format 3\0');
      fs.truncateSync(from, 40 * MB);
      return placeCopy({
        to: to(),
        signal: abort.signal,
        onProgress,
        copy: (write) => write(from),
        check: async () => {
          check();
          return whole;
        },
      });
    }

    it('tells how far it is', async () => {
      const steps: MaintenanceStep[] = [];
      await copy((step) => steps.push(step), () => undefined); // prettier-ignore
      assert.deepEqual(
        steps,
        [16, 32].map((done) => ({ phase: 'copying', done: done * MB, total: 40 * MB })),
      );
      assert.deepEqual(backups(), ['copy.db']);
    });

    it('ends half way, with nothing left behind', async () => {
      const steps: number[] = [];
      const onProgress = ({ done }: MaintenanceStep): void => {
        steps.push(done);
        assert.equal(backups().length, 1, 'it is being written');
        abort.abort(cancelled);
      };
      await assert.rejects(
        copy(onProgress, () => assert.fail('what is not complete is not looked at')),
        isCancelled,
      );
      assert.deepEqual(steps, [16 * MB]);
      assert.deepEqual(backups(), []);
    });

    it('does not get its name when it is cancelled while it is looked at', async () => {
      await assert.rejects(
        copy(
          () => undefined,
          () => abort.abort(cancelled),
        ),
        isCancelled,
      );
      assert.deepEqual(backups(), []);
    });
  });

  it('a backup leaves the one before as it was, and the store goes on', async () => {
    const store = await open();
    await store.tx((tx) => tx.put(texts, 'a', { text: 'a' }));
    const file = path.join(folder, 'backups', 'kept.db');
    await store.backup(file);
    const before = fs.readFileSync(file);
    const large = 'x'.repeat(1_000_000);
    for (let i = 0; i < 20; i++) await store.tx((tx) => tx.put(texts, `large ${i}`, { text: large }));
    const phases = new Set<string>();
    const onProgress = ({ phase }: MaintenanceStep): void => {
      phases.add(phase);
      abort.abort(cancelled);
    };
    await assert.rejects(store.backup(file, { signal: abort.signal, onProgress }), isCancelled);
    assert.deepEqual([...phases], ['copying']);
    assert.deepEqual(backups(), ['kept.db']);
    assert.ok(before.equals(fs.readFileSync(file)));
    await store.tx((tx) => tx.put(texts, 'b', { text: 'b' }));
    assert.equal((await store.backup(file)).records, 22);
  });

  it('a compacting keeps what it has done, and the store goes on as it was', async () => {
    const store = await open();
    const text = 'x'.repeat(10_000);
    await store.tx((tx) => {
      for (let i = 0; i < 900; i++) tx.put(texts, `a${i}`, { text });
    });
    await store.tx((tx) => {
      for (let i = 10; i < 900; i++) tx.delete(texts, `a${i}`);
    });
    const steps: MaintenanceStep[] = [];
    const first = (step: MaintenanceStep): void => {
      steps.push(step);
      abort.abort(cancelled);
    };
    await assert.rejects(store.compact({ signal: abort.signal, onProgress: first }), isCancelled);
    assert.equal(steps.length, 1);
    assert.equal((await store.find(texts)).length, 10);
    assert.equal((await store.check('full')).isWhole, true);
    await store.tx((tx) => tx.put(texts, 'b', { text }));

    steps.length = 0;
    const { beforeBytes, afterBytes } = await store.compact({ onProgress: (step) => steps.push(step) });
    assert.ok(beforeBytes - afterBytes > MB, `there was more to give back: ${beforeBytes} → ${afterBytes}`);
    assert.ok(steps.length > 0, 'it told how far it was');
    assert.ok(steps.every(({ phase, done, total }) => phase === 'compacting' && done >= 0 && done < total));
    assert.deepEqual([...steps].sort((a, b) => a.done - b.done), steps); // prettier-ignore
    assert.ok(fs.statSync(findStore(path.join(folder, 'store'))?.main ?? '').size <= afterBytes);
    assert.equal((await store.find(texts)).length, 11);
  });
});
