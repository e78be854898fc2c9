import { AgentError } from '../../core/agents/agentErrors';
import type { PromptReceipt } from '../../core/agents/delivery/promptDelivery';
import type { Engine } from '../../core/engine';
import { detailOf, messageFor } from '../errorMessages';
import { isResendable } from './receiptText';

/** Of each agent so many of its newest receipts are looked at. */
const LOOKED_AT = 200;

/** A prompt that was to be sent again, and what came of it. */
export interface FailedResend {
  readonly receipt: PromptReceipt;
  readonly error: unknown;
}

/**
 * What of these can be sent again now, as it is by now: without those that have arrived or were sent again since, and with the new one
 * for one whose new one did not arrive either. One given as acknowledged (its turn was interrupted) stays while it was not sent again.
 * @throws what the engine throws
 */
export async function resendableNow(
  engine: Pick<Engine, 'agent' | 'receipts'>,
  given: readonly PromptReceipt[],
): Promise<readonly PromptReceipt[]> {
  const agentIds = [...new Set(given.map(({ agentId }) => agentId))].filter((id) => engine.agent(id)); // a removed one has none
  const kept = await Promise.all(agentIds.map((id) => engine.receipts(id, LOOKED_AT)));
  const byId = new Map(kept.flat().map((receipt) => [receipt.id, receipt]));
  const open = given.flatMap((before) => {
    const last = lastOf(byId.get(before.id), byId);
    if (!last) return [];
    const isSecondTime = last.id === before.id && last.state === 'acknowledged' && before.state === 'acknowledged';
    return isSecondTime || isResendable(last) ? [last] : [];
  });
  return [...new Map(open.map((receipt) => [receipt.id, receipt])).values()];
}

/** The newest of those under which one text was sent again and again. */
function lastOf(
  receipt: PromptReceipt | undefined,
  byId: ReadonlyMap<string, PromptReceipt>,
): PromptReceipt | undefined {
  return receipt?.resentAs === undefined ? receipt : lastOf(byId.get(receipt.resentAs), byId);
}

/** `"fix the tests" to Builder: not sent again: the prompt is acknowledged.`, one after the other; how many were sent stands before. */
export function failedResendText(
  failed: readonly FailedResend[],
  sent: number,
  nameOf: (receipt: PromptReceipt) => string,
): string {
  const head = sent === 0 ? [] : [sent === 1 ? '1 prompt was sent again.' : `${sent} prompts were sent again.`];
  const each = failed.map(({ receipt, error }) => `${quoted(receipt)} to ${nameOf(receipt)}: ${whyNot(error)}`);
  return [...head, ...each].join(' ');
}

function quoted({ excerpt }: PromptReceipt): string {
  const text = excerpt.replace(/\s+/g, ' ').trim();
  return `"${text.length > 60 ? `${text.slice(0, 59)}…` : text}"`;
}

/** What is not allowed is a matter of the prompt here, not of its agent. */
function whyNot(error: unknown): string {
  if (AgentError.is(error, 'agent.notAllowed')) return `not sent again: ${detailOf(error)}.`;
  return messageFor(error)?.text ?? 'It was cancelled.';
}
