import type { SettledScreen } from '../agentHost';
import type { Activity } from '../agentState';
import type { AgentType } from '../agentType';
import { MAX_LINE_LENGTH } from '../boundedPattern';
import { findOverlay, readBox } from '../inputBox';
import { type CompiledScreen, compileScreen, type Reading, readScreen } from '../screenReader';
import { requirePattern, screenLines } from '../screenText';
import { cleanText } from '../visibleText';
import type { ScreenKind } from './agentFacts';

/** What a title or an OSC says by the rules of a type; `unknown`: nothing. */
export interface LevelReading {
  readonly activity: Activity;
  /** Id of the rule; empty when none matches. */
  readonly rule: string;
  readonly detail: string;
}

/** OSC 0 sets the icon name and the title, OSC 2 the title (xterm, "Operating System Commands"): for us the same. */
const TITLE_CODES: readonly number[] = [0, 2];

/** The rules of one type, compiled, taken apart by what they read: titles and OSC speak for themselves, at once; the screen when it has settled. */
export class TypeReader {
  /** Everything, as `readScreen` takes it. */
  readonly all: CompiledScreen;
  readonly #screen: CompiledScreen;
  /** The same without the rules of errors. */
  readonly #screenWithoutErrors: CompiledScreen;
  readonly #titles: CompiledScreen;
  readonly #oscs: readonly { readonly id: string; readonly code: number; readonly pattern: RegExp; readonly activity: Activity }[]; // prettier-ignore

  /** @throws {TypeError} for a manifest that did not pass `parseAgentType`. */
  constructor(
    readonly type: AgentType,
    shellName: string,
  ) {
    this.all = compileScreen(type, shellName);
    this.#screen = { ...this.all, rules: this.all.rules.filter(({ rule }) => rule.where !== 'title') };
    const { rules } = this.#screen;
    this.#screenWithoutErrors = { ...this.all, rules: rules.filter(({ rule }) => rule.activity !== 'error') };
    this.#titles = { ...this.all, rules: this.all.rules.filter(({ rule }) => rule.where === 'title') };
    this.#oscs = (type.osc ?? []).map(({ id, code, pattern, activity }) => ({
      id,
      code,
      activity,
      pattern: requirePattern(pattern),
    }));
  }

  /**
   * The screen without its title. `areErrorsOld`: what it shows of errors is of an earlier run.
   * Undefined: a person looks at the scroll-back, and all rules are about text, which may be old.
   */
  readScreen(
    screen: SettledScreen,
    areErrorsOld = false,
  ): { readonly reading: Reading; readonly kind: ScreenKind } | undefined {
    const { rules } = this.#screen;
    if (screen.isInCopyMode && rules.every(({ rule }) => rule.where !== 'foreground')) return undefined;
    const reading = readScreen(areErrorsOld ? this.#screenWithoutErrors : this.#screen, screen);
    return { reading, kind: reading.rule === '' ? this.#kindOfUnknown(screen) : 'rule' };
  }

  /** Undefined: the type has no rules about titles. */
  readTitle(title: string, observedAtMs: number): LevelReading | undefined {
    if (this.#titles.rules.length === 0) return undefined;
    const nothing = { text: '', foreground: '', cursor: { x: 0, y: 0 }, isInCopyMode: true };
    const { activity, rule, evidence } = readScreen(this.#titles, { ...nothing, title, observedAtMs });
    return { activity, rule, detail: rule === '' ? cleanText(`the title says nothing: ${title}`) : evidence.detail };
  }

  /** Undefined: the type has no rules about this code. The first rule that matches counts. */
  readOsc(code: number, text: string): LevelReading | undefined {
    const rules = this.#oscs.filter((rule) => isSameCode(rule.code, code));
    if (rules.length === 0) return undefined;
    const line = text.slice(0, MAX_LINE_LENGTH);
    const hit = rules.find((rule) => rule.pattern.test(line));
    if (!hit) return { activity: 'unknown', rule: '', detail: cleanText(`OSC ${code} says nothing: ${line}`) };
    return { activity: hit.activity, rule: hit.id, detail: cleanText(`OSC ${code} rule "${hit.id}": ${line}`) };
  }

  /** The screen without the line by which the rule was recognised (its clock and its spinner move), figures and spinners: what changes there is progress. */
  progressMark(screen: SettledScreen, { rule }: Reading): string {
    const pattern = this.#screen.rules.find((one) => one.rule.id === rule)?.pattern;
    const lines = screenLines(screen.text).filter((line) => !pattern?.test(line));
    return lines.join('\n').replace(/[\d⠀-⣿]/g, '');
  }

  #kindOfUnknown(screen: SettledScreen): ScreenKind {
    if (this.#screen.rules.length === 0) return 'bare';
    if (findOverlay(this.type, screenLines(screen.text)) !== undefined) return 'overlay';
    if (!this.type.box) return 'plain';
    const box = readBox(this.type, screen).kind;
    return box === 'empty' ? 'plain' : box;
  }
}

export function isTitleCode(code: number): boolean {
  return TITLE_CODES.includes(code);
}

function isSameCode(a: number, b: number): boolean {
  return a === b || (isTitleCode(a) && isTitleCode(b));
}
