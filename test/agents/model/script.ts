/**
 * The language in which a prompt tells the scripted model what to answer. Directives stand anywhere in the prompt and run
 * from left to right; a tool call ends one response, and the next request (which brings the tool's result) goes on after it.
 */
const DIRECTIVES = {
  /** `[[reply: text]]` says this text. */
  reply: 'speech',
  /** `[[lines: 60]]` says so many numbered lines at once. */
  lines: 'speech',
  /** `[[slow: 3]]` says a word five times a second, for so many seconds. */
  slow: 'speech',
  /** `[[think: 3]]` the same as reasoning, where the protocol has that. */
  think: 'speech',
  /** `[[wait: 2]]` keeps the answer open without a word, for so many seconds. */
  wait: 'speech',
  /** `[[hang]]` never goes on. */
  hang: 'speech',
  /** `[[drop]]` begins to speak and cuts the connection. */
  drop: 'speech',
  /** `[[bash: ls]]` calls the program's own shell tool. */
  bash: 'call',
  /** `[[sudo: ls]]` the same, asking to leave the sandbox where the program has one. */
  sudo: 'call',
  /** `[[write: file text]]` calls the program's own tool that makes a file. */
  write: 'call',
  /** `[[read: file]]` calls the program's own tool that reads a file. */
  read: 'call',
  /** `[[ask: question]]` calls the program's own tool that asks the person. */
  ask: 'call',
  /** `[[tool: name {"a": 1}]]` calls any tool that was declared, by its name or the end of its name. */
  tool: 'call',
  /** `[[error: 529]]` answers with this status; `[[error: 529 x2]]` only to the first two requests of this message. */
  error: 'end',
  /** `[[limit]]` answers as the provider does when a plan's usage is used up. */
  limit: 'end',
  /** `[[tokens: 120 30]]` reports this usage: input and output. */
  tokens: 'note',
} as const;

export type DirectiveName = keyof typeof DIRECTIVES;

export interface Directive {
  readonly name: DirectiveName;
  readonly argument: string;
}

const BEGIN = new RegExp(`\\[\\[(${Object.keys(DIRECTIVES).join('|')})(:\\s*|(?=\\]\\]))`, 'g');

export function readScript(text: string): readonly Directive[] {
  const script: Directive[] = [];
  let readTo = 0;
  for (const match of text.matchAll(BEGIN)) {
    const from = match.index + match[0].length;
    const name = match[1] as DirectiveName; // one of the alternatives of the pattern
    const to = match.index < readTo ? undefined : endOf(name, text, from);
    if (to === undefined) continue;
    script.push({ name, argument: text.slice(from, to).trim() });
    readTo = to + 2;
  }
  return script;
}

/** Where the brackets close: the last two of a row, and for a tool's JSON the first place at which it is complete. */
function endOf(name: DirectiveName, text: string, from: number): number | undefined {
  for (let at = text.indexOf(']]', from); at >= 0; at = text.indexOf(']]', at + 1)) {
    if (text[at + 2] === ']') continue;
    if (name !== 'tool' || isComplete(text.slice(from, at))) return at;
  }
  return undefined;
}

function isComplete(argument: string): boolean {
  const json = argument.indexOf('{');
  if (json < 0) return true;
  try {
    JSON.parse(argument.slice(json));
    return true;
  } catch {
    return false; // the brackets belong to the JSON
  }
}

export function isCall(directive: Directive): boolean {
  return DIRECTIVES[directive.name] === 'call';
}
