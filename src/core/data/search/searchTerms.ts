import { DataError } from '../dataErrors';
import { searchWords, type SearchWord } from './searchWords';

/** Words that must stand side by side in this order; with `isPrefix` the last one need only begin so. Plain data, so that it can cross threads. */
export interface SearchTerm {
  readonly words: readonly string[];
  readonly isPrefix: boolean;
}

export const maxQueryLength = 1_000;
export const maxTerms = 16;
const maxWords = 64;
const minPrefixLength = 3;

const part = /"([^"]*)"?|[^\s"]+/g;
const quotes = /[“”„«»＂]/g;
const endsAsPrefix = /[\p{L}\p{N}\p{M}]\*\s*$/u;

/**
 * Reads what a person looks for: words (all must be there), `"a phrase"`, `begin*` (three letters or more: what begins with fewer is half of everything). What consists of several words without a space
 * (`snake_case`, `v1.2`) is a phrase. Everything else in it means nothing. Empty when there is no word.
 * @throws {DataError} data.invalid when it is too long
 */
export function parseSearch(query: string): readonly SearchTerm[] {
  if (query.length > maxQueryLength)
    throw new DataError('data.invalid', `what is looked for has at most ${maxQueryLength} characters`);
  const terms: SearchTerm[] = [];
  for (const { 0: whole, 1: phrase } of query.replaceAll(quotes, '"').matchAll(part)) {
    const text = phrase ?? whole;
    const words = searchWords(text).map((word) => word.text);
    const last = words.at(-1);
    if (last !== undefined) terms.push({ words, isPrefix: last.length >= minPrefixLength && endsAsPrefix.test(text) });
  }
  const count = terms.reduce((sum, { words }) => sum + words.length, 0);
  if (terms.length > maxTerms || count > maxWords)
    throw new DataError('data.invalid', `at most ${maxTerms} words or phrases can be looked for together`);
  return terms;
}

/** Where a term begins in `words`, or -1. */
export function findTerm(words: readonly SearchWord[], { words: wanted, isPrefix }: SearchTerm): number {
  const last = wanted.length - 1;
  for (let at = 0; at + last < words.length; at++) {
    const isHere = wanted.every((word, i) => {
      const found = words[at + i]?.text ?? '';
      return isPrefix && i === last ? found.startsWith(word) : found === word;
    });
    if (isHere) return at;
  }
  return -1;
}
