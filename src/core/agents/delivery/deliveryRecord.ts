import type { AgentId } from '../agent';
import { AgentError, type AgentErrorCode } from '../agentErrors';
import { cleanText } from '../visibleText';
import type { BlockedReason, DeliveryReason, DeliveryState, PromptDelivery, PromptReceipt } from './promptDelivery';

const EXCERPT_LENGTH = 120;
/** Of a prompt that is named in a sentence. */
const NAMED_LENGTH = 60;

/** Every step that a delivery may take; a person and late evidence settle what was unknown, and the end of a program makes unknown what may have waited inside it. */
const LEGAL: Readonly<Record<DeliveryState, readonly DeliveryState[]>> = {
  queued: ['queued', 'typing', 'canceled', 'failed'],
  typing: ['typed', 'submitted', 'acknowledged', 'failed', 'delivery_unknown', 'queued'],
  typed: ['submitted', 'acknowledged', 'delivery_unknown'],
  submitted: ['submitted', 'acknowledged', 'delivery_unknown'],
  acknowledged: ['acknowledged', 'delivery_unknown'],
  failed: ['acknowledged'],
  delivery_unknown: ['acknowledged', 'failed'],
  canceled: [],
};

export type DeliveryChange = Partial<
  Pick<PromptDelivery, 'generation' | 'prepared' | 'changes' | 'submitCount' | 'evidence' | 'cameDuringWork'>
> & { readonly reason?: DeliveryReason | undefined; readonly detail?: string | undefined };

/** A prompt that was asked for; nothing was done yet. */
export function newDelivery(
  given: Pick<PromptDelivery, 'id' | 'agentId' | 'text' | 'actor'> & { readonly isFirstPrompt?: boolean },
  nowMs: number,
): PromptDelivery {
  const { isFirstPrompt, ...rest } = given;
  return {
    ...rest,
    generation: 0,
    prepared: '',
    changes: [],
    state: 'queued',
    submitCount: 0,
    createdAtMs: nowMs,
    stateAtMs: nowMs,
    steps: { queued: nowMs },
    ...(isFirstPrompt && { isFirstPrompt }),
  };
}

/**
 * The next value of a delivery. Reason and detail are those of the new state: what is not given is gone. Back to `queued` only
 * from before the paste.
 * @throws {TypeError} for a step that is not legal
 */
export function step(
  delivery: PromptDelivery,
  state: DeliveryState,
  nowMs: number,
  change: DeliveryChange = {},
): PromptDelivery {
  if (!LEGAL[delivery.state].includes(state))
    throw new TypeError(`a delivery cannot go from ${delivery.state} to ${state}`);
  const { reason: _reason, detail: _detail, ...kept } = delivery;
  const { reason, detail, ...changed } = change;
  return {
    ...kept,
    ...changed,
    ...(reason !== undefined && { reason }),
    ...(detail !== undefined && { detail: cleanText(detail) }),
    state,
    stateAtMs: nowMs,
    steps: { ...delivery.steps, [state]: delivery.state === state ? (delivery.steps[state] ?? nowMs) : nowMs },
  };
}

/** What people and other programs see of it. */
export function receiptOf({ text, prepared: _prepared, ...rest }: PromptDelivery): PromptReceipt {
  return { ...rest, excerpt: cleanText(text, EXCERPT_LENGTH) };
}

const BLOCKED: Readonly<Record<BlockedReason, { readonly code: AgentErrorCode; readonly says: string }>> = {
  dialog_open: { code: 'agent.dialogOpen', says: 'waits for an answer to a dialog' },
  draft_in_box: { code: 'agent.draftInBox', says: 'has text in its input box that somebody may be typing' },
  input_hidden: { code: 'agent.inputHidden', says: 'does not show its input box' },
  not_ready: { code: 'agent.notReady', says: 'is not ready for a prompt' },
  not_running: { code: 'agent.notRunning', says: 'does not run' },
  paused: { code: 'agent.paused', says: 'is paused' },
  wrong_foreground: { code: 'agent.notReady', says: 'has another program in the foreground' },
};

/** Why nothing was typed, as a typed error. `unsubmitted`: the draft in the box is this earlier prompt. */
export function blockedError(agentId: AgentId, reason: BlockedReason, unsubmitted?: string): AgentError {
  return new AgentError(BLOCKED[reason].code, `${agentId} ${blockedWords(reason, unsubmitted)}`, { agentId });
}

/** In words, for receipts of queued prompts; as {@link blockedError}. */
export function describeBlocked(reason: BlockedReason, unsubmitted?: string): string {
  return `the agent ${blockedWords(reason, unsubmitted)}`;
}

function blockedWords(reason: BlockedReason, unsubmitted: string | undefined): string {
  if (unsubmitted === undefined) return BLOCKED[reason].says;
  return `has an earlier prompt, “${cleanText(unsubmitted, NAMED_LENGTH)}”, in its input box, typed and not submitted: press Enter in its terminal to send it, or clear it`;
}

/** The failure that a delivery which ended without evidence is to its sender. */
export function outcomeError(delivery: PromptDelivery): AgentError {
  const failed = delivery.reason === 'would_split' ? 'agent.linesWouldSplit' : 'agent.deliveryFailed';
  const code = delivery.state === 'failed' ? failed : 'agent.deliveryUnknown';
  const why = delivery.detail ?? delivery.reason ?? delivery.state;
  return new AgentError(code, `${delivery.agentId}: ${why}`, { agentId: delivery.agentId });
}
