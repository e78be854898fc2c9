import assert from 'node:assert/strict';
import { wantWhatIs } from '../../../src/core/afterRestore';
import { silentLogger } from '../../../src/core/base/log';
import { agentId, aRecord } from '../../support/builders';
import { SupervisedWorld } from '../../support/supervisedWorld';

describe('after a restore', () => {
  it('R17 who waited for a restart when the backup was made comes to rest, and is started by nobody', async () => {
    const world = new SupervisedWorld();
    const id = agentId('reviewer');
    world.store.records.set(id, aRecord({ lifecycle: 'backoff', generation: 2, nextStartAtMs: 5 }));
    await world.run(world.host.start());
    await world.run(wantWhatIs(world.store, world.host, silentLogger));
    await world.run(world.supervisor.begin());
    await world.clock.advanceMs(600_000);
    const { lifecycle, desired, nextStartAtMs } = world.agent().record;
    assert.deepEqual([lifecycle, desired, nextStartAtMs, world.launches()], ['stopped', 'stopped', undefined, 0]);
  });
});
