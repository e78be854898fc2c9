import { strict as assert } from 'node:assert';
import type { AgentId } from '../../../src/core/agents/agent';
import { Emitter } from '../../../src/core/base/event';
import { silentLogger } from '../../../src/core/base/log';
import { AgentError } from '../../../src/core/agents/agentErrors';
import type { AgentView, FleetPlan, ReturnedAgent } from '../../../src/core/engine';
import { ResumeDesk } from '../../../src/vscode/commands/resumeDesk';
import { returnText } from '../../../src/vscode/commands/resumeText';
import { lossText, restartText } from '../../../src/vscode/commands/lossText';
import { WaitingRound } from '../../../src/vscode/commands/waitingRound';
import { doctorText } from '../../../src/vscode/documents/doctorText';
import { explainText } from '../../../src/vscode/documents/explainText';
import { leftOut, leftOutText } from '../../../src/vscode/fleet/fleetMembers';
import { NeedsYouPresenter } from '../../../src/vscode/notices/needsYouPresenter';
import { OrderedStarts } from '../../../src/vscode/notices/orderedStarts';
import { ResumePresenter, SETTLE_MS } from '../../../src/vscode/notices/resumePresenter';
import { PromptSender } from '../../../src/vscode/prompts/promptSender';
import { anAgentView, aReceipt, FakeEngine } from '../../support/fakeEngine';
import { FakeWatching, FakeWindow } from '../../support/fakeWindow';
import { ManualClock } from '../../support/manualClock';

const an = (id: string, overrides: Partial<AgentView> = {}): AgentView =>
  anAgentView({ id: id as AgentId, name: id.toUpperCase(), ...overrides });

function createFixture() {
  const [engine, window, clock] = [new FakeEngine(), new FakeWindow(), new ManualClock()];
  const sender = new PromptSender({ engine, window, clock, log: silentLogger, tell: () => {} });
  const documents = { show: async () => {}, close: async () => {} };
  const resume = new ResumeDesk({ engine, window, sender, documents });
  return { engine, window, clock, sender, resume };
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

  it('is the only message about those who ended; who fails later is told as ever', async () => {
    const { engine, window, clock } = createFixture();
    const presenter = new ResumePresenter(engine, clock, window, () => 'all', clock.nowMs());
    const covers = (agent: AgentView): boolean => presenter.covers(agent);
    new NeedsYouPresenter(
      engine,
      clock,
      window,
      () => 'all',
      new FakeWatching(),
      () => false,
      async () => {},
      { covers, onDidTell: new Emitter<string>(() => {}).event, starts: new OrderedStarts(() => {}) },
    );
    const fail = (id: string, changes: Partial<AgentView> = {}): void =>
      engine.simulateAgent(gone(id, clock.nowMs(), { needsYou: 'failed', exit: { code: 1 }, ...changes }));
    fail('a');
    engine.simulateReady();
    fail('b');
    fail('alone', { desired: 'stopped' }); // nobody offers to bring it back
    await clock.advanceMs(SETTLE_MS * 3);
    assert.deepEqual(window.shown, [
      'warning: ALONE: failed with exit code 1. [Go to Agent]',
      'information: 2 agents ended while VS Code was away. [Resume Fleet]',
    ]);
    engine.simulateAgent(an('a'));
    fail('a');
    fail('c');
    await clock.advanceMs(SETTLE_MS);
    assert.deepEqual(window.shown.slice(2), [
      'warning: 2 agents wait for you: A (failed with exit code 1), C (failed with exit code 1). [Go to Next]',
    ]);
  });

  it('is quiet when all is well, and in a window that watched', async () => {
    for (const kind of ['ready', 'following'] as const) {
      const { engine, window, clock } = createFixture();
      new ResumePresenter(engine, clock, window, () => 'all', clock.nowMs());
      if (kind === 'following')
        engine.simulateStatus({ kind, ownerPid: 1, isOwnerResponding: true, isConnected: true });
      engine.simulateAgent(kind === 'following' ? gone('a', clock.nowMs()) : an('a'));
      await clock.advanceMs(60_000);
      engine.simulateReady();
      await clock.advanceMs(SETTLE_MS);
      assert.deepEqual(window.shown, []);
    }
  });

  it('speaks in a window that only waited until the host without a window made way', async () => {
    const { engine, window, clock } = createFixture();
    new ResumePresenter(engine, clock, window, () => 'all', clock.nowMs());
    engine.simulateStatus({ kind: 'following', ownerPid: 1, isOwnerResponding: true, isConnected: true });
    engine.simulateAgent(gone('a', clock.nowMs()));
    await clock.advanceMs(2_000);
    engine.simulateReady();
    await clock.advanceMs(SETTLE_MS);
    assert.deepEqual(window.shown, ['information: 1 agent ended while VS Code was away. [Resume Fleet]']);
  });
});

describe('resuming a conversation', () => {
  const a = 'a' as AgentId;
  const lostPrompts = [
    aReceipt({ id: 'r2', agentId: a, state: 'delivery_unknown', createdAtMs: 2, excerpt: 'second' }),
    aReceipt({ id: 'r1', agentId: a, state: 'failed', reason: 'ended', createdAtMs: 1, excerpt: 'first' }),
  ];
  const losses = ['The answer is lost.', 'A question is not asked again.'];
  const report = { sessionId: 's', losses, lostPrompts };

  function createDesk() {
    const fixture = createFixture();
    const documents: string[] = [];
    const show = async (name: string, text: string): Promise<void> => void documents.push(name, text);
    const desk = new ResumeDesk({ ...fixture, documents: { show, close: async () => {} } });
    fixture.engine.simulateAgent(an('a'));
    for (const receipt of lostPrompts) fixture.engine.simulateReceipt(receipt);
    return { ...fixture, desk, documents };
  }

  it('says what was lost; what certainly did not arrive is picked to be sent again, the rest is not', async () => {
    const { engine, window, desk } = createDesk();
    engine.simulateAgent(an('a', { lifecycle: 'failed', isResumable: true }));
    engine.resumed = report;
    window.answer = 'Send Again…';
    await desk.resume(a);
    assert.deepEqual(window.shown, [
      'progress: Resuming the conversation of A',
      'information: A is back in its conversation. Its last answer was interrupted. 1 prompt did not arrive, 1 may not have. [Send Again…|Show|Attach]',
      'chooseMany: Send Again [*first|second]',
    ]);
    assert.deepEqual(engine.calls, ['resumeSession a', 'resendPrompt r1 (queue)']);
  });

  it('what may have arrived is sent again where a person picks it, oldest first, and is not called lost', async () => {
    const { engine, window, desk } = createDesk();
    engine.resumed = report;
    window.answer = 'Send Again…';
    window.chooseMany = async (_question, _hint, choices) => choices.map(({ id }) => id);
    await desk.resume(a);
    assert.deepEqual(engine.calls, ['resumeSession a', 'resendPrompt r1 (queue)', 'resendPrompt r2 (queue)']);
  });

  const interruptedPrompt = aReceipt({
    id: 'r3',
    agentId: a,
    state: 'acknowledged',
    evidence: 'hook',
    excerpt: 'long',
  });

  it('R7 offers the prompt of an interrupted turn as a second time, and never picks it', async () => {
    const { engine, window, desk } = createDesk();
    engine.simulateReceipt(interruptedPrompt);
    engine.resumed = { ...report, interruptedPrompt };
    window.answer = 'Send Again…';
    const details: (string | undefined)[] = [];
    const answers = [['r1'], ['r3', 'r2']];
    window.chooseMany = async (_question, _hint, choices) => {
      details.push(...choices.filter(({ isPicked }) => !isPicked).map(({ id, detail }) => `${id}: ${detail}`));
      return answers.shift();
    };
    await desk.resume(a);
    assert.equal(
      details[0],
      'r3: The turn was interrupted; the conversation has this prompt already: send it a second time',
    );
    await desk.resume(a);
    assert.deepEqual(engine.calls, [
      ...['resumeSession a', 'resendPrompt r1 (queue)'],
      ...['resumeSession a', 'resendPrompt r3 (queue)', 'resendPrompt r2 (queue)'],
    ]);
  });

  it('offers it where nothing else was lost, and has it in the document', async () => {
    const { engine, window, desk, documents } = createDesk();
    engine.resumed = { sessionId: 's', losses, lostPrompts: [], interruptedPrompt };
    window.answer = 'Show';
    await desk.resume(a);
    assert.match(window.shown.at(-1) ?? '', /Its last answer was interrupted\. \[Send Again…\|Show\|Attach\]$/);
    assert.match(
      documents[1] ?? '',
      /\n {4}The turn was interrupted; the conversation has this prompt already: long\n/,
    );
  });

  it('says nothing when nothing was lost', async () => {
    const { window, desk } = createDesk();
    await desk.resume(a);
    assert.deepEqual(window.shown, ['progress: Resuming the conversation of A']);
  });

  it('tells of a whole fleet in one message, and everything in one document', async () => {
    const { window, desk, documents } = createDesk();
    window.answer = 'Show';
    const returned = [
      { agentId: a, name: 'A', report },
      { agentId: 'b' as AgentId, name: 'B', report: { sessionId: 't', losses: [], lostPrompts: [] } },
      { agentId: 'c' as AgentId, name: 'C' },
    ];
    const failed = [{ name: 'D', error: new AgentError('agent.folderMissing', '/gone') }];
    await desk.tellFleet({ succeeded: ['A', 'B', 'C'], skipped: [], failed, isCanceled: false, returned });
    assert.equal(window.shown.length, 1);
    assert.match(
      window.shown[0] ?? '',
      /^error: 3 agents are back, 2 in their conversation, 1 started anew\. Interrupted in an answer: A\. 1 prompt did not arrive, 1 may not have\. D was not brought back: .* \[Send Again…\|Show\|Show Log\]$/,
    );
    const [name, text = ''] = documents;
    assert.equal(name, 'Brought Back.txt');
    for (const line of [
      'A: goes on with its conversation s',
      '    The answer is lost.',
      '    A question is not asked again.',
      '    This prompt may not have arrived: second',
      '    This prompt did not arrive (the agent ended): first',
      'B: goes on with its conversation t',
      'C: was started anew',
      'D: was not brought back',
    ])
      assert.ok(text.split('\n').includes(line), `${line} is missing in ${text}`);
  });

  it('is short when all are back as they were', () => {
    const back = (name: string, isResumed: boolean): ReturnedAgent => ({
      agentId: name as AgentId,
      name,
      ...(isResumed && { report: { sessionId: 's', losses: [], lostPrompts: [] } }),
    });
    assert.equal(returnText([back('A', true)]), 'A is back in its conversation.');
    assert.equal(returnText([back('A', false)]), 'A was started anew.');
    assert.equal(returnText([back('A', true), back('B', true)]), '2 agents are back, each in its conversation.');
    assert.equal(returnText([back('A', false), back('B', false)]), '2 agents are back, started anew.');
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

describe('what is said before a restart', () => {
  it('names the agents whose first prompt is sent again', () => {
    const agents = [an('a', { hasFirstPrompt: true }), an('b', {}), undefined];
    assert.equal(restartText(agents), ' A restart of A begins a new conversation and sends its first prompt again.');
    assert.equal(
      restartText([...agents, an('c', { hasFirstPrompt: true })]),
      ' A restart of A, C begins new conversations and sends their first prompts again.',
    );
    assert.equal(restartText([an('b', {})]), '');
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

  const member = (id: string, overrides: Partial<AgentView> = {}): AgentView =>
    an(id, { fleetName: id.toUpperCase(), ...overrides });

  it('are told from those a person started', () => {
    const agents = [member('a'), member('b'), an('own')];
    assert.deepEqual(leftOut(plan('A', 'B'), agents), []);
    assert.deepEqual(leftOut(plan('A'), agents).map(({ id }) => id), ['b']); // prettier-ignore
    assert.equal(leftOutText([an('b')]), 'B is not in the fleet file any more. It stays until you remove it.');
  });

  it('are known by the entry they were started for, not by a name that two may have', () => {
    const agents = [an('mine', { name: 'A' }), member('a', { name: 'Renamed' }), member('b', { name: 'A2' })];
    assert.deepEqual(leftOut(plan('B'), agents).map(({ id }) => id), ['a'], 'not the one a person called so'); // prettier-ignore
    assert.deepEqual(leftOut(plan('Renamed', 'A2'), agents).map(({ id }) => id), ['a', 'b']); // prettier-ignore
    assert.deepEqual(leftOut(plan('a', 'b'), agents), [], 'whatever the case');
    assert.deepEqual(leftOut(plan(), agents).map(({ id }) => id), ['a', 'b']); // prettier-ignore
  });
});

describe('reports about states and types', () => {
  const NOW = Date.UTC(2026, 0, 2);

  it('say of evidence of an agent that does not live what it is evidence of', () => {
    const dead = { lifecycle: 'failed', activity: 'unknown' } as const;
    const signal = { source: 'exit_file', activity: 'unknown', detail: 'ended: code 3', observedAtMs: NOW, weight: 'decides' } as const; // prettier-ignore
    const explanation = { agentId: 'a' as AgentId, ...dead, sinceMs: NOW, degraded: [], conclusion: 'so', signals: [signal] }; // prettier-ignore
    const text = explainText(an('a', { ...dead, exit: { code: 3 } }), explanation, NOW);
    assert.match(text, /\ndecides: exit code says "failed with exit code 3"\n {4}ended: code 3\n/);
  });

  it('S6 show the evidence as text, each piece on its own lines', () => {
    const text = explainText(
      an('a', {
        activity: 'busy',
        degraded: ['no hooks'],
        conditions: [{ type: 'Deliverable', status: 'true', reason: 'busy', lastTransitionMs: NOW - 60_000 }],
      }),
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
    assert.match(text, /^Why A is "working" \(busy\)\n\nthe newest hook says so\n/);
    assert.match(
      text,
      /\ndecides: the agent itself says "working" \(busy\)\n {4}PreToolUse\n {4}\d{4}-\d\d-\d\d \d\d:59:00\.000 \(1 minute ago\)\n/,
    );
    assert.match(text, /\noutranked by a stronger source: screen says "idle"\n {4}evil ## decides: person\n/);
    assert.match(text, /\nConditions:\n {4}Deliverable: true \(busy\), since \d{4}-\d\d-\d\d \d\d:59:00\.000\n/);
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
      /## codex\n\n- program version: 0\.170\.0\n- its screens and hooks were seen on: 0\.169\.0\n- degraded or not checked: 1 of 2 checks\n/,
    );
    assert.match(text, /- WARNING \| hooks: none came\n {2}- Update the program\.\n- ok \| starts: in 0\.3 s\n/);
    assert.match(text, /## aider\n\nNot checked: not found\n$/);
  });

  it('say plainly that no version is checked for a type', () => {
    const report = { typeId: 'demo', knownVersions: [], checks: [] };
    assert.match(doctorText([report], []), /## demo\n\n- no version is checked for this type\n- nothing is degraded\n/);
    const shell = { ...report, programVersion: '5.2' };
    assert.match(doctorText([shell], []), /\n- program version: 5\.2\n- no version is checked for this type\n/);
  });
});
