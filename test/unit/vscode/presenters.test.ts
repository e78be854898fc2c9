import { strict as assert } from 'node:assert';
import type { AgentId } from '../../../src/core/agents/agent';
import type { AlertNotice } from '../../../src/core/monitoring/alertSink';
import { NeedsYouPresenter } from '../../../src/vscode/notices/needsYouPresenter';
import { MERGE_MS, MUTED_KEY, NoticePresenter, resetMutedNotices } from '../../../src/vscode/notices/noticePresenter';
import type { NotificationLevel } from '../../../src/vscode/settings';
import { anAgentView, FakeEngine } from '../../support/fakeEngine';
import { FakeWindow, MapMemory } from '../../support/fakeWindow';
import { ManualClock } from '../../support/manualClock';

function aNotice(overrides: Partial<AlertNotice> = {}): AlertNotice {
  return {
    fingerprint: 'agent.quarantined:a',
    level: 'error',
    title: 'A is quarantined.',
    detail: 'It failed 6 times.',
    ...(overrides.fingerprint?.startsWith('store.') ? {} : { agentId: 'a' }),
    atMs: 0,
    ...overrides,
  };
}

describe('NoticePresenter', () => {
  function createFixture(level: NotificationLevel = 'all') {
    const [engine, clock, window, memory] = [new FakeEngine(), new ManualClock(), new FakeWindow(), new MapMemory()];
    const make = (): NoticePresenter => new NoticePresenter(engine, clock, window, memory, () => level);
    return { engine, clock, window, memory, make };
  }

  it('shows one message for notices of one kind that come together', async () => {
    const { engine, clock, window, make } = createFixture();
    make();
    engine.simulateNotice(aNotice());
    engine.simulateNotice(aNotice({ fingerprint: 'agent.quarantined:b', title: 'B is quarantined.', agentId: 'b' }));
    await clock.advanceMs(MERGE_MS);
    assert.deepEqual(window.shown, [
      "warning: A is quarantined. It failed 6 times. And 1 more like this. [Go to Agent|Show Log|Don't Show Again]",
    ]);
  });

  it('waits for the window to be looked at, and forgets what is over by then', async () => {
    const { engine, clock, window, make } = createFixture();
    window.simulateFocus(false);
    make();
    engine.simulateNotice(aNotice());
    engine.simulateNotice(aNotice({ fingerprint: 'store.readOnly', title: 'Read-only.', detail: '' }));
    await clock.advanceMs(10 * MERGE_MS);
    engine.simulateResolved('agent.quarantined:a');
    window.simulateFocus(true);
    await clock.advanceMs(MERGE_MS);
    assert.equal(window.shown.length, 1);
    assert.match(window.shown[0] ?? '', /^error: Read-only\./);
  });

  it('does not show a kind again when told so', async () => {
    const { engine, clock, window, memory, make } = createFixture();
    window.answer = "Don't Show Again";
    make();
    engine.simulateNotice(aNotice());
    await clock.advanceMs(MERGE_MS);
    engine.simulateNotice(aNotice({ fingerprint: 'agent.quarantined:b' }));
    await clock.advanceMs(MERGE_MS);
    assert.equal(window.shown.length, 1);
    assert.deepEqual(memory.get(MUTED_KEY), ['agent.quarantined']);
  });

  it('cannot be told to keep quiet about what threatens data', async () => {
    const { engine, clock, window, memory, make } = createFixture();
    memory.set(MUTED_KEY, ['store.corrupt']); // muted while its notices were not critical
    make();
    engine.simulateNotice(aNotice({ fingerprint: 'store.corrupt', level: 'critical', title: 'Damaged.', detail: '' }));
    await clock.advanceMs(MERGE_MS);
    assert.equal(window.shown.length, 1);
    assert.doesNotMatch(window.shown[0] ?? '', /Don't Show Again/);
  });

  it('shows muted kinds again when asked to', async () => {
    const { engine, clock, window, memory, make } = createFixture();
    window.answer = "Don't Show Again";
    make();
    engine.simulateNotice(aNotice());
    await clock.advanceMs(MERGE_MS);
    assert.equal(resetMutedNotices(memory), 'One kind of notice is shown again.');
    assert.equal(resetMutedNotices(memory), 'No notices were muted.');
    engine.simulateNotice(aNotice({ fingerprint: 'agent.quarantined:b' }));
    await clock.advanceMs(MERGE_MS);
    assert.equal(window.shown.length, 2);
  });

  it('attaches to the one agent it is about', async () => {
    const { engine, clock, window, make } = createFixture();
    window.answer = 'Go to Agent';
    make();
    engine.simulateNotice(aNotice());
    await clock.advanceMs(MERGE_MS);
    assert.deepEqual(window.ran, [['coreOrchestrator.attachAgent', 'a']]);
  });

  it('says only what threatens data when notifications are off', async () => {
    const { engine, clock, window, make } = createFixture('none');
    make();
    engine.simulateNotice(aNotice());
    engine.simulateNotice(aNotice({ fingerprint: 'store.corrupt', level: 'critical', title: 'Damaged.', detail: '' }));
    await clock.advanceMs(MERGE_MS);
    assert.equal(window.shown.length, 1);
    assert.match(window.shown[0] ?? '', /Damaged/);
  });

  it('puts title and detail into sentences', async () => {
    const { engine, clock, window, make } = createFixture();
    make();
    engine.simulateNotice(aNotice({ title: 'A is quarantined', detail: 'It failed often' }));
    await clock.advanceMs(MERGE_MS);
    assert.match(window.shown[0] ?? '', /A is quarantined\. It failed often\. \[/);
  });

  it('leaves nothing behind when disposed', () => {
    const { engine, clock, make } = createFixture();
    const presenter = make();
    engine.simulateNotice(aNotice());
    presenter.dispose();
    assert.deepEqual([engine.listenerCount, clock.pendingCount], [0, 0]);
  });
});

describe('NeedsYouPresenter', () => {
  function createFixture(
    options: { readonly level?: NotificationLevel; readonly wasAway?: boolean; readonly watched?: string } = {},
  ) {
    const [engine, clock, window] = [new FakeEngine(), new ManualClock(), new FakeWindow()];
    const watched = (): AgentId | undefined => options.watched as AgentId | undefined;
    const make = (): NeedsYouPresenter =>
      new NeedsYouPresenter(
        engine,
        clock,
        window,
        () => options.level ?? 'all',
        watched,
        () => options.wasAway ?? false,
        async () => {},
      );
    const be = (id: string, activity: 'busy' | 'awaiting_input' | 'awaiting_approval' | 'error'): void =>
      engine.simulateAgent(anAgentView({ id: id as AgentId, name: id.toUpperCase(), activity }));
    return { engine, clock, window, make, be };
  }

  it('says once that agents began to wait', async () => {
    const { engine, clock, window, make, be } = createFixture();
    make();
    engine.simulateReady();
    for (const id of ['a', 'b', 'c']) be(id, 'busy');
    be('a', 'awaiting_input');
    be('b', 'awaiting_approval');
    be('c', 'error');
    await clock.advanceMs(MERGE_MS);
    assert.deepEqual(window.shown, [
      'information: 3 agents wait for you: A (needs input), B (needs approval), C (error). [Go to Next]',
    ]);
  });

  it('takes the person to the one agent that waits', async () => {
    const { engine, clock, window, make, be } = createFixture();
    window.answer = 'Go to Agent';
    make();
    engine.simulateReady();
    be('a', 'busy');
    be('a', 'awaiting_input');
    await clock.advanceMs(MERGE_MS);
    assert.deepEqual(
      [window.shown, window.ran],
      [['information: A: needs input. [Go to Agent]'], [['coreOrchestrator.attachAgent', 'a']]],
    );
  });

  it('says nothing about an agent that went on before it was said', async () => {
    const { engine, clock, window, make, be } = createFixture();
    make();
    engine.simulateReady();
    be('a', 'busy');
    be('a', 'awaiting_input');
    be('a', 'busy');
    await clock.advanceMs(10 * MERGE_MS);
    assert.deepEqual(window.shown, []);
  });

  it('leaves quarantine to its notice, also when a failure came just before it', async () => {
    const { engine, clock, window, make, be } = createFixture();
    make();
    engine.simulateReady();
    be('a', 'busy');
    const view = { id: 'a' as AgentId, name: 'A' };
    engine.simulateAgent(anAgentView({ ...view, lifecycle: 'failed', needsYou: 'failed' }));
    engine.simulateAgent(anAgentView({ ...view, lifecycle: 'quarantined', needsYou: 'quarantined' }));
    await clock.advanceMs(10 * MERGE_MS);
    assert.deepEqual(window.shown, []);
  });

  it('says nothing in a window nobody looks at, until somebody does', async () => {
    const { engine, clock, window, make, be } = createFixture();
    window.simulateFocus(false);
    make();
    engine.simulateReady();
    be('a', 'busy');
    be('a', 'awaiting_input');
    await clock.advanceMs(10 * MERGE_MS);
    assert.deepEqual(window.shown, []);
    window.simulateFocus(true);
    await clock.advanceMs(MERGE_MS);
    assert.equal(window.shown.length, 1);
  });

  it('says nothing about the agent whose terminal is in front', async () => {
    const { engine, clock, window, make, be } = createFixture({ watched: 'a' });
    make();
    engine.simulateReady();
    be('a', 'busy');
    be('a', 'awaiting_input');
    await clock.advanceMs(MERGE_MS);
    assert.deepEqual(window.shown, []);
  });

  it('tells only failures when asked to', async () => {
    const { engine, clock, window, make, be } = createFixture({ level: 'failures' });
    make();
    engine.simulateReady();
    be('a', 'busy');
    be('b', 'busy');
    be('a', 'awaiting_input');
    be('b', 'error');
    await clock.advanceMs(MERGE_MS);
    assert.deepEqual(window.shown, ['warning: B: error. [Go to Agent]']);
  });

  it('is quiet at the start but for one word after an absence', async () => {
    for (const wasAway of [false, true]) {
      const { engine, clock, window, make, be } = createFixture({ wasAway });
      make();
      be('a', 'busy');
      be('a', 'awaiting_input');
      be('b', 'busy');
      engine.simulateReady();
      engine.simulateReady();
      await clock.advanceMs(10 * MERGE_MS);
      assert.deepEqual(
        window.shown,
        wasAway ? ['information: 2 agents kept running while VS Code was away: 1 waits for you. [Go to Agent]'] : [],
      );
    }
  });

  it('is quiet when it takes over from another window: this one was here all the time', async () => {
    const { engine, clock, window, make, be } = createFixture({ wasAway: true });
    make();
    engine.simulateStatus({ kind: 'following', ownerPid: 1, isOwnerResponding: true, isConnected: false });
    be('a', 'busy');
    await clock.advanceMs(60_000);
    engine.simulateReady();
    await clock.advanceMs(10 * MERGE_MS);
    assert.deepEqual(window.shown, []);
  });

  it('leaves nothing behind when disposed', () => {
    const { engine, clock, make, be } = createFixture();
    const presenter = make();
    engine.simulateReady();
    be('a', 'busy');
    be('a', 'awaiting_input');
    presenter.dispose();
    assert.deepEqual([engine.listenerCount, clock.pendingCount], [0, 0]);
  });
});
