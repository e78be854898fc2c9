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

/**
 * Ends every process of a run and proves it: polite request → SIGTERM to each → SIGKILL to each. What was once seen as
 * part of the run stays on the list even if its parent dies meanwhile, so a tool in a session of its own is not lost.
 * Rejects when the system cannot be asked (then nothing is proved) or when `signal` aborts the waiting.
 */
export class ProcessEnding {
  readonly #known = new Map<string, ProcessIdentity>();
  #keptCount = 0;

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
    await this.#keep();
    onPoint?.('family.kept');
    if (await askPolitely?.(living)) {
      onPoint?.('quit.sent');
      living = await this.#waitForEnd(graceMs, signal);
      if (living.length === 0) return { kind: 'gone', strongest: 'asked' };
    }
    await this.#signalAll(living, 'SIGTERM');
    onPoint?.('term.sent');
    living = await this.#waitForEnd(graceMs, signal);
    if (living.length === 0) return { kind: 'gone', strongest: 'SIGTERM' };
    living = await this.#kill(living, killWaitMs, signal);
    return living.length === 0 ? { kind: 'gone', strongest: 'SIGKILL' } : { kind: 'survivors', processes: living };
  }

  /** The first process last, so that it can still report how the program in it ended. */
  async #kill(
    living: readonly ProcessIdentity[],
    waitMs: number,
    signal?: AbortSignal,
  ): Promise<readonly ProcessIdentity[]> {
    const { root } = this.options;
    const deadlineMs = this.clock.monotonicMs() + waitMs;
    let rest = living;
    while (rest.length > 0 && this.clock.monotonicMs() < deadlineMs) {
      const others = rest.filter((one) => one.pid !== root?.pid);
      await this.#signalAll(others.length > 0 ? others : rest, 'SIGKILL');
      this.options.onPoint?.('kill.sent');
      rest = await this.#waitForEnd(Math.min(MAX_POLL_MS, waitMs), signal);
    }
    return rest;
  }

  async #signalAll(targets: readonly ProcessIdentity[], signal: EndSignal): Promise<void> {
    await this.#keep();
    for (const [index, target] of targets.entries()) {
      await this.processes.signal(target, signal);
      if (signal === 'SIGKILL' && index === 0 && targets.length > 1) this.options.onPoint?.('kill.begun');
    }
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
    return living.length > 0 ? living : this.#look();
  }

  async #look(): Promise<readonly ProcessIdentity[]> {
    const { root, marker } = this.options;
    if (!root) this.#remember(await this.processes.marked(marker));
    const living = await this.processes.family([...this.#known.values()], marker);
    this.#remember(living);
    return living;
  }

  #remember(found: readonly ProcessIdentity[]): void {
    for (const one of found) this.#known.set(processKey(one), one);
  }
}
