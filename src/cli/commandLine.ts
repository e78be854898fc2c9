import { parseArgs } from 'node:util';
import { usageError } from './exitCodes';
import { COMMON_OPTIONS, findVerb, type VerbInfo, VERBS } from './verbTable';

export interface CommandLine {
  readonly verb: VerbInfo;
  readonly operands: readonly string[];
  /** What follows `--`; undefined when there is no `--`. */
  readonly rest: readonly string[] | undefined;
  readonly options: Readonly<Record<string, string | true>>;
}

/** @throws {CliError} Usage */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const [first, second] = args;
  const isNoun = first === 'agent' && second !== undefined;
  const name = isNoun ? second : first;
  const verb = name === undefined ? undefined : findVerb(name);
  if (!verb) throw usageError(`"${name ?? ''}" is no verb of orc`, similarTo(name ?? ''));
  const given = args.slice(isNoun ? 2 : 1);
  const end = given.indexOf('--');
  const rest = end < 0 ? undefined : given.slice(end + 1);
  const { values, positionals } = parse(verb, end < 0 ? given : given.slice(0, end));
  const takesRest = verb.name === 'start' || verb.name === 'prompt';
  const operands = rest && !takesRest ? [...positionals, ...rest] : positionals;
  if (!('help' in values) && (operands.length < verb.least || operands.length > verb.most))
    throw usageError(`${verb.name} takes ${verb.operands || 'nothing more'}`, `orc ${verb.name} --help tells more.`);
  return { verb, operands, rest: takesRest ? rest : undefined, options: values };
}

function parse(
  verb: VerbInfo,
  args: readonly string[],
): { values: Record<string, string | true>; positionals: readonly string[] } {
  const known = [...COMMON_OPTIONS, ...verb.options];
  const options = Object.fromEntries(
    known.map(({ name, value }) => [name, { type: value ? ('string' as const) : ('boolean' as const) }]),
  );
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    return { values: values as Record<string, string | true>, positionals }; // as declared: a flag that is given is true
  } catch (error) {
    const flags = known.map((option) => `--${option.name}`).join(' ');
    throw usageError(`${verb.name}: ${mistakeOf(error)}`, `It takes ${flags}; what begins with a dash goes after --.`);
  }
}

/** What Node says of an option, in our words. */
function mistakeOf(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const option = /'(?:-\w, )?(-[^' <]+)/.exec(message)?.[1] ?? 'an option';
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') return `there is no option ${option}`;
  if (code !== 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE') return message;
  return /does not take/.test(message) ? `${option} takes no value` : `${option} takes a value`;
}

/** `--timeout` in milliseconds. @throws {CliError} Usage */
export function timeoutOf({ options }: CommandLine): number | undefined {
  const given = options['timeout'];
  return given === undefined ? undefined : positive('timeout', given, 86_400) * 1000;
}

/** @throws {CliError} Usage */
export function positive(name: string, text: string | true, most: number): number {
  const value = Number(text);
  if (typeof text === 'string' && /^\d+(\.\d+)?$/.test(text) && value > 0 && value <= most) return value;
  throw usageError(`--${name} takes a number above 0, at most ${most}`);
}

/** The text of an option that was given. */
export function textOf({ options }: CommandLine, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

function similarTo(name: string): string {
  const like = name.length === 0 ? undefined : VERBS.find((verb) => verb.name.startsWith(name.slice(0, 3)));
  return like ? `Did you mean "orc ${like.name}"? orc --help lists the verbs.` : 'orc --help lists the verbs.';
}
