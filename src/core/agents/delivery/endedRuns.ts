import { ignore, type Logger } from '../../base/log';
import type { AgentStateManager } from '../agentStateManager';
import type { AgentStore } from '../agentStore';
import { isLive } from '../agentTransitions';
import type { Agent } from '../baseAgent';
import type { DeliveryStore } from './promptDelivery';
import { mayHaveWaited } from './waitedInside';

export interface EndedRunsPorts {
  readonly state: Pick<AgentStateManager, 'flush'>;
  readonly store: Pick<AgentStore, 'changes'>;
  readonly deliveries: Pick<DeliveryStore, 'list'>;
  readonly log: Logger;
}

/** Of each agent so many deliveries are looked at, and so many lines of its history. */
export const RECENT_DELIVERIES = 50;
const RECENT_CHANGES = 500;

/** Finds the prompts that may have waited inside a program that has ended, by whatever way, also while no engine was there. */
export class EndedRuns {
  constructor(
    private readonly ports: EndedRunsPorts,
    private readonly tell: (deliveryId: string) => Promise<void>,
  ) {}

  /** At the run that is over, the present one or the one before when the next has begun, and at the last before that, should its end have been missed. Idempotent; never rejects. */
  async look({ id, record }: Pick<Agent, 'id' | 'record'>): Promise<void> {
    const { state, store, deliveries, log } = this.ports;
    const over = isLive(record.lifecycle) ? record.generation - 1 : record.generation;
    try {
      await state.flush(); // the history says how it ended
      const recent = await deliveries.list(id, RECENT_DELIVERIES);
      const inDoubt = recent.filter(
        ({ generation, cameDuringWork }) => cameDuringWork && generation <= over && generation >= over - 1,
      );
      if (inDoubt.length === 0) return;
      const changes = await store.changes(id, RECENT_CHANGES);
      const waited = inDoubt.filter((one) => mayHaveWaited(one, changes));
      for (const delivery of waited.reverse()) await this.tell(delivery.id);
    } catch (error) {
      ignore(log, error, 'the next engine looks again');
    }
  }
}
