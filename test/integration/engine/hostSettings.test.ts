import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { DEFAULT_RESTART_SETTINGS } from '../../../src/core/agents/restartBudget';
import type { Disposable } from '../../../src/core/base/disposable';
import { silentLogger } from '../../../src/core/base/log';
import {
  type HostSettings,
  hostSettingsFile,
  readHostSettings,
  watchHostSettings,
  writeHostSettings,
} from '../../../src/core/node/hostSettings';
import { openHostWorld } from '../../../src/host/compose';
import { eventually } from '../../support/eventually';
import { temporaryFolder } from '../../support/storeWorker';

const settings = (isKept: boolean): HostSettings => ({
  isKept,
  hostFile: '/dist/host.js',
  tmuxPath: 'tmux',
  passEnvironment: [],
  engine: { startDeadlineMs: 30_000, restart: DEFAULT_RESTART_SETTINGS },
});

describe('the settings of the headless host', () => {
  let folder: string;
  let remove: () => void;
  let watching: Disposable | undefined;

  beforeEach(() => {
    ({ folder, remove } = temporaryFolder());
  });
  afterEach(() => {
    watching?.dispose();
    remove();
  });

  it('bring the agent types of a person along', async () => {
    const mine = { id: 'mine', label: 'Mine', command: ['mine'] };
    const world = await openHostWorld({
      workspace: folder,
      storageFolder: path.join(folder, 'storage'),
      distFolder: folder,
    });
    writeHostSettings(world.dataFolder, { ...settings(true), agentTypes: [mine, { id: 'wrong' }] });
    const engine = world.composeEngine(silentLogger);
    assert.deepEqual(engine.agentTypes.flatMap(({ id, isBuiltIn }) => (isBuiltIn ? [] : [id])), ['mine']); // prettier-ignore
    engine.dispose();
    fs.writeFileSync(hostSettingsFile(folder), JSON.stringify({ ...settings(true), agentTypes: 'x' }));
    assert.equal(readHostSettings(folder), undefined);
  });

  it('are told of each time they are written, although each writing replaces the file', async () => {
    const seen: (boolean | undefined)[] = [];
    watching = watchHostSettings(folder, () => seen.push(readHostSettings(folder)?.isKept), silentLogger);
    for (const isKept of [true, false, true, false]) {
      writeHostSettings(folder, settings(isKept));
      await eventually(`isKept ${String(isKept)}`, () => seen.at(-1) === isKept);
    }
    fs.rmSync(hostSettingsFile(folder));
    await eventually('they are gone', () => seen.at(-1) === undefined);
  });

  it('are not told of when another file changes, and never when the watch ended', async () => {
    let count = 0;
    watching = watchHostSettings(folder, () => count++, silentLogger);
    fs.writeFileSync(path.join(folder, 'store.db'), 'x');
    writeHostSettings(folder, settings(true));
    await eventually('they were told of', () => count > 0);
    watching.dispose();
    const before = count;
    let isTold = false;
    watching = watchHostSettings(folder, () => (isTold = true), silentLogger);
    writeHostSettings(folder, settings(false));
    await eventually('the other watch was told', () => isTold);
    assert.equal(count, before);
  });

  it('of a folder that is not there are only looked at', () => {
    watching = watchHostSettings(path.join(folder, 'gone'), () => assert.fail('nothing is there'), silentLogger);
    assert.equal(readHostSettings(path.join(folder, 'gone')), undefined);
  });
});
