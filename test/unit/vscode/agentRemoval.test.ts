import assert from 'node:assert/strict';
import type { AgentId } from '../../../src/core/agents/agent';
import type { AgentView } from '../../../src/core/engine';
import { confirmRemoval, removalQuestion } from '../../../src/vscode/commands/agentRemoval';
import { anAgentView, FakeEngine } from '../../support/fakeEngine';
import { FakeWindow } from '../../support/fakeWindow';

const stopped = { lifecycle: 'stopped', activity: 'unknown' } as const;
const idle = { lifecycle: 'running', activity: 'idle' } as const;
const busy = { lifecycle: 'running', activity: 'busy' } as const;
const agent = (name: string, state: Partial<AgentView>): AgentView =>
  anAgentView({ id: name.toLowerCase() as AgentId, name, ...state });

describe('the question before agents are removed', () => {
  it('says of one at rest what is deleted, what stays, and how to keep a copy', () => {
    const { question, detail, button } = removalQuestion([agent('Scout', stopped)]);
    assert.deepEqual([question, button], ['Remove Scout?', 'Remove Agent']);
    assert.match(detail, /^Its prompts are deleted: searches and exports do not have them any more\./);
    assert.match(detail, /conversation stays with the program\./);
    assert.match(detail, /cannot be undone\. Export Data or Back Up Store keeps a copy\.$/);
    assert.doesNotMatch(detail, /runs/);
  });

  it('says of one that runs that it is ended, and what it is in the middle of', () => {
    const rests = removalQuestion([agent('Scout', idle)]);
    assert.deepEqual([rests.question, rests.button], ['End and remove Scout?', 'End and Remove Agent']);
    assert.match(rests.detail, /^It runs, and is ended first\.\n/);
    assert.match(removalQuestion([agent('Scout', { lifecycle: 'backoff' })]).question, /^End and remove/);
    const works = removalQuestion([agent('Scout', busy)]);
    assert.match(works.detail, /ended first\. In the middle of something: Scout\. What is not finished will be lost\./);
  });

  it('names several, and which of them run', () => {
    const several = [agent('Scout', idle), agent('Builder', stopped), agent('Tester', busy)];
    const { question, detail, button } = removalQuestion(several);
    assert.deepEqual([question, button], ['End and remove 3 agents?', 'End and Remove Agents']);
    assert.match(detail, /^Scout, Builder, Tester\.\n\nScout, Tester run, and are ended first\. In the middle/);
    assert.match(detail, /Their prompts are deleted/);
    assert.match(removalQuestion(several.filter(({ lifecycle }) => lifecycle === 'running')).detail, /All of them run/);
    const many = Array.from({ length: 12 }, (_, index) => agent(`A${index}`, stopped));
    assert.match(removalQuestion(many).detail, /^A0, .*, A7 and 4 more\.\n/);
    assert.equal(removalQuestion(many).question, 'Remove 12 agents?');
  });
});

describe('removing agents', () => {
  const id = 'scout' as AgentId;

  async function ask(answer: string | undefined): Promise<{ isWanted: boolean; window: FakeWindow }> {
    const [engine, window] = [new FakeEngine(), new FakeWindow()];
    engine.simulateReady();
    engine.simulateAgent(agent('Scout', stopped));
    window.answer = answer;
    return { isWanted: await confirmRemoval(window, engine, [id]), window };
  }

  it('happens only when the person has said so, once for all of them', async () => {
    assert.equal((await ask(undefined)).isWanted, false);
    const { isWanted, window } = await ask('Remove Agent');
    assert.equal(isWanted, true);
    assert.match(window.shown.join('\n'), /^confirm: Remove Scout\? \[Export Data…\|Remove Agent\]/);
    assert.equal(window.shown.length, 1);
  });

  it('is asked about again when one has begun to run while the question was open', async () => {
    const [engine, window] = [new FakeEngine(), new FakeWindow()];
    engine.simulateAgent(agent('Scout', stopped));
    window.nextAnswers.push('Remove Agent', 'End and Remove Agent');
    const confirm = window.confirm.bind(window);
    window.confirm = (...question) => {
      engine.simulateAgent(agent('Scout', busy));
      return confirm(...question);
    };
    assert.equal(await confirmRemoval(window, engine, [id]), true);
    assert.deepEqual(window.shown.map((text) => text.split('?')[0]), ['confirm: Remove Scout', 'confirm: End and remove Scout']); // prettier-ignore
  });

  it('gives way to an export, and asks nothing about who is gone', async () => {
    const { isWanted, window } = await ask('Export Data…');
    assert.deepEqual([isWanted, window.ran], [false, [['coreOrchestrator.exportData']]]);
    const other = new FakeWindow();
    assert.equal(await confirmRemoval(other, new FakeEngine(), [id]), true);
    assert.deepEqual(other.shown, []);
  });
});
