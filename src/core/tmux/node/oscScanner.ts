import { unescapeOutput } from '../controlModeParser';

/** An OSC that was found: its code and what follows the first `;`. */
export interface FoundOsc {
  readonly code: number;
  /** At most {@link MAX_OSC_CHARS} characters; untrusted. */
  readonly text: string;
}

export const MAX_OSC_CHARS = 1_000;
/** 4 bytes per character of UTF-8 at most, and four digits of an octal escape per byte are cut with them. */
const MAX_OSC_BYTES = MAX_OSC_CHARS * 4;
/** A code of at most 5 digits and its `;`: until it is known the bytes are kept. */
const MAX_CODE_BYTES = 6;
const BACKSLASH = 92;
const SEMICOLON = 59;
const BELL = 7;
const CANCEL = 24;
const SUBSTITUTE = 26;
const ESCAPE = 27;

/** ESC and ESC ] as tmux writes them in an output notification (octal escapes; tmux(1), CONTROL MODE). */
const ESCAPED_ESC = Buffer.from('\\033');
const INTRODUCER = Buffer.from('\\033]');

/**
 * Finds the wanted OSC sequences in the output of one terminal, across notifications. Output without any costs one search for
 * `ESC ]`. As in tmux itself (input.c), BEL, CAN, SUB and every ESC end a sequence: an unfinished one cannot swallow what follows.
 */
export class OscScanner {
  /** The bytes of the sequence that is open, unescaped; undefined: none is. */
  #open: number[] | undefined;
  /** The open sequence is one of no interest. */
  #isSkipped = false;
  /** The last notification ended with ESC: `]` may follow. */
  #isAfterEscape = false;

  constructor(
    private readonly isWanted: (code: number) => boolean,
    private readonly onFound: (found: FoundOsc) => void,
  ) {}

  /** Something of the stream is missing: what was open is dropped. */
  reset(): void {
    this.#open = undefined;
    this.#isAfterEscape = false;
  }

  /** The next piece of output, still escaped. `onFound` is called synchronously. */
  push(escaped: Uint8Array): void {
    const bytes = Buffer.from(escaped.buffer, escaped.byteOffset, escaped.length);
    let at = 0;
    if (this.#isAfterEscape && bytes.length > 0) {
      this.#isAfterEscape = false;
      if (bytes[0] === INTRODUCER.at(-1)) {
        this.#begin();
        at = 1;
      }
    }
    while (at < bytes.length) {
      if (this.#open) {
        at = this.#read(this.#open, bytes, at);
        continue;
      }
      const found = bytes.indexOf(INTRODUCER, at);
      if (found < 0) {
        this.#isAfterEscape = bytes.subarray(at).subarray(-ESCAPED_ESC.length).equals(ESCAPED_ESC);
        return;
      }
      this.#begin();
      at = found + INTRODUCER.length;
    }
  }

  #begin(): void {
    this.#open = [];
    this.#isSkipped = false;
  }

  /** Reads on in the open sequence; returns where to go on: at an ESC that ended it, so that what it introduces is seen. */
  #read(open: number[], bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length;) {
      const isEscaped = bytes[at] === BACKSLASH;
      if (this.#isSkipped && !isEscaped) {
        const next = bytes.indexOf(BACKSLASH, at); // what ends a sequence is always escaped
        if (next < 0) return bytes.length;
        at = next;
        continue;
      }
      const width = isEscaped ? ESCAPED_ESC.length : 1;
      const byte = (isEscaped ? unescapeOutput(bytes.subarray(at, at + width))[0] : bytes[at]) ?? 0;
      if (byte === BELL || byte === CANCEL || byte === SUBSTITUTE || byte === ESCAPE) {
        this.#end(open);
        return byte === ESCAPE ? at : at + width;
      }
      at += width;
      if (byte < 32 || this.#isSkipped || open.length >= MAX_OSC_BYTES) continue;
      open.push(byte);
      if (byte === SEMICOLON || open.length === MAX_CODE_BYTES) this.#isSkipped ||= !this.#isInteresting(open);
    }
    return bytes.length;
  }

  /** Asked at every `;`, and once the code must be complete. */
  #isInteresting(open: readonly number[]): boolean {
    const code = codeOf(open);
    return code !== undefined && this.isWanted(code);
  }

  #end(open: readonly number[]): void {
    this.#open = undefined;
    const code = this.#isSkipped ? undefined : codeOf(open);
    if (code === undefined || !this.isWanted(code)) return;
    const text = new TextDecoder().decode(Uint8Array.from(open.slice(open.indexOf(SEMICOLON) + 1)));
    this.onFound({ code, text: [...text].slice(0, MAX_OSC_CHARS).join('') });
  }
}

/** The number before the first `;`; undefined when there is none. */
function codeOf(open: readonly number[]): number | undefined {
  const end = open.indexOf(SEMICOLON);
  if (end < 1 || end >= MAX_CODE_BYTES) return undefined;
  const digits = String.fromCharCode(...open.slice(0, end));
  return /^\d+$/.test(digits) ? Number(digits) : undefined;
}
