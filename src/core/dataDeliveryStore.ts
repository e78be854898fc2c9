import type { AgentId } from './agents/agent';
import { DeliveryState, type DeliveryStore, isFinal, type PromptDelivery } from './agents/delivery/promptDelivery';
import { type DamagedRecords, findReadable, getReadable, newest } from './damagedRecords';
import { DataError } from './data/dataErrors';
import type { Collection, DataRecord, DataStore, Tx } from './data/dataStore';

/** How many deliveries that are over are kept per agent. */
export const KEPT_DELIVERIES = 200;
/** Looked at after so many ends of one agent: reading all of them at each end would cost more than they are worth. */
const PRUNE_EVERY = 20;
const STATES: ReadonlySet<unknown> = new Set(Object.values(DeliveryState));
const OPEN: readonly DeliveryState[] = ['queued', 'typing', 'typed', 'submitted', 'delivery_unknown'];

/** Deliveries of prompts: acknowledged only after fsync, since what is kept decides whether something may be typed (R7). */
export const DELIVERIES: Collection<PromptDelivery> = {
  kind: 'delivery',
  indexes: ['agentId', 'state'],
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

/** The delivery store on the workspace's DataStore. */
export class DataDeliveryStore implements DeliveryStore {
  readonly #ends = new Map<AgentId, number>();

  constructor(
    private readonly store: DataStore,
    private readonly damage: DamagedRecords,
  ) {}

  async save(delivery: PromptDelivery): Promise<void> {
    const mustPrune = isFinal(delivery.state) && this.#countEnd(delivery.agentId);
    try {
      await this.store.tx((tx) => {
        tx.put(DELIVERIES, delivery.id, delivery);
        if (mustPrune) prune(tx, tx.find(DELIVERIES, { where: { agentId: delivery.agentId } }));
      });
    } catch (error) {
      if (!DataError.is(error, 'data.corrupt')) throw error;
      await this.#saveBesideDamaged(delivery);
    }
  }

  /** Another prompt of this agent may be damaged, or this one. */
  async #saveBesideDamaged(delivery: PromptDelivery): Promise<void> {
    const save = (): Promise<void> => this.store.tx((tx) => tx.put(DELIVERIES, delivery.id, delivery));
    await this.damage.watch(DELIVERIES.kind, delivery.id, save);
    const { records } = await findReadable(this.store, this.damage, DELIVERIES, { agentId: delivery.agentId });
    await this.store.tx((tx) => prune(tx, records));
  }

  async loadOpen(): Promise<readonly PromptDelivery[]> {
    const found = await Promise.all(OPEN.map((state) => findReadable(this.store, this.damage, DELIVERIES, { state })));
    return found
      .flatMap(({ records }) => records)
      .map(({ value }) => value)
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  async list(agentId: AgentId, limit: number): Promise<readonly PromptDelivery[]> {
    try {
      const query = { where: { agentId }, orderBy: 'id', descending: true, limit } as const;
      return (await this.store.find(DELIVERIES, query)).map(({ value }) => value);
    } catch (error) {
      if (!DataError.is(error, 'data.corrupt')) throw error;
      const { records } = await findReadable(this.store, this.damage, DELIVERIES, { agentId });
      return newest(records, limit).map(({ value }) => value);
    }
  }

  async get(id: string): Promise<PromptDelivery | undefined> {
    return (await getReadable(this.store, this.damage, DELIVERIES, id))?.value;
  }

  async forget(agentId: AgentId): Promise<void> {
    this.#ends.delete(agentId);
    const { records } = await findReadable(this.store, this.damage, DELIVERIES, { agentId });
    await this.store.tx((tx) => {
      for (const { id } of records) tx.delete(DELIVERIES, id);
    });
  }

  /** True for the first end and every {@link PRUNE_EVERY}th after it. */
  #countEnd(agentId: AgentId): boolean {
    const count = this.#ends.get(agentId) ?? 0;
    this.#ends.set(agentId, (count + 1) % PRUNE_EVERY);
    return count === 0;
  }
}

/** `records`: all of one agent, in order of their ids. */
function prune(tx: Tx, records: readonly DataRecord<PromptDelivery>[]): void {
  const over = records.filter(({ value }) => isFinal(value.state)).toReversed();
  for (const { id } of over.slice(KEPT_DELIVERIES)) tx.delete(DELIVERIES, id);
}
