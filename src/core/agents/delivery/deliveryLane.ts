import type { Disposable } from '../../base/disposable';
import { describeError } from '../../base/errors';
import { ignore } from '../../base/log';
import { AgentError } from '../agentErrors';
import type { SettledScreen } from '../agentHost';
import type { Agent } from '../baseAgent';
import { DeliveryAttempt } from './deliveryAttempt';
import { type AttemptPorts, type AttemptResult, RunOver } from './attemptPorts';
import { blockedError, describeBlocked, outcomeError, receiptOf, step } from './deliveryRecord';
import { isRunOver, type Look } from './deliveryScreen';
import { Pulse } from './pulse';
import { type BlockedReason, isFinal, type PromptDelivery, type PromptReceipt } from './promptDelivery';
import { ReadyCheck } from './readyCheck';
import type { RunFacts } from './runFacts';

/** One prompt that waits for its turn, with its sender. */
export interface LaneEntry {
  delivery: PromptDelivery;
  readonly whenBlocked: 'refuse' | 'queue';
  /** Resolves when it is kept as `queued`; undefined for one that is kept only when it is typed. */
  readonly kept: Promise<void> | undefined;
  readonly resolve: (receipt: PromptReceipt) => void;
  readonly reject: (error: unknown) => void;
}

/** The prompts of one agent, one at a time and in order. Blocked, it waits for news; it never polls. */
export class DeliveryLane implements Disposable {
  readonly #waiting: LaneEntry[] = [];
  readonly #pulse: Pulse;
  readonly #check: ReadyCheck;
  #current: { readonly attempt: DeliveryAttempt; readonly controller: AbortController; generation: number } | undefined;
  #checking: AbortController | undefined;
  #isPumping = false;
  #isAgain = false;
  #blocked: BlockedReason | undefined;
  #closed: Error | undefined;

  constructor(
    private readonly ports: Omit<AttemptPorts, 'pulse'> & {
      /** The earlier prompt that a draft in the box is; undefined: none that is known. Never rejects. */
      readonly unsubmitted: (draft: string) => Promise<string | undefined>;
    },
    private readonly agent: Agent,
    private readonly runs: RunFacts,
  ) {
    this.#pulse = new Pulse(ports.clock);
    const asks = (question: 'isHolding' | 'isTurnEnding') => (): boolean =>
      agent.type !== undefined && this.runs.of(agent)[question](agent.type, agent.record, ports.clock.nowMs());
    this.#check = new ReadyCheck({ ...ports, isHolding: asks('isHolding'), isTurnEnding: asks('isTurnEnding') }, agent);
  }

  /** Prompts that are kept and wait. */
  get queuedCount(): number {
    return this.#waiting.filter(({ whenBlocked }) => whenBlocked === 'queue').length;
  }

  push(entry: LaneEntry): void {
    if (this.#closed) return entry.reject(this.#closed);
    this.#waiting.push(entry);
    void this.#pump();
  }

  /** Takes one back that nothing was done for yet; undefined when there is none of this id. */
  take(deliveryId: string): LaneEntry | undefined {
    const index = this.#waiting.findIndex(({ delivery }) => delivery.id === deliveryId);
    return index < 0 ? undefined : this.#waiting.splice(index, 1)[0];
  }

  takeAll(): readonly LaneEntry[] {
    return this.#waiting.splice(0);
  }

  /** A hook of the present run told of an accepted prompt: true when it is the one under way. */
  noteHook(generation: number, prompt: string): boolean {
    return this.#current?.generation === generation && this.#current.attempt.noteHook(prompt);
  }

  /** A hook told of some prompt: one that was held back inside the program may have been taken. */
  noteTold(): void {
    if (!this.#current) this.#wake();
  }

  noteOutput(): void {
    this.#check.noteOutput();
    if (this.#current) this.#pulse.beat();
  }

  noteSettled(screen: SettledScreen): void {
    const reason = this.#check.noteSettled(screen);
    if (this.#current) this.#pulse.beat();
    else if (reason !== this.#blocked) this.#wake();
  }

  /** Lifecycle, activity or type of the agent changed. */
  noteRecord(): void {
    if (this.#current && isRunOver(this.agent.record, this.#current.generation))
      this.#current.controller.abort(new RunOver('the run is over'));
    else this.#wake();
  }

  /** The owner leaves: what is under way stays as it is kept, senders learn of it. */
  close(reason: Error): void {
    if (this.#closed) return;
    this.#closed = reason;
    this.#checking?.abort(reason);
    this.#current?.controller.abort(reason);
    for (const entry of this.#waiting.splice(0)) entry.reject(reason);
  }

  dispose(): void {
    this.close(new AgentError('agent.notAllowed', 'prompts are not delivered by this window any more'));
  }

  #wake(): void {
    if (this.#waiting.length > 0) void this.#pump();
  }

  /** Goes on until nothing waits or the agent is blocked; a wake-up in between leads to one more look. */
  async #pump(): Promise<void> {
    this.#isAgain = true;
    if (this.#isPumping) return;
    this.#isPumping = true;
    try {
      while (!this.#closed && this.#waiting.length > 0) {
        this.#isAgain = false;
        const isBlocked = await this.#one();
        if (isBlocked && !this.#isAgain) break;
      }
    } catch (error) {
      this.ports.log.error('the prompts of an agent came to a halt', { agent: this.agent.id, error });
    } finally {
      this.#isPumping = false;
    }
  }

  /** The first one that waits. True: blocked, it still waits. */
  async #one(): Promise<boolean> {
    const entry = this.#waiting[0];
    if (!entry) return false;
    try {
      await entry.kept;
    } catch (error) {
      this.take(entry.delivery.id)?.reject(error);
      return false;
    }
    if (await this.#isLeftOver(entry)) return false;
    const { generation } = this.agent.record;
    const readiness = await this.#free();
    // Taken back meanwhile, or looked at a run that is over.
    if (this.#waiting[0] !== entry || this.agent.record.generation !== generation) return false;
    if (readiness.kind === 'blocked') {
      await this.#block(readiness.reason, readiness.draft);
      return true;
    }
    this.#blocked = undefined;
    this.ports.faults.hit('ready.seen');
    this.#waiting.shift();
    return this.#attempt(entry, readiness.look);
  }

  async #free(): ReturnType<ReadyCheck['check']> {
    const controller = new AbortController();
    this.#checking = controller;
    try {
      const run = this.runs.of(this.agent);
      const { type } = this.agent;
      const isStarting = (): boolean => type !== undefined && run.awaitsStartHook(type);
      return await this.#check.check(!run.hasDelivered, controller.signal, isStarting);
    } finally {
      this.#checking = undefined;
    }
  }

  /** The first prompt of an earlier run: the present one brings its own. */
  async #isLeftOver(entry: LaneEntry): Promise<boolean> {
    const { delivery } = entry;
    if (!delivery.isFirstPrompt || delivery.generation >= this.agent.record.generation) return false;
    this.take(delivery.id);
    const canceled = step(delivery, 'canceled', this.ports.clock.nowMs(), {
      reason: 'superseded',
      detail: 'the first prompt of an earlier run',
    });
    await this.#keepOrSay(canceled);
    entry.resolve(receiptOf(canceled));
    return true;
  }

  /** Who does not want to wait is refused; the others are told what they wait for. */
  async #block(reason: BlockedReason, draft?: string): Promise<void> {
    this.#blocked = reason;
    const unsubmitted = draft === undefined ? undefined : await this.ports.unsubmitted(draft);
    for (const entry of [...this.#waiting]) {
      if (entry.whenBlocked === 'refuse')
        this.take(entry.delivery.id)?.reject(blockedError(this.agent.id, reason, unsubmitted));
    }
    for (const entry of [...this.#waiting]) {
      try {
        await entry.kept;
      } catch {
        continue; // its turn in the lane tells the sender
      }
      if (!this.#waiting.includes(entry)) continue;
      const detail = describeBlocked(reason, unsubmitted);
      if (entry.delivery.reason !== reason || entry.delivery.detail !== detail) {
        const { generation } = entry.delivery;
        const next = step(entry.delivery, 'queued', this.ports.clock.nowMs(), { reason, detail, generation });
        if (await this.#keepOrSay(next)) entry.delivery = next;
      }
      entry.resolve(receiptOf(entry.delivery));
    }
  }

  /** True: blocked after all, it waits again. */
  async #attempt(entry: LaneEntry, look: Look): Promise<boolean> {
    const { agent, runs } = this;
    const { type } = agent;
    if (!type) return (entry.reject(blockedError(agent.id, 'not_ready')), false);
    const run = runs.of(agent);
    const controller = new AbortController();
    const attempt = new DeliveryAttempt({ ...this.ports, pulse: this.#pulse }, agent, type, entry.delivery, {
      expectsHook: run.expectsHook(type),
      isHookCertain: run.hasHooks,
      isFirst: !run.hasDelivered,
      lookAgain: (signal) => this.#check.check(!run.hasDelivered, signal),
    });
    this.#current = { attempt, controller, generation: agent.record.generation };
    try {
      const result = await attempt.run(look, controller.signal);
      if (result.kind === 'blocked') return await this.#putBack(entry, result.delivery, result.reason);
      run.noteOutcome(result.delivery, type, attempt.mayQueue);
      this.#tell(entry, result);
    } catch (error) {
      entry.reject(this.#closed ?? error);
      if (!this.#closed && !isFinal(attempt.delivery.state))
        this.ports.log.error('a delivery could not be kept', {
          delivery: entry.delivery.id,
          error: describeError(error),
        });
    } finally {
      this.#current = undefined;
      this.#check.noteDelivered();
    }
    return false;
  }

  async #putBack(entry: LaneEntry, delivery: PromptDelivery, reason: BlockedReason): Promise<boolean> {
    if (entry.whenBlocked === 'queue') {
      entry.delivery = delivery;
      this.#waiting.unshift(entry);
      await this.#block(reason);
      return true;
    }
    await this.#keepOrSay(
      step(delivery, 'failed', this.ports.clock.nowMs(), {
        reason,
        detail: `nothing was typed: ${describeBlocked(reason)}`,
      }),
    );
    entry.reject(blockedError(this.agent.id, reason));
    return false;
  }

  #tell(entry: LaneEntry, { delivery, cause }: AttemptResult & { readonly kind: 'final' }): void {
    if (delivery.state === 'acknowledged' || delivery.reason === 'no_evidence_possible')
      entry.resolve(receiptOf(delivery));
    else entry.reject(delivery.reason === 'not_taken' && cause !== undefined ? cause : outcomeError(delivery));
  }

  /** False when the store does not take it: the lane goes on with what it had. */
  async #keepOrSay(delivery: PromptDelivery): Promise<boolean> {
    try {
      await this.ports.keep(delivery);
      return true;
    } catch (error) {
      ignore(this.ports.log, error, 'the store is read-only: a later step of this delivery is kept when it can be');
      return false;
    }
  }
}
