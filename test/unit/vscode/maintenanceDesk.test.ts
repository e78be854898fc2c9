import assert from 'node:assert/strict';
import type { DataStatus, KeptBackup, UnusableBackup, UsableBackup } from '../../../src/core/engine';
import { MaintenanceDesk } from '../../../src/vscode/commands/maintenanceDesk';
import { anAgentView, FakeEngine } from '../../support/fakeEngine';
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
      folders: () => ['/project'],
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
    const looked = `inspectBackup ${backup.file}`;
    assert.deepEqual(engine.calls, [looked], 'not confirmed');
    const question = window.shown.at(-1) ?? '';
    assert.match(
      question,
      /^confirm: Restore this backup in the place of the store\? \[Keep the Present Store\|Restore\]/,
    );
    for (const said of [
      /Agents that live keep running, with their names, settings and newest prompts .* also those that the backup does not know\./,
      /What else was kept since it was made \(2 changes in all\) is not in the store afterwards: changes of agents that do not live, history, approvals/,
      /backed up first/,
    ])
      assert.match(question, said);
    assert.doesNotMatch(question, /under their ids/, 'what can be read is carried over');
    window.nextAnswers.push(backup.file, 'Restore');
    const restoring = desk.restore();
    await clock.advanceMs(1);
    assert.deepEqual(engine.calls.slice(-2), [looked, `restoreData ${backup.file}`]);
    engine.simulateNotice({
      fingerprint: 'store.restored',
      level: 'info',
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

  it('looks at a file before it asks, and says what is wrong with it and what to do', async () => {
    const { engine, window, files, desk } = createFixture();
    const wrong: readonly (readonly [UnusableBackup['why'], string, RegExp])[] = [
      ['unreadable', 'ENOENT', /x\.db is not there any more/],
      ['unreadable', 'EACCES', /cannot be read \(EACCES\)/],
      ['other', '', /is not a backup of Core Orchestrator\. .*Import Data\./],
      ['store', '', /is a store in use and no backup.*Back Up Store/],
      ['newer', 'schema 9, here 2', /newer version .* \(schema 9, here 2\)\. Update the extension/],
      ['damaged', 'The record "x" is damaged.', /is damaged: The record "x" is damaged\. Choose an older backup/],
    ];
    for (const [why, detail, said] of wrong) {
      engine.inspection = { isUsable: false, why, detail };
      window.nextAnswers.push('file', undefined);
      files.push('/disk/x.db');
      await desk.restore();
      const message = window.shown.at(-1) ?? '';
      assert.match(message, /^error: Nothing was changed\. .* \[Choose Another…\]$/);
      assert.match(message, said);
    }
    assert.equal(window.shown.some((text) => text.startsWith('confirm')), false, 'nothing is asked about a file that cannot be restored'); // prettier-ignore
    window.nextAnswers.push('file', 'Choose Another…', undefined);
    files.push('/disk/x.db');
    await desk.restore();
    assert.match(window.shown.at(-1) ?? '', /^choose: Restore from Backup/, 'another one can be chosen at once');
    assert.equal(engine.calls.some((call) => call.startsWith('restoreData')), false); // prettier-ignore
  });

  it('asks with what is known of the backup, and says when it looks like one of another workspace', async () => {
    const { engine, window, files, desk } = createFixture();
    const ask = async (folder: string): Promise<string> => {
      const agents = ['Scout', 'A', 'B', 'C', 'D', 'E'].map((name) => ({ id: name, name, folder }));
      engine.inspection = {
        ...{ isUsable: true, file: '/disk/copy.db', sizeBytes: 1, seq: 5, records: 12, schemaVersion: 1 },
        ...{ lastChangeAtMs: Date.UTC(2026, 10, 20, 8), agents },
      };
      window.nextAnswers.push('file', undefined);
      files.push('/disk/copy.db');
      await desk.restore();
      return window.shown.at(-1) ?? '';
    };
    const own = await ask('/project/app');
    assert.match(own, /Its newest change is of 2026-11-20 .*: 12 records, 6 agents \(Scout, A, B, C, D and 1 more\)\. It was checked and is whole\.\n\/disk\/copy\.db/); // prettier-ignore
    assert.doesNotMatch(own, /another workspace/);
    assert.match(await ask('/projects'), /looks like a backup of another workspace.* Scout works in \/projects\./);
    engine.simulateAgent(anAgentView({ folder: '/projects' }));
    assert.doesNotMatch(await ask('/projects'), /another workspace/);
    const wholeNow = engine.dataStatusNow;
    const findings = [{ code: 'check.structure', message: 'A page is damaged.' }] as const;
    const report = { depth: 'full', isWhole: false, isCut: false, seq: 7, records: 3, changes: 7, findings } as const;
    const kinds: readonly Partial<DataStatus>[] = [{ isReadOnly: true }, { lastCheck: { atMs: 1, cause: 'schedule', report } }]; // prettier-ignore
    for (const now of kinds) {
      engine.dataStatusNow = { ...wholeNow, ...now };
      const said = await ask('/project');
      assert.match(said, /carried over as they are now where the present store can be read; .* shown under its id\./);
      assert.match(said, /put aside whole/);
      assert.doesNotMatch(said, /backed up first|can be undone in the same way/);
    }
    assert.match(await ask('/project'), /is damaged: it is put aside whole, .*cannot be undone with Restore from Backup\./); // prettier-ignore
    engine.inspection = { ...engine.inspection, agents: [] } as UsableBackup;
    window.nextAnswers.push(backup.file, undefined);
    await desk.restore();
    assert.match(window.shown.at(-1) ?? '', /Of 2026-11-20 .*: 12 records, no agents\./);
  });

  it('restores from a file elsewhere, and while the engine is blocked by its store', async () => {
    const { engine, window, files, clock, desk } = createFixture();
    engine.simulateStatus({ kind: 'blocked', code: 'data.newerSchema', detail: 'newer' });
    window.nextAnswers.push('file', 'Restore');
    files.push('/disk/copy.db');
    const restoring = desk.restore();
    await clock.advanceMs(30_000);
    await restoring;
    assert.deepEqual(engine.calls, ['inspectBackup /disk/copy.db', 'restoreData /disk/copy.db']);
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
