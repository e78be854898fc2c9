import assert from 'node:assert/strict';
import type { AgentId } from '../../../src/core/agents/agent';
import { OrderedStarts } from '../../../src/vscode/notices/orderedStarts';
import { anAgentView, FakeEngine } from '../../support/fakeEngine';

describe('starts that a person has ordered', () => {
  const scout = anAgentView({ id: 'scout' as AgentId, name: 'Scout' });

  it('are known from the order to the end, by the name of an agent that is being made and by the id of one that is there', async () => {
    const engine = new FakeEngine();
    engine.simulateReady();
    let ends = 0;
    const starts = new OrderedStarts((error) => assert.fail(String(error)));
    starts.onDidEnd(() => ends++);
    const watching = starts.watching(engine);
    const orders = [
      () => watching.startAgent({ name: 'Scout', typeId: 'demo', folder: '/x' }),
      () => watching.startExisting(scout.id),
      () => watching.restartAgent(scout.id),
      () => watching.resumeSession(scout.id),
    ];
    for (const [index, order] of orders.entries()) {
      const start = order();
      assert.equal(starts.covers(scout), true);
      assert.equal(starts.covers({ id: 'builder' as AgentId, name: 'Builder' }), false);
      await start;
      assert.deepEqual([starts.covers(scout), ends], [false, index + 1]);
    }
  });

  it('end with a failure, too; everything else is the engine’s own', async () => {
    const engine = new FakeEngine();
    engine.restartAgent = () => Promise.reject(new Error('no'));
    const starts = new OrderedStarts((error) => assert.fail(String(error)));
    const watching = starts.watching(engine);
    await assert.rejects(watching.restartAgent(scout.id), /no/);
    assert.equal(starts.covers(scout), false);
    await watching.stopAgent(scout.id);
    assert.deepEqual(engine.calls.at(-1), 'stopAgent scout');
    assert.equal(watching.status, engine.status);
  });
});
