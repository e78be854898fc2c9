import { strict as assert } from 'node:assert';
import { untilBegun } from '../../../src/vscode/window/untilBegun';
import { FakeEngine } from '../../support/fakeEngine';
import { ManualClock } from '../../support/manualClock';

describe('waiting for the start of the engine', () => {
  it('ends when it is past its start, or after a while, and leaves nothing behind', async () => {
    const [engine, clock] = [new FakeEngine(), new ManualClock()];
    let begun = 0;
    const first = untilBegun(engine, clock, 1_000).then(() => begun++);
    engine.simulateStatus({ kind: 'starting' });
    await clock.advanceMs(500);
    assert.equal(begun, 0);
    engine.simulateReady();
    await first;
    await untilBegun(engine, clock, 1_000);
    engine.simulateStatus({ kind: 'stopped' });
    const late = untilBegun(engine, clock, 1_000);
    await clock.advanceMs(1_000);
    await late;
    assert.deepEqual([engine.listenerCount, clock.pendingCount], [0, 0]);
  });
});
