import type { AgentId } from './agents/agent';
import {
  awaitsEvidence,
  DeliveryState,
  type DeliveryStore,
  MAX_WATCHED,
  type PromptDelivery,
} from './agents/delivery/promptDelivery';
import { type DamagedRecords, findReadable, getReadable, newest } from './damagedRecords';
import { DataError } from './data/dataErrors';
import type { Collection, DataRecord, DataStore } from './data/dataStore';

/** Removed in one transaction, when their agent is: few enough to be held in memory. */
const REMOVED_AT_ONCE = 500;
const STATES: ReadonlySet<unknown> = new Set(Object.values(DeliveryState));
/** Of one agent few at a time: the others wait in its queue. */
export const UNDER_WAY: readonly DeliveryState[] = ['queued', 'typing', 'typed', 'submitted'];
/** So many of which nobody knows whether they arrived are looked through, then so many: agents may have been sent no others for years. */
const LOOKED_THROUGH = [MAX_WATCHED, 10 * MAX_WATCHED];

/** Deliveries of prompts: acknowledged only after fsync, since what is kept decides whether something may be typed (R7). */
export const DELIVERIES: Collection<PromptDelivery> = {
  kind: 'delivery',
  indexes: ['agentId', 'state', 'stateAtMs'],
  texts: ['text'],
  durability: 'full',
  parse: (value) => {
    if (typeof value !== 'object' || value === null) throw new DataError('data.invalid', 'delivery is not an object');
    const found = value as Record<string, unknown>; // read field by field just below
    const isWhole =
      ['id', 'agentId', 'text', 'prepared', 'actor'].every((key) => typeof found[key] === 'string') &&
      ['generation', 'submitCount', 'createdAtMs', 'stateAtMs'].every((key) => typeof found[key] === 'number') &&
      Array.isArray(found.changes) &&
      typeof found.steps === 'object' &&
      found.steps !== null &&
      STATES.has(found.state);
    if (!isWhole) throw new DataError('data.invalid', 'delivery lacks a field or has an unknown state');
    return value as PromptDelivery; // every field that the code relies on was checked above
  },
};

/** The delivery store on the workspace's DataStore. It keeps every prompt of an agent: what leaves, and when, is a matter of retention (`recordRetention.ts`). */
export class DataDeliveryStore implements DeliveryStore {
  constructor(
    private readonly store: DataStore,
    private readonly damage: DamagedRecords,
  ) {}

  async save(delivery: PromptDelivery): Promise<void> {
    const save = (): Promise<void> => this.store.tx((tx) => tx.put(DELIVERIES, delivery.id, delivery));
    await this.damage.watch(DELIVERIES.kind, delivery.id, save);
  }

  async loadOpen(): Promise<readonly PromptDelivery[]> {
    const found = await Promise.all(
      UNDER_WAY.map((state) => findReadable(this.store, this.damage, DELIVERIES, { state })),
    );
    const underWay = found.flatMap(({ records }) => records).map(({ value }) => value);
    return [...underWay, ...(await this.#awaitingEvidence())].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Newest first. */
  async #awaitingEvidence(): Promise<readonly PromptDelivery[]> {
    let awaiting: readonly PromptDelivery[] = [];
    for (const limit of LOOKED_THROUGH) {
      const unknown = await this.#newest({ state: 'delivery_unknown' }, limit);
      awaiting = unknown.filter(awaitsEvidence).slice(0, MAX_WATCHED);
      if (awaiting.length === MAX_WATCHED || unknown.length < limit) break;
    }
    return awaiting;
  }

  list(agentId: AgentId, limit: number): Promise<readonly PromptDelivery[]> {
    return this.#newest({ agentId }, limit);
  }

  async #newest(
    where: { readonly agentId: AgentId } | { readonly state: DeliveryState },
    limit: number,
  ): Promise<readonly PromptDelivery[]> {
    try {
      const query = { where, orderBy: 'id', descending: true, limit } as const;
      return (await this.store.find(DELIVERIES, query)).map(({ value }) => value);
    } catch (error) {
      if (!DataError.is(error, 'data.corrupt')) throw error;
      const { records } = await findReadable(this.store, this.damage, DELIVERIES, where);
      return newest(records, limit).map(({ value }) => value);
    }
  }

  async get(id: string): Promise<PromptDelivery | undefined> {
    return (await getReadable(this.store, this.damage, DELIVERIES, id))?.value;
  }

  /** In portions: an agent may have had more prompts than memory should hold. Ended between them, the check of the store finds the rest. */
  async forget(agentId: AgentId): Promise<void> {
    for (;;) {
      const some = await this.#some(agentId);
      if (some.length === 0) return;
      await this.store.tx((tx) => {
        for (const { id } of some) tx.delete(DELIVERIES, id);
      });
    }
  }

  async #some(agentId: AgentId): Promise<readonly DataRecord<PromptDelivery>[]> {
    try {
      return await this.store.find(DELIVERIES, { where: { agentId }, limit: REMOVED_AT_ONCE });
    } catch (error) {
      if (!DataError.is(error, 'data.corrupt')) throw error;
      return (await findReadable(this.store, this.damage, DELIVERIES, { agentId })).records;
    }
  }
}
