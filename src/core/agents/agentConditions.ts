import type { AgentId, AgentRecord } from './agent';
import { Lifecycle } from './agentState';
import type { AgentType } from './agentType';

/**
 * Orthogonal to lifecycle and activity, as conditions of Kubernetes are. `Ready`: a process of it runs and has begun.
 * `Deliverable`: as far as is known a prompt may be typed; a draft in its box or a scrolled screen is found only when one is.
 */
export type ConditionType = 'Ready' | 'Deliverable';

export interface AgentCondition {
  readonly type: ConditionType;
  readonly status: 'true' | 'false' | 'unknown';
  /** Code of why, in snake case: a lifecycle, an activity, `dialog_open`, `takes_no_prompts`, `not_running`. */
  readonly reason: string;
  /** Epoch ms since when `status` is what it is, as far as this engine saw it. */
  readonly lastTransitionMs: number;
}

type Judged = Pick<AgentCondition, 'status' | 'reason'>;

/** The conditions of all agents; remembers since when each has its status. */
export class AgentConditions {
  readonly #kept = new Map<AgentId, ReadonlyMap<ConditionType, AgentCondition>>();

  /** Of an agent as it stands now. What did not change is the same object as before. */
  of(record: AgentRecord, type: AgentType | undefined): readonly AgentCondition[] {
    const before = this.#kept.get(record.id);
    const conditions = [
      since(before?.get('Ready'), 'Ready', ready(record), record.sinceMs),
      since(before?.get('Deliverable'), 'Deliverable', deliverable(record, type), record.sinceMs),
    ];
    this.#kept.set(record.id, new Map(conditions.map((condition) => [condition.type, condition])));
    return conditions;
  }

  forget(id: AgentId): void {
    this.#kept.delete(id);
  }
}

function since(
  before: AgentCondition | undefined,
  type: ConditionType,
  { status, reason }: Judged,
  nowMs: number,
): AgentCondition {
  if (before?.status !== status) return { type, status, reason, lastTransitionMs: nowMs };
  return before.reason === reason ? before : { ...before, reason };
}

function ready({ lifecycle }: AgentRecord): Judged {
  if (lifecycle === Lifecycle.Lost) return { status: 'unknown', reason: lifecycle };
  const isReady = lifecycle === Lifecycle.Running || lifecycle === Lifecycle.Paused;
  return { status: isReady ? 'true' : 'false', reason: lifecycle };
}

function deliverable({ lifecycle, desired, activity }: AgentRecord, type: AgentType | undefined): Judged {
  if (!type?.prompt.canPaste) return { status: 'false', reason: 'takes_no_prompts' };
  if (lifecycle === Lifecycle.Lost) return { status: 'unknown', reason: lifecycle };
  if (lifecycle === Lifecycle.Paused) return { status: 'false', reason: lifecycle };
  if (lifecycle !== Lifecycle.Running || desired !== 'running') return { status: 'false', reason: 'not_running' };
  if (activity === 'awaiting_approval' || activity === 'awaiting_input')
    return { status: 'false', reason: 'dialog_open' };
  return { status: activity === 'unknown' ? 'unknown' : 'true', reason: activity };
}
