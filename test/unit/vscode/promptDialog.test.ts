import { strict as assert } from 'node:assert';
import type { AgentId } from '../../../src/core/agents/agent';
import { AgentError } from '../../../src/core/agents/agentErrors';
import type { PromptReceipt } from '../../../src/core/agents/delivery/promptDelivery';
import { silentLogger } from '../../../src/core/base/log';
import { GatewayError } from '../../../src/core/gateway/gatewayErrors';
import {
  type PromptBoxState, PromptDialog, type PromptInput, type PromptQuestion,
} from '../../../src/vscode/prompts/promptDialog'; // prettier-ignore
import { PromptSender } from '../../../src/vscode/prompts/promptSender';
import { anAgentView, aReceipt, aRequest, FakeEngine } from '../../support/fakeEngine';
import { FakeWindow } from '../../support/fakeWindow';
import { ManualClock } from '../../support/manualClock';

const id = 'reviewer' as AgentId;
const other = 'builder' as AgentId;

type Answer = PromptInput | ((question: PromptQuestion) => PromptInput);

function createFixture() {
  const [engine, window, clock] = [new FakeEngine(), new FakeWindow(), new ManualClock()];
  const told: string[] = [];
  const sender = new PromptSender({
    ...{ engine, window, clock, log: silentLogger },
    tell: (what, error) => void told.push(`${what}: ${(error as { code?: string }).code}`),
  });
  /** What was asked: for whom, with which text in the box, and what stood below it. */
  const asked: { readonly title: string; readonly text: string; readonly state: PromptBoxState }[] = [];
  const written: string[] = [];
  const answers: Answer[] = [];
  const dialog = new PromptDialog({
    ...{ engine, window, sender },
    write: async (ids, whom, text) => void written.push(`${ids.join()} ${whom}: ${text}`),
    ask: async (question) => {
      asked.push({ title: question.title, text: question.text, state: question.state() });
      const answer = answers.shift() ?? { kind: 'hidden', text: question.text };
      return typeof answer === 'function' ? answer(question) : answer;
    },
  });
  engine.simulateAgent(anAgentView());
  const failures = new Map<AgentId, unknown[]>();
  engine.deliver = async (agentId, _text, options): Promise<PromptReceipt> => {
    const failure = options.whenBlocked === 'queue' ? undefined : failures.get(agentId)?.shift();
    if (failure !== undefined) throw failure as Error; // as given by the test
    return aReceipt({ agentId });
  };
  const fail = (agentId: AgentId, ...errors: unknown[]): void => void failures.set(agentId, errors);
  return { engine, window, dialog, asked, answers, written, told, fail };
}

/** What a person does who presses Enter below this text. */
const enter =
  (text?: string): Answer =>
  (question) => ({ kind: question.state().enter, text: text ?? question.text });

describe('the box of Send Prompt', () => {
  it('sends what was written and is gone', async () => {
    const { engine, dialog, asked, answers } = createFixture();
    answers.push(enter('hello'));
    await dialog.run([id], 'refuse');
    assert.deepEqual([engine.calls, asked.length], [['sendPrompt reviewer hello'], 1]);
    assert.deepEqual(
      [asked[0]?.title, asked[0]?.text, asked[0]?.state.isRefusal],
      ['Send Prompt to Reviewer', '', false],
    );
  });

  for (const [code, reason] of [
    ['agent.dialogOpen', /^Reviewer shows a question/],
    ['agent.draftInBox', /^Reviewer has an earlier prompt, “x”, in its input box\. Nothing/],
    ['agent.inputHidden', /^The input box of Reviewer cannot be seen/],
    ['agent.notReady', /^Reviewer is not ready/],
    ['agent.paused', /^Reviewer is paused\./],
  ] as const)
    it(`comes back with the text and the reason (${code}); Enter queues it then`, async () => {
      const { engine, window, dialog, asked, answers, fail } = createFixture();
      if (code === 'agent.paused') engine.simulateAgent(anAgentView({ lifecycle: 'paused' }));
      if (code === 'agent.dialogOpen') engine.simulateAgent(anAgentView({ activity: 'awaiting_input' }));
      fail(id, new AgentError(code, 'reviewer has an earlier prompt, “x”, in its input box', { agentId: id }));
      answers.push(enter('hello'), enter());
      await dialog.run([id], 'refuse');
      assert.deepEqual(engine.calls, ['sendPrompt reviewer hello', 'sendPrompt reviewer hello (queue)']);
      assert.deepEqual([asked.length, asked[1]?.text, window.shown], [2, 'hello', []]);
      assert.match(asked[1]?.state.words ?? '', reason);
      assert.match(asked[1]?.state.words ?? '', /Nothing was typed\. Press Enter to queue it/);
    });

  it('takes the reason back as soon as it does not hold any more: Enter sends again', async () => {
    for (const [code, before, after] of [
      ['agent.paused', { lifecycle: 'paused' }, {}],
      ['agent.dialogOpen', { activity: 'awaiting_approval' }, { activity: 'busy' }],
    ] as const) {
      const { engine, dialog, answers, fail } = createFixture();
      engine.simulateAgent(anAgentView(before));
      fail(id, new AgentError(code, 'detail', { agentId: id }));
      answers.push(enter('hello'), (question) => {
        assert.equal(question.state().isRefusal, true);
        let changes = 0;
        const listening = question.onDidChange(() => changes++);
        engine.simulateAgent(anAgentView(after));
        listening.dispose();
        const { isRefusal, words, enter: kind } = question.state();
        assert.deepEqual([changes, isRefusal, kind, /paused|question/.test(words)], [1, false, 'send', false]);
        return { kind, text: question.text };
      });
      await dialog.run([id], 'refuse');
      assert.deepEqual(engine.calls, ['sendPrompt reviewer hello', 'sendPrompt reviewer hello']);
    }
  });

  it('leads to what is in the way, and to its review where it can be answered from here', async () => {
    for (const [request, isReviewable] of [[aRequest(), true], [aRequest({ door: 'none' }), false]] as const) {
      const { engine, window, dialog, answers, fail } = createFixture();
      engine.simulateAgent(anAgentView({ activity: 'awaiting_approval', request }));
      fail(id, new AgentError('agent.dialogOpen', 'detail', { agentId: id }));
      answers.push(enter('hello'), (question) => {
        assert.deepEqual(question.state().blocked, { id, isReviewable });
        question.run('coreOrchestrator.attachAgent', id);
        return { kind: 'hidden', text: question.text };
      });
      await dialog.run([id], 'refuse');
      assert.deepEqual(window.ran, [['coreOrchestrator.attachAgent', id]]);
    }
  }); // prettier-ignore

  it('is about those that refused only when others took it', async () => {
    const { engine, dialog, asked, answers, fail } = createFixture();
    engine.simulateAgent(anAgentView({ id: other, name: 'Builder', lifecycle: 'paused' }));
    fail(other, new AgentError('agent.paused', 'detail', { agentId: other }));
    answers.push(enter('hello'), enter());
    await dialog.run([id, other], 'refuse');
    assert.deepEqual(asked.map(({ title }) => title), ['Send Prompt to 2 agents', 'Send Prompt to Builder']); // prettier-ignore
    assert.deepEqual(engine.calls.slice(2), ['sendPrompt builder hello (queue)']);
  });

  it('says any other reason and lets the person try again', async () => {
    const { engine, dialog, asked, answers, told, fail } = createFixture();
    fail(id, new AgentError('agent.notRunning', 'detail', { agentId: id }));
    answers.push(enter('hello'), enter());
    await dialog.run([id], 'refuse');
    assert.match(asked[1]?.state.words ?? '', /^The agent is not running\. Start it first\. Enter tries again\.$/);
    assert.deepEqual([engine.calls.length, told], [2, []]);
  });

  it('keeps a text that was left, refused or lost with the connection for the next time, and no other', async () => {
    const { dialog, asked, answers, fail, told } = createFixture();
    const next = async (): Promise<string> => {
      await dialog.run([id], 'refuse');
      return asked.at(-1)?.text ?? '';
    };
    answers.push({ kind: 'hidden', text: 'left' });
    await dialog.run([id], 'refuse');
    assert.equal(await next(), 'left');
    fail(id, new GatewayError('gateway.disconnected', 'gone'));
    answers.push(enter('unsure'));
    await dialog.run([id], 'refuse');
    assert.deepEqual([await next(), told], ['unsure', ['Send Prompt: gateway.disconnected']]);
    fail(id, new AgentError('agent.deliveryFailed', 'detail', { agentId: id })); // its receipt has the text
    answers.push(enter('failed'));
    await dialog.run([id], 'refuse');
    assert.equal(await next(), '');
    answers.push({ kind: 'hidden', text: '  ' });
    await dialog.run([id], 'refuse');
    assert.equal(await next(), '');
  });

  it('goes on in an editor with what was written', async () => {
    const { dialog, asked, answers, written } = createFixture();
    answers.push({ kind: 'editor', text: 'long' });
    await dialog.run([id], 'refuse');
    await dialog.run([id], 'refuse');
    assert.deepEqual([written, asked.at(-1)?.text], [['reviewer Reviewer: long'], '']);
  });
});
