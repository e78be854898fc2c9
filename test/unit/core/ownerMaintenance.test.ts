import assert from 'node:assert/strict';
import { Emitter } from '../../../src/core/base/event';
import { silentLogger } from '../../../src/core/base/log';
import type { DurableStore, StoreCheckReport } from '../../../src/core/data/durableStore';
import { MemoryDataStore } from '../../../src/core/data/memoryDataStore';
import type { KeptCheck, StoreKeeper } from '../../../src/core/data/storeCare';
import { OwnerMaintenance } from '../../../src/core/ownerMaintenance';
import { NoticeBoard } from '../../../src/core/monitoring/noticeBoard';
import { ManualClock } from '../../support/manualClock';

const whole: StoreCheckReport = {
  ...{ isWhole: true, findings: [], isCut: false, depth: 'full', records: 1, changes: 1, seq: 1 },
};
const finding = { code: 'check.record', kind: 'agent', id: 'x', message: 'The record "x" is damaged.' } as const;
const damaged: StoreCheckReport = { ...whole, isWhole: false, findings: [finding, finding] };

describe('OwnerMaintenance', () => {
  const signal = new AbortController().signal;
  const quiet = (): void => undefined;

  function createFixture(last?: KeptCheck) {
    const [clock, notices] = [new ManualClock(), new NoticeBoard(quiet)];
    const made: string[] = [];
    let report = whole;
    let kept = last;
    const damage = new Emitter<void>(quiet);
    const memory = new MemoryDataStore({ clock });
    const store = Object.assign(memory, {
      check: async () => report,
      backup: async (file: string) => ({ file, sizeBytes: 1, seq: 0, records: 0 }),
      compact: async () => ({ beforeBytes: 2, afterBytes: 1 }),
    }) satisfies DurableStore;
    const storeKeeper: StoreKeeper = {
      sizes: async () => ({ mainBytes: 1, walBytes: 2, backupBytes: 3, asideBytes: 4, archiveBytes: 5 }),
      backups: async () => [],
      newBackupFile: (kind) => `/backups/${kind}.db`,
      removeBackup: async () => undefined,
      requireBackup: quiet,
      inspectBackup: async () => ({ isUsable: false, why: 'other', detail: '' }),
      prepareRestore: async (backup) => ({ file: backup, sizeBytes: 1, seq: 5, records: 2 }),
      lastCheck: async () => kept,
      keepCheck: async (check) => void (kept = check),
    };
    const maintenance = new OwnerMaintenance({
      ...{
        opened: {
          store,
          durable: { store, wasUnclean: false, isChecked: true, onDidFindDamage: damage.event },
          warnings: [],
        },
        workspace: { storeKeeper },
      },
      ...{ notices, reopen: () => void made.push('reopened'), clock, log: silentLogger },
    });
    return { maintenance, notices, clock, made, damage, finds: (found: StoreCheckReport) => void (report = found) };
  }

  it('raises what a check finds until another one finds nothing', async () => {
    const { maintenance, notices, finds } = createFixture();
    finds(damaged);
    await maintenance.checkData('full', quiet, signal);
    assert.deepEqual(notices.notices.map(({ fingerprint, level }) => [fingerprint, level]), [['store.damaged', 'critical']]); // prettier-ignore
    assert.match(notices.notices[0]?.detail ?? '', /^The record "x" is damaged\. And 1 more\. Nothing was changed\./);
    finds({ ...whole, depth: 'quick' });
    await maintenance.checkData('quick', quiet, signal);
    assert.equal(notices.notices.length, 1, 'a quick look does not see everything');
    finds(whole);
    await maintenance.checkData('full', quiet, signal);
    assert.deepEqual(notices.notices, []);
    maintenance.dispose();
  });

  it('tells again in the next session what was found before', async () => {
    const { maintenance, notices } = createFixture({ atMs: 1, cause: 'schedule', report: damaged });
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(notices.notices.map(({ fingerprint }) => fingerprint), ['store.damaged']); // prettier-ignore
    maintenance.dispose();
  });

  it('looks closer, and tells, when an automatic backup has found damage', async () => {
    const { maintenance, notices, damage, finds } = createFixture();
    finds(damaged);
    damage.fire();
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(notices.notices.map(({ fingerprint }) => fingerprint), ['store.damaged']); // prettier-ignore
    maintenance.dispose();
  });

  it('opens the store anew once whoever asked for a restore has the answer, and not when it is over', async () => {
    const { maintenance, clock, made } = createFixture();
    assert.equal((await maintenance.restoreData('/x.db', quiet, signal)).seq, 5);
    assert.deepEqual(made, []);
    await clock.advanceMs(1_000);
    assert.deepEqual(made, ['reopened']);
    await maintenance.restoreData('/x.db', quiet, signal);
    maintenance.dispose();
    await clock.advanceMs(1_000);
    assert.deepEqual(made, ['reopened']);
  });

  it('refuses where the store is not kept in a file', async () => {
    const clock = new ManualClock();
    const store = new MemoryDataStore({ clock });
    const opened = { store, warnings: [] };
    const notices = new NoticeBoard(quiet);
    const none = new OwnerMaintenance({ opened, workspace: {}, notices, reopen: quiet, clock, log: silentLogger });
    await assert.rejects(none.dataStatus(), /not kept in a file/);
    none.dispose();
  });
});
