/** How much of the end of a notification is kept: longer than any sequence that is looked for, as tmux writes it. */
const SEAM_CHARS = 80;
/**
 * What turns bracketed paste on or off in tmux: `CSI ? … 2004 … h` or `l`, alone or among others, and a full reset (`ESC c`), as they
 * stand in an output notification (octal escapes; tmux(1), CONTROL MODE).
 */
const SWITCH = /\\033(?:(c)|\[\?(?:\d{1,5};){0,8}2004(?:;\d{1,5}){0,8}([hl]))/g;
const MODE = Buffer.from('2004');
const RESET = Buffer.from('\\033c');

interface Pane {
  /** Undefined: not known. */
  isOn: boolean | undefined;
  /** Something of its output was missed. */
  hasGap: boolean;
  tail: string;
}

/**
 * Whether the program in a terminal has asked for bracketed paste (xterm, DECSET 2004), from its output: tmux brackets a paste only then, and tells of it
 * only in versions that are newer than most. What was put out before we listened, or while the stream was interrupted, is not known.
 */
export class PasteModes {
  readonly #panes = new Map<string, Pane>();

  /** True: a paste comes as one text. False: as if it were typed. Undefined: not known. */
  isOn(paneId: string): boolean | undefined {
    return this.#panes.get(paneId)?.isOn;
  }

  push(paneId: string, escaped: Uint8Array): void {
    const bytes = Buffer.from(escaped.buffer, escaped.byteOffset, escaped.length);
    const pane = this.#pane(paneId);
    if (pane.tail !== '') read(pane, pane.tail + bytes.toString('latin1', 0, SEAM_CHARS));
    if (bytes.includes(MODE) || bytes.includes(RESET)) read(pane, bytes.toString('latin1'));
    const known = bytes.length < SEAM_CHARS ? pane.tail : '';
    pane.tail = (known + bytes.subarray(-SEAM_CHARS).toString('latin1')).slice(-SEAM_CHARS);
  }

  /** Its program was started while we listened: what it has not asked for is off. */
  noteLaunched(paneId: string): void {
    const pane = this.#pane(paneId);
    if (!pane.hasGap) pane.isOn ??= false;
  }

  /** Output of this terminal was lost. */
  noteGap(paneId: string): void {
    this.#panes.set(paneId, { isOn: undefined, hasGap: true, tail: '' });
  }

  forget(paneId: string): void {
    this.#panes.delete(paneId);
  }

  clear(): void {
    this.#panes.clear();
  }

  #pane(paneId: string): Pane {
    const pane = this.#panes.get(paneId) ?? { isOn: undefined, hasGap: false, tail: '' };
    this.#panes.set(paneId, pane);
    return pane;
  }
}

/** The last one decides; what was read before is only read again together with what came behind it. */
function read(pane: Pane, text: string): void {
  for (const [, , letter] of text.matchAll(SWITCH)) pane.isOn = letter === 'h';
}
