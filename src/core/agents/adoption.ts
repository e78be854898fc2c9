import type { AgentRecord } from './agent';
import type { HostedAgent } from './agentHost';
import type { ExitCause } from './agentState';
import { isLive } from './agentTransitions';

/** What is known of the processes of the recorded run when the host does not know the agent. */
export type Leftovers = 'alive' | 'gone' | 'unknown';

export interface AdoptionFacts {
  readonly record: AgentRecord;
  /** What the host says; undefined: it has no terminal of this agent. */
  readonly hosted: HostedAgent | undefined;
  /** Only asked for when the host has no terminal and the record says that something may live. */
  readonly leftovers: Leftovers;
}

/** What to do about one agent when store and host are compared. */
export type AdoptionDecision =
  /** Nothing: both agree, or nothing runs and nothing should. */
  | { readonly kind: 'leave' }
  /** It lives: it is ours again, with this generation; no restart. */
  | { readonly kind: 'adopt'; readonly generation: number }
  /** A stop (or the stopping half of a restart) was ordered and is not finished. */
  | { readonly kind: 'finishStop' }
  /** Proved ended. */
  | { readonly kind: 'ended'; readonly cause: ExitCause; readonly source: 'pane' | 'process' }
  /** Cannot be known now; nothing is started. `isOrphan`: processes live without a terminal. */
  | { readonly kind: 'lost'; readonly reason: string; readonly isOrphan: boolean }
  /** Something of ours lives that must not: an older generation, or a run that was to be stopped. End it, then decide again. */
  | { readonly kind: 'endStray'; readonly hosted: HostedAgent }
  /** At rest, but a restart is due by policy or by an interrupted order. */
  | { readonly kind: 'continue' }
  /** It waits for a restart that nobody wants any more. */
  | { readonly kind: 'settle' };

/**
 * The full table of record × host (ARCHITECTURE.md, "Adoption"). Pure. The rules behind it:
 * what lives is never started again; what was to be stopped is stopped; an older generation was declared over when a
 * newer one was recorded, so it is ended; a newer one than recorded (a store that was set back) is adopted, since it is
 * the only one; what cannot be known is `lost` and causes nothing.
 */
export function decideAdoption({ record, hosted, leftovers }: AdoptionFacts): AdoptionDecision {
  switch (hosted?.liveness.kind) {
    case 'alive':
      return decideAlive(record, hosted);
    case 'dead':
      return decideDead(record, hosted, hosted.liveness.cause);
    case 'unknown':
      return isLive(record.lifecycle)
        ? { kind: 'lost', reason: hosted.liveness.reason, isOrphan: false }
        : { kind: 'leave' };
    case undefined:
      return decideMissing(record, leftovers);
  }
}

function decideAlive(record: AgentRecord, hosted: HostedAgent): AdoptionDecision {
  if (hosted.generation < record.generation) return { kind: 'endStray', hosted };
  const isWanted = record.desired !== 'stopped' && record.lifecycle !== 'retired';
  if (hosted.generation > record.generation)
    return isWanted ? { kind: 'adopt', generation: hosted.generation } : { kind: 'endStray', hosted };
  if (record.lifecycle === 'stopping') return { kind: 'finishStop' };
  if (isLive(record.lifecycle))
    return isWanted ? { kind: 'adopt', generation: record.generation } : { kind: 'finishStop' };
  // At rest, and yet it lives: our record of its end was wrong, or its stop was never carried out.
  if (!isWanted || record.lifecycle === 'created' || record.lifecycle === 'stopped')
    return { kind: 'endStray', hosted };
  return { kind: 'adopt', generation: record.generation };
}

function decideDead(record: AgentRecord, hosted: HostedAgent, cause: ExitCause): AdoptionDecision {
  if (!isLive(record.lifecycle)) return atRest(record);
  if (record.lifecycle === 'stopping' || record.desired === 'stopped') return { kind: 'finishStop' };
  // A dead terminal of another generation says nothing about the end of the recorded one.
  const isSame = hosted.generation === record.generation;
  return { kind: 'ended', cause: isSame ? cause : {}, source: 'pane' };
}

function decideMissing(record: AgentRecord, leftovers: Leftovers): AdoptionDecision {
  if (!isLive(record.lifecycle)) return atRest(record);
  if (record.lifecycle === 'stopping' || record.desired === 'stopped') return { kind: 'finishStop' };
  if (leftovers === 'alive') return { kind: 'lost', reason: 'its processes live without a terminal', isOrphan: true };
  if (leftovers === 'unknown') return { kind: 'lost', reason: 'its processes could not be looked at', isOrphan: false };
  return { kind: 'ended', cause: {}, source: 'process' };
}

/** `stopped` while `running` is desired is the middle of a restart; exits that wait for a decision get it now. */
function atRest({ lifecycle, desired }: AgentRecord): AdoptionDecision {
  if (desired === 'stopped' && lifecycle === 'backoff') return { kind: 'settle' };
  if (desired !== 'running') return { kind: 'leave' };
  const isWaiting =
    lifecycle === 'stopped' || lifecycle === 'backoff' || lifecycle === 'failed' || lifecycle === 'exited';
  return isWaiting ? { kind: 'continue' } : { kind: 'leave' };
}
