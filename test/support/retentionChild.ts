import fs from 'node:fs';
import { SystemClock } from '../../src/core/base/clock';
import { silentLogger } from '../../src/core/base/log';
import type { Collection } from '../../src/core/data/dataStore';
import { MonthArchive } from '../../src/core/data/node/monthArchive';
import { openDataStore } from '../../src/core/data/node/openDataStore';
import { DataProcessor } from '../../src/core/data/processing/dataProcessor';
import { applyRetention, type RetentionClass } from '../../src/core/data/retention/retention';

export const oldLines: Collection<{ readonly atMs: number; readonly text: string }> = {
  ...{ kind: 'line', indexes: [] },
  parse: (value) => value as { readonly atMs: number; readonly text: string },
};

/** Everything is due. */
export const allLines: RetentionClass = {
  ...{ kind: oldLines.kind, days: () => 1, keptPerGroup: 0, livingGroup: () => undefined },
  endedAt: 'atMs',
};

/** Moves old lines of the store in `folder` into its archive, until it is killed or all is moved. */
async function main([folder = '', workerFile = '', wasmFile = '']: readonly string[]): Promise<void> {
  const { store } = await openDataStore({ folder, workerFile, wasmFile });
  const clock = new SystemClock();
  fs.writeSync(1, 'begun\n');
  await applyRetention(
    [allLines],
    {
      ...{ store, nowMs: () => clock.nowMs(), log: silentLogger },
      archive: new MonthArchive({ folder, epoch: 1, workerFile, wasmFile }),
      processor: new DataProcessor({ clock }),
    },
    new AbortController().signal,
  );
  await store.close();
  fs.writeSync(1, 'done\n');
}

if (require.main === module) void main(process.argv.slice(2));
