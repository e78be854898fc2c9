import { StringDecoder } from 'node:string_decoder';

/** What a person or a multiplexer can send to the demo agent. */
export type Key =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'paste'; readonly text: string }
  | { readonly kind: 'enter' | 'newline' | 'backspace' | 'clear' | 'escape' | 'up' | 'down' | 'interrupt' | 'end' };

const PASTE_START = '\x1b[200~';
const PASTE_END = '\x1b[201~';
/** 40 ms: longer than the gap inside one escape sequence on a loaded machine, shorter than a person notices. */
const ESCAPE_DELAY_MS = 40;

const CONTROL: Readonly<Record<string, Key>> = {
  '\r': { kind: 'enter' },
  '\n': { kind: 'newline' },
  '\x7f': { kind: 'backspace' },
  '\b': { kind: 'backspace' },
  '\x15': { kind: 'clear' },
  '\x03': { kind: 'interrupt' },
  '\x04': { kind: 'end' },
};
const ARROWS: Readonly<Record<string, Key>> = {
  '\x1b[A': { kind: 'up' },
  '\x1bOA': { kind: 'up' },
  '\x1b[B': { kind: 'down' },
  '\x1bOB': { kind: 'down' },
};
/** One escape sequence at the front: CSI or SS3. */
// eslint-disable-next-line no-control-regex -- escape sequences are control characters
const SEQUENCE = /^\x1b(?:\[[0-?]*[ -/]*[@-~]|O[@-~])/;
/** Typed text: up to the next control character. */
// eslint-disable-next-line no-control-regex -- typed text ends where they begin
const PLAIN = /^[^\x00-\x1f\x7f]+/;

/** Turns the bytes of a terminal in raw mode into keys; sequences may arrive in any pieces. */
export class KeyReader {
  readonly #decoder = new StringDecoder('utf8');
  readonly #onKey: (key: Key) => void;
  #rest = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(onKey: (key: Key) => void) {
    this.#onKey = onKey;
  }

  feed(bytes: Buffer): void {
    clearTimeout(this.#timer);
    this.#rest += this.#decoder.write(bytes);
    while (this.#rest !== '' && this.#takeOne());
    if (this.#rest.startsWith('\x1b') && !this.#rest.startsWith(PASTE_START)) {
      this.#timer = setTimeout(() => {
        this.#rest = '';
        this.#onKey({ kind: 'escape' });
      }, ESCAPE_DELAY_MS);
    }
  }

  /** Takes one key off the front; false when more bytes are needed. */
  #takeOne(): boolean {
    if (this.#rest.startsWith(PASTE_START)) {
      const end = this.#rest.indexOf(PASTE_END);
      if (end < 0) return false;
      const text = this.#rest.slice(PASTE_START.length, end);
      return this.#take(end + PASTE_END.length, { kind: 'paste', text: text.replace(/\r\n?/g, '\n') });
    }
    const sequence = SEQUENCE.exec(this.#rest)?.[0];
    if (sequence !== undefined) return this.#take(sequence.length, ARROWS[sequence]);
    if (this.#rest.startsWith('\x1b')) {
      const isComplete = this.#rest.length > 1 && !'[O'.includes(this.#rest.charAt(1));
      return isComplete && this.#take(1, { kind: 'escape' });
    }
    const plain = PLAIN.exec(this.#rest)?.[0];
    if (plain !== undefined) return this.#take(plain.length, { kind: 'text', text: plain });
    return this.#take(1, CONTROL[this.#rest.charAt(0)]);
  }

  #take(length: number, key: Key | undefined): true {
    this.#rest = this.#rest.slice(length);
    if (key) this.#onKey(key);
    return true;
  }
}
