import type { DataStatus, Engine, IntegrityFinding, IntegrityReport } from '../../core/engine';
import { bySeverity, findingKey } from '../../core/data/integrity/integrityReport';
import { damageAdvice } from '../commands/maintenanceText';
import { COMMAND_TITLES } from '../commandTitles';
import { CommandId } from '../manifest';
import type { Choice, DocumentsPort, WindowPort } from '../notices/windowPort';
import { escapeMarkdown } from '../plainText';

export interface IntegrityFindingsParts {
  readonly engine: Pick<Engine, 'fixIntegrity' | 'dataStatus'>;
  readonly window: WindowPort;
  readonly documents: DocumentsPort;
}

const REPORT = 'report';
const RESTORE = 'restore';
const SHOW_FINDINGS = 'Show Findings';
const SHOW_REPORT = 'Show Report';
const RESTORE_FROM = 'Restore from Backup…';
/** A quick pick with more is of no use; the report has all. */
const MAX_LISTED = 200;

/**
 * Shows what a check has found. One message where nothing is wrong; else a list from which one finding after the other is
 * dealt with: what the engine can do is done after a question, for the rest it says what a person can do.
 */
export class IntegrityFindings {
  constructor(private readonly parts: IntegrityFindingsParts) {}

  /** Resolves when the person is done. Rejects with what a fix throws; the others are shown again by a new check. */
  async show(report: IntegrityReport): Promise<void> {
    const { window } = this.parts;
    const told = report.findings.filter(({ severity }) => severity !== 'info');
    if (report.isWhole) {
      const more = report.findings.map(({ message }) => ` But ${message}.`).join('');
      return void (await window.show(
        'information',
        `Everything that is kept is whole: ${countsText(report)}.${more}`,
        [],
      ));
    }
    const found = told.length === 1 ? 'one thing' : `${report.isCut ? 'more than ' : ''}${told.length} things`;
    const what = isDamaged(report) ? 'The store is damaged: the check found' : 'The check found';
    const text = `${what} ${found} in ${countsText(report)}. Nothing was changed.`;
    const isError = told.some(({ severity }) => severity === 'error');
    const buttons = [...(isDamaged(report) ? [RESTORE_FROM] : []), SHOW_FINDINGS, SHOW_REPORT];
    const answer = await window.show(isError ? 'error' : 'warning', text, buttons);
    if (answer === RESTORE_FROM) window.run(CommandId.Restore);
    if (answer === SHOW_FINDINGS) await this.#work(report);
    if (answer === SHOW_REPORT) await this.#showReport(report);
  }

  async #work(report: IntegrityReport): Promise<void> {
    const { window } = this.parts;
    const open = new Map(report.findings.map((finding) => [findingKey(finding), finding]));
    while (open.size > 0) {
      const chosen = await window.choose(
        COMMAND_TITLES[CommandId.CheckIntegrity],
        'Choose one to deal with it. Nothing is changed without a question.',
        choices(report, [...open.values()]),
      );
      if (chosen === undefined) return;
      if (chosen === REPORT) return void (await this.#showReport(report));
      if (chosen === RESTORE) return window.run(CommandId.Restore);
      const finding = open.get(chosen);
      if (finding && (await this.#dealWith(finding))) {
        // One comparison with tmux settles all that is about sessions.
        for (const [key, { fix }] of open)
          if (key === chosen || (finding.fix.kind === 'reconcile' && fix.kind === 'reconcile')) open.delete(key);
      }
    }
    await window.show('information', 'Every finding was dealt with. Check again to be sure.', []);
  }

  /** True when it is done. */
  async #dealWith(finding: IntegrityFinding): Promise<boolean> {
    const { engine, window } = this.parts;
    const { fix } = finding;
    if (fix.kind === 'advice') {
      await window.confirm(sentence(finding), fix.text, ['OK']);
      return false;
    }
    const detail =
      fix.kind === 'deleteRecord'
        ? 'It is removed only if it still is what the check has seen. It can be had back from a backup only.'
        : 'As after a start: what lives is adopted and not started again, what has ended is recorded as ended, and what was to be stopped is stopped.';
    if ((await window.confirm(sentence(finding), detail, ['Leave as It Is', fix.label])) !== fix.label) return false;
    const done = await engine.fixIntegrity(fix);
    await window.show('information', done, []);
    return true;
  }

  async #showReport(report: IntegrityReport): Promise<void> {
    const { engine, documents } = this.parts;
    const status = isDamaged(report) ? await engine.dataStatus() : undefined;
    await documents.show('Core Orchestrator Store.md', integrityText(report, status));
  }
}

function choices(report: IntegrityReport, findings: readonly IntegrityFinding[]): readonly Choice[] {
  const listed = bySeverity(findings)
    .slice(0, MAX_LISTED)
    .map((finding) => ({
      id: findingKey(finding),
      label: finding.fix.kind === 'advice' ? finding.message : `Fix: ${finding.message}`,
      description: placeOf(finding),
      detail: finding.fix.kind === 'advice' ? finding.fix.text : finding.fix.label,
    }));
  return [
    ...listed,
    ...(isDamaged(report)
      ? [{ id: RESTORE, label: RESTORE_FROM, description: 'a backup from before the damage' }]
      : []),
    { id: REPORT, label: 'Show Report', description: 'all findings as text' },
  ];
}

/** The report as Markdown; everything that comes from records is text in it. */
export function integrityText(report: IntegrityReport, status?: DataStatus): string {
  const lines = report.findings.map(
    (finding) =>
      `- **${finding.severity}** \`${finding.code}\` ${escapeMarkdown(placeOf(finding))} – ${escapeMarkdown(finding.message)}. ${escapeMarkdown(
        finding.fix.kind === 'advice' ? finding.fix.text : `Fix: ${finding.fix.label}.`,
      )}`,
  );
  const settled =
    report.settled === 0
      ? ''
      : `\n\n${report.settled} more were about records that were written during the check, and are not told: check again.`;
  const head = `# Core Orchestrator: Store\n\n${countsText(report)}. Nothing was changed.`;
  const body = lines.length === 0 ? 'Nothing was found.' : lines.join('\n');
  return `${head}\n\n${body}${report.isCut ? '\n\nThere were more.' : ''}${settled}\n${status ? `\n${damageAdvice(status).join('\n')}\n` : ''}`;
}

/** The file itself: more than single records may be affected. */
function isDamaged({ findings }: IntegrityReport): boolean {
  return findings.some(({ code, severity }) => code.startsWith('check.') && severity === 'error');
}

function countsText({ records, changes, sessions }: IntegrityReport): string {
  return `${records} records, ${changes} changes, ${sessions === undefined ? 'tmux not asked' : `${sessions} sessions`}`;
}

function placeOf({ kind = '', id = '', path = '' }: IntegrityFinding): string {
  return [kind, id, path].filter((part) => part !== '').join(' ');
}

function sentence(finding: IntegrityFinding): string {
  const place = placeOf(finding);
  return place === '' ? `${finding.message}.` : `${place}: ${finding.message}.`;
}
