import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AgentId } from '../../../../src/core/agents/agent';
import { CallerBudgets, TokenBucket } from '../../../../src/core/gateway/callerBudget';
import type { Principal } from '../../../../src/core/gateway/gatewayPorts';
import { GATEWAY_LIMITS } from '../../../../src/shared/gatewayProtocol';
import { ManualClock } from '../../../support/manualClock';

const agent = (id: string, generation = 1): Principal => ({
  kind: 'agent',
  agentId: id as AgentId,
  generation,
  token: { sub: id, generation, jti: 'j', epoch: 1, iat: 0, exp: 1 },
  client: 'test',
});

describe('what a caller may cost', () => {
  it('S17 never more than the burst and the rate allow, in any window', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(400), fc.integer({ min: 1, max: 10 })), { maxLength: 50 }),
        async (steps) => {
          const clock = new ManualClock();
          const bucket = new TokenBucket(clock, 20, 40);
          let taken = 0;
          for (const [waitMs, count] of steps) {
            await clock.advanceMs(waitMs);
            if (bucket.take(count) === 0) taken += count;
            assert.ok(taken <= 40 + clock.monotonicMs() * 0.02 + 1e-6);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('the time that is told is the time that it takes', async () => {
    const clock = new ManualClock();
    const bucket = new TokenBucket(clock, 20, 40);
    assert.equal(bucket.take(40), 0);
    const waitMs = bucket.take(3);
    assert.equal(waitMs, 150);
    await clock.advanceMs(waitMs - 1);
    assert.ok(bucket.take(3) > 0);
    await clock.advanceMs(1);
    assert.equal(bucket.take(3), 0);
  });

  it('a jump of the wall clock gives nothing', () => {
    const clock = new ManualClock();
    const bucket = new TokenBucket(clock, 20, 40);
    bucket.take(40);
    clock.jumpWallMs(3_600_000);
    assert.ok(bucket.take() > 0);
  });

  it('is one for an agent in all its generations, and one for the person', () => {
    const budgets = new CallerBudgets(new ManualClock());
    assert.equal(budgets.of(agent('a', 1)), budgets.of(agent('a', 2)));
    assert.notEqual(budgets.of(agent('a')), budgets.of(agent('b')));
    assert.equal(budgets.of({ kind: 'person', client: 'x' }), budgets.of({ kind: 'person', client: 'y' }));
    assert.notEqual(budgets.of(agent('person')), budgets.of({ kind: 'person', client: 'x' }));
  });

  it('is forgotten once nothing of it is left, and not before', async () => {
    const clock = new ManualClock();
    const budgets = new CallerBudgets(clock);
    const used = budgets.of(agent('a'));
    used.admit(1);
    budgets.of(agent('b'));
    assert.equal(budgets.of(agent('a')), used);
    await clock.advanceMs(1_000);
    budgets.of(agent('c'));
    assert.notEqual(budgets.of(agent('a')), used);
  });

  it('S17 bytes under way are bounded, and free again at the end', () => {
    const budget = new CallerBudgets(new ManualClock()).of(agent('a'));
    const large = GATEWAY_LIMITS.bytesUnderWay / 2;
    assert.equal(budget.begin(large), undefined);
    assert.equal(budget.begin(large), undefined);
    assert.match(budget.begin(1)?.why ?? '', /under way/);
    budget.end(large);
    assert.equal(budget.begin(1), undefined);
  });
});
