/** Patterns come from outside (settings, workspace files, extensions); text comes from agents. Neither may stall the engine. */
export const MAX_PATTERN_LENGTH = 200;
/** A line is cut here before a pattern sees it. */
export const MAX_LINE_LENGTH = 256;
/** Text of a screen that rules look at: the last 32 Ki characters, a terminal of 250 columns and 100 lines. */
export const MAX_TEXT_LENGTH = 32_768;
/** Lines of a screen that rules look at: the last ones. */
export const MAX_SCREEN_LINES = 250;
/** Upper bound of the backtracking steps of one pattern on one line; 2·10⁷ simple steps take well below 200 ms in V8. */
const MAX_STEPS = 2e7;

export type PatternResult =
  | { readonly ok: true; readonly pattern: RegExp }
  | { readonly ok: false; readonly message: string };

/**
 * Compiles a regular expression of a manifest (flag `u`, plus `i` on demand) if its worst case on one line of
 * {@link MAX_LINE_LENGTH} characters is bounded. Refused: back-references, look-behind, a repeated group that itself repeats or chooses
 * (`(a+)+`, `(a|b)*`), and products of repetitions above the step budget.
 */
export function compilePattern(source: string, ignoreCase = false): PatternResult {
  if (source.length === 0) return { ok: false, message: 'is empty' };
  if (source.length > MAX_PATTERN_LENGTH)
    return { ok: false, message: `is longer than ${MAX_PATTERN_LENGTH} characters` };
  let pattern: RegExp;
  try {
    pattern = new RegExp(source, ignoreCase ? 'iu' : 'u');
  } catch (error) {
    return { ok: false, message: `does not compile: ${error instanceof Error ? error.message : String(error)}` };
  }
  const reader = new CostReader(source);
  const cost = reader.read();
  if (reader.refusal) return { ok: false, message: reader.refusal };
  const starts = source.startsWith('^') && !reader.hasTopLevelChoice ? 1 : MAX_LINE_LENGTH;
  if (cost.steps * starts > MAX_STEPS)
    return { ok: false, message: 'could take too long: use fewer repetitions (`*`, `+`, `{n,}`)' };
  return { ok: true, pattern };
}

/** Text for a pattern from a value that is not one. */
export function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, (character) => (character === '-' ? '\\x2d' : `\\${character}`));
}

interface Cost {
  /** Ways to match, as an upper bound. */
  readonly steps: number;
  /** Contains a repetition of variable length or a choice: must not be repeated itself. */
  readonly isVariable: boolean;
}

/** Walks a regular expression that is known to compile. */
class CostReader {
  refusal: string | undefined;
  hasTopLevelChoice = false;
  #at = 0;

  constructor(private readonly source: string) {}

  read(depth = 0): Cost {
    let total = 0;
    let branch = 1;
    let isVariable = false;
    while (this.#at < this.source.length && this.#peek() !== ')') {
      if (this.#peek() === '|') {
        this.#at++;
        total += branch;
        branch = 1;
        isVariable = true;
        if (depth === 0) this.hasTopLevelChoice = true;
        continue;
      }
      const item = this.#item(depth);
      branch *= item.steps;
      isVariable ||= item.isVariable;
    }
    return { steps: total + branch, isVariable };
  }

  #peek(): string {
    return this.source[this.#at] ?? '';
  }

  #item(depth: number): Cost {
    const atom = this.#atom(depth);
    const repeat = this.#repeat();
    if (!repeat) return atom;
    const [min, max] = repeat;
    if (atom.isVariable && max > 1)
      this.refusal ??= 'repeats a group that itself repeats or chooses: use a character class, or repeat only once';
    const ways = Math.max(1, Math.min(max, MAX_LINE_LENGTH) - min + 1);
    return { steps: Math.max(1, atom.steps) * ways, isVariable: atom.isVariable || max !== min };
  }

  #atom(depth: number): Cost {
    const character = this.#peek();
    this.#at++;
    if (character === '\\') return this.#escape();
    if (character === '[') return this.#characterClass();
    if (character === '(') return this.#group(depth);
    return { steps: 1, isVariable: false };
  }

  #escape(): Cost {
    const kind = this.#peek();
    this.#at++;
    if (/[1-9k]/.test(kind)) this.refusal ??= 'uses a back-reference';
    if (/[uxpP]/.test(kind) && this.#peek() === '{') this.#skipPast('}');
    return { steps: 1, isVariable: false };
  }

  #characterClass(): Cost {
    while (this.#at < this.source.length && this.#peek() !== ']') this.#at += this.#peek() === '\\' ? 2 : 1;
    this.#at++;
    return { steps: 1, isVariable: false };
  }

  #group(depth: number): Cost {
    if (this.#peek() === '?') {
      const rest = this.source.slice(this.#at, this.#at + 3);
      if (rest.startsWith('?<=') || rest.startsWith('?<!')) this.refusal ??= 'uses look-behind';
      if (rest.startsWith('?<') && !this.refusal) this.#skipPast('>');
      else this.#at += 2;
    }
    const inner = this.read(depth + 1);
    this.#at++;
    return inner;
  }

  #skipPast(end: string): void {
    const found = this.source.indexOf(end, this.#at);
    this.#at = found < 0 ? this.source.length : found + 1;
  }

  /** The quantifier here, if any, as [min, max]. */
  #repeat(): readonly [number, number] | undefined {
    const character = this.#peek();
    let range: readonly [number, number] | undefined;
    if (character === '*') range = [0, Infinity];
    if (character === '+') range = [1, Infinity];
    if (character === '?') range = [0, 1];
    if (range) this.#at++;
    else if (character === '{') range = this.#braces();
    if (range && this.#peek() === '?') this.#at++; // lazy: the same worst case
    return range;
  }

  #braces(): readonly [number, number] | undefined {
    const match = /^\{(\d+)(,(\d*))?\}/.exec(this.source.slice(this.#at));
    if (!match) return undefined;
    this.#at += match[0].length;
    const min = Number(match[1]);
    return [min, match[2] === undefined ? min : match[3] ? Number(match[3]) : Infinity];
  }
}
