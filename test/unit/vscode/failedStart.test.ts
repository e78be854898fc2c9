import { strict as assert } from 'node:assert';
import { aboutAgent, AgentError } from '../../../src/core/agents/agentErrors';
import { TmuxError } from '../../../src/core/tmux/tmuxErrors';
import { namingAgent } from '../../../src/vscode/failedStart';

describe('a failed start, told to other extensions', () => {
  const told = async (failure: unknown): Promise<{ readonly agentId?: string; readonly code?: string }> => {
    try {
      await namingAgent(Promise.reject(failure as Error)); // thrown on as it is
    } catch (error) {
      assert.ok(error instanceof Error);
      return error as Error & { readonly agentId?: string; readonly code?: string };
    }
    throw new assert.AssertionError({ message: 'it was not thrown' });
  };

  it('names the agent that was kept, whatever failed', async () => {
    for (const failure of [
      new TmuxError('tmux.timeout', 'new-session'),
      new AgentError('agent.startDeadline', '60 s'),
    ]) {
      const { agentId, code } = await told(aboutAgent(failure, 'agent-a'));
      assert.deepEqual([agentId, code], ['agent-a', failure.code]);
    }
  });

  it('names none when nothing was kept', async () => {
    assert.equal((await told(new AgentError('agent.nameTaken', 'a'))).agentId, undefined);
    assert.equal('agentId' in (await told(new TmuxError('tmux.timeout', 'new-session'))), false);
  });

  it('passes a success on', async () => assert.equal(await namingAgent(Promise.resolve('a')), 'a'));
});
