import assert from 'node:assert/strict';
import { newDelivery, step } from '../../../src/core/agents/delivery/deliveryRecord';
import type { PromptDelivery } from '../../../src/core/agents/delivery/promptDelivery';
import { silentLogger } from '../../../src/core/base/log';
import { DamagedRecords } from '../../../src/core/damagedRecords';
import { DataDeliveryStore, DELIVERIES } from '../../../src/core/dataDeliveryStore';
import { MemoryDataStore } from '../../../src/core/data/memoryDataStore';
import { agentId } from '../../support/builders';
import { ManualClock } from '../../support/manualClock';

const id = (index: number): string => String(index).padStart(26, '0');
const queued = (index: number, agent = 'a'): PromptDelivery =>
  newDelivery({ id: id(index), agentId: agentId(agent), text: `text ${index}`, actor: 'person' }, index);
const typing = (index: number): PromptDelivery =>
  step(queued(index), 'typing', index, { prepared: 'x', generation: 1 });
const acknowledged = (index: number): PromptDelivery =>
  step(typing(index), 'acknowledged', index, { evidence: 'hook' });

describe('the store of deliveries', () => {
  const open = () => {
    const clock = new ManualClock();
    const data = new MemoryDataStore({ clock });
    const notices = { raise: () => assert.fail('nothing is damaged'), resolve: () => undefined };
    const damage = new DamagedRecords({ notices, clock, log: silentLogger });
    return { data, store: new DataDeliveryStore(data, damage) };
  };

  it('gives back what was kept, and the newest first', async () => {
    const { store } = open();
    for (const one of [queued(2), acknowledged(1), queued(3, 'b')]) await store.save(one);
    assert.deepEqual(await store.get(id(2)), queued(2));
    assert.equal(await store.get(id(9)), undefined);
    assert.deepEqual(await store.list(agentId('a'), 10), [queued(2), acknowledged(1)]);
    assert.deepEqual(await store.list(agentId('a'), 1), [queued(2)]);
  });

  it('gives a new owner everything that is not over, oldest first, also what is unknown', async () => {
    const { store } = open();
    const unknown = step(typing(1), 'delivery_unknown', 1, { reason: 'no_evidence' });
    for (const one of [queued(4), typing(3), acknowledged(2), unknown]) await store.save(one);
    assert.deepEqual(await store.loadOpen(), [unknown, typing(3), queued(4)]);
  });

  it('R7 reads, of what is unknown, only the newest that evidence can still settle, however many there are', async () => {
    const { data, store } = open();
    const unknown = (index: number, reason: NonNullable<PromptDelivery['reason']>): PromptDelivery =>
      step(typing(index), 'delivery_unknown', index, { reason });
    const read: number[] = [];
    const find = data.find.bind(data);
    data.find = async (collection, query) => {
      const found = await find(collection, query);
      read.push(found.length);
      return found;
    };
    const opened = async (): Promise<readonly string[]> => {
      read.length = 0;
      return (await store.loadOpen()).map((one) => one.id);
    };
    for (let index = 0; index < 400; index++) await store.save(unknown(index, 'no_evidence'));
    await store.save(typing(400));
    const newest = Array.from({ length: 201 }, (_, index) => id(200 + index));
    assert.deepEqual([await opened(), read.reduce((a, b) => a + b)], [newest, 201]);
    // Of programs that never tell: looked through, and not taken for those that may.
    for (let index = 401; index < 701; index++) await store.save(unknown(index, 'no_evidence_possible'));
    assert.deepEqual(await opened(), newest);
    for (let index = 701; index < 3_000; index++) await store.save(unknown(index, 'no_evidence_possible'));
    assert.deepEqual(await opened(), [id(400)], 'what was under way is always there');
    assert.ok(Math.max(...read) <= 2_000);
    assert.deepEqual((await store.get(id(5)))?.state, 'delivery_unknown', 'a person can still settle it');
  });

  it('keeps every prompt, however many have ended since: what leaves is what retention moves', async () => {
    const { store } = open();
    const unknown = step(typing(0), 'delivery_unknown', 0, { reason: 'no_evidence' });
    await store.save(unknown);
    for (let index = 1; index <= 450; index++) await store.save(acknowledged(index));
    const kept = await store.list(agentId('a'), 1000);
    assert.deepEqual([kept.length, kept[0]?.id, kept.at(-1)], [451, id(450), unknown]);
    assert.deepEqual(await store.get(id(1)), acknowledged(1));
  });

  it('reads no prompts of an agent when one is kept, and its list reads no more than it shows', async () => {
    const { data, store } = open();
    for (let index = 1; index <= 30; index++) await store.save(acknowledged(index));
    const asked: (number | undefined)[] = [];
    const find = data.find.bind(data);
    data.find = (collection, query) => (asked.push(query?.limit), find(collection, query));
    await store.save(acknowledged(31));
    await store.list(agentId('a'), 5);
    assert.deepEqual(asked, [5]);
  });

  it('forgets a removed agent and nobody else', async () => {
    const { store } = open();
    for (const one of [queued(1), acknowledged(2), queued(3, 'b')]) await store.save(one);
    for (let index = 4; index <= 1_204; index++) await store.save(acknowledged(index)); // more than one portion
    await store.forget(agentId('a'));
    assert.deepEqual([await store.list(agentId('a'), 10), (await store.loadOpen()).length], [[], 1]);
  });

  it('hands out no foreign shape', async () => {
    const { data } = open();
    const put = (value: unknown): Promise<void> => data.tx((tx) => tx.put(DELIVERIES, id(1), value as PromptDelivery)); // wrong on purpose
    for (const value of [{}, { ...queued(1), state: 'sent' }, { ...queued(1), steps: null }])
      await assert.rejects(put(value), (error: unknown) => (error as { code?: string }).code === 'data.invalid');
  });
});
