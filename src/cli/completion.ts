import type { VerbContext } from './context';
import { ExitCode, usageError } from './exitCodes';
import { COMMON_OPTIONS, type Completes, findVerb, type VerbInfo, VERBS } from './verbTable';

/** Hidden verb that prints what can be completed now, one per line, and nothing when no engine answers. */
export const NAMES_VERB = '__names';

const names = VERBS.map(({ name }) => name);
const completedByData = findVerb('data')?.completes;
const dataWords = Array.isArray(completedByData) ? completedByData.join(' ') : '';
const optionsOf = (verb: VerbInfo): readonly string[] =>
  [...verb.options, ...COMMON_OPTIONS].map(({ name }) => `--${name}`);
const ofKind = (kind: Completes): string =>
  VERBS.filter(({ completes }) => completes === kind)
    .map(({ name }) => name)
    .join('|');

export function completion(context: VerbContext): Promise<ExitCode> {
  const shell = context.operand(0);
  const script = { bash, zsh, fish }[shell];
  if (!script) throw usageError(`no completions for "${shell}"`, 'There are completions for bash, zsh and fish.');
  context.terminal.write(script());
  return Promise.resolve(ExitCode.Ok);
}

function bash(): string {
  const options = VERBS.map((verb) => `    ${verb.name}) words="${optionsOf(verb).join(' ')}" ;;`).join('\n');
  return `# Completions of orc for bash. In ~/.bashrc: eval "$(orc completion bash)"
_orc() {
  local word="\${COMP_WORDS[COMP_CWORD]}" verb='' words='' index
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "\${COMP_WORDS[index]}" in
    agent | -*) ;;
    *) verb="\${COMP_WORDS[index]}"; break ;;
    esac
  done
  COMPREPLY=()
  case "\${COMP_WORDS[COMP_CWORD - 1]}" in
  --workspace | --storage | --folder) COMPREPLY=($(compgen -d -- "$word")); return ;;
  esac
  if [[ $word == -* ]]; then
    case "$verb" in
${options}
    esac
  else
    case "$verb" in
    '') words="agent ${names.join(' ')}" ;;
    ${ofKind('agents')}) words="$(orc ${NAMES_VERB} agents 2>/dev/null)" ;;
    ${ofKind('types')}) words="$(orc ${NAMES_VERB} types 2>/dev/null)" ;;
    data) words="${dataWords} $(compgen -f -- "$word")" ;;
    completion) words='bash zsh fish' ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F _orc orc
`;
}

function zsh(): string {
  const verbs = VERBS.map(({ name, summary }) => `    '${name}:${quoted(summary)}'`).join('\n');
  const options = VERBS.map(
    (verb) => `    ${verb.name}) options=(${[...verb.options, ...COMMON_OPTIONS].map(zshOption).join(' ')}) ;;`,
  ).join('\n');
  return `#compdef orc
# Completions of orc for zsh. In ~/.zshrc, after compinit: eval "$(orc completion zsh)"
_orc() {
  local -a verbs options found
  local verb=\${words[2]}
  verbs=(
${verbs}
  )
  [[ $verb == agent ]] && verb=\${words[3]}
  if ((CURRENT == 2)) || [[ \${words[2]} == agent && CURRENT -eq 3 ]]; then
    _describe verb verbs
    return
  fi
  if [[ \${words[CURRENT]} == -* ]]; then
    case $verb in
${options}
    esac
    _describe option options
    return
  fi
  case $verb in
  ${ofKind('agents')}) found=(\${(f)"$(orc ${NAMES_VERB} agents 2>/dev/null)"}) ;;
  ${ofKind('types')}) found=(\${(f)"$(orc ${NAMES_VERB} types 2>/dev/null)"}) ;;
  data) found=(${dataWords}); _files; ;;
  completion) found=(bash zsh fish) ;;
  esac
  compadd -a found
}
compdef _orc orc
`;
}

function fish(): string {
  const behind = (verbs: string): string => `complete -c orc -n '__fish_seen_subcommand_from ${verbs}'`;
  const lines = VERBS.flatMap((verb) => [
    `complete -c orc -n __orc_verb -a ${verb.name} -d '${plain(verb.summary)}'`,
    ...verb.options.map(
      (option) => `${behind(verb.name)} -l ${option.name}${option.value ? ' -r' : ''} -d '${plain(option.summary)}'`,
    ),
  ]);
  const dynamic = (['agents', 'types'] as const).map(
    (kind) => `${behind(ofKind(kind).replaceAll('|', ' '))} -a '(orc ${NAMES_VERB} ${kind} 2>/dev/null)'`,
  );
  const common = COMMON_OPTIONS.map(
    ({ name, value, summary }) => `complete -c orc -l ${name}${value ? ' -r' : ''} -d '${plain(summary)}'`,
  );
  const words = [`${behind('completion')} -a 'bash zsh fish'`, `${behind('data')} -F -a '${dataWords}'`];
  return `# Completions of orc for fish: orc completion fish > ~/.config/fish/completions/orc.fish
function __orc_verb
  set -l words (commandline -opc | string match -v -- '-*')
  test "$words" = orc -o "$words" = 'orc agent'
end
complete -c orc -f
complete -c orc -n __fish_use_subcommand -a agent
${[...lines, ...dynamic, ...words, ...common].join('\n')}
`;
}

function zshOption({ name, summary }: { readonly name: string; readonly summary: string }): string {
  return `'--${name}:${quoted(summary)}'`;
}

/** The summaries are ours: only the quotes of the shells' own need care. */
function plain(text: string): string {
  return text.replaceAll("'", '’');
}

/** To zsh a colon ends the name. */
function quoted(text: string): string {
  return plain(text).replaceAll(':', '\\:');
}
