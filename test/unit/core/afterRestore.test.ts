import assert from 'node:assert/strict';
import type { AgentRecord } from '../../../src/core/agents/agent';
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
    await world.run(wantWhatIs(world.store, world.host, world.clock, silentLogger));
    await world.run(world.supervisor.begin());
    await world.clock.advanceMs(600_000);
    const { lifecycle, desired, nextStartAtMs } = world.agent().record;
    assert.deepEqual([lifecycle, desired, nextStartAtMs, world.launches()], ['stopped', 'stopped', undefined, 0]);
  });

  const cases: readonly (readonly [string, Partial<AgentRecord>])[] = [
    ['stopped with the same number of a run', { lifecycle: 'stopped', desired: 'stopped', generation: 4 }],
    ['stopped with a later number', { lifecycle: 'stopped', desired: 'stopped', generation: 6 }],
    ['running with a later number', { lifecycle: 'running', generation: 6 }],
    ['running with an earlier number', { lifecycle: 'running', generation: 2 }],
    ['being stopped', { lifecycle: 'stopping', desired: 'stopped', generation: 4 }],
    ['failed', { lifecycle: 'failed', generation: 4, exit: { code: 1 } }],
    ['never started', { lifecycle: 'created', desired: 'stopped', generation: 0 }],
    ['removed', { lifecycle: 'retired', desired: 'stopped', generation: 4 }],
  ];
  for (const [what, kept] of cases)
    it(`R18 R12 who lives goes on as it is, once, though the backup says: ${what}`, async () => {
      const world = new SupervisedWorld();
      const id = agentId('reviewer');
      world.store.records.set(id, aRecord({ ...kept, isFirstPromptDone: false }));
      await world.run(world.host.start());
      const process = world.host.simulateHosted({ ...{ agentId: id, generation: 4, folder: '/w' }, argv: ['demo'], env: {} }); // prettier-ignore
      await world.run(wantWhatIs(world.store, world.host, world.clock, silentLogger));
      await world.run(world.supervisor.begin());
      await world.clock.advanceMs(600_000);
      const { lifecycle, desired, generation, ...record } = world.agent().record;
      assert.deepEqual([lifecycle, desired, generation, world.launches()], ['running', 'running', 4, 0]);
      assert.deepEqual([record.process, record.isFirstPromptDone, record.exit], [process, true, undefined]);
      const [hosted] = await world.run(world.host.list());
      assert.equal(hosted?.liveness.kind, 'alive');
    });
});
