import assert from 'node:assert/strict';
import { SystemClock } from '../../src/core/base/clock';
import type { DataStore } from '../../src/core/data/dataStore';
import { MemoryDataStore } from '../../src/core/data/memoryDataStore';
import { declaresNodeSqlite, noNodeSqlite, runInEditorNode } from '../support/nodeWithSqlite';
import { notRun } from '../support/notRun';
import { openFileStore, temporaryFolder } from '../support/storeWorker';
import { dataExchangeContract } from './dataExchange.contract';
import { dataSearchContract } from './dataSearch.contract';
import { dataStoreContract, fencedStoreContract, type StoreFixture } from './dataStore.contract';
import { durableStoreContract } from './durableStore.contract';

describe('DataStore contract', () => {
  for (const isRehearsing of [false, true]) {
    describe(`MemoryDataStore${isRehearsing ? ', rehearsing' : ''}`, () => {
      const open = async (): Promise<StoreFixture> => {
        const store = new MemoryDataStore({ clock: new SystemClock(), isRehearsing });
        return { store, reopen: undefined, dispose: () => store.close() };
      };
      dataStoreContract(open);
      dataSearchContract(open);
      dataExchangeContract(open);
      fencedStoreContract(async () => {
        const store = new MemoryDataStore({ clock: new SystemClock(), isRehearsing });
        return { store, fence: () => store.simulateFenced() };
      });
    });
  }

  /** Those of each engine. */
  let fileStoreTests = 0;
  for (const engine of declaresNodeSqlite ? (['sql.js', 'node:sqlite'] as const) : (['sql.js'] as const)) {
    const suite = describe(`FileDataStore by ${engine}`, () => {
      before(function () {
        if (engine === 'node:sqlite' && noNodeSqlite) notRun(this, noNodeSqlite);
      });
      const open = async (): Promise<StoreFixture> => {
        const { folder, remove } = temporaryFolder();
        let { store }: { store: DataStore } = await openFileStore(folder, { engine });
        assert.ok(store.health.engine.startsWith(engine), store.health.engine);
        return {
          store,
          reopen: async () => {
            await store.close();
            ({ store } = await openFileStore(folder, { engine }));
            return store;
          },
          dispose: async () => {
            await store.close();
            remove();
          },
        };
      };
      dataStoreContract(open);
      dataSearchContract(open);
      dataExchangeContract(open);
      durableStoreContract(engine);
    });
    fileStoreTests = suite.total();
  }

  if (!declaresNodeSqlite)
    it("R5 FileDataStore passes by node:sqlite in VS Code's Node", async function () {
      this.timeout(180_000);
      const run = await runInEditorNode(__filename, 'FileDataStore by node:sqlite');
      assert.ok(run.isPassed, run.output);
      assert.deepEqual([run.passed, run.pending], [fileStoreTests, 0], run.output);
      assert.ok(fileStoreTests > 0);
    });
});
