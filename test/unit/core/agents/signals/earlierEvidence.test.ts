import assert from 'node:assert/strict';
import type { AgentChange } from '../../../../../src/core/agents/agent';
import { markEarlier } from '../../../../../src/core/agents/signals/earlierEvidence';
import type { ExplainedSignal } from '../../../../../src/core/agents/signals/stateExplanation';
import { agentId } from '../../../../support/builders';

const change = (generation: number, lifecycle: 'starting' | 'running', atMs: number): AgentChange => ({
  id: String(atMs), agentId: agentId('a'), generation, atMs, reason: 'r', actor: 'person', evidence: [],
  from: { lifecycle: 'stopped', activity: 'unknown' }, to: { lifecycle, activity: 'unknown' },
}); // prettier-ignore
const signal = (observedAtMs: number): ExplainedSignal => ({
  source: 'status_file', activity: 'idle', detail: 'says idle', observedAtMs, weight: 'older',
}); // prettier-ignore
const explanation = {
  agentId: agentId('a'), lifecycle: 'running', activity: 'idle', sinceMs: 40, conclusion: 'so', degraded: [],
  signals: [signal(50), signal(30), signal(29)],
} as const; // prettier-ignore
const detailsWith = (changes: readonly AgentChange[]): readonly string[] =>
  markEarlier(explanation, changes).signals.map(({ detail }) => detail);

describe('evidence after a restart', () => {
  it('says of what is older than the present run that it is', () => {
    const changes = [
      change(2, 'running', 40),
      change(2, 'starting', 30),
      change(1, 'running', 20),
      change(1, 'starting', 10),
    ];
    assert.deepEqual(detailsWith(changes), ['says idle', 'says idle', 'says idle (before this run)']);
  });

  it('marks nothing while it is not known when the run began', () => {
    for (const changes of [[], [change(2, 'running', 40)], [change(2, 'running', 40), change(1, 'starting', 35)]])
      assert.deepEqual(detailsWith(changes), ['says idle', 'says idle', 'says idle']);
  });
});
