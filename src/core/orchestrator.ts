import type { AgentChange, AgentId, AgentSpec } from './agents/agent';
import type { AgentHost } from './agents/agentHost';
import type { PromptReceipt, SendPromptOptions } from './agents/delivery/promptDelivery';
import type { PermissionAnswer } from './agents/permissionRequest';
import { builtInTypes } from './agents/builtInTypes';
import { type Clock, withTimeout } from './base/clock';
import { type Disposable, DisposableStore } from './base/disposable';
import { describeError, OrchestratorError } from './base/errors';
import { Emitter, type Event } from './base/event';
import type { Ids } from './base/ids';
import { ignore, type Logger } from './base/log';
import type { Ownership, OwnerState } from './data/workspaceLock';
import {
  type AgentTypeInfo,
  type AgentView,
  type AgentViewChange,
  type Diagnosis,
  type DoctorReport,
  type Engine,
  type EngineStatus,
  type FleetPlan,
  type FleetResult,
  type FleetStep,
  type MirrorSink,
  type NoticeChange,
  type ResumeReport,
  type StateExplanation,
  STORE_LOSS,
} from './engine';
import type { EngineCalls } from './engineCalls';
import { type EngineParts, loadParts } from './engineParts';
import { EngineError, unavailable } from './engineErrors';
import type { EngineSettings } from './engineSettings';
import { AgentTypes } from './agentTypes';
import { FollowerSession } from './followerSession';
import { NoticeBoard } from './monitoring/noticeBoard';
import type { AlertNotice } from './monitoring/alertSink';
import { OwnerLink } from './ownerLink';
import type { OwnerSession as Session, SessionEnd } from './ownerSession';
import { ViewBoard } from './viewBoard';
import type { OpenWorkspace, Workspace } from './workspace';

export interface OrchestratorPorts {
  readonly openWorkspace: OpenWorkspace;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  /** In [0, 1). */
  readonly random: () => number;
  /** Read at each use: settings may change while the engine runs. */
  readonly settings: () => EngineSettings;
}

/** A new window lets the old one's host end within this; `stop` is impolite after it. */
const STOP_DEADLINE_MS = 900;
/** Starting takes well under a second; longer means that something is wrong, which the status says. */
const START_PATIENCE_MS = 10_000;

/**
 * The engine of one workspace: decides with the other windows who owns it, and is then either the owner (store, tmux,
 * supervisor) or a follower that watches. Modules start in dependency order and stop in reverse.
 */
export class Orchestrator implements Engine {
  readonly #owned = new DisposableStore();
  readonly #onDidChangeStatus: Emitter<EngineStatus>;
  readonly #onDidChangeReceipt: Emitter<PromptReceipt>;
  readonly #onDidChangeAgentTypes: Emitter<void>;
  readonly #board: ViewBoard;
  readonly #notices: NoticeBoard;
  readonly #types: AgentTypes;
  #status: EngineStatus = { kind: 'stopped' };
  #run: { readonly abort: AbortController; readonly done: Promise<void> } | undefined;
  #workspace: Workspace | undefined;
  #owner: Session | undefined;
  #follower: FollowerSession | undefined;
  #turn: Promise<void> = Promise.resolve();
  #parts: EngineParts | undefined;

  readonly onDidChangeStatus: Event<EngineStatus>;
  readonly onDidChangeAgent: Event<AgentViewChange>;
  readonly onDidChangeNotices: Event<NoticeChange>;
  readonly onDidChangeAgentTypes: Event<void>;
  readonly onDidChangeReceipt: Event<PromptReceipt>;

  constructor(private readonly ports: OrchestratorPorts) {
    const onFailure = (error: unknown): void => ports.log.error('a listener of the engine failed', { error });
    this.#onDidChangeStatus = this.#owned.add(new Emitter<EngineStatus>(onFailure));
    this.#board = this.#owned.add(new ViewBoard(onFailure));
    this.#notices = this.#owned.add(new NoticeBoard(onFailure));
    this.#types = this.#owned.add(new AgentTypes(builtInTypes(), onFailure));
    this.#onDidChangeReceipt = this.#owned.add(new Emitter<PromptReceipt>(onFailure));
    this.#onDidChangeAgentTypes = this.#owned.add(new Emitter<void>(onFailure));
    this.#owned.add(this.#types.onDidChange(() => this.#onDidChangeAgentTypes.fire()));
    this.onDidChangeReceipt = this.#onDidChangeReceipt.event;
    this.onDidChangeStatus = this.#onDidChangeStatus.event;
    this.onDidChangeAgent = this.#board.onDidChange;
    this.onDidChangeNotices = this.#notices.onDidChange;
    this.onDidChangeAgentTypes = this.#onDidChangeAgentTypes.event;
  }

  get status(): EngineStatus {
    return this.#status;
  }

  get agents(): readonly AgentView[] {
    return this.#board.views;
  }

  agent(id: string): AgentView | undefined {
    return this.#board.find(id);
  }

  get agentTypes(): readonly AgentTypeInfo[] {
    return this.#follower?.link?.types ?? this.#types.infos;
  }

  registerAgentType(manifest: unknown): Disposable {
    return this.#types.register(manifest);
  }

  get notices(): readonly AlertNotice[] {
    return this.#notices.notices;
  }

  // --- life ---------------------------------------------------------------------------------------------------

  start(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#owned.isDisposed) return;
      const status = this.#status;
      if (status.kind === 'ready' && status.isReadOnly) this.#owner?.reopen({ isLossAccepted: false });
      const mayBegin = status.kind === 'blocked' || (status.kind === 'restricted' && this.ports.settings().isTrusted);
      if (this.#run && !mayBegin) return;
      await this.#end(STOP_DEADLINE_MS);
      const abort = new AbortController();
      this.#setStatus({ kind: 'starting' });
      const done = this.#work(abort.signal).catch((error: unknown) => this.#block(error, abort.signal));
      this.#run = { abort, done };
    });
  }

  stop(deadlineMs = STOP_DEADLINE_MS): Promise<void> {
    return this.#inTurn(() => this.#end(deadlineMs));
  }

  /** One beginning or ending at a time. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch((error: unknown) => this.ports.log.error('the engine', { error }));
    return turn;
  }

  async #end(deadlineMs: number): Promise<void> {
    const run = this.#run;
    if (!run) return;
    this.#run = undefined;
    run.abort.abort(new EngineError('engine.stopped', 'the engine was stopped'));
    await withTimeout(this.ports.clock, deadlineMs, run.done, () => new Error('stop took too long')).catch(
      (error: unknown) =>
        ignore(this.ports.log, error, 'the engine is let go; agents keep running and are adopted at the next start'),
    );
    this.#owner?.dispose();
    this.#follower?.dispose();
    this.#owner = this.#follower = undefined;
    this.#setStatus({ kind: 'stopped' });
  }

  /** Impolite: releases everything at once. Agents keep running. */
  dispose(): void {
    this.#run?.abort.abort(new EngineError('engine.stopped', 'the engine was disposed'));
    this.#run = undefined;
    this.#owner?.dispose();
    this.#follower?.dispose();
    this.#owned.dispose();
  }

  /** Follows, owns, and follows again, until aborted. Rejects with what blocks the engine. */
  async #work(signal: AbortSignal): Promise<void> {
    const workspace = await this.ports.openWorkspace(signal);
    this.#parts ??= await loadParts();
    this.#workspace = workspace;
    if (!this.ports.settings().isTrusted) return this.#watchOnly(workspace, signal);
    while (!signal.aborted) {
      const ownership = await this.#acquire(workspace, signal);
      if (!ownership) return;
      try {
        await this.#ownUntilLost(workspace, ownership, signal);
      } finally {
        ownership.release();
      }
    }
  }

  async #acquire(workspace: Workspace, signal: AbortSignal): Promise<Ownership | undefined> {
    try {
      return await workspace.lock.acquire((owner) => this.#follow(workspace, owner, signal), signal);
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    } finally {
      this.#follower?.dispose();
      this.#follower = undefined;
    }
  }

  #follow(workspace: Workspace, owner: OwnerState, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#showFollowing(owner);
    if (this.#follower) this.#follower.ownerChanged();
    else
      this.#watch(
        workspace,
        signal,
        this.#createLink(workspace, () => this.#showFollowing()),
      );
  }

  #showFollowing(owner?: OwnerState): void {
    const present = this.#status.kind === 'following' ? this.#status : undefined;
    const ownerPid = owner?.pid ?? present?.ownerPid;
    if (ownerPid === undefined) return;
    const isOwnerResponding = owner ? owner.kind === 'responding' : (present?.isOwnerResponding ?? true);
    const isConnected = isOwnerResponding && this.#follower?.link?.remote !== undefined;
    this.#setStatus({ kind: 'following', ownerPid, isOwnerResponding, isConnected });
  }

  #createLink(workspace: Workspace, onChange: () => void): OwnerLink {
    const { clock, log } = this.ports;
    return new OwnerLink({
      connect: async (signal) => {
        const client = await workspace.connectGateway(signal);
        const { RemoteEngine } = this.#parts ?? (await loadParts());
        return client && RemoteEngine.follow(client, log, signal);
      },
      board: this.#board,
      notices: this.#notices,
      onReceipt: (receipt) => this.#onDidChangeReceipt.fire(receipt),
      onTypes: () => this.#onDidChangeAgentTypes.fire(),
      onChange: () => {
        onChange();
        this.#follower?.ownerChanged();
      },
      clock,
      log,
    });
  }

  #watch(workspace: Workspace, signal: AbortSignal, link?: OwnerLink): void {
    if (this.#follower || signal.aborted) return;
    const { clock, log } = this.ports;
    const host = workspace.createHost('observer', () => false);
    this.#follower = new FollowerSession({ host, board: this.#board, clock, log, ...(link && { link }) });
    this.#follower.start(signal).catch((error: unknown) => {
      if (!signal.aborted) log.warn('agents in tmux cannot be watched', { error: describeError(error) });
    });
  }

  /** Restricted Mode: what runs already is shown; nothing is started, typed or written. Ends with `signal`. */
  async #watchOnly(workspace: Workspace, signal: AbortSignal): Promise<void> {
    this.#setStatus({ kind: 'restricted' });
    this.#watch(workspace, signal);
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    this.#follower?.dispose();
    this.#follower = undefined;
  }

  /** Sessions of one ownership: one follows another when a person asks for it. */
  async #ownUntilLost(workspace: Workspace, ownership: Ownership, signal: AbortSignal): Promise<void> {
    let isLossAccepted = false;
    for (;;) {
      const end = await this.#own(workspace, ownership, isLossAccepted, signal);
      if (end.kind !== 'reopen') return;
      isLossAccepted = end.isLossAccepted;
    }
  }

  async #own(
    workspace: Workspace,
    ownership: Ownership,
    isLossAccepted: boolean,
    signal: AbortSignal,
  ): Promise<SessionEnd> {
    const { clock, ids, log, random, settings } = this.ports;
    const { OwnerSession } = this.#parts ?? (await loadParts());
    const session: Session = new OwnerSession({
      workspace, ownership, isLossAccepted, clock, ids, log, random, settings,
      board: this.#board, notices: this.#notices, types: this.#types,
      onStatus: (status) => this.#setStatus(status),
      onReceipt: (receipt) => this.#onDidChangeReceipt.fire(receipt),
      engine: this,
    }); // prettier-ignore
    this.#owner = session;
    try {
      return await session.run(signal);
    } catch (error) {
      // Whoever lost the workspace while it was getting ready follows like everybody else.
      if (!signal.aborted && !ownership.isStillMine()) return { kind: 'lost' };
      throw error;
    } finally {
      await session.close();
      if (this.#owner === session) this.#owner = undefined;
    }
  }

  #block(error: unknown, signal: AbortSignal): void {
    if (signal.aborted || this.#owned.isDisposed) return;
    const code = error instanceof OrchestratorError ? error.code : 'engine.failed';
    this.ports.log.error('the engine cannot work', { code, error: describeError(error) });
    this.#board.replaceAll([]);
    this.#setStatus({ kind: 'blocked', code, detail: describeError(error) });
  }

  #setStatus(status: EngineStatus): void {
    if (JSON.stringify(status) === JSON.stringify(this.#status)) return;
    this.#status = status;
    this.ports.log.info('engine', { ...status });
    this.#onDidChangeStatus.fire(status);
  }

  takeOver(): void {
    if (this.#status.kind === 'following' && !this.#status.isOwnerResponding) this.#workspace?.lock.takeOver();
  }

  acceptStoreLoss(): Promise<void> {
    const hasLoss = this.#notices.notices.some(({ fingerprint }) => fingerprint === STORE_LOSS);
    if (!hasLoss) return Promise.resolve();
    const remote = this.#follower?.link?.remote;
    if (remote) return remote.acceptStoreLoss();
    this.#owner?.reopen({ isLossAccepted: true });
    return Promise.resolve();
  }

  // --- calls --------------------------------------------------------------------------------------------------

  async startAgent(spec: AgentSpec, signal?: AbortSignal): Promise<AgentId> {
    return (await this.#calls()).startAgent(spec, signal);
  }

  async startExisting(id: AgentId, signal?: AbortSignal): Promise<void> {
    return (await this.#calls()).startExisting(id, signal);
  }

  async resumeSession(id: AgentId, signal?: AbortSignal): Promise<ResumeReport> {
    return (await this.#calls()).resumeSession(id, signal);
  }

  async resumeFleet(onProgress: (step: FleetStep) => void, signal: AbortSignal): Promise<FleetResult> {
    return (await this.#calls()).resumeFleet(onProgress, signal);
  }

  async stopAgent(id: AgentId, signal?: AbortSignal): Promise<void> {
    return (await this.#calls()).stopAgent(id, signal);
  }

  async restartAgent(id: AgentId, signal?: AbortSignal): Promise<void> {
    return (await this.#calls()).restartAgent(id, signal);
  }

  async pauseAgent(id: AgentId): Promise<void> {
    return (await this.#calls()).pauseAgent(id);
  }

  async resumeAgent(id: AgentId): Promise<void> {
    return (await this.#calls()).resumeAgent(id);
  }

  async releaseQuarantine(id: AgentId): Promise<void> {
    return (await this.#calls()).releaseQuarantine(id);
  }

  async renameAgent(id: AgentId, name: string): Promise<void> {
    return (await this.#calls()).renameAgent(id, name);
  }

  async removeAgent(id: AgentId, signal?: AbortSignal): Promise<void> {
    return (await this.#calls()).removeAgent(id, signal);
  }

  async sendPrompt(id: AgentId, text: string, options?: SendPromptOptions): Promise<PromptReceipt> {
    return (await this.#calls()).sendPrompt(id, text, options);
  }

  async receipts(id: AgentId, limit?: number): Promise<readonly PromptReceipt[]> {
    return (await this.#calls()).receipts(id, limit);
  }

  async cancelPrompt(receiptId: string): Promise<void> {
    return (await this.#calls()).cancelPrompt(receiptId);
  }

  async settleDelivery(receiptId: string, outcome: 'arrived' | 'lost'): Promise<void> {
    return (await this.#calls()).settleDelivery(receiptId, outcome);
  }

  async resendPrompt(receiptId: string, options?: SendPromptOptions): Promise<PromptReceipt> {
    return (await this.#calls()).resendPrompt(receiptId, options);
  }

  async answerRequest(id: AgentId, requestId: string, answer: PermissionAnswer): Promise<void> {
    return (await this.#calls()).answerRequest(id, requestId, answer);
  }

  async explain(id: AgentId): Promise<StateExplanation> {
    return (await this.#calls()).explain(id);
  }

  async screen(id: AgentId): Promise<string> {
    return (await this.#calls()).screen(id);
  }

  async doctor(typeId: string, signal: AbortSignal): Promise<DoctorReport> {
    return (await this.#calls()).doctor(typeId, signal);
  }

  async planFleet(text: string, fileName: string): Promise<FleetPlan> {
    return (await this.#calls()).planFleet(text, fileName);
  }

  async approveFleet(hashes: readonly string[]): Promise<void> {
    return (await this.#calls()).approveFleet(hashes);
  }

  async startFleet(plan: FleetPlan, onProgress: (step: FleetStep) => void, signal: AbortSignal): Promise<FleetResult> {
    return (await this.#calls()).startFleet(plan, onProgress, signal);
  }

  async stopAll(onProgress: (step: FleetStep) => void, signal: AbortSignal): Promise<FleetResult> {
    return (await this.#calls()).stopAll(onProgress, signal);
  }

  async history(id: AgentId, limit = 100): Promise<readonly AgentChange[]> {
    return (await this.#calls()).history(id, limit);
  }

  attachCommand(id: AgentId): { readonly program: string; readonly args: readonly string[] } {
    return this.#host().attachCommand(id, { mayType: this.#follower?.link?.remote !== undefined });
  }

  async attachedClients(): Promise<ReadonlyMap<number, AgentId>> {
    return this.#host().attachedClients();
  }

  mirror(id: AgentId, sink: MirrorSink): Disposable {
    return this.#host().mirror(id, sink);
  }

  async diagnose(): Promise<readonly Diagnosis[]> {
    const status: Diagnosis = {
      id: 'engine',
      label: 'Engine',
      level: this.#status.kind === 'blocked' ? 'error' : 'ok',
      detail: this.#status.kind === 'blocked' ? this.#status.detail : this.#status.kind,
    };
    return [status, ...((await this.#workspace?.diagnose()) ?? [])];
  }

  /** The owner's own, or the owner's gateway while following. */
  async #calls(): Promise<EngineCalls> {
    const calls = this.#presentCalls() ?? (await this.#whenStarted()).#presentCalls();
    if (!calls) throw this.#unavailable();
    return calls;
  }

  #presentCalls(): EngineCalls | undefined {
    return this.#owner?.calls ?? this.#follower?.calls;
  }

  /** A person who acts while the engine is still starting waits for it instead of being sent away. */
  async #whenStarted(): Promise<this> {
    if (this.#status.kind !== 'starting') return this;
    const owned = new DisposableStore();
    const started = new Promise<void>((resolve) => {
      owned.add(this.onDidChangeStatus(({ kind }) => kind !== 'starting' && resolve()));
      owned.add(this.ports.clock.setTimer(START_PATIENCE_MS, resolve));
    });
    await started.finally(() => owned.dispose());
    return this;
  }

  #host(): AgentHost {
    const host = this.#owner?.host ?? this.#follower?.host;
    if (!host) throw this.#unavailable();
    return host;
  }

  #unavailable(): EngineError {
    return unavailable(this.#status);
  }
}
