import { strict as assert } from 'node:assert';
import { Activity, Lifecycle } from '../../../src/core/agents/agentState';
import { needsYouOf } from '../../../src/core/engine';
import { ACTIVITY_WORDS, LIFECYCLE_WORDS, stateWords, withTerm } from '../../../src/shared/stateWords';

const termed = (lifecycle: string, activity = 'unknown'): string =>
  withTerm(stateWords({ lifecycle, activity }), { lifecycle, activity });

describe('words of states, in the window and of orc', () => {
  it('are there for every state of the engine, and for no other', () => {
    assert.deepEqual(Object.keys(LIFECYCLE_WORDS).sort(), Object.values(Lifecycle).sort());
    assert.deepEqual(Object.keys(ACTIVITY_WORDS).sort(), Object.values(Activity).sort());
  });

  it('tell no two states in the same words', () => {
    const all = [...Object.values(LIFECYCLE_WORDS), ...Object.values(ACTIVITY_WORDS)];
    assert.equal(new Set(all).size, all.length);
  });

  it('have the term beside them where it is another', () => {
    assert.deepEqual(
      Object.values(Activity).map((activity) => termed('running', activity)),
      [
        'idle',
        'working (busy)',
        'needs input (awaiting_input)',
        'needs approval (awaiting_approval)',
        'rate limited',
        'error',
        'unknown',
      ],
    );
    assert.deepEqual(
      ['created', 'lost', 'backoff', 'stopped', 'quarantined'].map((each) => termed(each)),
      ['not started (created)', 'not reachable (lost)', 'waiting to restart (backoff)', 'stopped', 'quarantined'],
    );
    assert.equal(withTerm('failed with exit code 3', { lifecycle: 'failed', activity: 'unknown' }), 'failed with exit code 3'); // prettier-ignore
  });

  it('say of a paused agent what it needs, and only that', () => {
    for (const activity of Object.values(Activity)) {
      const needs = needsYouOf('paused', activity) !== undefined;
      assert.equal(stateWords({ lifecycle: 'paused', activity }), needs ? `paused, ${ACTIVITY_WORDS[activity]}` : 'paused'); // prettier-ignore
    }
    assert.equal(termed('paused', 'awaiting_input'), 'paused, needs input (awaiting_input)');
    assert.equal(termed('paused', 'busy'), 'paused');
  });

  it('of an engine of another version are its codes', () => {
    assert.equal(termed('running', 'day_dreaming'), 'day dreaming');
    assert.equal(termed('constructor'), 'constructor');
  });
});
