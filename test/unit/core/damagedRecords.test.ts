import assert from 'node:assert/strict';
import type { AgentRecord } from '../../../src/core/agents/agent';
import { newDelivery } from '../../../src/core/agents/delivery/deliveryRecord';
import shell from '../../../src/core/agents/types/shell.json';
import { requireAgentType } from '../../../src/core/agents/agentTypeParser';
import { AgentTypes } from '../../../src/core/agentTypes';
import { silentLogger } from '../../../src/core/base/log';
import { DamagedRecords } from '../../../src/core/damagedRecords';
import { DataAgentStore } from '../../../src/core/dataAgentStore';
import { DataDeliveryStore } from '../../../src/core/dataDeliveryStore';
import { DataError } from '../../../src/core/data/dataErrors';
import type { Collection, DataStore } from '../../../src/core/data/dataStore';
import { MemoryDataStore } from '../../../src/core/data/memoryDataStore';
import { FLEET_TYPES, FleetTypes } from '../../../src/core/fleetTypes';
import type { AlertNotice } from '../../../src/core/monitoring/alertSink';
import { agentId, aRecord } from '../../support/builders';
import { withDamage } from '../../support/damagedStore';
import { ManualClock } from '../../support/manualClock';

const change = (id: string, agent: string) => ({
  id, agentId: agentId(agent), generation: 1, atMs: 1, reason: 'test', actor: 'person', evidence: [],
  from: { lifecycle: 'created' as const, activity: 'unknown' as const, desired: 'stopped' as const },
  to: { lifecycle: 'starting' as const, activity: 'unknown' as const, desired: 'running' as const },
}); // prettier-ignore
const agent = (id: string): AgentRecord => aRecord({ id: agentId(id) });

describe('A damaged record', () => {
  let clock: ManualClock;
  let memory: MemoryDataStore;
  let damaged: Set<string>;
  let raised: AlertNotice[];
  let data: DataStore;
  let damage: DamagedRecords;
  beforeEach(() => {
    clock = new ManualClock();
    memory = new MemoryDataStore({ clock });
    damaged = new Set();
    raised = [];
    data = withDamage(memory, damaged);
    const notices = { raise: (notice: AlertNotice) => void raised.push(notice), resolve: () => undefined };
    damage = new DamagedRecords({ notices, clock, log: silentLogger });
  });
  const agentStore = (): DataAgentStore => new DataAgentStore(data, damage);
  const deliveryStore = (): DataDeliveryStore => new DataDeliveryStore(data, damage);

  it('of an agent leaves the others, and one notice tells what it is and what becomes of it', async () => {
    for (const id of ['scout', 'writer', 'tester']) await agentStore().save(agent(id), [], undefined);
    damaged.add('agent scout');
    const store = agentStore();
    assert.deepEqual((await store.load()).map(({ id }) => id).sort(), ['tester', 'writer']);
    assert.deepEqual([...store.unreadableIds], ['scout']);
    assert.equal(raised.length, 1);
    assert.equal(raised[0]?.fingerprint, 'store.damagedRecords');
    assert.match(raised[0]?.detail ?? '', /1 agent \(scout\).*kept as (it is|they are)/);
    await store.load();
    assert.equal(raised.length, 1, 'told once');
  });

  it('of an agent is not written over when the agent is found alive: what is new is kept beside it', async () => {
    await agentStore().save(agent('scout'), [], undefined);
    damaged.add('agent scout');
    const store = agentStore();
    await store.load();
    await store.save({ ...agent('scout'), generation: 1 }, [change('c1', 'scout')], undefined);
    await store.save({ ...agent('scout'), generation: 2 }, [], 1);
    await assert.rejects(store.save({ ...agent('scout'), generation: 3 }, [], 1), { code: 'agent.conflict' });
    await assert.rejects(data.get({ kind: 'agent', indexes: [], parse: String }, 'scout'), { code: 'data.corrupt' });

    const next = agentStore();
    assert.deepEqual((await next.load()).map(({ id, generation }) => [id, generation]), [['scout', 2]]);
    await next.save({ ...agent('scout'), generation: 3 }, [], 2);
    damaged.clear(); // somebody put the file back as it was
    const healed = await agentStore().load();
    assert.deepEqual(healed.map(({ id, generation }) => [id, generation]), [['scout', 3]], 'the newer one counts, once');
  }); // prettier-ignore

  it('that is found while the engine runs is told, and the failure is not hidden', async () => {
    const store = agentStore();
    await store.save({ ...agent('scout'), generation: 1 }, [], undefined);
    damaged.add('agent scout');
    for (let round = 0; round < 2; round++)
      await assert.rejects(store.save({ ...agent('scout'), generation: 2 }, [], 1), { code: 'data.corrupt' });
    assert.equal(raised.length, 1);
  });

  it('of the history or of an approval: the rest of the history is there, and the person is asked again', async () => {
    const store = agentStore();
    await store.save(agent('scout'), [change('c1', 'scout'), change('c2', 'scout'), change('c3', 'scout')], undefined);
    const approval = { hash: 'h', shown: 'true', approvedAtMs: 1, actor: 'person' };
    await store.putApproval(approval);
    damaged.add('agentChange c2').add('approval h');
    assert.deepEqual((await store.changes(agentId('scout'), 2)).map(({ id }) => id), ['c3', 'c1']);
    assert.equal(await store.getApproval('h'), undefined);
    await store.putApproval(approval); // a person's new decision replaces what cannot be read
    damaged.delete('approval h');
    assert.deepEqual(await store.getApproval('h'), approval);
    assert.match(raised.at(-1)?.detail ?? '', /1 line of history, 1 approval/);
    await store.forgetChanges(agentId('scout'));
    damaged.clear();
    assert.deepEqual((await store.changes(agentId('scout'), 9)).map(({ id }) => id), ['c2']);
  }); // prettier-ignore

  it('of a delivery keeps no other prompt from being loaded, listed, kept or forgotten', async () => {
    const store = deliveryStore();
    const queued = (id: string) => newDelivery({ id, agentId: agentId('scout'), text: id, actor: 'person' }, 1);
    for (const id of ['d1', 'd2', 'd3']) await store.save(queued(id));
    damaged.add('delivery d2');
    assert.deepEqual((await store.loadOpen()).map(({ id }) => id), ['d1', 'd3']);
    assert.deepEqual((await store.list(agentId('scout'), 1)).map(({ id }) => id), ['d3']);
    assert.equal(await store.get('d2'), undefined);
    for (let end = 0; end < 25; end++) await store.save({ ...queued(`e${end}`), state: 'failed' }); // some of them look at all
    await store.forget(agentId('scout'));
    assert.deepEqual(await store.list(agentId('scout'), 9), []);
    assert.equal(raised.length, 1);
    assert.match(raised[0]?.detail ?? '', /1 prompt\b/);
  }); // prettier-ignore

  it('of a type that came with a fleet leaves the other types, and the fleet can bring it again', async () => {
    const type = (id: string) => requireAgentType({ ...shell, id });
    await memory.tx((tx) => ['one', 'two'].forEach((id) => tx.put(FLEET_TYPES, id, type(id))));
    damaged.add('fleetType one');
    const types = new FleetTypes(
      data,
      new AgentTypes(
        () => [],
        () => undefined,
      ),
      damage,
    );
    await types.load(silentLogger);
    assert.deepEqual([types.has('one'), types.has('two')], [false, true]);
    await types.adopt(type('one'));
    assert.ok(types.has('one'));
    assert.match(raised[0]?.detail ?? '', /1 agent type/);
  });

  it('of a type whose form is not taken leaves the other types, too, and is told', async () => {
    const kept: Collection<unknown> = { kind: FLEET_TYPES.kind, indexes: [], parse: (value) => value };
    await memory.tx((tx) => {
      tx.put(kept, 'one', { ...shell, id: 'one', alters: ['trims'] });
      tx.put(kept, 'two', { ...shell, id: 'two' });
    });
    const types = new FleetTypes(
      data,
      new AgentTypes(
        () => [],
        () => undefined,
      ),
      damage,
    );
    await types.load(silentLogger);
    assert.deepEqual([types.has('one'), types.has('two')], [false, true]);
    assert.match(raised[0]?.detail ?? '', /1 agent type \(one\)/);
  });

  it('beside a damaged journal leaves the others; where the records cannot be gone through either, it is the failure that it was', async () => {
    for (const id of ['scout', 'writer']) await agentStore().save(agent(id), [], undefined);
    damaged.add('agent scout');
    const refuse = () => Promise.reject(new DataError('data.corrupt', 'the journal is damaged'));
    const without = (...keys: readonly string[]): DataStore =>
      new Proxy(withDamage(memory, damaged), {
        get: (target, key) => (keys.includes(String(key)) ? refuse : (Reflect.get(target, key) as unknown)),
      });
    data = without('changes');
    assert.deepEqual((await agentStore().load()).map(({ id }) => id), ['writer']); // prettier-ignore
    data = without('snapshot');
    assert.deepEqual((await agentStore().load()).map(({ id }) => id), ['writer']); // prettier-ignore
    data = without('changes', 'snapshot');
    await assert.rejects(agentStore().load(), { code: 'data.corrupt' });
  });
});
