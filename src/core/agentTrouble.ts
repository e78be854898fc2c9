import type { Evidence, Lifecycle } from './agents/agentState';
import { wordsOf } from './agents/lastWords';
import { cleanText } from './agents/visibleText';
import { type AgentView, needsYouOf } from './engine';

/** The part of an agent that tells why it does not run or go on. */
export type AgentTrouble = Pick<AgentView, 'lifecycle' | 'activity' | 'exit' | 'reason' | 'evidence'>;

/** Of what an agent said last, at most so much stands in a row: the rest of it is in the tooltip. */
const LONGEST_SAID = 60;
/** In these the end of the run before is what a person looks for. */
const TROUBLED: ReadonlySet<Lifecycle> = new Set<Lifecycle>(['failed', 'backoff', 'quarantined']);

/** Where a program says something itself. */
const SAYING: ReadonlySet<Evidence['source']> = new Set(['hook', 'title', 'osc', 'status_file', 'screen'] as const);
/** What stands before the words themselves in a piece of evidence: the rule that found them, or the event of a hook. */
const FOUND_BY = /^(?:[^"]* rule "[^"]*"|\w+): /;
/** Marks of a program before a line: `✕ `, `■ `. */
const MARKS = /^[^\p{L}\p{N}[("']+/u;

/** By the reason codes of the engine, where the end itself does not say it. */
const REASON_WORDS: Readonly<Record<string, string>> = {
  restarted_too_often: 'restarted too often',
  command_not_found: 'command not found',
  folder_missing: 'folder missing',
  launch_failed: 'could not be launched',
  start_deadline_missed: 'not ready in time',
  cannot_resume: 'conversation not resumed',
  kill_failed: 'could not be ended',
  ended_unknown: 'cause not known',
};

/**
 * Why it failed, waits for a restart, is quarantined or its turn met an error, in few words: `exit code 1: Error: no such module`, `not ready in
 * time`. What the state words say already (`failed with exit code 1`) is not said again. Empty for every other state. Plain text.
 */
export function troubleWords(agent: AgentTrouble): string {
  if (needsYouOf(agent.lifecycle, agent.activity) === 'error') return cleanText(errorLine(agent), LONGEST_SAID);
  if (!TROUBLED.has(agent.lifecycle)) return '';
  const end = agent.lifecycle === 'failed' ? '' : endWords(agent);
  return [end || (REASON_WORDS[agent.reason] ?? ''), cleanText(lastLine(agent), LONGEST_SAID)]
    .filter(Boolean)
    .join(': ');
}

/** The last line on the screen of a run that failed; empty when it is not known. Untrusted text. */
export function lastLine({ evidence }: Pick<AgentView, 'evidence'>): string {
  return wordsOf(evidence).at(-1) ?? '';
}

/** What its program said of the error of its turn; empty when it is not known. Untrusted text. */
export function errorLine({ evidence }: Pick<AgentView, 'evidence'>): string {
  const said = evidence.find(({ source }) => SAYING.has(source))?.detail ?? '';
  return said.replace(FOUND_BY, '').replace(MARKS, '');
}

function endWords({ exit }: AgentTrouble): string {
  if (exit?.signal !== undefined) return exit.signal;
  return exit?.code === undefined ? '' : `exit code ${exit.code}`;
}
