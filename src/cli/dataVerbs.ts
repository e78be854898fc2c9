import { extname, resolve } from 'node:path';
import { textOf } from './commandLine';
import type { VerbContext } from './context';
import { ExitCode, usageError } from './exitCodes';
import { importFile } from './importVerb';
import { check } from './checkVerb';
import { backUp, compact, dataStatus, listBackups, restore } from './maintenanceVerbs';
import { forgetPipeline, listPipelines, listRejected, runPipeline } from './pipelineVerbs';
import { search } from './searchVerb';
import { cleanLine } from './terminalText';

/** What `data.export` answers. */
interface ExportAnswer {
  readonly file: string;
  readonly records: number;
  /** Damaged records, which are not in it. */
  readonly leftOut?: number;
  readonly isRedacted: boolean;
}

const FORMATS = ['json', 'ndjson', 'csv', 'markdown', 'sqlite'] as const;
type Format = (typeof FORMATS)[number];
const BY_ENDING: Readonly<Record<string, Format>> = {
  '.json': 'json',
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.csv': 'csv',
  '.md': 'markdown',
  '.sqlite': 'sqlite',
  '.db': 'sqlite',
};

const ACTIONS: Readonly<Record<string, (context: VerbContext) => Promise<ExitCode>>> = {
  status: dataStatus,
  search,
  backups: listBackups,
  backup: backUp,
  restore,
  check,
  compact,
  export: exportData,
  import: importFile,
  pipelines: listPipelines,
  run: runPipeline,
  rejected: listRejected,
  forget: forgetPipeline,
};

/** `orc data ACTION …` */
export async function data(context: VerbContext): Promise<ExitCode> {
  const name = context.operand(0);
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  const surplus = context.operand(action === runPipeline ? 3 : 2);
  if (surplus !== '' && action !== search)
    throw usageError(`"${cleanLine(surplus)}" is too much`, 'orc data --help tells more.');
  if (action) return action(context);
  const advice = `It does: ${Object.keys(ACTIONS).join(', ')}.`;
  throw usageError(`"${cleanLine(name)}" is nothing that data does`, advice);
}

/** `orc data export FILE` */
async function exportData(context: VerbContext): Promise<ExitCode> {
  const name = context.operand(1);
  if (name === '') throw usageError('export takes the FILE to write', 'orc data export --help tells more.');
  const report = (await context.call('data.export', {
    file: resolve(context.terminal.cwd, name),
    format: formatOf(name, textOf(context.line, 'format')),
    withSecrets: context.has('with-secrets'),
    overwrite: context.has('replace'),
  })) as ExportAnswer; // the engine's own
  const secrets = report.isRedacted
    ? 'without what looks like a secret and values of environment variables'
    : 'with secrets: keep it safe';
  const damaged = report.leftOut ? `; ${report.leftOut} damaged records are not in it` : '';
  context.answer(report, () => `${report.records} records in ${cleanLine(report.file)}; ${secrets}${damaged}`);
  return ExitCode.Ok;
}

/** @throws {CliError} Usage */
function formatOf(file: string, given: string | undefined): Format {
  const format = given === undefined ? BY_ENDING[extname(file).toLowerCase()] : FORMATS.find((each) => each === given);
  if (format) return format;
  const advice = `--format takes ${FORMATS.join(', ')}; the endings .json, .ndjson, .csv, .md and .sqlite need none.`;
  throw usageError('the format of the export is not known', advice);
}
