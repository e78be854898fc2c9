import type { SettledScreen } from './agentHost';
import { Activity, type Evidence } from './agentState';
import { type AgentType, DEFAULT_RULE_LINES, type ScreenRule } from './agentType';
import { findBox, findOverlay, type FoundBox } from './inputBox';
import { MAX_LINE_LENGTH } from './boundedPattern';
import { requirePattern, screenLines } from './screenText';
import { cleanText } from './visibleText';

/** A manifest's rules, compiled once per type. */
export interface CompiledScreen {
  readonly rules: readonly CompiledRule[];
  readonly silence: { readonly afterMs: number; readonly pattern: RegExp } | undefined;
  readonly type: Pick<AgentType, 'box' | 'overlays'>;
}

interface CompiledRule {
  readonly rule: ScreenRule;
  readonly pattern: RegExp;
  readonly since: RegExp | undefined;
  readonly also: readonly RegExp[];
  readonly excludes: readonly RegExp[];
}

/** What one look at a screen says. */
export interface Reading {
  readonly activity: Activity;
  /** Id of the rule that matched; empty when none did. */
  readonly rule: string;
  readonly evidence: Evidence;
  /** It says that it tries a failed request again. */
  readonly isRetry?: true;
}

/** Stands for the silence rule in a {@link Reading}. */
export const SILENCE_RULE = 'silence';

/**
 * Strongest first: a dialog outranks everything, since what is typed into it answers it; a program that works again has left its
 * last error behind; what is left of an error or a busy line outranks an empty input box.
 */
const PRECEDENCE: readonly Activity[] = [
  'awaiting_approval',
  'awaiting_input',
  'rate_limited',
  'busy',
  'error',
  'idle',
];

/** @throws {TypeError} for a manifest that did not pass `parseAgentType`. */
export function compileScreen(
  type: Pick<AgentType, 'screenRules' | 'silence' | 'box' | 'overlays'>,
  shellName: string,
): CompiledScreen {
  const compile = (source: string, ignoreCase = false): RegExp => requirePattern(source, ignoreCase, shellName);
  const rules = type.screenRules
    .map((rule) => ({
      rule,
      pattern: compile(rule.pattern, rule.ignoreCase),
      since: rule.since === undefined ? undefined : compile(rule.since, rule.ignoreCase),
      also: (rule.also ?? []).map((source) => compile(source, rule.ignoreCase)),
      excludes: (rule.excludes ?? []).map((source) => compile(source, rule.ignoreCase)),
    }))
    .sort((a, b) => PRECEDENCE.indexOf(a.rule.activity) - PRECEDENCE.indexOf(b.rule.activity));
  return {
    rules,
    silence: type.silence && { afterMs: type.silence.afterMs, pattern: compile(type.silence.pattern) },
    type,
  };
}

/**
 * What a settled screen shows by the rules of its type: the strongest matching rule, else `unknown` with the reason. While an
 * overlay covers the program's usual screen, the screen can only tell a dialog; while a person looks at the scroll-back the text
 * may be old and tells nothing: title and foreground still count. The last 32 Ki characters are read, line by line.
 */
export function readScreen(compiled: CompiledScreen, screen: Omit<SettledScreen, 'agentId' | 'generation'>): Reading {
  const view = new ScreenView(compiled.type, screen);
  for (const one of compiled.rules) {
    if (view.overlay !== undefined && !isDialog(one.rule.activity) && isOnScreen(one.rule)) continue;
    const hit = match(one, view);
    if (hit === undefined || (one.rule.afterTurn && showsWork(compiled, view))) continue;
    const { id, activity, where } = one.rule;
    const source = where === 'title' ? 'title' : where === 'foreground' ? 'process' : 'screen';
    const said = reading(activity, id, { source, detail: cleanText(`${where} rule "${id}": ${hit.trim()}`) }, screen);
    return one.rule.isRetry ? { ...said, isRetry: true } : said;
  }
  return reading(Activity.Unknown, '', { source: 'screen', detail: whyUnknown(compiled, view) }, screen);
}

/** For a program without rules that has been silent for a while: does its last line look like a prompt? */
export function readSilence(
  compiled: CompiledScreen,
  screen: Omit<SettledScreen, 'agentId' | 'generation'>,
  silentMs: number,
): Reading | undefined {
  const line = new ScreenView({}, screen).shown.at(-1);
  if (!compiled.silence || line === undefined || !compiled.silence.pattern.test(line)) return undefined;
  const detail = cleanText(`probably waiting: silent for ${Math.round(silentMs / 1000)} s, last line: ${line.trim()}`);
  return reading(Activity.Unknown, SILENCE_RULE, { source: 'screen', detail }, screen);
}

function reading(
  activity: Activity,
  rule: string,
  evidence: Omit<Evidence, 'observedAtMs'>,
  { observedAtMs }: Pick<SettledScreen, 'observedAtMs'>,
): Reading {
  return { activity, rule, evidence: { ...evidence, observedAtMs } };
}

function showsWork({ rules }: CompiledScreen, view: ScreenView): boolean {
  return rules.some(
    (one) => one.rule.activity === Activity.Busy && isOnScreen(one.rule) && match(one, view) !== undefined,
  );
}

function isDialog(activity: Activity): boolean {
  return activity === Activity.AwaitingApproval || activity === Activity.AwaitingInput;
}

function isOnScreen({ where }: ScreenRule): boolean {
  return where !== 'title' && where !== 'foreground';
}

function whyUnknown({ rules }: CompiledScreen, { overlay, boxState }: ScreenView): string {
  if (overlay !== undefined) return `covered by an overlay: ${overlay}`;
  if (rules.length === 0) return 'alive; its screen has no rules for this type';
  const draft = boxState === 'draft' ? '; a draft is in its input box' : '';
  return `no rule of its type matches the screen${draft}`;
}

/** The line that the rule matches, if it does. */
function match({ rule, pattern, since, also, excludes }: CompiledRule, view: ScreenView): string | undefined {
  if (rule.box !== undefined && !view.isBox(rule.box)) return undefined;
  const region = view.lines(rule);
  const from = since ? region.findLastIndex((line) => since.test(line)) + 1 : 0;
  const lines = from === 0 ? region : region.slice(from);
  const hit = lines.find((line) => pattern.test(line));
  if (hit === undefined || !also.every((one) => lines.some((line) => one.test(line)))) return undefined;
  return excludes.some((one) => lines.some((line) => one.test(line))) ? undefined : hit;
}

/** One screen, cut into the regions that rules ask for, each once. */
class ScreenView {
  /** All lines that are not blank. */
  readonly shown: readonly string[];
  readonly overlay: string | undefined;
  readonly #box: FoundBox | undefined;

  constructor(
    type: Pick<AgentType, 'box' | 'overlays'>,
    private readonly screen: Omit<SettledScreen, 'agentId' | 'generation'>,
  ) {
    const all = screen.isInCopyMode ? [] : screenLines(screen.text);
    this.shown = notBlank(all);
    this.overlay = findOverlay(type, all);
    this.#box = type.box && this.overlay === undefined ? findBox(type.box, all) : undefined;
  }

  get boxState(): 'empty' | 'draft' | 'hidden' {
    return this.#box?.reading.kind ?? 'hidden';
  }

  isBox(state: NonNullable<ScreenRule['box']>): boolean {
    return state === 'visible' ? this.boxState !== 'hidden' : this.boxState === state;
  }

  lines({ where, lines: count = DEFAULT_RULE_LINES }: ScreenRule): readonly string[] {
    switch (where) {
      case 'bottom':
        return this.shown.slice(-count);
      case 'screen':
        return this.shown;
      case 'box':
        return this.#box?.body ?? [];
      case 'aboveBox':
        return notBlank(this.#box?.above ?? []).slice(-count);
      case 'belowBox':
        return notBlank(this.#box?.below ?? []).slice(0, count);
      case 'title':
        return oneLine(this.screen.title);
      case 'foreground':
        return oneLine(this.screen.foreground);
    }
  }
}

function notBlank(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => line !== '');
}

function oneLine(text: string): readonly string[] {
  return text === '' ? [] : [text.slice(0, MAX_LINE_LENGTH)];
}
