import assert from 'node:assert/strict';
import type { AgentType } from '../../../src/core/agents/agentType';
import { silentLogger } from '../../../src/core/base/log';
import type { KeptRecord } from '../../../src/core/data/dataStore';
import { settleRestore } from '../../../src/core/settleRestore';
import { agentId, aRecord, aSpec } from '../../support/builders';
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

  async function fixture(former?: readonly KeptRecord[]) {
    const world = new SupervisedWorld();
    const done: string[] = [];
    const fleetTypes = {
      has: (type: string) => type === 'here',
      adopt: async (type: AgentType) => void done.push(`adopted ${type.id}`),
    };
    const ports = { store: world.store, host: world.host, clock: world.clock, ids: world.ids, fleetTypes };
    const restored = { backup: 'old.db', ...(former && { former }), settle: () => void done.push('settled') };
    const settle = (): Promise<void> => settleRestore({ ...ports, log: silentLogger }, restored);
    await world.run(world.host.start());
    world.host.simulateHosted({ agentId: id, generation: 1, folder: '/w', argv: ['demo'], env: {} });
    return { world, done, settle };
  }

  it('carries over who lives, with the type of a fleet that it needs; what cannot be read is left out', async () => {
    const live = { lifecycle: 'running', generation: 1 } as const;
    const { world, done, settle } = await fixture([
      kept('agent', 'reviewer', aRecord({ ...live, spec: aSpec({ name: 'Of the damaged record' }) })),
      kept('agent', 'reviewer (recovered)', aRecord({ ...live, spec: aSpec({ name: 'Mary', typeId: 'own' }) })),
      kept('agent', 'odd', { id: 'odd' }),
      ...['own', 'here', 'unused'].map((type) => kept('fleetType', type, manifest(type))),
      kept('fleetType', 'odd', { id: 'own' }),
    ]);
    await world.run(settle());
    assert.deepEqual([...world.store.records.values()].map(({ spec }) => spec.name), ['Mary']); // prettier-ignore
    assert.deepEqual(done, ['adopted own', 'settled']);
  });

  it('is done again at the next opening when the host or the store does not answer', async () => {
    const { world, done, settle } = await fixture([kept('agent', 'reviewer', aRecord({ generation: 1 }))]);
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
});
