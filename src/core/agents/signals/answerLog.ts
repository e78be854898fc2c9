import type { Clock } from '../../base/clock';
import { type Disposable, MutableDisposable } from '../../base/disposable';
import { OrchestratorError } from '../../base/errors';
import type { Logger } from '../../base/log';
import type { AgentStore } from '../agentStore';
import type { AnsweredRequest } from '../answeredRequest';
import type { PermissionRequest } from '../permissionRequest';

export interface AnswerLogParts {
  readonly store: Pick<AgentStore, 'putAnswer'>;
  readonly clock: Clock;
  readonly log: Logger;
}

export type AnswerFacts = Pick<AnsweredRequest, 'outcome' | 'via' | 'actor'> &
  Partial<Pick<AnsweredRequest, 'rule' | 'reason'>>;

/** A store that was read-only or busy is tried again after this long. */
const RETRY_MS = 5_000;
/** Answers that wait for a store that does not take them; older ones are dropped. */
const MAX_WAITING = 200;

/** Keeps what was asked and answered. No answer waits for it: one that the store does not take is tried again. */
export class AnswerLog implements Disposable {
  readonly #waiting: AnsweredRequest[] = [];
  readonly #retry = new MutableDisposable<Disposable>();
  #saving: Promise<void> | undefined;

  constructor(private readonly parts: AnswerLogParts) {}

  note(request: PermissionRequest, facts: AnswerFacts): void {
    const { id, agentId, generation, kind, tool, title, detail, isCut, askedAtMs } = request;
    this.#waiting.push({
      ...{ id, agentId, generation, kind, ...(tool !== undefined && { tool }), title, shown: detail, isCut },
      ...{ ...facts, askedAtMs, answeredAtMs: this.parts.clock.nowMs() },
    });
    if (this.#waiting.length > MAX_WAITING) this.#waiting.shift();
    if (!this.#retry.value) this.#begin();
  }

  /** Resolves when everything noted so far was handed to the store and answered. Never rejects. */
  async flush(): Promise<void> {
    await this.#saving;
  }

  dispose(): void {
    this.#retry.dispose();
  }

  #begin(): void {
    this.#saving ??= this.#save().finally(() => (this.#saving = undefined));
  }

  async #save(): Promise<void> {
    const { store, clock, log } = this.parts;
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      try {
        await store.putAnswer(next);
      } catch (error) {
        log.warn('an answered request is not kept yet', { agent: next.agentId, error });
        if (!(error instanceof OrchestratorError && error.disposition === 'retry')) continue;
        this.#waiting.unshift(next);
        this.#retry.value = clock.setTimer(RETRY_MS, () => {
          this.#retry.value = undefined;
          this.#begin();
        });
        return;
      }
    }
  }
}
