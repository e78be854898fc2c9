import { COMMON_OPTIONS, type Option, type VerbInfo, VERBS } from './verbTable';

export function help(): string {
  const rows = VERBS.map(
    ({ name, operands, summary }) =>
      [`  orc ${name} ${operands.length > 40 ? 'ACTION …' : operands}`, summary] as const,
  );
  return `orc: the agents of Core Orchestrator, from a shell.

${columns(rows)}

For agents' own programs: orc hook [--hold] EVENT [JSON]

Options of every verb:
${columns(COMMON_OPTIONS.map(optionRow))}

Agents are named by id or name. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no engine,
4 not found, 5 refused or blocked, 6 not allowed, 7 a prompt may or may not have arrived,
8 took too long.
orc VERB --help tells more about a verb.
`;
}

export function helpOf({ name, operands, summary, options }: VerbInfo): string {
  return (
    `orc ${name} ${operands.replace(/.{50,80}\|/g, '$&\n         ')}`.trimEnd() +
    `\n${summary}\n\n${columns([...options, ...COMMON_OPTIONS].map(optionRow))}\n`
  );
}

function optionRow({ name, value, summary }: Option): readonly [string, string] {
  return [`  --${name}${value ? ` ${value}` : ''}`, summary];
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.trimEnd().length));
  return rows.map(([left, right]) => `${left.trimEnd().padEnd(width)}  ${right}`).join('\n');
}
