import assert from 'node:assert/strict';
import type { AgentId } from '../../../../src/core/agents/agent';
import { HostedAgents, taggedRows } from '../../../../src/core/tmux/hostedAgents';
import type { PaneRow } from '../../../../src/core/tmux/tmuxFormat';

const a = 'a' as AgentId;
const aRow = (changes: Partial<PaneRow> = {}): PaneRow => ({
  session: 'a',
  agent: 'a',
  generation: '1',
  paneId: '%1',
  windowId: '@1',
  pid: '100',
  isDead: '0',
  deadStatus: '',
  deadSignal: '',
  inMode: '0',
  cursorX: '0',
  cursorY: '0',
  columns: '120',
  rows: '40',
  foreground: 'sh',
  title: '',
  ...changes,
});
const never = (): boolean => false;

describe('hostedAgents', () => {
  it('counts a linked pane once and leaves panes without our tags alone', () => {
    const rows = [
      aRow(),
      aRow({ session: '_hub' }),
      aRow({ agent: '', paneId: '%2' }),
      aRow({ session: 'mine', agent: '', paneId: '%3' }),
      aRow({ session: 'x', paneId: '%4' }),
      aRow({ generation: 'x', paneId: '%5' }),
    ];
    assert.deepEqual(
      taggedRows(rows).map(({ row }) => row.paneId),
      ['%1'],
    );
  });

  it('tells what appeared, died and vanished, each once', () => {
    const agents = new HostedAgents();
    const step = (rows: readonly PaneRow[]) => {
      const { appeared, died, vanished } = agents.reconcile(rows, never);
      return [appeared.length, died.length, vanished.length];
    };
    assert.deepEqual(step([aRow()]), [1, 0, 0]);
    assert.deepEqual(step([aRow()]), [0, 0, 0]);
    assert.deepEqual(step([aRow({ isDead: '1' })]), [0, 1, 0]);
    const entry = agents.get(a);
    assert.ok(entry);
    entry.cause = { code: 0 };
    assert.deepEqual(step([aRow({ isDead: '1' })]), [0, 0, 0]);
    assert.deepEqual(step([]), [0, 0, 1]);
    assert.deepEqual(step([]), [0, 0, 0]);
    assert.equal(agents.get(a), entry, 'what is known of the process stays');
  });

  it('does not take the pane of a new server for the old one: pane ids begin again', () => {
    const agents = new HostedAgents();
    agents.reconcile([aRow()], never);
    const first = agents.get(a);
    const { appeared } = agents.reconcile([aRow({ pid: '200', generation: '2' })], never);
    assert.equal(appeared.length, 1);
    assert.notEqual(agents.get(a), first);
    assert.equal(agents.atPane('%1')?.pid, 200);
  });

  it('believes nothing about an agent that is being launched', () => {
    const agents = new HostedAgents();
    assert.deepEqual(
      agents.reconcile([aRow()], (agentId) => agentId === a),
      { appeared: [], died: [], vanished: [] },
    );
  });

  it('takes an agent back whose terminal was only out of sight', () => {
    const agents = new HostedAgents();
    agents.reconcile([aRow()], never);
    const entry = agents.get(a);
    agents.reconcile([], never);
    assert.equal(agents.atPane('%1'), undefined);
    assert.deepEqual(agents.reconcile([aRow()], never).appeared, []);
    assert.equal(agents.atPane('%1'), entry);
  });
});
