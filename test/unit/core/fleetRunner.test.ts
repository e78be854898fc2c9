import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { AgentError } from '../../../src/core/agents/agentErrors';
import type { FleetPlan } from '../../../src/core/engine';
import { FleetRunner } from '../../../src/core/fleetRunner';
import { aSpec } from '../../support/builders';
import { SupervisedWorld } from '../../support/supervisedWorld';

const FILE = '/project/.vscode/agents.json';
const SIZE = 20;

/** A begun supervisor with a runner of fleets. */
class FleetWorld {
  readonly world = new SupervisedWorld();
  runner!: FleetRunner;

  async begin(): Promise<this> {
    const { factory, clock } = this.world.ports();
    const { supervisor, store } = this.world;
    this.runner = new FleetRunner({
      supervisor,
      store,
      factory,
      clock,
      adoptType: () => Promise.resolve(),
      isFleetType: () => false,
      sha256: (text) => createHash('sha256').update(text).digest('hex'),
    });
    await this.world.run(supervisor.begin());
    return this;
  }

  /** A plan of shells that a person has approved. */
  async approved(size: number): Promise<FleetPlan> {
    const agents = Array.from({ length: size }, (_, index) => ({ name: `A${index}`, type: 'shell' }));
    const plan = await this.runner.plan(JSON.stringify({ agents }), FILE);
    await this.runner.approve(plan.agents.map(({ hash }) => hash));
    return plan;
  }

  start(plan: FleetPlan, signal = new AbortController().signal): ReturnType<FleetRunner['start']> {
    return this.runner.start(plan, () => undefined, signal);
  }

  stopAll(): ReturnType<FleetRunner['stopAll']> {
    return this.world.run(this.runner.stopAll(() => undefined, new AbortController().signal));
  }

  assertAtRest(where: string): void {
    const { supervisor, processes } = this.world;
    const states = supervisor.registry.list().map(({ record }) => `${record.desired} ${record.lifecycle}`);
    assert.deepEqual(
      states.filter((state) => state !== 'stopped stopped' && state !== 'stopped created'),
      [],
      where,
    );
    assert.deepEqual(processes.table, [], where);
  }
}

describe('FleetRunner', () => {
  it('R17 stopping everything ends a fleet that is being started, whenever it comes: nothing runs afterwards', async () => {
    for (const waitMs of [0, 10, 50, 100, 200, 400, 600, 900, 1_300]) {
      for (const turns of [0, 1, 4, 9, 15]) {
        const fleet = await new FleetWorld().begin();
        const starting = fleet.start(await fleet.approved(SIZE));
        await fleet.world.clock.advanceMs(waitMs);
        for (let turn = 0; turn < turns; turn++) await Promise.resolve();
        const where = `${waitMs} ms and ${turns} turns`;
        const stopped = await fleet.stopAll();
        assert.deepEqual([stopped.failed, stopped.isCanceled], [[], false], where);
        fleet.assertAtRest(where);
        const started = await fleet.world.run(starting);
        assert.deepEqual(started.failed, [], where);
        const launches = fleet.world.host.launchedSpecs().length;
        await fleet.world.clock.advanceMs(60_000);
        await fleet.world.restart();
        await fleet.world.clock.advanceMs(60_000);
        fleet.assertAtRest(where);
        assert.equal(fleet.world.host.launchedSpecs().length, launches, where);
      }
    }
  });

  it('R17 stopping everything ends single starts that are on their way, also of agents that never ran', async () => {
    for (let turns = 0; turns <= 40; turns++) {
      const fleet = await new FleetWorld().begin();
      const { supervisor } = fleet.world;
      await fleet.world.run(supervisor.create(aSpec({ name: 'Resting' })));
      await fleet.world.run(supervisor.create(aSpec()));
      const both = [
        supervisor.start('reviewer'),
        supervisor.create(aSpec({ name: 'Late' })).then(({ id }) => supervisor.start(id)),
      ];
      const ended = Promise.allSettled(both);
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      const stopped = await fleet.stopAll();
      await fleet.world.run(ended);
      fleet.assertAtRest(`${turns} turns`);
      assert.deepEqual([stopped.failed, stopped.skipped.includes('Resting')], [[], true], `${turns} turns`);
    }
  });

  it('a fleet can be started again after everything was stopped', async () => {
    const fleet = await new FleetWorld().begin();
    const plan = await fleet.approved(SIZE);
    const starting = fleet.start(plan);
    await fleet.world.clock.advanceMs(100);
    await fleet.stopAll();
    assert.equal((await fleet.world.run(starting)).isCanceled, true);
    const again = await fleet.world.run(fleet.start(plan));
    assert.deepEqual([again.succeeded.length, again.failed, again.isCanceled], [SIZE, [], false]);
    const stopped = await fleet.stopAll();
    assert.deepEqual([stopped.succeeded.length, stopped.skipped], [SIZE, []]);
  });

  it('remembers the last 20 plans: what was planned before them must be planned again', async () => {
    const fleet = await new FleetWorld().begin();
    const hashes: string[] = [];
    for (let count = 0; count < 22; count++) {
      const plan = await fleet.runner.plan(
        JSON.stringify({ agents: [{ name: 'P', type: 'shell', args: [String(count)] }] }),
        FILE,
      );
      hashes.push(...plan.agents.map(({ hash }) => hash));
    }
    const isRefused = (error: unknown): boolean => AgentError.is(error, 'agent.notApproved');
    await assert.rejects(fleet.runner.approve(hashes.slice(0, 1)), isRefused);
    await assert.rejects(fleet.runner.approve(hashes.slice(1, 2)), isRefused);
    await fleet.runner.approve(hashes.slice(2));
  });
});
