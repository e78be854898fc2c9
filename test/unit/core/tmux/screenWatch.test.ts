import assert from 'node:assert/strict';
import { ScreenWatch } from '../../../../src/core/tmux/node/screenWatch';
import { ManualClock } from '../../../support/manualClock';

function createFixture() {
  const clock = new ManualClock();
  const facts: string[] = [];
  const watch = new ScreenWatch({
    clock,
    capture: async (paneId) => void facts.push(`capture ${paneId} at ${clock.monotonicMs()}`),
    onOutput: (paneId) => facts.push(`output ${paneId} at ${clock.monotonicMs()}`),
  });
  return { clock, facts, watch };
}

describe('screenWatch', () => {
  it('reads a screen 120 ms after its last output, in the next step of 80', async () => {
    const { clock, facts, watch } = createFixture();
    await clock.advanceMs(20);
    watch.noteOutput('%1');
    await clock.advanceMs(20);
    watch.noteOutput('%1');
    await clock.advanceMs(500);
    assert.deepEqual(facts, ['output %1 at 20', 'capture %1 at 160']);
    assert.deepEqual([watch.pendingCount, clock.pendingCount], [0, 0]);
  });

  it('reads a restless screen soon, then once per second, and tells of output four times', async () => {
    const { clock, facts, watch } = createFixture();
    for (let i = 0; i < 40; i++) {
      watch.noteOutput('%1');
      await clock.advanceMs(50);
    }
    await clock.advanceMs(1_000);
    assert.deepEqual(
      facts.filter((fact) => fact.startsWith('capture')),
      ['capture %1 at 160', 'capture %1 at 1200', 'capture %1 at 2080'],
    );
    assert.equal(facts.filter((fact) => fact.startsWith('output')).length, 8);
  });

  it('reads a screen that moves again after a rest soon again', async () => {
    const { clock, facts, watch } = createFixture();
    const move = async (times: number): Promise<void> => {
      for (let i = 0; i < times; i++) {
        watch.noteOutput('%1');
        await clock.advanceMs(50);
      }
    };
    await move(10);
    await clock.advanceMs(1_500);
    const beganMs = clock.monotonicMs();
    facts.length = 0;
    await move(10);
    const first = facts.find((fact) => fact.startsWith('capture'));
    assert.ok(Number(first?.split(' ').at(-1)) <= beganMs + 240, first);
  });

  it('reads again what changed while it was read', async () => {
    const clock = new ManualClock();
    let release = (): void => {};
    let captures = 0;
    const watch = new ScreenWatch({
      clock,
      capture: () => {
        captures++;
        return new Promise((resolve) => (release = resolve));
      },
      onOutput: () => {},
    });
    watch.noteOutput('%1');
    await clock.advanceMs(200);
    watch.noteOutput('%1');
    release();
    await clock.advanceMs(200);
    release();
    await clock.advanceMs(1_000);
    assert.equal(captures, 2);
  });

  it('forgets panes that are gone and leaves no timer behind', async () => {
    const { clock, facts, watch } = createFixture();
    watch.noteOutput('%1');
    watch.noteOutput('%2');
    watch.forget('%1');
    watch.dispose();
    watch.noteOutput('%3');
    await clock.advanceMs(2_000);
    assert.deepEqual([facts, clock.pendingCount], [['output %1 at 0', 'output %2 at 0'], 0]);
  });
});
