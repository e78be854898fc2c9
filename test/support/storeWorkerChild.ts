import fs from 'node:fs';
import readline from 'node:readline';
import { SystemClock } from '../../src/core/base/clock';
import { OrchestratorError } from '../../src/core/base/errors';
import { silentLogger } from '../../src/core/base/log';
import type { Collection, DataStore } from '../../src/core/data/dataStore';
import { EpochWorkspaceLock } from '../../src/core/data/node/epochWorkspaceLock';
import { openDataStore } from '../../src/core/data/node/openDataStore';
import type { Ownership } from '../../src/core/data/workspaceLock';

interface Args {
  readonly dataFolder: string;
  readonly runtimeFolder?: string;
  readonly workerFile: string;
  readonly wasmFile: string;
  /** Prefix of the ids written. */
  readonly name: string;
  /** `acks`: write for ever, say every acknowledged number. `contend`: take the lock, then write slowly. `lock`: the lock only. */
  readonly role: 'acks' | 'contend' | 'lock';
  /** How many writes are under way at a time. */
  readonly width?: string;
  /** So much is written over and over beside each number: the log is moved into the main file all the time. */
  readonly fillBytes?: string;
}

export const numbers: Collection<{ readonly n: number }> = {
  kind: 'number',
  indexes: ['n'],
  parse: (value) => value as { readonly n: number },
};

/** Written over and over, so that the store does not grow with it. */
const fill: Collection<{ readonly text: string }> = {
  kind: 'fill',
  indexes: [],
  parse: (value) => value as { readonly text: string },
};

/** Written synchronously: a line that was returned from has reached the pipe. */
function say(what: string, more: object = {}): void {
  fs.writeSync(1, `${JSON.stringify({ at: Date.now(), say: what, ...more })}\n`);
}

function codeOf(error: unknown): string {
  return error instanceof OrchestratorError ? error.code : String(error);
}

async function main(args: Args): Promise<void> {
  if (args.role === 'acks') return writeForEver(await open(args), args);
  const ownership = await own(args);
  if (args.role === 'lock') return;
  const store = await open(args, ownership);
  say('open');
  for (let n = 0; ; n++) {
    try {
      await store.tx((tx) => tx.put(numbers, `${args.name}-${n}`, { n }));
      say('ack', { id: `${args.name}-${n}`, epoch: ownership.epoch });
    } catch (error) {
      say('failed', { code: codeOf(error), isStillMine: ownership.isStillMine() });
      if (codeOf(error) === 'data.fenced') break;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  for (let i = 0; i < 3; i++) {
    const again = store.tx((tx) => tx.put(numbers, `${args.name}-late-${i}`, { n: -1 }));
    say('late', { code: await again.then(() => 'acknowledged', codeOf) });
  }
  await store.close();
  say('closed');
}

async function own(args: Args): Promise<Ownership> {
  const { dataFolder, runtimeFolder = dataFolder } = args;
  const lock = new EpochWorkspaceLock({ dataFolder, runtimeFolder, clock: new SystemClock(), log: silentLogger });
  readline.createInterface(process.stdin).on('line', (line) => {
    if (line === 'takeOver') lock.takeOver();
  });
  const ownership = await lock.acquire((owner) => say('follow', owner), new AbortController().signal);
  say('own', { epoch: ownership.epoch, hasStaleWriter: ownership.hasStaleWriter });
  return ownership;
}

async function open(args: Args, ownership?: Ownership): Promise<DataStore> {
  const { dataFolder: folder, workerFile, wasmFile } = args;
  say('opening');
  const { store, report } = await openDataStore({ folder, workerFile, wasmFile, ...(ownership ? { ownership } : {}) });
  say('report', { report });
  return store;
}

async function writeForEver(store: DataStore, { name, width = '1', fillBytes = '0' }: Args): Promise<void> {
  say('open');
  const text = 'x'.repeat(Number(fillBytes));
  let next = 0;
  const writer = async (lane: number): Promise<void> => {
    for (;;) {
      const n = next++;
      await store.tx((tx) => {
        tx.put(numbers, `${name}-${n}`, { n });
        if (text) tx.put(fill, `${lane}`, { text });
      });
      say('ack', { n });
    }
  };
  await Promise.all(Array.from({ length: Number(width) }, (_, lane) => writer(lane)));
}

if (process.argv[1]?.endsWith('storeWorkerChild.js')) {
  void main(JSON.parse(process.argv[2] ?? '{}') as Args).catch((error: unknown) =>
    say('died', { code: codeOf(error) }),
  );
}
