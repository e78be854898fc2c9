import assert from 'node:assert/strict';
import { figure, interleave, median, percentile } from '../../../bench/figure';
import { outcomeOf } from '../../../bench/run';

describe('figures', () => {
  it('holds at its limit, of the ratio or of the value, and not above', () => {
    assert.deepEqual(figure('a', 1, 'ms', { ratioAtMost: 0.125 }, 8), {
      name: 'a',
      value: 1,
      unit: 'ms',
      baseline: 8,
      ratio: 0.125,
      goal: 'ratio <= 0.125',
      holds: true,
    });
    assert.deepEqual(figure('b', 11, 'ms', { atMost: 10 }), {
      name: 'b',
      value: 11,
      unit: 'ms',
      baseline: null,
      ratio: null,
      goal: 'value <= 10',
      holds: false,
    });
    assert.equal(figure('c', 3, '1', { atLeast: 3, atMost: 3 }).holds, true);
    assert.equal(figure('d', NaN, 'ms', { atLeast: 0 }).holds, false);
  });

  it('refuses a goal that proves nothing', () => {
    assert.throws(() => figure('a', 1, 'ms', {}), /without a goal/);
    assert.throws(() => figure('a', 1, 'ms', { ratioAtMost: 1 }), /needs a baseline/);
    assert.throws(() => figure('a', 1, 'ms', { ratioAtMost: 1 }, 0), /needs a baseline/);
  });

  it('takes medians and percentiles of unsorted values', () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 2, 3]), 2.5);
    assert.equal(percentile([5, 1, 4, 2, 3], 99), 5);
    assert.equal(percentile([5, 1, 4, 2, 3], 50), 3);
    assert.equal(percentile([5, 1], 0), 1);
    assert.throws(() => percentile([], 50), /no values/);
  });

  it('measures both ways in turns, swapping their order', async () => {
    const order: string[] = [];
    const way = (name: string) => async (): Promise<number[]> => {
      order.push(name);
      return [order.length];
    };
    assert.deepEqual(await interleave(3, { ours: way('o'), baseline: way('b') }), {
      ours: [1, 4, 5],
      baseline: [2, 3, 6],
    });
    assert.equal(order.join(''), 'obboob');
  });

  it('tells what cannot be measured here from what failed', () => {
    const one = figure('a', 1, 'ms', { atMost: 2 });
    assert.deepEqual(outcomeOf([one, { notRun: 'no /proc' }], ''), { figures: [one], notRun: ['no /proc'] });
    assert.deepEqual(outcomeOf([{ notRun: 'no /proc' }], ''), { figures: [], notRun: ['no /proc'] });
    assert.deepEqual(outcomeOf([], ''), { figures: [], notRun: [], problem: 'reported no figure' });
    assert.deepEqual(outcomeOf([one], 'exit code 1'), { figures: [one], notRun: [], problem: 'exit code 1' });
  });
});
