import type { Directive } from './script';

/** What comes over the wire, piece by piece. */
export type Piece =
  | { readonly kind: 'text' | 'thought'; readonly text: string }
  | { readonly kind: 'drop'; readonly text?: undefined };

const WORDS_PER_SECOND = 5;

/** Speaks with the pauses that were asked for; ends early, without a word more, when the listener has gone. */
export async function* speak(speech: readonly Directive[], signal: AbortSignal): AsyncGenerator<Piece> {
  for (const { name, argument } of speech) {
    if (signal.aborted) return;
    if (name === 'reply') yield { kind: 'text', text: argument };
    if (name === 'lines') yield { kind: 'text', text: numberedLines(Number(argument) || 20) };
    if (name === 'wait') await pause((Number(argument) || 1) * 1000, signal);
    if (name === 'hang') await pause(3_600_000, signal);
    if (name === 'slow' || name === 'think') yield* words(name, Number(argument) || 3, signal);
    if (name !== 'drop') continue;
    yield { kind: 'text', text: 'This answer ends in the mid' };
    await pause(300, signal);
    yield { kind: 'drop' };
    return;
  }
}

/** Everything that is said, at once: for requests that do not stream. */
export async function wholeSpeech(speech: readonly Directive[], signal: AbortSignal): Promise<string> {
  let said = '';
  for await (const piece of speak(speech, signal)) if (piece.kind === 'text') said += piece.text;
  return said;
}

async function* words(name: 'slow' | 'think', seconds: number, signal: AbortSignal): AsyncGenerator<Piece> {
  const count = Math.max(1, Math.round(seconds * WORDS_PER_SECOND));
  for (let word = 1; word <= count && !signal.aborted; word++) {
    yield { kind: name === 'slow' ? 'text' : 'thought', text: `part ${word}${word % 10 === 0 ? '\n' : ' '}` };
    await pause(1000 / WORDS_PER_SECOND, signal);
  }
  if (name === 'slow') yield { kind: 'text', text: 'and that was all.\n' };
}

function numberedLines(count: number): string {
  return Array.from({ length: count }, (_, index) => `line ${index + 1} of ${count}\n`).join('\n');
}

function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, delayMs);
    signal.addEventListener('abort', end, { once: true });
  });
}
