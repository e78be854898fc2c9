/**
 * What people read for the states of an agent, in the window and of `orc`. The keys are the codes that the engine, its records and `--json`
 * have (`Lifecycle` and `Activity` in src/core/agents/agentState.ts); who knows those types checks that none is missing.
 */
export const LIFECYCLE_WORDS = {
  created: 'not started',
  starting: 'starting',
  running: 'running',
  paused: 'paused',
  stopping: 'stopping',
  stopped: 'stopped',
  exited: 'exited',
  failed: 'failed',
  lost: 'not reachable',
  backoff: 'waiting to restart',
  quarantined: 'quarantined',
  retired: 'retired',
} as const;

/** What a living agent does, as {@link LIFECYCLE_WORDS}. */
export const ACTIVITY_WORDS = {
  idle: 'idle',
  busy: 'working',
  awaiting_input: 'needs input',
  awaiting_approval: 'needs approval',
  rate_limited: 'rate limited',
  error: 'error',
  unknown: 'unknown',
} as const;

/** Codes as they come from an engine, perhaps of another version. */
export interface StateCodes {
  readonly lifecycle: string;
  readonly activity: string;
}

/** What a paused agent can still need of a person: this is said of it, what else it did before is over. */
const NEEDS_WHILE_PAUSED: ReadonlySet<string> = new Set(['awaiting_input', 'awaiting_approval', 'error']);

/** The state in a word or two: `working`, `needs approval`, `paused, needs input`, `not reachable`. */
export function stateWords({ lifecycle, activity }: StateCodes): string {
  if (lifecycle === 'running') return activityWords(activity);
  const words = wordsIn(LIFECYCLE_WORDS, lifecycle);
  return lifecycle === 'paused' && NEEDS_WHILE_PAUSED.has(activity) ? `${words}, ${activityWords(activity)}` : words;
}

export function activityWords(activity: string): string {
  return wordsIn(ACTIVITY_WORDS, activity);
}

/** The term behind its words where these differ: `working (busy)`, `needs approval (awaiting_approval)`, but `idle`, `rate limited`. */
export function withTerm(words: string, { lifecycle, activity }: StateCodes): string {
  const isObserved = lifecycle === 'running' || (lifecycle === 'paused' && NEEDS_WHILE_PAUSED.has(activity));
  const term = isObserved ? activity : lifecycle;
  return words.includes(plain(term)) ? words : `${words} (${term})`;
}

function wordsIn(table: Readonly<Record<string, string>>, code: string): string {
  return Object.hasOwn(table, code) ? (table[code] ?? plain(code)) : plain(code);
}

function plain(code: string): string {
  return code.replaceAll('_', ' ');
}
