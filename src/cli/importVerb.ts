import { resolve } from 'node:path';
import { IMPORT_VERDICTS, type ImportReport, importWarnings, reasonText } from '../shared/importReport';
import type { VerbContext } from './context';
import { CliError, ExitCode, usageError } from './exitCodes';
import { cleanLine } from './terminalText';

/** Lines of agents and of records that are shown; `--json` has all that the engine tells. */
const MAX_SHOWN = 50;

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
  const isOther = integrity === 'changed' || integrity === 'cut';
  if (isOther && !acceptChanged)
    throw new CliError(
      ExitCode.Refused,
      `nothing was imported: the file was ${integrity === 'cut' ? 'cut' : 'changed'} after it was exported`,
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
    ...(integrity === 'changed' || integrity === 'cut' ? ['--accept-changed'] : []),
  ];
  return `Nothing was written. With ${options.join(' ')} ${countText(writtenOf(report))} imported.${stays}`;
}

/** Every text that may come from the file is cleaned. */
function textOf(report: ImportReport): string {
  const { counts, entries, agents, countsByReason } = report;
  const total = IMPORT_VERDICTS.filter((verdict) => counts[verdict] > 0).map(
    (verdict) => `${counts[verdict]} ${verdict}`,
  );
  const lines = [`${report.records} records in ${cleanLine(report.file, 400)}: ${total.join(', ') || 'none'}`];
  lines.push(...importWarnings(report).map((warning) => `! ${warning}`));
  for (const [kind, byVerdict] of Object.entries(report.countsByKind)) {
    const parts = IMPORT_VERDICTS.flatMap((verdict) =>
      byVerdict[verdict] ? [`${byVerdict[verdict]} ${verdict}`] : [],
    );
    lines.push(`  ${cleanLine(kind)}: ${parts.join(', ')}`);
  }
  for (const reason of Object.keys(countsByReason) as (keyof typeof countsByReason)[])
    lines.push(`  ${countsByReason[reason] ?? 0} left out: ${reasonText(reason)}`);
  for (const agent of agents.slice(0, MAX_SHOWN)) {
    const how = [agent.typeId, ...agent.command].map((part) => cleanLine(part, 400)).join(' ');
    lines.push(
      `  agent ${cleanLine(agent.id)} (${cleanLine(agent.name)}) would run: ${how}, in ${cleanLine(agent.folder, 400)}`,
    );
  }
  for (const { record, kind, id, verdict, reason, problems = [], changes = [] } of entries.slice(0, MAX_SHOWN)) {
    const why = [
      ...(reason ? [reasonText(reason)] : []),
      ...problems.map(
        ({ path, message, code }) => `${cleanLine(path, 200)} ${cleanLine(message, 200)} (${cleanLine(code)})`,
      ),
      ...changes.map((change) => cleanLine(change, 300)),
    ];
    lines.push(
      `  record ${record}, ${cleanLine(kind)} ${cleanLine(id)}: ${verdict}${why.length > 0 ? `: ${why.join('; ')}` : ''}`,
    );
  }
  const more = Math.max(entries.length, agents.length) - MAX_SHOWN;
  if (more > 0 || report.isCut) lines.push('  … and more; --json tells of more');
  return lines.join('\n');
}
