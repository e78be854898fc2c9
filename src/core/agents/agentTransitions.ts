import { Lifecycle } from './agentState';

/**
 * Every legal step of a lifecycle and what it means. A pair that is not here is illegal: `AgentStateManager`
 * refuses it with `agent.illegalTransition` and reports it. Staying in a state is no step: activity, evidence and
 * desired state may change without one.
 */
export const LIFECYCLE_STEPS: Readonly<Record<Lifecycle, Readonly<Partial<Record<Lifecycle, string>>>>> = {
  created: {
    starting: 'a start was ordered',
    failed: 'cannot be made: no such command or folder',
    retired: 'removed before its first start',
  },
  starting: {
    running: 'the process is alive and ready, or was found alive after our own restart',
    exited: 'ended with code 0 before it was ready',
    failed: 'could not be launched, ended with an error or missed the start deadline',
    stopping: 'stop ordered before it was ready',
    lost: 'the host disappeared during the start: whether it runs is not known',
  },
  running: {
    stopping: 'stop or restart ordered and persisted',
    exited: 'ended by itself with code 0',
    failed: 'ended by itself with another code, a signal, or for an unknown cause',
    lost: 'cannot be observed any more',
    paused: 'pause ordered: the process lives, nothing is delivered',
  },
  paused: {
    running: 'resumed',
    stopping: 'stop or restart ordered and persisted',
    exited: 'ended by itself with code 0 while paused',
    failed: 'ended otherwise while paused',
    lost: 'cannot be observed any more',
  },
  stopping: {
    stopped: 'every process is proved gone',
    failed: 'processes survived SIGKILL',
    lost: 'the host or the processes cannot be observed any more',
  },
  stopped: {
    starting: 'a start was ordered',
    retired: 'removed',
  },
  exited: {
    starting: 'a start was ordered, or the process turned out to be alive',
    backoff: 'policy `always`: waits for its restart',
    stopped: 'stop ordered: it will not be started again',
    retired: 'removed',
  },
  failed: {
    starting: 'a start was ordered by a person, or the process turned out to be alive',
    backoff: 'policy `on_failure` or `always`: waits for its restart',
    quarantined: 'restarted too often',
    stopped: 'stop ordered: it will not be started again',
    retired: 'removed',
  },
  lost: {
    running: 'found alive again with the same generation',
    exited: 'proved ended with code 0',
    failed: 'proved ended otherwise or for an unknown cause',
    stopped: 'proved ended, and that was wanted',
    stopping: 'stop ordered: what is left of it is being ended',
  },
  backoff: {
    starting: 'its time has come, or a person did not want to wait',
    stopped: 'stop ordered while waiting',
    quarantined: 'restart intensity exceeded',
  },
  quarantined: {
    starting: 'released by a person and started',
    stopped: 'stop ordered: a later start begins with a fresh budget',
    retired: 'removed',
  },
  retired: {
    stopped: 'an import has brought it back; nothing else does',
  },
};

/** All twelve, in the order of a life. */
export const LIFECYCLES: readonly Lifecycle[] = Object.values(Lifecycle);

/** True for the steps of {@link LIFECYCLE_STEPS}; false for staying. */
export function isLegalStep(from: Lifecycle, to: Lifecycle): boolean {
  return LIFECYCLE_STEPS[from][to] !== undefined;
}

/** A process is believed to exist, or cannot be excluded. */
export function isLive(lifecycle: Lifecycle): boolean {
  return (
    lifecycle === 'starting' ||
    lifecycle === 'running' ||
    lifecycle === 'paused' ||
    lifecycle === 'stopping' ||
    lifecycle === 'lost'
  );
}

/** It ran, and ended by itself or was never brought to run: what a person finds out about it stays until it is started again. */
export function hasEnded(lifecycle: Lifecycle): boolean {
  return lifecycle === 'exited' || lifecycle === 'failed' || lifecycle === 'quarantined';
}

/** Prompts may reach the process in principle: `running` or `paused`. Activity has a meaning only here. */
export function isObservable(lifecycle: Lifecycle): boolean {
  return lifecycle === 'running' || lifecycle === 'paused';
}

/** The states a start may begin from. `quarantined` is left by `release` only. */
export function isStartable(lifecycle: Lifecycle): boolean {
  return (
    lifecycle === 'created' ||
    lifecycle === 'stopped' ||
    lifecycle === 'exited' ||
    lifecycle === 'failed' ||
    lifecycle === 'backoff'
  );
}
