import { strict as assert } from 'node:assert';
import type { AgentId } from '../../../src/core/agents/agent';
import type { EngineStatus } from '../../../src/core/engine';
import { attachmentOf, isOnlyLooking, terminalName } from '../../../src/vscode/terminals/attachment';
import { FakeEngine } from '../../support/fakeEngine';

const a = 'agent-a' as AgentId;

describe('attaching a terminal', () => {
  const asked = async (status: EngineStatus): Promise<readonly string[]> => {
    const calls: string[] = [];
    const engine = new FakeEngine();
    engine.simulateStatus(status);
    engine.attachedClients = async () => {
      calls.push('attachedClients');
      return new Map();
    };
    engine.attachCommand = () => {
      calls.push('attachCommand');
      return { program: '/tmux', args: [] };
    };
    const { isReadOnly } = await attachmentOf(engine, a);
    return [...calls, isReadOnly ? 'read-only' : 'full'];
  };

  it('first asks who keeps the size in a window that only looks', async () => {
    const looking = ['attachedClients', 'attachCommand', 'read-only'];
    assert.deepEqual(await asked({ kind: 'following', ownerPid: 1, isOwnerResponding: true }), looking);
    assert.deepEqual(await asked({ kind: 'restricted' }), looking);
  });

  it('asks nothing in the window that manages the agents', async () => {
    assert.deepEqual(
      await asked({ kind: 'ready', epoch: 1, tmuxVersion: '3.3a', isTmuxLost: false, isReadOnly: false }),
      ['attachCommand', 'full'],
    );
    assert.equal(isOnlyLooking({ kind: 'starting' }), false);
  });

  it('says in the name that no key arrives', () =>
    assert.deepEqual(
      [terminalName('Reviewer', true), terminalName('Reviewer', false)],
      ['Reviewer (read-only)', 'Reviewer'],
    ));
});
