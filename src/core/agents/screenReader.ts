import type { SettledScreen } from './agentHost';
import { Activity, type Evidence } from './agentState';
import { type AgentType, DEFAULT_RULE_LINES, type ScreenRegion, type ScreenRule } from './agentType';
import { compilePattern, escapePattern, MAX_LINE_LENGTH, MAX_TEXT_LENGTH } from './boundedPattern';
import { cleanText } from './visibleText';

/** A manifest's rules, compiled once per type. */
export interface CompiledScreen {
  readonly rules: readonly CompiledRule[];
  readonly silence: { readonly afterMs: number; readonly pattern: RegExp } | undefined;
}

interface CompiledRule {
  readonly rule: ScreenRule;
  readonly pattern: RegExp;
  readonly also: readonly RegExp[];
  readonly excludes: readonly RegExp[];
}

/** What one look at a screen says. */
export interface Reading {
  readonly activity: Activity;
  /** Id of the rule that matched; empty when none did. */
  readonly rule: string;
  readonly evidence: Evidence;
}

/** Stands for the silence rule in a {@link Reading}. */
export const SILENCE_RULE = 'silence';

/**
 * Strongest first: a dialog outranks everything, since what is typed into it answers it; what is left of an error or a
 * busy line outranks an empty input box.
 */
const PRECEDENCE: readonly Activity[] = [
  'awaiting_approval',
  'awaiting_input',
  'rate_limited',
  'error',
  'busy',
  'idle',
];

/** @throws {TypeError} for a manifest that did not pass `parseAgentType`. */
export function compileScreen(type: Pick<AgentType, 'screenRules' | 'silence'>, shellName: string): CompiledScreen {
  const compile = (source: string, ignoreCase = false): RegExp => {
    const result = compilePattern(source.replaceAll('{shellName}', escapePattern(shellName)), ignoreCase);
    if (!result.ok) throw new TypeError(`pattern ${result.message}`);
    return result.pattern;
  };
  const rules = type.screenRules
    .map((rule) => ({
      rule,
      pattern: compile(rule.pattern, rule.ignoreCase),
      also: (rule.also ?? []).map((source) => compile(source, rule.ignoreCase)),
      excludes: (rule.excludes ?? []).map((source) => compile(source, rule.ignoreCase)),
    }))
    .sort((a, b) => PRECEDENCE.indexOf(a.rule.activity) - PRECEDENCE.indexOf(b.rule.activity));
  return { rules, silence: type.silence && { afterMs: type.silence.afterMs, pattern: compile(type.silence.pattern) } };
}

/**
 * What a settled screen shows by the rules of its type: the strongest matching rule, else `unknown` with the reason.
 * Reads at most 8 KiB, line by line. While a person looks at the scroll-back the text may be old: only title and
 * foreground count then.
 */
export function readScreen(compiled: CompiledScreen, screen: Omit<SettledScreen, 'agentId' | 'generation'>): Reading {
  const regions = new Regions(screen);
  for (const { rule, pattern, also, excludes } of compiled.rules) {
    const lines = regions.lines(rule.where, rule.lines ?? DEFAULT_RULE_LINES);
    const hit = lines.find((line) => pattern.test(line));
    if (hit === undefined || !also.every((one) => lines.some((line) => one.test(line)))) continue;
    if (excludes.some((one) => lines.some((line) => one.test(line)))) continue;
    return {
      activity: rule.activity,
      rule: rule.id,
      evidence: {
        source: rule.where === 'title' ? 'title' : rule.where === 'foreground' ? 'process' : 'screen',
        detail: cleanText(`${rule.where} rule "${rule.id}": ${hit.trim()}`),
        observedAtMs: screen.observedAtMs,
      },
    };
  }
  const why =
    compiled.rules.length === 0
      ? 'alive; its screen has no rules for this type'
      : 'no rule of its type matches the screen';
  return {
    activity: Activity.Unknown,
    rule: '',
    evidence: { source: 'screen', detail: why, observedAtMs: screen.observedAtMs },
  };
}

/** For a program without rules that has been silent for a while: does its last line look like a prompt? */
export function readSilence(
  compiled: CompiledScreen,
  screen: Omit<SettledScreen, 'agentId' | 'generation'>,
  silentMs: number,
): Reading | undefined {
  const line = new Regions(screen).lines('bottom', 1)[0];
  if (!compiled.silence || line === undefined || !compiled.silence.pattern.test(line)) return undefined;
  const detail = cleanText(`probably waiting: silent for ${Math.round(silentMs / 1000)} s, last line: ${line.trim()}`);
  return {
    activity: Activity.Unknown,
    rule: SILENCE_RULE,
    evidence: { source: 'screen', detail, observedAtMs: screen.observedAtMs },
  };
}

class Regions {
  readonly #bottom: readonly string[];

  constructor(private readonly screen: Omit<SettledScreen, 'agentId' | 'generation'>) {
    const lines = screen.isInCopyMode ? [] : screen.text.slice(-MAX_TEXT_LENGTH).split('\n');
    this.#bottom = lines.map((line) => line.slice(0, MAX_LINE_LENGTH).trimEnd()).filter((line) => line !== '');
  }

  lines(where: ScreenRegion, count: number): readonly string[] {
    if (where === 'bottom') return this.#bottom.slice(-count);
    const text = where === 'title' ? this.screen.title : this.screen.foreground;
    return text === '' ? [] : [text.slice(0, MAX_LINE_LENGTH)];
  }
}
