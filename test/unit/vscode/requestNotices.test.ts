import { strict as assert } from 'node:assert';
import type { AgentId } from '../../../src/core/agents/agent';
import { AgentError } from '../../../src/core/agents/agentErrors';
import type { PermissionRequest } from '../../../src/core/agents/permissionRequest';
import type { AgentView } from '../../../src/core/engine';
import { ApprovalDesk } from '../../../src/vscode/approvals/approvalDesk';
import { MERGE_MS } from '../../../src/vscode/notices/mergeTimer';
import { NeedsYouPresenter, READ_MS } from '../../../src/vscode/notices/needsYouPresenter';
import { wholeRequest } from '../../../src/vscode/notices/requestNotice';
import { anAgentView, aRequest, FakeEngine } from '../../support/fakeEngine';
import { FakeDocuments, FakeWatching, FakeWindow } from '../../support/fakeWindow';
import { ManualClock } from '../../support/manualClock';

const an = (id: string, overrides: Partial<AgentView> = {}): AgentView =>
  anAgentView({ id: id as AgentId, name: id.toUpperCase(), ...overrides });

function createFixture() {
  return { engine: new FakeEngine(), window: new FakeWindow(), clock: new ManualClock() };
}

describe('notifications of requests', () => {
  function createAsked() {
    const { engine, window, clock } = createFixture();
    const documents = new FakeDocuments();
    const desk = new ApprovalDesk({ engine, clock, window, documents });
    const answer = desk.answer.bind(desk);
    const presenter = new NeedsYouPresenter(engine, clock, window, () => 'all', new FakeWatching(), () => false, answer); // prettier-ignore
    engine.simulateReady();
    const ask = async (changes: Partial<PermissionRequest>, view: Partial<AgentView> = {}): Promise<void> => {
      engine.simulateAgent(an('a', { activity: 'busy' }));
      const request = aRequest({ agentId: 'a' as AgentId, ...changes });
      engine.simulateAgent(an('a', { activity: 'awaiting_approval', request, ...view }));
      await clock.advanceMs(MERGE_MS);
    };
    /** The person presses it so many ms after it was shown, and `meanwhile` happens before. */
    const pressing = (button: string, afterMs: number, meanwhile: () => void = () => {}): void => {
      const show = window.show.bind(window);
      window.show = async (severity, text, buttons) => {
        await show(severity, text, buttons);
        if (!buttons.includes(button)) return undefined;
        await new Promise<void>((resolve) => clock.setTimer(afterMs, resolve));
        meanwhile();
        return button;
      };
    };
    return { engine, window, clock, presenter, ask, pressing };
  }

  it('S24 offer to approve where the whole request stands in the message, and answer that very one', async () => {
    const { engine, window, clock, presenter, ask, pressing } = createAsked();
    pressing('Approve', READ_MS);
    await ask({ id: 'q1' });
    await clock.advanceMs(READ_MS);
    assert.deepEqual(window.shown, ['information: A needs approval: Bash: npm test [Review…|Approve|Deny]']);
    assert.deepEqual([engine.calls, window.ran], [['answerRequest a q1 allow'], []]);
    presenter.dispose();
    assert.deepEqual([engine.listenerCount, clock.pendingCount], [0, 0]);
  });

  it('S24 answer the request in the message, also when another one is open by then', async () => {
    const { engine, clock, ask, pressing } = createAsked();
    const other = aRequest({ agentId: 'a' as AgentId, id: 'q2', title: 'Bash: rm -rf /', detail: 'rm -rf /' });
    pressing('Approve', 60_000, () => engine.simulateAgent(an('a', { activity: 'awaiting_approval', request: other })));
    await ask({ id: 'q1' });
    await clock.advanceMs(60_000);
    assert.deepEqual(engine.calls, ['answerRequest a q1 allow']);
  });

  it('S24 say so, and answer nothing, when that request is over', async () => {
    const { engine, window, clock, ask, pressing } = createAsked();
    pressing('Approve', READ_MS, () => engine.simulateAgent(an('a', { activity: 'busy' })));
    engine.failWith(new AgentError('agent.requestGone', 'over', { agentId: 'a' }));
    await ask({});
    await clock.advanceMs(READ_MS);
    assert.equal(window.shown.at(-1), 'warning: A asks nothing any more. Nothing was answered. []');
  });

  it('S24 take a click in the first moment, meant for what stood there before, to the complete request', async () => {
    const { engine, window, clock, ask, pressing } = createAsked();
    pressing('Approve', READ_MS - 1);
    await ask({});
    await clock.advanceMs(READ_MS);
    assert.deepEqual([engine.calls, window.ran], [[], [['coreOrchestrator.reviewRequest', 'a']]]);
  });

  it('deny from every message about a request that can be denied', async () => {
    const { engine, clock, ask, pressing } = createAsked();
    pressing('Deny', 0);
    await ask({ id: 'q1' });
    await ask({ id: 'q2', detail: 'x'.repeat(5000) });
    await clock.advanceMs(1);
    assert.deepEqual(engine.calls, ['answerRequest a q1 deny', 'answerRequest a q2 deny']);
  });

  it('S24 show several lines as one with a sign between them', () => {
    assert.equal(
      wholeRequest(aRequest({ detail: 'npm test\ndescription: Run the tests' })),
      'Bash: npm test ⏎ description: Run the tests',
    );
    assert.equal(wholeRequest(aRequest({ tool: 'mcp__x', title: 'mcp__x', detail: 'a: 1' })), 'mcp__x ⏎ a: 1');
    assert.equal(wholeRequest(aRequest({ title: 'Run it', detail: 'npm test' })), 'Bash ⏎ Run it ⏎ npm test');
    assert.equal(
      wholeRequest(aRequest({ title: 'Run it?', detail: 'Run it?\nYes · No' })),
      'Bash ⏎ Run it? ⏎ Yes · No',
    );
  });

  it('S24 never offer to approve what is not completely and exactly in the message', async () => {
    const { window, ask } = createAsked();
    const hidden: readonly string[] = [
      'x'.repeat(201),
      'a  b',
      ' a',
      'a ',
      'a\n\nb',
      'a\tb',
      'a\rb',
      'a\u200bb',
      'a\u00a0b',
      'a\u00adb',
      'a\u202eb',
      'a ⏎ b',
      'аpt', // prettier-ignore
      'e\u0301',
      'א',
      'a…',
      'a\u2028b',
      'echo [x](command:y)',
      'curl -H "Authorization: Bearer sk-ant-api03-abcdefghijklmnopqrstuvwxyz"', // prettier-ignore
    ];
    for (const detail of hidden) await ask({ title: 'Bash', detail });
    await ask({ isCut: true });
    await ask({ canAllow: false });
    assert.equal(window.shown.length, hidden.length + 2);
    for (const shown of window.shown) assert.match(shown, / \[Review…\|Deny\|Go to Agent\]$/);
    await ask({ door: 'none' });
    await ask({}, { isManagedElsewhere: true });
    for (const shown of window.shown.slice(-2)) assert.match(shown, / \[Review…\|Go to Agent\]$/);
  });

  it('lead to the complete request, and tell the next question, too', async () => {
    const { engine, window, clock } = createAsked();
    engine.simulateAgent(an('a', { activity: 'busy' }));
    window.answer = 'Review…';
    const request = aRequest({ agentId: 'a' as AgentId });
    engine.simulateAgent(an('a', { activity: 'awaiting_approval', request }));
    await clock.advanceMs(MERGE_MS);
    assert.deepEqual(window.ran, [['coreOrchestrator.reviewRequest', 'a']]);
    engine.simulateAgent(
      an('a', { activity: 'awaiting_approval', request: { ...request, id: 'other', title: 'Edit: x' } }),
    );
    await clock.advanceMs(MERGE_MS);
    assert.equal(window.shown.length, 2, 'the next question is told, too');
  });

  it('take the person round when several wait', async () => {
    const { engine, window, clock } = createFixture();
    new NeedsYouPresenter(engine, clock, window, () => 'all', new FakeWatching(), () => false, async () => {}); // prettier-ignore
    engine.simulateReady();
    for (const id of ['a', 'b']) engine.simulateAgent(an(id, { activity: 'busy' }));
    for (const id of ['a', 'b']) engine.simulateAgent(an(id, { activity: 'awaiting_input' }));
    window.answer = 'Go to Next';
    await clock.advanceMs(MERGE_MS);
    assert.deepEqual(window.ran, [['coreOrchestrator.goToNextWaitingAgent']]);
  });
});
