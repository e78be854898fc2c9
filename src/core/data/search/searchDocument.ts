import { redact } from '../../../shared/redact';
import { checkIndexName } from '../recordCodec';
import { DataError } from '../dataErrors';
import { findTerm, type SearchTerm } from './searchTerms';
import { searchWords } from './searchWords';

/**
 * Where texts are in a value: properties, `*` for every element: `text`, `parts.*.text`. `~` at the end: without what is secret in
 * them (`redact.ts`), which is neither found nor shown.
 */
export type TextPath = string;

function readPath(path: TextPath): { readonly names: readonly string[]; readonly isRedacted: boolean } {
  const isRedacted = path.endsWith('~');
  return { names: (isRedacted ? path.slice(0, -1) : path).split('.'), isRedacted };
}

const maxTextPaths = 16;

/** @throws {DataError} data.invalid */
export function checkTextPaths(paths: readonly TextPath[]): void {
  if (paths.length > maxTextPaths) throw new DataError('data.invalid', `at most ${maxTextPaths} texts are searched`);
  for (const path of paths) for (const name of readPath(path).names) if (name !== '*') checkIndexName(name);
}

/** The texts of a value at `paths`, in order; what is no text is passed over. */
export function textsAt(value: unknown, paths: readonly TextPath[]): readonly string[] {
  const texts: string[] = [];
  for (const path of paths) {
    const { names, isRedacted } = readPath(path);
    const first = texts.length;
    collect(value, names, 0, texts);
    if (isRedacted) for (let i = first; i < texts.length; i++) texts[i] = redact(texts[i] ?? '');
  }
  return texts;
}

function collect(value: unknown, names: readonly string[], depth: number, texts: string[]): void {
  const name = names[depth];
  if (name === undefined) {
    if (typeof value === 'string' && value !== '') texts.push(value);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  if (name === '*') {
    for (const item of Object.values(value)) collect(item, names, depth + 1, texts);
  } else if (Object.hasOwn(value, name)) {
    collect((value as Record<string, unknown>)[name], names, depth + 1, texts); // an object with this property
  }
}

/** A piece of a text around what was found, on one line, and which parts of it were found. */
export interface SearchSnippet {
  readonly text: string;
  /** Start and end (exclusive) in `text`, in order. */
  readonly marks: readonly (readonly [start: number, end: number])[];
}

/** Stands before the first match in a snippet. */
const contextBefore = 40;
const snippetLength = 160;

/**
 * The part of the first text with a match around its first match; undefined when not every term is there. Different terms may be in
 * different texts, a phrase is in one.
 */
export function snippetOf(texts: readonly string[], terms: readonly SearchTerm[]): SearchSnippet | undefined {
  const all = texts.map((text) => searchWords(text));
  if (!terms.every((term) => all.some((words) => findTerm(words, term) >= 0))) return undefined;
  for (const [i, words] of all.entries()) {
    const found = terms.flatMap((term) => {
      const at = findTerm(words, term);
      const [first, last] = [words[at], words[at + term.words.length - 1]];
      return first && last ? [[first.start, last.end] as const] : [];
    });
    if (found.length > 0) return cutOut(texts[i] ?? '', found);
  }
  return { text: '', marks: [] };
}

function cutOut(text: string, found: readonly (readonly [number, number])[]): SearchSnippet {
  const sorted = [...found].sort((a, b) => a[0] - b[0]);
  const from = whole(text, Math.max(0, (sorted[0]?.[0] ?? 0) - contextBefore));
  const to = whole(text, Math.min(text.length, from + snippetLength));
  const lead = from > 0 ? '…' : '';
  // Replaced one by one, so that places stay what they are.
  const piece = text.slice(from, to).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (each) => ' '.repeat(each.length));
  const marks: (readonly [number, number])[] = [];
  let end = from;
  for (const [start, stop] of sorted) {
    if (start < end || start >= to) continue;
    end = Math.min(stop, to);
    marks.push([start - from + lead.length, end - from + lead.length]);
  }
  return { text: `${lead}${piece}${to < text.length ? '…' : ''}`, marks };
}

/** Never between the halves of a surrogate pair; half of one that stands alone is a place like others. */
function whole(text: string, at: number): number {
  return (text.codePointAt(at - 1) ?? 0) > 0xffff ? at - 1 : at;
}
