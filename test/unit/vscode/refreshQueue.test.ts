import { strict as assert } from 'node:assert';
import { REFRESH_INTERVAL_MS, RefreshQueue } from '../../../src/vscode/agents/refreshQueue';
import { ManualClock } from '../../support/manualClock';

describe('RefreshQueue', () => {
  function createFixture() {
    const clock = new ManualClock();
    const flushed: string[] = [];
    const queue = new RefreshQueue<string>(clock, (items) => flushed.push(items.join('+')));
    return { clock, flushed, queue };
  }

  it('sends the first change at once and a burst together, each thing once', async () => {
    const { clock, flushed, queue } = createFixture();
    for (const item of ['a', 'b', 'c', 'b']) queue.add(item);
    assert.deepEqual(flushed, ['a']);
    await clock.advanceMs(REFRESH_INTERVAL_MS - 1);
    assert.deepEqual(flushed, ['a']);
    await clock.advanceMs(1);
    assert.deepEqual(flushed, ['a', 'b+c']);
  });

  it('sends at most once per interval however long a burst lasts', async () => {
    const { clock, flushed, queue } = createFixture();
    for (let i = 0; i < 100; i++) {
      queue.add('a');
      await clock.advanceMs(10);
    }
    assert.equal(flushed.length, 11); // at 0, 100, … 1000 ms
  });

  it('is quick again after a quiet time', async () => {
    const { clock, flushed, queue } = createFixture();
    queue.add('a');
    await clock.advanceMs(REFRESH_INTERVAL_MS);
    queue.add('b');
    assert.deepEqual(flushed, ['a', 'b']);
  });

  it('sends nothing after dispose and leaves no timer', async () => {
    const { clock, flushed, queue } = createFixture();
    queue.add('a');
    queue.add('b');
    queue.dispose();
    await clock.advanceMs(REFRESH_INTERVAL_MS);
    assert.deepEqual([flushed, clock.pendingCount], [['a'], 0]);
  });
});
