import type { AgentId } from '../agent';
import type { AgentType } from '../agentType';
import type { Agent } from '../baseAgent';
import type { PromptDelivery } from './promptDelivery';

/** What is known of one run of an agent as a receiver of prompts. */
export class RunKnowledge {
  #hasDelivered = false;
  #hooks: 'declared' | 'seen' | 'missed' = 'declared';
  #hasHooks = false;
  #isStartSeen = false;

  constructor(readonly generation: number) {}

  /** It took a prompt, as far as that can be known: it is no new process any more. */
  get hasDelivered(): boolean {
    return this.#hasDelivered;
  }

  /** The program is expected to tell by a hook which prompt it accepted: its type says so and it was not missed, or it did before. */
  expectsHook(type: AgentType): boolean {
    if (this.#hooks !== 'declared') return this.#hooks === 'seen';
    return type.inject !== undefined && (type.hooks ?? []).some(({ promptPath }) => promptPath !== undefined);
  }

  /** A hook of this run has arrived: others will. */
  get hasHooks(): boolean {
    return this.#hasHooks;
  }

  /** It began just now, and has yet to tell that it is ready to be typed into. False for one that was found running. */
  awaitsStartHook(type: AgentType): boolean {
    return this.#isStartSeen && !this.#hasHooks && type.inject !== undefined && type.doctor?.firstHook !== undefined;
  }

  noteStart(): void {
    this.#isStartSeen = true;
  }

  noteHook(isPrompt: boolean): void {
    this.#hasHooks = true;
    if (isPrompt) this.#hooks = 'seen';
  }

  noteOutcome({ state, evidence, submitCount, reason }: PromptDelivery, type: AgentType): void {
    if (state === 'acknowledged' || reason === 'no_evidence_possible') this.#hasDelivered = true;
    const isMissed =
      submitCount > 0 && evidence !== 'hook' && (state === 'acknowledged' || state === 'delivery_unknown');
    if (isMissed && !this.#hasHooks && this.expectsHook(type)) this.#hooks = 'missed';
  }
}

/** {@link RunKnowledge} of the present run of each agent. */
export class RunFacts {
  readonly #runs = new Map<AgentId, RunKnowledge>();

  of({ id, record }: Pick<Agent, 'id' | 'record'>): RunKnowledge {
    const present = this.#runs.get(id);
    if (present?.generation === record.generation) return present;
    const run = new RunKnowledge(record.generation);
    this.#runs.set(id, run);
    return run;
  }

  forget(id: AgentId): void {
    this.#runs.delete(id);
  }
}
