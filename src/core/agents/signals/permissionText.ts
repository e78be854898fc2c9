import type { AgentType } from '../agentType';
import { isJsonObject, type JsonObject } from '../jsonReader';
import { requirePattern, screenLines } from '../screenText';
import { cleanText, spellText } from '../visibleText';

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

/** A tool and its input as text that leaves nothing out: the command or the file first, changes line by line, the rest as JSON. Pure. */
export function requestText(tool: string | undefined, input: unknown, says: string): RequestText {
  const subject = subjectOf(input);
  const title = cleanText(
    [tool, subject === undefined ? undefined : firstLine(subject)].filter(Boolean).join(': ') || says,
  );
  const { text, isCut } = bounded(spellText(isJsonObject(input) ? objectText(input) : valueText(input)));
  return { title, detail: text === '' ? title : text, isCut, ...(subject !== undefined && { subject }) };
}

/** A dialog on the screen as a request. */
export function dialogText(dialog: string): RequestText {
  const { text, isCut } = bounded(spellText(dialog));
  return { title: cleanText(firstLine(dialog)), detail: text, isCut };
}

/** In which inputs what is run, changed or opened stands, in this order. */
const SUBJECTS = ['command', 'cmd', 'file_path', 'filePath', 'path', 'url', 'pattern'] as const;

function subjectOf(input: unknown): string | undefined {
  if (!isJsonObject(input)) return undefined;
  for (const key of SUBJECTS) {
    const value = input[key];
    if (typeof value === 'string' && value !== '') return value;
    if (Array.isArray(value) && value.length > 0 && value.every((part) => typeof part === 'string'))
      return value.join(' ');
  }
  const metadata = input['metadata'];
  return isJsonObject(metadata) ? subjectOf(metadata) : undefined;
}

function objectText(input: JsonObject): string {
  const subjectKey = SUBJECTS.find((key) => typeof input[key] === 'string');
  const rest = new Map(Object.entries(input));
  const parts: string[] = [];
  if (subjectKey !== undefined) {
    parts.push(String(input[subjectKey]));
    rest.delete(subjectKey);
  }
  const [before, after] = [take(rest, 'old_string', 'oldString'), take(rest, 'new_string', 'newString', 'content')];
  if (before !== undefined) parts.push(marked('- ', before));
  if (after !== undefined) parts.push(marked('+ ', after));
  for (const [key, value] of rest) parts.push(`${key}: ${valueText(value)}`);
  return parts.join('\n');
}

function take(from: Map<string, unknown>, ...keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const value = from.get(key);
    if (typeof value !== 'string') continue;
    from.delete(key);
    return value;
  }
  return undefined;
}

function marked(mark: string, text: string): string {
  return text.split('\n').map((line) => mark + line).join('\n'); // prettier-ignore
}

function valueText(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value, undefined, 2);
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
