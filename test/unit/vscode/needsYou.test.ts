import { strict as assert } from 'node:assert';
import type { AgentId } from '../../../src/core/agents/agent';
import { Emitter } from '../../../src/core/base/event';
import type { PermissionRequest } from '../../../src/core/agents/permissionRequest';
import type { AgentView } from '../../../src/core/engine';
import { MERGE_LIMIT_MS, MERGE_MS } from '../../../src/vscode/notices/mergeTimer';
import { REQUEST_MS, WATCHED_MS } from '../../../src/vscode/notices/needsQueue';
import { NeedsYouPresenter } from '../../../src/vscode/notices/needsYouPresenter';
import { OrderedStarts } from '../../../src/vscode/notices/orderedStarts';
import type { NotificationLevel } from '../../../src/vscode/settings';
import { anAgentView, aRequest, FakeEngine } from '../../support/fakeEngine';
import { FakeWatching, FakeWindow } from '../../support/fakeWindow';
import { ManualClock } from '../../support/manualClock';

describe('NeedsYouPresenter', () => {
  function createFixture(options: { readonly level?: NotificationLevel; readonly wasAway?: boolean } = {}) {
    const [engine, clock, window] = [new FakeEngine(), new ManualClock(), new FakeWindow()];
    const [watching, settings] = [new FakeWatching(), { level: options.level ?? 'all' }];
    const told = new Emitter<string>((error) => {
      throw error;
    });
    const starts = new OrderedStarts((error) => {
      throw error;
    });
    const make = (): NeedsYouPresenter =>
      new NeedsYouPresenter(
        engine,
        clock,
        window,
        () => settings.level,
        watching,
        () => options.wasAway ?? false,
        async () => {},
        { covers: () => false, onDidTell: told.event, starts },
      );
    const be = (id: string, activity: AgentView['activity'], more: Partial<AgentView> = {}): void =>
      engine.simulateAgent(
        anAgentView({ id: id as AgentId, name: id.toUpperCase(), activity, sinceMs: clock.nowMs(), ...more }),
      );
    /** It waits for an answer to a request that can be read. */
    const ask = (id: string, requestId: string, more: Partial<PermissionRequest> = {}): void =>
      be(id, 'awaiting_approval', { request: aRequest({ agentId: id as AgentId, id: requestId, ...more }) });
    return { engine, clock, window, make, be, ask, watching, settings, told, starts };
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

  it('leaves a failed start to who ordered it here, however long that takes to tell; else tells it itself', async () => {
    const { engine, clock, window, make, be, told, starts } = createFixture();
    make();
    engine.simulateReady();
    for (const isTold of [true, false]) {
      let fail = (): void => undefined;
      engine.startExisting = () => new Promise((_, reject) => (fail = () => reject(new Error('ended early'))));
      const start = starts.watching(engine).startExisting('a' as AgentId);
      be('a', 'unknown', { lifecycle: 'failed', exit: { code: 3 } });
      await clock.advanceMs(10 * MERGE_LIMIT_MS);
      assert.deepEqual(window.shown, [], 'its order will tell');
      fail();
      await assert.rejects(start);
      if (isTold) told.fire('a');
      await clock.advanceMs(MERGE_LIMIT_MS);
      assert.deepEqual(window.shown, isTold ? [] : ['warning: A: failed with exit code 3. [Go to Agent]']);
    }
  });

  it('takes the person to the one agent that waits', async () => {
    const { engine, clock, window, make, be } = createFixture();
    window.answer = 'Go to Agent';
    make();
    engine.simulateReady();
    be('a', 'busy');
    be('a', 'awaiting_input');
    await clock.advanceMs(REQUEST_MS);
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

  it('says nothing of a start that failed when whoever ordered it was told; the next failure is news', async () => {
    const { engine, clock, window, make, be, told } = createFixture();
    make();
    engine.simulateReady();
    const fail = (id: string): void =>
      be(id, 'unknown', { lifecycle: 'failed', needsYou: 'failed', exit: { code: 3 } });
    fail('a');
    fail('b');
    told.fire('a');
    await clock.advanceMs(MERGE_LIMIT_MS);
    assert.deepEqual(window.shown, ['warning: B: failed with exit code 3. [Go to Agent]']);
    be('a', 'busy');
    fail('a');
    await clock.advanceMs(MERGE_LIMIT_MS);
    assert.equal(window.shown.length, 2);
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
    await clock.advanceMs(0);
    assert.equal(window.shown.length, 1);
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

  it('says nothing after an absence when only failures are wanted', async () => {
    const { engine, clock, window, make, be } = createFixture({ level: 'failures', wasAway: true });
    make();
    be('a', 'busy', { sinceMs: clock.nowMs() - 1 });
    engine.simulateReady();
    await clock.advanceMs(10 * MERGE_MS);
    assert.deepEqual(window.shown, []);
  });

  it('is quiet at the start but for one word after an absence', async () => {
    for (const wasAway of [false, true]) {
      const { engine, clock, window, make, be } = createFixture({ wasAway });
      make();
      be('a', 'busy');
      be('a', 'awaiting_input', { sinceMs: clock.nowMs() - 1 });
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

  it('waits a moment for what is asked, and tells that', async () => {
    const { engine, clock, window, make, be, ask } = createFixture();
    make();
    engine.simulateReady();
    be('a', 'busy');
    be('a', 'awaiting_approval');
    await clock.advanceMs(2_000); // looks like the dialog that was answered: not taken for a new one before
    assert.deepEqual(window.shown, []);
    ask('a', 'q1');
    await clock.advanceMs(MERGE_MS);
    assert.deepEqual(window.shown, ['information: A needs approval: Bash: npm test [Review…|Approve|Deny]']);
  });

  it('waits for the dialog in which an answer is pressed', async () => {
    const { engine, clock, window, make, be, ask } = createFixture();
    make();
    engine.simulateReady();
    be('a', 'busy');
    ask('a', 'q1', { door: 'keys', canAllow: false, canDeny: false });
    await clock.advanceMs(REQUEST_MS - 1);
    assert.deepEqual(window.shown, []);
    ask('a', 'q1', { door: 'keys', dialog: 'Bash: npm test' });
    await clock.advanceMs(MERGE_MS);
    assert.deepEqual(window.shown, ['information: A needs approval: Bash: npm test [Review…|Approve|Deny]']);
  });

  it('tells that something is asked when it is not known what, and then what', async () => {
    const { engine, clock, window, make, be } = createFixture();
    make();
    engine.simulateReady();
    be('a', 'busy');
    be('a', 'awaiting_approval', { sinceMs: 7 });
    await clock.advanceMs(REQUEST_MS);
    assert.deepEqual(window.shown, ['information: A: needs approval. [Go to Agent]']);
    be('a', 'awaiting_approval', { sinceMs: 7, request: aRequest({ agentId: 'a' as AgentId }) });
    await clock.advanceMs(MERGE_MS);
    assert.match(window.shown[1] ?? '', /Approve/);
    be('a', 'awaiting_approval', { sinceMs: 7, queuedPromptCount: 1, request: aRequest({ agentId: 'a' as AgentId }) });
    await clock.advanceMs(REQUEST_MS);
    assert.equal(window.shown.length, 2, 'the same is told once');
  });

  for (const [title, between] of [
    ['after work', ({ be }) => be('a', 'busy')],
    ['after nothing but the end of the first', ({ be }) => be('a', 'awaiting_approval')],
    ['in the same fact as the end of the first', () => {}],
  ] satisfies [string, (fixture: ReturnType<typeof createFixture>) => void][])
    it(`tells the next question ${title}`, async () => {
      const fixture = createFixture();
      const { engine, clock, window, make, be, ask } = fixture;
      make();
      engine.simulateReady();
      be('a', 'busy');
      ask('a', 'q1');
      await clock.advanceMs(MERGE_MS);
      between(fixture);
      await clock.advanceMs(MERGE_MS);
      ask('a', 'q2'); // the same words: a person has to be asked again
      await clock.advanceMs(MERGE_MS);
      assert.equal(window.shown.length, 2);
      assert.equal(window.shown[1], window.shown[0]);
    });

  it('tells a new need of which only the time is another', async () => {
    const { engine, clock, window, make, be } = createFixture();
    make();
    engine.simulateReady();
    be('a', 'busy');
    be('a', 'awaiting_input');
    await clock.advanceMs(REQUEST_MS);
    be('a', 'awaiting_input'); // it went on between, and nobody said so
    await clock.advanceMs(REQUEST_MS);
    assert.equal(window.shown.length, 2);
  });

  it('is not put off by what other agents do', async () => {
    const { engine, clock, window, make, be, ask } = createFixture();
    make();
    engine.simulateReady();
    for (const id of ['a', 'b']) be(id, 'busy');
    ask('a', 'q1');
    for (let n = 0; n < 5; n++) {
      be('b', 'busy', { queuedPromptCount: n });
      await clock.advanceMs(100);
    }
    assert.equal(window.shown.length, 1);
  });

  it('is not put off by more and more agents that wait', async () => {
    const { engine, clock, window, make, be } = createFixture();
    make();
    engine.simulateReady();
    for (let n = 0; n * 200 < MERGE_LIMIT_MS; n++) {
      be(`a${n}`, 'error');
      await clock.advanceMs(200);
    }
    assert.equal(window.shown.length, 1);
  });

  it('takes what an agent of a list asks for told', async () => {
    const { engine, clock, window, make, be } = createFixture();
    make();
    engine.simulateReady();
    for (const id of ['a', 'b']) be(id, 'awaiting_approval', { sinceMs: 7e12 });
    await clock.advanceMs(MERGE_MS);
    for (const id of ['a', 'b']) be(id, 'awaiting_approval', { sinceMs: 7e12, request: aRequest({ id }) });
    await clock.advanceMs(REQUEST_MS);
    assert.equal(window.shown.length, 1);
    be('a', 'awaiting_approval', { sinceMs: 7e12, request: aRequest({ id: 'next' }) });
    await clock.advanceMs(MERGE_MS);
    assert.equal(window.shown.length, 2, 'the next question is news');
  });

  it('tells it again when the window had lost the focus just before', async () => {
    const { engine, clock, window, make, be, ask } = createFixture();
    make();
    engine.simulateReady();
    be('a', 'busy');
    ask('a', 'q1');
    await clock.advanceMs(MERGE_MS - 1);
    window.simulateFocus(false);
    await clock.advanceMs(60_000);
    be('b', 'busy');
    assert.deepEqual(window.shown, []);
    window.simulateFocus(true);
    await clock.advanceMs(0);
    assert.equal(window.shown.length, 1);
  });

  it('says nothing about the agent whose terminal is in front while it is', async () => {
    const { engine, clock, window, make, be, ask, watching } = createFixture();
    watching.watched = 'a' as AgentId;
    make();
    engine.simulateReady();
    be('a', 'busy');
    ask('a', 'q1');
    await clock.advanceMs(WATCHED_MS - 1);
    be('a', 'busy');
    await clock.advanceMs(WATCHED_MS);
    assert.deepEqual([window.shown, clock.pendingCount], [[], 0]);
  });

  it('tells it when that terminal is left, in whatever way', async () => {
    const { engine, clock, window, make, be, ask, watching } = createFixture();
    watching.watched = 'a' as AgentId;
    make();
    engine.simulateReady();
    be('a', 'busy');
    ask('a', 'q1');
    await clock.advanceMs(5_000);
    watching.watched = undefined;
    watching.simulateLeave();
    await clock.advanceMs(MERGE_MS);
    assert.equal(window.shown.length, 1, 'to another terminal');

    watching.watched = 'a' as AgentId;
    ask('a', 'q2');
    await clock.advanceMs(5_000);
    watching.simulateLeave();
    await clock.advanceMs(MERGE_MS);
    assert.equal(window.shown.length, 2, 'to a text: the terminal is still the last one that was used');

    ask('a', 'q3');
    await clock.advanceMs(WATCHED_MS);
    assert.equal(window.shown.length, 3, 'nobody knows: the panel may be closed');
    assert.equal(clock.pendingCount, 0);
  });

  it('tells what waits when more is wanted than before', async () => {
    const { engine, clock, window, make, be, ask, settings } = createFixture({ level: 'none' });
    make();
    engine.simulateReady();
    be('a', 'busy');
    ask('a', 'q1');
    await clock.advanceMs(60_000);
    settings.level = 'all';
    window.simulateFocus(true); // the person comes back from wherever it was set
    await clock.advanceMs(MERGE_MS);
    assert.equal(window.shown.length, 1);
  });

  it('tells what began while the engine of this window did', async () => {
    const { engine, clock, window, make, be, ask } = createFixture();
    make();
    be('old', 'awaiting_input', { sinceMs: clock.nowMs() - 1 });
    await clock.advanceMs(1_000);
    ask('a', 'q1');
    engine.simulateReady();
    await clock.advanceMs(MERGE_MS);
    assert.deepEqual(window.shown.map((text) => text.slice(0, 30)), ['information: A needs approval:']); // prettier-ignore
  });

  it('tells of an agent that is new in the list and waits already', async () => {
    const { engine, clock, window, make, ask } = createFixture();
    make();
    engine.simulateReady();
    ask('a', 'q1');
    await clock.advanceMs(MERGE_MS);
    assert.equal(window.shown.length, 1);
  });

  it('tells in a window that is connected to the one that manages the agents, too', async () => {
    const { engine, clock, window, make, be, ask } = createFixture();
    const following = { kind: 'following', ownerPid: 1, isOwnerResponding: true } as const;
    make();
    engine.simulateStatus({ ...following, isConnected: false });
    be('a', 'unknown', { isManagedElsewhere: true });
    be('old', 'awaiting_input', { sinceMs: clock.nowMs() - 1 });
    engine.simulateStatus({ ...following, isConnected: true });
    await clock.advanceMs(REQUEST_MS);
    assert.deepEqual(window.shown, []);
    ask('a', 'q1');
    await clock.advanceMs(MERGE_MS);
    assert.equal(window.shown.length, 1);
    engine.simulateStatus({ ...following, isConnected: false });
    be('a', 'unknown', { isManagedElsewhere: true });
    ask('a', 'q1');
    engine.simulateStatus({ ...following, isConnected: true });
    await clock.advanceMs(REQUEST_MS);
    assert.equal(window.shown.length, 1, 'a connection that was lost is no news about the agent');
  });

  it('leaves nothing behind when disposed', () => {
    const { engine, clock, make, be, watching, told } = createFixture();
    const presenter = make();
    engine.simulateReady();
    be('a', 'busy');
    be('a', 'awaiting_input');
    presenter.dispose();
    assert.deepEqual(
      [engine.listenerCount, watching.listenerCount, told.listenerCount, clock.pendingCount],
      [0, 0, 0, 0],
    );
  });
});
