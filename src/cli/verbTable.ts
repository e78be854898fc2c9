/** What is completed after a verb: ids of agents, of agent types, or fixed words. */
export type Completes = 'agents' | 'types' | 'receipts' | readonly string[];

export interface Option {
  readonly name: string;
  /** What its value is called; undefined: it takes none. */
  readonly value?: string;
  readonly summary: string;
}

export interface VerbInfo {
  readonly name: string;
  /** What follows it, for people. */
  readonly operands: string;
  /** Fewest and most operands; what follows `--` is not counted. */
  readonly least: number;
  readonly most: number;
  readonly summary: string;
  readonly options: readonly Option[];
  readonly completes?: Completes;
}

/** Of every verb. */
export const COMMON_OPTIONS: readonly Option[] = [
  { name: 'json', summary: 'print JSON' },
  { name: 'workspace', value: 'DIR', summary: 'folder of the engine (default: the nearest one upwards from here)' },
  { name: 'storage', value: 'DIR', summary: 'where the engine keeps its data, when it is not where editors keep it' },
  { name: 'timeout', value: 'SECONDS', summary: 'longest wait for the engine' },
  { name: 'help', summary: 'show help' },
];

const DATA_ACTIONS =
  'status|search WORDS|backups|backup [FILE]|restore FILE|check [--fix]|compact|export FILE|import FILE|pipelines|run PIPELINE OUT|rejected [NAME]|forget PIPELINE';
const MANY = Number.POSITIVE_INFINITY;
const agents = (name: string, summary: string): VerbInfo => ({
  name, operands: 'AGENT…', least: 1, most: MANY, summary, options: [], completes: 'agents',
}); // prettier-ignore

/** Every verb for people; `orc agent VERB` is the same as `orc VERB`. */
export const VERBS: readonly VerbInfo[] = [
  { name: 'status', operands: '', least: 0, most: 0, summary: 'the engine, and who needs you', options: [] },
  { name: 'list', operands: '', least: 0, most: 0, summary: 'every agent with its state', options: [] },
  { name: 'types', operands: '', least: 0, most: 0, summary: 'agent types that can be started', options: [] },
  {
    name: 'start',
    operands: 'TYPE|AGENT [-- ARGS…]',
    least: 1,
    most: 1,
    summary: 'start a new agent of a type, or one that ended',
    options: [
      { name: 'name', value: 'NAME', summary: 'what it is called (default: its type)' },
      { name: 'folder', value: 'DIR', summary: 'where it works (default: here)' },
      {
        name: 'prompt',
        value: 'TEXT',
        summary: 'first prompt, typed at each start in a new conversation',
      },
      { name: 'role', value: 'ROLE', summary: 'its role' },
      { name: 'team', value: 'TEAM', summary: 'its team' },
      { name: 'existing', summary: 'the name is an agent’s, also when a type is called the same' },
    ],
    completes: 'types',
  },
  {
    ...agents('stop', 'stop agents, and prove them gone'),
    least: 0,
    operands: 'AGENT…|--all',
    options: [{ name: 'all', summary: 'every agent' }],
  },
  agents('restart', 'stop and begin a new conversation; a first prompt is sent again'),
  {
    ...agents('resume', 'start an agent that ended in the conversation it had'),
    least: 0,
    most: 1,
    operands: 'AGENT|--all',
    options: [{ name: 'all', summary: 'every agent that should run and does not' }],
  },
  agents('pause', 'no prompts until unpaused; the program lives on'),
  agents('unpause', 'take prompts again'),
  {
    ...agents('remove', 'stop agents and forget them, with their prompts'),
    options: [{ name: 'yes', summary: 'without asking' }],
  },
  { ...agents('rename', 'give an agent another name'), operands: 'AGENT NAME', least: 2, most: 2 },
  { ...agents('attach', 'the agent’s terminal in this terminal'), operands: 'AGENT', most: 1 },
  { ...agents('screen', 'what its terminal shows'), operands: 'AGENT', most: 1 },
  {
    ...agents('prompt', 'send a prompt: words, or standard input'),
    operands: 'AGENT [TEXT…]',
    options: [
      { name: 'wait', summary: 'until it has arrived, printing every step' },
      { name: 'queue', summary: 'when the agent is blocked, deliver once it is free' },
    ],
  },
  {
    ...agents('receipts', 'what became of its prompts, newest first'),
    operands: 'AGENT',
    most: 1,
    options: [{ name: 'limit', value: 'N', summary: 'at most N (default 20)' }],
  },
  { name: 'cancel', operands: 'RECEIPT', least: 1, most: 1, summary: 'take a queued prompt back', options: [] },
  {
    name: 'resend',
    operands: 'RECEIPT',
    least: 1,
    most: 1,
    summary: 'send the text of a lost prompt again',
    options: [{ name: 'queue', summary: 'when the agent is blocked, deliver once it is free' }],
  },
  {
    name: 'settle',
    operands: 'RECEIPT arrived|lost',
    least: 2,
    most: 2,
    summary: 'say what became of a prompt that may have arrived',
    options: [],
  },
  {
    ...agents('approve', 'allow what the agent asks for'),
    operands: 'AGENT',
    most: 1,
    options: [
      { name: 'request', value: 'ID', summary: 'exactly this request' },
      { name: 'yes', summary: 'whatever it asks now, without showing it first' },
    ],
  },
  {
    ...agents('deny', 'refuse what the agent asks for'),
    operands: 'AGENT',
    most: 1,
    options: [
      { name: 'request', value: 'ID', summary: 'exactly this request' },
      { name: 'reason', value: 'TEXT', summary: 'told to the agent, where its program can' },
    ],
  },
  { ...agents('why', 'the evidence for its state'), operands: 'AGENT', most: 1 },
  {
    name: 'data',
    operands: DATA_ACTIONS,
    least: 1,
    most: MANY,
    summary: 'look after what is kept: search, backups, damage, exports',
    options: [
      { name: 'limit', value: 'N', summary: 'of search: at most N (default 50)' },
      {
        name: 'format',
        value: 'FORMAT',
        summary: 'of export: json, ndjson, csv, markdown, sqlite (default: by ending of FILE)',
      },
      { name: 'with-secrets', summary: 'of export: leave secrets in' },
      {
        name: 'replace',
        summary: 'replace a file that is there; of import: records that differ',
      },
      { name: 'yes', summary: 'of restore and import: do it; of check --fix: do not ask' },
      { name: 'fix', summary: 'of check: do what can be done about each finding' },
      { name: 'skip-invalid', summary: 'of import: leave out records that are not valid' },
      { name: 'accept-changed', summary: 'of import: take a file that was cut or changed' },
    ],
    completes: DATA_ACTIONS.replace(/ [^|]+/g, '').split('|'),
  },
  {
    name: 'doctor',
    operands: '[TYPE]',
    least: 0,
    most: 1,
    summary: 'check the set-up, or an agent type on the installed program',
    options: [],
    completes: 'types',
  },
  {
    name: 'completion',
    operands: 'bash|zsh|fish',
    least: 1,
    most: 1,
    summary: 'completions for a shell',
    options: [],
    completes: ['bash', 'zsh', 'fish'],
  },
];

export function findVerb(name: string): VerbInfo | undefined {
  return VERBS.find((verb) => verb.name === name);
}
