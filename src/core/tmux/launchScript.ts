import type { LaunchSpec } from '../agents/agentHost';
import { TmuxError } from './tmuxErrors';

/** Exit code of a launch whose folder could not be entered (`env` and `docker run` use 125 for a failure of their own). 126 and 127 mean, as in any shell, "not executable" and "not found". */
export const FOLDER_EXIT_CODE = 125;

/** What a launch script needs beside the spec. */
export interface LaunchScriptPaths {
  /** Absolute; gets the exit code. */
  readonly exitFile: string;
  /** Absolute, in the same folder as `exitFile`. */
  readonly temporaryExitFile: string;
  /** Names the tmux server passes to every pane; those the spec does not set are unset. */
  readonly inheritedNames: readonly string[];
}

/** Set by tmux for every pane. Unset, so that a `tmux` an agent runs cannot reach our server by accident; the program's terminal itself needs TERM only. */
const TMUX_NAMES = ['TMUX', 'TMUX_PANE', 'TERM_PROGRAM', 'TERM_PROGRAM_VERSION', 'COLORTERM', 'SHELL'] as const;
/** The shell's own: read-only in some shells or checked for a number, so assigning them ends the script. They are not passed on. */
const SHELL_NAMES: ReadonlySet<string> = new Set([
  'PPID',
  'UID',
  'EUID',
  'GROUPS',
  'SHELLOPTS',
  'BASHOPTS',
  'BASH_VERSINFO',
  'OPTIND',
  'LINENO',
  'PWD',
  'OLDPWD',
  '_',
]);

/**
 * The POSIX shell script that tmux runs for an agent. Pure text: every foreign string is single-quoted, so the shell interprets none (S3).
 *
 * The script stays the agent's parent (no `exec`) in order to write the exit code. INT, QUIT and TERM are caught by an empty action:
 * a Ctrl-C that the agent handles must not end the script, and a caught signal, unlike an ignored one, is the default again in the
 * agent. HUP is deliberately not caught: when a terminal closes, the kernel sends HUP to its session leader only, and the leader's
 * death is what hangs up the agent (tried: with HUP caught, a plain `sleep` outlived the server).
 *
 * @throws {TmuxError} tmux.invalidArgument – empty argv, a command that begins with `-`, a relative folder, an environment name
 * that no shell can set, or NUL anywhere.
 */
export function launchScript(spec: LaunchSpec, paths: LaunchScriptPaths): string {
  requireRunnable(spec);
  const env = Object.entries(spec.env).filter(([name]) => !SHELL_NAMES.has(name));
  const passed = new Set(env.map(([name]) => name));
  const unwanted = [...new Set([...paths.inheritedNames, ...TMUX_NAMES])].filter(
    (name) => NAME.test(name) && name !== 'TERM' && !passed.has(name) && !SHELL_NAMES.has(name),
  );
  return `${[
    `trap : INT QUIT TERM`,
    `(`,
    `cd -- ${quote(spec.folder)} || { printf '%s\\n' ${quote(`core-orchestrator: cannot enter the folder ${printable(spec.folder)}`)} >&2; exit ${FOLDER_EXIT_CODE}; }`,
    ...[...unwanted, 'OLDPWD'].map((name) => `unset ${name}`),
    ...env.map(([name, value]) => `export ${name}=${quote(value)}`),
    `exec ${spec.argv.map(quote).join(' ')}`,
    `)`,
    `code=$?`,
    `trap '' INT QUIT TERM`,
    `umask 077`,
    `{ printf '%s\\n' "$code" > ${quote(paths.temporaryExitFile)} && mv -f ${quote(paths.temporaryExitFile)} ${quote(paths.exitFile)}; } 2>/dev/null || printf '%s\\n' "$code" > ${quote(paths.exitFile)}`,
    `exit "$code"`,
  ].join('\n')}\n`;
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

function requireRunnable(spec: LaunchSpec): void {
  const command = spec.argv[0];
  if (command === undefined || command === '' || command.startsWith('-'))
    throw invalid('the command must be given and not begin with -');
  if (!spec.folder.startsWith('/')) throw invalid('the folder must be absolute');
  if (Object.keys(spec.env).some((name) => !NAME.test(name)))
    throw invalid('a name in the environment is not a shell name');
  if ([spec.folder, ...spec.argv, ...Object.values(spec.env)].some((text) => text.includes('\0')))
    throw invalid('NUL in an argument');
}

function invalid(detail: string): TmuxError {
  return new TmuxError('tmux.invalidArgument', 'launch', { detail });
}

/** POSIX 2.2.2: inside single quotes every character stands for itself; a single quote cannot occur. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** For the message on the agent's terminal: no control characters. */
function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?').slice(0, 500); // eslint-disable-line no-control-regex -- removing them
}
