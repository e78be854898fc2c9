import { strict as assert } from 'node:assert';
import type { AgentId } from '../../../src/core/agents/agent';
import { AgentError, type AgentErrorCode } from '../../../src/core/agents/agentErrors';
import type { PromptReceipt, SendPromptOptions } from '../../../src/core/agents/delivery/promptDelivery';
import { silentLogger } from '../../../src/core/base/log';
import { PROGRESS_AFTER_MS, PromptSender } from '../../../src/vscode/prompts/promptSender';
import { ReceiptDesk } from '../../../src/vscode/prompts/receiptDesk';
import { receiptsText } from '../../../src/vscode/prompts/receiptText';
import { anAgentView, aReceipt, aRequest, FakeEngine } from '../../support/fakeEngine';
import { FakeDocuments, FakeWindow } from '../../support/fakeWindow';
import { ManualClock } from '../../support/manualClock';

const id = 'reviewer' as AgentId;

function createFixture() {
  const [engine, window, clock, documents] = [
    new FakeEngine(),
    new FakeWindow(),
    new ManualClock(),
    new FakeDocuments(),
  ];
  const told: string[] = [];
  const tell = (what: string, error: unknown): void => void told.push(`${what}: ${(error as { code?: string }).code}`);
  const sender = new PromptSender({ engine, window, clock, log: silentLogger, tell });
  const desk = new ReceiptDesk({ engine, window, documents, sender, clock });
  engine.simulateAgent(anAgentView());
  const failWith = (code: AgentErrorCode): void => engine.failWith(new AgentError(code, 'detail', { agentId: id }));
  return { engine, window, clock, documents, sender, desk, told, failWith };
}

describe('sending a prompt', () => {
  it('says nothing when it arrives quickly: the row shows it', async () => {
    const { engine, window, clock, sender } = createFixture();
    assert.equal(await sender.sendToAll([id], 'hello'), true);
    assert.deepEqual([engine.calls, window.shown, clock.pendingCount], [['sendPrompt reviewer hello'], [], 0]);
  });

  for (const code of [
    'agent.dialogOpen',
    'agent.draftInBox',
    'agent.inputHidden',
    'agent.notReady',
    'agent.paused',
  ] as const) {
    it(`names the reason when it is blocked (${code}), and queues only when the person says so`, async () => {
      const { engine, window, sender, failWith, told } = createFixture();
      failWith(code);
      assert.equal(await sender.sendToAll([id], 'hello'), false);
      assert.equal(window.shown.length, 1);
      assert.match(window.shown[0] ?? '', /^warning: Reviewer: .+[.)] \[Send When Free\|Attach\]$/);
      assert.deepEqual([engine.calls.length, told], [1, []]);
      failWith(code);
      window.answer = 'Send When Free';
      assert.equal(await sender.sendToAll([id], 'hello'), true);
      assert.equal(engine.calls.at(-1), 'sendPrompt reviewer hello (queue)');
    });
  }

  it('offers to review what is in the way, where it can be answered from here', async () => {
    const { engine, window, sender, failWith } = createFixture();
    window.answer = 'Review Request';
    for (const [request, offered] of [
      [aRequest(), true],
      [aRequest({ canAllow: false }), true],
      [aRequest({ door: 'none' }), false],
      [undefined, false],
    ] as const) {
      [window.shown, window.ran].forEach((list) => list.splice(0));
      engine.simulateAgent(anAgentView({ activity: 'awaiting_approval', ...(request && { request }) }));
      failWith('agent.dialogOpen');
      assert.equal(await sender.sendToAll([id], 'hello'), false);
      assert.equal(/ \[Review Request\|Send When Free\|Attach\]$/.test(window.shown[0] ?? ''), offered);
      assert.deepEqual(window.ran, offered ? [['coreOrchestrator.reviewRequest', id]] : []);
    }
    failWith('agent.draftInBox');
    engine.simulateAgent(anAgentView({ request: aRequest() }));
    await sender.sendToAll([id], 'hello');
    assert.match(window.shown.at(-1) ?? '', / \[Send When Free\|Attach\]$/);
  });

  it('takes the person to the terminal of a blocked agent', async () => {
    const { window, sender, failWith } = createFixture();
    failWith('agent.dialogOpen');
    window.answer = 'Attach';
    await sender.sendToAll([id], 'hello');
    assert.deepEqual(window.ran, [['coreOrchestrator.attachAgent', id]]);
  });

  it('R7 never sends again by itself what may have arrived', async () => {
    const { engine, window, sender, failWith } = createFixture();
    engine.simulateReceipt(aReceipt({ id: 'r1', state: 'delivery_unknown' }));
    failWith('agent.deliveryUnknown');
    assert.equal(await sender.sendToAll([id], 'hello'), false);
    assert.match(window.shown[0] ?? '', /It is not known whether .* \[It Arrived\|Send Again\|Attach\]$/);
    assert.deepEqual(engine.calls, ['sendPrompt reviewer hello']);
  });

  it('lets the person settle what may have arrived; to send it again is not to say that it was lost', async () => {
    const { engine, window, sender, failWith } = createFixture();
    engine.simulateReceipt(aReceipt({ id: 'r1', state: 'delivery_unknown' }));
    failWith('agent.deliveryUnknown');
    window.nextAnswers.push('Send Again');
    assert.equal(await sender.sendToAll([id], 'hello'), true);
    assert.deepEqual(engine.calls.slice(1), ['resendPrompt r1']);
    window.nextAnswers.push('It Arrived');
    assert.equal(await sender.settle(aReceipt({ id: 'r2', state: 'delivery_unknown' })), true);
    assert.deepEqual(engine.calls.slice(2), ['settleDelivery r2 arrived']);
  });

  it('says of which prompt that it has arrived meanwhile, or was sent again', async () => {
    const { window, sender, told, failWith } = createFixture();
    window.answer = 'Send Again';
    failWith('agent.notAllowed');
    assert.equal(await sender.settle(aReceipt({ id: 'r1', state: 'delivery_unknown' })), false);
    assert.deepEqual(
      [window.shown[1], told],
      ['warning: "review the last commit" to Reviewer: not sent again: detail. []', []],
    );
  });

  it('marks the one that failed when it is sent again from its message', async () => {
    const { engine, window, sender } = createFixture();
    engine.deliver = async (_id, _text, { onBegin }) => {
      onBegin?.('r1');
      engine.simulateReceipt(aReceipt({ id: 'r1', state: 'failed' }));
      engine.deliver = async () => aReceipt({ id: 'r2' });
      throw new AgentError('agent.deliveryFailed', 'detail', { agentId: id });
    };
    window.nextAnswers.push('Send Again');
    assert.equal(await sender.sendToAll([id], 'hello'), true);
    assert.deepEqual(engine.calls, ['sendPrompt reviewer hello', 'resendPrompt r1']);
  });

  it('sends the new one again when that did not arrive either', async () => {
    const { engine, window, sender } = createFixture();
    engine.simulateReceipt(aReceipt({ id: 'r1', state: 'failed' }));
    engine.deliver = async () => {
      engine.simulateReceipt(aReceipt({ id: 'r1', state: 'failed', resentAs: 'r2' }));
      engine.simulateReceipt(aReceipt({ id: 'r2', state: 'failed' }));
      engine.deliver = async () => aReceipt({ id: 'r3' });
      throw new AgentError('agent.deliveryFailed', 'detail', { agentId: id });
    };
    window.nextAnswers.push('Send Again');
    assert.equal(await sender.resend(aReceipt({ id: 'r1', state: 'failed' })), true);
    assert.deepEqual(engine.calls, ['resendPrompt r1', 'resendPrompt r2']);
  });

  it('offers to send again what certainly did not arrive', async () => {
    const { engine, window, sender, failWith } = createFixture();
    failWith('agent.deliveryFailed');
    window.nextAnswers.push('Send Again');
    assert.equal(await sender.sendToAll([id], 'hello'), true);
    assert.match(
      window.shown[0] ?? '',
      /^error: Reviewer: The prompt did not arrive\. .*\[Send Again\|Attach\|Show Receipts\]$/,
    );
    assert.equal(engine.calls.length, 2);
  });

  it('tells any other failure', async () => {
    const { window, sender, failWith, told } = createFixture();
    failWith('agent.notRunning');
    assert.equal(await sender.sendToAll([id], 'hello'), false);
    assert.deepEqual([told, window.shown], [['Send Prompt: agent.notRunning'], []]);
  });

  it('shows that it goes on when it takes a moment; cancelling takes it back and says nothing', async () => {
    const { engine, window, clock, sender, told } = createFixture();
    engine.deliver = (_id, _text, { signal }: SendPromptOptions) =>
      new Promise<PromptReceipt>((_resolve, reject) =>
        signal?.addEventListener('abort', () => reject(Object.assign(new Error('x'), { name: 'AbortError' }))),
      );
    const sending = sender.sendToAll([id], 'hello');
    assert.equal(sender.isUnderWay(id), true);
    await clock.advanceMs(PROGRESS_AFTER_MS);
    assert.deepEqual(window.shown, ['progress: Sending the prompt to Reviewer']);
    window.cancel?.();
    assert.equal(await sending, false);
    assert.deepEqual([told, sender.isUnderWay(id), clock.pendingCount], [[], false, 0]);
  });

  it('goes to each of several agents, whatever becomes of the others', async () => {
    const { engine, sender, failWith } = createFixture();
    engine.simulateAgent(anAgentView({ id: 'builder' as AgentId, name: 'Builder' }));
    failWith('agent.notRunning');
    assert.equal(await sender.sendToAll([id, 'builder' as AgentId], 'hello'), false);
    assert.deepEqual(engine.calls, ['sendPrompt reviewer hello', 'sendPrompt builder hello']);
  });
});

describe('receipts', () => {
  it('take back the one that waits, or the one that is picked', async () => {
    const { engine, window, desk } = createFixture();
    await desk.cancelQueued(id);
    assert.deepEqual(window.shown, ['information: No prompt waits for Reviewer. []']);
    engine.simulateReceipt(aReceipt({ id: 'r1', state: 'queued' }));
    await desk.cancelQueued(id);
    engine.simulateReceipt(aReceipt({ id: 'r2', state: 'queued', excerpt: 'second' }));
    window.nextAnswers.push('r2', undefined, 'all');
    await desk.cancelQueued(id);
    await desk.cancelQueued(id);
    await desk.cancelQueued(id);
    assert.deepEqual(engine.calls, ['cancelPrompt r1', 'cancelPrompt r2', 'cancelPrompt r2', 'cancelPrompt r1']);
  });

  it('send again only what did not arrive, and what is not known only after a decision', async () => {
    const { engine, window, desk } = createFixture();
    engine.simulateReceipt(aReceipt({ id: 'r1', state: 'acknowledged' }));
    await desk.resend(id);
    assert.deepEqual([window.shown, engine.calls], [['information: No prompt to Reviewer was lost. []'], []]);
    engine.simulateReceipt(aReceipt({ id: 'r2', state: 'delivery_unknown' }));
    await desk.resend(id);
    assert.deepEqual(engine.calls, []);
    engine.simulateReceipt(aReceipt({ id: 'r3', state: 'failed' }));
    window.nextAnswers.push('r3');
    await desk.resend(id);
    assert.deepEqual(engine.calls, ['resendPrompt r3']);
  });

  it('say which was sent again, in words, and offer that one no more', async () => {
    const { engine, window, desk } = createFixture();
    engine.simulateReceipt(aReceipt({ id: 'r1', state: 'delivery_unknown', reason: 'ended', resentAs: 'r2' }));
    engine.simulateReceipt(aReceipt({ id: 'r2', state: 'queued' }));
    await desk.resend(id);
    assert.deepEqual([window.shown, engine.calls], [['information: No prompt to Reviewer was lost. []'], []]);
    const receipts = await engine.receipts(id);
    assert.match(
      receiptsText('Reviewer', receipts),
      /delivery unknown, sent again: .*\n.*\n.*\n {4}sent again as r2\n/,
    );
  });

  it('are shown with the actions that are possible, or all as a document', async () => {
    const { engine, window, desk, documents } = createFixture();
    engine.simulateReceipt(aReceipt({ id: 'r1', state: 'failed', reason: 'no_draft' }));
    window.nextAnswers.push('r1', 'resend', 'all');
    await desk.show(id);
    assert.match(
      window.shown.at(-1) ?? '',
      /^choose: failed; the text never appeared in its input box \[Send Again\|Show as a Document\]$/,
    );
    assert.deepEqual(engine.calls, ['resendPrompt r1']);
    await desk.show(id);
    assert.match(documents.open.get('Prompts of Reviewer.txt') ?? '', /^Prompts of Reviewer\n/);
  });

  it('tell in the document every step, what was altered and how often Enter was pressed', () => {
    const t = Date.UTC(2026, 0, 1);
    const text = receiptsText('Reviewer', [
      aReceipt({
        ...{ createdAtMs: t, stateAtMs: t + 900, submitCount: 2, detail: 'hook UserPromptSubmit' },
        steps: { acknowledged: t + 900, queued: t, typing: t + 100 },
        changes: [{ kind: 'line_endings', detail: 'CRLF became LF' }],
      }),
    ]);
    assert.match(text, /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.000 {2}acknowledged by hook: review the last commit\n/);
    assert.match(
      text,
      /altered \(line endings\): CRLF became LF\n {4}the submit key was pressed 2 times\n {4}queued \+0\.0 s, typing \+0\.1 s, acknowledged \+0\.9 s\n/,
    );
  });
});
