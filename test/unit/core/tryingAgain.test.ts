import assert from 'node:assert/strict';
import { sleep } from '../../../src/core/base/clock';
import { DataError } from '../../../src/core/data/dataErrors';
import type { StoreKeeper } from '../../../src/core/data/storeCare';
import { loadParts } from '../../../src/core/engineParts';
import { WindowedMachine } from '../../support/windowedMachine';

describe('An engine that could not use its folder', () => {
  before(async () => {
    await loadParts(); // reading program files takes real time, which the clock of these tests does not wait for
  });

  it('looks again by itself when a folder could not be written, and says so once', async () => {
    const machine = new WindowedMachine();
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), {
      code: 'ENOSPC',
      syscall: 'write',
    });
    machine.openError = full;
    const engine = machine.window(1);
    const statuses: string[] = [];
    const notices: string[] = [];
    engine.onDidChangeStatus(({ kind }) => statuses.push(kind));
    engine.onDidChangeNotices(({ kind, notice }) => notices.push(`${kind} ${notice.fingerprint} ${notice.detail}`));
    await machine.run(engine.start());
    await machine.settle();
    assert.equal(engine.status.kind === 'blocked' && engine.status.code, 'data.io');
    const [diagnosis] = await machine.run(engine.diagnose());
    assert.match(diagnosis?.detail ?? '', /the disk is full \(ENOSPC\)\. Free some space/);
    for (let count = 0; count < 4; count++) {
      await machine.world.clock.advanceMs(15_000);
      await machine.settle();
    }
    assert.deepEqual(statuses, ['starting', 'blocked']);
    assert.equal(notices.length, 1);
    assert.match(
      notices[0] ?? '',
      /^raised store\.unusable Reason: .*the disk is full.*Free some space there\. Agents keep/,
    );
    machine.openError = undefined;
    await machine.world.clock.advanceMs(15_000);
    await machine.until(() => engine.status.kind === 'ready');
    assert.deepEqual([engine.status.kind, engine.notices], ['ready', []]);
    await machine.run(engine.stop());
    assert.deepEqual(statuses, ['starting', 'blocked', 'ready', 'stopped']);
  });

  it('does not look again by itself while a backup is being restored, which the next opening takes', async () => {
    const machine = new WindowedMachine();
    let [prepared, opened] = [false, 0];
    machine.onOpenStore = () => {
      opened += 1;
      if (!prepared) throw new DataError('data.io', 'the folder cannot be written');
    };
    const prepareRestore: StoreKeeper['prepareRestore'] = async (file) => {
      await sleep(machine.world.clock, 40_000);
      prepared = true;
      return { file, sizeBytes: 1, seq: 5, records: 2 };
    };
    machine.storeKeeper = { prepareRestore } as StoreKeeper; // nothing else of it is asked
    const engine = machine.window(1);
    await machine.run(engine.start());
    await machine.settle();
    const restoring = engine.restoreData('/backup.db', () => undefined, new AbortController().signal);
    await machine.world.clock.advanceMs(39_000);
    assert.deepEqual([opened, engine.status.kind], [1, 'blocked']);
    await machine.world.clock.advanceMs(1_000);
    await machine.run(restoring);
    await machine.settle();
    assert.deepEqual([opened, engine.status.kind], [2, 'ready']);
    await machine.run(engine.stop());
  });

  it('does not look again by itself after it was stopped, nor when only a person can help', async () => {
    const machine = new WindowedMachine();
    let opened = 0;
    machine.onOpenStore = () => {
      opened += 1;
      throw new DataError(opened === 1 ? 'data.io' : 'data.newerSchema', 'no');
    };
    const engine = machine.window(1);
    await machine.run(engine.start());
    await machine.settle();
    await machine.run(engine.stop());
    await machine.world.clock.advanceMs(60_000);
    assert.deepEqual([engine.status.kind, opened], ['stopped', 1]);
    await machine.run(engine.start());
    await machine.settle();
    await machine.world.clock.advanceMs(60_000);
    assert.deepEqual([engine.status.kind, opened], ['blocked', 2]);
    await machine.run(engine.stop());
  });
});
