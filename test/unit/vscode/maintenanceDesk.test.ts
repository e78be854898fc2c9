import assert from 'node:assert/strict';
import type { KeptBackup } from '../../../src/core/engine';
import { MaintenanceDesk } from '../../../src/vscode/commands/maintenanceDesk';
import { FakeEngine } from '../../support/fakeEngine';
import { FakeWindow } from '../../support/fakeWindow';
import { ManualClock } from '../../support/manualClock';

const backup: KeptBackup = {
  file: '/data/backups/manual-1.db',
  kind: 'manual',
  takenAtMs: Date.UTC(2026, 10, 20, 8),
  sizeBytes: 40_960,
  seq: 5,
  schemaVersion: 1,
  sqliteVersion: '3.49.1',
  isChecked: true,
};

describe('looking after the store from a window', () => {
  function createFixture() {
    const [engine, window, clock] = [new FakeEngine(), new FakeWindow(), new ManualClock()];
    const documents = new Map<string, string>();
    const files: (string | undefined)[] = [];
    const desk = new MaintenanceDesk({
      ...{ engine, window, clock },
      documents: { show: async (name, content) => documents.set(name, content), close: async () => undefined },
      askForFile: async () => files.shift(),
    });
    engine.dataStatusNow = { ...engine.dataStatusNow, backups: [backup] };
    engine.simulateReady();
    return { engine, window, clock, documents, files, desk };
  }

  it('backs up among the workspace’s backups, or in a file; nothing when the person cancels', async () => {
    const { engine, window, files, desk } = createFixture();
    await desk.backUp();
    window.answer = 'file';
    await desk.backUp();
    assert.deepEqual(engine.calls, []);
    files.push('/disk/copy.db');
    await desk.backUp();
    window.answer = 'kept';
    await desk.backUp();
    assert.deepEqual(engine.calls, ['backUpData /disk/copy.db', 'backUpData ']);
    assert.match(
      window.shown.at(-1) ?? '',
      /^information: Backed up 3 records \(41 KB\), checked: \/data\/backups\/manual\.db/,
    );
  });

  it('restores only after it was said what happens, and waits until the engine runs on it', async () => {
    const { engine, window, clock, desk } = createFixture();
    window.answer = backup.file;
    await desk.restore();
    assert.deepEqual(engine.calls, [], 'not confirmed');
    const question = window.shown.at(-1) ?? '';
    assert.match(question, /^confirm: Restore this backup in the place of the store\? \[Restore\]/);
    for (const said of [/2 changes that were kept since then are not/, /Agents keep running/, /backed up first/])
      assert.match(question, said);
    window.nextAnswers.push(backup.file, 'Restore');
    const restoring = desk.restore();
    await clock.advanceMs(1);
    assert.deepEqual(engine.calls, [`restoreData ${backup.file}`]);
    engine.simulateNotice({
      fingerprint: 'store.restored',
      level: 'warning',
      title: 'A backup was restored',
      detail: '',
      atMs: 0,
    });
    await restoring;
    assert.equal(window.shown.some((text) => text.startsWith('warning: The backup is prepared')), false); // prettier-ignore
    window.nextAnswers.push(backup.file, 'Restore', 'Try Again');
    const late = desk.restore();
    await clock.advanceMs(30_000);
    await late;
    assert.match(window.shown.at(-1) ?? '', /^warning: The backup is prepared.*\[Try Again\]/);
    assert.deepEqual(window.ran, [['coreOrchestrator.tryAgain']]);
  });

  it('restores from a file elsewhere, and while the engine is blocked by its store', async () => {
    const { engine, window, files, clock, desk } = createFixture();
    engine.simulateStatus({ kind: 'blocked', code: 'data.newerSchema', detail: 'newer' });
    window.nextAnswers.push('file', 'Restore');
    files.push('/disk/copy.db');
    const restoring = desk.restore();
    await clock.advanceMs(30_000);
    await restoring;
    assert.deepEqual(engine.calls, ['restoreData /disk/copy.db']);
    await assert.rejects(desk.check(), /newer/);
  });

  it('says what a check found, with a way back and a report', async () => {
    const { engine, window, documents, desk } = createFixture();
    await desk.check();
    assert.deepEqual(window.shown.slice(-2), ['going on: records, 1', 'information: Everything that is kept is whole: 1 records, 1 changes, 0 sessions. []']); // prettier-ignore
    const fix = { kind: 'advice', text: 'Restore a backup.' } as const;
    const damage = { code: 'check.record', severity: 'error', kind: 'agent', id: 'x', message: 'it is damaged', fix } as const; // prettier-ignore
    engine.integrity = { ...engine.integrity, isWhole: false, findings: [damage] };
    window.nextAnswers.push('Restore from Backup…');
    await desk.check();
    assert.deepEqual(window.ran, [['coreOrchestrator.restore']]);
    window.nextAnswers.push('Show Report');
    await desk.check();
    const report = documents.get('Core Orchestrator Store.md') ?? '';
    assert.match(report, /- \*\*error\*\* `check\.record` agent x – it is damaged\. Restore a backup\./);
    assert.match(report, /The newest backup is of 2026-11-20/);
  });

  it('compacts, and in a second window says who manages', async () => {
    const { engine, window, desk } = createFixture();
    await desk.compact();
    assert.match(window.shown.at(-1) ?? '', /9 KB now, 41 KB before/);
    engine.simulateStatus({ kind: 'following', ownerPid: 4711, isOwnerResponding: true, isConnected: true });
    for (const act of [desk.backUp, desk.restore, desk.check, desk.compact]) {
      await act.call(desk);
      assert.match(window.shown.at(-1) ?? '', /^warning: Process 4711 manages the agents/);
    }
    assert.deepEqual(engine.calls, ['compactData']);
  });
});
