import readline from 'node:readline';
import { SystemClock } from '../../src/core/base/clock';
import { OrchestratorError } from '../../src/core/base/errors';
import { silentLogger } from '../../src/core/base/log';
import path from 'node:path';
import type { Collection, DataStore } from '../../src/core/data/dataStore';
import { EpochWorkspaceLock } from '../../src/core/data/node/epochWorkspaceLock';
import { openDataStore } from '../../src/core/data/node/openDataStore';
import { writeWhole } from './writeWhole';
import type { DurableStore } from '../../src/core/data/durableStore';
import type { StoreEngineChoice } from '../../src/core/data/storeEngine';
import type { Ownership } from '../../src/core/data/workspaceLock';

interface Args {
  readonly dataFolder: string;
  readonly runtimeFolder?: string;
  readonly workerFile: string;
  readonly wasmFile: string;
  /** Prefix of the ids written. */
  readonly name: string;
  /**
   * `acks`: write for ever, say every acknowledged number. `contend`: take the lock, then write slowly. `lock`: the lock only.
   * `patient`: as `acks`, one at a time, and say what fails. `tour`: write, check, back up, compact and close. `read`: say what is there and close. `history`: random transactions for ever.
   */
  readonly role: 'acks' | 'patient' | 'contend' | 'lock' | 'tour' | 'read' | 'history';
  /** Default: `auto`. */
  readonly engine?: StoreEngineChoice;
  /** `quarantine`: a damaged store is put aside. */
  readonly onDamage?: string;
  /** A number: opened as its owner after a forced take-over. */
  readonly staleEpoch?: string;
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
  writeWhole(1, `${JSON.stringify({ at: Date.now(), say: what, ...more })}\n`);
}

function codeOf(error: unknown): string {
  return error instanceof OrchestratorError ? error.code : String(error);
}

async function main(args: Args): Promise<void> {
  if (args.role === 'acks') return writeForEver(await open(args), args);
  if (args.role === 'patient') return writePatiently(await open(args), args);
  if (args.role === 'tour') return tour(await open(args, staleOwner(args)), args);
  if (args.role === 'read') return read(await open(args));
  if (args.role === 'history') return randomHistory(await open(args), args);
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

/** As after a forced take-over: whoever had it before may still write. */
function staleOwner({ staleEpoch }: Args): Ownership | undefined {
  if (staleEpoch === undefined) return undefined;
  const common = { confirmFreshFiles: () => undefined, release: () => undefined, isStillMine: () => true };
  return { ...common, epoch: Number(staleEpoch), hasStaleWriter: true };
}

async function open(args: Args, ownership?: Ownership): Promise<DurableStore> {
  const { dataFolder: folder, workerFile, wasmFile } = args;
  say('opening');
  const optional = { ...(ownership && { ownership }), ...(args.engine && { engine: args.engine }) };
  const onDamage = args.onDamage === 'quarantine' ? 'quarantine' : 'reject';
  const { store, report } = await openDataStore({ folder, workerFile, wasmFile, onDamage, ...optional });
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

async function writePatiently(store: DurableStore, { name }: Args): Promise<void> {
  const text = 'x'.repeat(20_000);
  for (let n = 0; ; n++) {
    try {
      await store.tx((tx) => {
        tx.put(numbers, `${name}-${n}`, { n });
        tx.put(fill, `${n}`, { text });
      });
      say('ack', { n });
    } catch (error) {
      const { isReadOnly, reason = '' } = store.health;
      say('failed', { code: codeOf(error), isReadOnly, reason });
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Comes past every instant that a store has. */
async function tour(store: DurableStore, { name, dataFolder }: Args): Promise<void> {
  say('open');
  const text = 'x'.repeat(200_000);
  for (let n = 0; n < 40; n++) {
    await store.tx((tx) => {
      tx.put(numbers, `${name}-${n}`, { n });
      tx.put(fill, `${n % 8}`, { text });
    });
    say('ack', { n });
  }
  await store.backup(path.join(dataFolder, 'tour.db'));
  await store.tx((tx) => {
    for (let n = 0; n < 8; n++) tx.delete(fill, `${n}`);
  });
  await store.compact();
  await store.close();
  say('closed');
}

async function read(store: DurableStore): Promise<void> {
  say('found', { ids: (await store.find(numbers)).map((record) => record.id), isReadOnly: store.health.isReadOnly });
  await store.close();
  say('closed');
}

/** What one random transaction wrote; kept under its own id, so that it is seen whether it took effect, and how often. */
export interface HistoryEntry {
  /** Which of the counters it raised, and from where. */
  readonly counter: string;
  readonly before: number;
}
export const history: Collection<HistoryEntry> = {
  kind: 'history',
  indexes: [],
  parse: (value) => value as HistoryEntry,
};

/** Transactions that read a counter, raise it and write down what they saw, several at a time. */
async function randomHistory(store: DataStore, { name }: Args): Promise<void> {
  say('open');
  const lane = async (at: number): Promise<void> => {
    for (let i = 0; ; i++) {
      const op = `${name}-${at}-${i}`;
      const counter = `c${Math.floor(Math.random() * 5)}`;
      say('begin', { op });
      await store.tx((tx) => {
        const before = tx.get(numbers, counter)?.value.n ?? 0;
        tx.put(numbers, counter, { n: before + 1 });
        tx.put(history, op, { counter, before });
      });
      say('ack', { op });
    }
  };
  await Promise.all([0, 1, 2, 3].map(lane));
}

if (process.argv[1]?.endsWith('storeWorkerChild.js')) {
  void main(JSON.parse(process.argv[2] ?? '{}') as Args).catch((error: unknown) =>
    say('died', { code: codeOf(error) }),
  );
}
