import type { AgentChange, AgentId, AgentSpec } from '../../src/core/agents/agent';
import { AgentError } from '../../src/core/agents/agentErrors';
import type { PromptReceipt, SendPromptOptions } from '../../src/core/agents/delivery/promptDelivery';
import type { PermissionAnswer, PermissionRequest } from '../../src/core/agents/permissionRequest';
import { type Disposable, toDisposable } from '../../src/core/base/disposable';
import { Emitter } from '../../src/core/base/event';
import {
  type AgentTypeInfo,
  type AgentView,
  type AgentViewChange,
  type ApplicableFix,
  type BackupInspection,
  type BackupReport,
  type CheckDepth,
  type CompactReport,
  type DataStatus,
  type Diagnosis,
  type DoctorReport,
  type Engine,
  type EngineStatus,
  type ExportReport,
  type ExportRequest,
  type ImportReport,
  type ImportRequest,
  type IntegrityReport,
  type KeptPipeline,
  type PipelineReport,
  type PipelineRequest,
  type RejectedRecord,
  type FleetPlan,
  type FleetResult,
  type FleetStep,
  type MirrorSink,
  needsYouOf,
  type NoticeChange,
  type RestoreReport,
  type ResumeReport,
  type SearchAnswer,
  type SearchRequest,
  type StateExplanation,
  type StoreCheckReport,
} from '../../src/core/engine';
import { anImportReport } from './importReports';
import type { AlertNotice } from '../../src/core/monitoring/alertSink';

/** A view of an agent; `needsYou` follows from its state unless given. */
export function anAgentView(overrides: Partial<AgentView> & { readonly id?: AgentId } = {}): AgentView {
  const id = overrides.id ?? ('reviewer' as AgentId);
  const lifecycle = overrides.lifecycle ?? 'running';
  const activity = overrides.activity ?? 'idle';
  const needsYou = needsYouOf(lifecycle, activity);
  return {
    id,
    name: 'Reviewer',
    typeId: 'demo',
    typeLabel: 'Demo',
    typeIcon: 'beaker',
    folder: '/project/project',
    desired: 'running',
    lifecycle,
    activity,
    ...(needsYou === undefined ? {} : { needsYou }),
    generation: 1,
    sinceMs: Date.UTC(2026, 0, 1),
    reason: 'screen_settled',
    evidence: [],
    recentRestartCount: 0,
    restartPolicy: 'on_failure',
    queuedPromptCount: 0,
    isResumable: false,
    degraded: [],
    isAttachable: true,
    conditions: [],
    isManagedElsewhere: false,
    ...overrides,
  };
}

/** A receipt of a short prompt; its steps follow from its state unless given. */
export function aReceipt(overrides: Partial<PromptReceipt> = {}): PromptReceipt {
  const state = overrides.state ?? 'acknowledged';
  const createdAtMs = overrides.createdAtMs ?? Date.UTC(2026, 0, 1);
  const stateAtMs = overrides.stateAtMs ?? createdAtMs;
  return {
    id: '01JGFJJZ000000000000000001',
    agentId: 'reviewer' as AgentId,
    generation: 1,
    changes: [],
    state,
    ...(state === 'acknowledged' ? { evidence: 'hook' as const } : {}),
    submitCount: 1,
    createdAtMs,
    stateAtMs,
    steps: { queued: createdAtMs, [state]: stateAtMs },
    actor: 'person',
    excerpt: 'review the last commit',
    ...overrides,
  };
}

/** A request to run a command, answered through the program's own door. */
export function aRequest(overrides: Partial<PermissionRequest> = {}): PermissionRequest {
  return {
    id: '01JGFJJZ0000000000000000R1',
    agentId: 'reviewer' as AgentId,
    generation: 1,
    kind: 'permission',
    tool: 'Bash',
    title: 'Bash: npm test',
    detail: 'npm test',
    isCut: false,
    source: 'hook',
    door: 'hook',
    canAllow: true,
    canDeny: true,
    canGiveReason: true,
    askedAtMs: Date.UTC(2026, 0, 1),
    ...overrides,
  };
}

export const demoType: AgentTypeInfo = {
  id: 'demo',
  label: 'Demo',
  icon: 'beaker',
  description: 'A scripted agent',
  availability: 'installed',
  installHint: '',
  isBuiltIn: true,
  canReceivePrompts: true,
  needsCommand: false,
};

/** An engine whose facts are made by the test. Calls are kept in `calls`; `failWith` makes the next acting call reject. */
export class FakeEngine implements Engine {
  readonly calls: string[] = [];
  readonly #views = new Map<string, AgentView>();
  readonly #notices = new Map<string, AlertNotice>();
  readonly #onStatus = new Emitter<EngineStatus>(rethrow);
  readonly #onAgent = new Emitter<AgentViewChange>(rethrow);
  readonly #onTypes = new Emitter<void>(rethrow);
  readonly #onNotices = new Emitter<NoticeChange>(rethrow);
  readonly #onReceipt = new Emitter<PromptReceipt>(rethrow);
  readonly #receipts: PromptReceipt[] = [];
  readonly onDidChangeStatus = this.#onStatus.event;
  readonly onDidChangeAgent = this.#onAgent.event;
  readonly onDidChangeAgentTypes = this.#onTypes.event;
  readonly onDidChangeNotices = this.#onNotices.event;
  readonly onDidChangeReceipt = this.#onReceipt.event;
  status: EngineStatus = { kind: 'stopped' };
  agentTypes: readonly AgentTypeInfo[] = [demoType];
  /** What the next deliveries end with; by default each is acknowledged at once. */
  deliver: (id: AgentId, text: string, options: SendPromptOptions) => Promise<PromptReceipt> = async (id, text) =>
    aReceipt({ id: `receipt-${this.#receipts.length + 1}`, agentId: id, excerpt: text.slice(0, 120) });
  resumed: ResumeReport = { sessionId: 'session', losses: [], lostPrompts: [] };
  fleetResult: Omit<FleetResult, 'isCanceled'> = { succeeded: [], skipped: [], failed: [] };
  #nextFailure: Error | undefined;

  get agents(): readonly AgentView[] {
    return [...this.#views.values()];
  }

  get notices(): readonly AlertNotice[] {
    return [...this.#notices.values()].reverse();
  }

  /** Subscribers of all events: 0 after everything was disposed. */
  get listenerCount(): number {
    return this.#emitters.reduce((sum, emitter) => sum + emitter.listenerCount, 0);
  }

  agent(id: string): AgentView | undefined {
    return this.#views.get(id);
  }

  simulateStatus(status: EngineStatus): void {
    this.status = status;
    this.#onStatus.fire(status);
  }

  simulateReady(): void {
    this.simulateStatus({ kind: 'ready', epoch: 1, tmuxVersion: '3.3a', isTmuxLost: false, isReadOnly: false });
  }

  /** Adds or replaces an agent. */
  simulateAgent(view: AgentView): void {
    const previous = this.#views.get(view.id);
    this.#views.set(view.id, view);
    this.#onAgent.fire({ id: view.id, view, previous });
  }

  simulateRemoval(id: AgentId): void {
    const previous = this.#views.get(id);
    this.#views.delete(id);
    this.#onAgent.fire({ id, view: undefined, previous });
  }

  simulateNotice(notice: AlertNotice): void {
    this.#notices.set(notice.fingerprint, notice);
    this.#onNotices.fire({ kind: 'raised', notice });
  }

  simulateResolved(fingerprint: string): void {
    const notice = this.#notices.get(fingerprint);
    this.#notices.delete(fingerprint);
    if (notice) this.#onNotices.fire({ kind: 'resolved', notice });
  }

  /** Keeps a receipt, newest first, and makes it the agent's last one. */
  simulateReceipt(receipt: PromptReceipt): void {
    const at = this.#receipts.findIndex(({ id }) => id === receipt.id);
    if (at < 0) this.#receipts.unshift(receipt);
    else this.#receipts[at] = receipt;
    const view = this.#views.get(receipt.agentId);
    if (view) this.simulateAgent({ ...view, lastReceipt: receipt });
    this.#onReceipt.fire(receipt);
  }

  failWith(error: Error): void {
    this.#nextFailure = error;
  }

  registerValidationRule(): Disposable {
    this.#call('registerValidationRule');
    return toDisposable(() => this.calls.push('unregisterValidationRule'));
  }

  validationSchema(): Readonly<Record<string, unknown>> {
    this.#call('validationSchema');
    return {};
  }

  registerTransformation(): Disposable {
    this.#call('registerTransformation');
    return toDisposable(() => this.calls.push('unregisterTransformation'));
  }

  registerAgentType(): Disposable {
    this.#call('registerAgentType');
    return toDisposable(() => this.calls.push('unregisterAgentType'));
  }

  async start(): Promise<void> {
    this.#call('start');
  }

  async stop(): Promise<void> {
    this.#call('stop');
  }

  async startAgent(spec: AgentSpec): Promise<AgentId> {
    this.#call(`startAgent ${spec.name}`);
    const id = spec.name.toLowerCase() as AgentId; // tests use names that are ids in lower case
    this.simulateAgent(anAgentView({ id, name: spec.name, typeId: spec.typeId, folder: spec.folder }));
    return id;
  }

  async startExisting(id: AgentId): Promise<void> {
    this.#call(`startExisting ${id}`);
  }

  async stopAgent(id: AgentId): Promise<void> {
    this.#call(`stopAgent ${id}`);
  }

  async restartAgent(id: AgentId): Promise<void> {
    this.#call(`restartAgent ${id}`);
  }

  async pauseAgent(id: AgentId): Promise<void> {
    this.#call(`pauseAgent ${id}`);
  }

  async resumeAgent(id: AgentId): Promise<void> {
    this.#call(`resumeAgent ${id}`);
  }

  async releaseQuarantine(id: AgentId): Promise<void> {
    this.#call(`releaseQuarantine ${id}`);
  }

  async renameAgent(id: AgentId, name: string): Promise<void> {
    this.#call(`renameAgent ${id} ${name}`);
  }

  async removeAgent(id: AgentId): Promise<void> {
    this.#call(`removeAgent ${id}`);
    this.simulateRemoval(id);
  }

  async sendPrompt(id: AgentId, text: string, options: SendPromptOptions = {}): Promise<PromptReceipt> {
    this.#call(`sendPrompt ${id} ${text}${options.whenBlocked === 'queue' ? ' (queue)' : ''}`);
    const receipt = await this.deliver(id, text, options);
    this.simulateReceipt(receipt);
    return receipt;
  }

  async receipts(id: AgentId, limit = 50): Promise<readonly PromptReceipt[]> {
    return this.#receipts.filter(({ agentId }) => agentId === id).slice(0, limit);
  }

  async cancelPrompt(receiptId: string): Promise<void> {
    this.#call(`cancelPrompt ${receiptId}`);
  }

  async settleDelivery(receiptId: string, outcome: 'arrived' | 'lost'): Promise<void> {
    this.#call(`settleDelivery ${receiptId} ${outcome}`);
  }

  async resendPrompt(receiptId: string, options: SendPromptOptions = {}): Promise<PromptReceipt> {
    this.#call(`resendPrompt ${receiptId}${options.whenBlocked === 'queue' ? ' (queue)' : ''}`);
    const earlier = this.#receipts.find(({ id }) => id === receiptId);
    const { agentId = 'reviewer' as AgentId, resentAs } = earlier ?? {};
    if (resentAs !== undefined) throw new AgentError('agent.notAllowed', `it was sent again already (receipt ${resentAs})`, { agentId }); // prettier-ignore
    const receipt = await this.deliver(agentId, earlier?.excerpt ?? '', options);
    if (earlier) this.simulateReceipt({ ...earlier, resentAs: receipt.id });
    this.simulateReceipt(receipt);
    return receipt;
  }

  async answerRequest(id: AgentId, requestId: string, answer: PermissionAnswer): Promise<void> {
    const reason = answer.kind === 'deny' && answer.reason !== undefined ? ` ${answer.reason}` : '';
    this.#call(`answerRequest ${id} ${requestId} ${answer.kind}${reason}`);
    const view = this.#views.get(id);
    if (view?.request?.id !== requestId) throw new AgentError('agent.requestGone', 'another question', { agentId: id });
  }

  async explain(id: AgentId): Promise<StateExplanation> {
    const view = this.#views.get(id);
    if (!view) throw new AgentError('agent.notFound', id, { agentId: id });
    const { lifecycle, activity, sinceMs, degraded } = view;
    return { agentId: id, lifecycle, activity, sinceMs, conclusion: 'the screen decided', signals: [], degraded };
  }

  async screen(): Promise<string> {
    return '';
  }

  async doctor(typeId: string): Promise<DoctorReport> {
    this.#call(`doctor ${typeId}`);
    return { typeId, knownVersions: [], checks: [] };
  }

  async resumeSession(id: AgentId): Promise<ResumeReport> {
    this.#call(`resumeSession ${id}`);
    return this.resumed;
  }

  async resumeFleet(_onProgress: (step: FleetStep) => void, signal: AbortSignal): Promise<FleetResult> {
    this.#call('resumeFleet');
    return { ...this.fleetResult, isCanceled: signal.aborted };
  }

  async planFleet(): Promise<FleetPlan> {
    this.#call('planFleet');
    return { agents: [], problems: [] };
  }

  async approveFleet(hashes: readonly string[]): Promise<void> {
    this.#call(`approveFleet ${hashes.join(' ')}`);
  }

  async startFleet(
    _plan: FleetPlan,
    _onProgress: (step: FleetStep) => void,
    signal: AbortSignal,
  ): Promise<FleetResult> {
    this.#call('startFleet');
    return { ...this.fleetResult, isCanceled: signal.aborted };
  }

  async stopAll(_onProgress: (step: FleetStep) => void, signal: AbortSignal): Promise<FleetResult> {
    this.#call('stopAll');
    return { ...this.fleetResult, isCanceled: signal.aborted };
  }

  async exportData({ file, format, withSecrets = false }: ExportRequest): Promise<ExportReport> {
    this.#call(`exportData ${format} ${file}`);
    return { file, format, records: 1, leftOut: 0, sizeBytes: 2, isRedacted: !withSecrets, seq: 3 };
  }

  importReport: ImportReport = anImportReport();

  async importData({ file, apply, replace = false }: ImportRequest): Promise<ImportReport> {
    this.#call(`importData ${file}${replace ? ' replacing' : ''}${apply === undefined ? '' : ` ${apply}`}`);
    return { ...this.importReport, file, isApplied: apply !== undefined };
  }

  dataStatusNow: DataStatus = {
    ...{ engine: 'sql.js 1.14.1 (file)', schemaVersion: 1, seq: 7, isReadOnly: false, backups: [] },
    ...{ mainBytes: 40_960, walBytes: 4096, backupBytes: 0, asideBytes: 0, archiveBytes: 0, file: '/data/store-1.db' },
  };
  checkReport: StoreCheckReport = {
    ...{ isWhole: true, findings: [], isCut: false, depth: 'full', records: 3, changes: 7, seq: 7 },
  };

  searchAnswer: SearchAnswer = { found: [], isComplete: true };

  async searchRecords({ query }: SearchRequest): Promise<SearchAnswer> {
    this.#call(`searchRecords ${query}`);
    return this.searchAnswer;
  }

  async dataStatus(): Promise<DataStatus> {
    return this.dataStatusNow;
  }

  integrity: IntegrityReport = {
    ...{ isWhole: true, findings: [], isCut: false, records: 1, changes: 1, sessions: 0, settled: 0 },
  };
  async pipelines(): Promise<readonly KeptPipeline[]> {
    this.#call('pipelines');
    return [];
  }

  async runPipeline({ file }: PipelineRequest): Promise<PipelineReport> {
    this.#call(`runPipeline ${file}`);
    return { name: 'p', file, in: 2, out: 1, rejected: 1, perStep: [], sizeBytes: 10, seq: 1 };
  }

  async removePipeline(name: string): Promise<void> {
    this.#call(`removePipeline ${name}`);
  }

  async rejected(name = ''): Promise<readonly RejectedRecord[]> {
    this.#call(`rejected ${name}`);
    return [];
  }

  async checkIntegrity(onProgress: (step: FleetStep) => void): Promise<IntegrityReport> {
    this.#call('checkIntegrity');
    onProgress({ name: 'records', done: this.integrity.records, total: 0 });
    return this.integrity;
  }

  async fixIntegrity(fix: ApplicableFix): Promise<string> {
    this.#call(`fixIntegrity ${fix.kind === 'deleteRecord' ? `${fix.recordKind} ${fix.id}` : fix.kind}`);
    return 'Done.';
  }

  async checkData(depth: CheckDepth, onProgress: (step: FleetStep) => void): Promise<StoreCheckReport> {
    this.#call(`checkData ${depth}`);
    onProgress({ name: 'checking', done: 1, total: 2 });
    return this.checkReport;
  }

  async backUpData(file: string | undefined): Promise<BackupReport> {
    this.#call(`backUpData ${file ?? ''}`);
    return { file: file ?? '/data/backups/manual.db', sizeBytes: 40_960, seq: 7, records: 3 };
  }

  inspection: BackupInspection = {
    ...{ isUsable: true, file: '/data/backups/manual.db', sizeBytes: 40_960, seq: 5, records: 2, schemaVersion: 1 },
    agents: [],
  };
  async inspectBackup(file: string): Promise<BackupInspection> {
    this.#call(`inspectBackup ${file}`);
    return this.inspection;
  }

  async restoreData(backup: string): Promise<RestoreReport> {
    this.#call(`restoreData ${backup}`);
    return { file: backup, sizeBytes: 40_960, seq: 5, records: 2, presentBackup: '/data/backups/before-restore.db' };
  }

  async compactData(): Promise<CompactReport> {
    this.#call('compactData');
    return { beforeBytes: 40_960, afterBytes: 8192 };
  }

  async history(): Promise<readonly AgentChange[]> {
    return [];
  }

  attachCommand(id: AgentId): { readonly program: string; readonly args: readonly string[] } {
    if (!this.#views.has(id)) throw new AgentError('agent.notFound', id, { agentId: id });
    return { program: '/usr/bin/tmux', args: ['attach-session', '-t', `=${id}`] };
  }

  async attachedClients(): Promise<ReadonlyMap<number, AgentId>> {
    return new Map();
  }

  mirror(_id: AgentId, sink: MirrorSink): Disposable {
    sink.onSize(80, 24);
    return toDisposable(() => {});
  }

  async acceptStoreLoss(): Promise<void> {
    this.#call('acceptStoreLoss');
  }

  takeOver(): void {
    this.#call('takeOver');
  }

  async diagnose(): Promise<readonly Diagnosis[]> {
    return [{ id: 'tmux', label: 'tmux', level: 'ok', detail: '3.3a' }];
  }

  dispose(): void {
    for (const emitter of this.#emitters) emitter.dispose();
  }

  get #emitters(): readonly { readonly listenerCount: number; dispose(): void }[] {
    return [this.#onStatus, this.#onAgent, this.#onTypes, this.#onNotices, this.#onReceipt];
  }

  #call(text: string): void {
    this.calls.push(text);
    const failure = this.#nextFailure;
    this.#nextFailure = undefined;
    if (failure) throw failure;
  }
}

function rethrow(error: unknown): never {
  throw error;
}
