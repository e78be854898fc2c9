import type {
  DeliveryReason,
  DeliveryState,
  PromptChange,
  PromptChangeKind,
  PromptReceipt,
} from '../../core/agents/delivery/promptDelivery';
import { secondsText } from '../../core/base/clock';
import { DELIVERY_WORDS, deliveryWords, REASON_WORDS, reasonWords, whyWords } from '../../shared/receiptWords';
import { localTime, zoneName } from '../documents/localTime';

/** How long a settled receipt (acknowledged, cancelled) stays in its row; the tooltip keeps it. */
export const SETTLED_ROW_MS = 15_000;

// The shared tables know no types of the core: that no word is missing is checked here.
DELIVERY_WORDS satisfies Readonly<Record<DeliveryState, string>>;
REASON_WORDS satisfies Readonly<Record<DeliveryReason, string>>;

/** What happened to a text, for a row. The detail of each change says the rest. */
const changeWords: Readonly<Record<PromptChangeKind, string>> = {
  line_endings: 'line ends to LF',
  escape_sequences: 'escape sequences removed',
  control_characters: 'control characters removed',
  normalised: 'characters composed',
  trimmed: 'blanks trimmed',
  leading_space: 'space in front',
  leading_guard: 'invisible guard character',
  trailing_space: 'space at the end',
  tabs: 'tabs to spaces',
  padded: 'space at the end',
  mentions: '@names to paths',
  zero_width: 'characters without width dropped',
  lines_may_split: 'lines may be split',
};

/** The state of a delivery in words: `typing`, `acknowledged by hook`, `delivery unknown`, `failed, sent again`. */
export function receiptWords({ state, evidence, resentAs }: PromptReceipt): string {
  const isToldBy = state === 'acknowledged' && evidence !== undefined;
  const words = isToldBy ? `${DELIVERY_WORDS[state]} by ${evidenceWords[evidence]}` : deliveryWords(state);
  return resentAs === undefined ? words : `${words}, sent again`;
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
  if (receipt.resentAs !== undefined) return ''; // the new one says what there is to say
  if (isSettled(receipt) && nowMs - receipt.stateAtMs >= SETTLED_ROW_MS) return '';
  if (isUnconfirmable(receipt)) return 'sent, cannot be confirmed';
  if (receipt.state === 'delivery_unknown') return 'delivery unknown';
  if (receipt.state === 'failed') return 'prompt failed';
  const words = receiptWords(receipt);
  return receipt.state === 'acknowledged' && receipt.changes.length > 0
    ? `${words}, ${shortlyAltered(receipt.changes)}`
    : words;
}

/** `altered: tabs to spaces`, `altered: line ends to LF and 2 more`. */
function shortlyAltered(changes: readonly PromptChange[]): string {
  const [first = '', ...more] = new Set(changes.map(({ kind }) => changeWords[kind] ?? plain(kind)));
  return `altered: ${first}${more.length === 0 ? '' : ` and ${more.length} more`}`;
}

/** A person must decide or should know: stands first in the row. One that was sent again is no open question any more. */
export function isTroubled(receipt: PromptReceipt | undefined): boolean {
  if (!receipt || receipt.resentAs !== undefined) return false;
  return receipt.state === 'failed' || (receipt.state === 'delivery_unknown' && !isUnconfirmable(receipt));
}

/** It did not arrive, or may not have, and was not sent again since. */
export function isResendable({ state, resentAs }: PromptReceipt): boolean {
  return resentAs === undefined && (state === 'failed' || state === 'delivery_unknown' || state === 'canceled');
}

function isSettled(receipt: PromptReceipt): boolean {
  return receipt.state === 'acknowledged' || receipt.state === 'canceled' || isUnconfirmable(receipt);
}

/** It was typed and submitted, and programs of its type never show more: nothing went wrong. */
function isUnconfirmable({ state, reason }: PromptReceipt): boolean {
  return state === 'delivery_unknown' && reason === 'no_evidence_possible';
}

function plain(code: string): string {
  return code.replaceAll('_', ' ');
}

/** `1 prompt waits`, `2 prompts wait`; empty for none. */
export function queueWords(count: number): string {
  if (count === 0) return '';
  return count === 1 ? '1 prompt waits' : `${count} prompts wait`;
}

/** `1 earlier prompt may not have arrived`: of those that are not the newest, which says it itself; empty for none. */
export function unsureWords(count = 0, newest?: PromptReceipt): string {
  const earlier = newest?.state === 'delivery_unknown' && isTroubled(newest) ? count - 1 : count;
  if (earlier <= 0) return '';
  return `${earlier} earlier ${earlier === 1 ? 'prompt' : 'prompts'} may not have arrived`;
}

/** One line about a prompt for tooltips and lists: state, reason, what was altered. */
export function receiptLine(receipt: PromptReceipt): string {
  return [receiptWords(receipt), ...whyWords(receipt), alteredWords(receipt)].filter((part) => part !== '').join('; ');
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
    if (receipt.resentAs !== undefined) lines.push(`    sent again as ${receipt.resentAs}`);
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
    .map(([state, atMs]) => `${plain(state)} +${secondsText(atMs - createdAtMs)}`)
    .join(', ');
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
