import type { Clock } from '../../base/clock';
import type { AgentId } from '../agent';
import type { InputAlterations } from '../agentType';
import { step } from './deliveryRecord';
import { isSamePrompt } from './preparePrompt';
import { awaitsEvidence, MAX_WATCHED, owesEvidence, type PromptDelivery } from './promptDelivery';

/** What a hook told. */
export interface ToldLate {
  readonly agentId: AgentId;
  readonly generation: number;
  readonly prompt: string;
  readonly alters?: InputAlterations | undefined;
}

const MAY_HAVE_WAITED =
  'it left the input box while the agent worked, and may have waited inside the program when that ended';

/** Deliveries whose fate is not known, or is known from the screen only, waiting for a hook that tells of them after all (also one that was spooled during a crash). */
export class LateEvidence {
  readonly #watched = new Map<string, PromptDelivery>();
  #turn: Promise<void> = Promise.resolve();

  constructor(
    private readonly clock: Clock,
    private readonly keep: (delivery: PromptDelivery) => Promise<void>,
  ) {}

  /** Remembers what a hook could still tell of. */
  noteStep(delivery: PromptDelivery): void {
    const isNoDraft = delivery.state === 'failed' && delivery.reason === 'no_draft';
    const isWatched = awaitsEvidence(delivery) || owesEvidence(delivery) || isNoDraft;
    if (!isWatched || delivery.resentAs !== undefined) return void this.#watched.delete(delivery.id);
    this.#watched.set(delivery.id, delivery);
    const [oldest] = this.#watched.keys();
    if (this.#watched.size > MAX_WATCHED && oldest !== undefined) this.#watched.delete(oldest);
  }

  unwatch(deliveryId: string): void {
    this.#watched.delete(deliveryId);
  }

  /** Resolves when nothing of this agent is being kept any more. */
  async forget(agentId: AgentId): Promise<void> {
    const drop = (): void => {
      for (const [id, delivery] of this.#watched) if (delivery.agentId === agentId) this.#watched.delete(id);
    };
    drop();
    await this.#inTurn(() => Promise.resolve(drop()));
  }

  /** True when a delivery that was seen to leave the input box still waits for its hook, and this may be it. */
  isOwed(told: ToldLate): boolean {
    return this.#find(told)?.state === 'acknowledged';
  }

  /** One accepted prompt settles the oldest delivery of this run that has its text, and no other. @throws what keeping throws */
  async note(told: ToldLate): Promise<void> {
    const found = this.#find(told);
    if (!found) return;
    this.#watched.delete(found.id);
    const detail = 'the program told later that it accepted this prompt';
    await this.#inTurn(() => this.keep(step(found, 'acknowledged', this.clock.nowMs(), { evidence: 'hook', detail })));
  }

  /** Its program ended and may have held it back: not known any more, unless a hook has told of it meanwhile. `read`: what is kept of it by then. @throws what reading and keeping throw */
  async noteWaited(read: () => Promise<PromptDelivery | undefined>): Promise<void> {
    await this.#inTurn(async () => {
      const found = await read();
      if (!found || !owesEvidence(found)) return;
      await this.keep(
        step(found, 'delivery_unknown', this.clock.nowMs(), { reason: 'ended', detail: MAY_HAVE_WAITED }),
      );
    });
  }

  /** What a hook tells and what the end of a program takes back are kept one after the other. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(work, work);
    this.#turn = turn;
    return turn;
  }

  #find({ agentId, generation, prompt, alters }: ToldLate): PromptDelivery | undefined {
    return [...this.#watched.values()].find(
      (one) => one.agentId === agentId && one.generation === generation && isSamePrompt(prompt, one.prepared, alters),
    );
  }
}
