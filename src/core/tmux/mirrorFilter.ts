const ESC = '\x1b';
const BEL = '\x07';
/** Introducers of strings that end with ST: OSC ] DCS P SOS X PM ^ APC _ and tmux's/screen's title `k`. */
const STRING_INTRODUCERS = ']PX^_k';
/** The same in one 8-bit character, and ST. */
const C1_STRINGS = '\u009d\u0090\u0098\u009e\u009f';
const C1_ST = '\u009c';

type State = 'text' | 'escape' | 'string' | 'stringEscape';

/**
 * Removes from a program's output everything that speaks to the terminal program instead of drawing: titles, clipboard (OSC 52), links,
 * device control strings. An attached tmux drops them by itself; a mirror shows raw output, so it needs this (S6).
 * Works on a stream: a sequence may be split between calls.
 */
export class MirrorFilter {
  #state: State = 'text';

  push(data: string): string {
    let shown = '';
    for (const char of data) shown += this.#next(char);
    return shown;
  }

  #next(char: string): string {
    switch (this.#state) {
      case 'text':
        return this.#text(char);
      case 'escape':
        if (STRING_INTRODUCERS.includes(char)) return this.#enter('string');
        if (char === ESC) return '';
        this.#state = 'text';
        return ESC + char;
      case 'string':
        if (char === ESC) return this.#enter('stringEscape');
        if (char === BEL || char === C1_ST || char === '\x18' || char === '\x1a') return this.#enter('text'); // CAN and SUB abort
        return '';
      case 'stringEscape':
        if (char === '\\') return this.#enter('text');
        this.#state = 'escape'; // another escape sequence begins: the string was aborted
        return this.#next(char);
    }
  }

  #text(char: string): string {
    if (char === ESC) return this.#enter('escape');
    if (C1_STRINGS.includes(char)) return this.#enter('string');
    return char;
  }

  #enter(state: State): string {
    this.#state = state;
    return '';
  }
}
