import assert from 'node:assert/strict';
import fc from 'fast-check';
import { AgentError } from '../../../../src/core/agents/agentErrors';
import { AgentRegistry } from '../../../../src/core/agents/agentRegistry';
import { type Lifecycle } from '../../../../src/core/agents/agentState';
import { AgentStateManager } from '../../../../src/core/agents/agentStateManager';
import {
  isLegalStep,
  isLive,
  isObservable,
  isStartable,
  LIFECYCLE_STEPS,
  LIFECYCLES,
} from '../../../../src/core/agents/agentTransitions';
import type { Agent } from '../../../../src/core/agents/baseAgent';
import { createKeptValidator } from '../../../../src/core/keptRules';
import { silentLogger } from '../../../../src/core/base/log';
import { agentId, aRecord, CountingIds } from '../../../support/builders';
import { FakeAgentStore } from '../../../support/fakeAgentStore';
import { ManualClock } from '../../../support/manualClock';

/** The table a second time: a slip in one of both is seen. `retired → stopped` is for what an import brings back (docs/adr/0019). */
const EXPECTED: Readonly<Record<Lifecycle, string>> = {
  created: 'starting failed retired',
  starting: 'running exited failed stopping lost',
  running: 'stopping exited failed lost paused',
  paused: 'running stopping exited failed lost',
  stopping: 'stopped failed lost',
  stopped: 'starting retired',
  exited: 'starting backoff stopped retired',
  failed: 'starting backoff quarantined stopped retired',
  lost: 'running exited failed stopped stopping',
  backoff: 'starting stopped quarantined',
  quarantined: 'starting stopped retired',
  retired: 'stopped',
};

async function managerAt(lifecycle: Lifecycle) {
  const store = new FakeAgentStore();
  const record = aRecord({ lifecycle, generation: 3, desired: 'running' });
  store.records.set(record.id, record);
  const registry = new AgentRegistry((id, read) => ({ id, get record() { return read(); } }) as Agent, (error) => { throw error; }); // prettier-ignore
  const refused: Readonly<Record<string, unknown>>[] = [];
  const note = (message: string, fields = {}): void => void refused.push({ message, ...fields });
  const log = { ...silentLogger, info: note, error: note };
  const state = new AgentStateManager({
    registry,
    store,
    clock: new ManualClock(),
    ids: new CountingIds(),
    log,
  });
  await state.load();
  return { state, registry, store, refused };
}

describe('agentTransitions', () => {
  it('allows exactly the steps of the table, in all 144 cells', () => {
    for (const from of LIFECYCLES) {
      for (const to of LIFECYCLES)
        assert.equal(isLegalStep(from, to), EXPECTED[from].split(' ').includes(to), `${from} → ${to}`);
    }
    assert.equal(LIFECYCLES.length, 12);
  });

  it('says of every step what it means', () => {
    const steps = Object.values(LIFECYCLE_STEPS).flatMap((row) => Object.values(row));
    assert.equal(steps.length, Object.values(EXPECTED).join(' ').trim().split(/\s+/).length);
    for (const meaning of steps) assert.ok(meaning.length > 5);
  });

  it('reaches every state from created, and nothing but an import leaves retired', () => {
    const reached = new Set<Lifecycle>(['created']);
    for (const from of reached) for (const to of LIFECYCLES) if (isLegalStep(from, to)) reached.add(to);
    assert.equal(reached.size, 12);
    assert.deepEqual(Object.keys(LIFECYCLE_STEPS.retired), ['stopped']);
  });

  it('sorts states into live, observable and startable consistently', () => {
    for (const lifecycle of LIFECYCLES) {
      if (isObservable(lifecycle)) assert.ok(isLive(lifecycle));
      if (isStartable(lifecycle)) assert.ok(!isLive(lifecycle) && isLegalStep(lifecycle, 'starting'));
    }
  });
});

describe('AgentStateManager over the whole table', () => {
  it('carries out every legal step and refuses every illegal one with a typed error, reported for the audit log', async () => {
    for (const from of LIFECYCLES.filter((one) => one !== 'retired')) {
      for (const to of LIFECYCLES.filter((one) => one !== from)) {
        const { state, registry, refused } = await managerAt(from);
        const step = state.transition(agentId('reviewer'), 3, { lifecycle: to, reason: 'test', actor: 'person' });
        if (isLegalStep(from, to)) {
          assert.equal((await step).record.lifecycle, to);
          assert.deepEqual(refused, []);
          if (to === 'retired') assert.equal(registry.find(agentId('reviewer')), undefined);
          continue;
        }
        await assert.rejects(step, (error) => AgentError.is(error, 'agent.illegalTransition'));
        assert.equal(registry.get('reviewer').record.lifecycle, from);
        const told = refused.map(({ message, from: was, to: wanted }) => [message, was, wanted]);
        assert.deepEqual(told, [['refused a change of an agent: illegal', from, to]]);
      }
    }
  });

  it('keeps every illegal step that was refused as a line of the history, at most 20 of one start', async () => {
    const { state, store } = await managerAt('running');
    const refuse = (generation: number | 'present' = 3): Promise<unknown> =>
      state
        .transition(agentId('reviewer'), generation, { lifecycle: 'created', reason: 'test', actor: 'person' })
        .catch((error: unknown) => error);
    await refuse();
    await refuse(2); // a fact that came late is no illegal step
    await state.flush();
    assert.equal(store.lines.length, 1);
    const [line] = store.lines;
    const at = { lifecycle: 'running', activity: 'unknown' };
    assert.deepEqual([line?.from, line?.to, line?.actor], [at, at, 'person']);
    assert.deepEqual([line?.reason, line?.generation], ['illegal_step_refused', 3]);
    assert.match(line?.evidence[0]?.detail ?? '', /^refused: running → created .*\(test\)/);
    assert.deepEqual(createKeptValidator(new ManualClock()).validate('agentChange', line).problems, []);
    for (let count = 0; count < 40; count++) await refuse();
    await state.flush();
    assert.equal(store.lines.length, 20);
    await state.transition(agentId('reviewer'), 3, { lifecycle: 'stopping', reason: 'stop', actor: 'person' });
    await state.flush();
    assert.equal(store.lines.at(-1)?.to.lifecycle, 'stopping');
  });

  it('gives nobody a record of a retired agent to change', async () => {
    const { state } = await managerAt('retired');
    for (const to of LIFECYCLES) {
      const step = state.transition(agentId('reviewer'), 3, { lifecycle: to, reason: 'test', actor: 'person' });
      await assert.rejects(step, (error) => AgentError.is(error, 'agent.notFound'));
    }
  });

  it('ends, after any walk of wishes, where a model of the table ends, and keeps exactly the legal steps and the refusals', async () => {
    const walks = fc.array(fc.constantFrom(...LIFECYCLES), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(walks, async (wishes) => {
        const { state, registry, store, refused } = await managerAt('created');
        let model: Lifecycle = 'created';
        let legal = 0;
        for (const wish of wishes) {
          const isLegal = model !== 'retired' && isLegalStep(model, wish);
          const step = state.transition(agentId('reviewer'), 3, { lifecycle: wish, reason: 'walk', actor: 'engine' });
          if (model === 'retired') await assert.rejects(step, (error) => AgentError.is(error, 'agent.notFound'));
          else if (isLegal || wish === model) await step;
          else await assert.rejects(step, (error) => AgentError.is(error, 'agent.illegalTransition'));
          if (isLegal) [model, legal] = [wish, legal + 1];
        }
        await state.flush();
        assert.equal(registry.find(agentId('reviewer'))?.record.lifecycle, model === 'retired' ? undefined : model);
        assert.equal(store.records.get(agentId('reviewer'))?.lifecycle, model);
        const refusals = store.lines.filter(({ reason }) => reason === 'illegal_step_refused').length;
        assert.deepEqual([store.lines.length - refusals, refusals], [legal, Math.min(20, refused.length)]);
        assert.equal(refused.length, wishes.length - legal - withoutStep(wishes));
      }),
      { numRuns: 300 },
    );
  });
});

/** Wishes for the state that the walk is in already, and of an agent that was removed: no step, no refusal of one. */
function withoutStep(wishes: readonly Lifecycle[]): number {
  let model: Lifecycle = 'created';
  let count = 0;
  for (const wish of wishes) {
    if (wish === model || model === 'retired') count++;
    else if (isLegalStep(model, wish)) model = wish;
  }
  return count;
}
