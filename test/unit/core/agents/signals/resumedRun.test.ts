import assert from 'node:assert/strict';
import { resolveActivity } from '../../../../../src/core/agents/activityResolver';
import type { SettledScreen } from '../../../../../src/core/agents/agentHost';
import type { Activity } from '../../../../../src/core/agents/agentState';
import { builtInTypes } from '../../../../../src/core/agents/builtInTypes';
import { TypeReader } from '../../../../../src/core/agents/signals/typeReader';
import { WatchedRun } from '../../../../../src/core/agents/signals/watchedRun';
import { agentId } from '../../../../support/builders';
import { ManualClock } from '../../../../support/manualClock';

/** opencode 1.18.33 in a conversation whose last turn was killed: drawn like one that ended with an error. */
const KILLED_TURN = `
  ┃
  ┃  Work on.
  ┃

     ▣  Build · Scripted Model


  ┃
  ┃
  ┃
  ┃  Build · Scripted Model Scripted
  ╹▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀
   /home/me/project                                8.1K (4%) · $0.01  ctrl+p commands`;

function world(isResumed: boolean) {
  const [type] = builtInTypes().filter(({ id }) => id === 'opencode');
  assert.ok(type);
  const clock = new ManualClock();
  const reader = new TypeReader(type, 'bash');
  const run = new WatchedRun(2, clock, isResumed);
  const ID = agentId('worker');
  const screen = (): SettledScreen => ({
    agentId: ID, generation: 2, text: KILLED_TURN, title: 'OpenCode', foreground: 'opencode', cursor: { x: 5, y: 10 },
    isInCopyMode: false, observedAtMs: clock.nowMs(),
  }); // prettier-ignore
  return {
    tell: (activity: Activity): void =>
      run.addSignal({
        agentId: ID,
        generation: 2,
        source: 'hook',
        activity,
        detail: activity,
        observedAtMs: clock.nowMs(),
      }),
    /** What is so once the screen has been seen twice. */
    seen: async (): Promise<Activity | undefined> => {
      for (let look = 0; look < 2; look += 1) {
        await clock.advanceMs(500);
        run.addScreen(reader, screen());
      }
      return resolveActivity(run.facts, 'unknown', clock.monotonicMs()).verdict?.activity;
    },
  };
}

describe('a run that goes on with an earlier conversation', () => {
  it('is idle below the turn that was killed', async () => {
    assert.equal(await world(true).seen(), 'idle');
  });

  it('shows its own errors, from its first turn on', async () => {
    const { tell, seen } = world(true);
    await seen();
    tell('busy');
    assert.equal(await seen(), 'error');
  });

  it('differs from one that began with nothing: there an error is its own', async () => {
    assert.equal(await world(false).seen(), 'error');
  });
});
