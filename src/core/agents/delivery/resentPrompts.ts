import { ignore, type Logger } from '../../base/log';
import { AgentError } from '../agentErrors';
import { receiptOf } from './deliveryRecord';
import type { DeliveryStore, PromptDelivery } from './promptDelivery';

export interface ResentPromptsPorts {
  readonly deliveries: Pick<DeliveryStore, 'get'>;
  readonly log: Logger;
}

/** A prompt is sent again once: it is marked with the id of the new delivery (`resentAs`), and from then on only that one can be sent again. */
export class ResentPrompts {
  readonly #busy = new Set<string>();
  /** Not kept yet: of each new delivery the one that it repeats. */
  readonly #begun = new Map<string, string>();

  constructor(
    private readonly ports: ResentPromptsPorts,
    private readonly keep: (delivery: PromptDelivery) => Promise<void>,
  ) {}

  /** A second order that comes meanwhile is refused. `send` reads the delivery itself. @throws {AgentError} agent.notAllowed, and what `send` throws */
  async once<T>(deliveryId: string, send: (onBegin: (newId: string) => void) => Promise<T>): Promise<T> {
    if (this.#busy.has(deliveryId)) throw new AgentError('agent.notAllowed', 'it is being sent again just now');
    this.#busy.add(deliveryId);
    let begun = '';
    try {
      return await send((newId) => {
        begun = newId;
        this.#begun.set(newId, deliveryId);
      });
    } catch (error) {
      if (AgentError.is(error)) this.#begun.delete(begun); // its sender may also have gone away while it goes on
      throw error;
    } finally {
      this.#busy.delete(deliveryId);
    }
  }

  /** @throws {AgentError} agent.notAllowed when it was sent again already */
  async requireNotYet({ agentId, resentAs }: PromptDelivery): Promise<void> {
    if (resentAs === undefined) return;
    const next = await this.ports.deliveries.get(resentAs);
    throw new AgentError('agent.notAllowed', sentAgainWords(resentAs, next), { agentId });
  }

  /**
   * A delivery was kept: the one that it repeats is marked now, before anything is typed. In this order: a crash between the two leaves a
   * prompt without its mark, and the new one can be looked up; the other way round a prompt could be lost that is called sent again.
   * Never rejects: a mark that cannot be kept does not end the new delivery, and is tried again with its next step.
   */
  async noteKept({ id }: PromptDelivery): Promise<void> {
    const deliveryId = this.#begun.get(id);
    if (deliveryId === undefined) return;
    try {
      const old = await this.ports.deliveries.get(deliveryId);
      if (old) await this.keep({ ...old, resentAs: id });
      this.#begun.delete(id);
    } catch (error) {
      ignore(this.ports.log, error, 'the new one is kept and goes on');
    }
  }
}

/** `it was sent again already ("fix the tests", receipt 01J…)`; one that did not arrive either is what can be sent again. */
function sentAgainWords(id: string, next: PromptDelivery | undefined): string {
  const what = next ? `"${receiptOf(next).excerpt.slice(0, 60)}", receipt ${id}` : `receipt ${id}`;
  const isOpen = next?.state === 'failed' || next?.state === 'canceled' || next?.state === 'delivery_unknown';
  if (!isOpen) return `it was sent again already (${what})`;
  return `it was sent again already, and that one is ${next.state}: send that one again (${what})`;
}
