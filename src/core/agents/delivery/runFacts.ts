import type { AgentId, AgentRecord } from '../agent';
import type { AgentType, InputAlterations } from '../agentType';
import type { Agent } from '../baseAgent';
import { isWaiting } from '../signals/agentFacts';
import type { HookFact } from '../signals/agentSignal';
import { comparablePrompt, isSamePrompt } from './preparePrompt';
import type { PromptDelivery } from './promptDelivery';

/** 2.5 s: a program that has rested so long has taken what was queued inside it, whether it told or not. */
const RESTED_MS = 2_500;
/** 10 s: a turn that is being ended is over by then, whether the program told or not. */
const ENDING_MS = 10_000;

/** What is known of one run of an agent as a receiver of prompts. */
export class RunKnowledge {
  #hasDelivered = false;
  #hooks: 'declared' | 'seen' | 'missed' = 'declared';
  #hasHooks = false;
  #isStartSeen = false;
  /** A prompt that left the input box while the program worked, and of which no hook has told yet. */
  #inside: PromptDelivery | undefined;
  /** It waits for an answer, or ends its turn, as its hooks tell; since when, by the wall clock. */
  #turn: { readonly kind: 'asks' | 'ends'; readonly sinceMs: number } | undefined;

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

  /**
   * Another prompt would not arrive as it is: one waits inside a program that joins all that wait there to one (`joinsQueued`), or
   * the program has come to rest just now (`restMs`). `nowMs`: wall clock, as in the record.
   */
  isHolding(type: AgentType, { activity, sinceMs }: Pick<AgentRecord, 'activity' | 'sinceMs'>, nowMs: number): boolean {
    const isWorking = activity === 'busy' || activity === 'rate_limited';
    if (!isWorking && this.#hasDelivered && nowMs - sinceMs < (type.prompt.restMs ?? 0)) return true;
    if (!this.#inside || type.alters?.joinsQueued !== true) return false;
    return isWorking || nowMs - Math.max(sinceMs, this.#inside.stateAtMs) < RESTED_MS;
  }

  /**
   * A prompt would come while a turn is ended, and might never be run: a request was refused, or is not on the screen any more, and no
   * hook has said yet how it went on. Only of types that tell (`endsTurn`), and for 10 s at most.
   */
  isTurnEnding(type: AgentType, { sinceMs }: Pick<AgentRecord, 'sinceMs'>, nowMs: number): boolean {
    if (!this.#turn || type.hooks?.some(({ endsTurn }) => endsTurn) !== true) return false;
    return nowMs - Math.max(sinceMs, this.#turn.sinceMs) < ENDING_MS;
  }

  noteTurn({ activity, endsTurn, observedAtMs }: Pick<HookFact, 'activity' | 'endsTurn' | 'observedAtMs'>): void {
    if (endsTurn) this.#turn = { kind: 'ends', sinceMs: observedAtMs };
    else if (activity && isWaiting(activity)) this.#turn = { kind: 'asks', sinceMs: observedAtMs };
    else if (activity === 'idle' || (activity && this.#turn?.kind === 'asks')) this.#turn = undefined;
  }

  /** `prompt`: the one that the program told it took. */
  noteHook(prompt: string | undefined, alters?: InputAlterations): void {
    this.#hasHooks = true;
    if (prompt === undefined) return;
    this.#hooks = 'seen';
    const inside = this.#inside?.prepared;
    if (inside === undefined) return;
    const isIn = comparablePrompt(prompt).includes(comparablePrompt(inside));
    if (isIn || isSamePrompt(prompt, inside, alters)) this.#inside = undefined;
  }

  /** `mayQueue`: the program worked when it came. */
  noteOutcome(delivery: PromptDelivery, type: AgentType, mayQueue = false): void {
    const { state, evidence, submitCount, reason } = delivery;
    if (mayQueue && submitCount > 0 && evidence !== 'hook') this.#inside = delivery;
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
