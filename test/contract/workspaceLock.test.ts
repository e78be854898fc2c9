import fs from 'node:fs';
import path from 'node:path';
import { SystemClock } from '../../src/core/base/clock';
import { silentLogger } from '../../src/core/base/log';
import { EpochWorkspaceLock } from '../../src/core/data/node/epochWorkspaceLock';
import { FakeWorkspace, FakeWorkspaceLock } from '../support/fakeWorkspaceLock';
import { temporaryFolder } from '../support/storeWorker';
import { workspaceLockContract } from './workspaceLock.contract';

describe('WorkspaceLock contract', () => {
  describe('FakeWorkspaceLock', () => {
    workspaceLockContract(() => {
      const workspace = new FakeWorkspace();
      return { contender: () => new FakeWorkspaceLock(workspace), dispose: async () => undefined };
    });
  });

  describe('EpochWorkspaceLock', () => {
    workspaceLockContract(() => {
      const { folder, remove } = temporaryFolder();
      const [dataFolder, runtimeFolder] = [path.join(folder, 'data'), path.join(folder, 'run')];
      fs.mkdirSync(dataFolder, { mode: 0o700 });
      return {
        contender: () =>
          new EpochWorkspaceLock({ dataFolder, runtimeFolder, clock: new SystemClock(), log: silentLogger }),
        dispose: async () => remove(),
      };
    });
  });
});
