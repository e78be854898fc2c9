import { assertNever } from '../../core/base/errors';
import type { BlockedReason, PromptReceipt } from '../../core/agents/delivery/promptDelivery';
import { localTime, zoneName } from '../documents/localTime';

/** How long a settled receipt (acknowledged, cancelled) stays in its row; the tooltip keeps it. */
export const SETTLED_ROW_MS = 15_000;

const blockedWords: Record<BlockedReason, string> = {
  dialog_open: 'it shows a question',
  draft_in_box: 'somebody is typing in its input box',
  input_hidden: 'its input box cannot be seen',
  not_ready: 'it is not ready for input',
  not_running: 'it is not running',
  paused: 'it is paused',
  wrong_foreground: 'another program has its terminal',
};

const problemWords: Readonly<Record<string, string>> = {
  no_draft: 'the text never appeared in its input box',
  not_submitted: 'the text stayed in its input box',
  no_evidence_possible: 'programs of this type do not show whether they took it',
  ended: 'the agent ended',
  interrupted_by_crash: 'the engine was interrupted while typing',
};

/** The state of a delivery in words: `typing`, `acknowledged by hook`, `delivery unknown`. */
export function receiptWords(receipt: PromptReceipt): string {
  switch (receipt.state) {
    case 'acknowledged':
      return receipt.evidence === undefined ? 'acknowledged' : `acknowledged by ${evidenceWords[receipt.evidence]}`;
    case 'delivery_unknown':
      return 'delivery unknown';
    case 'canceled':
      return 'cancelled';
    case 'queued':
    case 'typing':
    case 'typed':
    case 'submitted':
    case 'failed':
      return receipt.state;
    default:
      return assertNever(receipt.state, 'delivery state');
  }
}

const evidenceWords: Record<NonNullable<PromptReceipt['evidence']>, string> = {
  hook: 'hook',
  screen: 'screen',
  person: 'a person',
};

/**
 * What a row says of its newest prompt, in few words; empty when there is nothing to say any more. What needs a person (`prompt failed`,
 * `delivery unknown`) stays until the next prompt.
 */
export function receiptInRow(receipt: PromptReceipt | undefined, nowMs: number): string {
  if (!receipt || receipt.state === 'queued') return ''; // the row counts what is queued
  if (isSettled(receipt) && nowMs - receipt.stateAtMs >= SETTLED_ROW_MS) return '';
  if (isUnconfirmable(receipt)) return 'sent, cannot be confirmed';
  if (receipt.state === 'delivery_unknown') return 'delivery unknown';
  if (receipt.state === 'failed') return 'prompt failed';
  const words = receiptWords(receipt);
  return receipt.changes.length > 0 && receipt.state === 'acknowledged' ? `${words}, altered` : words;
}

/** A person must decide or should know: stands first in the row. */
export function isTroubled(receipt: PromptReceipt | undefined): boolean {
  return receipt?.state === 'failed' || (receipt?.state === 'delivery_unknown' && !isUnconfirmable(receipt));
}

function isSettled(receipt: PromptReceipt): boolean {
  return receipt.state === 'acknowledged' || receipt.state === 'canceled' || isUnconfirmable(receipt);
}

/** It was typed and submitted, and programs of its type never show more: nothing went wrong. */
function isUnconfirmable({ state, reason }: PromptReceipt): boolean {
  return state === 'delivery_unknown' && reason === 'no_evidence_possible';
}

/** Why a delivery waits or failed, in words; empty when it does neither. */
export function reasonWords({ state, reason }: Pick<PromptReceipt, 'state' | 'reason'>): string {
  if (reason === undefined) return '';
  const blocked = (blockedWords as Readonly<Record<string, string>>)[reason];
  if (state === 'queued') return `waits: ${blocked ?? plain(reason)}`;
  return problemWords[reason] ?? blocked ?? plain(reason);
}

function plain(reason: string): string {
  return reason.replaceAll('_', ' ');
}

/** `1 prompt waits`, `2 prompts wait`; empty for none. */
export function queueWords(count: number): string {
  if (count === 0) return '';
  return count === 1 ? '1 prompt waits' : `${count} prompts wait`;
}

/** One line about a prompt for tooltips and lists: state, reason, what was altered. */
export function receiptLine(receipt: PromptReceipt): string {
  return [receiptWords(receipt), reasonWords(receipt), receipt.detail ?? '', alteredWords(receipt)]
    .filter((part) => part !== '')
    .join('; ');
}

/** `altered: tabs became blanks; line endings …`; empty when the text was typed as it was given. */
export function alteredWords({ changes }: Pick<PromptReceipt, 'changes'>): string {
  return changes.length === 0 ? '' : `altered: ${changes.map(({ detail }) => detail).join(', ')}`;
}

/** All that is kept of some prompts, newest first, for a document. */
export function receiptsText(agentName: string, receipts: readonly PromptReceipt[]): string {
  const lines = [`Prompts of ${agentName}`, ''];
  if (receipts.length === 0) lines.push('No prompt was sent yet.');
  else lines.push(`Newest first, times of ${zoneName()}. The texts themselves are not repeated here.`);
  for (const receipt of receipts) {
    lines.push('', `${localTime(receipt.createdAtMs)}  ${receiptWords(receipt)}: ${oneLine(receipt.excerpt)}`);
    lines.push(`    id ${receipt.id}, by ${receipt.actor}, start ${receipt.generation}`);
    const reason = reasonWords(receipt);
    if (reason !== '') lines.push(`    ${reason}`);
    if (receipt.detail !== undefined) lines.push(`    ${oneLine(receipt.detail)}`);
    for (const change of receipt.changes) lines.push(`    altered (${plain(change.kind)}): ${oneLine(change.detail)}`);
    if (receipt.submitCount > 1) lines.push(`    the submit key was pressed ${receipt.submitCount} times`);
    lines.push(`    ${stepsLine(receipt)}`);
  }
  return `${lines.join('\n')}\n`;
}

/** `queued 10:00:00.000, typing +0.1 s, acknowledged +0.6 s`. */
function stepsLine({ steps, createdAtMs }: PromptReceipt): string {
  return Object.entries(steps)
    .sort(([, a], [, b]) => a - b)
    .map(([state, atMs]) => `${plain(state)} +${((atMs - createdAtMs) / 1000).toFixed(1)} s`)
    .join(', ');
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
