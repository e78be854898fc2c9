import type { Activity } from './agentState';
import type { Reading } from './screenReader';

/** 120 ms apart, twice: a program redraws its input box between two outputs, so one look is not enough for `idle`. */
export const IDLE_CONFIRM_MS = 120;
/** A screen that matches nothing for less than this is a redraw, not a new state. */
export const UNKNOWN_CONFIRM_MS = 1_000;

/** What is shown now and what is waiting to be confirmed: an immutable value. */
export interface ActivityState {
  readonly activity: Activity;
  readonly candidate?: { readonly activity: Activity; readonly sinceMs: number };
}

export interface Resolution {
  readonly state: ActivityState;
  /** The reading is now what is shown. False: it waits for confirmation. */
  readonly isAccepted: boolean;
  /** Look again after this long, even if nothing changes. */
  readonly lookAgainMs?: number;
}

/**
 * Hysteresis against flicker. Dialogs, work and errors count at once; `idle` and `unknown` only when a second look,
 * {@link IDLE_CONFIRM_MS} or {@link UNKNOWN_CONFIRM_MS} later, says the same with nothing else in between.
 * `nowMs` is monotonic.
 */
export function resolveActivity(state: ActivityState, reading: Reading, nowMs: number): Resolution {
  const { activity } = reading;
  if (activity === state.activity) return { state: { activity }, isAccepted: true };
  const confirmMs = activity === 'idle' ? IDLE_CONFIRM_MS : activity === 'unknown' ? UNKNOWN_CONFIRM_MS : 0;
  if (confirmMs === 0) return { state: { activity }, isAccepted: true };
  if (state.candidate?.activity !== activity) {
    return {
      state: { activity: state.activity, candidate: { activity, sinceMs: nowMs } },
      isAccepted: false,
      lookAgainMs: confirmMs,
    };
  }
  const waitedMs = nowMs - state.candidate.sinceMs;
  if (waitedMs >= confirmMs) return { state: { activity }, isAccepted: true };
  return { state, isAccepted: false, lookAgainMs: confirmMs - waitedMs };
}
