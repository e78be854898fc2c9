import { strict as assert } from 'node:assert';
import type { AlertNotice } from '../../../src/core/monitoring/alertSink';
import { MERGE_LIMIT_MS, MERGE_MS } from '../../../src/vscode/notices/mergeTimer';
import { MUTED_KEY, NoticePresenter, resetMutedNotices } from '../../../src/vscode/notices/noticePresenter';
import type { NotificationLevel } from '../../../src/vscode/settings';
import type { AgentId } from '../../../src/core/agents/agent';
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
      "warning: A is quarantined. It failed 6 times. And 1 more like this. [Go to Agent|Release|Don't Show Again]",
    ]);
  });

  it('offers to release who is in quarantine: the one, or those that the person chooses; nobody who is out of it', async () => {
    const { engine, clock, window, make } = createFixture();
    window.answer = 'Release';
    make();
    const told = async (...ids: string[]): Promise<void> => {
      for (const agentId of ids)
        engine.simulateNotice(aNotice({ fingerprint: `agent.quarantined:${agentId}`, agentId }));
      await clock.advanceMs(MERGE_MS);
    };
    for (const id of ['a', 'b']) engine.simulateAgent(anAgentView({ id: id as AgentId, lifecycle: 'quarantined' }));
    await told('a');
    await told('a', 'b');
    engine.simulateAgent(anAgentView({ id: 'b' as AgentId }));
    await told('a', 'b');
    await told('b');
    const release = 'coreOrchestrator.releaseQuarantine';
    assert.deepEqual(window.ran, [[release, 'a'], [release], [release, 'a']]);
    assert.match(window.shown.at(-1) ?? '', /^information: It is not in quarantine any more/);
  });

  it('puts nothing off for ever while there is more and more', async () => {
    const { engine, clock, window, make } = createFixture();
    make();
    for (let n = 0; n * 200 < MERGE_LIMIT_MS; n++) {
      engine.simulateNotice(aNotice({ fingerprint: `agent.quarantined:${n}` }));
      await clock.advanceMs(200);
    }
    assert.equal(window.shown.length, 1);
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
