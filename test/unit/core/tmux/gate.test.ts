import assert from 'node:assert/strict';
import { Gate } from '../../../../src/core/tmux/gate';

/** Work that ends when it is told to, and the order in which pieces of it began. */
function pieces() {
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const work = (n: number) => (): Promise<number> => {
    begun.push(n);
    return new Promise((resolve) => (ends[n] = () => resolve(n)));
  };
  return { begun, work, end: (n: number) => ends[n]?.() };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a gate', () => {
  it('lets no more run than its limit, the others in the order in which they came', async () => {
    const { begun, work, end } = pieces();
    const gate = new Gate(2);
    const all = [0, 1, 2, 3].map((n) => gate.run(work(n)));
    await turn();
    assert.deepEqual(begun, [0, 1]);
    end(1);
    await turn();
    assert.deepEqual(begun, [0, 1, 2]);
    end(0);
    end(2);
    await turn();
    end(3);
    assert.deepEqual(await Promise.all(all), [0, 1, 2, 3]);
    assert.deepEqual(begun, [0, 1, 2, 3]);
  });

  it('begins at once when there is room', () => {
    const { begun, work } = pieces();
    void new Gate(1).run(work(0));
    assert.deepEqual(begun, [0]);
  });

  it('goes on after work that fails', async () => {
    const gate = new Gate(1);
    const failing = gate.run(() => Promise.reject(new Error('no')));
    const next = gate.run(() => Promise.resolve('yes'));
    await assert.rejects(failing, /no/);
    assert.equal(await next, 'yes');
    assert.equal(await gate.run(() => Promise.resolve('again')), 'again');
  });
});
