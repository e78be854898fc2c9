import type { Ids } from '../base/ids';
import type { AgentChange, AgentRecord } from './agent';
import { AgentError } from './agentErrors';
import { isObservable, isStartable } from './agentTransitions';
import type { Activity } from './agentState';
import type { AgentStore } from './agentStore';
import type { AgentType } from './agentType';
import { receiptOf } from './delivery/deliveryRecord';
import { IDLE_SURE_MS } from './delivery/waitedInside';
import type { DeliveryStore, PromptDelivery, PromptReceipt } from './delivery/promptDelivery';

/** What a resumed conversation has lost, for people. */
export interface ResumeReport {
  readonly sessionId: string;
  readonly losses: readonly string[];
  /** Prompts that were queued or under way at the end: offered to be sent again. */
  readonly lostPrompts: readonly PromptReceipt[];
  /** The prompt of the turn that was interrupted, when it is known: the conversation has it, its answer is lost. Sent again, it is there twice. */
  readonly interruptedPrompt?: PromptReceipt;
}

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const RECENT_CHANGES = 50;
const RECENT_DELIVERIES = 50;

/** A UUID version 7 (RFC 9562) with the time and the randomness of one new id. */
export function newSessionId(ids: Ids): string {
  let value = 0n;
  for (const character of ids.next()) value = (value << 5n) | BigInt(Math.max(0, CROCKFORD.indexOf(character)));
  const hex = BigInt.asUintN(128, value).toString(16).padStart(32, '0');
  const variant = ((parseInt(hex[16] ?? '0', 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
}

/** Why a conversation cannot be gone on with; undefined when it can. Whether the agent is at rest is another question. */
export function resumeObjection(record: AgentRecord, type: AgentType | undefined): string | undefined {
  if (!type?.resume) return 'its program cannot go on with a conversation';
  if (record.sessionId === undefined) return 'its program never told which conversation it had';
  if (type.session?.needsTurn !== false && record.hasSessionTurn !== true)
    return 'nothing was said in its conversation';
  return undefined;
}

/** It ended, and its conversation can be gone on with. */
export function isResumable(record: AgentRecord, type: AgentType | undefined): boolean {
  return isStartable(record.lifecycle) && record.generation > 0 && resumeObjection(record, type) === undefined;
}

/** @throws {AgentError} agent.cannotResume */
export function requireResumable(record: AgentRecord, type: AgentType | undefined): string {
  const why = isStartable(record.lifecycle) ? resumeObjection(record, type) : `it is ${record.lifecycle}`;
  if (why === undefined && record.sessionId !== undefined) return record.sessionId;
  throw new AgentError('agent.cannotResume', `${record.id}: ${why ?? 'it has no conversation'}`, {
    agentId: record.id,
  });
}

/**
 * Its last turn was over when it ended: a hook said so, or it had shown that for a while. What a program shows of itself while it is being
 * killed is no end of a turn. `changes`: newest first.
 */
function endedIdle(changes: readonly AgentChange[]): boolean {
  const at = changes.findIndex(({ from, to }) => isObservable(from.lifecycle) && !isObservable(to.lifecycle));
  const end = changes[at];
  if (end?.from.activity !== 'idle') return false;
  const begin = changes.slice(at + 1).find(({ from, to }) => to.activity === 'idle' && from.activity !== 'idle');
  if (!begin || end.atMs - begin.atMs >= IDLE_SURE_MS) return true;
  return begin.evidence.some(({ source }) => source === 'hook');
}

/** What it did at a time: `changes` newest first; undefined when they do not reach back so far. */
function activityAt(changes: readonly AgentChange[], atMs: number): Activity | undefined {
  return changes.find((change) => change.atMs <= atMs)?.to.activity;
}

const WORKING: ReadonlySet<Activity> = new Set(['busy', 'rate_limited', 'awaiting_approval', 'awaiting_input']);

/** When it came to rest for the last time. What only its screen showed, for a moment, is none: a slow program draws late what it does. */
function lastRestMs(run: readonly AgentChange[], endMs: number): number {
  const rest = run.find((change, at) => {
    if (!isAtRest(change.to)) return false;
    const untilMs = run[at - 1]?.atMs ?? endMs;
    return untilMs - change.atMs >= IDLE_SURE_MS || change.evidence.some(({ source }) => source === 'hook');
  });
  return rest?.atMs ?? -Infinity;
}

function isAtRest({ lifecycle, activity }: AgentChange['to']): boolean {
  return !isObservable(lifecycle) || activity === 'idle' || activity === 'error';
}

/**
 * The prompt that began the turn that was interrupted: typed while the program did not work, or taken out of its own queue since, and no rest
 * has followed. One that was steered into the turn did not begin it. `changes`: newest first; `deliveries`: of that run, acknowledged.
 */
function beginnerOf(
  changes: readonly AgentChange[],
  deliveries: readonly PromptDelivery[],
): PromptDelivery | undefined {
  const at = changes.findIndex(({ from, to }) => isObservable(from.lifecycle) && !isObservable(to.lifecycle));
  const end = changes[at];
  if (!end) return undefined;
  const run = changes.slice(at + 1);
  const restMs = lastRestMs(run, end.atMs);
  return deliveries
    .filter(({ steps, stateAtMs, cameDuringWork }) => {
      const before = activityAt(run, steps.typing ?? -Infinity);
      const hasWaited = cameDuringWork === true || stateAtMs > (steps.acknowledged ?? Infinity);
      return stateAtMs >= restMs && (hasWaited || (before !== undefined && !WORKING.has(before)));
    })
    .reduce<PromptDelivery | undefined>(
      (last, one) => (last && last.stateAtMs >= one.stateAtMs ? last : one),
      undefined,
    );
}

/** What is known to be lost of the run that ended. @throws what the stores throw */
export async function resumeReport(
  stores: { readonly store: AgentStore; readonly deliveries: DeliveryStore },
  record: AgentRecord,
  type: AgentType | undefined,
): Promise<ResumeReport> {
  const sessionId = requireResumable(record, type);
  const changes = await stores.store.changes(record.id, RECENT_CHANGES);
  const wasIdle = endedIdle(changes);
  const deliveries = await stores.deliveries.list(record.id, RECENT_DELIVERIES);
  const lost = deliveries.filter(({ state, reason, generation, resentAs }) => {
    if (resentAs !== undefined) return false;
    if (state === 'delivery_unknown') return true; // also what may have waited inside the program (`mayHaveWaited`)
    if (generation !== record.generation || state !== 'failed') return false;
    return reason === 'ended' || reason === 'interrupted_by_crash';
  });
  const taken = deliveries.filter(
    (one) => one.generation === record.generation && one.state === 'acknowledged' && !lost.includes(one),
  );
  const interrupted = wasIdle ? undefined : beginnerOf(changes, taken);
  return {
    sessionId,
    losses: wasIdle ? [] : (type?.session?.losses ?? []),
    lostPrompts: lost.reverse().map(receiptOf),
    ...(interrupted && { interruptedPrompt: receiptOf(interrupted) }),
  };
}
