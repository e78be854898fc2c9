import { IMPORT_VERDICTS, type ImportReport, importWarnings, reasonText } from '../../shared/importReport';
import { localTime } from '../documents/localTime';
import { escapeMarkdown } from '../plainText';

/** Records that an import of this report writes. */
export function writtenBy({ counts }: ImportReport): number {
  return counts.new + counts.replaced;
}

/** `1 record`, `3 records`. */
export function recordsText(count: number): string {
  return count === 1 ? '1 record' : `${count} records`;
}

/** Everything a person must know before it is written: counts and warnings, no texts of the file but names of agents. */
export function importDetail(report: ImportReport): string {
  const { counts, agents, exportedAtMs } = report;
  const words: Readonly<Record<(typeof IMPORT_VERDICTS)[number], string>> = {
    new: 'new',
    identical: 'there already, equal',
    conflicting: 'there already and different: those here stay',
    replaced: 'there already and different: replaced',
    invalid: 'not valid: left out',
    skipped: 'never imported, or not together with the others',
  };
  const when = exportedAtMs === null ? '' : ` of ${localTime(exportedAtMs).slice(0, 16)}`;
  const names = agents.slice(0, 5).map(({ name }) => name);
  const more = agents.length > names.length ? ` and ${agents.length - names.length} more` : '';
  return [
    `${recordsText(report.records)} in the export${when}:`,
    IMPORT_VERDICTS.filter((verdict) => counts[verdict] > 0)
      .map((verdict) => `${counts[verdict]} ${words[verdict]}`)
      .join('\n'),
    ...(names.length > 0 ? [`Agents: ${names.join(', ')}${more}.`] : []),
    ...importWarnings(report),
    'All of it is written, or nothing. Approvals and agent types of fleet files are never imported.',
  ].join('\n\n');
}

/** The report of an import, as Markdown. Everything that the file says is escaped. */
export function importReportText(report: ImportReport): string {
  const { counts, countsByKind, countsByReason, agents, entries, isCut, isApplied } = report;
  const columns = IMPORT_VERDICTS.filter((verdict) => counts[verdict] > 0);
  const reasons = Object.keys(countsByReason) as (keyof typeof countsByReason)[]; // keys of just this object
  return [
    '# Core Orchestrator: Import',
    '',
    `${isApplied ? 'Imported' : 'What would be imported'} from ${escapeMarkdown(report.file)}. Nothing is started by an import.`,
    '',
    ...importWarnings(report).map((text) => `- ${text}`),
    '',
    '## Records',
    '',
    `| kind | ${columns.join(' | ')} |`,
    `| --- |${columns.map(() => ' ---: |').join('')}`,
    ...Object.entries(countsByKind).map(
      ([kind, found]) => `| ${escapeMarkdown(kind)} | ${columns.map((verdict) => found[verdict] ?? 0).join(' | ')} |`,
    ),
    '',
    ...reasons.map((reason) => `- ${countsByReason[reason] ?? 0} left out: ${reasonText(reason)}.`),
    '',
    ...(agents.length > 0 ? ['## What agents would run', '', ...agents.flatMap(agentText), ''] : []),
    ...(entries.length > 0 ? ['## Not simply new or equal', '', ...entries.map(entryText), ''] : []),
    ...(isCut ? ['There is more than is named here.', ''] : []),
  ].join('\n');
}

function agentText(agent: ImportReport['agents'][number]): readonly string[] {
  const { id, name, typeId, folder, command, env, firstPrompt, isReplaced } = agent;
  const line = (label: string, text: string): string => `  - ${label}: ${escapeMarkdown(text)}`;
  return [
    `- **${escapeMarkdown(name)}** (${escapeMarkdown(id)})${isReplaced ? ', in the place of the one here' : ''}`,
    line('type', typeId),
    line('folder', folder),
    ...(command.length > 0
      ? [line('command and arguments', command.map((part) => JSON.stringify(part)).join(' '))]
      : []),
    ...(env.length > 0 ? [line('environment variables', env.join(', '))] : []),
    ...(firstPrompt === undefined ? [] : [line('first prompt', firstPrompt)]),
  ];
}

function entryText({
  record,
  kind,
  id,
  verdict,
  reason,
  title = id,
  problems = [],
  changes = [],
}: ImportReport['entries'][number]): string {
  const why = [
    ...(reason ? [reasonText(reason)] : []),
    ...problems.map(
      ({ path, message, code }) => `${escapeMarkdown(path)} ${escapeMarkdown(message)} (${escapeMarkdown(code)})`,
    ),
    ...changes.map(escapeMarkdown),
  ];
  const tail = why.length > 0 ? `: ${why.join('; ')}` : '';
  return `- Record ${record}, ${escapeMarkdown(kind)} ${escapeMarkdown(title)}: ${verdict}${tail}`;
}
