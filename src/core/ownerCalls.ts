import type { AgentChange, AgentId, AgentSpec } from './agents/agent';
import type { AgentSupervisor } from './agents/agentSupervisor';
import type { PromptReceipt, SendPromptOptions } from './agents/delivery/promptDelivery';
import type { AnswerDoor } from './agents/answeredRequest';
import type { PermissionAnswer } from './agents/permissionRequest';
import { markEarlier } from './agents/signals/earlierEvidence';
import type {
  DoctorReport,
  ExportReport,
  ExportRequest,
  ImportReport,
  ImportRequest,
  FleetPlan,
  FleetResult,
  FleetStep,
  ResumeReport,
  StateExplanation,
} from './engine';
import type { IntegrityReport } from './data/integrity/integrityReport';
import type { EngineCalls } from './engineCalls';
import type { FleetRunner } from './fleetRunner';
import type { PipelineCalls } from './ownerPipelines';
import type { OwnerIntegrity } from './ownerIntegrity';
import type { MaintenanceCalls } from './ownerMaintenance';
import type { RecordSearch } from './recordSearch';

export interface OwnerCallsPorts {
  readonly supervisor: AgentSupervisor;
  readonly fleet: FleetRunner;
  readonly doctor: (typeId: string, signal: AbortSignal) => Promise<DoctorReport>;
  readonly exportData: EngineCalls['exportData'];
  readonly importData: EngineCalls['importData'];
  readonly maintenance: MaintenanceCalls;
  readonly integrity: OwnerIntegrity;
  /** A person is shown it. */
  readonly onDidCheckIntegrity: (report: IntegrityReport) => void;
  readonly pipelines: PipelineCalls;
  readonly search: RecordSearch;
}

/** What the owner's session does itself. */
export class OwnerCalls implements EngineCalls {
  readonly #supervisor: AgentSupervisor;
  readonly #fleet: FleetRunner;

  constructor(private readonly ports: OwnerCallsPorts) {
    this.#supervisor = ports.supervisor;
    this.#fleet = ports.fleet;
  }

  async startAgent(spec: AgentSpec, signal?: AbortSignal): Promise<AgentId> {
    const { id } = await this.#supervisor.create(spec);
    await this.#supervisor.start(id, withSignal(signal));
    return id;
  }

  startExisting(id: AgentId, signal?: AbortSignal): Promise<void> {
    return this.#supervisor.start(id, withSignal(signal));
  }

  resumeSession(id: AgentId, signal?: AbortSignal): Promise<ResumeReport> {
    return this.#supervisor.resumeSession(id, withSignal(signal));
  }

  resumeFleet(onProgress: (step: FleetStep) => void, signal: AbortSignal): Promise<FleetResult> {
    return this.#fleet.resume(onProgress, signal);
  }

  stopAgent(id: AgentId, signal?: AbortSignal): Promise<void> {
    return this.#supervisor.stop(id, withSignal(signal));
  }

  restartAgent(id: AgentId, signal?: AbortSignal): Promise<void> {
    return this.#supervisor.restart(id, withSignal(signal));
  }

  pauseAgent(id: AgentId): Promise<void> {
    return this.#supervisor.pause(id);
  }

  resumeAgent(id: AgentId): Promise<void> {
    return this.#supervisor.resume(id);
  }

  releaseQuarantine(id: AgentId): Promise<void> {
    return this.#supervisor.release(id);
  }

  renameAgent(id: AgentId, name: string): Promise<void> {
    return this.#supervisor.rename(id, name);
  }

  removeAgent(id: AgentId, signal?: AbortSignal): Promise<void> {
    return this.#supervisor.remove(id, { ...withSignal(signal), stopFirst: true });
  }

  sendPrompt(id: AgentId, text: string, options?: SendPromptOptions): Promise<PromptReceipt> {
    return this.#supervisor.sendPrompt(id, text, options);
  }

  receipts(id: AgentId, limit?: number): Promise<readonly PromptReceipt[]> {
    return this.#supervisor.receipts(id, limit);
  }

  cancelPrompt(receiptId: string): Promise<void> {
    return this.#supervisor.cancelPrompt(receiptId);
  }

  settleDelivery(receiptId: string, outcome: 'arrived' | 'lost'): Promise<void> {
    return this.#supervisor.settleDelivery(receiptId, outcome);
  }

  resendPrompt(receiptId: string, options?: SendPromptOptions): Promise<PromptReceipt> {
    return this.#supervisor.resendPrompt(receiptId, options);
  }

  answerRequest(id: AgentId, requestId: string, answer: PermissionAnswer, via?: AnswerDoor): Promise<void> {
    return this.#supervisor.answerRequest(id, requestId, answer, via && { via });
  }

  async explain(id: AgentId): Promise<StateExplanation> {
    const changes = await this.#supervisor.history(id);
    return markEarlier(this.#supervisor.explain(id), changes);
  }

  async screen(id: AgentId): Promise<string> {
    return (await this.#supervisor.registry.get(id).capture()).text;
  }

  doctor(typeId: string, signal: AbortSignal): Promise<DoctorReport> {
    return this.ports.doctor(typeId, signal);
  }

  planFleet(text: string, fileName: string): Promise<FleetPlan> {
    return this.#fleet.plan(text, fileName);
  }

  approveFleet(hashes: readonly string[]): Promise<void> {
    return this.#fleet.approve(hashes);
  }

  startFleet(plan: FleetPlan, onProgress: (step: FleetStep) => void, signal: AbortSignal): Promise<FleetResult> {
    return this.#fleet.start(plan, onProgress, signal);
  }

  stopAll(onProgress: (step: FleetStep) => void, signal: AbortSignal): Promise<FleetResult> {
    return this.#fleet.stopAll(onProgress, signal);
  }

  exportData(
    request: ExportRequest,
    onProgress: (step: FleetStep) => void,
    signal: AbortSignal,
  ): Promise<ExportReport> {
    return this.ports.exportData(request, onProgress, signal);
  }

  importData(
    request: ImportRequest,
    onProgress: (step: FleetStep) => void,
    signal: AbortSignal,
  ): Promise<ImportReport> {
    return this.ports.importData(request, onProgress, signal);
  }

  searchRecords: EngineCalls['searchRecords'] = (request) => this.ports.search.search(request);
  dataStatus: EngineCalls['dataStatus'] = () => this.ports.maintenance.dataStatus();
  pipelines: EngineCalls['pipelines'] = () => this.ports.pipelines.pipelines();
  runPipeline: EngineCalls['runPipeline'] = (...args) => this.ports.pipelines.runPipeline(...args);
  removePipeline: EngineCalls['removePipeline'] = (name) => this.ports.pipelines.removePipeline(name);
  rejected: EngineCalls['rejected'] = (...args) => this.ports.pipelines.rejected(...args);
  checkIntegrity: EngineCalls['checkIntegrity'] = async (onProgress, signal) => {
    const { integrity, onDidCheckIntegrity } = this.ports;
    const report = await integrity.check({
      onProgress: ({ phase, done }) => onProgress({ name: phase, done, total: 0 }),
      signal,
    });
    onDidCheckIntegrity(report);
    return report;
  };
  fixIntegrity: EngineCalls['fixIntegrity'] = (fix) => this.ports.integrity.fix(fix);
  checkData: EngineCalls['checkData'] = (...args) => this.ports.maintenance.checkData(...args);
  backUpData: EngineCalls['backUpData'] = (...args) => this.ports.maintenance.backUpData(...args);
  restoreData: EngineCalls['restoreData'] = (...args) => this.ports.maintenance.restoreData(...args);
  compactData: EngineCalls['compactData'] = (...args) => this.ports.maintenance.compactData(...args);

  history(id: AgentId, limit = 100): Promise<readonly AgentChange[]> {
    return this.#supervisor.history(id, limit);
  }
}

function withSignal(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal ? { signal } : {};
}
