import assert from 'node:assert/strict';
import type { ImportReport } from '../../../src/core/engine';
import { ImportDesk } from '../../../src/vscode/commands/importDesk';
import { importReportText } from '../../../src/vscode/commands/importText';
import { FakeEngine } from '../../support/fakeEngine';
import { FakeWindow } from '../../support/fakeWindow';
import { anImportReport } from '../../support/importReports';

describe('Import Data', () => {
  let engine: FakeEngine;
  let window: FakeWindow;
  let documents: string[];
  let file: string | undefined;
  beforeEach(() => {
    engine = new FakeEngine();
    engine.simulateStatus({ kind: 'ready', epoch: 1, tmuxVersion: '3.3a', isTmuxLost: false, isReadOnly: false });
    window = new FakeWindow();
    documents = [];
    file = '/project/export.ndjson';
  });

  async function run(report: Partial<ImportReport> = {}): Promise<void> {
    engine.importReport = anImportReport(report);
    const show = async (_name: string, text: string): Promise<void> => void documents.push(text);
    const desk = new ImportDesk({
      ...{ engine, window, askForFile: async () => file },
      documents: { show, close: async () => undefined },
    });
    await desk.import();
  }
  const fingerprint = 'f'.repeat(64);

  it('writes nothing before the person has seen what it would do, and only that', async () => {
    await run();
    assert.deepEqual(engine.calls, ['importData /project/export.ndjson']);
    const [, question] = window.shown;
    assert.match(question ?? '', /^confirm: Import 1 record\? \[Show Report\|Import 1 record\]/);
    for (const part of [/1 new\n1 there already, equal/, /Agents: Scout\./, /Secrets were left out/, /come in stopped/])
      assert.match(question ?? '', part);
    engine.calls.length = 0;
    window.nextAnswers.push('Import 1 record');
    await run();
    assert.deepEqual(engine.calls, [
      'importData /project/export.ndjson',
      `importData /project/export.ndjson ${fingerprint}`,
    ]);
    assert.match(window.shown.at(-1) ?? '', /^information: Imported 1 record\. Agents that came in are stopped\./);
  });

  it('shows the report as a document, and asks again beside it', async () => {
    window.nextAnswers.push('Show Report', 'Import 1 record', 'Show Report');
    await run();
    assert.equal(documents.length, 2);
    assert.match(documents[0] ?? '', /What would be imported[\s\S]*command and arguments: "sh" "-c" "make"/);
    assert.match(documents[1] ?? '', /^# Core Orchestrator: Import\n\nImported from /);
    assert.equal(engine.calls.at(-1), `importData /project/export.ndjson ${fingerprint}`);
  });

  it('asks what becomes of records that are here already', async () => {
    const counts = { new: 0, identical: 0, conflicting: 2, replaced: 0, invalid: 0, skipped: 0 };
    window.nextAnswers.push(undefined);
    await run({ counts });
    assert.deepEqual(engine.calls, ['importData /project/export.ndjson']);
    window.nextAnswers.push('replace');
    await run({ counts });
    assert.equal(engine.calls.at(-1), 'importData /project/export.ndjson replacing');
    assert.match(window.shown.at(-1) ?? '', /nothing to import/);
  });

  it('does nothing without a file, and says why nothing can be changed from here', async () => {
    file = undefined;
    await run();
    assert.deepEqual(engine.calls, []);
    engine.simulateStatus({ kind: 'restricted' });
    await assert.rejects(run(), /engine\.restricted/);
  });

  it('S6 makes no markup of what a file says', () => {
    const evil = '[x](command:y) <img src=x> | # `code`\n# head';
    const entry = {
      ...{ record: 1, kind: evil, id: evil, verdict: 'invalid' as const },
      problems: [{ path: evil, rule: evil, code: evil, message: evil }],
    };
    const agent = {
      ...{ id: evil, name: evil, typeId: evil, folder: evil, command: [evil], env: [evil], firstPrompt: evil },
      isReplaced: true,
    };
    const text = importReportText(
      anImportReport({ file: evil, entries: [entry], agents: [agent], countsByKind: { [evil]: { new: 1 } } }),
    );
    assert.doesNotMatch(text, /(^|[^\\])<img|(^|[^\\])\]\(command|^# head|(^|[^\\])`code/m);
  });
});
