import type { SettledScreen } from './agentHost';
import type { AgentType, InputBoxRule } from './agentType';
import { requirePattern, screenLines } from './screenText';

/** What the program's input box holds, as far as the screen shows it. */
export type BoxReading =
  /** No input box is on the screen: an overlay, a dialog, a program that is still starting, or copy mode. */
  | { readonly kind: 'hidden' }
  | { readonly kind: 'empty' }
  /** `text` is what is drawn: wrapped, cut or collapsed (`[Pasted text #1 +60 lines]`). Only good for "is something there" and "did it change". */
  | {
      readonly kind: 'draft';
      readonly text: string;
      /** It may be an earlier prompt of the conversation, in a box that looks the same. */
      readonly isDoubtful?: true;
    };

/** A box on a screen and what is around it. Lines as `screenLines` gives them. */
export interface FoundBox {
  readonly reading: BoxReading;
  readonly above: readonly string[];
  readonly body: readonly string[];
  readonly below: readonly string[];
}

interface CompiledBox {
  readonly first: RegExp;
  readonly top: RegExp | undefined;
  readonly bottom: RegExp | undefined;
  readonly member: RegExp | undefined;
  readonly until: RegExp | undefined;
  readonly footer: RegExp | undefined;
  readonly overflow: RegExp | undefined;
  readonly above: RegExp | undefined;
  readonly strip: readonly RegExp[];
  readonly placeholders: readonly RegExp[];
  readonly ignore: readonly RegExp[];
  readonly covered: readonly RegExp[];
}

interface Span {
  readonly start: number;
  readonly end: number;
}

const HIDDEN: BoxReading = { kind: 'hidden' };
const EMPTY: BoxReading = { kind: 'empty' };
const compiledRules = new WeakMap<InputBoxRule, CompiledBox>();
const compiledOverlays = new WeakMap<NonNullable<AgentType['overlays']>, readonly CompiledOverlay[]>();

interface CompiledOverlay {
  readonly id: string;
  readonly pattern: RegExp;
  readonly lines: number;
}

const DEFAULT_OVERLAY_LINES = 12;
/** A box of fewer lines fits on every screen. */
const MIN_TALL_LINES = 6;
/** Where the line above the box is looked for. */
const ABOVE_LINES = 3;
/** Where something that covers the box is looked for when nothing is below it. */
const TAIL_LINES = 3;

/** True when the type says how to find its box; without it nothing can be delivered with evidence from the screen. */
export function hasInputBox(type: Pick<AgentType, 'box'>): boolean {
  return type.box !== undefined;
}

/** Reads the box by the type's rule; what an overlay covers is hidden. Pure; untrusted text in, untrusted text out. */
export function readBox(
  type: Pick<AgentType, 'box' | 'overlays'>,
  screen: Pick<SettledScreen, 'text' | 'isInCopyMode'>,
): BoxReading {
  if (!type.box || screen.isInCopyMode) return HIDDEN;
  const lines = screenLines(screen.text);
  if (findOverlay(type, lines)) return HIDDEN;
  return findBox(type.box, lines)?.reading ?? HIDDEN;
}

/** The box on a screen, if it is there and nothing covers it. @throws {TypeError} for a rule that did not pass `parseAgentType` */
export function findBox(rule: InputBoxRule, lines: readonly string[]): FoundBox | undefined {
  const box = compile(rule);
  const whole = locate(box, lines);
  const span = whole ?? locateTall(box, lines);
  if (!span) return undefined;
  if (rule.clip && box.bottom) lines = clip(lines, box.bottom.exec(lines[span.end] ?? ''));
  const below = lines.slice(span.end);
  const cover = below.length > 0 ? below : lines.slice(-TAIL_LINES);
  if (box.covered.some((pattern) => cover.some((line) => pattern.test(line)))) return undefined;
  const body = lines.slice(span.start, span.end);
  const draft = draftOf(box, body);
  if (draft === undefined) return undefined;
  const isEmpty = draft === '' || box.placeholders.some((pattern) => pattern.exec(draft)?.[0] === draft);
  if (isEmpty && !whole) return undefined;
  const above = lines.slice(0, span.start);
  const isDoubtful = whole !== undefined && !isBesideFrame(box, above);
  const reading: BoxReading = isEmpty ? EMPTY : { kind: 'draft', text: draft, ...(isDoubtful && { isDoubtful }) };
  return { reading, above, body, below };
}

/** What covers the program's usual screen, by the type's overlays: its id. */
export function findOverlay(type: Pick<AgentType, 'overlays'>, lines: readonly string[]): string | undefined {
  if (!type.overlays) return undefined;
  let compiled = compiledOverlays.get(type.overlays);
  if (!compiled) {
    compiled = type.overlays.map(({ id, pattern, lines: count }) => ({
      id,
      pattern: requirePattern(pattern),
      lines: count ?? DEFAULT_OVERLAY_LINES,
    }));
    compiledOverlays.set(type.overlays, compiled);
  }
  const shown = lines.filter((line) => line !== '');
  return compiled.find(({ pattern, lines: count }) => shown.slice(-count).some((line) => pattern.test(line)))?.id;
}

function compile(rule: InputBoxRule): CompiledBox {
  const present = compiledRules.get(rule);
  if (present) return present;
  const optional = (source: string | undefined): RegExp | undefined =>
    source === undefined ? undefined : requirePattern(source);
  const all = (sources: readonly string[] | undefined): readonly RegExp[] =>
    (sources ?? []).map((source) => requirePattern(source));
  const compiled: CompiledBox = {
    first: requirePattern(rule.first),
    top: optional(rule.top),
    bottom: optional(rule.bottom),
    member: optional(rule.member),
    until: optional(rule.until),
    footer: optional(rule.footer),
    overflow: optional(rule.overflow),
    above: optional(rule.above),
    strip: all(rule.strip),
    placeholders: all(rule.placeholders),
    ignore: all(rule.ignore),
    covered: all(rule.covered),
  };
  compiledRules.set(rule, compiled);
  return compiled;
}

/** First line of the draft, and the line after its last one. */
function locate(box: CompiledBox, lines: readonly string[]): Span | undefined {
  const bottom = box.bottom ? lastMatch(box.bottom, lines, lines.length) : lines.length;
  const start = bottom < 0 ? undefined : startOf(box, lines, bottom);
  if (start === undefined || start >= bottom || !box.first.test(lines[start] ?? '')) return undefined;
  if (!box.until) return { start, end: bottom };
  const { until } = box;
  const end = lines.findIndex((line, index) => index > start && index < bottom && until.test(line));
  return end < 0 ? undefined : { start, end };
}

/** A box that is taller than the screen: its beginning or its end is not drawn. */
function locateTall(box: CompiledBox, lines: readonly string[]): Span | undefined {
  const { overflow } = box;
  if (!overflow) return undefined;
  const end = box.bottom ? lastMatch(box.bottom, lines, lines.length) : lines.length;
  const start = box.bottom ? 0 : lastMatch(box.first, lines, lines.length);
  const isTall = start >= 0 && end - start >= MIN_TALL_LINES;
  return isTall && lines.slice(start, end).every((line) => overflow.test(line)) ? { start, end } : undefined;
}

function startOf(box: CompiledBox, lines: readonly string[], bottom: number): number | undefined {
  if (box.member) {
    let start = bottom;
    while (start > 0 && box.member.test(lines[start - 1] ?? '')) start--;
    return start;
  }
  const found = lastMatch(box.top ?? box.first, lines, bottom);
  if (found < 0) return undefined;
  return box.top ? found + 1 : found;
}

/** Whether what only the input box has is above it; true for a type whose box cannot be mistaken. */
function isBesideFrame({ above, top }: CompiledBox, lines: readonly string[]): boolean {
  if (!above) return true;
  const outside = top ? lines.slice(0, -1) : lines;
  return outside
    .filter((line) => line !== '')
    .slice(-ABOVE_LINES)
    .some((line) => above.test(line));
}

/** Without what is drawn at the right of the box: a side panel. */
function clip(lines: readonly string[], bottom: RegExpExecArray | null): readonly string[] {
  const end = bottom ? bottom.index + bottom[0].length : Infinity;
  return lines.map((line) => (line.length > end ? line.slice(0, end).trimEnd() : line));
}

/** What is drawn in the box, without its decoration; undefined when its footer is missing. */
function draftOf(box: CompiledBox, body: readonly string[]): string | undefined {
  const { footer } = box;
  const own = body.filter((line) => !box.ignore.some((pattern) => pattern.test(line)));
  const kept = footer ? own.slice(0, lastMatch(footer, own, own.length)) : own;
  if (footer && lastMatch(footer, own, own.length) < 0) return undefined;
  const strips = (index: number): RegExp | undefined => box.strip[Math.min(index, box.strip.length - 1)];
  return kept
    .map((line, index) => cutStart(line, strips(index)).trimEnd())
    .join('\n')
    .trim();
}

function cutStart(line: string, pattern: RegExp | undefined): string {
  const match = pattern?.exec(line);
  return match?.index === 0 ? line.slice(match[0].length) : line;
}

function lastMatch(pattern: RegExp, lines: readonly string[], end: number): number {
  for (let index = end - 1; index >= 0; index--) if (pattern.test(lines[index] ?? '')) return index;
  return -1;
}
