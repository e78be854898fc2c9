import assert from 'node:assert/strict';
import type { AgentId } from '../../../src/core/agents/agent';
import { AgentTargets, markLostRow } from '../../../src/vscode/commands/agentTargets';
import { CommandId } from '../../../src/vscode/manifest';
import { anAgentView, FakeEngine } from '../../support/fakeEngine';

describe('which agents a command is about', () => {
  const row = (id: string) => ({ kind: 'agent', id: id as AgentId }) as const;
  const [scout, builder] = [row('scout'), row('builder')];
  let asked: unknown[][];
  let targets: AgentTargets;

  beforeEach(() => {
    asked = [];
    const engine = new FakeEngine();
    for (const { id } of [scout, builder]) engine.simulateAgent(anAgentView({ id }));
    targets = new AgentTargets(engine, {
      pickOne: async (title, _, hint) => (asked.push([title, hint]), scout.id),
      pickMany: async (title) => (asked.push([title, undefined]), []),
    });
  });
  const any = (): boolean => true;

  it('is the clicked row, or all selected ones, and nothing is asked', async () => {
    assert.equal(await targets.one(CommandId.RenameAgent, any, scout), 'scout');
    assert.deepEqual(await targets.many(CommandId.StopAgent, any, scout, [scout, builder]), ['scout', 'builder']);
    assert.deepEqual(await targets.many(CommandId.StopAgent, any, scout, [builder]), ['scout'], 'not what else is selected'); // prettier-ignore
    assert.deepEqual(asked, []);
  });

  it('is asked under the title of the command without a row', async () => {
    const [given] = markLostRow([]);
    await targets.one(CommandId.ExplainState, any, given);
    await targets.many(CommandId.ReleaseQuarantine, any, given, undefined);
    assert.deepEqual(asked, [['Explain Agent State', undefined], ['Release Agent From Quarantine', undefined]]); // prettier-ignore
  });

  it('is asked with the reason when the row was drawn anew under its menu', async () => {
    const [given] = markLostRow([undefined, undefined]);
    await targets.one(CommandId.RemoveAgent, any, given);
    assert.deepEqual(await targets.many(CommandId.RemoveAgent, any, given, undefined), ['scout'], 'the one that was clicked'); // prettier-ignore
    const told = ['Remove Agent', 'Its row has just changed: choose the agent here'];
    assert.deepEqual(asked, [told, told]);
    assert.deepEqual(markLostRow([scout, undefined]), [scout, undefined]);
  });
});
