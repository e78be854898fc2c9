import assert from 'node:assert/strict';
import type { HostedAgent } from '../../../src/core/agents/agentHost';
import type { AgentId } from '../../../src/core/agents/agent';
import { viewOfHosted } from '../../../src/core/agentViews';
import type { AgentView } from '../../../src/core/engine';
import { ViewBoard } from '../../../src/core/viewBoard';

const aView = (id: string, over: Partial<HostedAgent> = {}): AgentView =>
  viewOfHosted(
    { agentId: id as AgentId, generation: 1, liveness: { kind: 'alive' }, foreground: 'sh', title: '', ...over },
    1,
  );

function createFixture() {
  const board = new ViewBoard((error) => assert.fail(String(error)));
  const facts: string[] = [];
  board.onDidChange(({ id, view, previous }) =>
    facts.push(`${id}: ${previous?.lifecycle ?? '-'} → ${view?.lifecycle ?? '-'}`),
  );
  return { board, facts };
}

describe('ViewBoard', () => {
  it('announces one fact per agent that really changed', () => {
    const { board, facts } = createFixture();
    board.put(aView('a'));
    board.put(aView('a'));
    board.put(aView('a', { liveness: { kind: 'dead', cause: { code: 0 } } }));
    board.remove('a' as AgentId);
    board.remove('a' as AgentId);
    assert.deepEqual(facts, ['a: - → running', 'a: running → exited', 'a: exited → -']);
  });

  it('announces only the differences when everything is replaced, and takes over the new order', () => {
    const { board, facts } = createFixture();
    board.replaceAll([aView('a'), aView('b'), aView('c')]);
    facts.length = 0;
    board.replaceAll([aView('c'), aView('a', { generation: 2 }), aView('d')]);
    assert.deepEqual(facts, ['b: running → -', 'a: running → running', 'd: - → running']);
    assert.deepEqual(
      board.views.map((view) => view.id),
      ['c', 'a', 'd'],
    );
  });
});

describe('viewOfHosted', () => {
  it('never calls a death without a cause a success, nor a failed probe a death', () => {
    const of = (liveness: HostedAgent['liveness']) => aView('a', { liveness }).lifecycle;
    assert.deepEqual(
      [
        of({ kind: 'alive' }),
        of({ kind: 'dead', cause: {} }),
        of({ kind: 'dead', cause: { code: 0 } }),
        of({ kind: 'unknown', reason: 'no answer' }),
      ],
      ['running', 'failed', 'exited', 'lost'],
    );
  });
});
