import { type Disposable, DisposableStore } from '../base/disposable';
import { describeError } from '../base/errors';
import type { Event } from '../base/event';
import type { AgentChange, AgentId, AgentSpec } from './agent';
import { ActivityObserver } from './activityObserver';
import { AgentError } from './agentErrors';
import type { AnswerDoor } from './answeredRequest';
import { AgentOperations } from './agentOperations';
import { AgentReconciler } from './agentReconciler';
import { AgentRegistry } from './agentRegistry';
import { type Admission, AgentRoster } from './agentRoster';
import type { StartOrder } from './agentStarter';
import { AgentStateManager } from './agentStateManager';
import type { PermissionAnswer, PermissionRequest } from './permissionRequest';
import { isResumable, type ResumeReport, resumeReport } from './sessionResume';
import type { AgentSignal } from './signals/agentSignal';
import { AgentReports } from './signals/agentReports';
import type { AgentHookIntake } from './signals/hookIntake';
import type { RequestChange } from './signals/permissionDesk';
import type { AgentUsage } from './usage';
import type { StateExplanation } from './signals/stateExplanation';
import { isObservable } from './agentTransitions';
import { type Agent, BaseAgent } from './baseAgent';
import { PromptDeliverer } from './delivery/promptDeliverer';
import type { PromptReceipt, SendPromptOptions } from './delivery/promptDelivery';
import {
  DEFAULT_SUPERVISOR_SETTINGS,
  type Order,
  type SupervisorContext,
  type SupervisorPorts,
  type SupervisorSettings,
} from './supervisorPorts';

/** For whom and how long: the last argument of every acting call. */
export interface CallOptions {
  /** `person` by default. */
  readonly actor?: string;
  readonly signal?: AbortSignal;
}

/**
 * Brings about what is desired of each agent and keeps the record of it. One per workspace, only while the workspace is
 * owned (`workspaceLock.ts`). Operations on one agent run one at a time, on different agents beside each other.
 * After `detach` or `dispose` every call rejects with `agent.notAllowed`; agents keep running.
 */
export class AgentSupervisor implements Disposable {
  readonly registry: AgentRegistry;
  readonly state: AgentStateManager;
  readonly #reports: AgentReports;
  readonly #prompts: PromptDeliverer;
  readonly #context: SupervisorContext;
  readonly #owned = new DisposableStore();
  readonly #observer: ActivityObserver;
  readonly #operations: AgentOperations;
  readonly #reconciler: AgentReconciler;
  readonly #roster: AgentRoster;
  #begun: Promise<void> | undefined;

  /** `settings` is read at each use: they may change while agents run. */
  constructor(
    ports: SupervisorPorts,
    settings: () => Pick<SupervisorSettings, 'recoveredFolder'> & Partial<SupervisorSettings>,
  ) {
    const { host, factory, clock, log } = ports;
    this.registry = this.#owned.add(
      new AgentRegistry(
        (id, read) => new BaseAgent(id, read, host, factory, clock),
        (error) => log.error('a listener of the registry failed', { error }),
      ),
    );
    this.state = this.#owned.add(new AgentStateManager({ ...ports, registry: this.registry }));
    const signal = (news: AgentSignal): void => this.#observer.signal(news); // made below
    const parts = { ...ports, registry: this.registry, state: this.state };
    this.#reports = this.#owned.add(new AgentReports(parts, signal, () => settings().allowRules ?? []));
    const { onDidHook } = this.#reports;
    this.#prompts = this.#owned.add(new PromptDeliverer({ ...parts, onDidHook }));
    this.#context = {
      ...ports,
      prompts: this.#prompts,
      get settings() {
        return { ...DEFAULT_SUPERVISOR_SETTINGS, ...settings() };
      },
      registry: this.registry,
      state: this.state,
    };
    this.#observer = this.#owned.add(new ActivityObserver(this.#context));
    this.#operations = this.#owned.add(new AgentOperations(this.#context, this.#observer));
    const { stopper, restarter } = this.#operations;
    this.#roster = new AgentRoster(this.#context, stopper);
    this.#reconciler = this.#owned.add(
      new AgentReconciler(this.#context, {
        observer: this.#observer,
        stopper,
        restarter,
        inTurn: (id, work) => this.#operations.inTurn(id, work),
      }),
    );
  }

  /**
   * Reads what is kept, connects to the host and compares both: living agents are adopted without a restart, interrupted stops are
   * finished, ended agents follow their policy. Idempotent; resolves when the comparison is done.
   * @throws what `store.load` throws. A host that is not ready is no error: agents are `lost` until it is.
   */
  begin(signal?: AbortSignal): Promise<void> {
    this.#begun ??= this.#begin(signal);
    return this.#begun;
  }

  /** Records a new agent; nothing is started. @throws {AgentError} agent.invalidSpec, agent.nameTaken, agent.unknownType, and what the store throws */
  create(spec: AgentSpec, options: CallOptions & { readonly fleetName?: string } = {}): Promise<Agent> {
    this.#operations.requireOpen();
    return this.#roster.create(spec, options.actor ?? 'person', options.fleetName);
  }

  /**
   * Takes in agents at rest whose records `write` keeps, all or none; nothing is started. Those that are replaced have no other operation meanwhile.
   * @throws {AgentError} agent.nameTaken, agent.conflict (an id is taken), agent.stillRunning; what `write` throws. Nothing has changed then
   */
  admit(admission: Admission, write: () => Promise<void>): Promise<void> {
    this.#operations.requireOpen();
    const ids = admission.replaced.map(({ id }) => id).sort(); // one order, so that two never wait for each other
    const inTurns = (at: number): Promise<void> => {
      const id = ids[at];
      if (id === undefined) return this.#roster.admit(admission, write);
      return this.#operations.inTurn(id, () => inTurns(at + 1));
    };
    return inTurns(0);
  }

  /**
   * Starts an agent that does not run; resolves when it is ready (or has ended with code 0). A running one is left alone.
   * Aborting the signal stops what was started. Of every failure `agentOfError` tells the agent.
   * @throws as `AgentStarter.start`, and agent.superseded when a stop came in between
   */
  async start(id: string, options: CallOptions = {}): Promise<void> {
    await this.#operations.start(this.registry.get(id), startOrder(options, 'start_ordered'), options.signal);
  }

  /**
   * Ends an agent for good: `stopped` is persisted as desired before anything is done, then quit keys → SIGTERM → SIGKILL, until every
   * process is proved gone. Also ends a waiting restart and, unless `keepsEnd`, a quarantine. Aborting the signal only ends the waiting. @throws as `AgentStopper.stop`; what the store throws – then nothing was done
   */
  async stop(id: string, options: CallOptions & { readonly keepsEnd?: boolean } = {}): Promise<void> {
    this.#operations.requireOpen();
    const agent = this.registry.get(id);
    await this.#operations.stop(agent, orderOf(options, 'stop_ordered'), options.signal, options.keepsEnd);
  }

  /** Deliveries and tasks wait; the process lives. Pausing a paused agent is fine. @throws {AgentError} agent.notRunning */
  pause(id: string, options: CallOptions = {}): Promise<void> {
    return this.#switch(id, 'paused', options);
  }

  /** @throws {AgentError} agent.notRunning */
  resume(id: string, options: CallOptions = {}): Promise<void> {
    return this.#switch(id, 'running', options);
  }

  /** Stops a live agent and starts it again, or starts an ended one. Aborting the signal leaves it stopped. @throws as `stop` and `start` */
  async restart(id: string, options: CallOptions = {}): Promise<void> {
    this.#operations.requireOpen();
    const agent = this.registry.get(id);
    await this.#operations.restart(agent, orderOf(options, 'restart_ordered'), options.signal);
  }

  /** Starts an agent that is in quarantine, with a fresh restart budget. @throws {AgentError} agent.notAllowed when it is not quarantined; as `start` */
  async release(id: string, options: CallOptions = {}): Promise<void> {
    this.#operations.requireOpen();
    const agent = this.registry.get(id);
    if (agent.record.lifecycle !== 'quarantined')
      throw new AgentError('agent.notAllowed', `${id} is not quarantined`, { agentId: id });
    await this.#operations.start(agent, { ...startOrder(options, 'released'), isRelease: true }, options.signal);
    this.#operations.restarter.forgive(agent.id);
  }

  /**
   * Starts an agent that ended in the conversation it had; resolves when it is ready, with what was lost. The first prompt of its spec is not typed again.
   * @throws {AgentError} agent.cannotResume – nothing was started, or its program refused and it is `failed`; as `start`
   */
  async resumeSession(id: string, options: CallOptions = {}): Promise<ResumeReport> {
    this.#operations.requireOpen();
    const agent = this.registry.get(id);
    await this.#prompts.noteEnd(agent);
    await this.state.flush(); // the report reads in the history how it ended
    const report = await resumeReport(this.#context, agent.record, agent.type);
    const order: StartOrder = { ...startOrder(options, 'resume_ordered'), resume: 'required' };
    await this.#operations.start(agent, order, options.signal);
    this.#prompts.offerAgain(agent, report.interruptedPrompt?.id);
    return report;
  }

  /** It ended, and `resumeSession` can be tried. */
  isResumable(id: string): boolean {
    const { record, type } = this.registry.get(id);
    return isResumable(record, type);
  }

  /** Takes what agents' hooks report; the gateway hands it on. */
  get hooks(): AgentHookIntake {
    return this.#reports.hooks;
  }

  /** What the agent asks a person now. */
  request(id: AgentId): PermissionRequest | undefined {
    return this.#reports.requests.request(id);
  }

  get onDidChangeRequest(): Event<RequestChange> {
    return this.#reports.requests.onDidChange;
  }

  /** Undefined until its program has recorded something. */
  usage(id: AgentId): AgentUsage | undefined {
    return this.#reports.usage.usage(id);
  }

  get onDidChangeUsage(): Event<AgentId> {
    return this.#reports.usage.onDidChange;
  }

  /** What is not known of the agent, or not possible, in words. */
  degraded(id: AgentId): readonly string[] {
    return this.#reports.degraded(id);
  }

  /** A person's answer to what an agent asks. @throws as `PermissionDesk.answer` */
  async answerRequest(
    id: string,
    requestId: string,
    answer: PermissionAnswer,
    { actor = 'person', via = 'window' }: CallOptions & { readonly via?: AnswerDoor } = {},
  ): Promise<void> {
    this.#operations.requireOpen();
    await this.#reports.requests.answer(id, requestId, answer, { actor, via });
  }

  /** Why an agent is said to do what it does. @throws {AgentError} agent.notFound */
  explain(id: string): StateExplanation {
    return this.#observer.explain(this.registry.get(id).id);
  }

  /** Forgets an ended agent; its id is never used again, its history stays. @throws {AgentError} agent.stillRunning unless `stopFirst` */
  async remove(id: string, options: CallOptions & { readonly stopFirst?: boolean } = {}): Promise<void> {
    this.#operations.requireOpen();
    const agent = this.registry.get(id);
    if (options.stopFirst) await this.stop(id, options);
    const work = (signal: AbortSignal): Promise<void> => this.#roster.retire(agent, options.actor ?? 'person', signal);
    await this.#operations.inTurn(agent.id, work, { signal: options.signal });
    this.#operations.forget(agent.id);
  }

  /** Changes the display name; the id stays. @throws {AgentError} agent.invalidSpec, agent.nameTaken */
  async rename(id: string, name: string, options: CallOptions = {}): Promise<void> {
    const agent = this.registry.get(id);
    await this.#operations.inTurn(agent.id, () => this.#roster.rename(agent, name, options.actor ?? 'person'));
  }

  /** Gives an agent that does not run another spec for its next start; the id stays. @throws {AgentError} agent.stillRunning, agent.invalidSpec, agent.nameTaken, agent.unknownType */
  async respecify(
    id: string,
    spec: AgentSpec,
    options: CallOptions & { readonly fleetName?: string } = {},
  ): Promise<void> {
    const agent = this.registry.get(id);
    const { actor = 'person', fleetName } = options;
    await this.#operations.inTurn(agent.id, () => this.#roster.respecify(agent, spec, actor, fleetName));
  }

  /** As Engine.sendPrompt; every text takes this way (ARCHITECTURE.md, "Prompt delivery"). */
  async sendPrompt(id: string, text: string, options: SendPromptOptions = {}): Promise<PromptReceipt> {
    this.#operations.requireOpen();
    return this.#prompts.send(this.registry.get(id), text, options);
  }

  /** Newest first, at most `limit` (default 50). @throws {AgentError} agent.notFound */
  receipts(id: string, limit?: number): Promise<readonly PromptReceipt[]> {
    return this.#prompts.receipts(this.registry.get(id).id, limit);
  }

  /** The newest receipt of an agent, how many prompts wait for it, and of how many it is not known whether they arrived. */
  promptsOf(id: AgentId) {
    return {
      lastReceipt: this.#prompts.lastReceipt(id),
      queuedPromptCount: this.#prompts.queuedCount(id),
      unsurePromptCount: this.#prompts.unsureCount(id),
    };
  }

  /** One fact per step of a delivery. */
  get onDidChangeReceipt(): Event<PromptReceipt> {
    return this.#prompts.onDidChangeReceipt;
  }

  /** As Engine.cancelPrompt. @throws {AgentError} agent.notFound, agent.notAllowed */
  async cancelPrompt(receiptId: string): Promise<void> {
    this.#operations.requireOpen();
    await this.#prompts.cancel(receiptId);
  }

  /** As Engine.settleDelivery. @throws {AgentError} agent.notFound; agent.notAllowed when it is not `delivery_unknown` */
  async settleDelivery(receiptId: string, outcome: 'arrived' | 'lost'): Promise<void> {
    this.#operations.requireOpen();
    await this.#prompts.settle(receiptId, outcome);
  }

  /** As Engine.resendPrompt. @throws as `sendPrompt`; {AgentError} agent.notFound; agent.notAllowed for one that arrived or is under way */
  async resendPrompt(receiptId: string, options: SendPromptOptions = {}): Promise<PromptReceipt> {
    this.#operations.requireOpen();
    return this.#prompts.resend(receiptId, options);
  }

  /** True when it has never run or was stopped, and no order for it is under way. @throws {AgentError} agent.notFound */
  isAtRest(id: string): boolean {
    const agent = this.registry.get(id);
    const { lifecycle, desired } = agent.record;
    return (
      this.#operations.isIdle(agent.id) && desired === 'stopped' && (lifecycle === 'created' || lifecycle === 'stopped')
    );
  }

  /** The history of an agent, newest first. */
  history(id: string, limit = 100): Promise<readonly AgentChange[]> {
    return this.#context.store.changes(this.registry.get(id).id, limit);
  }

  /** Compares store and host again. The supervisor does so by itself when the host comes back. */
  reconcile(): Promise<void> {
    return this.#reconciler.reconcile();
  }

  /** Leaves: waiting operations are cut short, what is known is kept, agents keep running. Idempotent. */
  async detach(): Promise<void> {
    this.#close();
    await Promise.all([this.state.flush(), this.#reports.flush()]);
    this.dispose();
  }

  dispose(): void {
    this.#close();
    this.#owned.dispose();
  }

  async #begin(signal?: AbortSignal): Promise<void> {
    const { host, factory, log } = this.#context;
    await this.state.load();
    this.#operations.requireOpen();
    this.#owned.add(host.onDidExit((exit) => this.#operations.onExit(exit)));
    this.#owned.add(
      host.onDidChangeStatus((status) => {
        const work =
          status.kind === 'ready'
            ? this.#reconciler.reconcile()
            : this.#reconciler.markLost(status.kind === 'stopped' ? 'the host was stopped' : describeStatus(status));
        work.catch((error: unknown) => log.error('agents could not be compared with the host', { error }));
      }),
    );
    this.#owned.add(factory.onDidChangeTypes(() => this.#lookAgain()));
    await host.start(signal);
    this.#operations.requireOpen();
    if (host.status.kind === 'ready') await this.#reconciler.reconcile();
    else await this.#reconciler.markLost(describeStatus(host.status));
    this.#operations.requireOpen();
    await this.#prompts.begin();
    void this.#reports.usage.readAgain(this.registry.list());
  }

  /** A type came or changed: agents whose activity nobody could read may be read now. */
  #lookAgain(): void {
    for (const agent of this.registry.list()) {
      if (isObservable(agent.record.lifecycle) && agent.type) this.#observer.lookSoon(agent.id);
    }
  }

  async #switch(id: string, to: 'running' | 'paused', options: CallOptions): Promise<void> {
    this.#operations.requireOpen();
    const reason = to === 'paused' ? 'pause_ordered' : 'resume_ordered';
    await this.#operations.switch(this.registry.get(id), to, orderOf(options, reason), options.signal);
  }

  #close(): void {
    const closed = this.#operations.close();
    if (closed) this.#prompts.close(closed);
  }
}

function orderOf({ actor }: CallOptions, reason: string): Order {
  return { actor: actor ?? 'person', reason };
}

function startOrder(options: CallOptions, reason: string): StartOrder {
  return { ...orderOf(options, reason), isAutomatic: false };
}

function describeStatus(status: { readonly kind: string; readonly reason?: string; readonly detail?: string }): string {
  return describeError(status.reason ?? status.detail ?? `the host is ${status.kind}`);
}
