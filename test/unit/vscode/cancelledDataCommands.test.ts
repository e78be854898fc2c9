import assert from 'node:assert/strict';
import { EngineError } from '../../../src/core/engineErrors';
import type { FleetStep } from '../../../src/core/engine';
import { GatewayError } from '../../../src/core/gateway/gatewayErrors';
import { ImportDesk } from '../../../src/vscode/commands/importDesk';
import { MaintenanceDesk } from '../../../src/vscode/commands/maintenanceDesk';
import { runExport } from '../../../src/vscode/commands/runExport';
import { FakeEngine } from '../../support/fakeEngine';
import { FakeDocuments, FakeWindow } from '../../support/fakeWindow';
import { ManualClock } from '../../support/manualClock';

type LongCall =
  | 'exportData'
  | 'importData'
  | 'backUpData'
  | 'inspectBackup'
  | 'restoreData'
  | 'checkIntegrity'
  | 'compactData';

describe('a data command that a person cancels', () => {
  function createFixture() {
    const [engine, window, documents] = [new FakeEngine(), new FakeWindow(), new FakeDocuments()];
    const parts = { engine, window, documents, askForFile: async () => '/disk/file' };
    const importDesk = new ImportDesk(parts);
    const desk = new MaintenanceDesk({ ...parts, clock: new ManualClock(), folders: () => [] });
    engine.simulateReady();
    let calls = 0;
    /** This call of the engine, from the `nth` on, goes on until it is aborted, and ends as `failure` says. */
    const hang = (
      name: LongCall,
      failure: (signal: AbortSignal) => unknown = ({ reason }) => reason,
      nth = 1,
    ): void => {
      const plain = engine[name].bind(engine) as (...given: readonly unknown[]) => Promise<never>;
      const call = async (...given: readonly unknown[]): Promise<never> => {
        if (++calls < nth) return plain(...given);
        const tell = given.at(-2) as (step: FleetStep) => void; // as each of them takes it
        const signal = given.at(-1);
        assert.ok(signal instanceof AbortSignal, `${name} gets no signal`);
        tell({ name: 'half', done: 1, total: 2 });
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(failure(signal))));
      };
      Object.assign(engine, { [name]: call });
    };
    const cancelOnce = async (work: Promise<unknown>): Promise<void> => {
      for (let turn = 0; turn < 50 && !window.shown.at(-1)?.startsWith('going on: '); turn++) await Promise.resolve();
      assert.match(window.shown.at(-1) ?? '', /^going on: (half, 50 %|1 records?)$/);
      assert.ok(window.cancel, 'there is a Cancel');
      window.cancel();
      await work;
    };
    return { engine, window, desk, importDesk, hang, cancelOnce };
  }
  type Fixture = ReturnType<typeof createFixture>;
  const request = { file: '/disk/file', format: 'ndjson' } as const;

  const commands: readonly (readonly [
    command: string,
    call: LongCall,
    answers: readonly string[],
    run: (fixture: Fixture) => Promise<unknown>,
    told: string,
    nth?: number,
  ])[] = [
    ['exportData', 'exportData', [], ({ engine, window }) => runExport({ engine, window }, request), 'Exporting data was cancelled. No file was written.'],
    ['importData', 'importData', [], ({ importDesk }) => importDesk.import(), 'Looking at the export was cancelled. Nothing was imported.'],
    ['importData', 'importData', ['Import 1 record'], ({ importDesk }) => importDesk.import(), 'Importing data was cancelled. Nothing was imported.', 2],
    ['backup', 'backUpData', ['kept'], ({ desk }) => desk.backUp(), 'Backing up the store was cancelled. No backup was made.'],
    ['restore', 'inspectBackup', ['file'], ({ desk }) => desk.restore(), 'Looking at the backup was cancelled. Nothing was changed.'],
    ['restore', 'restoreData', ['file', 'Restore'], ({ desk }) => desk.restore(), 'Restoring a backup was cancelled. The store is as it was.'],
    ['checkIntegrity', 'checkIntegrity', [], ({ desk }) => desk.check(), 'Checking the store was cancelled. Nothing was changed.'],
    ['compact', 'compactData', [], ({ desk }) => desk.compact(), 'Compacting the store was cancelled. Nothing is lost; the rest can be given back another time.'],
  ]; // prettier-ignore
  for (const [command, call, answers, run, told, nth] of commands) {
    it(`ends in the engine, and is told as cancelled: ${command}, in ${call}${nth ? ` for the ${nth}nd time` : ''}`, async () => {
      const fixture = createFixture();
      fixture.hang(call, undefined, nth);
      fixture.window.nextAnswers.push(...answers);
      await fixture.cancelOnce(run(fixture));
      assert.equal(fixture.window.shown.at(-1), `information: ${told} []`);
    });
  }

  it('is told the same when another process does the work', async () => {
    const { desk, window, hang, cancelOnce } = createFixture();
    hang('checkIntegrity', () => new GatewayError('gateway.canceled', 'canceled by the caller'));
    await cancelOnce(desk.check());
    assert.match(window.shown.at(-1) ?? '', /^information: Checking the store was cancelled\./);
  });

  it('that fails after the Cancel is told as what it is', async () => {
    const { desk, window, hang, cancelOnce } = createFixture();
    hang('compactData', () => new EngineError('engine.stopped', 'it ended'));
    await assert.rejects(cancelOnce(desk.compact()), /it ended/);
    assert.equal(window.shown.some((text) => text.includes('cancelled')), false); // prettier-ignore
  });
});
