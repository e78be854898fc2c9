import fs from 'node:fs';
import path from 'node:path';
import type { Collection } from '../src/core/data/dataStore';
import { openFileStore, temporaryFolder } from '../test/support/storeWorker';
import { bench, figure, interleave, median, timed } from './figure';

const messages: Collection<{ readonly body: string }> = {
  kind: 'message',
  indexes: [],
  parse: (value) => value as { readonly body: string },
};

/** With the bookkeeping of a record about 1 KB. */
const body = 'x'.repeat(1000);

void bench(async (report) => {
  const { folder, remove } = temporaryFolder();
  const { store } = await openFileStore(folder);
  const raw = fs.openSync(path.join(folder, 'raw'), 'a', 0o600);
  const bytes = Buffer.alloc(1024, 'x');
  let next = 0;
  const commit = (): Promise<void> => {
    const id = `m${String(next++).padStart(9, '0')}`;
    return store.tx((tx) => tx.put(messages, id, { body }, { expectedVersion: 0 })); // as messages are: each id once
  };
  const rawAppend = (): void => {
    fs.writeSync(raw, bytes);
    fs.fdatasyncSync(raw);
  };
  // Past the first checkpoint: until then the log's file still grows, which costs both metadata and time.
  for (let i = 0; i < 1_500; i++) await commit();
  for (let i = 0; i < 200; i++) rawAppend();
  const repeat = async (call: () => unknown): Promise<number[]> => {
    const times: number[] = [];
    for (let i = 0; i < 100; i++) times.push(await timed(call));
    return times;
  };
  const { ours, baseline } = await interleave(20, { ours: () => repeat(commit), baseline: () => repeat(rawAppend) });
  report(figure('store.commit.p50', median(ours), 'ms', { ratioAtMost: 1.5 }, median(baseline)));
  await store.close();
  fs.closeSync(raw);
  remove();
});
