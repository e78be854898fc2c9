import { resolve } from 'node:path';
import { type ImportReason, type ImportReport, importWarnings, reasonText } from '../shared/importReport';
import type { VerbContext } from './context';
import { CliError, ExitCode, usageError } from './exitCodes';
import { cleanLine } from './terminalText';

/** Lines of agents and of records that are shown; `--json` has all that the engine tells. */
const MAX_SHOWN = 50;
const MAX_LINE = 2_000;
/** Of what is told by a sentence of its own. */
const MAX_TITLES = 5;

/** `orc data import FILE [--yes] [--replace] [--skip-invalid] [--accept-changed]`: the report, and with `--yes` what it tells. */
export async function importFile(context: VerbContext): Promise<ExitCode> {
  const name = context.operand(1);
  if (name === '') throw usageError('import takes the FILE to read', 'orc data import --help tells more.');
  const request = { file: resolve(context.terminal.cwd, name), replace: context.has('replace') };
  const found = (await context.call('data.import', request)) as ImportReport; // the engine's own
  if (!context.has('yes')) {
    context.answer(found, () => `${textOf(found)}\n\n${nextOf(found)}`);
    return ExitCode.Ok;
  }
  const consent = { skipInvalid: context.has('skip-invalid'), acceptChanged: context.has('accept-changed') };
  requireConsent(found, consent);
  const apply = { ...request, ...consent, apply: found.fingerprint };
  const done = (await context.call('data.import', apply)) as ImportReport; // as above
  context.answer(done, () => `${textOf(done)}\n\n${countText(writtenOf(done))} imported. Nothing was started.`);
  return ExitCode.Ok;
}

/** Says what the engine would refuse, with the option that agrees to it. @throws {CliError} Refused */
function requireConsent(
  { integrity, counts }: ImportReport,
  { skipInvalid, acceptChanged }: { readonly skipInvalid: boolean; readonly acceptChanged: boolean },
): void {
  if (isOther(integrity) && !acceptChanged)
    throw new CliError(
      ExitCode.Refused,
      `nothing was imported: the file was ${integrity} after it was exported`,
      'Export again, or take it as it is with --accept-changed.',
      { code: 'exchange.notWhole' },
    );
  if (counts.invalid > 0 && !skipInvalid)
    throw new CliError(
      ExitCode.Refused,
      `nothing was imported: ${counts.invalid} of its records are not valid`,
      'Without --yes they are shown; --skip-invalid leaves them out.',
      { code: 'exchange.invalidRecords' },
    );
}

/** It is not as it was exported. */
function isOther(integrity: ImportReport['integrity']): boolean {
  return integrity === 'changed' || integrity === 'cut';
}

function writtenOf({ counts }: ImportReport): number {
  return counts.new + counts.replaced;
}

function countText(count: number): string {
  return count === 1 ? '1 record is' : `${count} records are`;
}

function nextOf(report: ImportReport): string {
  const { counts, integrity } = report;
  const stays = counts.conflicting > 0 ? ' What differs stays as it is here; see --replace.' : '';
  if (writtenOf(report) === 0) return `There is nothing to import.${stays}`;
  const options = [
    '--yes',
    ...(counts.invalid > 0 ? ['--skip-invalid'] : []),
    ...(isOther(integrity) ? ['--accept-changed'] : []),
  ];
  return `Nothing was written. With ${options.join(' ')} ${countText(writtenOf(report))} imported.${stays}`;
}

function countsText(counts: ImportReport['countsByKind'][string]): string {
  return Object.entries(counts)
    .flatMap(([verdict, count]) => (count > 0 ? [`${count} ${verdict}`] : []))
    .join(', ');
}

/** Every text that may come from the file is cleaned. */
function textOf(report: ImportReport): string {
  const { counts, entries, agents, countsByReason } = report;
  const lines: string[] = [];
  const add = (text: string, indent = '  '): unknown => lines.push(indent + cleanLine(text, MAX_LINE));
  add(`${report.records} records in ${report.file}: ${countsText(counts) || 'none'}`, '');
  for (const warning of importWarnings(report)) add(warning, '! ');
  for (const [kind, byVerdict] of Object.entries(report.countsByKind)) add(`${kind}: ${countsText(byVerdict)}`);
  for (const [reason, count] of Object.entries(countsByReason)) {
    add(`${count} left out: ${reasonText(reason as ImportReason)}`); // its keys are
    const titles = entries.flatMap((entry) => (entry.reason === reason && entry.title ? [entry.title] : []));
    for (const title of titles.slice(0, MAX_TITLES)) add(title, '    ');
    if (titles.length > MAX_TITLES) add(`and ${count - MAX_TITLES} more`, '    ');
  }
  for (const { id, name, typeId, command, folder } of agents.slice(0, MAX_SHOWN))
    add(`agent ${id} (${name}) would run: ${[typeId, ...command].join(' ')}, in ${folder}`);
  const others = entries.filter(({ title }) => !title);
  for (const { record, kind, id, verdict, reason, problems = [], changes = [] } of others.slice(0, MAX_SHOWN)) {
    const why = [
      ...(reason ? [reasonText(reason)] : []),
      ...problems.map(({ path, message, code }) => `${path} ${message} (${code})`),
      ...changes,
    ];
    add(`record ${record}, ${kind} ${id}: ${verdict}${why.length > 0 ? `: ${why.join('; ')}` : ''}`);
  }
  const more = Math.max(others.length, agents.length) - MAX_SHOWN;
  if (more > 0 || report.isCut) add('… and more; --json tells of more');
  return lines.join('\n');
}
