import type { PromptReceipt } from '../../core/agents/delivery/promptDelivery';
import type { FleetResult, ReturnedAgent } from '../../core/engine';
import { messageFor } from '../errorMessages';
import { othersText } from '../fleet/fleetResultText';
import { reasonWords } from '../../shared/receiptWords';

export type FailedReturn = FleetResult['failed'][number];

/** Prompts that agents lost with their last run, oldest first. */
export function lostPromptsOf(returned: readonly ReturnedAgent[]): readonly PromptReceipt[] {
  return returned.flatMap(({ report }) => report?.lostPrompts ?? []).sort((a, b) => a.createdAtMs - b.createdAtMs);
}

/** Prompts whose turns were interrupted, oldest first: their conversations have them. */
export function interruptedPromptsOf(returned: readonly ReturnedAgent[]): readonly PromptReceipt[] {
  return returned
    .flatMap(({ report }) => report?.interruptedPrompt ?? [])
    .sort((a, b) => a.createdAtMs - b.createdAtMs);
}

/** Something was lost that a person should know of. */
export function hasLosses(returned: readonly ReturnedAgent[]): boolean {
  return returned.some(isInterrupted) || lostPromptsOf(returned).length > 0;
}

/** `Reviewer is back in its conversation. Its last answer was interrupted. 2 prompts did not arrive.` */
export function returnText(returned: readonly ReturnedAgent[], failed: readonly FailedReturn[] = []): string {
  return [headOf(returned), interruptedWords(returned), promptWords(lostPromptsOf(returned)), failureWords(failed)]
    .filter((part) => part !== '')
    .join(' ');
}

function headOf(returned: readonly ReturnedAgent[]): string {
  const [first] = returned;
  if (!first) return '';
  if (returned.length === 1)
    return first.report ? `${first.name} is back in its conversation.` : `${first.name} was started anew.`;
  const resumed = returned.filter(({ report }) => report).length;
  const anew = returned.length - resumed;
  if (anew === 0) return `${returned.length} agents are back, each in its conversation.`;
  if (resumed === 0) return `${returned.length} agents are back, started anew.`;
  return `${returned.length} agents are back, ${resumed} in ${resumed === 1 ? 'its' : 'their'} conversation, ${anew} started anew.`;
}

function isInterrupted({ report }: ReturnedAgent): boolean {
  return report !== undefined && report.losses.length > 0;
}

function interruptedWords(returned: readonly ReturnedAgent[]): string {
  const names = returned.filter(isInterrupted).map(({ name }) => name);
  if (names.length === 0) return '';
  return returned.length === 1 ? 'Its last answer was interrupted.' : `Interrupted in an answer: ${names.join(', ')}.`;
}

/** `1 prompt did not arrive, 2 may not have arrived.` */
function promptWords(lost: readonly PromptReceipt[]): string {
  const certain = lost.filter(isCertainlyLost).length;
  const unknown = lost.length - certain;
  const count = (prompts: number): string => (prompts === 1 ? '1 prompt' : `${prompts} prompts`);
  if (lost.length === 0) return '';
  if (unknown === 0) return `${count(certain)} did not arrive.`;
  if (certain === 0) return `${count(unknown)} may not have arrived.`;
  return `${count(certain)} did not arrive, ${unknown} may not have.`;
}

/** Of a prompt that is offered to be sent a second time. */
export const INTERRUPTED = 'The turn was interrupted; the conversation has this prompt already';

/** Of all others a person has to look whether they arrived. */
export function isCertainlyLost({ state }: PromptReceipt): boolean {
  return state === 'failed';
}

function failureWords(failed: readonly FailedReturn[]): string {
  const [first] = failed;
  if (!first) return '';
  const others = othersText(failed.slice(1).map(({ name }) => name));
  return `${first.name} was not brought back: ${reasonOf(first)}${others}`;
}

function reasonOf({ error }: FailedReturn): string {
  return messageFor(error)?.text ?? 'It was cancelled.';
}

/** Everything about how agents came back and what they lost, for a document. */
export function returnDocument(returned: readonly ReturnedAgent[], failed: readonly FailedReturn[] = []): string {
  const lines = ['Agents that were brought back'];
  for (const { name, report } of returned) {
    lines.push('', `${name}: ${report ? `goes on with its conversation ${report.sessionId}` : 'was started anew'}`);
    for (const loss of report?.losses ?? []) lines.push(`    ${loss}`);
    if (report?.interruptedPrompt) lines.push(`    ${INTERRUPTED}: ${excerptOf(report.interruptedPrompt)}`);
    for (const receipt of report?.lostPrompts ?? []) lines.push(`    ${promptLine(receipt)}`);
  }
  for (const each of failed) lines.push('', `${each.name}: was not brought back`, `    ${reasonOf(each)}`);
  return `${lines.join('\n')}\n`;
}

function promptLine(receipt: PromptReceipt): string {
  const what = isCertainlyLost(receipt) ? 'This prompt did not arrive' : 'This prompt may not have arrived';
  const reason = reasonWords(receipt);
  return `${what}${reason === '' ? '' : ` (${reason})`}: ${excerptOf(receipt)}`;
}

function excerptOf({ excerpt }: PromptReceipt): string {
  return excerpt.replace(/\s+/g, ' ').trim();
}
