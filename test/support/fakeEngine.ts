import type { AgentChange, AgentId, AgentSpec } from '../../src/core/agents/agent';
import { AgentError } from '../../src/core/agents/agentErrors';
import { type Disposable, toDisposable } from '../../src/core/base/disposable';
import { Emitter } from '../../src/core/base/event';
import {
  type AgentTypeInfo,
  type AgentView,
  type AgentViewChange,
  type Diagnosis,
  type Engine,
  type EngineStatus,
  type FleetPlan,
  type FleetResult,
  type FleetStep,
  type MirrorSink,
  needsYouOf,
  type NoticeChange,
} from '../../src/core/engine';
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
    isAttachable: true,
    isManagedElsewhere: false,
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
  readonly onDidChangeStatus = this.#onStatus.event;
  readonly onDidChangeAgent = this.#onAgent.event;
  readonly onDidChangeAgentTypes = this.#onTypes.event;
  readonly onDidChangeNotices = this.#onNotices.event;
  status: EngineStatus = { kind: 'stopped' };
  agentTypes: readonly AgentTypeInfo[] = [demoType];
  #nextFailure: Error | undefined;

  get agents(): readonly AgentView[] {
    return [...this.#views.values()];
  }

  get notices(): readonly AlertNotice[] {
    return [...this.#notices.values()].reverse();
  }

  /** Subscribers of all events: 0 after everything was disposed. */
  get listenerCount(): number {
    return [this.#onStatus, this.#onAgent, this.#onTypes, this.#onNotices].reduce(
      (sum, emitter) => sum + emitter.listenerCount,
      0,
    );
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

  failWith(error: Error): void {
    this.#nextFailure = error;
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

  async sendPrompt(id: AgentId, text: string): Promise<void> {
    this.#call(`sendPrompt ${id} ${text}`);
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
    return { succeeded: [], skipped: [], failed: [], isCanceled: signal.aborted };
  }

  async stopAll(_onProgress: (step: FleetStep) => void, signal: AbortSignal): Promise<FleetResult> {
    this.#call('stopAll');
    return { succeeded: [], skipped: [], failed: [], isCanceled: signal.aborted };
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
    for (const emitter of [this.#onStatus, this.#onAgent, this.#onTypes, this.#onNotices]) emitter.dispose();
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
