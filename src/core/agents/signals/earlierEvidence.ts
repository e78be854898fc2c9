import type { AgentChange } from '../agent';
import type { StateExplanation } from './stateExplanation';

/** Added to evidence that was observed before the present run began: a program's own file may still tell of the one before. */
const EARLIER = ' (before this run)';

/**
 * The explanation with what is older than the present run marked. Pure.
 * @param changes of this agent, newest first; where they do not go back to the beginning of the run, nothing is marked
 */
export function markEarlier(explanation: StateExplanation, changes: readonly AgentChange[]): StateExplanation {
  const generation = changes[0]?.generation;
  const began = changes.find((change) => change.generation === generation && change.to.lifecycle === 'starting');
  if (!began) return explanation;
  const signals = explanation.signals.map((signal) =>
    signal.observedAtMs < began.atMs ? { ...signal, detail: signal.detail + EARLIER } : signal,
  );
  return { ...explanation, signals };
}
