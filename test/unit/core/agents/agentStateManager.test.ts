import assert from 'node:assert/strict';
import { AgentError } from '../../../../src/core/agents/agentErrors';
import { AgentRegistry } from '../../../../src/core/agents/agentRegistry';
import { AgentStateManager, type StateChange } from '../../../../src/core/agents/agentStateManager';
import type { Agent } from '../../../../src/core/agents/baseAgent';
import { silentLogger } from '../../../../src/core/base/log';
import { agentId, aRecord, CountingIds } from '../../../support/builders';
import { FakeAgentStore } from '../../../support/fakeAgentStore';
import { ManualClock } from '../../../support/manualClock';

const ID = agentId('reviewer');

async function createFixture() {
  const store = new FakeAgentStore();
  const clock = new ManualClock();
  const failures: unknown[] = [];
  const registry = new AgentRegistry((id, read) => ({ id, get record() { return read(); } }) as Agent, (error) => failures.push(error)); // prettier-ignore
  const state = new AgentStateManager({ registry, store, clock, ids: new CountingIds(), log: silentLogger });
  store.records.set(ID, aRecord({ lifecycle: 'running', generation: 1 }));
  await state.load();
  const changes: StateChange[] = [];
  state.onDidChangeState((change) => changes.push(change));
  return { store, clock, registry, state, changes, failures };
}

describe('AgentStateManager', () => {
  it('announces a fact at once with what was before, and keeps it behind that', async () => {
    const { state, changes, registry, store } = await createFixture();
    await state.transition(ID, 1, { activity: 'busy', reason: 'screen_rule', actor: 'engine' });
    assert.deepEqual(
      [changes[0]?.previous.activity, changes[0]?.current.activity, registry.get(ID).record.activity],
      ['unknown', 'busy', 'busy'],
    );
    await state.flush();
    assert.equal(store.records.get(ID)?.activity, 'busy');
    assert.deepEqual(store.lines.map(({ from, to, reason }) => [from.activity, to.activity, reason]), [['unknown', 'busy', 'screen_rule']]); // prettier-ignore
  });

  it('R17 keeps an intention durably before anybody learns of it, and changes nothing when that fails', async () => {
    const { state, changes, registry, store } = await createFixture();
    store.failure = new Error('disk full');
    const order = state.transition(ID, 1, {
      desired: 'stopped',
      reason: 'stop',
      actor: 'person',
      durability: 'before',
    });
    await assert.rejects(order, /disk full/);
    assert.deepEqual(
      [changes, registry.get(ID).record.desired, store.records.get(ID)?.desired],
      [[], 'running', 'running'],
    );
    store.failure = undefined;
    let keptWhenAnnounced: unknown;
    state.onDidChangeState(() => (keptWhenAnnounced = store.records.get(ID)?.desired));
    await state.transition(ID, 1, { desired: 'stopped', reason: 'stop', actor: 'person', durability: 'before' });
    assert.equal(keptWhenAnnounced, 'stopped');
  });

  it('keeps facts that a full disk refused, with all their lines, as soon as it takes them again', async () => {
    const { state, store, clock } = await createFixture();
    store.failure = new Error('disk full');
    await state.transition(ID, 1, { activity: 'busy', reason: 'a', actor: 'engine' });
    await state.transition(ID, 1, { activity: 'idle', reason: 'b', actor: 'engine' });
    await state.flush();
    assert.equal(state.unsavedCount, 1);
    await clock.advanceMs(5_000);
    store.failure = undefined;
    await clock.advanceMs(5_000);
    assert.deepEqual(
      [state.unsavedCount, store.records.get(ID)?.activity, store.lines.map((line) => line.reason)],
      [0, 'idle', ['a', 'b']],
    );
    assert.equal(clock.pendingCount, 0);
  });

  it('applies changes of one agent in the order of the calls, a slow save included', async () => {
    const { state, store, registry } = await createFixture();
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const save = store.save.bind(store);
    store.save = async (...args) => {
      await gate;
      return save(...args);
    };
    const first = state.transition(ID, 1, {
      lifecycle: 'stopping',
      reason: 'one',
      actor: 'person',
      durability: 'before',
    });
    const second = state.transition(ID, 1, { lifecycle: 'stopped', reason: 'two', actor: 'person' });
    await Promise.resolve();
    assert.equal(registry.get(ID).record.lifecycle, 'running');
    release();
    await Promise.all([first, second]);
    await state.flush();
    assert.deepEqual(store.lines.map((line) => line.to.lifecycle), ['stopping', 'stopped']); // prettier-ignore
  });

  it('resets the activity outside running and paused, and counts since from the last real change', async () => {
    const { state, registry, clock } = await createFixture();
    await state.transition(ID, 1, { activity: 'busy', reason: 'a', actor: 'engine' });
    await clock.advanceMs(1_000);
    await state.transition(ID, 1, {
      evidence: [{ source: 'screen', detail: 'again', observedAtMs: 1 }],
      reason: 'x',
      actor: 'engine',
    });
    assert.deepEqual([registry.get(ID).record.sinceMs, registry.get(ID).record.reason], [clock.nowMs() - 1_000, 'a']);
    await state.transition(ID, 1, { lifecycle: 'paused', reason: 'b', actor: 'person' });
    assert.equal(registry.get(ID).record.activity, 'busy');
    await state.transition(ID, 1, { lifecycle: 'lost', reason: 'c', actor: 'engine' });
    assert.deepEqual([registry.get(ID).record.activity, registry.get(ID).record.sinceMs], ['unknown', clock.nowMs()]);
  });

  it('R12 refuses to save over a generation that somebody else has begun', async () => {
    const { state, store, registry } = await createFixture();
    store.records.set(ID, aRecord({ lifecycle: 'starting', generation: 2 }));
    const claim = state.transition(ID, 1, {
      desired: 'stopped',
      reason: 'stop',
      actor: 'person',
      durability: 'before',
    });
    await assert.rejects(claim, (error) => AgentError.is(error, 'agent.conflict'));
    assert.equal(registry.get(ID).record.generation, 1);
  });

  it('is the only writer: a second one cannot be made over one registry', async () => {
    const { registry } = await createFixture();
    assert.throws(() => registry.claimWriter(), TypeError);
  });

  it('R12 never reuses the id of a removed agent, and forgets its record', async () => {
    const { registry, state } = await createFixture();
    await state.transition(ID, 1, { lifecycle: 'stopping', reason: 'x', actor: 'person' });
    await state.transition(ID, 1, { lifecycle: 'stopped', reason: 'x', actor: 'person' });
    await state.transition(ID, 1, { lifecycle: 'retired', reason: 'x', actor: 'person' });
    assert.deepEqual([registry.size, registry.isIdTaken(ID), registry.isNameTaken('Reviewer')], [0, true, false]);
    await assert.rejects(state.create(aRecord()));
  });
});
