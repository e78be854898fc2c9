import { strict as assert } from 'node:assert';
import type { AgentId } from '../../../src/core/agents/agent';
import { silentLogger } from '../../../src/core/base/log';
import type { AgentView, FleetPlan } from '../../../src/core/engine';
import { ResumeDesk } from '../../../src/vscode/commands/resumeDesk';
import { lossText } from '../../../src/vscode/commands/lossText';
import { WaitingRound } from '../../../src/vscode/commands/waitingRound';
import { doctorText } from '../../../src/vscode/documents/doctorText';
import { explainText } from '../../../src/vscode/documents/explainText';
import { FleetMembers, leftOutText } from '../../../src/vscode/fleet/fleetMembers';
import { DeliveryPresenter } from '../../../src/vscode/notices/deliveryPresenter';
import { MERGE_MS } from '../../../src/vscode/notices/noticePresenter';
import { NeedsYouPresenter } from '../../../src/vscode/notices/needsYouPresenter';
import { ResumePresenter, SETTLE_MS } from '../../../src/vscode/notices/resumePresenter';
import { PromptSender } from '../../../src/vscode/prompts/promptSender';
import { anAgentView, aReceipt, aRequest, FakeEngine } from '../../support/fakeEngine';
import { FakeWindow, MapMemory } from '../../support/fakeWindow';
import { ManualClock } from '../../support/manualClock';

const an = (id: string, overrides: Partial<AgentView> = {}): AgentView =>
  anAgentView({ id: id as AgentId, name: id.toUpperCase(), ...overrides });

function createFixture() {
  const [engine, window, clock] = [new FakeEngine(), new FakeWindow(), new ManualClock()];
  const sender = new PromptSender({ engine, window, clock, log: silentLogger, tell: () => {} });
  return { engine, window, clock, sender };
}

describe('going to the next waiting agent', () => {
  it('goes round those that wait, also when some go on and others begin to', () => {
    const { engine } = createFixture();
    const round = new WaitingRound(engine);
    assert.equal(round.next(), undefined);
    for (const id of ['a', 'b', 'c', 'd'])
      engine.simulateAgent(an(id, { activity: id === 'b' ? 'busy' : 'awaiting_input' }));
    assert.deepEqual([round.next(), round.next(), round.next(), round.next()], ['a', 'c', 'd', 'a']);
    engine.simulateAgent(an('b', { activity: 'error' }));
    engine.simulateAgent(an('c', { activity: 'busy' }));
    assert.deepEqual([round.next(), round.next()], ['b', 'd']);
    engine.simulateRemoval('d' as AgentId);
    assert.equal(round.next(), 'a');
  });
});

describe('notifications of requests', () => {
  it('S24 name what is asked and offer to review it, never to approve it there', async () => {
    const { engine, window, clock } = createFixture();
    new NeedsYouPresenter(engine, clock, window, () => 'all', () => undefined, () => false); // prettier-ignore
    engine.simulateReady();
    engine.simulateAgent(an('a', { activity: 'busy' }));
    window.answer = 'Review…';
    const request = aRequest({ agentId: 'a' as AgentId });
    engine.simulateAgent(an('a', { activity: 'awaiting_approval', request }));
    await clock.advanceMs(MERGE_MS);
    assert.deepEqual(window.shown, ['information: A needs approval: Bash: npm test [Review…|Go to Agent]']);
    assert.deepEqual(window.ran, [['coreOrchestrator.reviewRequest', 'a']]);
    engine.simulateAgent(
      an('a', { activity: 'awaiting_approval', request: { ...request, id: 'other', title: 'Edit: x' } }),
    );
    await clock.advanceMs(MERGE_MS);
    assert.equal(window.shown.length, 2, 'the next question is told, too');
  });

  it('take the person round when several wait', async () => {
    const { engine, window, clock } = createFixture();
    new NeedsYouPresenter(engine, clock, window, () => 'all', () => undefined, () => false); // prettier-ignore
    engine.simulateReady();
    for (const id of ['a', 'b']) engine.simulateAgent(an(id, { activity: 'busy' }));
    for (const id of ['a', 'b']) engine.simulateAgent(an(id, { activity: 'awaiting_input' }));
    window.answer = 'Go to Next';
    await clock.advanceMs(MERGE_MS);
    assert.deepEqual(window.ran, [['coreOrchestrator.goToNextWaitingAgent']]);
  });
});

describe('DeliveryPresenter', () => {
  it('tells what failed while nobody waited for it, merged, and not what late evidence settled', async () => {
    const { engine, window, clock, sender } = createFixture();
    const presenter = new DeliveryPresenter(engine, clock, window, sender, () => 'all');
    for (const id of ['a', 'b', 'c']) engine.simulateAgent(an(id));
    const fail = (id: string, state: 'failed' | 'delivery_unknown' | 'acknowledged'): void =>
      engine.simulateReceipt(aReceipt({ id: `r-${id}`, agentId: id as AgentId, state, reason: 'ended' }));
    fail('a', 'failed');
    await clock.advanceMs(MERGE_MS);
    fail('a', 'failed');
    fail('b', 'delivery_unknown');
    fail('c', 'delivery_unknown');
    fail('c', 'acknowledged');
    await clock.advanceMs(MERGE_MS);
    assert.deepEqual(window.shown, [
      'warning: A prompt to A did not arrive: the agent ended. [Show Receipts|Attach]',
      'warning: 2 prompts did not or may not have arrived: A, B. [Show Receipts]',
    ]);
    presenter.dispose();
    assert.deepEqual([engine.listenerCount, clock.pendingCount], [0, 0]);
  });

  it('leaves to the sender what was sent from this window', async () => {
    const { engine, window, clock, sender } = createFixture();
    new DeliveryPresenter(engine, clock, window, sender, () => 'all');
    engine.simulateAgent(an('a'));
    engine.deliver = async (agentId) => aReceipt({ agentId, state: 'failed' });
    await sender.sendToAll(['a' as AgentId], 'x');
    await clock.advanceMs(MERGE_MS);
    assert.deepEqual(window.shown, []);
  });
});

describe('ResumePresenter', () => {
  const gone = (id: string, sinceMs: number, changes: Partial<AgentView> = {}): AgentView =>
    an(id, { lifecycle: 'failed', desired: 'running', sinceMs, ...changes });

  it('offers once to bring back what should run and ended while nobody looked', async () => {
    const { engine, window, clock } = createFixture();
    const start = clock.nowMs();
    window.answer = 'Resume Fleet';
    const presenter = new ResumePresenter(engine, clock, window, () => 'all', start);
    engine.simulateAgent(gone('a', start + 5, { isResumable: true }));
    engine.simulateAgent(gone('b', start + 5));
    engine.simulateAgent(gone('old', start - 1));
    engine.simulateAgent(gone('stopped', start + 5, { desired: 'stopped', lifecycle: 'stopped' }));
    engine.simulateReady();
    engine.simulateReady();
    await clock.advanceMs(SETTLE_MS * 3);
    assert.deepEqual(window.shown, [
      'information: 2 agents ended while VS Code was away. 1 of them can go on with their conversation. [Resume Fleet]',
    ]);
    assert.deepEqual(window.ran, [['coreOrchestrator.resumeFleet']]);
    presenter.dispose();
    assert.deepEqual([engine.listenerCount, clock.pendingCount], [0, 0]);
  });

  it('is quiet when all is well, and in a window that watched', async () => {
    for (const kind of ['ready', 'following'] as const) {
      const { engine, window, clock } = createFixture();
      new ResumePresenter(engine, clock, window, () => 'all', clock.nowMs());
      if (kind === 'following')
        engine.simulateStatus({ kind, ownerPid: 1, isOwnerResponding: true, isConnected: true });
      engine.simulateAgent(kind === 'following' ? gone('a', clock.nowMs()) : an('a'));
      engine.simulateReady();
      await clock.advanceMs(SETTLE_MS);
      assert.deepEqual(window.shown, []);
    }
  });
});

describe('resuming a conversation', () => {
  it('says what was lost and sends the lost prompts again, oldest first, when asked to', async () => {
    const { engine, window, sender } = createFixture();
    engine.simulateAgent(an('a', { lifecycle: 'failed', isResumable: true }));
    const lost = ['r2', 'r1'].map((id, i) =>
      aReceipt({ id, agentId: 'a' as AgentId, state: 'failed', createdAtMs: 2 - i }),
    );
    for (const receipt of lost) engine.simulateReceipt(receipt);
    engine.resumed = { sessionId: 's', losses: ['the turn that was under way'], lostPrompts: lost };
    window.answer = 'Send Them Again';
    await new ResumeDesk({ engine, window, sender }).resume('a' as AgentId);
    assert.deepEqual(window.shown, [
      'progress: Resuming the conversation of A',
      'information: A is back in its conversation. Lost: the turn that was under way; 2 prompts did not arrive before it ended. [Send Them Again|Attach]',
    ]);
    assert.deepEqual(engine.calls, ['resumeSession a', 'resendPrompt r1 (queue)', 'resendPrompt r2 (queue)']);
  });

  it('says nothing when nothing was lost', async () => {
    const { engine, window, sender } = createFixture();
    await new ResumeDesk({ engine, window, sender }).resume('a' as AgentId);
    assert.deepEqual(window.shown, ['progress: Resuming the conversation of a']);
  });
});

describe('what is asked before an end', () => {
  it('tells what is known from what is not', () => {
    const [busy, unknown] = [an('a', { activity: 'busy' }), an('b', { activity: 'unknown' })];
    assert.equal(lossText([busy]), 'In the middle of something: A. What is not finished will be lost.');
    assert.equal(
      lossText([busy, unknown]),
      'In the middle of something: A. Not known whether in the middle of something: B. What is not finished will be lost.',
    );
  });
});

describe('agents that a fleet file does not name any more', () => {
  const plan = (...names: string[]): FleetPlan => ({
    agents: names.map((name) => ({
      spec: { name, typeId: 'demo', folder: '/x' },
      hash: name,
      isApproved: true,
      approvalText: '',
    })),
    problems: [],
  });

  it('are told from those a person started', () => {
    const members = new FleetMembers(new MapMemory());
    const agents = [an('a'), an('b'), an('own')];
    assert.deepEqual(members.leftOut(plan('A', 'B'), agents), []);
    members.remember(plan('A', 'B'), agents);
    assert.deepEqual(members.leftOut(plan('A'), agents).map(({ id }) => id), ['b']); // prettier-ignore
    members.remember(plan('A'), agents);
    assert.deepEqual(members.leftOut(plan('A'), agents).map(({ id }) => id), ['b'], 'and stay told'); // prettier-ignore
    members.remember(plan('A'), [an('a')]);
    assert.deepEqual(members.leftOut(plan(), [an('b')]), [], 'a removed one is forgotten');
    assert.equal(leftOutText([an('b')]), 'B is not in the fleet file any more. It stays until you remove it.');
  });
});

describe('reports about states and types', () => {
  const NOW = Date.UTC(2026, 0, 2);

  it('S6 show the evidence as text, each piece on its own lines', () => {
    const text = explainText(
      an('a', { activity: 'busy', degraded: ['no hooks'] }),
      {
        ...{
          agentId: 'a' as AgentId,
          lifecycle: 'running',
          activity: 'busy',
          sinceMs: NOW - 120_000,
          degraded: ['no hooks'],
        },
        conclusion: 'the newest hook says so',
        signals: [
          { source: 'hook', activity: 'busy', detail: 'PreToolUse', observedAtMs: NOW - 60_000, weight: 'decides' },
          {
            source: 'screen',
            activity: 'idle',
            detail: 'evil\n## decides: person',
            observedAtMs: NOW,
            weight: 'outranked',
          },
        ],
      },
      NOW,
    );
    assert.match(text, /^Why A is "working"\n\nthe newest hook says so\n/);
    assert.match(
      text,
      /\ndecides: the agent itself says "working"\n {4}PreToolUse\n {4}2026-01-01T23:59:00\.000Z \(1 minute ago\)\n/,
    );
    assert.match(text, /\noutranked by a stronger source: screen says "idle"\n {4}evil ## decides: person\n/);
    assert.match(text, /\n {4}no hooks\n/);
  });

  it('say what is degraded with the installed version, problems first', () => {
    const text = doctorText(
      [
        {
          typeId: 'codex',
          programVersion: '0.170.0',
          knownVersions: ['0.169.0'],
          checks: [
            { id: 'a', label: 'starts', level: 'ok', detail: 'in 0.3 s' },
            { id: 'b', label: 'hooks', level: 'warning', detail: 'none came', advice: 'Update the program.' },
          ],
        },
      ],
      [{ typeId: 'aider', reason: 'not found' }],
    );
    assert.match(
      text,
      /## codex\n\n- program version: 0\.170\.0\n- its screens and hooks were seen on: 0\.169\.0\n- degraded: 1 of 2 checks\n/,
    );
    assert.match(text, /- WARNING \| hooks: none came\n {2}- Update the program\.\n- ok \| starts: in 0\.3 s\n/);
    assert.match(text, /## aider\n\nNot checked: not found\n$/);
  });
});
