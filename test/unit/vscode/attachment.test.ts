import { strict as assert } from 'node:assert';
import type { AgentId } from '../../../src/core/agents/agent';
import type { EngineStatus } from '../../../src/core/engine';
import { attachmentOf, terminalName } from '../../../src/vscode/terminals/attachment';
import { FakeEngine } from '../../support/fakeEngine';
import { isTerminalReply } from '../../../src/vscode/terminals/tmuxMirror';

const a = 'agent-a' as AgentId;

describe('attaching a terminal', () => {
  const full = ['attach-session', '-t', '=agent-a'];
  const asked = async (status: EngineStatus, args: readonly string[]): Promise<readonly string[]> => {
    const calls: string[] = [];
    const engine = new FakeEngine();
    engine.simulateStatus(status);
    engine.attachedClients = async () => {
      calls.push('attachedClients');
      return new Map();
    };
    engine.attachCommand = () => {
      calls.push('attachCommand');
      return { program: '/tmux', args };
    };
    const { isReadOnly } = await attachmentOf(engine, a);
    return [...calls, isReadOnly ? 'read-only' : 'full'];
  };

  it('first asks who keeps the size in a window that does not manage the agents', async () => {
    const following: EngineStatus = { kind: 'following', ownerPid: 1, isOwnerResponding: true, isConnected: false };
    const looking = ['attach-session', '-f', 'read-only,ignore-size', '-t', '=agent-a'];
    const expected = ['attachedClients', 'attachCommand', 'read-only'];
    assert.deepEqual(await asked(following, looking), expected);
    assert.deepEqual(await asked({ kind: 'restricted' }, looking), expected);
    assert.deepEqual(await asked({ ...following, isConnected: true }, full), [
      'attachedClients',
      'attachCommand',
      'full',
    ]);
  });

  it('asks nothing in the window that manages the agents', async () => {
    const ready: EngineStatus = { kind: 'ready', epoch: 1, tmuxVersion: '3.3a', isTmuxLost: false, isReadOnly: false };
    assert.deepEqual(await asked(ready, full), ['attachCommand', 'full']);
  });

  it('says in the name that no key arrives', () =>
    assert.deepEqual(
      [terminalName('Reviewer', true), terminalName('Reviewer', false)],
      ['Reviewer (read-only)', 'Reviewer'],
    ));
});

describe('input of a mirror', () => {
  it('is of a person unless the terminal answers by itself', () => {
    const replies = [
      '\u001b[?1;2c',
      '\u001b[>0;276;0c',
      '\u001b[24;80R',
      '\u001b]11;rgb:1e1e/1e1e/1e1e\u001b\\',
      '\u001bP1$r0m',
    ];
    assert.deepEqual(
      replies.filter((data) => !isTerminalReply(data)),
      [],
    );
    const typed = ['a', 'hello', '\r', '\u001b', '\u001b[A', '\u001bOP', '\u001b[3~', '\u0003', '\u001bb'];
    assert.deepEqual(typed.filter(isTerminalReply), []);
  });
});
