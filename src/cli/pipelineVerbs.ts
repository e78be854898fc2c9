import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { VerbContext } from './context';
import { ExitCode, usageError } from './exitCodes';
import { cleanLine, formatTable } from './terminalText';

/** As kinds of steps, and pipelines, are called; anything else is a file. */
const NAME = /^[A-Za-z][A-Za-z0-9._-]{0,99}$/;
const MAX_FILE = 60 * 1024;
const PIPELINES_ADVICE = '`orc data pipelines` lists those that are kept.';

interface RunAnswer {
  readonly name: string;
  readonly file: string;
  readonly in: number;
  readonly out: number;
  readonly rejected: number;
}

/** `orc data pipelines` */
export async function listPipelines(context: VerbContext): Promise<ExitCode> {
  const pipelines = (await context.call('data.pipelines', {})) as readonly {
    readonly name: string;
    readonly version: number;
    readonly description?: string;
    readonly steps: readonly { readonly use: string }[];
  }[]; // the engine's own
  context.answer({ pipelines }, () => {
    if (pipelines.length === 0) return 'no pipelines yet; `orc data run FILE.json OUT` keeps and runs one';
    const rows = pipelines.map(({ name, version, description = '', steps }) => [
      ...[cleanLine(name), String(version), cleanLine(steps.map(({ use }) => use).join(' | '), 200)],
      cleanLine(description, 200),
    ]);
    const fit = { kept: [0], droppable: [3, 1] };
    return formatTable(['NAME', 'VERSION', 'STEPS', 'WHAT'], rows, context.terminal.columns, fit);
  });
  return ExitCode.Ok;
}

/** `orc data run NAME|FILE.json OUT` */
export async function runPipeline(context: VerbContext): Promise<ExitCode> {
  const [which, out] = [context.operand(1), context.operand(2)];
  if (which === '' || out === '')
    throw usageError(
      'run takes the NAME of a pipeline, or a FILE with one as JSON, and the file to write',
      PIPELINES_ADVICE,
    );
  const isFile = which.endsWith('.json') || !NAME.test(which);
  const report = (await context.call('data.pipeline', {
    pipeline: isFile ? readPipeline(resolve(context.terminal.cwd, which)) : which,
    file: resolve(context.terminal.cwd, out),
    overwrite: context.has('replace'),
  })) as RunAnswer; // the engine's own
  const refused =
    report.rejected === 0 ? '' : `; ${report.rejected} were refused: \`orc data rejected ${cleanLine(report.name)}\``;
  context.answer(report, () => `${report.in} records became ${report.out} in ${cleanLine(report.file)}${refused}`);
  return report.rejected === 0 ? ExitCode.Ok : ExitCode.Failure;
}

/** @throws {CliError} Usage */
function readPipeline(file: string): unknown {
  try {
    const text = readFileSync(file, 'utf8');
    if (text.length <= MAX_FILE) return JSON.parse(text);
  } catch (error) {
    const why = error instanceof SyntaxError ? 'is no JSON' : 'cannot be read';
    throw usageError(`${cleanLine(file)} ${why}`, 'A pipeline is {"name", "version", "steps"}.');
  }
  throw usageError(`${cleanLine(file)} is too large for a pipeline`, 'It has at most 50 steps.');
}

/** `orc data rejected [NAME]` */
export async function listRejected(context: VerbContext): Promise<ExitCode> {
  const name = context.operand(1);
  const rejected = (await context.call('data.rejected', name === '' ? {} : { name })) as readonly Readonly<
    Record<'run' | 'step' | 'code' | 'message' | 'excerpt', string>
  >[]; // the engine's own
  context.answer({ rejected }, () => {
    if (rejected.length === 0) return 'nothing was refused';
    const rows = rejected.map(({ run, code, message, excerpt }) => [
      ...[cleanLine(run), cleanLine(code), cleanLine(message, 200), cleanLine(excerpt, 200)],
    ]);
    const fit = { kept: [1], droppable: [3, 0] };
    return formatTable(['PIPELINE', 'CODE', 'WHY', 'RECORD'], rows, context.terminal.columns, fit);
  });
  return ExitCode.Ok;
}

/** `orc data forget NAME` */
export async function forgetPipeline(context: VerbContext): Promise<ExitCode> {
  const name = context.operand(1);
  if (name === '') throw usageError('forget takes the NAME of a pipeline', PIPELINES_ADVICE);
  await context.call('data.removePipeline', { name });
  context.answer({ name }, () => `the pipeline ${cleanLine(name)} is forgotten`);
  return ExitCode.Ok;
}
