import assert from 'node:assert/strict';
import {
  DAMAGED_RECORDS,
  STORE_BLOCKED,
  STORE_DAMAGED,
  STORE_FINDINGS,
  STORE_QUARANTINED,
  STORE_RESTORED,
  STORE_UNUSABLE,
  TMUX_ENDED,
} from '../../../src/core/engine';
import { MERGE_MS } from '../../../src/vscode/notices/mergeTimer';
import { NoticePresenter } from '../../../src/vscode/notices/noticePresenter';
import { FakeEngine } from '../../support/fakeEngine';
import { FakeWindow, MapMemory } from '../../support/fakeWindow';
import { ManualClock } from '../../support/manualClock';

describe('notices about the store', () => {
  async function show(fingerprint: string, level: 'critical' | 'error' | 'info', answer: string) {
    const [engine, clock, window] = [new FakeEngine(), new ManualClock(), new FakeWindow()];
    const presenter = new NoticePresenter(engine, clock, window, new MapMemory(), () =>
      level === 'error' ? 'all' : 'none',
    );
    window.answer = answer;
    engine.simulateNotice({ fingerprint, level, title: 'The store', detail: 'What happened.', atMs: 0 });
    await clock.advanceMs(MERGE_MS);
    presenter.dispose();
    return { shown: window.shown, ran: window.ran };
  }

  it('lead from damage to a backup, to a check, and to the log', async () => {
    for (const fingerprint of [DAMAGED_RECORDS, STORE_DAMAGED]) {
      const { shown, ran } = await show(fingerprint, 'critical', 'Restore from Backup…');
      assert.deepEqual(shown, ['error: The store. What happened. [Restore from Backup…|Check…|Show Log]']);
      assert.deepEqual(ran, [['coreOrchestrator.restore']]);
      assert.deepEqual((await show(fingerprint, 'critical', 'Check…')).ran, [['coreOrchestrator.checkIntegrity']]);
      assert.deepEqual((await show(fingerprint, 'critical', 'Show Log')).ran, [['coreOrchestrator.showLog']]);
    }
    assert.deepEqual((await show(STORE_BLOCKED, 'critical', 'Restore from Backup…')).ran, [
      ['coreOrchestrator.restore'],
    ]);
  });

  it('lead from a store that was put aside to a backup, or on without it', async () => {
    const { shown, ran } = await show(STORE_QUARANTINED, 'critical', 'Continue…');
    assert.deepEqual(shown, ['error: The store. What happened. [Restore from Backup…|Continue…|Show Log]']);
    assert.deepEqual(ran, [['coreOrchestrator.acceptStoreLoss']]);
    const { ran: restored } = await show(STORE_QUARANTINED, 'critical', 'Restore from Backup…');
    assert.deepEqual(restored, [['coreOrchestrator.restore']]);
  });

  it('offer no backup where a disk is full or a folder cannot be written: that would not help', async () => {
    const { shown, ran } = await show(STORE_UNUSABLE, 'critical', 'Check Setup');
    assert.deepEqual(shown, ['error: The store. What happened. [Check Setup|Show Log]']);
    assert.deepEqual(ran, [['coreOrchestrator.checkSetup']]);
  });

  it('lead from what does not fit together to the check', async () => {
    const { shown, ran } = await show(STORE_FINDINGS, 'critical', 'Check…');
    assert.deepEqual(shown, ['error: The store. What happened. [Check…|Show Log]']);
    assert.deepEqual(ran, [['coreOrchestrator.checkIntegrity']]);
  });

  it('lead from the end of tmux to the agents, and to the log', async () => {
    const { shown, ran } = await show(TMUX_ENDED, 'error', 'Go to Agent');
    assert.deepEqual(shown, ["error: The store. What happened. [Go to Agent|Show Log|Don't Show Again]"]);
    assert.deepEqual(ran, [['coreOrchestrator.goToAgent']]);
  });

  it('tell what was restored, also to who wants no notifications: a person waits for it', async () => {
    const { shown, ran } = await show(STORE_RESTORED, 'info', 'Show Log');
    assert.deepEqual(shown, ['information: The store. What happened. [Show Log]']);
    assert.deepEqual(ran, [['coreOrchestrator.showLog']]);
  });
});
