/**
 * Why a prompt waits, failed or may not have arrived, for people: in the window and of `orc`. The keys are the codes that receipts have
 * (`DeliveryReason` in src/core/agents/delivery/promptDelivery.ts); who knows that type checks that none is missing.
 */
export const REASON_WORDS = {
  dialog_open: 'it shows a question',
  draft_in_box: 'there is text in its input box',
  input_hidden: 'its input box cannot be seen',
  not_ready: 'it is not ready for input',
  not_running: 'it is not running',
  paused: 'it is paused',
  wrong_foreground: 'another program has its terminal',
  no_draft: 'the text never appeared in its input box',
  not_submitted: 'the text stayed in its input box',
  no_evidence: 'nothing shows that the program took it',
  no_evidence_possible: 'programs of this type do not show whether they took it',
  draft_mixed: 'somebody typed into its input box at the same time',
  would_split: 'it would take each line for itself',
  not_taken: 'its terminal did not take the text',
  ended: 'the agent ended',
  interrupted: 'something went wrong while it was being typed',
  interrupted_by_crash: 'the engine was interrupted while typing',
  lost: 'a person says that it did not arrive',
  superseded: 'a later start of the agent brought its own first prompt',
} as const;

/** How far a delivery is, as {@link REASON_WORDS} (`DeliveryState` there). */
export const DELIVERY_WORDS = {
  queued: 'queued',
  typing: 'typing',
  typed: 'typed',
  submitted: 'submitted',
  acknowledged: 'acknowledged',
  failed: 'failed',
  delivery_unknown: 'delivery unknown',
  canceled: 'cancelled',
} as const;

/** How far a delivery is: `typing`, `delivery unknown`. */
export function deliveryWords(state: string): string {
  return wordsIn(DELIVERY_WORDS, state);
}

/** What is read of a receipt here; the engine may be of another version. */
export interface ReasonCodes {
  readonly state: string;
  readonly reason?: string | undefined;
  readonly detail?: string | undefined;
}

/** Why a delivery waits or failed: `waits: it shows a question`, `the agent ended`; empty when it does neither. */
export function reasonWords({ state, reason }: ReasonCodes): string {
  if (reason === undefined) return '';
  const words = wordsIn(REASON_WORDS, reason);
  return state === 'queued' ? `waits: ${words}` : words;
}

/** The reason, then the detail, neither twice. Untrusted text. */
export function whyWords(receipt: ReasonCodes): readonly string[] {
  const [reason, { detail = '' }] = [reasonWords(receipt), receipt];
  return [detail.includes(reason) ? '' : reason, detail].filter((part) => part !== '');
}

function wordsIn(table: Readonly<Record<string, string>>, code: string): string {
  return (Object.hasOwn(table, code) ? table[code] : undefined) ?? code.replaceAll('_', ' ');
}
