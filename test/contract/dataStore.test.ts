import { SystemClock } from '../../src/core/base/clock';
import type { DataStore } from '../../src/core/data/dataStore';
import { MemoryDataStore } from '../../src/core/data/memoryDataStore';
import { openFileStore, temporaryFolder } from '../support/storeWorker';
import { dataStoreContract } from './dataStore.contract';

describe('DataStore contract', () => {
  for (const isRehearsing of [false, true]) {
    describe(`MemoryDataStore${isRehearsing ? ', rehearsing' : ''}`, () => {
      dataStoreContract(async () => {
        const store = new MemoryDataStore({ clock: new SystemClock(), isRehearsing });
        return { store, reopen: undefined, dispose: () => store.close() };
      });
    });
  }

  describe('SqlJsDataStore on a file', () => {
    dataStoreContract(async () => {
      const { folder, remove } = temporaryFolder();
      let { store }: { store: DataStore } = await openFileStore(folder);
      return {
        store,
        reopen: async () => {
          await store.close();
          ({ store } = await openFileStore(folder));
          return store;
        },
        dispose: async () => {
          await store.close();
          remove();
        },
      };
    });
  });
});
