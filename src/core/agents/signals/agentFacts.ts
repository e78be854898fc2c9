import type { Activity } from '../agentState';
import type { Reading } from '../screenReader';
import type { AgentSignal } from './agentSignal';

/** What a hook, a title, an OSC or a status file said. All but a hook hold until they say something else; `unknown` there means: says nothing now. */
export interface SignalFact {
  readonly source: AgentSignal['source'];
  readonly activity: Activity;
  /** Cleaned. */
  readonly detail: string;
  /** Epoch ms: for people. */
  readonly observedAtMs: number;
  /** The same instant on the monotonic clock: a clock that is set must not make old news new. */
  readonly atMs: number;
  /** The turn is over but work goes on behind an empty input box: the box does not contradict it. */
  readonly isBackground?: boolean;
}

/** What the screen lets us see. `rule`: one matches; of what matches none: `draft` – the box holds one, `overlay` – something covers the usual screen, `hidden` – no box where one should be, `bare` – the type has no rules, `plain` – none of these. */
export type ScreenKind = 'rule' | 'draft' | 'overlay' | 'hidden' | 'bare' | 'plain';

/** One look at the screen, without what its title says. */
export interface ScreenFact {
  readonly kind: ScreenKind;
  readonly reading: Reading;
  /** Monotonic. */
  readonly atMs: number;
  /** As of the settled screen: so long it had rested. */
  readonly quietMs?: number;
}

/** What can be stable on a screen. */
export type Shows = Activity | Exclude<ScreenKind, 'rule'>;

/** Everything known of one run of an agent: an immutable value, the same whatever order its parts came in. */
export interface AgentFacts {
  /** Oldest first, as all lists here. */
  readonly hooks: readonly SignalFact[];
  readonly titles: readonly SignalFact[];
  readonly oscs: readonly SignalFact[];
  readonly files: readonly SignalFact[];
  readonly screens: readonly ScreenFact[];
  /** Monotonic time of the earlier of the newest two looks, at least {@link CONFIRM_MS} apart with nothing else between, that both showed this. */
  readonly stableAtMs: Readonly<Partial<Record<Shows, number>>>;
  /** Monotonic time of the newest look that showed a dialog. */
  readonly dialogAtMs: number;
}

/** 120 ms: a program redraws between two outputs, so one look is not enough where a wrong answer hurts. */
export const CONFIRM_MS = 120;
const MAX_SIGNALS = 32;
const MAX_SCREENS = 16;

export const NO_FACTS: AgentFacts = {
  hooks: [],
  titles: [],
  oscs: [],
  files: [],
  screens: [],
  stableAtMs: {},
  dialogAtMs: -Infinity,
};

/** Strongest first: of facts of one instant the stronger counts as the newer. */
export const STRENGTH: readonly Activity[] = [
  'awaiting_approval',
  'awaiting_input',
  'error',
  'rate_limited',
  'busy',
  'idle',
  'unknown',
];

export function withSignal(facts: AgentFacts, fact: SignalFact): AgentFacts {
  const list = listOf(fact.source);
  return { ...facts, [list]: [...facts[list], fact].sort(byAge).slice(-MAX_SIGNALS) };
}

/** Looks come in the order in which they were made. */
export function withScreen(facts: AgentFacts, fact: ScreenFact): AgentFacts {
  const screens = [...facts.screens, fact].slice(-MAX_SCREENS);
  const dialogAtMs = isWaiting(fact.reading.activity) ? fact.atMs : facts.dialogAtMs;
  const earlier = trailingRun(screens).findLast((one) => fact.atMs - one.atMs >= CONFIRM_MS);
  const stableAtMs = earlier ? { ...facts.stableAtMs, [showsOf(fact)]: earlier.atMs } : facts.stableAtMs;
  return { ...facts, screens, dialogAtMs, stableAtMs };
}

/** It waits for a person. */
export function isWaiting(activity: Activity): boolean {
  return activity === 'awaiting_approval' || activity === 'awaiting_input';
}

const LISTS = { hook: 'hooks', title: 'titles', osc: 'oscs', status_file: 'files' } as const;

export function listOf(source: AgentSignal['source']): (typeof LISTS)[typeof source] {
  return LISTS[source];
}

export function showsOf({ kind, reading }: ScreenFact): Shows {
  return kind === 'rule' ? reading.activity : kind;
}

/** The newest looks that all showed the same. */
export function trailingRun(screens: readonly ScreenFact[]): readonly ScreenFact[] {
  const last = screens.at(-1);
  if (!last) return [];
  const shows = showsOf(last);
  return screens.slice(screens.findLastIndex((one) => showsOf(one) !== shows) + 1);
}

/** The newest of several; undefined: there is none. */
export function newestOf(facts: readonly (SignalFact | undefined)[]): SignalFact | undefined {
  return facts
    .filter((fact) => fact !== undefined)
    .sort(byAge)
    .at(-1);
}

function byAge(a: SignalFact, b: SignalFact): number {
  return (
    a.atMs - b.atMs ||
    STRENGTH.indexOf(b.activity) - STRENGTH.indexOf(a.activity) ||
    (a.source === b.source ? compare(a.detail, b.detail) : compare(a.source, b.source))
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
