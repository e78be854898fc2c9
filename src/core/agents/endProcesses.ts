import { type Clock, sleep } from '../base/clock';
import type { ProcessIdentity } from './agent';
import type { StopFaultPoint } from './stopFaultPoints';
import { type EndSignal, type Processes, processKey } from './processes';

export interface EndOptions {
  /** The run's first process; undefined when it was never recorded. */
  readonly root: ProcessIdentity | undefined;
  readonly marker: string;
  /** What else was seen of the run before, also by an engine that did not finish. */
  readonly known?: readonly ProcessIdentity[];
  /** Keeps everybody that was seen, before anything is sent to those who are new: what follows can orphan them. */
  readonly keep?: (seen: readonly ProcessIdentity[]) => Promise<void>;
  /** Asks the program to end by itself; its failure does not matter. False: it could not be asked, nothing is waited for. Absent: begin with SIGTERM. */
  readonly askPolitely?: (family: readonly ProcessIdentity[]) => Promise<boolean>;
  /** For the polite request and for SIGTERM each. */
  readonly graceMs: number;
  /** How long after SIGKILL until survivors are given up. */
  readonly killWaitMs: number;
  /** Told at each named instant; tests crash there. */
  readonly onPoint?: (point: StopFaultPoint) => void;
}

export type EndResult =
  | { readonly kind: 'gone'; readonly strongest: 'nothing' | 'asked' | EndSignal }
  /** Not even SIGKILL ended these, within the time (uninterruptible sleep, another user's process). */
  | { readonly kind: 'survivors'; readonly processes: readonly ProcessIdentity[] };

/** 20 ms: below what people notice, and each look costs some milliseconds of CPU. */
const FIRST_POLL_MS = 20;
const MAX_POLL_MS = 200;

/** Programs that fork as fast as they can are held in 2 to 4 looks; who forks on for this long is signalled while it does. */
const HOLD_MS = 2_000;
/** Who does not stop for this long (a wait in the system that no signal ends) and makes nobody new meanwhile is not waited for. */
const STILL_MS = 300;
const HOLD_POLL_MS = 5;

/**
 * Ends every process of a run and proves it: polite request → SIGTERM to each → SIGKILL to each. What was once seen as
 * part of the run stays on the list even if its parent dies meanwhile, so a tool in a session of its own is not lost.
 *
 * Before each signal everybody is held (SIGSTOP) until nobody new appears: what was forked after the list was made, and
 * whose parent the signal then ends, would be nobody's. The first process is not held: tmux lets its own children go on at once.
 * What carries the mark and appears during the end is part of the run, too, unless something independent carried it before.
 *
 * Rejects when the system cannot be asked (then nothing is proved) or when `signal` aborts the waiting; whoever is held then goes on.
 */
export class ProcessEnding {
  readonly #known = new Map<string, ProcessIdentity>();
  readonly #held = new Map<string, ProcessIdentity>();
  #keptCount = 0;
  #isMarkOurs = false;

  constructor(
    private readonly processes: Processes,
    private readonly clock: Clock,
    private readonly options: EndOptions,
  ) {
    this.#remember([...(options.root ? [options.root] : []), ...(options.known ?? [])]);
    this.#keptCount = this.#known.size;
  }

  async run(signal?: AbortSignal): Promise<EndResult> {
    const { askPolitely, graceMs, killWaitMs, onPoint } = this.options;
    let living = await this.#living();
    if (living.length === 0) return { kind: 'gone', strongest: 'nothing' };
    this.#isMarkOurs = await this.#ownsMark();
    await this.#keep();
    onPoint?.('family.kept');
    if (await askPolitely?.(living)) {
      onPoint?.('quit.sent');
      living = await this.#waitForEnd(graceMs, signal);
      if (living.length === 0) return { kind: 'gone', strongest: 'asked' };
    }
    try {
      await this.#term();
      living = await this.#waitForEnd(graceMs, signal);
      if (living.length === 0) return { kind: 'gone', strongest: 'SIGTERM' };
      living = await this.#kill(killWaitMs, signal);
      return living.length === 0 ? { kind: 'gone', strongest: 'SIGKILL' } : { kind: 'survivors', processes: living };
    } finally {
      await this.#release();
    }
  }

  async #term(): Promise<void> {
    const living = await this.#hold();
    await this.#keep();
    this.options.onPoint?.('family.held');
    await this.processes.signalEach(living, 'SIGTERM'); // waits for those who are held until they go on
    await this.#release();
    this.options.onPoint?.('term.sent');
  }

  /** The first process last, so that it can still report how the program in it ended. */
  async #kill(waitMs: number, signal?: AbortSignal): Promise<readonly ProcessIdentity[]> {
    const { root, onPoint } = this.options;
    const deadlineMs = this.clock.monotonicMs() + waitMs;
    let rest = await this.#hold();
    while (rest.length > 0 && this.clock.monotonicMs() < deadlineMs) {
      const others = rest.filter((one) => one.pid !== root?.pid);
      // Children before their parents: a group in which somebody is held is sent HUP and CONT when it loses its last parent.
      const [first, ...targets] = (others.length > 0 ? others : rest).toReversed();
      await this.#keep();
      if (first) await this.processes.signal(first, 'SIGKILL');
      if (targets.length > 0) onPoint?.('kill.begun');
      await this.processes.signalEach(targets, 'SIGKILL');
      onPoint?.('kill.sent');
      rest = await this.#waitForEnd(Math.min(MAX_POLL_MS, waitMs), signal);
      if (rest.length > 0) rest = await this.#hold();
    }
    return rest;
  }

  /** Holds everybody but the first process; resolves with all who live, once nobody new is seen after all of them stood still. */
  async #hold(): Promise<readonly ProcessIdentity[]> {
    const { root } = this.options;
    const deadlineMs = this.clock.monotonicMs() + HOLD_MS;
    let newestMs = this.clock.monotonicMs();
    for (let isStill = false; ;) {
      const living = await this.#look(this.#isMarkOurs);
      const free = living.filter((one) => one.pid !== root?.pid && !this.#held.has(processKey(one)));
      if (free.length === 0 && isStill) return living;
      const nowMs = this.clock.monotonicMs();
      if (nowMs >= deadlineMs) return living;
      if (free.length > 0) newestMs = nowMs;
      for (const one of free) this.#held.set(processKey(one), one);
      if (free.length > 0) await this.processes.signalEach(free, 'SIGSTOP');
      isStill = (await this.processes.areHeld([...this.#held.values()])) || nowMs - newestMs >= STILL_MS;
      if (!isStill) await sleep(this.clock, HOLD_POLL_MS);
    }
  }

  async #release(): Promise<void> {
    if (this.#held.size === 0) return;
    const held = [...this.#held.values()];
    this.#held.clear();
    await this.processes.signalEach(held, 'SIGCONT');
  }

  /** Whether nobody carries the mark but who is known to be of the run; asked before anything is sent. */
  async #ownsMark(): Promise<boolean> {
    const marked = await this.processes.marked(this.options.marker);
    await this.#look();
    return marked.every((one) => this.#known.has(processKey(one)));
  }

  async #keep(): Promise<void> {
    if (this.#known.size === this.#keptCount) return;
    this.#keptCount = this.#known.size;
    await this.options.keep?.([...this.#known.values()]);
  }

  async #waitForEnd(timeoutMs: number, signal?: AbortSignal): Promise<readonly ProcessIdentity[]> {
    const deadlineMs = this.clock.monotonicMs() + timeoutMs;
    let pollMs = FIRST_POLL_MS;
    for (;;) {
      const living = await this.#living();
      const restMs = deadlineMs - this.clock.monotonicMs();
      if (living.length === 0 || restMs <= 0) return living;
      await sleep(this.clock, Math.min(pollMs, restMs), signal);
      pollMs = Math.min(pollMs * 2, MAX_POLL_MS);
    }
  }

  /**
   * Nobody is only true twice: a process table is not read at one instant, and a parent may fork and die while it is. In
   * the second look every parent was dead before it began, so what they left is seen.
   */
  async #living(): Promise<readonly ProcessIdentity[]> {
    const living = await this.#look();
    return living.length > 0 ? living : this.#look(this.#isMarkOurs);
  }

  async #look(isByMark = false): Promise<readonly ProcessIdentity[]> {
    const { root, marker } = this.options;
    if (!root || isByMark) this.#remember(await this.processes.marked(marker));
    const living = await this.processes.family([...this.#known.values()], marker);
    this.#remember(living);
    return living;
  }

  #remember(found: readonly ProcessIdentity[]): void {
    for (const one of found) this.#known.set(processKey(one), one);
  }
}
