import assert from 'node:assert/strict';
import { DataError } from '../../../../../src/core/data/dataErrors';
import type { Collection } from '../../../../../src/core/data/dataStore';
import { maxHandedOver, maxUnderWay, TransactionQueue } from '../../../../../src/core/data/node/transactionQueue';
import { ManualClock } from '../../../../support/manualClock';

interface Note {
  readonly text: string;
}
const notes: Collection<Note> = { kind: 'note', indexes: [], parse: (value) => value as Note };

describe('R4 the queue of transactions', () => {
  /** A store whose disk does not answer until it is told to. */
  function createFixture() {
    const waiting: (() => void)[] = [];
    let written = 0;
    const queue = new TransactionQueue({
      ...{ clock: new ManualClock(), epoch: 1, use: () => undefined, fetch: async () => [] },
      write: () => (written++, new Promise<void>((resolve) => waiting.push(resolve))),
      writeStaged: async () => undefined,
    });
    const answer = (): void => {
      for (const resolve of waiting.splice(0)) resolve();
    };
    return { queue, answer, written: () => written };
  }
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('R4 refuses one more when too many wait for a disk that does not answer, and goes on when it does', async () => {
    const { queue, answer } = createFixture();
    const all = Array.from({ length: maxUnderWay }, (_, n) => queue.add((tx) => tx.put(notes, `${n}`, { text: 'x' })));
    const busy = (error: unknown): boolean => DataError.is(error, 'data.busy');
    await assert.rejects(
      queue.add((tx) => tx.put(notes, 'more', { text: 'x' })),
      busy,
    );
    await assert.rejects(queue.addStaged(1), busy);
    await queue.whenIdle();
    answer();
    await Promise.all(all);
    const more = queue.add((tx) => tx.put(notes, 'more', { text: 'x' }));
    await queue.whenIdle();
    answer();
    await more;
  });

  it('R4 hands no more over than a bound while the disk does not answer', async () => {
    const { queue, answer, written } = createFixture();
    const text = 'x'.repeat(1_000_000);
    const all = Array.from({ length: 200 }, (_, n) => queue.add((tx) => tx.put(notes, `${n}`, { text })));
    for (let turns = 0; turns < 50; turns++) await turn();
    const most = Math.floor(maxHandedOver / text.length) + 1;
    assert.ok(written() > 10 && written() <= most, `${written()} of at most ${most}`);
    let isDone = false;
    void Promise.all(all).then(() => (isDone = true));
    for (let turns = 0; !isDone && turns < 1_000; turns++) {
      answer();
      await turn();
    }
    assert.deepEqual([isDone, written()], [true, 200]);
  });
});
