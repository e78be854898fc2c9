import type { AgentChange } from '../agent';
import { isObservable } from '../agentTransitions';
import { owesEvidence, type PromptDelivery } from './promptDelivery';

/** 2 s: from the first sign of an end to the record of it, on a busy machine; what rests so long has taken what waited inside it. */
export const IDLE_SURE_MS = 2_000;

/**
 * A prompt of a run that is over may have waited inside its program when that ended: it left the input box while the program worked, no hook
 * has told of it, and the program has not come to rest since. One that began a turn never has. Where `changes` (newest first) do not reach
 * back to it nothing is said: then it was long before the end.
 */
export function mayHaveWaited(delivery: PromptDelivery, changes: readonly AgentChange[]): boolean {
  if (!owesEvidence(delivery) || delivery.cameDuringWork !== true) return false;
  const run = changes.filter(({ generation }) => generation === delivery.generation);
  const isReached = run.some(({ atMs }) => atMs <= delivery.stateAtMs);
  const at = run.findIndex(({ from, to }) => isObservable(from.lifecycle) && !isObservable(to.lifecycle));
  return isReached && !hasRested(run.slice(at + 1), run[at]?.atMs ?? Infinity, delivery.stateAtMs);
}

/** Between two turns a program may rest for a moment, with prompts in its queue: told by a hook, that is a rest only when nothing came after it. */
function hasRested(run: readonly AgentChange[], endMs: number, sinceMs: number): boolean {
  return run.some(({ to, atMs, evidence }, at) => {
    if (!isObservable(to.lifecycle) || (to.activity !== 'idle' && to.activity !== 'error')) return false;
    const untilMs = run[at - 1]?.atMs ?? endMs;
    const isTold = at === 0 && atMs >= sinceMs && evidence.some(({ source }) => source === 'hook');
    return isTold || untilMs - Math.max(atMs, sinceMs) >= IDLE_SURE_MS;
  });
}
