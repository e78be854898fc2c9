import type { Clock } from '../../base/clock';
import type { Logger } from '../../base/log';
import type { AgentHost } from '../agentHost';
import type { ScreenJudge } from './deliveryScreen';
import type { FaultPoints } from './faultPoints';
import type { BlockedReason, PromptDelivery } from './promptDelivery';
import type { Pulse } from './pulse';
import type { Readiness } from './readyCheck';

/** How long an attempt waits for what. The reasons are in docs/adr/0008. */
export const ATTEMPT_TIMES = {
  /** A draft must come into the box within this. */
  draftMs: 8_000,
  /** The draft must stand still this long before the submit key, without and with hooks that tell. */
  settleMs: 250,
  settleWithHooksMs: 60,
  /** The box must stay empty this long to count as evidence, without hooks and where a hook should have told. */
  goneMs: 200,
  goneWithHooksMs: 2_000,
  /** No evidence for this long after the submit key: unknown. */
  ackMs: 12_000,
  /** Pauses before the submit key is pressed again; the last one repeats. Where a hook is sure to tell, it is given more time. */
  pressAgainMs: [500, 1_000, 2_000, 3_000],
  pressAgainWithHooksMs: [1_000, 2_000, 3_000],
  /** So long a program is waited for that has put out nothing since the key: it may have yet to read it, and would read two. */
  silentMs: 5_000,
  /** And this long one that begins to put out something, which may be what the key has done. */
  reactedMs: 400,
  /** The submit key is held back for no longer than this (`holdWhile` of the type). */
  holdMs: 3_000,
  /** Looks while something is expected: the pause grows from the first to the second. */
  firstLookMs: 25,
  slowestLookMs: 200,
  /** So long a program that takes no bracketed paste is waited for, before several lines are refused: it may be about to ask for it. */
  bracketsMs: 1_000,
  /** The same of one that nothing was delivered to yet: it may just be starting. */
  firstBracketsMs: 5_000,
  /** A terminal without a box that shows a dialog or another program just before the submit key is given this long. */
  blindPressMs: 3_000,
} as const;

export interface AttemptPorts {
  readonly host: AgentHost;
  readonly clock: Clock;
  readonly log: Logger;
  readonly judge: ScreenJudge;
  readonly faults: FaultPoints;
  /** Beats at output, settled screens and hooks of this agent. */
  readonly pulse: Pulse;
  /** Makes a step durable, then announces it. */
  readonly keep: (delivery: PromptDelivery) => Promise<void>;
}

export interface AttemptOptions {
  /** A hook is expected to tell of the accepted prompt: pauses are shorter, an empty box alone convinces later. */
  readonly expectsHook: boolean;
  /** Hooks of this run are known to arrive: what none tells of was not accepted, as far as is known. */
  readonly isHookCertain: boolean;
  /** Nothing was acknowledged by this process yet. */
  readonly isFirst: boolean;
  /** Finds out thoroughly whether the agent can be typed into now. @throws the signal's reason */
  readonly lookAgain: (signal: AbortSignal) => Promise<Readiness>;
}

export type AttemptResult =
  | { readonly kind: 'final'; readonly delivery: PromptDelivery; readonly cause?: unknown }
  /** Nothing was typed; the delivery is `queued` again. */
  | { readonly kind: 'blocked'; readonly delivery: PromptDelivery; readonly reason: BlockedReason };

/** The reason of the abort that means: the run is over. Any other leaves the delivery as it is, for the next owner. */
export class RunOver extends Error {}

/** Pauses between looks: short at first, then longer. */
export class Pace {
  readonly #startMs: number;

  constructor(private readonly clock: Clock) {
    this.#startMs = clock.monotonicMs();
  }

  next(): number {
    const { firstLookMs, slowestLookMs } = ATTEMPT_TIMES;
    const passedMs = this.clock.monotonicMs() - this.#startMs;
    return Math.min(slowestLookMs, Math.max(firstLookMs, passedMs / 4));
  }
}
