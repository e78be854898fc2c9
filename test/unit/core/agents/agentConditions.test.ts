import assert from 'node:assert/strict';
import type { AgentId, AgentRecord } from '../../../../src/core/agents/agent';
import { AgentConditions } from '../../../../src/core/agents/agentConditions';
import { Activity, Lifecycle } from '../../../../src/core/agents/agentState';
import type { AgentType } from '../../../../src/core/agents/agentType';

const TYPE = { prompt: { canPaste: true } } as AgentType;

function record(part: Partial<AgentRecord>): AgentRecord {
  const base = { id: 'scout' as AgentId, lifecycle: 'running', activity: 'idle', desired: 'running', sinceMs: 1_000 };
  return { ...base, ...part } as AgentRecord;
}

/** `Ready=true/running@1000`, in their order. */
function told(conditions: ReturnType<AgentConditions['of']>): readonly string[] {
  return conditions.map(
    ({ type, status, reason, lastTransitionMs }) => `${type}=${status}/${reason}@${lastTransitionMs}`,
  );
}

describe('Conditions of an agent', () => {
  it('are Ready while its process runs, and Deliverable while a prompt may be typed', () => {
    const of = (part: Partial<AgentRecord>): string => told(new AgentConditions().of(record(part), TYPE)).join(' ');
    assert.equal(of({}), 'Ready=true/running@1000 Deliverable=true/idle@1000');
    assert.equal(of({ activity: 'busy' }), 'Ready=true/running@1000 Deliverable=true/busy@1000');
    assert.equal(of({ activity: 'unknown' }), 'Ready=true/running@1000 Deliverable=unknown/unknown@1000');
    for (const activity of ['awaiting_input', 'awaiting_approval'] as const)
      assert.equal(of({ activity }), 'Ready=true/running@1000 Deliverable=false/dialog_open@1000');
    assert.equal(of({ lifecycle: 'paused' }), 'Ready=true/paused@1000 Deliverable=false/paused@1000');
    assert.equal(of({ lifecycle: 'lost' }), 'Ready=unknown/lost@1000 Deliverable=unknown/lost@1000');
    assert.equal(of({ desired: 'stopped' }), 'Ready=true/running@1000 Deliverable=false/not_running@1000');
    const never = { prompt: { canPaste: false } } as AgentType;
    for (const type of [never, undefined])
      assert.equal(new AgentConditions().of(record({}), type)[1]?.reason, 'takes_no_prompts');
  });

  it('are told of every lifecycle and activity, and only an agent that runs is Deliverable', () => {
    for (const lifecycle of Object.values(Lifecycle))
      for (const activity of Object.values(Activity)) {
        const [ready, deliverable] = new AgentConditions().of(record({ lifecycle, activity }), TYPE);
        assert.equal(ready?.reason, lifecycle);
        if (deliverable?.status === 'true') assert.deepEqual([lifecycle, ready.status], ['running', 'true']);
      }
  });

  it('keep since when their status is what it is, whatever else changes, until an agent is forgotten', () => {
    const conditions = new AgentConditions();
    const first = conditions.of(record({ sinceMs: 1_000 }), TYPE);
    const busy = conditions.of(record({ sinceMs: 2_000, activity: 'busy' }), TYPE);
    assert.deepEqual(told(busy), ['Ready=true/running@1000', 'Deliverable=true/busy@1000']);
    assert.equal(busy[0], first[0], 'the same object');
    const asks = conditions.of(record({ sinceMs: 3_000, activity: 'awaiting_input' }), TYPE);
    assert.deepEqual(told(asks), ['Ready=true/running@1000', 'Deliverable=false/dialog_open@3000']);
    const gone = conditions.of(record({ sinceMs: 4_000, lifecycle: 'failed', activity: 'unknown' }), TYPE);
    assert.deepEqual(told(gone), ['Ready=false/failed@4000', 'Deliverable=false/not_running@3000']);
    conditions.forget('scout' as AgentId);
    assert.deepEqual(told(conditions.of(record({ sinceMs: 5_000 }), TYPE)), [
      'Ready=true/running@5000',
      'Deliverable=true/idle@5000',
    ]);
  });
});
