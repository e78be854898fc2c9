import type { AgentId } from '../../src/core/agents/agent';
import type { DeliveryStore, PromptDelivery } from '../../src/core/agents/delivery/promptDelivery';

const OPEN: readonly string[] = ['queued', 'typing', 'typed', 'submitted', 'delivery_unknown'];

/** A DeliveryStore in memory. What was saved survives the objects that use it: give it to the next supervisor to play a crash. */
export class FakeDeliveryStore implements DeliveryStore {
  readonly deliveries = new Map<string, PromptDelivery>();
  /** Every save in order: which state was kept before what was done. */
  readonly saves: PromptDelivery[] = [];
  /** While set, every write rejects with it. */
  failure: Error | undefined;
  /** Called before each save takes effect; may wait. */
  beforeSave: (delivery: PromptDelivery) => void | Promise<void> = () => undefined;

  async save(delivery: PromptDelivery): Promise<void> {
    await this.beforeSave(delivery);
    await Promise.resolve();
    if (this.failure) throw this.failure;
    this.deliveries.set(delivery.id, structuredClone(delivery));
    this.saves.push(structuredClone(delivery));
  }

  async loadOpen(): Promise<readonly PromptDelivery[]> {
    await Promise.resolve();
    return [...this.deliveries.values()].filter(({ state }) => OPEN.includes(state)).sort(byId);
  }

  async list(agentId: AgentId, limit: number): Promise<readonly PromptDelivery[]> {
    await Promise.resolve();
    return [...this.deliveries.values()].filter((one) => one.agentId === agentId).sort(byId).reverse().slice(0, limit); // prettier-ignore
  }

  async get(id: string): Promise<PromptDelivery | undefined> {
    await Promise.resolve();
    return this.deliveries.get(id);
  }

  async forget(agentId: AgentId): Promise<void> {
    await Promise.resolve();
    if (this.failure) throw this.failure;
    for (const [id, delivery] of this.deliveries) if (delivery.agentId === agentId) this.deliveries.delete(id);
  }
}

function byId(a: PromptDelivery, b: PromptDelivery): number {
  return a.id < b.id ? -1 : 1;
}
