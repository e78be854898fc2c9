import type { Activity, Evidence } from './agentState';
import {
  type AgentFacts,
  CONFIRM_MS,
  isWaiting,
  newestOf,
  type ScreenFact,
  type Shows,
  showsOf,
  type SignalFact,
  trailingRun,
} from './signals/agentFacts';

/** 800 ms: a screen that matches nothing for less than this is a redraw, not a new state. */
export const UNKNOWN_CONFIRM_MS = 800;
/** 400 ms: a program may tell a hook that long before its screen shows it; looks before that do not contradict the hook. */
export const DRAW_MS = 400;
/** 800 ms: some programs draw their dialog only after the hook that tells of it was answered. */
export const ASK_DRAW_MS = 800;
/** 200 ms: a picture that has rested so long needs no second look to be believed when it shows nothing to do. */
export const REST_MS = 200;

/** Why the deciding fact decides. */
export type Why =
  /** A dialog on the screen outranks everything but the end of the process. */
  | 'dialog'
  /** A title, an OSC or a status file says that the program is blocked. */
  | 'blocked'
  /** The newest of hooks, title, OSC and status file. */
  | 'newest'
  /** The newest of hooks, title, OSC and status file, and the screen confirms it. */
  | 'confirmed'
  /** An error lasts until the next turn. */
  | 'lasting'
  /** The screen knows better what kind of work or error it is. */
  | 'refined'
  /** The screen has shown twice that an older hook is not true any more. */
  | 'contradicted'
  /** No hook, title, OSC or status file says anything. */
  | 'screen';

/** What is so, and which fact says it. */
export interface Verdict {
  readonly activity: Activity;
  readonly by: SignalFact | ScreenFact;
  readonly why: Why;
}

export interface Resolution {
  /** Undefined: what was shown before stays until the next look. */
  readonly verdict: Verdict | undefined;
  /** Look at the screen after this long (0: now), even if nothing changes. */
  readonly lookInMs: number | undefined;
}

export function isScreenFact(fact: SignalFact | ScreenFact): fact is ScreenFact {
  return 'reading' in fact;
}

export function evidenceOf({ by }: Verdict): Evidence {
  if (isScreenFact(by)) return by.reading.evidence;
  return { source: by.source, detail: by.detail, observedAtMs: by.observedAtMs };
}

/**
 * What the facts of a living agent mean (docs/adr/0009): a dialog on the screen, or a title, OSC or status file that says "blocked", before the newest of hooks,
 * title and OSC, before the settled screen. A hook that later looks contradict twice does not count any more; `idle` always needs a
 * look that shows neither a dialog nor work. Pure. `shown` is what is shown now; `nowMs` is monotonic, like all times of the facts.
 */
export function resolveActivity(facts: AgentFacts, shown: Activity, nowMs: number): Resolution {
  const case_ = new Case(facts, shown, nowMs);
  const verdict = case_.decide();
  return { verdict, lookInMs: case_.lookInMs };
}

/** True while a later screen contradicts this hook: it is kept for the explanation only. */
export function isContradicted(facts: AgentFacts, hook: SignalFact): boolean {
  return contradictions(facts, hook).some((shows) => (facts.stableAtMs[shows] ?? -Infinity) >= drawnAtMs(facts, hook));
}

/** From when on the screen must show what a hook said: a dialog that was seen since is drawn. */
function drawnAtMs({ dialogAtMs }: AgentFacts, { activity, atMs }: SignalFact): number {
  if (!isWaiting(activity)) return atMs + DRAW_MS;
  return dialogAtMs >= atMs ? Math.min(dialogAtMs, atMs + ASK_DRAW_MS) : atMs + ASK_DRAW_MS;
}

/** What on a screen contradicts a hook that said this. */
function contradictions(facts: AgentFacts, { activity, isBackground }: SignalFact): readonly Shows[] {
  const hasLevels = [...facts.titles, ...facts.oscs, ...facts.files].some((fact) => fact.activity === 'busy');
  switch (activity) {
    case 'busy':
      if (isBackground) return ['error', 'rate_limited'];
      // A program whose title tells of work does not work behind a draft without it.
      return hasLevels ? ['idle', 'error', 'draft'] : ['idle', 'error'];
    case 'rate_limited':
      return ['idle', 'busy', 'error'];
    case 'awaiting_approval':
    case 'awaiting_input':
      return ['idle', 'busy', 'error', 'rate_limited'];
    case 'idle':
    case 'error':
      return ['busy'];
    case 'unknown':
      return [];
  }
}

class Case {
  lookInMs: number | undefined;
  readonly #run: readonly ScreenFact[];
  readonly #last: ScreenFact | undefined;
  readonly #hook: SignalFact | undefined;
  readonly #title: SignalFact | undefined;
  readonly #osc: SignalFact | undefined;
  readonly #file: SignalFact | undefined;

  constructor(
    private readonly facts: AgentFacts,
    private readonly shown: Activity,
    private readonly nowMs: number,
  ) {
    this.#run = trailingRun(facts.screens);
    this.#last = facts.screens.at(-1);
    this.#hook = facts.hooks.at(-1);
    this.#title = facts.titles.at(-1);
    this.#osc = facts.oscs.at(-1);
    this.#file = facts.files.at(-1);
  }

  decide(): Verdict | undefined {
    this.#lookWhenSomethingEnded();
    const last = this.#last;
    if (last && isWaiting(last.reading.activity)) return this.#byScreen('dialog');
    const hook = this.#hook && !isContradicted(this.facts, this.#hook) ? this.#hook : undefined;
    const level = newestOf([speaking(this.#title), speaking(this.#osc), speaking(this.#file)]);
    if (level && isWaiting(level.activity)) return { ...this.#mostExact(level, hook), why: 'blocked' };
    const newest = newestOf([hook, level]);
    if (!newest) return this.#byScreenAlone(this.#hook ? 'contradicted' : 'screen');
    if (newest.activity === 'idle') return this.#ended(newest, hook);
    if (newest === hook) this.#lookForContradiction(hook);
    return this.#goesOn(newest);
  }

  /** Work, a question or an error that hooks, title or OSC tell of. */
  #goesOn(newest: SignalFact): Verdict | undefined {
    const last = this.#last;
    const isCovered = last?.kind === 'overlay' && (this.#run[0]?.atMs ?? 0) > newest.atMs;
    if (isCovered && newest.source === 'hook') return this.#byScreenAlone('screen');
    const isRefined = last?.reading.activity === 'rate_limited' || last?.reading.isRetry;
    if (isRefined && newest.activity === 'busy' && last.atMs >= newest.atMs) return this.#byScreen('refined');
    if (newest.activity === 'error' && this.#showsLimitSince(newest)) return this.#byScreen('refined');
    return { activity: newest.activity, by: newest, why: 'newest' };
  }

  /** Something says the turn is over: so it is when the screen does not show the contrary. */
  #ended(newest: SignalFact, hook: SignalFact | undefined): Verdict | undefined {
    const error = this.#lastingError();
    if (error && this.#showsLimitSince(error)) return this.#byScreen('refined');
    if (error) return { activity: 'error', by: error, why: 'lasting' };
    const last = this.#last;
    const shows = last && showsOf(last);
    const confirmed: Verdict = { activity: 'idle', by: newest, why: 'confirmed' };
    switch (shows) {
      case undefined:
        this.#look(0);
        return undefined;
      case 'idle': {
        if (hook?.activity === 'idle') return this.#isSeen(newest.atMs, 0) ? confirmed : undefined;
        const openedMs = hook ? drawnAtMs(this.facts, hook) : -Infinity;
        return this.#isSeen(Math.max(newest.atMs, openedMs), CONFIRM_MS) ? confirmed : undefined;
      }
      case 'bare':
        return this.#isSeen(newest.atMs, 0) ? confirmed : undefined;
      case 'draft':
      case 'plain':
        return this.#isSeen(newest.atMs, CONFIRM_MS) ? confirmed : undefined;
      case 'busy':
        return this.#isSeen(newest.atMs + DRAW_MS, CONFIRM_MS) ? this.#byScreen('contradicted') : undefined;
      case 'error':
      case 'rate_limited':
        return this.#isSeen(newest.atMs, 0) ? this.#byScreen('refined') : undefined;
      default:
        return this.#byScreenAlone('screen');
    }
  }

  /** The screen names the reason of this error: a limit is used up. What is tried again has not failed. */
  #showsLimitSince({ atMs }: SignalFact): boolean {
    const last = this.#last;
    return last?.reading.activity === 'rate_limited' && !last.reading.isRetry && last.atMs >= atMs;
  }

  /** The error of a turn that has not been followed by another one. */
  #lastingError(): SignalFact | undefined {
    const all = [...this.facts.hooks, ...this.facts.oscs, ...this.facts.files];
    const error = newestOf(all.filter((fact) => fact.activity === 'error'));
    const isStart = ({ activity }: SignalFact): boolean => activity === 'busy' || isWaiting(activity);
    const start = newestOf([...all, ...this.facts.titles].filter(isStart));
    if (!error || (start && start.atMs > error.atMs)) return undefined;
    return (this.facts.stableAtMs.busy ?? -Infinity) >= error.atMs + DRAW_MS ? undefined : error;
  }

  /** What the screen says when nothing else does, with hysteresis against flicker. */
  #byScreenAlone(why: Why): Verdict | undefined {
    const last = this.#last;
    if (!last) return undefined;
    const { activity } = last.reading;
    if (activity === this.shown) return this.#byScreen(why);
    if (activity === 'idle' && this.#hasRested(last)) return this.#byScreen(why);
    const confirmMs = activity === 'idle' ? CONFIRM_MS : activity === 'unknown' ? UNKNOWN_CONFIRM_MS : 0;
    return this.#isSeen(-Infinity, confirmMs) ? this.#byScreen(why) : undefined;
  }

  /** Nothing was put out for long enough; else asks for a look when that will be so. */
  #hasRested({ quietMs, atMs }: ScreenFact): boolean {
    if (quietMs === undefined) return false;
    if (quietMs >= REST_MS) return true;
    this.#look(Math.max(0, atMs + REST_MS - quietMs - this.nowMs));
    return false;
  }

  #byScreen(why: Why): Verdict | undefined {
    return this.#last && { activity: this.#last.reading.activity, by: this.#last, why };
  }

  /** Of several that say "blocked" the one that says it most exactly: an OSC, a hook, else the newest. */
  #mostExact(level: SignalFact, hook: SignalFact | undefined): Omit<Verdict, 'why'> {
    const by = [this.#osc, hook, level].find((fact) => fact && isWaiting(fact.activity)) ?? level;
    return { activity: by.activity, by };
  }

  /** The present picture was seen at least twice, `apartMs` apart (once for 0), since `sinceMs`; else asks for the look that is missing. */
  #isSeen(sinceMs: number, apartMs: number): boolean {
    const looks = this.#run.filter(({ atMs }) => atMs >= sinceMs);
    const [first] = looks;
    if (!first) {
      this.#look(Math.max(0, sinceMs - this.nowMs));
      return false;
    }
    const missingMs = first.atMs + apartMs - (looks.at(-1) ?? first).atMs;
    if (missingMs <= 0) return true;
    this.#look(Math.max(0, first.atMs + apartMs - this.nowMs));
    return false;
  }

  /** The news may be newer than the picture: a dialog is answered, a turn is over, a question is asked. */
  #lookWhenSomethingEnded(): void {
    const newest = newestOf([this.#hook, this.#title, this.#osc, this.#file]);
    if (!newest || newest.atMs <= (this.#last?.atMs ?? -Infinity)) return;
    const isWork = newest.activity === 'busy' || newest.activity === 'rate_limited';
    const isDialogShown = this.#last && isWaiting(this.#last.reading.activity);
    if (!isWork || isDialogShown) this.#look(0);
  }

  /** What the screen shows is not what the hook says: if it lasts, the screen is right. */
  #lookForContradiction(hook: SignalFact): void {
    if (this.#last && contradictions(this.facts, hook).includes(showsOf(this.#last)))
      this.#isSeen(drawnAtMs(this.facts, hook), CONFIRM_MS);
  }

  #look(inMs: number): void {
    this.lookInMs = Math.min(this.lookInMs ?? Infinity, inMs);
  }
}

/** A title, an OSC or a status file that says something. */
function speaking(fact: SignalFact | undefined): SignalFact | undefined {
  return fact?.activity === 'unknown' ? undefined : fact;
}
