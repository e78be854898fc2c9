import { strict as assert } from 'node:assert';
import { TerminalReturns } from '../../../src/vscode/terminals/terminalReturns';
import { anAgentView } from '../../support/fakeEngine';

const PANEL = { name: 'panel', isCovered: false };

describe('a terminal that ended by itself', () => {
  const next = anAgentView({ generation: 2 });

  it('comes back where it stood, once, when the next run can be attached to', () => {
    const returns = new TerminalReturns<typeof PANEL>();
    returns.note(anAgentView({ lifecycle: 'starting', generation: 2 }), 1, PANEL);
    assert.equal(returns.take(anAgentView({ lifecycle: 'starting', generation: 2 })), undefined, 'not launched yet');
    assert.equal(returns.take(anAgentView({ lifecycle: 'starting', generation: 2, pid: 7 })), PANEL);
    assert.equal(returns.take(next), undefined);
  });

  it('comes back also when the next run was there before its end was told', () => {
    const returns = new TerminalReturns<typeof PANEL>();
    returns.note(next, 1, PANEL);
    assert.equal(returns.take(next), PANEL);
  });

  it('stays away when it stood behind something else: it would cover that', () => {
    const returns = new TerminalReturns<typeof PANEL>();
    returns.note(next, 1, { ...PANEL, isCovered: true });
    assert.equal(returns.take(next), undefined);
  });

  it('stays away while the same run goes on: it was detached', () => {
    const returns = new TerminalReturns<typeof PANEL>();
    returns.note(anAgentView(), 1, PANEL);
    assert.equal(returns.take(next), undefined);
  });

  it('stays away as long as there is nothing to attach to, and when the agent has another', () => {
    const returns = new TerminalReturns<typeof PANEL>();
    returns.note(anAgentView({ lifecycle: 'stopped' }), 1, PANEL);
    assert.equal(returns.take(anAgentView({ lifecycle: 'stopped' })), undefined);
    assert.equal(returns.take(anAgentView({ generation: 2, isAttachable: false })), undefined);
    returns.forget(next.id);
    assert.equal(returns.take(next), undefined);
  });
});
