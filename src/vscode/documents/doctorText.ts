import type { DoctorReport } from '../../core/engine';
import { escapeMarkdown } from '../plainText';
import { diagnosisLines } from './setupText';

/** The report of Run Doctor: for each type what works with the program that is installed here, problems first. */
export function doctorText(reports: readonly DoctorReport[], failures: readonly DoctorFailure[]): string {
  const lines = ['# Core Orchestrator: Doctor', ''];
  if (reports.length + failures.length === 0) lines.push('No type was checked.');
  for (const report of reports) {
    const problems = report.checks.filter(({ level }) => level === 'warning' || level === 'error').length;
    lines.push(`## ${escapeMarkdown(report.typeId)}`, '');
    lines.push(...versionLines(report));
    lines.push(
      problems === 0
        ? '- nothing is degraded'
        : `- degraded or not checked: ${problems} of ${report.checks.length} checks`,
    );
    lines.push('', ...diagnosisLines(report.checks), '');
  }
  for (const { typeId, reason } of failures)
    lines.push(`## ${escapeMarkdown(typeId)}`, '', `Not checked: ${escapeMarkdown(reason)}`, '');
  return `${lines.join('\n').trimEnd()}\n`;
}

function versionLines({ programVersion, knownVersions }: DoctorReport): readonly string[] {
  const found = `- program version: ${escapeMarkdown(programVersion ?? 'could not be asked')}`;
  if (knownVersions.length > 0)
    return [found, `- its screens and hooks were seen on: ${escapeMarkdown(knownVersions.join(', '))}`];
  const unchecked = '- no version is checked for this type';
  return programVersion === undefined ? [unchecked] : [found, unchecked];
}

export interface DoctorFailure {
  readonly typeId: string;
  readonly reason: string;
}
