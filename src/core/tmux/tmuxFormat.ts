/** ASCII unit separator. Older servers print it as `\037`; both are understood. */
const SEPARATOR = '\x1f';
const ESCAPED_SEPARATOR = '\\037';

/**
 * A constant tmux format with named fields, and the reader of what it prints.
 * Fields an agent can choose (titles, command names) must be named last: a separator in them can only spoil the fields after them.
 * Each line begins with `marker`, a word an agent cannot know, so that a line break inside a field cannot forge a line.
 */
export class TmuxFormat<Field extends string> {
  /** What goes to tmux. */
  readonly text: string;
  readonly #fields: readonly Field[];
  readonly #marker: string;

  constructor(marker: string, fields: Readonly<Record<Field, string>>) {
    if (!/^[A-Za-z0-9]+$/.test(marker)) throw new TypeError('the marker must be a plain word');
    this.#marker = marker;
    this.#fields = Object.keys(fields) as Field[]; // Record<Field, …> has no other keys
    this.text = [marker, ...this.#fields.map((field) => `#{${fields[field]}}`)].join(SEPARATOR);
  }

  /** One record per line that begins with the marker; other lines are dropped, missing fields are ''. */
  parse(output: string): readonly Readonly<Record<Field, string>>[] {
    return output
      .split('\n')
      .filter((line) => line.startsWith(this.#marker))
      .map((line) => line.replaceAll(ESCAPED_SEPARATOR, SEPARATOR).split(SEPARATOR))
      .filter((parts) => parts[0] === this.#marker)
      .map((parts) => this.#record(parts));
  }

  #record(parts: readonly string[]): Readonly<Record<Field, string>> {
    const record = Object.fromEntries(this.#fields.map((field, i) => [field, parts[i + 1] ?? '']));
    return record as Record<Field, string>; // one entry per field
  }
}

/** What goes with a captured screen; asked often, so short. */
export function screenFormat(marker: string) {
  return new TmuxFormat(marker, {
    pid: 'pane_pid',
    inMode: 'pane_in_mode',
    cursorX: 'cursor_x',
    cursorY: 'cursor_y',
    bracketsPaste: 'bracket_paste_flag', // empty in versions that do not know it
    foreground: 'pane_current_command',
    title: 'pane_title',
  });
}

/** What we ask of the terminal of a launch. */
export function launchFormat(marker: string) {
  return new TmuxFormat(marker, {
    paneId: 'pane_id',
    windowId: 'window_id',
    pid: 'pane_pid',
    columns: 'window_width',
    rows: 'window_height',
  });
}

/** What we ask of a pane when we list. Made once per connection, with a fresh marker. */
export function paneFormat(marker: string) {
  return new TmuxFormat(marker, {
    session: 'session_name',
    agent: '@core_agent',
    generation: '@core_generation',
    paneId: 'pane_id',
    windowId: 'window_id',
    pid: 'pane_pid',
    isDead: 'pane_dead',
    deadStatus: 'pane_dead_status',
    deadSignal: 'pane_dead_signal',
    inMode: 'pane_in_mode',
    cursorX: 'cursor_x',
    cursorY: 'cursor_y',
    columns: 'pane_width',
    rows: 'pane_height',
    foreground: 'pane_current_command',
    title: 'pane_title',
  });
}
export type PaneRow = ReturnType<ReturnType<typeof paneFormat>['parse']>[number];

/** Who is attached to what; `flags` are words with commas between them (tmux(1), `client_flags`). */
export function clientFormat(marker: string) {
  return new TmuxFormat(marker, {
    pid: 'client_pid',
    isControl: 'client_control_mode',
    flags: 'client_flags',
    session: 'client_session',
  });
}
