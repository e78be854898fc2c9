import type { DoctorReport } from '../../core/engine';
import { diagnosisLines } from './setupText';

/** The report of Run Doctor: for each type what works with the program that is installed here, problems first. */
export function doctorText(reports: readonly DoctorReport[], failures: readonly DoctorFailure[]): string {
  const lines = ['# Core Orchestrator: Doctor', ''];
  if (reports.length + failures.length === 0) lines.push('No type was checked.');
  for (const report of reports) {
    const problems = report.checks.filter(({ level }) => level === 'warning' || level === 'error').length;
    lines.push(`## ${report.typeId}`, '');
    lines.push(`- program version: ${oneLine(report.programVersion ?? 'could not be asked')}`);
    const known = report.knownVersions.map(oneLine).join(', ');
    lines.push(`- its screens and hooks were seen on: ${known === '' ? 'no version (any program)' : known}`);
    lines.push(problems === 0 ? '- nothing is degraded' : `- degraded: ${problems} of ${report.checks.length} checks`);
    lines.push('', ...diagnosisLines(report.checks), '');
  }
  for (const { typeId, reason } of failures) lines.push(`## ${typeId}`, '', `Not checked: ${oneLine(reason)}`, '');
  return `${lines.join('\n').trimEnd()}\n`;
}

export interface DoctorFailure {
  readonly typeId: string;
  readonly reason: string;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
