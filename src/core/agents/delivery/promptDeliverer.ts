import { type Disposable, DisposableStore } from '../../base/disposable';
import { Emitter, type Event } from '../../base/event';
import type { Clock } from '../../base/clock';
import type { Ids } from '../../base/ids';
import { ignore, type Logger } from '../../base/log';
import type { AgentId } from '../agent';
import { AgentError } from '../agentErrors';
import type { AgentFactory } from '../agentFactory';
import type { AgentHost } from '../agentHost';
import type { AgentRegistry } from '../agentRegistry';
import type { AgentStateManager, StateChange } from '../agentStateManager';
import type { AgentStore } from '../agentStore';
import { isLive } from '../agentTransitions';
import type { Agent } from '../baseAgent';
import type { HookFact } from '../signals/agentSignal';
import { DeliveryLane, type LaneEntry } from './deliveryLane';
import { blockedError, newDelivery, receiptOf, step } from './deliveryRecord';
import { blockedByRecord, ScreenJudge } from './deliveryScreen';
import { EndedRuns, RECENT_DELIVERIES } from './endedRuns';
import { type FaultPoints, NO_FAULT_POINTS } from './faultPoints';
import { InterruptedPrompts } from './interruptedPrompts';
import { LateEvidence, type ToldLate } from './lateEvidence';
import { preparePrompt } from './preparePrompt';
import {
  awaitsEvidence,
  type DeliveryStore,
  isFinal,
  owesEvidence,
  type PromptDelivery,
  type PromptReceipt,
  type SendPromptOptions,
} from './promptDelivery';
import { Recovery } from './recovery';
import { ResentPrompts } from './resentPrompts';
import { RunFacts } from './runFacts';
import { unsubmittedPrompt } from './unsubmittedPrompt';

export interface DelivererPorts {
  readonly host: AgentHost;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly factory: Pick<AgentFactory, 'get' | 'shellName'>;
  readonly registry: AgentRegistry;
  readonly state: Pick<AgentStateManager, 'flush' | 'onDidChangeState'>;
  readonly store: Pick<AgentStore, 'changes'>;
  readonly deliveries: DeliveryStore;
  /** What programs told by their hooks; also late, after a crash of the engine. */
  readonly onDidHook: Event<HookFact>;
  readonly faultPoints?: FaultPoints;
}

/** How a prompt is sent by the engine itself. */
interface InternalOptions extends SendPromptOptions {
  /** It is the first prompt of this run. */
  readonly firstPromptOf?: number;
}

/**
 * Delivers prompts so that they provably arrive (ARCHITECTURE.md, "Prompt delivery"; R7): one lane per agent, every step kept
 * before it is done, never pasted twice, never called arrived without evidence. One per supervisor.
 */
export class PromptDeliverer implements Disposable {
  readonly #owned = new DisposableStore();
  readonly #lanes = new Map<AgentId, DeliveryLane>();
  readonly #runs = new RunFacts();
  readonly #late: LateEvidence;
  readonly #ended: EndedRuns;
  readonly #interrupted = new InterruptedPrompts();
  readonly #resent: ResentPrompts;
  readonly #newest = new Map<AgentId, PromptReceipt>();
  /** Nobody knows whether these arrived, and they were not sent again: by their ids, of each agent. */
  readonly #unsure = new Map<AgentId, Set<string>>();
  readonly #onDidChangeReceipt: Emitter<PromptReceipt>;
  readonly #judge: ScreenJudge;
  readonly #faults: FaultPoints;
  #closed: AgentError | undefined;

  constructor(private readonly ports: DelivererPorts) {
    const { host, registry, log } = ports;
    this.#faults = ports.faultPoints ?? NO_FAULT_POINTS;
    this.#judge = new ScreenJudge(ports.factory.shellName);
    this.#late = new LateEvidence(ports.clock, (delivery) => this.#keep(delivery));
    this.#ended = new EndedRuns(ports, (id) => this.#noteWaited(id));
    this.#resent = new ResentPrompts(ports, (delivery) => this.#keep(delivery));
    this.#onDidChangeReceipt = this.#owned.add(
      new Emitter<PromptReceipt>((error) => log.error('a listener of receipts failed', { error })),
    );
    this.#owned.add(host.onDidSettleScreen((screen) => this.#lanes.get(screen.agentId)?.noteSettled(screen)));
    this.#owned.add(host.onDidOutput(({ agentId }) => this.#lanes.get(agentId)?.noteOutput()));
    this.#owned.add(registry.onDidChange(({ agent }) => this.#onRecord(agent)));
    this.#owned.add(ports.state.onDidChangeState((change) => this.#onState(change)));
    this.#owned.add(registry.onDidRemove(({ id }) => this.#onRemoved(id)));
    this.#owned.add(ports.onDidHook((fact) => this.#onHook(fact)));
  }

  /** The owner has left; what is sent now is refused. */
  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  /** One fact per step of a delivery, after it was kept. */
  get onDidChangeReceipt(): Event<PromptReceipt> {
    return this.#onDidChangeReceipt.event;
  }

  /**
   * Goes on with what an earlier owner left: queued prompts wait again, what was under way is `delivery_unknown` unless evidence
   * comes; so is, soon, what may have waited inside a program that ended. After the agents were adopted. @throws what the store throws
   */
  async begin(): Promise<void> {
    const recovery = new Recovery(this.ports, this.#judge, (delivery) => this.#keep(delivery));
    const { queued, unknown } = await recovery.run();
    for (const delivery of unknown) this.#late.noteStep(delivery);
    for (const agent of this.ports.registry.list()) {
      const recent = await this.ports.deliveries.list(agent.id, RECENT_DELIVERIES);
      const [newest] = recent;
      if (newest && !this.#newest.has(agent.id)) this.#newest.set(agent.id, receiptOf(newest));
      for (const delivery of recent) this.#noteUnsure(delivery);
      const { generation } = agent.record;
      const owing = recent.filter((one) => one.generation === generation && one.cameDuringWork && owesEvidence(one));
      for (const delivery of owing.reverse()) this.#late.noteStep(delivery);
      void this.#ended.look(agent);
    }
    for (const delivery of queued) {
      const agent = this.ports.registry.find(delivery.agentId);
      const entry = { delivery, whenBlocked: 'queue', kept: undefined, resolve: nothing, reject: nothing } as const;
      if (agent) this.#lane(agent).push(entry);
    }
  }

  /** As Engine.sendPrompt. */
  async send(agent: Agent, text: string, options: InternalOptions = {}): Promise<PromptReceipt> {
    const { ids, clock } = this.ports;
    if (this.#closed) throw this.#closed;
    this.#requireSendable(agent, text, options);
    this.#faults.hit('intent.received');
    const isFirstPrompt = options.firstPromptOf !== undefined;
    const given = { id: ids.next(), agentId: agent.id, text, actor: options.actor ?? 'person', isFirstPrompt };
    options.onBegin?.(given.id);
    const fresh = newDelivery(given, clock.nowMs());
    const delivery = isFirstPrompt ? { ...fresh, generation: options.firstPromptOf } : fresh;
    const kept = options.whenBlocked === 'queue' ? this.#keepQueued(delivery) : undefined;
    return new Promise((resolve, reject) => {
      const { signal } = options;
      const onAbort = (): void => {
        reject(signal?.reason as Error);
        this.#takeBack(agent, delivery.id);
      };
      const release = (): void => signal?.removeEventListener('abort', onAbort);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#lane(agent).push({
        delivery,
        whenBlocked: options.whenBlocked ?? 'refuse',
        kept,
        resolve: (receipt) => (release(), resolve(receipt)),
        reject: (error) => (release(), reject(error as Error)),
      });
    });
  }

  /** Newest first. */
  async receipts(id: AgentId, limit = 50): Promise<readonly PromptReceipt[]> {
    return (await this.ports.deliveries.list(id, limit)).map(receiptOf);
  }

  /** The newest one; undefined when nothing was ever sent. */
  lastReceipt(id: AgentId): PromptReceipt | undefined {
    return this.#newest.get(id);
  }

  /** Of the newest prompts those of which nobody knows whether they arrived. */
  unsureCount(id: AgentId): number {
    return this.#unsure.get(id)?.size ?? 0;
  }

  /** Prompts that wait for it to become free. */
  queuedCount(id: AgentId): number {
    return this.#lanes.get(id)?.queuedCount ?? 0;
  }

  /** As Engine.cancelPrompt. */
  async cancel(deliveryId: string): Promise<void> {
    const delivery = await this.#get(deliveryId);
    const entry = this.#lanes.get(delivery.agentId)?.take(deliveryId);
    if (!entry)
      throw new AgentError('agent.notAllowed', 'typing has begun, or it is over', { agentId: delivery.agentId });
    await this.#cancelEntry(entry, 'taken back');
  }

  /** As Engine.settleDelivery. */
  async settle(deliveryId: string, outcome: 'arrived' | 'lost'): Promise<void> {
    const delivery = await this.#get(deliveryId);
    if (delivery.state !== 'delivery_unknown')
      throw new AgentError('agent.notAllowed', `the prompt is ${delivery.state}`, { agentId: delivery.agentId });
    this.#late.unwatch(deliveryId);
    const atMs = this.ports.clock.nowMs();
    await this.#keep(
      outcome === 'arrived'
        ? step(delivery, 'acknowledged', atMs, { evidence: 'person', detail: 'a person says that it arrived' })
        : step(delivery, 'failed', atMs, { reason: 'lost', detail: 'a person says that it did not arrive' }),
    );
  }

  /** Resolves when it is known which prompts may have waited inside the run that has ended. Never rejects. */
  noteEnd(agent: Agent): Promise<void> {
    return this.#ended.look(agent);
  }

  /** The prompt of a turn that was interrupted may be sent a second time into the present run of its agent; undefined: none. */
  offerAgain(agent: Agent, deliveryId: string | undefined): void {
    this.#interrupted.offer(agent.id, deliveryId, agent.record.generation);
  }

  /**
   * As Engine.resendPrompt. @throws {AgentError} agent.notAllowed for one that was sent again already, and for one that arrived or is still
   * under way, unless its turn was interrupted and it is on offer
   */
  async resend(deliveryId: string, given: SendPromptOptions = {}): Promise<PromptReceipt> {
    return this.#resent.once(deliveryId, async (noteBegun) => {
      const onBegin = (id: string): void => (noteBegun(id), given.onBegin?.(id));
      const options = { ...given, onBegin };
      const delivery = await this.#get(deliveryId);
      if (delivery.state === 'acknowledged') return this.#sendSecondTime(delivery, options);
      if (!isFinal(delivery.state)) throw notResendable(delivery);
      await this.#resent.requireNotYet(delivery);
      this.#late.unwatch(deliveryId); // from now on a hook with this text tells of the new one
      return this.send(this.ports.registry.get(delivery.agentId), delivery.text, options);
    });
  }

  /** The offer stands again when nothing of the second time can have arrived. */
  async #sendSecondTime(delivery: PromptDelivery, options: SendPromptOptions): Promise<PromptReceipt> {
    const agent = this.ports.registry.get(delivery.agentId);
    const { generation } = agent.record;
    if (!this.#interrupted.take(agent.id, delivery.id, generation)) {
      await this.#resent.requireNotYet(delivery);
      throw notResendable(delivery);
    }
    try {
      return await this.send(agent, delivery.text, options);
    } catch (error) {
      if (AgentError.is(error) && error.code !== 'agent.deliveryUnknown')
        this.#interrupted.offer(agent.id, delivery.id, generation);
      throw error;
    }
  }

  /** The owner leaves: nothing more is typed; senders that wait are told. */
  close(reason: AgentError): void {
    if (this.#closed) return;
    this.#closed = reason;
    for (const lane of this.#lanes.values()) lane.close(reason);
  }

  dispose(): void {
    this.close(new AgentError('agent.notAllowed', 'prompts are not delivered by this window any more'));
    this.#lanes.clear();
    this.#owned.dispose();
  }

  #requireSendable(agent: Agent, text: string, { whenBlocked, signal }: InternalOptions): void {
    signal?.throwIfAborted();
    const agentId = agent.id;
    const byRecord = blockedByRecord(agent.record);
    if (whenBlocked !== 'queue' && byRecord) throw blockedError(agentId, byRecord);
    const { typeId } = agent.record.spec;
    const type = this.ports.factory.get(typeId);
    if (!type.prompt.canPaste)
      throw new AgentError('agent.notAllowed', `typing into a "${typeId}" agent is not safe`, { agentId });
    if (preparePrompt(text, type).prepared.trim() === '')
      throw new AgentError('agent.notAllowed', 'the prompt is empty', { agentId });
  }

  async #keepQueued(delivery: PromptDelivery): Promise<void> {
    await this.#keep(delivery);
    this.#faults.hit('queued.kept');
  }

  async #keep(delivery: PromptDelivery): Promise<void> {
    await this.ports.deliveries.save(delivery);
    if (this.#owned.isDisposed) return;
    this.#late.noteStep(delivery);
    this.#noteUnsure(delivery);
    const receipt = receiptOf(delivery);
    const newest = this.#newest.get(delivery.agentId);
    if (!newest || newest.id <= receipt.id) this.#newest.set(delivery.agentId, receipt);
    this.#onDidChangeReceipt.fire(receipt);
    await this.#resent.noteKept(delivery);
  }

  #noteUnsure(delivery: PromptDelivery): void {
    const { id, agentId } = delivery;
    const ids = this.#unsure.get(agentId) ?? new Set();
    if (awaitsEvidence(delivery)) this.#unsure.set(agentId, ids.add(id));
    else ids.delete(id);
  }

  /** @throws {AgentError} agent.notFound */
  async #get(deliveryId: string): Promise<PromptDelivery> {
    const delivery = await this.ports.deliveries.get(deliveryId);
    if (!delivery) throw new AgentError('agent.notFound', `no prompt "${deliveryId.slice(0, 60)}"`);
    return delivery;
  }

  #takeBack(agent: Agent, deliveryId: string): void {
    const entry = this.#lanes.get(agent.id)?.take(deliveryId);
    if (!entry) return;
    this.#cancelEntry(entry, 'its sender does not wait any more').catch((error: unknown) =>
      ignore(this.ports.log, error, 'it stays queued in the store and is shown by the next owner'),
    );
  }

  async #cancelEntry(entry: LaneEntry, detail: string): Promise<void> {
    if (entry.whenBlocked === 'queue') {
      await entry.kept;
      entry.delivery = step(entry.delivery, 'canceled', this.ports.clock.nowMs(), { detail });
      await this.#keep(entry.delivery);
    }
    entry.resolve(receiptOf(entry.delivery));
  }

  #onRecord(agent: Agent): void {
    if (agent.record.lifecycle === 'starting') this.#runs.of(agent).noteStart();
    this.#lanes.get(agent.id)?.noteRecord();
  }

  #onState({ previous, current }: StateChange): void {
    const isOver = !isLive(current.lifecycle) || current.generation !== previous.generation;
    const agent = this.ports.registry.find(current.id);
    if (agent && isOver && isLive(previous.lifecycle)) void this.#ended.look(agent);
  }

  /** Not of an agent that is gone, nor when another owner may be there. */
  async #noteWaited(deliveryId: string): Promise<void> {
    await this.#late.noteWaited(async () => {
      const delivery = await this.ports.deliveries.get(deliveryId);
      return delivery && !this.isClosed && this.ports.registry.find(delivery.agentId) ? delivery : undefined;
    });
  }

  #onHook(fact: HookFact): void {
    const { agentId, generation, prompt } = fact;
    const agent = this.ports.registry.find(agentId);
    if (agent?.record.generation === generation) {
      this.#runs.of(agent).noteTurn(fact);
      this.#runs.of(agent).noteHook(prompt, agent.type?.alters);
    }
    if (prompt === undefined) return;
    this.#lanes.get(agentId)?.noteTold();
    const late = { agentId, generation, prompt, alters: agent?.type?.alters };
    // Of two equal prompts the earlier one was taken first: what it still owes is not evidence for the later one.
    if (this.#late.isOwed(late)) return this.#settleLate(late);
    if (this.#lanes.get(agentId)?.noteHook(generation, prompt)) return;
    this.#settleLate(late);
  }

  #settleLate(told: ToldLate): void {
    this.#late
      .note(told)
      .catch((error: unknown) => ignore(this.ports.log, error, 'it stays unknown, a person can settle it'));
  }

  #onRemoved(id: AgentId): void {
    const lane = this.#lanes.get(id);
    this.#lanes.delete(id);
    this.#runs.forget(id);
    this.#interrupted.forget(id);
    this.#forget(id, lane?.takeAll() ?? []).catch((error: unknown) =>
      this.ports.log.warn('the prompts of a removed agent stay in the store', { agent: id, error }),
    );
    lane?.dispose();
  }

  async #forget(id: AgentId, waiting: readonly LaneEntry[]): Promise<void> {
    for (const entry of waiting) await this.#cancelEntry(entry, 'the agent was removed');
    await this.#late.forget(id);
    await this.ports.deliveries.forget(id);
    this.#newest.delete(id);
    this.#unsure.delete(id);
  }

  #lane(agent: Agent): DeliveryLane {
    const present = this.#lanes.get(agent.id);
    if (present) return present;
    const { host, clock, log } = this.ports;
    const keep = (delivery: PromptDelivery): Promise<void> => this.#keep(delivery);
    const unsubmitted = (draft: string): Promise<string | undefined> => unsubmittedPrompt(this.ports, agent, draft);
    const lane = new DeliveryLane(
      { host, clock, log, judge: this.#judge, faults: this.#faults, keep, unsubmitted },
      agent,
      this.#runs,
    );
    this.#lanes.set(agent.id, lane);
    return lane;
  }
}

function notResendable(delivery: PromptDelivery): AgentError {
  const { agentId, state } = delivery;
  const why = owesEvidence(delivery) ? ': it left the input box; if it did not arrive, send its text as a new prompt' : ''; // prettier-ignore
  return new AgentError('agent.notAllowed', `the prompt is ${state}${why}`, { agentId });
}

function nothing(): void {
  // the sender is gone with the earlier owner
}
