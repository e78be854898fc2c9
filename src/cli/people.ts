import { attach, pause, remove, rename, restart, resume, start, stop, unpause } from './agentVerbs';
import { type CommandLine, parseCommandLine } from './commandLine';
import { completion, NAMES_VERB } from './completion';
import { type Terminal, VerbContext } from './context';
import { data } from './dataVerbs';
import { CliError, ExitCode } from './exitCodes';
import { help, helpOf } from './help';
import { doctor, list, screen, status, types, why } from './inspectVerbs';
import { cancel, prompt, receipts, resend, settle } from './promptVerbs';
import { approve, deny } from './requestVerbs';
import { findVerb } from './verbTable';

const verbs: Readonly<Record<string, (context: VerbContext) => Promise<number>>> = {
  status, list, types, start, stop, restart, resume, pause, unpause, remove, rename, attach, screen,
  prompt, receipts, cancel, resend, settle, approve, deny, why, data, doctor, completion,
}; // prettier-ignore

/** Runs one verb for a person; resolves with the exit code. Failures are told on standard error, with `--json` as JSON. */
export async function runVerb(args: readonly string[], terminal: Terminal): Promise<number> {
  if (args.length === 0 || args[0] === '--help' || args[0] === '-h' || args[0] === 'help') {
    terminal.write(help());
    return args.length === 0 ? ExitCode.Usage : ExitCode.Ok;
  }
  try {
    if (args[0] === NAMES_VERB) return await printNames(args[1] ?? '', terminal);
    const line = parseCommandLine(args);
    if ('help' in line.options) {
      terminal.write(helpOf(line.verb));
      return ExitCode.Ok;
    }
    return await run(line, terminal);
  } catch (error) {
    return report(error, args.includes('--json'), terminal);
  }
}

async function run(line: CommandLine, terminal: Terminal): Promise<number> {
  const verb = verbs[line.verb.name];
  if (!verb) throw new TypeError(`${line.verb.name} has no function`);
  const context = new VerbContext(line, terminal);
  try {
    return await verb(context);
  } catch (error) {
    throw error instanceof CliError ? await context.advised(error) : error;
  } finally {
    context.dispose();
  }
}

/** For completions: quiet whatever happens. */
async function printNames(kind: string, terminal: Terminal): Promise<number> {
  const listing = findVerb(kind === 'types' ? 'types' : 'list');
  if (!listing) return ExitCode.Ok;
  const context = new VerbContext(
    { verb: listing, operands: [], rest: undefined, options: { timeout: '1' } },
    terminal,
  );
  try {
    const engine = context.engine();
    const all = (await engine.call(kind === 'types' ? 'agent.types' : 'agent.list', {})) as readonly {
      readonly id: string;
    }[]; // the engine's own
    for (const { id } of all) if (/^[a-z0-9-]{1,41}$/.test(id)) context.say(id);
  } catch {
    return ExitCode.Ok; // nothing to complete
  } finally {
    context.dispose();
  }
  return ExitCode.Ok;
}

function report(error: unknown, isJson: boolean, terminal: Terminal): number {
  const known = error instanceof CliError ? error : undefined;
  const message = known?.message ?? (error instanceof Error ? error.message : String(error));
  const exitCode = known?.exitCode ?? ExitCode.Failure;
  if (isJson) {
    const body = { ...known?.data, message, ...(known?.advice && { advice: known.advice }), exitCode };
    terminal.write(`${JSON.stringify({ error: body }, undefined, 2)}\n`);
  }
  terminal.writeError(`orc: ${message}\n${known?.advice ? `     ${known.advice}\n` : ''}`);
  return exitCode;
}
