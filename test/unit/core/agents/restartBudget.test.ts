import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ExitCause } from '../../../../src/core/agents/agentState';
import { DEFAULT_RESTART_SETTINGS, RestartBudget } from '../../../../src/core/agents/restartBudget';

const failure: ExitCause = { code: 1 };

describe('RestartBudget', () => {
  it('follows the policy', () => {
    const table = (['never', 'on_failure', 'always'] as const).map((policy) =>
      [{ code: 0 }, { code: 1 }, { signal: 'SIGKILL' }, {}].map(
        (exit) => new RestartBudget(policy, []).next(exit, 0, 0.5).kind,
      ),
    );
    assert.deepEqual(table, [
      ['rest', 'rest', 'rest', 'rest'],
      ['rest', 'restart', 'restart', 'restart'],
      ['restart', 'restart', 'restart', 'restart'],
    ]);
  });

  it('doubles the delay and quarantines at the sixth restart in ten minutes', () => {
    let budget = new RestartBudget('on_failure', []);
    const delays: number[] = [];
    let nowMs = 1_000_000;
    for (;;) {
      const decision = budget.next(failure, nowMs, 0.5);
      if (decision.kind !== 'restart') {
        assert.deepEqual(decision, { kind: 'quarantine', restarts: 5 });
        break;
      }
      delays.push(decision.delayMs);
      nowMs += decision.delayMs;
      budget = decision.budget;
    }
    assert.deepEqual(delays, [1_000, 2_000, 4_000, 8_000, 16_000]);
  });

  it('never waits longer than a minute, and moves by at most a fifth', () => {
    const settings = { ...DEFAULT_RESTART_SETTINGS, maxRestarts: 100 };
    fc.assert(
      fc.property(fc.nat(20), fc.double({ min: 0, max: 0.999, noNaN: true }), (count, random) => {
        const decision = new RestartBudget(
          'always',
          Array.from({ length: count }, () => 0),
          settings,
        ).next(failure, 0, random);
        assert.ok(decision.kind === 'restart');
        const planned = Math.min(60_000, 1_000 * 2 ** count);
        assert.ok(decision.delayMs <= 60_000 && Math.abs(decision.delayMs - planned) <= planned * 0.2 + 1);
      }),
    );
  });

  it('forgets restarts that are older than the window, and is not fooled by a clock that went back', () => {
    const old = [0, 1, 2, 3, 4];
    assert.equal(new RestartBudget('always', old).next(failure, 600_005, 0.5).kind, 'restart');
    const fromTheFuture = new RestartBudget('always', [5e9, 5e9]).next(failure, 1_000, 0.5);
    assert.ok(fromTheFuture.kind === 'restart');
    assert.deepEqual(fromTheFuture.budget.restartsAtMs, [1_000, 1_000, 5_000]);
  });

  it('is immutable', () => {
    const budget = new RestartBudget('always', []);
    budget.next(failure, 0, 0.5);
    assert.deepEqual(budget.restartsAtMs, []);
  });
});
