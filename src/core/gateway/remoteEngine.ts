import { CHANGED_METHOD, type GatewayMethod, type GatewayParams } from '../../shared/gatewayMethods';
import type { AgentChange, AgentId, AgentSpec } from '../agents/agent';
import type { PromptReceipt, SendPromptOptions } from '../agents/delivery/promptDelivery';
import type { AnswerDoor } from '../agents/answeredRequest';
import type { PermissionAnswer } from '../agents/permissionRequest';
import { DisposableStore } from '../base/disposable';
import { Emitter } from '../base/event';
import { ignore, type Logger } from '../base/log';
import type * as engine from '../engine';
import { resultOfWire, stepOfWire } from './fleetWire';
import type { GatewayClient, RequestOptions } from './gatewayClient';
import { isLeftOut } from './listedViews';
import type { GatewayResults, WatchChange, WireFleetResult } from './gatewayResults';

/** What a window that follows has from the owner: everything of an engine but what belongs to the window itself. */
export type FollowedEngine = Omit<
  engine.Engine,
  | 'start'
  | 'stop'
  | 'takeOver'
  | 'inspectBackup'
  | 'registerAgentType'
  | 'registerValidationRule'
  | 'registerTransformation'
  | 'validationSchema'
  | 'attachCommand'
  | 'attachedClients'
  | 'mirror'
>;

/**
 * The owner's engine as a following window sees it, through the gateway: the same agents, types and notices, mirrored, and the
 * same calls, forwarded. Errors are the engine's own where it has a code for them, else `GatewayError`; `gateway.disconnected`
 * means that it is not known whether it was done. Once closed it stays closed: the session makes another one.
 */
export class RemoteEngine implements FollowedEngine {
  readonly #owned = new DisposableStore();
  readonly #agents = new Map<string, engine.AgentView>();
  /** By fingerprint, oldest first. */
  readonly #notices = new Map<string, engine.NoticeChange['notice']>();
  readonly #onStatus: Emitter<engine.EngineStatus>;
  readonly #onAgent: Emitter<engine.AgentViewChange>;
  readonly #onTypes: Emitter<void>;
  readonly #onNotices: Emitter<engine.NoticeChange>;
  readonly #onReceipt: Emitter<PromptReceipt>;
  readonly onDidChangeStatus;
  readonly onDidChangeAgent;
  readonly onDidChangeAgentTypes;
  readonly onDidChangeNotices;
  readonly onDidChangeReceipt;
  /** The connection has ended, by whomever. What was under way was rejected with `gateway.disconnected`. */
  readonly onDidClose;
  #status: engine.EngineStatus = { kind: 'starting' };
  #types: readonly engine.AgentTypeInfo[] = [];
  #seq: number | undefined;
  /** Changes that came before the answer with the snapshot was taken. */
  #early: WatchChange[] = [];

  private constructor(
    private readonly client: GatewayClient,
    private readonly log: Logger,
  ) {
    const report = (error: unknown): void => log.error('a listener of the followed engine failed', { error });
    this.#onStatus = new Emitter<engine.EngineStatus>(report);
    this.#onAgent = new Emitter<engine.AgentViewChange>(report);
    this.#onTypes = new Emitter<void>(report);
    this.#onNotices = new Emitter<engine.NoticeChange>(report);
    this.#onReceipt = new Emitter<PromptReceipt>(report);
    this.onDidChangeStatus = this.#onStatus.event;
    this.onDidChangeAgent = this.#onAgent.event;
    this.onDidChangeAgentTypes = this.#onTypes.event;
    this.onDidChangeNotices = this.#onNotices.event;
    this.onDidChangeReceipt = this.#onReceipt.event;
    this.onDidClose = client.onDidClose;
    this.#owned.add(client);
    this.#owned.add(
      client.onDidNotify(({ method, params }) => {
        if (method === CHANGED_METHOD) this.#changed(params as unknown as WatchChange); // the gateway's own notification
      }),
    );
  }

  /** Resolves when the owner's state is mirrored. The client is owned from then on. @throws what {@link GatewayClient.request} throws */
  static async follow(client: GatewayClient, log: Logger, signal?: AbortSignal): Promise<RemoteEngine> {
    const remote = new RemoteEngine(client, log);
    try {
      await remote.#watch(signal);
      return remote;
    } catch (error) {
      remote.dispose();
      throw error;
    }
  }

  /** The owner's own status: `ready` as a rule. */
  get status(): engine.EngineStatus {
    return this.#status;
  }

  get agents(): readonly engine.AgentView[] {
    return [...this.#agents.values()];
  }

  get agentTypes(): readonly engine.AgentTypeInfo[] {
    return this.#types;
  }

  get notices(): engine.Engine['notices'] {
    return [...this.#notices.values()].reverse();
  }

  agent(id: string): engine.AgentView | undefined {
    return this.#agents.get(id);
  }

  // --- calls

  async startAgent(spec: AgentSpec, signal?: AbortSignal): Promise<AgentId> {
    return (await this.client.request('agent.start', { spec }, until(signal))).agentId;
  }

  resumeSession(agentId: AgentId, signal?: AbortSignal): Promise<engine.ResumeReport> {
    return this.client.request('agent.resume', { agentId }, until(signal));
  }

  startExisting(agentId: AgentId, signal?: AbortSignal): Promise<void> {
    return this.#do('agent.startExisting', { agentId }, signal);
  }

  stopAgent(agentId: AgentId, signal?: AbortSignal): Promise<void> {
    return this.#do('agent.stop', { agentId }, signal);
  }

  restartAgent(agentId: AgentId, signal?: AbortSignal): Promise<void> {
    return this.#do('agent.restart', { agentId }, signal);
  }

  pauseAgent(agentId: AgentId): Promise<void> {
    return this.#do('agent.pause', { agentId });
  }

  resumeAgent(agentId: AgentId): Promise<void> {
    return this.#do('agent.unpause', { agentId });
  }

  releaseQuarantine(agentId: AgentId): Promise<void> {
    return this.#do('agent.release', { agentId });
  }

  renameAgent(agentId: AgentId, name: string): Promise<void> {
    return this.#do('agent.rename', { agentId, name });
  }

  removeAgent(agentId: AgentId, signal?: AbortSignal): Promise<void> {
    return this.#do('agent.remove', { agentId }, signal);
  }

  /** `options.actor` stays behind: the owner knows who calls. */
  sendPrompt(agentId: AgentId, text: string, options: SendPromptOptions = {}): Promise<PromptReceipt> {
    return this.client.request('agent.prompt', { agentId, text, ...blocked(options) }, until(options.signal));
  }

  receipts(agentId: AgentId, limit?: number): Promise<readonly PromptReceipt[]> {
    return this.client.request('agent.receipts', { agentId, ...(limit !== undefined && { limit }) });
  }

  cancelPrompt(receiptId: string): Promise<void> {
    return this.#do('agent.cancelPrompt', { receiptId });
  }

  settleDelivery(receiptId: string, outcome: 'arrived' | 'lost'): Promise<void> {
    return this.#do('agent.settleDelivery', { receiptId, outcome });
  }

  resendPrompt(receiptId: string, options: SendPromptOptions = {}): Promise<PromptReceipt> {
    return this.client.request('agent.resendPrompt', { receiptId, ...blocked(options) }, until(options.signal));
  }

  answerRequest(agentId: AgentId, requestId: string, answer: PermissionAnswer, from?: AnswerDoor): Promise<void> {
    const via = from === 'notification' ? from : 'window';
    if (answer.kind === 'allow') return this.#do('agent.approve', { agentId, requestId, via });
    const { reason } = answer;
    return this.#do('agent.deny', { agentId, requestId, via, ...(reason !== undefined && { reason }) });
  }

  explain(agentId: AgentId): Promise<engine.StateExplanation> {
    return this.client.request('agent.explain', { agentId });
  }

  async screen(agentId: AgentId): Promise<string> {
    return (await this.client.request('agent.screen', { agentId })).text;
  }

  doctor(typeId: string, signal: AbortSignal): Promise<engine.DoctorReport> {
    return this.client.request('doctor.run', { typeId }, { signal });
  }

  planFleet(text: string, fileName: string): Promise<engine.FleetPlan> {
    return this.client.request('fleet.plan', { text, fileName });
  }

  approveFleet(hashes: readonly string[]): Promise<void> {
    return this.#do('fleet.approve', { hashes });
  }

  startFleet(plan: engine.FleetPlan, onProgress: OnStep, signal: AbortSignal): Promise<engine.FleetResult> {
    return this.#fleet(this.client.request('fleet.start', { plan }, withSteps(onProgress, signal)));
  }

  stopAll(onProgress: OnStep, signal: AbortSignal): Promise<engine.FleetResult> {
    return this.#fleet(this.client.request('fleet.stopAll', {}, withSteps(onProgress, signal)));
  }

  resumeFleet(onProgress: OnStep, signal: AbortSignal): Promise<engine.FleetResult> {
    return this.#fleet(this.client.request('fleet.resume', {}, withSteps(onProgress, signal)));
  }

  exportData(request: engine.ExportRequest, onProgress: OnStep, signal: AbortSignal): Promise<engine.ExportReport> {
    return this.client.request('data.export', request, withSteps(onProgress, signal));
  }

  importData(request: engine.ImportRequest, onProgress: OnStep, signal: AbortSignal): Promise<engine.ImportReport> {
    return this.client.request('data.import', request, withSteps(onProgress, signal));
  }

  searchRecords(request: engine.SearchRequest): Promise<engine.SearchAnswer> {
    return this.client.request('data.search', request);
  }

  dataStatus(): Promise<engine.DataStatus> {
    return this.client.request('data.status', {});
  }

  pipelines(): Promise<readonly engine.KeptPipeline[]> {
    return this.client.request('data.pipelines', {});
  }

  runPipeline(
    request: engine.PipelineRequest,
    onProgress: OnStep,
    signal: AbortSignal,
  ): Promise<engine.PipelineReport> {
    return this.client.request('data.pipeline', request, withSteps(onProgress, signal));
  }

  async removePipeline(name: string): Promise<void> {
    await this.client.request('data.removePipeline', { name });
  }

  rejected(name?: string, limit?: number): Promise<readonly engine.RejectedRecord[]> {
    const params = { ...(name !== undefined && { name }), ...(limit !== undefined && { limit }) };
    return this.client.request('data.rejected', params);
  }

  checkIntegrity(onProgress: OnStep, signal: AbortSignal): Promise<engine.IntegrityReport> {
    return this.client.request('data.integrity', {}, withSteps(onProgress, signal));
  }

  fixIntegrity(fix: engine.ApplicableFix): Promise<string> {
    return this.client.request('data.fix', fixParams(fix));
  }

  checkData(depth: engine.CheckDepth, onProgress: OnStep, signal: AbortSignal): Promise<engine.StoreCheckReport> {
    return this.client.request('data.check', { depth }, withSteps(onProgress, signal));
  }

  backUpData(file: string | undefined, onProgress: OnStep, signal: AbortSignal): Promise<engine.BackupReport> {
    return this.client.request('data.backup', file === undefined ? {} : { file }, withSteps(onProgress, signal));
  }

  restoreData(backup: string, onProgress: OnStep, signal: AbortSignal): Promise<engine.RestoreReport> {
    return this.client.request('data.restore', { backup }, withSteps(onProgress, signal));
  }

  compactData(onProgress: OnStep, signal: AbortSignal): Promise<engine.CompactReport> {
    return this.client.request('data.compact', {}, withSteps(onProgress, signal));
  }

  history(agentId: AgentId, limit?: number): Promise<readonly AgentChange[]> {
    return this.client.request('agent.history', { agentId, ...(limit !== undefined && { limit }) });
  }

  /** For terminals where this window's own tmux host cannot tell. */
  remoteAttachCommand(agentId: AgentId): Promise<GatewayResults['agent.attachCommand']> {
    return this.client.request('agent.attachCommand', { agentId });
  }

  acceptStoreLoss(): Promise<void> {
    return this.#do('engine.acceptStoreLoss', {});
  }

  diagnose(): Promise<readonly engine.Diagnosis[]> {
    return this.client.request('engine.diagnose', {});
  }

  /** Ends the connection. */
  dispose(): void {
    this.#owned.dispose();
    for (const emitter of [this.#onStatus, this.#onAgent, this.#onTypes, this.#onNotices, this.#onReceipt]) {
      emitter.dispose();
    }
  }

  async #do<M extends GatewayMethod>(method: M, params: GatewayParams[M], signal?: AbortSignal): Promise<void> {
    await this.client.request(method, params, until(signal));
  }

  async #fleet(work: Promise<WireFleetResult>): Promise<engine.FleetResult> {
    return resultOfWire(await work);
  }

  // --- the mirror

  async #watch(signal?: AbortSignal): Promise<void> {
    const { seq, status, agents, types, notices } = await this.client.request('watch', {}, until(signal));
    this.#status = status;
    this.#types = types;
    for (const view of agents) this.#agents.set(view.id, view);
    for (const notice of [...notices].reverse()) this.#notices.set(notice.fingerprint, notice);
    this.#seq = seq;
    const early = this.#early;
    this.#early = [];
    for (const change of early) this.#changed(change);
    for (const view of agents) if (isLeftOut(view.request)) void this.#complete(view);
  }

  /** The text of its request did not fit into the snapshot. */
  async #complete(listed: engine.AgentView): Promise<void> {
    try {
      const view = await this.client.request('agent.get', { agentId: listed.id });
      if (this.#agents.get(listed.id) !== listed) return; // what came meanwhile is newer
      this.#agents.set(view.id, view);
      this.#onAgent.fire({ id: view.id, view, previous: listed });
    } catch (error) {
      ignore(this.log, error, 'the agent was removed, or the connection ended');
    }
  }

  #changed(change: WatchChange): void {
    if (this.#seq === undefined) {
      this.#early.push(change);
      return;
    }
    if (change.seq !== this.#seq + 1) {
      this.log.warn('a change of the followed engine is missing; the connection is closed', {
        expected: this.#seq + 1,
      });
      return this.client.dispose(); // whoever follows connects again and gets everything
    }
    this.#seq = change.seq;
    this.#apply(change);
  }

  #apply(change: WatchChange): void {
    switch (change.kind) {
      case 'status':
        this.#status = change.status;
        return this.#onStatus.fire(change.status);
      case 'agent': {
        const { agentId: id, view } = change;
        const previous = this.#agents.get(id);
        if (view) this.#agents.set(id, view);
        else this.#agents.delete(id);
        return this.#onAgent.fire({ id, view: view ?? undefined, previous });
      }
      case 'types':
        this.#types = change.types;
        return this.#onTypes.fire();
      case 'notice': {
        const { kind, notice } = change.change;
        this.#notices.delete(notice.fingerprint);
        if (kind === 'raised') this.#notices.set(notice.fingerprint, notice);
        return this.#onNotices.fire(change.change);
      }
      case 'receipt':
        return this.#onReceipt.fire(change.receipt);
      default:
        return; // a newer owner tells of something that this window does not know
    }
  }
}

type OnStep = (step: engine.FleetStep) => void;

function until(signal: AbortSignal | undefined): RequestOptions {
  return signal === undefined ? {} : { signal };
}

/** Without the label, which is for people. */
function fixParams(fix: engine.ApplicableFix): GatewayParams['data.fix'] {
  if (fix.kind === 'reconcile') return { kind: fix.kind };
  const { kind, recordKind, id, version } = fix;
  return { kind, recordKind, id, ...(version !== undefined && { version }) };
}

function withSteps(onProgress: OnStep, signal: AbortSignal): RequestOptions {
  return { signal, onProgress: (step) => onProgress(stepOfWire(step)) };
}

function blocked({ whenBlocked }: SendPromptOptions): Pick<SendPromptOptions, 'whenBlocked'> {
  return whenBlocked === undefined ? {} : { whenBlocked };
}
