import type { Engine, ImportReport, ImportRequest } from '../../core/engine';
import type { DocumentsPort, WindowPort } from '../notices/windowPort';
import { demandControl } from './control';
import { importDetail, importReportText, recordsText, writtenBy } from './importText';
import { runCancellable } from './runCancellable';

export interface ImportDeskParts {
  readonly engine: Pick<Engine, 'status' | 'importData'>;
  readonly window: WindowPort;
  readonly documents: DocumentsPort;
  /** Asks for the file; undefined when it was cancelled. @throws {ExchangeError} exchange.fileUnusable when it is not on the agents' machine */
  readonly askForFile: (title: string) => Promise<string | undefined>;
}

const TITLE = 'Import Data';
const SHOW_REPORT = 'Show Report';
const KEEP = 'keep';
const REPLACE = 'replace';

/** Brings back what an export holds: looks, tells, asks, and then writes all of it or nothing. */
export class ImportDesk {
  constructor(private readonly parts: ImportDeskParts) {}

  async import(): Promise<void> {
    const { engine, askForFile } = this.parts;
    demandControl(engine);
    const file = await askForFile(TITLE);
    if (file === undefined) return;
    const found = await this.#run('Looking at the export', { file });
    const request = found && (await this.#chosen(found));
    const asked = request?.replace ? await this.#run('Looking at the export', request) : found;
    if (request && asked) await this.#ask(asked, request);
  }

  /** What becomes of records that are here already; undefined when it was cancelled. */
  async #chosen({ file, counts, countsByReason }: ImportReport): Promise<ImportRequest | undefined> {
    if (counts.conflicting - (countsByReason.damagedHere ?? 0) <= 0) return { file };
    const answer = await this.parts.window.choose(TITLE, `${recordsText(counts.conflicting)} here are different`, [
      { id: KEEP, label: 'Keep Those Here', description: 'only what is new comes in' },
      {
        id: REPLACE,
        label: 'Replace Those Here',
        description: 'not of agents that are in use, nor by what lost its secrets',
      },
    ]);
    return answer === undefined ? undefined : { file, replace: answer === REPLACE };
  }

  async #ask(report: ImportReport, request: ImportRequest): Promise<void> {
    const { window, documents } = this.parts;
    const show = (shown: ImportReport): Promise<unknown> =>
      documents.show('Core Orchestrator Import.md', importReportText(shown), 'import');
    const count = writtenBy(report);
    if (count === 0) {
      const text = 'There is nothing to import: what can be is here already.';
      if ((await window.show('information', text, [SHOW_REPORT])) === SHOW_REPORT) await show(report);
      return;
    }
    const go = `Import ${recordsText(count)}`;
    let answer = await window.confirm(`${go}?`, importDetail(report), [SHOW_REPORT, go]);
    if (answer === SHOW_REPORT) {
      await show(report);
      answer = await window.show('information', `${go} as the report tells?`, [go]);
    }
    if (answer !== go) return;
    // All that these let pass was told.
    const consent = { apply: report.fingerprint, skipInvalid: true, acceptChanged: true };
    const done = await this.#run('Importing data', { ...request, ...consent });
    if (!done) return;
    const text = `Imported ${recordsText(writtenBy(done))}. Agents that came in are stopped.`;
    if ((await window.show('information', text, [SHOW_REPORT])) === SHOW_REPORT) await show(done);
  }

  /** Undefined when the person cancelled it, which was told then. */
  #run(title: string, request: ImportRequest): Promise<ImportReport | undefined> {
    const { engine, window } = this.parts;
    return runCancellable(window, {
      ...{ title, afterCancel: 'Nothing was imported.' },
      words: ({ done }) => recordsText(done),
      run: (tell, signal) => engine.importData(request, tell, signal),
    });
  }
}
