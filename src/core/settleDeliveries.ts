import type { AgentId } from './agents/agent';
import { step } from './agents/delivery/deliveryRecord';
import { type DeliveryStore, isFinal, type PromptDelivery } from './agents/delivery/promptDelivery';
import type { Clock } from './base/clock';
import type { Logger } from './base/log';
import { DELIVERIES } from './dataDeliveryStore';
import { parseFormer } from './formerRecords';
import type { RestoredStore } from './workspace';

export interface SettleDeliveriesPorts {
  readonly deliveries: Pick<DeliveryStore, 'loadOpen' | 'get' | 'save'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Of each agent that lives so many of the newest are carried over: more than are looked at, in few pages. */
const CARRIED_RECEIPTS = 100;

/**
 * What a backup has in a queue may have been typed since, and is never typed again for that (R7): a prompt that waited, was under way or was
 * unknown there is what the former store knew of it last. Where that is not known, one that waited is taken back, and one that was
 * begun may have arrived. Prompts that only the former store knows wait on for agents that live, and the newest of theirs that are over can be looked up. Only those that are not over are held in
 * memory, as at every opening.
 * @throws what the store throws; then it can be called again
 */
export async function settleDeliveries(
  { deliveries, clock, log }: SettleDeliveriesPorts,
  restored: RestoredStore,
  living: ReadonlySet<AgentId>,
): Promise<void> {
  const open = await deliveries.loadOpen();
  const { records, isLast } = (await restored.formerDeliveries(open.map(({ id }) => id))) ?? NOTHING_KNOWN;
  const former = new Map(parseFormer(records, DELIVERIES, log).map(({ value }) => [value.id, value]));
  for (const delivery of open) {
    const now = stateNow(delivery, former.get(delivery.id), isLast, clock.nowMs());
    former.delete(delivery.id);
    if (JSON.stringify(now) === JSON.stringify(delivery)) continue;
    log.info('a prompt after a restore', { delivery: delivery.id, was: delivery.state, state: now.state });
    await deliveries.save(now);
  }
  for (const was of former.values()) {
    const isWanted = !isFinal(was.state) && living.has(was.agentId);
    if (!isWanted || (await deliveries.get(was.id))) continue; // the backup knows how it ended
    log.info('a prompt was carried over by a restore', { delivery: was.id, agent: was.agentId, state: was.state });
    await deliveries.save(isLast ? was : ended(was, clock.nowMs()));
  }
  for await (const page of restored.formerReceipts([...living], CARRIED_RECEIPTS)) {
    await Promise.all(
      parseFormer(page, DELIVERIES, log).map(async ({ value }) => {
        if (!isFinal(value.state) || (await deliveries.get(value.id))) return; // the backup has it, or it was settled above
        await deliveries.save(value);
      }),
    );
  }
}

const NOTHING_KNOWN = { records: [], isLast: false };

function stateNow(
  inBackup: PromptDelivery,
  last: PromptDelivery | undefined,
  isLast: boolean,
  nowMs: number,
): PromptDelivery {
  if (last && isFinal(last.state)) return last;
  if (isFinal(inBackup.state)) return inBackup; // not known to have arrived, and nobody knew more
  return last && isLast ? last : ended(last ?? inBackup, nowMs);
}

/** Nobody knows what became of it: nothing of it is typed. */
function ended(delivery: PromptDelivery, nowMs: number): PromptDelivery {
  const { state } = delivery;
  if (state === 'queued') {
    const detail = 'restored from a backup: it waited when that was made, and may have been typed since';
    return step(delivery, 'canceled', nowMs, { detail });
  }
  const detail = `restored from a backup: it was "${state}" when that was made, and nobody knows whether it arrived`;
  return step(delivery, 'delivery_unknown', nowMs, { reason: 'interrupted', detail });
}
