import type { ExitCause, RestartPolicy } from './agentState';

/** How often and how fast an agent may be started again by itself. */
export interface RestartSettings {
  /** More automatic restarts than this inside the window mean quarantine. Default 5. */
  readonly maxRestarts: number;
  /** Default 10 minutes. */
  readonly windowMs: number;
  /** First delay; doubled for each restart inside the window. Default 1 s. */
  readonly firstDelayMs: number;
  /** Default 60 s. */
  readonly maxDelayMs: number;
  /** Each delay is moved by up to this share either way, so that a fleet does not restart in step. Default 0.2. */
  readonly jitterRatio: number;
}

/** Restart intensity of Erlang/OTP supervisors, with the numbers of promise R16. */
export const DEFAULT_RESTART_SETTINGS: RestartSettings = {
  maxRestarts: 5,
  windowMs: 600_000,
  firstDelayMs: 1_000,
  maxDelayMs: 60_000,
  jitterRatio: 0.2,
};

/** What follows an exit that nobody ordered. */
export type RestartDecision =
  | { readonly kind: 'restart'; readonly delayMs: number; readonly budget: RestartBudget }
  | { readonly kind: 'quarantine'; readonly restarts: number }
  | { readonly kind: 'rest' };

/** The restart policy of one agent as an immutable value: each decision to restart gives the next value. */
export class RestartBudget {
  constructor(
    readonly policy: RestartPolicy,
    /** Epoch ms of automatic restarts, oldest first; kept in the agent's record. */
    readonly restartsAtMs: readonly number[],
    private readonly settings: RestartSettings = DEFAULT_RESTART_SETTINGS,
  ) {}

  /**
   * Decides what follows `exit` at `nowMs` (wall clock). `random` in [0, 1) moves the delay.
   * An unknown cause counts as a failure. A wall clock that went back cannot keep old restarts inside the window for
   * ever: times in the future are taken as now.
   */
  next(exit: ExitCause, nowMs: number, random: number): RestartDecision {
    const isFailure = exit.code !== 0;
    if (this.policy === 'never' || (this.policy === 'on_failure' && !isFailure)) return { kind: 'rest' };
    const recent = this.restartsAtMs
      .map((atMs) => Math.min(atMs, nowMs))
      .filter((atMs) => nowMs - atMs < this.settings.windowMs);
    if (recent.length >= this.settings.maxRestarts) return { kind: 'quarantine', restarts: recent.length };
    const { firstDelayMs, maxDelayMs, jitterRatio } = this.settings;
    const planned = Math.min(maxDelayMs, firstDelayMs * 2 ** recent.length);
    const delayMs = Math.round(Math.min(maxDelayMs, planned * (1 + jitterRatio * (2 * random - 1))));
    return {
      kind: 'restart',
      delayMs,
      budget: new RestartBudget(this.policy, [...recent, nowMs + delayMs], this.settings),
    };
  }
}
