import { parsePattern, PatternSyntaxError, type PatternNode } from './patternSyntax';

/** Positions in a compiled pattern; `a{1000}{1000}` would have a million. */
const MAX_STATES = 2_000;
/** Places of one pattern that are kept; each has a table of 128 characters. */
const MAX_PLACES = 200;

export type PatternResult =
  | { readonly ok: true; readonly pattern: LinearPattern }
  | { readonly ok: false; readonly message: string };

/**
 * Compiles a regular expression (ECMAScript, flag `u`, as JSON Schema asks for). It is matched without backtracking
 * (Thompson 1968, https://swtch.com/~rsc/regexp/regexp1.html: an automaton made while it runs), in time proportional to the text whatever the pattern
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

/** A compiled pattern. Calls do not affect each other, but are faster once similar texts were met. */
export class LinearPattern {
  readonly #states: State[] = [];
  readonly #walker: Walker;
  /** Parts written out, empty ones too: `(?:){1000000}` has no states and takes time. */
  #partCount = 0;

  constructor(
    readonly source: string,
    root: PatternNode,
  ) {
    this.#emit(root);
    this.#states.push({ op: 'match' });
    this.#walker = new Walker(this.#states);
  }

  /** Whether it matches anywhere in `text`; undefined when that would take more than `maxSteps` steps (some 20 ns each). */
  test(text: string, maxSteps: number): { readonly isMatch: boolean | undefined; readonly steps: number } {
    return this.#walker.test(text, maxSteps);
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

/** Where a walk over a text may be: every place in the pattern that has been reached. What follows from it is noted once known. */
class Place {
  /** By ASCII character: the next place, or true when the pattern has matched before that character. */
  readonly next: (Place | true | undefined)[] = new Array<Place | true | undefined>(128).fill(undefined);

  constructor(
    /** States reached, before what needs no character is followed: that depends on the next character. */
    readonly states: readonly number[],
    readonly isStart: boolean,
    readonly isAfterWord: boolean,
  ) {}
}

/** Walks over texts, with the deterministic automaton made as texts need it (and forgotten above {@link MAX_PLACES}). */
class Walker {
  #places = new Map<string, Place>();
  #start = new Place([0], true, false);
  /** Work done by {@link Walker.#follow}, all texts together. */
  #work = 0;
  /** For every state the number of the last round in which it was entered. */
  readonly #enteredIn: Uint32Array;
  #round = 0;
  readonly #open: number[] = [];
  readonly #hasWordAssertion: boolean;
  readonly #isAnchored: boolean;

  constructor(private readonly states: readonly State[]) {
    this.#enteredIn = new Uint32Array(states.length);
    this.#hasWordAssertion = states.some(
      (state) => state.op === 'assert' && (state.kind === 'b' || state.kind === 'B'),
    );
    this.#isAnchored = states[0]?.op === 'assert' && states[0].kind === '^';
  }

  test(text: string, maxSteps: number): { readonly isMatch: boolean | undefined; readonly steps: number } {
    const before = this.#work;
    let place = this.#start;
    for (let at = 0; at < text.length;) {
      const steps = this.#work - before + (at >> 4); // a character whose effect is known takes little
      if (steps > maxSteps) return { isMatch: undefined, steps };
      const codePoint = text.codePointAt(at) ?? 0;
      const next = (codePoint < 128 ? place.next[codePoint] : undefined) ?? this.#advance(place, codePoint);
      if (next === true || next.states.length === 0) return { isMatch: next === true, steps };
      place = next;
      at += codePoint > 0xffff ? 2 : 1;
    }
    const { isMatch } = this.#follow(place, undefined);
    return { isMatch, steps: this.#work - before + (text.length >> 4) };
  }

  #advance(place: Place, codePoint: number): Place | true {
    const { isMatch, reached } = this.#follow(place, codePoint);
    const next = isMatch ? true : this.#placeOf(reached, codePoint);
    if (codePoint < 128) place.next[codePoint] = next;
    return next;
  }

  #placeOf(reached: readonly number[], codePoint: number): Place {
    const states = reached.flatMap((index) => {
      const state = this.states[index];
      return state?.op === 'set' && state.has(codePoint) ? [index + 1] : [];
    });
    if (!this.#isAnchored) states.push(0);
    states.sort((a, b) => a - b);
    const isAfterWord = this.#hasWordAssertion && isWord(codePoint);
    const key = `${states.join()}${isAfterWord ? 'w' : ''}`;
    const known = this.#places.get(key);
    if (known) return known;
    if (this.#places.size >= MAX_PLACES) {
      this.#places = new Map();
      this.#start = new Place([0], true, false);
    }
    const made = new Place(states, false, isAfterWord);
    this.#places.set(key, made);
    return made;
  }

  /** The states that wait for a character, and whether the pattern has matched, when `next` (undefined: the end) follows. */
  #follow(place: Place, next: number | undefined): { readonly isMatch: boolean; readonly reached: readonly number[] } {
    const reached: number[] = [];
    const open = this.#open;
    open.push(...place.states);
    if (++this.#round === 2 ** 32) {
      this.#enteredIn.fill(0);
      this.#round = 1;
    }
    let isMatch = false;
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      const state = this.states[index];
      if (!state || this.#enteredIn[index] === this.#round) continue;
      this.#enteredIn[index] = this.#round;
      this.#work++;
      if (state.op === 'set') reached.push(index);
      else if (state.op === 'match') isMatch = true;
      else if (state.op === 'split') open.push(...state.to);
      else if (holds(state.kind, place, next)) open.push(index + 1);
    }
    return { isMatch, reached };
  }
}

function holds(kind: '^' | '$' | 'b' | 'B', place: Place, next: number | undefined): boolean {
  if (kind === '^') return place.isStart;
  if (kind === '$') return next === undefined;
  return (place.isAfterWord !== (next !== undefined && isWord(next))) === (kind === 'b');
}

/** As `\w` without flag `i`. */
function isWord(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95 || (code >= 97 && code <= 122);
}
