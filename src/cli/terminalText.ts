/** A terminal escape sequence as a whole (ECMA-48 5.4 and 5.6), so that `ESC[31m` leaves no `[31m` behind. */
const ESCAPE_SEQUENCE =
  // eslint-disable-next-line no-control-regex
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b[PX\]^_]|[\u0090\u0098\u009d-\u009f])[^\u001b\u0007\u009c]*(?:\u0007|\u001b\\|\u009c|$)|\u001b[ -/]*[0-~]/gu;
/** Controls, and what changes how text looks without being seen: bidi controls, zero-width characters, tags. */
const INVISIBLE =
  // eslint-disable-next-line no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

/** One line for a terminal: nothing in it moves the cursor, changes colours or hides text; at most `maxCharacters`. */
export function cleanLine(text: string, maxCharacters = 500): string {
  const clean = text
    .slice(0, maxCharacters * 20)
    .replace(ESCAPE_SEQUENCE, '')
    .replace(/[\t\n\r\u2028\u2029]+/gu, ' ')
    .replace(INVISIBLE, '')
    .trim();
  const characters = [...clean];
  return characters.length <= maxCharacters ? clean : `${characters.slice(0, maxCharacters - 1).join('')}…`;
}

/** Several lines for a terminal; a tab becomes a blank. */
export function cleanBlock(text: string): string {
  return text
    .replace(ESCAPE_SEQUENCE, '')
    .split(/\r\n|[\n\r]/)
    .map((line) => line.replace(/\t/g, ' ').replace(INVISIBLE, ''))
    .join('\n');
}

/** Columns a text takes: two for what East Asian terminals draw wide and for emoji, none for combining marks. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += /\p{M}/u.test(character) ? 0 : isWide(character.codePointAt(0) ?? 0) ? 2 : 1;
  return width;
}

function isWide(code: number): boolean {
  return (
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf && code !== 0x303f) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd)
  );
}

/** At most `width` columns; what was longer ends with `…`. */
export function fitted(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let taken = '';
  for (const character of text) {
    if (widthOf(taken + character) > width - 1) break;
    taken += character;
  }
  return `${taken}…`;
}

/** What gives way when a table is wider than its terminal. */
export interface TableFit {
  /** Columns that are never shortened: what a person copies must be whole. */
  readonly kept?: readonly number[];
  /** Columns that are left out, in this order, when shortening is not enough. */
  readonly droppable?: readonly number[];
}

/**
 * A table without lines, of at most `totalWidth` columns (Infinity: nothing is shortened). When it is too wide the last column is shortened
 * first, then the first, then all, then columns are left out. Only what must be kept can make it wider.
 */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  totalWidth: number,
  { kept = [], droppable = [] }: TableFit = {},
): string {
  const gap = 2;
  const widths = head.map((title, column) =>
    Math.max(widthOf(title), ...rows.map((row) => widthOf(row[column] ?? ''))),
  );
  const last = widths.length - 1;
  const dropped = new Set<number>();
  const surplus = (): number =>
    widths.reduce((sum, width, column) => (dropped.has(column) ? sum : sum + width + gap), -gap) - totalWidth;
  const narrow = (column: number, least: number): void => {
    const width = widths[column] ?? 0;
    if (surplus() > 0 && !kept.includes(column)) widths[column] = Math.max(Math.min(width, least), width - surplus());
  };
  narrow(last, 12);
  narrow(0, 10);
  for (const column of widths.keys()) narrow(column, 6);
  for (const column of droppable) if (surplus() > 0) dropped.add(column);
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => {
        if (dropped.has(column)) return '';
        const text = fitted(cell, widths[column] ?? 0);
        return text + ' '.repeat(Math.max(0, (widths[column] ?? 0) - widthOf(text)) + gap);
      })
      .join('')
      .trimEnd();
  return [head, ...rows].map(line).join('\n');
}

/** How long ago, in one unit: `12 s`, `5 min`, `3 h`, `2 d`. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`;
}
