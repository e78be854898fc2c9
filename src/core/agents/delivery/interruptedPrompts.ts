import type { AgentId } from '../agent';

/**
 * Prompts whose turn was interrupted and that a resume offered to send a second time. Their programs have them: only a person's
 * order sends such a prompt again, once, and only into the run that the offer was made for.
 */
export class InterruptedPrompts {
  readonly #offers = new Map<AgentId, { readonly deliveryId: string; readonly generation: number }>();

  /** Replaces what was offered for the agent before. */
  offer(agentId: AgentId, deliveryId: string | undefined, generation: number): void {
    if (deliveryId === undefined) this.#offers.delete(agentId);
    else this.#offers.set(agentId, { deliveryId, generation });
  }

  /** True when it is on offer for the present run, and from now on no more. */
  take(agentId: AgentId, deliveryId: string, generation: number): boolean {
    const offer = this.#offers.get(agentId);
    return offer?.deliveryId === deliveryId && offer.generation === generation && this.#offers.delete(agentId);
  }

  forget(agentId: AgentId): void {
    this.#offers.delete(agentId);
  }
}
