/** The part of the screen that is always redrawn, bottom-most. */
export interface Footer {
  /** One line directly above the box: the busy line, an error, or empty. */
  readonly status: string;
  /** Lines inside the box, without the rules around them. */
  readonly box: readonly string[];
  readonly hint: string;
  /** Draws the cursor behind the last line of the box; hidden otherwise. */
  readonly isTyping: boolean;
}

const MAX_KEPT_LINES = 500;

/** Output above, a ruled box at the bottom. Output scrolls into the terminal's own history; a resize repaints the screen. */
export class TerminalScreen {
  readonly #out: NodeJS.WriteStream;
  readonly #kept: string[] = [];
  #title = '';
  #footer: Footer = { status: '', box: [''], hint: '', isTyping: true };
  /** Rows of the footer as drawn, and rows between the cursor and its last row. 0 rows: nothing drawn yet. */
  #drawnRows = 0;
  #rowsBelowCursor = 0;

  /** `takesPaste`: asks for bracketed paste. */
  constructor(
    out: NodeJS.WriteStream,
    private readonly takesPaste = true,
  ) {
    this.#out = out;
    // A closed terminal must not end an agent that was told to ignore hang-ups.
    out.on('error', () => undefined);
    out.on('resize', () => this.repaint());
  }

  /** Adds lines of output above the box. */
  print(text: string): void {
    const lines = text.split('\n').flatMap((line) => wrap(printable(line), this.#columns));
    this.#kept.push(...text.split('\n'));
    this.#kept.splice(0, Math.max(0, this.#kept.length - MAX_KEPT_LINES));
    this.#out.write(this.#erase() + lines.map((line) => line + '\r\n').join('') + this.#draw());
  }

  show(footer: Footer, title: string): void {
    this.#footer = footer;
    const setTitle = title === this.#title ? '' : `\x1b]2;${title}\x07`;
    this.#title = title;
    this.#out.write(setTitle + this.#erase() + this.#draw());
  }

  repaint(): void {
    const block = this.#layout();
    const room = Math.max(0, this.#rows - block.length);
    const tail = this.#kept
      .flatMap((line) => wrap(printable(line), this.#columns))
      .slice(-room || this.#kept.length * 99);
    const lines = room === 0 ? [] : [...Array<string>(room - tail.length).fill(''), ...tail];
    this.#drawnRows = 0;
    this.#out.write(
      (this.takesPaste ? '\x1b[?2004h' : '') +
        '\x1b[H\x1b[2J' +
        lines.map((line) => line + '\r\n').join('') +
        this.#draw(),
    );
  }

  /** Leaves the screen as it is, with the shell's settings restored. */
  close(): void {
    this.#out.write(
      '\x1b[?2004l\x1b[?25h' + (this.#rowsBelowCursor > 0 ? `\x1b[${this.#rowsBelowCursor}B` : '') + '\r\n',
    );
  }

  get #columns(): number {
    return Math.max(10, (this.#out.columns || 80) - 1);
  }

  get #rows(): number {
    return this.#out.rows || 24;
  }

  #layout(): string[] {
    const rule = '─'.repeat(this.#columns);
    const room = Math.max(1, this.#rows - 4);
    const box = this.#footer.box.flatMap((line) => wrap(line, this.#columns)).slice(-room);
    return [
      ...wrap(this.#footer.status, this.#columns).slice(0, 1),
      rule,
      ...box,
      rule,
      ...wrap(this.#footer.hint, this.#columns).slice(0, 1),
    ];
  }

  #draw(): string {
    const lines = this.#layout();
    this.#drawnRows = lines.length;
    if (!this.#footer.isTyping) {
      this.#rowsBelowCursor = 0;
      return '\x1b[?25l' + lines.join('\r\n');
    }
    this.#rowsBelowCursor = 2;
    const column = widthOf(lines.at(-3) ?? '') + 1;
    return lines.join('\r\n') + `\x1b[2A\x1b[${column}G\x1b[?25h`;
  }

  #erase(): string {
    const up = this.#drawnRows - 1 - this.#rowsBelowCursor;
    return this.#drawnRows === 0 ? '' : '\r' + (up > 0 ? `\x1b[${up}A` : '') + '\x1b[J';
  }
}

/** Control characters of a prompt never reach the terminal. */
export function printable(text: string): string {
  return text.replace(/\t/g, '  ').replace(/\p{Cc}/gu, '');
}

function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  let width = 0;
  for (const character of text) {
    const next = widthOf(character);
    if (width + next > columns) {
      lines.push(line);
      line = '';
      width = 0;
    }
    line += character;
    width += next;
  }
  return [...lines, line];
}

/** Columns of a text, near enough: East Asian wide and emoji count two, combining marks none. */
function widthOf(text: string): number {
  let width = 0;
  for (const character of text) {
    if (/[\p{Mn}\p{Me}\p{Cf}]/u.test(character)) continue;
    width +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}]/u.test(
        character,
      )
        ? 2
        : 1;
  }
  return width;
}
