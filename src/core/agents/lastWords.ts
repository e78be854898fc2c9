import { ignore, type Logger } from '../base/log';
import type { Evidence } from './agentState';
import type { Agent } from './baseAgent';
import { cleanText } from './visibleText';

const LINES = 5;
const LONGEST_LINE = 190;
/** The most that is kept of them, in bytes of UTF-8. */
const MAX_BYTES = 1024;
const HEAD = 'last on its screen: ';
/** A footer that names a key and what it does: `esc to interrupt`, `? for shortcuts`. */
const KEY_HINT = /^[^\p{L}\p{N}?]*(?:esc|enter|(?:shift\+)?tab|ctrl\+\w|\?) (?:to|for) /iu;
/** A line that says that it works: it turns, or tells how to interrupt it. */
const PROGRESS = /^[\u2800-\u28ff]|\([^()]*\besc (?:to )?(?:interrupt|cancel)\b/iu;
const LINE_BREAK = ' ⏎ ';

/**
 * What stands last on the screen of a run that has ended: at most 5 lines that are not empty, cleaned, oldest first. One look; empty
 * when its terminal is gone or shows another run. Never rejects.
 */
export async function lastWords(agent: Agent, generation: number, log: Logger): Promise<readonly string[]> {
  try {
    const screen = await agent.capture();
    if (screen.generation !== generation) return [];
    const lines = screen.text.split('\n').map((line) => cleanText(line, LONGEST_LINE));
    const said = lines.filter((line) => /[\p{L}\p{N}]/u.test(line) && !KEY_HINT.test(line) && !PROGRESS.test(line)); // frames, footers and progress say nothing
    return bounded(said.slice(-LINES));
  } catch (error) {
    ignore(log, error, 'its terminal is gone, and with it what it said');
    return [];
  }
}

/** They as one piece of evidence; none for no words. */
export function wordsEvidence(words: readonly string[], observedAtMs: number): readonly Evidence[] {
  if (words.length === 0) return [];
  return [{ source: 'screen', detail: `${HEAD}${words.join(LINE_BREAK)}`, observedAtMs }];
}

/** The words that such a piece holds, oldest first. Untrusted text. */
export function wordsOf(evidence: readonly Evidence[]): readonly string[] {
  const piece = evidence.find(({ source, detail }) => source === 'screen' && detail.startsWith(HEAD));
  return piece === undefined ? [] : piece.detail.slice(HEAD.length).split(LINE_BREAK);
}

/** How the run ended, for what is kept about what follows: the end itself and its last words. */
export function endEvidence(evidence: readonly Evidence[]): readonly Evidence[] {
  return evidence.filter(({ source, detail }) => detail.startsWith(source === 'screen' ? HEAD : ENDED));
}

/** The beginning of the piece that says how a run ended. */
export const ENDED = 'ended: ';

function bounded(lines: readonly string[]): readonly string[] {
  const encoder = new TextEncoder();
  const kept = [...lines];
  while (encoder.encode(HEAD + kept.join(LINE_BREAK)).length > MAX_BYTES) kept.shift();
  return kept;
}
