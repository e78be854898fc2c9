import { UNTOLD_FIELD } from '../../../shared/untoldInput';
import type { AgentType } from '../agentType';
import { isJsonObject } from '../jsonReader';
import { requirePattern, screenLines } from '../screenText';
import { cleanText, spellText } from '../visibleText';
import { decoded, isWords, readableInput, SUBJECTS } from './readableInput';

/** The most that is kept of one request. */
export const MAX_DETAIL_BYTES = 32 * 1024;
const DIALOG_LINES = 16;

/** A request in words. */
export interface RequestText {
  readonly title: string;
  readonly detail: string;
  readonly isCut: boolean;
  /** What allow rules look at: the whole command, else the file, else the address; undefined when there is none. */
  readonly subject?: string;
}

/** A tool and its input as text that leaves nothing out (see {@link readableInput}), everything invisible spelled out. Pure. */
export function requestText(tool: string | undefined, input: unknown, says: string): RequestText {
  const { value, isExact } = decoded(input);
  const subject = isExact ? subjectOf(value) : undefined; // no rule looks at what can be read in two ways
  const title = cleanText(
    [tool, subject === undefined ? undefined : firstLine(subject)].filter(Boolean).join(': ') || says,
  );
  const { text, isCut } = bounded(spellText(readableInput(input)));
  const isUntold = isJsonObject(value) && value[UNTOLD_FIELD] !== undefined;
  return {
    title,
    detail: text === '' ? title : text,
    isCut: isCut || isUntold,
    ...(subject !== undefined && { subject }),
  };
}

/** A dialog on the screen as a request. */
export function dialogText(dialog: string): RequestText {
  const { text, isCut } = bounded(spellText(dialog));
  return { title: cleanText(firstLine(dialog)), detail: text, isCut };
}

function subjectOf(input: unknown): string | undefined {
  if (!isJsonObject(input)) return undefined;
  for (const key of SUBJECTS) {
    const value = input[key];
    if (typeof value === 'string' && value !== '') return value;
    if (isWords(value)) return value.join(' ');
  }
  const metadata = input['metadata'];
  return isJsonObject(metadata) ? subjectOf(metadata) : undefined;
}

function firstLine(text: string): string {
  return text.split('\n').find((line) => line.trim() !== '') ?? '';
}

/** Cut at a character, by UTF-8 size. */
function bounded(text: string): { readonly text: string; readonly isCut: boolean } {
  if (text.length * 3 <= MAX_DETAIL_BYTES) return { text, isCut: false };
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (bytes > MAX_DETAIL_BYTES) return { text: text.slice(0, end), isCut: true };
    end += character.length;
  }
  return { text, isCut: false };
}

/**
 * The dialog that is at the bottom of a screen, normalised: without frames, blanks in a row and the mark of the selection, which a person
 * may move without changing what is asked. Undefined when the type's first line of a dialog is not there. Pure.
 */
export function dialogOf(type: Pick<AgentType, 'approval'>, text: string): string | undefined {
  const lines = screenLines(text).filter((line) => line.trim() !== '');
  const top = type.approval?.dialogTop;
  const from = top === undefined ? Math.max(0, lines.length - DIALOG_LINES) : findLast(lines, requirePattern(top));
  if (from < 0) return undefined;
  const normalised = lines.slice(from).map(normalise).filter((line) => line !== ''); // prettier-ignore
  return normalised.length === 0 ? undefined : normalised.join('\n');
}

function findLast(lines: readonly string[], pattern: RegExp): number {
  for (let index = lines.length - 1; index >= 0; index--) if (pattern.test(lines[index] ?? '')) return index;
  return -1;
}

/** Box drawing and blocks (U+2500–259F), spinners (braille patterns) and selection marks say nothing about what is asked. */
function normalise(line: string): string {
  return line
    .replace(/[\u2500-\u259f\u2800-\u28ff❯›●]/gu, ' ')
    .replace(/\s+/gu, ' ')
    .trim();
}

/**
 * True when whole lines of `dialog` are `subject`, however it was wrapped, with or without a shell's prompt sign. A part of a line is not enough (`git push`
 * is not `git push --force`), and what is drawn shortened is not shown.
 */
export function shows(dialog: string, subject: string): boolean {
  const wanted = bare(subject);
  const lines = dialog.split('\n').map(bare);
  return (
    wanted !== '' &&
    lines.some((_, from) => begins(lines.slice(from), wanted) || begins(lines.slice(from), `$${wanted}`))
  );
}

/**
 * True when a dialog shows everything of a tool's input: each text and number stands there as whole lines, word for word (a line may have been wrapped).
 * Stricter than {@link shows}: for saying that who saw the dialog saw the request.
 */
export function showsWhole(dialog: string, input: unknown): boolean {
  const { value, isExact } = decoded(input);
  const parts = isExact ? leaves(value) : [];
  const lines = dialog.split('\n');
  return parts.length > 0 && parts.every((part) => lines.some((_, from) => stands(lines, from, part.split('\n'))));
}

/** Every value of an input, as a dialog would draw it. Empty ones are nothing that could be drawn. */
function leaves(value: unknown): readonly string[] {
  if (value === null || value === undefined || value === '') return [];
  if (isWords(value)) return [value.join(' ')];
  if (typeof value === 'object') return Object.values(value).flatMap(leaves);
  return [typeof value === 'string' ? value : JSON.stringify(value)];
}

/** From this line on these lines stand there, one after the other, each perhaps wrapped. Blank ones are not drawn. */
function stands(lines: readonly string[], from: number, wanted: readonly string[]): boolean {
  let at = from;
  for (const line of wanted.filter((one) => one.trim() !== '')) {
    let rest = line.replace(/\s+/gu, ' ').trim();
    if (rest !== normalise(rest)) return false; // what a dialog's frame is drawn with cannot be compared
    for (; rest !== ''; at++) {
      const drawn = lines[at] ?? '';
      if (drawn === '' || !rest.startsWith(drawn)) return false;
      rest = rest.slice(drawn.length).trimStart();
    }
  }
  return at > from;
}

/** The first lines together are `wanted`. */
function begins(lines: readonly string[], wanted: string): boolean {
  let text = '';
  for (const line of lines) {
    text += line;
    if (text === wanted) return true;
    if (!wanted.startsWith(text)) return false;
  }
  return false;
}

function bare(text: string): string {
  return normalise(text.replaceAll('\n', ' ')).replaceAll(' ', '');
}
