import fs from 'node:fs';
import path from 'node:path';
import { SystemClock } from '../src/core/base/clock';
import { silentLogger } from '../src/core/base/log';
import type { Collection } from '../src/core/data/dataStore';
import { lockFileName } from '../src/core/data/node/epochFence';
import { openStoreSession } from '../src/core/data/node/openStoreSession';
import type { StoreSession } from '../src/core/data/node/storeSession';
import { openFileStore, temporaryFolder, wasmFile } from '../test/support/storeWorker';
import { bench, figure, interleave, median, timed } from './figure';

const messages: Collection<{ readonly body: string }> = {
  kind: 'message',
  indexes: [],
  parse: (value) => value as { readonly body: string },
};

/** With the bookkeeping of a record about 1 KB. */
const body = 'x'.repeat(1000);

/** What runs in the store's own thread, run here: a durable commit without the two hops between threads. */
async function openSession(folder: string): Promise<StoreSession> {
  fs.writeFileSync(path.join(folder, lockFileName(1)), ''); // commits are fenced, as in the product
  const { session } = await openStoreSession(
    {
      folder,
      wasmFile,
      epoch: 1,
      isFenced: true,
      hasStaleWriter: false,
      onDamage: 'reject',
      acceptMissingChanges: false,
      engine: 'sql.js',
    },
    { clock: new SystemClock(), log: silentLogger },
  );
  return session;
}

void bench(async (report) => {
  const { folder, remove } = temporaryFolder();
  const threadFolder = fs.mkdtempSync(path.join(folder, 'thread-'));
  const { store } = await openFileStore(folder);
  const session = await openSession(threadFolder);
  const raw = fs.openSync(path.join(folder, 'raw'), 'a', 0o600);
  const bytes = Buffer.alloc(1024, 'x');
  const json = JSON.stringify({ body });
  let next = 0;
  const newId = (): string => `m${String(next++).padStart(9, '0')}`;
  const options = { expectedVersion: 0 } as const; // as messages are: each id once
  const call = (): Promise<void> => store.tx((tx) => tx.put(messages, newId(), { body }, options));
  const commit = (): void => {
    const op = { op: 'put', kind: messages.kind, id: newId(), json, ...options } as const;
    const [reply] = session.commit([{ type: 'tx', id: next, nowMs: Date.now(), isDurable: true, ops: [op] }]);
    if (reply?.type !== 'done') throw new Error(`the commit failed: ${JSON.stringify(reply)}`);
  };
  const rawAppend = (): void => {
    fs.writeSync(raw, bytes);
    fs.fdatasyncSync(raw);
  };
  const rawAsync = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const done = (error: Error | null): void => (error ? reject(error) : resolve());
      fs.write(raw, bytes, (error) => (error ? reject(error) : fs.fdatasync(raw, done)));
    });
  // Past the first checkpoint: until then the log's file still grows, which costs both metadata and time.
  for (let i = 0; i < 1_500; i++) await call();
  for (let i = 0; i < 1_500; i++) {
    commit();
    session.tidy();
  }
  for (let i = 0; i < 200; i++) {
    rawAppend();
    await rawAsync();
  }
  // Some milliseconds in one go, so that a busy moment of the machine hits all ways.
  const repeat = async (work: () => unknown, after: () => void = () => {}): Promise<number[]> => {
    const times: number[] = [];
    for (let i = 0; i < 20; i++) {
      times.push(await timed(work));
      after();
    }
    return times;
  };
  const baseline = (): Promise<number[]> => repeat(rawAppend);
  // What a caller waits who must not block its event loop, as the extension host must not: for us, and for the bare file.
  const waited = await interleave(100, { ours: () => repeat(call), baseline: () => repeat(rawAsync) });
  report(figure('store.commit.p50', median(waited.ours), 'ms', { ratioAtMost: 1.5 }, median(waited.baseline)));
  // What the thread of the store does, beside what a thread does that blocks.
  const commits = await interleave(100, { ours: () => repeat(commit, () => session.tidy()), baseline });
  report(figure('store.commit.thread.p50', median(commits.ours), 'ms', { ratioAtMost: 1.5 }, median(commits.baseline)));
  // Both differences at once: what our caller waits, beside a thread that blocks.
  const mixed = await interleave(100, { ours: () => repeat(call), baseline });
  report(figure('store.commit.blocking.p50', median(mixed.ours), 'ms', { ratioAtMost: 2.5 }, median(mixed.baseline)));
  session.close();
  await store.close();
  fs.closeSync(raw);
  remove();
});
