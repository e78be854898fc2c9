import { ignore, type Logger } from '../../base/log';
import type { Agent } from '../baseAgent';
import { RECENT_DELIVERIES } from './endedRuns';
import { comparablePrompt } from './preparePrompt';
import type { DeliveryStore, PromptDelivery } from './promptDelivery';

/** A beginning shorter than this may be anybody's. */
const TELLING_LENGTH = 20;

/**
 * The text of a prompt of the present run that is drawn in the input box, typed and not submitted; undefined when what is drawn is none
 * of those of which nobody knows whether they arrived, or that are held to be lost. Never rejects.
 */
export async function unsubmittedPrompt(
  { deliveries, log }: { readonly deliveries: Pick<DeliveryStore, 'list'>; readonly log: Logger },
  { id, record }: Pick<Agent, 'id' | 'record'>,
  drawn: string,
): Promise<string | undefined> {
  try {
    const recent = await deliveries.list(id, RECENT_DELIVERIES);
    return recent.find((one) => one.generation === record.generation && mayStandThere(one) && isDrawn(one, drawn))
      ?.text;
  } catch (error) {
    ignore(log, error, 'the draft is told as one of which nobody knows whose it is');
    return undefined;
  }
}

function mayStandThere({ state, reason }: PromptDelivery): boolean {
  return state === 'delivery_unknown' || (state === 'failed' && (reason === 'lost' || reason === 'no_draft'));
}

function isDrawn({ prepared }: PromptDelivery, drawn: string): boolean {
  const own = comparablePrompt(prepared);
  const seen = comparablePrompt(drawn);
  return seen !== '' && (own === seen || (seen.length >= TELLING_LENGTH && own.startsWith(seen)));
}
