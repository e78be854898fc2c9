import assert from 'node:assert/strict';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

interface Slots {
  (job: () => Promise<void>): Promise<void>;
  open(more: number): void;
}
interface Lanes {
  sharedSlots(count: number): Slots;
}

describe('Jobs of several tiers', () => {
  it('share their slots, and more run as soon as more are opened', async () => {
    const file = path.resolve(__dirname, '../../../scripts/lib/lanes.mjs');
    const { sharedSlots } = (await import(pathToFileURL(file).href)) as Lanes;
    const slots = sharedSlots(1);
    const begun: number[] = [];
    const ends: (() => void)[] = [];
    const turns = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    const jobs = [0, 1, 2, 3, 4].map((job) =>
      slots(async () => {
        begun.push(job);
        await new Promise<void>((resolve) => ends.push(resolve));
      }),
    );
    await turns();
    assert.deepEqual(begun, [0]);
    slots.open(2);
    await turns();
    assert.deepEqual(begun, [0, 1, 2]);
    ends.shift()?.();
    await turns();
    assert.deepEqual(begun, [0, 1, 2, 3]);
    while (begun.length < 5 || ends.length > 0) {
      ends.shift()?.();
      await turns();
    }
    await Promise.all(jobs);
    assert.deepEqual(begun, [0, 1, 2, 3, 4]);
  });
});
