import assert from 'node:assert/strict';
import { newDelivery, step } from '../../../src/core/agents/delivery/deliveryRecord';
import type { PromptDelivery } from '../../../src/core/agents/delivery/promptDelivery';
import type { AgentType } from '../../../src/core/agents/agentType';
import { requireAgentType } from '../../../src/core/agents/agentTypeParser';
import { AgentTypes } from '../../../src/core/agentTypes';
import { silentLogger } from '../../../src/core/base/log';
import { DamagedRecords } from '../../../src/core/damagedRecords';
import type { KeptRecord } from '../../../src/core/data/dataStore';
import { MemoryDataStore } from '../../../src/core/data/memoryDataStore';
import { FleetTypes } from '../../../src/core/fleetTypes';
import { settleRestore } from '../../../src/core/settleRestore';
import type { RestoredStore } from '../../../src/core/workspace';
import { agentId, aRecord, aSpec } from '../../support/builders';
import { ManualClock } from '../../support/manualClock';
import { SupervisedWorld } from '../../support/supervisedWorld';

function kept(kind: string, id: string, value: object): KeptRecord {
  return { kind, id, version: 1, createdAtMs: 0, updatedAtMs: 0, epoch: 1, json: JSON.stringify(value) };
}

describe('settleRestore', () => {
  const id = agentId('reviewer');
  const manifest = (type: string): object => ({
    id: type,
    label: type,
    command: [type],
    readiness: { when: 'settled', afterMs: 500 },
  });

  interface Former {
    readonly records?: readonly KeptRecord[];
    /** Undefined: they cannot be read. */
    readonly deliveries?: readonly PromptDelivery[];
    readonly isLast?: boolean;
    readonly fleetTypes?: Pick<FleetTypes, 'adopt'>;
  }

  async function fixture({ records, deliveries, isLast = true, ...given }: Former = {}) {
    const world = new SupervisedWorld();
    const done: string[] = [];
    const asked: (readonly string[])[] = [];
    const fleetTypes = { adopt: async (type: AgentType) => void done.push(`adopted ${type.id} as ${type.label}`) };
    const { store, host, clock, ids } = world;
    const ports = { store, deliveries: world.deliveries, host, clock, ids, fleetTypes, log: silentLogger, ...given };
    const restored: RestoredStore = {
      backup: 'old.db',
      ...(records && { former: records }),
      formerDeliveries: async (open) => {
        asked.push(open);
        return deliveries && { records: deliveries.map((one) => kept('delivery', one.id, one)), isLast };
      },
      formerReceipts: async function* (agents, newest) {
        for (const agent of agents) {
          const its = (deliveries ?? []).filter(({ agentId: of }) => of === agent);
          yield its.slice(-newest).map((one) => kept('delivery', one.id, one));
        }
      },
      settle: () => void done.push('settled'),
    };
    const settle = (): Promise<readonly string[]> => settleRestore(ports, restored);
    await world.run(world.host.start());
    world.host.simulateHosted({ agentId: id, generation: 1, folder: '/w', argv: ['demo'], env: {} });
    return { world, done, asked, settle };
  }

  it('carries over who lives, with the type of a fleet that it needs; what cannot be read is left out', async () => {
    const live = { lifecycle: 'running', generation: 1 } as const;
    const { world, done, settle } = await fixture({
      records: [
        kept('agent', 'reviewer', aRecord({ ...live, spec: aSpec({ name: 'Of the damaged record' }) })),
        kept('agent', 'reviewer (recovered)', aRecord({ ...live, spec: aSpec({ name: 'Mary', typeId: 'own' }) })),
        kept('agent', 'odd', { id: 'odd' }),
        ...['own', 'unused'].map((type) => kept('fleetType', type, manifest(type))),
        kept('fleetType', 'odd', { id: 'own' }),
      ],
    });
    await world.run(settle());
    assert.deepEqual([...world.store.records.values()].map(({ spec }) => spec.name), ['Mary']); // prettier-ignore
    assert.deepEqual(done, ['adopted own as own', 'settled']);
  });

  it('is done again at the next opening when the host or the store does not answer', async () => {
    const { world, done, settle } = await fixture({ records: [kept('agent', 'reviewer', aRecord({ generation: 1 }))] });
    world.store.failure = new Error('no');
    await assert.rejects(world.run(settle()), /no/);
    assert.deepEqual(done, []);
    world.store.failure = undefined;
    await world.run(settle());
    assert.deepEqual(done, ['settled']);
  });

  it('of a former store that could not be read, nothing is carried over', async () => {
    const { world, done, settle } = await fixture();
    await world.run(settle());
    assert.deepEqual([world.store.records.size, done], [0, ['settled']]);
  });

  it('a type of a fleet is what an agent that lives was started as, not the older one of the backup', async () => {
    const never = (): never => assert.fail('nothing is damaged');
    const types = new AgentTypes(() => [], never);
    const fleetTypes = new FleetTypes(
      new MemoryDataStore({ clock: new ManualClock() }),
      types,
      new DamagedRecords({
        notices: { raise: never, resolve: never },
        clock: new ManualClock(),
        log: silentLogger,
      }),
    );
    const labelled = (type: string, label: string): AgentType => requireAgentType({ ...manifest(type), label });
    for (const type of ['own', 'unused']) await fleetTypes.adopt(labelled(type, 'old'));
    const own = aRecord({ lifecycle: 'running', generation: 1, spec: aSpec({ typeId: 'own' }) });
    const { world, settle } = await fixture({
      fleetTypes,
      records: [
        kept('agent', 'reviewer', own),
        ...['own', 'unused'].map((type) => kept('fleetType', type, labelled(type, 'new'))),
      ],
    });
    await world.run(settle());
    assert.deepEqual(types.infos.map(({ id: type, label }) => [type, label]), [['unused', 'old'], ['own', 'new']]); // prettier-ignore
  });

  it('says who is called otherwise since its name is taken in the backup', async () => {
    const mary = aRecord({ lifecycle: 'running', generation: 1, spec: aSpec({ name: 'Mary' }) });
    const { world, settle } = await fixture({ records: [kept('agent', 'reviewer', mary)] });
    const other = aRecord({ id: agentId('mary'), spec: aSpec({ name: 'mary' }) });
    world.store.records.set(other.id, other);
    assert.deepEqual(await world.run(settle()), ['"Mary" is called "reviewer" now, since its name is taken.']);
  });

  describe('R7 prompts', () => {
    const live = [kept('agent', 'reviewer', aRecord({ lifecycle: 'running', generation: 1 }))];
    const queued = (of: string, agent = id): PromptDelivery =>
      newDelivery({ id: of, agentId: agent, text: `text of ${of}`, actor: 'person' }, 1);
    const typing = (of: string, agent = id): PromptDelivery =>
      step(queued(of, agent), 'typing', 2, { generation: 1, prepared: `text of ${of}` });
    const acknowledged = (of: string): PromptDelivery => step(typing(of), 'acknowledged', 3, { evidence: 'hook' });
    const unknown = (of: string): PromptDelivery => step(typing(of), 'delivery_unknown', 3, { reason: 'no_evidence' });

    /** What is kept of them after the backup with `backup` was restored, in words. */
    async function after(backup: readonly PromptDelivery[], former: Former) {
      const { world, done, asked, settle } = await fixture({ records: live, ...former });
      for (const delivery of backup) world.deliveries.deliveries.set(delivery.id, delivery);
      await world.run(settle());
      assert.equal(done.at(-1), 'settled');
      const all = [...world.deliveries.deliveries.values()];
      return { world, asked, settle, states: all.map(({ id: of, state }) => `${of}: ${state}`), all };
    }

    it('that a backup has in the queue are what they were last: none is typed a second time', async () => {
      const backup = ['taken', 'waits', 'begun', 'settled', 'forgotten'].map((of) => queued(of));
      const canceled = step(queued('settled'), 'canceled', 4, { detail: 'taken back' });
      const { states, asked, world, all } = await after([...backup, unknown('late'), acknowledged('old')], {
        deliveries: [acknowledged('taken'), queued('waits'), typing('begun'), canceled, acknowledged('late')],
      });
      assert.deepEqual(asked, [['begun', 'forgotten', 'late', 'settled', 'taken', 'waits']]);
      assert.deepEqual(states, [
        ...['taken: acknowledged', 'waits: queued', 'begun: typing', 'settled: canceled', 'forgotten: canceled'],
        ...['late: acknowledged', 'old: acknowledged'],
      ]);
      assert.match(all.find(({ id: of }) => of === 'forgotten')?.detail ?? '', /^restored from a backup/);
      await world.run(world.supervisor.begin());
      assert.equal(world.supervisor.promptsOf(id).queuedPromptCount, 1, 'only what still waited');
    });

    it('are taken back, or not known to have arrived, where nobody can tell what became of them', async () => {
      for (const former of [{}, { records: [] }, { deliveries: [queued('waits'), typing('begun')], isLast: false }]) {
        const { states, all, world } = await after([queued('waits'), typing('begun'), unknown('late')], former);
        assert.deepEqual(states, ['waits: canceled', 'begun: delivery_unknown', 'late: delivery_unknown']);
        for (const { detail } of all.slice(0, 2)) assert.match(detail ?? '', /^restored from a backup/);
        await world.run(world.supervisor.begin());
        assert.equal(world.supervisor.promptsOf(id).queuedPromptCount, 0);
      }
    });

    it('that only the former store knows wait on for who lives, and nothing that the backup knows the end of', async () => {
      const other = agentId('other');
      const deliveries = [queued('new'), typing('typed'), queued('ended'), queued('rests', other)];
      const { states, settle, world } = await after([acknowledged('ended')], { deliveries });
      assert.deepEqual(states, ['ended: acknowledged', 'new: queued', 'typed: typing']);
      const { saves } = world.deliveries;
      await world.run(settle());
      assert.equal(saves.length, 2, 'and the same when it is done again');
    });

    it('that are over are carried over for who lives, the newest of them, and leave those of the backup alone', async () => {
      const other = agentId('other');
      const many = Array.from({ length: 100 }, (_, at) => acknowledged(`many${String(at).padStart(3, '0')}`));
      const rests = step(queued('rests', other), 'canceled', 3, { detail: 'taken back' });
      const former = [acknowledged('oldest'), ...many, unknown('kept'), rests];
      const { states, settle, world } = await after([acknowledged('kept')], { deliveries: former });
      const expected = many.slice(1).map(({ id: of }) => `${of}: acknowledged`);
      assert.deepEqual(states, ['kept: acknowledged', ...expected]);
      const { saves } = world.deliveries;
      const before = saves.length;
      await world.run(settle());
      assert.equal(saves.length, before, 'and the same when it is done again');
      await world.run(world.supervisor.begin());
      assert.equal(world.supervisor.promptsOf(id).lastReceipt?.id, 'many099', 'the newest is the one that is shown');
    });

    it('that are over are carried over also from a backup of the former store', async () => {
      const { states } = await after([], { deliveries: [acknowledged('told')], isLast: false });
      assert.deepEqual(states, ['told: acknowledged']);
    });
  });
});
