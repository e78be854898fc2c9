import type { AgentChange, AgentId, AgentSpec } from './agents/agent';
import type { AgentHost } from './agents/agentHost';
import type { PromptReceipt, SendPromptOptions } from './agents/delivery/promptDelivery';
import type { AnswerDoor } from './agents/answeredRequest';
import type { PermissionAnswer } from './agents/permissionRequest';
import { builtInTypes } from './agents/builtInTypes';
import { type Clock, withTimeout } from './base/clock';
import { type Disposable, DisposableStore, MutableDisposable } from './base/disposable';
import { describeError, OrchestratorError } from './base/errors';
import { Emitter, type Event } from './base/event';
import type { Ids } from './base/ids';
import { ignore, type Logger } from './base/log';
import {
  type AgentTypeInfo,
  type AgentView,
  type AgentViewChange,
  type Diagnosis,
  type DoctorReport,
  type Engine,
  type EngineStatus,
  type ExportReport,
  type ExportRequest,
  type ImportReport,
  type ImportRequest,
  type FleetPlan,
  type FleetResult,
  type FleetStep,
  type MirrorSink,
  type NoticeChange,
  type ResumeReport,
  type StateExplanation,
} from './engine';
import type { EngineCalls } from './engineCalls';
import { engineDiagnosis } from './engineDiagnosis';
import { EngineRun } from './engineRun';
import { EngineError, unavailable } from './engineErrors';
import { systemFailure } from './data/systemFailure';
import { inspectBackup } from './backupInspection';
import { optionsOf } from './maintenanceSteps';
import {
  BLOCKED_NOTICES,
  blockedByStoreNotice,
  hasStoreLoss,
  isBlockedByStore,
  statusWithoutStore,
  storeDiagnoses,
} from './storeDiagnosis';
import type { EngineSettings } from './engineSettings';
import { AgentTypes } from './agentTypes';
import { NoticeBoard } from './monitoring/noticeBoard';
import type { AlertNotice } from './monitoring/alertSink';
import { OutsideData, type OutsideKind, type OutsideRule, type OutsideSchema } from './outsideData';
import { ViewBoard } from './viewBoard';
import type { OutsideTransformation } from './data/processing/outsideStep';
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
/** A folder that could not be written is tried again by itself: space is freed and disks are mounted elsewhere. */
const TRY_AGAIN_MS = 15_000;
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
  readonly #outside: OutsideData;
  #status: EngineStatus = { kind: 'stopped' };
  #run: EngineRun | undefined;
  /** Of the last run that got so far. */
  #workspace: Workspace | undefined;
  #turn: Promise<void> = Promise.resolve();
  readonly #nextTry = this.#owned.add(new MutableDisposable<Disposable>());
  /** It is tried again by itself: what is shown stays until the outcome is known. */
  #isTryingAlone = false;

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
    this.#types = this.#owned.add(new AgentTypes(builtInTypes, onFailure));
    this.#outside = new OutsideData(ports.clock);
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
    return this.#run?.link?.types ?? this.#types.infos;
  }

  registerAgentType(manifest: unknown): Disposable {
    return this.#types.register(manifest);
  }

  registerValidationRule(rule: OutsideRule | OutsideSchema): Disposable {
    return this.#outside.registerRule(rule);
  }

  validationSchema(kind: OutsideKind): Readonly<Record<string, unknown>> {
    return this.#outside.schema(kind);
  }

  registerTransformation(transformation: OutsideTransformation): Disposable {
    return this.#outside.registerTransformation(transformation);
  }

  get notices(): readonly AlertNotice[] {
    return this.#notices.notices;
  }

  // --- life ---------------------------------------------------------------------------------------------------

  start(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#owned.isDisposed) return;
      const status = this.#status;
      if (status.kind === 'ready' && status.isReadOnly) this.#run?.owner?.reopen({ isLossAccepted: false });
      const mayBegin = status.kind === 'blocked' || (status.kind === 'restricted' && this.ports.settings().isTrusted);
      if (this.#run && !mayBegin) return;
      this.#isTryingAlone = false;
      await this.#begin();
    });
  }

  stop(deadlineMs = STOP_DEADLINE_MS): Promise<void> {
    return this.#inTurn(() => {
      this.#isTryingAlone = false;
      return this.#end(deadlineMs);
    });
  }

  #tryAlone(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#owned.isDisposed || this.#status.kind !== 'blocked') return;
      this.#isTryingAlone = true;
      await this.#begin();
    });
  }

  async #begin(): Promise<void> {
    await this.#end(STOP_DEADLINE_MS);
    this.#setStatus({ kind: 'starting' });
    this.#run = this.#newRun();
    this.#run.begin();
  }

  /** One beginning or ending at a time. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch((error: unknown) => this.ports.log.error('the engine', { error }));
    return turn;
  }

  async #end(deadlineMs: number): Promise<void> {
    this.#nextTry.value = undefined;
    const run = this.#run;
    if (!run) return;
    run.abort(new EngineError('engine.stopped', 'the engine was stopped'));
    await withTimeout(this.ports.clock, deadlineMs, run.done, () => new Error('stop took too long')).catch(
      (error: unknown) =>
        ignore(this.ports.log, error, 'the engine is let go; agents keep running and are adopted at the next start'),
    );
    run.dispose();
    this.#run = undefined;
    this.#setStatus({ kind: 'stopped' });
  }

  /** Impolite: releases everything at once. Agents keep running. */
  dispose(): void {
    this.#run?.abort(new EngineError('engine.stopped', 'the engine was disposed'));
    this.#run?.dispose();
    this.#run = undefined;
    this.#owned.dispose();
  }

  #newRun(): EngineRun {
    return new EngineRun({
      ...this.ports,
      board: this.#board,
      notices: this.#notices,
      types: this.#types,
      outside: this.#outside,
      engine: this,
      onStatus: (status) => this.#setStatus(status),
      onReceipt: (receipt) => this.#onDidChangeReceipt.fire(receipt),
      onTypes: () => this.#onDidChangeAgentTypes.fire(),
      onWorkspace: (workspace) => (this.#workspace = workspace),
      onBlocked: (error) => this.#block(error),
    });
  }

  #block(thrown: unknown): void {
    if (this.#owned.isDisposed) return;
    const error = systemFailure('a file or folder that Core Orchestrator needs cannot be used', thrown);
    const code = error instanceof OrchestratorError ? error.code : 'engine.failed';
    const detail = describeError(error);
    const isKnown = this.#status.kind === 'blocked' && this.#status.detail === detail;
    if (!isKnown) this.ports.log.error('the engine cannot work', { code, error: describeError(thrown) });
    this.#board.replaceAll([]);
    if (code.startsWith('data.')) this.#raiseBlocked(blockedByStoreNotice(code, detail, this.ports.clock.nowMs()));
    this.#setStatus({ kind: 'blocked', code, detail });
    this.#tryLater();
  }

  #tryLater(): void {
    if (this.#status.kind !== 'blocked' || this.#status.code !== 'data.io') return;
    this.#nextTry.value = this.ports.clock.setTimer(TRY_AGAIN_MS, () => void this.#tryAlone());
  }

  #raiseBlocked(notice: AlertNotice): void {
    for (const other of BLOCKED_NOTICES) if (other !== notice.fingerprint) this.#notices.resolve(other);
    this.#notices.raise(notice);
  }

  #setStatus(status: EngineStatus): void {
    if (this.#isTryingAlone && (status.kind === 'starting' || status.kind === 'stopped')) return;
    this.#isTryingAlone = false;
    if (JSON.stringify(status) === JSON.stringify(this.#status)) return;
    if (status.kind === 'ready' || status.kind === 'following')
      for (const over of BLOCKED_NOTICES) this.#notices.resolve(over);
    this.#status = status;
    this.ports.log.info('engine', { ...status });
    this.#onDidChangeStatus.fire(status);
  }

  takeOver(): void {
    if (this.#status.kind === 'following' && !this.#status.isOwnerResponding) this.#workspace?.lock.takeOver();
  }

  acceptStoreLoss(): Promise<void> {
    if (!hasStoreLoss(this.#notices.notices)) return Promise.resolve();
    const remote = this.#run?.link?.remote;
    if (remote) return remote.acceptStoreLoss();
    this.#run?.owner?.reopen({ isLossAccepted: true });
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

  async answerRequest(id: AgentId, requestId: string, answer: PermissionAnswer, via?: AnswerDoor): Promise<void> {
    return (await this.#calls()).answerRequest(id, requestId, answer, via);
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

  async exportData(
    request: ExportRequest,
    onProgress: (step: FleetStep) => void,
    signal: AbortSignal,
  ): Promise<ExportReport> {
    return (await this.#calls()).exportData(request, onProgress, signal);
  }

  async importData(
    request: ImportRequest,
    onProgress: (step: FleetStep) => void,
    signal: AbortSignal,
  ): Promise<ImportReport> {
    return (await this.#calls()).importData(request, onProgress, signal);
  }

  dataStatus: EngineCalls['dataStatus'] = async () => {
    const keeper = isBlockedByStore(this.#status) ? this.#workspace?.storeKeeper : undefined;
    return keeper ? statusWithoutStore(keeper, this.#status) : (await this.#calls()).dataStatus();
  };
  searchRecords: EngineCalls['searchRecords'] = async (request) => (await this.#calls()).searchRecords(request);
  pipelines: EngineCalls['pipelines'] = async () => (await this.#calls()).pipelines();
  runPipeline: EngineCalls['runPipeline'] = async (...args) => (await this.#calls()).runPipeline(...args);
  removePipeline: EngineCalls['removePipeline'] = async (name) => (await this.#calls()).removePipeline(name);
  rejected: EngineCalls['rejected'] = async (...args) => (await this.#calls()).rejected(...args);
  checkIntegrity: EngineCalls['checkIntegrity'] = async (...args) => (await this.#calls()).checkIntegrity(...args);
  fixIntegrity: EngineCalls['fixIntegrity'] = async (fix) => (await this.#calls()).fixIntegrity(fix);
  checkData: EngineCalls['checkData'] = async (...args) => (await this.#calls()).checkData(...args);
  backUpData: EngineCalls['backUpData'] = async (...args) => (await this.#calls()).backUpData(...args);
  compactData: EngineCalls['compactData'] = async (...args) => (await this.#calls()).compactData(...args);

  inspectBackup: Engine['inspectBackup'] = async (file, onProgress, signal) => {
    await this.#whenStarted();
    const isHere = this.#status.kind === 'ready' || isBlockedByStore(this.#status);
    const keeper = isHere ? this.#workspace?.storeKeeper : undefined;
    if (!keeper) throw this.#unavailable();
    return inspectBackup(keeper, file, optionsOf(onProgress, signal));
  };

  restoreData: EngineCalls['restoreData'] = async (backup, onProgress, signal) => {
    const keeper = isBlockedByStore(this.#status) ? this.#workspace?.storeKeeper : undefined;
    if (!keeper) return (await this.#calls()).restoreData(backup, onProgress, signal);
    this.#nextTry.value = undefined; // nobody opens what is being restored
    const preparing = keeper.prepareRestore(backup, optionsOf(onProgress, signal));
    const report = await preparing.catch((error: unknown) => (this.#tryLater(), Promise.reject(error)));
    await this.start();
    return report;
  };

  attachCommand(id: AgentId): { readonly program: string; readonly args: readonly string[] } {
    return this.#host().attachCommand(id, { mayType: this.#run?.link?.remote !== undefined });
  }

  async attachedClients(): Promise<ReadonlyMap<number, AgentId>> {
    return this.#host().attachedClients();
  }

  mirror(id: AgentId, sink: MirrorSink): Disposable {
    return this.#host().mirror(id, sink);
  }

  async diagnose(): Promise<readonly Diagnosis[]> {
    return [
      engineDiagnosis(this.#status),
      ...(await this.#diagnoseStore()),
      ...((await this.#workspace?.diagnose()) ?? []),
    ];
  }

  /** The store of whoever owns it; the status says why there is none to be asked. */
  async #diagnoseStore(): Promise<readonly Diagnosis[]> {
    try {
      const status = await this.#presentCalls()?.dataStatus();
      return status ? storeDiagnoses(status) : [];
    } catch (error) {
      return [{ id: 'store', label: 'Store', level: 'warning', detail: describeError(error) }];
    }
  }

  /** The owner's own, or the owner's gateway while following. */
  async #calls(): Promise<EngineCalls> {
    const calls = this.#presentCalls() ?? (await this.#whenStarted()).#presentCalls();
    if (!calls) throw this.#unavailable();
    return calls;
  }

  #presentCalls(): EngineCalls | undefined {
    return this.#run?.calls;
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
    const host = this.#run?.host;
    if (!host) throw this.#unavailable();
    return host;
  }

  #unavailable(): EngineError {
    return unavailable(this.#status);
  }
}
