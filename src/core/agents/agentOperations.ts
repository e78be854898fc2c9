import type { Disposable } from '../base/disposable';
import { ignore } from '../base/log';
import { LIFECYCLE_WORDS } from '../../shared/stateWords';
import { abandonable } from './abandonable';
import type { ActivityObserver } from './activityObserver';
import type { AgentId } from './agent';
import { aboutAgent, AgentError } from './agentErrors';
import type { AgentExit } from './agentHost';
import { AgentMailbox, type OperationKind } from './agentMailbox';
import { AgentRestarter } from './agentRestarter';
import { AgentStarter, recordExit, type StartOrder } from './agentStarter';
import { AgentStopper } from './agentStopper';
import { hasEnded, isLive } from './agentTransitions';
import type { Agent } from './baseAgent';
import { type Ordered, orderEvidence, withOrder } from './orderEvidence';
import type { Order, SupervisorContext } from './supervisorPorts';

const STOPPED = 'a stop was ordered';

/**
 * What is done to agents: one operation at a time on each, in the order in which they were asked for, beside each other on
 * different agents. A stop cuts short what was ordered before it. After `close` every operation rejects with its reason.
 */
export class AgentOperations implements Disposable {
  readonly stopper: AgentStopper;
  readonly restarter: AgentRestarter;
  readonly #starter: AgentStarter;
  readonly #mailboxes = new Map<AgentId, AgentMailbox>();
  #closed: AgentError | undefined;

  constructor(
    private readonly context: SupervisorContext,
    private readonly observer: ActivityObserver,
  ) {
    const { registry } = context;
    this.stopper = new AgentStopper(context, observer);
    this.#starter = new AgentStarter(context, observer, this.stopper);
    this.restarter = new AgentRestarter(context, async (id, order) => this.start(registry.get(id), order));
  }

  /** @throws {AgentError} agent.notAllowed after `close` */
  requireOpen(): void {
    if (this.#closed) throw this.#closed;
  }

  /** Runs `work` when everything asked for before has ended. @throws as `AgentMailbox.run`; {AgentError} agent.notAllowed */
  inTurn<T>(
    id: AgentId,
    work: (signal: AbortSignal) => Promise<T>,
    options: { readonly signal?: AbortSignal | undefined; readonly kind?: OperationKind } = {},
  ): Promise<T> {
    return this.#mailbox(id).run(work, options);
  }

  /** No operation on it is under way or waits. */
  isIdle(id: AgentId): boolean {
    return this.#mailboxes.get(id)?.isIdle ?? true;
  }

  /** The agent was removed. */
  forget(id: AgentId): void {
    this.restarter.forgive(id);
    this.#mailboxes.delete(id);
  }

  /** One operation from `before` to ready: a stop finds it under way or after it, never between two steps of it. */
  async start(
    agent: Agent,
    order: StartOrder,
    signal?: AbortSignal,
    before: (signal: AbortSignal) => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    this.requireOpen();
    this.restarter.cancel(agent.id);
    const work = async (own: AbortSignal): Promise<void> => {
      try {
        await before(own);
        own.throwIfAborted();
        await this.#starter.start(agent, order, own);
      } finally {
        if (!this.#closed) await this.restarter.afterEnd(agent);
      }
    };
    const starting = this.inTurn(agent.id, work, { signal, kind: 'start' });
    try {
      await this.#stopIfCancelled(agent, starting, order.actor, signal);
    } catch (error) {
      throw aboutAgent(error, agent.id);
    }
  }

  /** Ends it first if it lives; both are one operation. */
  restart(agent: Agent, order: Order, signal?: AbortSignal): Promise<void> {
    return this.start(agent, { ...order, isAutomatic: false }, signal, async (own) => {
      if (!isLive(agent.record.lifecycle)) return;
      await this.context.state.transition(agent.id, 'present', {
        desired: 'running',
        durability: 'before',
        signal: own,
        ...order,
        evidence: this.#beside('restart ordered', order),
      });
      await this.stopper.stop(agent, order, own);
    });
  }

  /**
   * Keeps the wish to stop, then ends the agent. Aborting the signal only ends the waiting. With `keepsEnd` one that has ended stays what it
   * is, with its reason: only what is left of its run is ended, and nothing starts it by itself.
   */
  async stop(agent: Agent, order: Order, signal?: AbortSignal, keepsEnd = false): Promise<void> {
    const { state, log } = this.context;
    this.requireOpen();
    signal?.throwIfAborted();
    const asItWas = keepsEnd && hasEnded(agent.record.lifecycle);
    const reason = asItWas ? agent.record.reason : order.reason;
    let ending: Promise<void> | undefined;
    // In the moment in which it is kept: what was ordered before is cut short, what is ordered from now on comes after it.
    const onApplied = (): void => {
      this.context.faultPoints?.hit('intent.kept');
      ending = this.#endInTurn(agent, order, keepsEnd);
      ending.catch((error: unknown) => ignore(log, error, 'the caller learns of it'));
    };
    await state.transition(agent.id, 'present', {
      desired: 'stopped',
      durability: 'before',
      onApplied,
      ...order,
      reason,
      ...(!asItWas && { evidence: this.#beside('stop ordered', order) }),
    });
    if (ending) await abandonable(ending, signal);
  }

  /** Pauses or goes on. @throws {AgentError} agent.notRunning */
  switch(agent: Agent, to: 'running' | 'paused', order: Order, signal?: AbortSignal): Promise<void> {
    const from = to === 'paused' ? 'running' : 'paused';
    const work = async (own: AbortSignal): Promise<void> => {
      const { lifecycle } = agent.record;
      if (lifecycle === to) return;
      if (lifecycle !== from)
        throw new AgentError('agent.notRunning', `${agent.id} is ${LIFECYCLE_WORDS[lifecycle]}`, { agentId: agent.id });
      await this.context.state.transition(agent.id, 'present', {
        lifecycle: to,
        desired: to,
        durability: 'before',
        signal: own,
        ...order,
        evidence: this.#beside(to === 'paused' ? 'paused' : 'resumed', order),
      });
    };
    return this.inTurn(agent.id, work, { signal, kind: 'switch' });
  }

  /** The host told of an end: recorded in its turn, then the restart policy decides. */
  onExit(exit: AgentExit): void {
    const { registry, notices, log } = this.context;
    const agent = registry.find(exit.agentId);
    if (!agent || this.#closed) return;
    const work = async (): Promise<void> => {
      const isPresent = exit.generation === agent.record.generation;
      if (isPresent && (!isLive(agent.record.lifecycle) || agent.record.lifecycle === 'stopping')) return; // its operation saw it
      await recordExit(this.context, agent, exit); // of another generation: refused and reported there
      if (!isPresent) return;
      this.observer.forget(agent.id);
      notices.resolve(`agent.orphan:${agent.id}`);
      await this.restarter.afterEnd(agent);
    };
    this.inTurn(agent.id, work).catch((error: unknown) =>
      ignore(log, error, 'the supervisor left, or the agent was removed'),
    );
  }

  /** Cuts short what is under way and what waits; returns the reason, or undefined when it was closed before. */
  close(): AgentError | undefined {
    if (this.#closed) return undefined;
    this.#closed = new AgentError('agent.notAllowed', 'agents are not managed by this window any more');
    for (const mailbox of this.#mailboxes.values()) mailbox.close(this.#closed);
    return this.#closed;
  }

  dispose(): void {
    this.close();
    this.restarter.dispose();
  }

  /** The acting part of a stop that is kept already. */
  #endInTurn(agent: Agent, order: Order, keepsEnd: boolean): Promise<void> {
    if (this.#closed) return Promise.reject(this.#closed);
    this.restarter.cancel(agent.id);
    const superseded = new AgentError('agent.superseded', STOPPED, { agentId: agent.id });
    this.#mailbox(agent.id).preempt(['start', 'switch'], superseded);
    return this.inTurn(agent.id, async (signal) => {
      this.restarter.cancel(agent.id);
      const { lifecycle, generation } = agent.record;
      if (isLive(lifecycle)) return this.stopper.stop(agent, order, signal);
      if (lifecycle === 'created' || lifecycle === 'stopped' || lifecycle === 'retired') return;
      await this.stopper.endLeftovers(agent, signal);
      if (keepsEnd && hasEnded(lifecycle)) return;
      await this.stopper.discard(agent);
      await this.context.state.transition(agent.id, generation, {
        lifecycle: 'stopped',
        process: null,
        nextStartAtMs: null,
        ...(lifecycle === 'quarantined' && { restartsAtMs: [] }), // a person has looked at it: the next start is a new beginning
        durability: 'before',
        ...order,
        evidence: this.#beside('stopped', order),
      });
      this.restarter.forgive(agent.id);
    });
  }

  /** An order beside what the state rests on: how a run ended stays known. */
  #beside(ordered: Ordered, { actor }: Order): ReturnType<typeof withOrder> {
    return withOrder(orderEvidence(ordered, actor, this.context.clock.nowMs()));
  }

  /** A start that its caller cancelled must not leave something half started. */
  async #stopIfCancelled(
    agent: Agent,
    work: Promise<void>,
    actor: string,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (signal?.aborted && !this.#closed && isLive(agent.record.lifecycle))
        await this.stop(agent, { actor, reason: 'stop_ordered' });
      throw error;
    }
  }

  #mailbox(id: AgentId): AgentMailbox {
    this.requireOpen();
    const mailbox = this.#mailboxes.get(id) ?? new AgentMailbox();
    this.#mailboxes.set(id, mailbox);
    return mailbox;
  }
}
