import { strict as assert } from 'node:assert';
import { aboutAgent, AgentError } from '../../../src/core/agents/agentErrors';
import { TmuxError } from '../../../src/core/tmux/tmuxErrors';
import { messageFor } from '../../../src/vscode/errorMessages';
import { namingAgent } from '../../../src/vscode/failedStart';
import { anAgentView } from '../../support/fakeEngine';

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

describe('a start of an agent that ended at once', () => {
  const error = new AgentError('agent.endedEarly', 'reviewer ended before it was ready (exit code 3)', {
    agentId: 'reviewer',
  });

  it('is told in one sentence, with its exit code and the last line of its screen', () => {
    const said = {
      source: 'screen',
      detail: 'last on its screen: hello ⏎ Error: no such file',
      observedAtMs: 0,
    } as const;
    const view = anAgentView({ lifecycle: 'failed', exit: { code: 3 }, evidence: [said] });
    assert.equal(
      messageFor(error, view)?.text,
      'Reviewer ended with exit code 3 before it was ready: Error: no such file',
    );
    assert.equal(
      messageFor(error, { ...view, exit: { signal: 'SIGKILL' }, evidence: [] })?.text,
      'Reviewer ended by SIGKILL before it was ready.',
    );
  });

  it('leads to its last screen and to another start', () => {
    const buttons = messageFor(error)?.buttons.map(({ title, command, args }) => [title, command, ...(args ?? [])]);
    assert.deepEqual(buttons, [
      ['Show Last Screen', 'coreOrchestrator.attachAgent', 'reviewer'],
      ['Start Agent Again', 'coreOrchestrator.startAgentAgain', 'reviewer'],
    ]);
  });
});
