import { parsePattern, PatternSyntaxError, type PatternNode } from './patternSyntax';

/** Positions in a compiled pattern; `a{1000}{1000}` would have a million. */
const MAX_STATES = 2_000;

export type PatternResult =
  | { readonly ok: true; readonly pattern: LinearPattern }
  | { readonly ok: false; readonly message: string };

/**
 * Compiles a regular expression (ECMAScript, flag `u`, as JSON Schema asks for). It is matched without backtracking
 * (Thompson 1968, https://swtch.com/~rsc/regexp/regexp1.html), in time proportional to the text whatever the pattern
 * is: patterns come from settings, files and extensions. Refused: look-around and back-references, which cannot be
 * matched so, and what has more than 2 000 positions once counted repetitions are written out.
 */
export function compileLinearPattern(source: string): PatternResult {
  try {
    return { ok: true, pattern: new LinearPattern(source, parsePattern(source)) };
  } catch (error) {
    if (!(error instanceof PatternSyntaxError)) throw error;
    return { ok: false, message: error.message };
  }
}

type State =
  | { readonly op: 'set'; readonly has: (codePoint: number) => boolean }
  | { readonly op: 'assert'; readonly kind: '^' | '$' | 'b' | 'B' }
  | { op: 'split'; to: number[] }
  | { readonly op: 'match' };

/** A compiled pattern. Reusable and without state between calls. */
export class LinearPattern {
  readonly #states: State[] = [];
  readonly #isAnchored: boolean;
  /** Parts written out, empty ones too: `(?:){1000000}` has no states and takes time. */
  #partCount = 0;

  constructor(
    readonly source: string,
    root: PatternNode,
  ) {
    this.#emit(root);
    this.#states.push({ op: 'match' });
    this.#isAnchored = this.#states[0]?.op === 'assert' && this.#states[0].kind === '^';
  }

  /** Whether it matches anywhere in `text`; undefined when that would take more than `maxSteps` steps (some 20 ns each). */
  test(text: string, maxSteps: number): { readonly isMatch: boolean | undefined; readonly steps: number } {
    return new Matching(this.#states, this.#isAnchored, text, maxSteps).run();
  }

  #emit(node: PatternNode): void {
    if (this.#states.length > MAX_STATES || ++this.#partCount > 4 * MAX_STATES)
      throw new PatternSyntaxError('repeats too much');
    switch (node.kind) {
      case 'set':
        this.#states.push({ op: 'set', has: node.has });
        return;
      case 'assert':
        this.#states.push({ op: 'assert', kind: node.assertion });
        return;
      case 'sequence':
        for (const part of node.parts) this.#emit(part);
        return;
      case 'choice':
        return this.#emitChoice(node.options);
      case 'repeat':
        return this.#emitRepeat(node.part, node.min, node.max);
    }
  }

  #split(): { op: 'split'; to: number[] } {
    const state = { op: 'split' as const, to: [] as number[] };
    this.#states.push(state);
    return state;
  }

  #emitChoice(options: readonly PatternNode[]): void {
    const start = this.#split();
    const ends = options.map((option) => {
      start.to.push(this.#states.length);
      this.#emit(option);
      return this.#split();
    });
    for (const end of ends) end.to.push(this.#states.length);
  }

  #emitRepeat(part: PatternNode, min: number, max: number): void {
    for (let i = 0; i < min; i++) this.#emit(part);
    if (max === Infinity) {
      const at = this.#states.length;
      const loop = this.#split();
      loop.to.push(this.#states.length);
      this.#emit(part);
      this.#split().to.push(at);
      loop.to.push(this.#states.length);
      return;
    }
    const skips = Array.from({ length: max - min }, () => {
      const skip = this.#split();
      skip.to.push(this.#states.length);
      this.#emit(part);
      return skip;
    });
    for (const skip of skips) skip.to.push(this.#states.length);
  }
}

/** One walk over a text, all positions of the pattern at once. */
class Matching {
  #steps = 0;
  /** For every state the position in the text, plus one, at which it was last entered. */
  readonly #enteredAt: Uint32Array;
  #current: number[] = [];
  #isMatch = false;

  constructor(
    private readonly states: readonly State[],
    private readonly isAnchored: boolean,
    private readonly text: string,
    private readonly maxSteps: number,
  ) {
    this.#enteredAt = new Uint32Array(states.length);
  }

  run(): { readonly isMatch: boolean | undefined; readonly steps: number } {
    let next: number[] = [];
    for (let at = 0; ;) {
      if (at === 0 || !this.isAnchored) this.#enter(0, at);
      if (this.#isMatch) return { isMatch: true, steps: this.#steps };
      if (this.#steps > this.maxSteps) return { isMatch: undefined, steps: this.#steps };
      const codePoint = this.text.codePointAt(at);
      if (codePoint === undefined || (this.isAnchored && this.#current.length === 0))
        return { isMatch: false, steps: this.#steps };
      const width = codePoint > 0xffff ? 2 : 1;
      const alive = this.#current;
      this.#current = next;
      for (const index of alive) {
        const state = this.states[index];
        if (state?.op === 'set' && state.has(codePoint)) this.#enter(index + 1, at + width);
      }
      this.#steps += alive.length + 1;
      alive.length = 0;
      next = alive;
      at += width;
    }
  }

  /** Adds a state and all that are reached from it without a character. */
  #enter(first: number, at: number): void {
    const open = [first];
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      const state = this.states[index];
      if (!state || this.#enteredAt[index] === at + 1) continue;
      this.#enteredAt[index] = at + 1;
      this.#steps++;
      if (state.op === 'set') this.#current.push(index);
      else if (state.op === 'match') this.#isMatch = true;
      else if (state.op === 'split') open.push(...state.to);
      else if (this.#holds(state.kind, at)) open.push(index + 1);
    }
  }

  #holds(kind: '^' | '$' | 'b' | 'B', at: number): boolean {
    if (kind === '^') return at === 0;
    if (kind === '$') return at === this.text.length;
    return (isWord(this.text.charCodeAt(at - 1)) !== isWord(this.text.charCodeAt(at))) === (kind === 'b');
  }
}

/** As `\w` without flag `i`; NaN outside of the text is no word. */
function isWord(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95 || (code >= 97 && code <= 122);
}
