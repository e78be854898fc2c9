import { extname, resolve } from 'node:path';
import { textOf } from './commandLine';
import type { VerbContext } from './context';
import { CliError, ExitCode } from './exitCodes';
import { cleanLine } from './terminalText';

/** What `data.export` answers. */
interface ExportAnswer {
  readonly file: string;
  readonly records: number;
  readonly isRedacted: boolean;
}

const FORMATS = ['json', 'ndjson', 'csv', 'markdown'] as const;
type Format = (typeof FORMATS)[number];
const BY_ENDING: Readonly<Record<string, Format>> = {
  '.json': 'json',
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.csv': 'csv',
  '.md': 'markdown',
};

/** `orc data export FILE` */
export async function data(context: VerbContext): Promise<ExitCode> {
  const action = context.operand(0);
  if (action !== 'export')
    throw new CliError(
      ExitCode.Usage,
      `"${cleanLine(action)}" is nothing that data does`,
      'It does: data export FILE.',
    );
  const name = context.operand(1);
  const report = (await context.engine().call('data.export', {
    file: resolve(context.terminal.cwd, name),
    format: formatOf(name, textOf(context.line, 'format')),
    withSecrets: context.has('with-secrets'),
    overwrite: context.has('replace'),
  })) as ExportAnswer; // the engine's own
  const secrets = report.isRedacted ? 'secrets were left out' : 'with secrets: keep it safe';
  context.answer(report, () => `${report.records} records in ${cleanLine(report.file, 400)}; ${secrets}`);
  return ExitCode.Ok;
}

/** @throws {CliError} Usage */
function formatOf(file: string, given: string | undefined): Format {
  const format = given === undefined ? BY_ENDING[extname(file).toLowerCase()] : FORMATS.find((each) => each === given);
  if (format) return format;
  const advice = `--format takes ${FORMATS.join(', ')}; the endings .json, .ndjson, .csv and .md need none.`;
  throw new CliError(ExitCode.Usage, 'the format of the export is not known', advice);
}
