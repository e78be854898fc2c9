import type { Diagnosis } from '../../core/engine';
import { escapeMarkdown } from '../plainText';

const marks: Record<Diagnosis['level'], string> = { ok: 'ok', info: 'info', warning: 'WARNING', error: 'PROBLEM' };

/** The report of Check Setup: what was found, problems first, ready to be pasted into a bug report. */
export function setupText(diagnoses: readonly Diagnosis[], windowFacts: readonly Diagnosis[]): string {
  const all = [...diagnoses, ...windowFacts];
  const problems = all.filter((one) => one.level === 'error' || one.level === 'warning');
  const lines = ['# Core Orchestrator: Setup', ''];
  lines.push(
    problems.length === 0
      ? 'Everything needed is there.'
      : `${problems.length} ${problems.length === 1 ? 'thing needs' : 'things need'} attention.`,
  );
  for (const problem of problems) {
    lines.push('', `## ${marks[problem.level]}: ${escapeMarkdown(problem.label)}`, '', escapeMarkdown(problem.detail));
    if (problem.advice !== undefined) lines.push('', escapeMarkdown(problem.advice));
  }
  lines.push('', '## All checks', '');
  for (const one of all) lines.push(diagnosisLine(one));
  return `${lines.join('\n')}\n`;
}

/** One line per check, what needs attention first, each with what to do. */
export function diagnosisLines(diagnoses: readonly Diagnosis[]): readonly string[] {
  return [...diagnoses]
    .sort((a, b) => order.indexOf(a.level) - order.indexOf(b.level))
    .flatMap((one) => [diagnosisLine(one), ...(one.advice === undefined ? [] : [`  - ${escapeMarkdown(one.advice)}`])]);
}

const order: readonly Diagnosis['level'][] = ['error', 'warning', 'info', 'ok'];

function diagnosisLine(one: Diagnosis): string {
  return `- ${marks[one.level]} | ${escapeMarkdown(one.label)}: ${escapeMarkdown(one.detail)}`;
}
