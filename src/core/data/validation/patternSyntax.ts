/** Longer sources are refused. */
export const MAX_PATTERN_LENGTH = 1_000;

/** What a regular expression is made of. */
export type PatternNode =
  | { readonly kind: 'set'; readonly has: (codePoint: number) => boolean }
  | { readonly kind: 'assert'; readonly assertion: '^' | '$' | 'b' | 'B' }
  | { readonly kind: 'sequence'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly options: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly part: PatternNode; readonly min: number; readonly max: number };

/** Why a pattern is refused, as the end of a sentence that begins with it. */
export class PatternSyntaxError extends Error {}

/**
 * Reads a regular expression of ECMAScript with flag `u`. The engine's own compiler says whether it is one; this
 * reader only finds its structure, and leaves the meaning of classes and escapes to the engine, one character at a time.
 * @throws {PatternSyntaxError} it does not compile, is too long, or uses look-around, back-references or modifiers
 */
export function parsePattern(source: string): PatternNode {
  if (source.length > MAX_PATTERN_LENGTH)
    throw new PatternSyntaxError(`is longer than ${MAX_PATTERN_LENGTH} characters`);
  try {
    new RegExp(source, 'u');
  } catch {
    throw new PatternSyntaxError('does not compile');
  }
  return new PatternReader(source).choice();
}

/** Walks a regular expression that is known to compile. */
class PatternReader {
  #at = 0;

  constructor(private readonly source: string) {}

  choice(): PatternNode {
    const options = [this.#sequence()];
    while (this.source[this.#at] === '|') {
      this.#at++;
      options.push(this.#sequence());
    }
    const [only] = options;
    return options.length === 1 && only ? only : { kind: 'choice', options };
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = [];
    while (this.#at < this.source.length && this.source[this.#at] !== '|' && this.source[this.#at] !== ')')
      parts.push(this.#repeated(this.#atom()));
    return { kind: 'sequence', parts };
  }

  #atom(): PatternNode {
    const character = this.source[this.#at];
    if (character === '(') return this.#group();
    if (character === '[') return this.#take(this.#classEnd());
    if (character === '\\') return this.#escape();
    if (character === '^' || character === '$') {
      this.#at++;
      return { kind: 'assert', assertion: character };
    }
    const codePoint = this.source.codePointAt(this.#at) ?? 0;
    return this.#take(this.#at + (codePoint > 0xffff ? 2 : 1));
  }

  /** The source up to `end` stands for one character. */
  #take(end: number): PatternNode {
    const text = this.source.slice(this.#at, end);
    this.#at = end;
    return { kind: 'set', has: setOf(text) };
  }

  #classEnd(): number {
    let at = this.#at + 1;
    while (this.source[at] !== ']') at += this.source[at] === '\\' ? 2 : 1;
    return at + 1;
  }

  #escape(): PatternNode {
    const kind = this.source[this.#at + 1] ?? '';
    if (kind === 'b' || kind === 'B') {
      this.#at += 2;
      return { kind: 'assert', assertion: kind };
    }
    if (/[1-9k]/.test(kind)) throw new PatternSyntaxError('uses a back-reference');
    // A pair of surrogates is one character.
    const escape =
      /^\\(?:u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}|u\{[0-9A-Fa-f]+\}|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|c[A-Za-z]|[pP]\{[^}]*\}|[^])/u;
    const [text = ''] = escape.exec(this.source.slice(this.#at)) ?? [];
    return this.#take(this.#at + text.length);
  }

  #group(): PatternNode {
    const [start = '('] = /^\((?:\?<(?![=!])[^>]*>|\?:)?/.exec(this.source.slice(this.#at)) ?? [];
    if (start === '(' && this.source[this.#at + 1] === '?')
      throw new PatternSyntaxError('uses look-ahead, look-behind or modifiers');
    this.#at += start.length;
    const inner = this.choice();
    this.#at++;
    return inner;
  }

  #repeated(part: PatternNode): PatternNode {
    const [text, min, isRange, max] = /^(?:[*+?]|\{(\d+)(,)?(\d+)?\})/.exec(this.source.slice(this.#at)) ?? [];
    if (text === undefined) return part;
    this.#at += text.length;
    if (this.source[this.#at] === '?') this.#at++; // lazy: matches the same texts
    if (text === '*') return { kind: 'repeat', part, min: 0, max: Infinity };
    if (text === '+') return { kind: 'repeat', part, min: 1, max: Infinity };
    if (text === '?') return { kind: 'repeat', part, min: 0, max: 1 };
    const least = Number(min);
    const most = isRange === undefined ? least : max === undefined ? Infinity : Number(max);
    // Above the bound on positions the exact count does not matter: it is refused.
    return { kind: 'repeat', part, min: Math.min(least, 1e6), max: most === Infinity ? most : Math.min(most, 1e6) };
  }
}

/** Whether a character is what this piece of a pattern stands for: a table for ASCII, the engine's own matcher for the rest. */
function setOf(piece: string): (codePoint: number) => boolean {
  const one = new RegExp(`^(?:${piece})$`, 'u');
  const ascii = Array.from({ length: 128 }, (_, code) => one.test(String.fromCharCode(code)));
  return (codePoint) => (codePoint < 128 ? ascii[codePoint] === true : one.test(String.fromCodePoint(codePoint)));
}
