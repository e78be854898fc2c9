import type { Clock } from '../../base/clock';
import { type Disposable, MutableDisposable } from '../../base/disposable';
import type { SettledScreen } from '../agentHost';
import { evidenceOf, isScreenFact, type Verdict } from '../activityResolver';
import type { Reading } from '../screenReader';
import { type AgentFacts, listOf, NO_FACTS, type SignalFact, withScreen, withSignal } from './agentFacts';
import type { AgentSignal } from './agentSignal';
import { isTitleCode, type LevelReading, type TypeReader } from './typeReader';

/** 500 ms: a captured title is believed only when none came in the output lately, for it may be the one before. */
const TITLE_LAG_MS = 500;

/** What is known of one run of an agent, and what waits for it. */
export class WatchedRun implements Disposable {
  facts: AgentFacts = NO_FACTS;
  verdict: Verdict | undefined;
  /** What was accepted last, in the form in which it is asked for. */
  accepted: Reading | undefined;
  hasSettled = false;
  /** A capture is under way; another one is wanted after it. */
  look: 'none' | 'running' | 'again' = 'none';
  /** Captures that failed since the last that did not. */
  failedLooks = 0;
  /** {@link eventAtMs} for which it was said that it possibly retries. */
  retryToldForMs: number | undefined;
  readonly lookAgain = new MutableDisposable<Disposable>();
  readonly silence = new MutableDisposable<Disposable>();
  readonly retry = new MutableDisposable<Disposable>();
  /** The watch on the program's status file, once its process is known. */
  readonly statusFile = new MutableDisposable<Disposable>();
  #title: string | undefined;
  #titleAtMs = -Infinity;
  #mark = '';
  #eventAtMs: number;

  constructor(
    readonly generation: number,
    private readonly clock: Clock,
    /** What its screen shows of errors when this begins is of an earlier turn. */
    private readonly hasOldErrors = false,
  ) {
    this.#eventAtMs = clock.monotonicMs();
  }

  /** Monotonic time of the newest event or progress: a hook, a title or an OSC that says something else, or another picture. */
  get eventAtMs(): number {
    return this.#eventAtMs;
  }

  /** It was said that it possibly retries, and something has happened since. */
  get isRetryOver(): boolean {
    return this.retryToldForMs !== undefined && this.retryToldForMs !== this.#eventAtMs;
  }

  addSignal({ source, activity, detail, observedAtMs, isBackground }: AgentSignal): void {
    const ageMs = Math.max(0, this.clock.nowMs() - observedAtMs);
    const atMs = this.clock.monotonicMs() - ageMs;
    this.#eventAtMs = Math.max(this.#eventAtMs, atMs);
    this.#add({ source, activity, detail, observedAtMs, atMs, ...(isBackground && { isBackground }) });
  }

  /** True when it is worth reading: not while a person looks at the scroll-back of a program that is known by its text. */
  addScreen(reader: TypeReader, screen: SettledScreen): boolean {
    this.hasSettled = true;
    const nowMs = this.clock.monotonicMs();
    if (screen.title !== this.#title && nowMs - this.#titleAtMs > TITLE_LAG_MS) this.#addTitle(reader, screen.title);
    const seen = reader.readScreen(screen, this.hasOldErrors && !this.#hasTurn);
    if (!seen) return false;
    this.facts = withScreen(this.facts, {
      ...seen,
      atMs: nowMs,
      ...(screen.quietMs !== undefined && { quietMs: screen.quietMs }),
    });
    if (reader.type.silentRetryMs !== undefined) this.#noteProgress(reader.progressMark(screen, seen.reading), nowMs);
    return true;
  }

  /** True when it says something else than before. */
  addOsc(reader: TypeReader, code: number, text: string): boolean {
    const isTitle = isTitleCode(code);
    if (isTitle) this.#titleAtMs = this.clock.monotonicMs();
    const isNews = isTitle && text !== this.#title && this.#addTitle(reader, text);
    return this.#addLevel('osc', reader.readOsc(code, text)) || isNews;
  }

  /** What the program's status file says now; true when it says something else than before. A file is news from when it was written on. */
  addStatus(reading: LevelReading | undefined, modifiedAtMs: number): boolean {
    const ageMs = Math.max(0, this.clock.nowMs() - modifiedAtMs);
    return this.#addLevel('status_file', reading, ageMs);
  }

  /** The verdict counts from now on; true when it differs from what was accepted in more than the newest detail. */
  accept(verdict: Verdict): boolean {
    const { by, activity } = verdict;
    const rule = isScreenFact(by) ? by.reading.rule : by.source;
    const before = this.verdict;
    const isNews =
      before?.activity !== activity ||
      this.accepted?.rule !== rule ||
      isScreenFact(before.by) !== isScreenFact(by) ||
      (isScreenFact(by) && isScreenFact(before.by) && before.by.kind !== by.kind);
    if (before?.activity !== activity) this.#eventAtMs = this.clock.monotonicMs();
    this.verdict = verdict;
    this.accepted = { activity, rule, evidence: evidenceOf(verdict) };
    return isNews;
  }

  /** A turn has begun in this run, by what programs tell of their turns. */
  get #hasTurn(): boolean {
    const { hooks, oscs } = this.facts;
    return [...hooks, ...oscs].some(({ activity }) => activity !== 'idle' && activity !== 'unknown');
  }

  dispose(): void {
    this.lookAgain.dispose();
    this.silence.dispose();
    this.retry.dispose();
    this.statusFile.dispose();
  }

  #addTitle(reader: TypeReader, title: string): boolean {
    this.#title = title;
    return this.#addLevel('title', reader.readTitle(title, this.clock.nowMs()));
  }

  /** A title, an OSC or a status file holds until it says something else: only that is a fact. */
  #addLevel(source: 'title' | 'osc' | 'status_file', reading: LevelReading | undefined, ageMs = 0): boolean {
    if (!reading) return false;
    const before = this.facts[listOf(source)].at(-1);
    if ((before?.activity ?? 'unknown') === reading.activity) return false;
    const atMs = this.clock.monotonicMs() - ageMs;
    this.#eventAtMs = Math.max(this.#eventAtMs, atMs);
    const { activity, detail } = reading;
    this.#add({ source, activity, detail, observedAtMs: this.clock.nowMs() - ageMs, atMs });
    return true;
  }

  #add(fact: SignalFact): void {
    this.facts = withSignal(this.facts, fact);
  }

  #noteProgress(mark: string, nowMs: number): void {
    if (mark === this.#mark) return;
    this.#mark = mark;
    this.#eventAtMs = nowMs;
  }
}
