import type { RpcErrorBody } from '../../shared/gatewayProtocol';
import type { GatewayMethod } from '../../shared/gatewayMethods';
import type { AgentChange, AgentId } from '../agents/agent';
import type { Activity, DesiredState, Lifecycle } from '../agents/agentState';
import type { PromptReceipt } from '../agents/delivery/promptDelivery';
import type {
  AgentTypeInfo,
  AgentView,
  BackupReport,
  CompactReport,
  DataStatus,
  Diagnosis,
  DoctorReport,
  Engine,
  EngineStatus,
  ExportReport,
  ImportReport,
  IntegrityReport,
  KeptPipeline,
  PipelineReport,
  RejectedRecord,
  FleetPlan,
  FleetResult,
  FleetStep,
  NoticeChange,
  RestoreReport,
  SearchAnswer,
  ResumeReport,
  StateExplanation,
  StoreCheckReport,
} from '../engine';
import type { HookAnswer } from './gatewayPorts';

/** What each method answers. */
export interface GatewayResults extends Record<GatewayMethod, unknown> {
  readonly ping: { readonly version: string };
  readonly 'hook.report': HookAnswer;
  readonly 'self.status': SelfStatus;
  readonly 'engine.status': { readonly status: EngineStatus; readonly version: string; readonly workspace: string };
  readonly 'engine.diagnose': readonly Diagnosis[];
  readonly 'engine.notices': Engine['notices'];
  readonly 'engine.acceptStoreLoss': null;
  readonly 'agent.list': readonly AgentView[];
  readonly 'agent.types': readonly AgentTypeInfo[];
  readonly 'agent.get': AgentView;
  readonly 'agent.start': { readonly agentId: AgentId };
  readonly 'agent.startExisting': null;
  readonly 'agent.resume': ResumeReport;
  readonly 'agent.stop': null;
  readonly 'agent.restart': null;
  readonly 'agent.pause': null;
  readonly 'agent.unpause': null;
  readonly 'agent.release': null;
  readonly 'agent.rename': null;
  readonly 'agent.remove': null;
  readonly 'agent.prompt': PromptReceipt;
  readonly 'agent.receipts': readonly PromptReceipt[];
  readonly 'agent.cancelPrompt': null;
  readonly 'agent.settleDelivery': null;
  readonly 'agent.resendPrompt': PromptReceipt;
  readonly 'agent.approve': null;
  readonly 'agent.deny': null;
  readonly 'agent.explain': StateExplanation;
  readonly 'agent.screen': { readonly text: string };
  readonly 'agent.history': readonly AgentChange[];
  readonly 'agent.attachCommand': { readonly program: string; readonly args: readonly string[] };
  readonly 'fleet.plan': FleetPlan;
  readonly 'fleet.approve': null;
  readonly 'fleet.start': WireFleetResult;
  readonly 'fleet.stopAll': WireFleetResult;
  readonly 'fleet.resume': WireFleetResult;
  readonly 'data.export': ExportReport;
  readonly 'data.import': ImportReport;
  readonly 'data.search': SearchAnswer;
  readonly 'data.status': DataStatus;
  readonly 'data.pipelines': readonly KeptPipeline[];
  readonly 'data.pipeline': PipelineReport;
  readonly 'data.removePipeline': null;
  readonly 'data.rejected': readonly RejectedRecord[];
  readonly 'data.check': StoreCheckReport;
  readonly 'data.integrity': IntegrityReport;
  readonly 'data.fix': string;
  readonly 'data.backup': BackupReport;
  readonly 'data.restore': RestoreReport;
  readonly 'data.compact': CompactReport;
  readonly 'doctor.run': DoctorReport;
  readonly watch: WatchSnapshot;
}

/** What an agent learns about itself: nothing that it could not know, and nothing about others. */
export interface SelfStatus {
  readonly agentId: AgentId;
  readonly name: string;
  readonly typeId: string;
  readonly role?: string;
  readonly team?: string;
  readonly desired: DesiredState;
  readonly lifecycle: Lifecycle;
  readonly activity: Activity;
  readonly generation: number;
  readonly sinceMs: number;
  readonly queuedPromptCount: number;
}

/** Everything a window shows, at one moment. */
export interface WatchSnapshot {
  /** Number of the last change that it contains; the next notification is one higher. */
  readonly seq: number;
  readonly status: EngineStatus;
  readonly agents: readonly AgentView[];
  readonly types: readonly AgentTypeInfo[];
  readonly notices: Engine['notices'];
}

/** One fact after the snapshot. `seq` has no gaps: one that is missing means that the snapshot must be asked for again. */
export type WatchChange = { readonly seq: number } & WatchFact;

export type WatchFact =
  | { readonly kind: 'status'; readonly status: EngineStatus }
  /** `view` is null when the agent was removed. */
  | { readonly kind: 'agent'; readonly agentId: AgentId; readonly view: AgentView | null }
  | { readonly kind: 'types'; readonly types: readonly AgentTypeInfo[] }
  | { readonly kind: 'notice'; readonly change: NoticeChange }
  | { readonly kind: 'receipt'; readonly receipt: PromptReceipt };

/** Errors cross the wire as they do in answers. */
export type WireFleetStep = Omit<FleetStep, 'error'> & { readonly error?: RpcErrorBody };
export type WireFleetResult = Omit<FleetResult, 'failed'> & {
  readonly failed: readonly { readonly name: string; readonly error: RpcErrorBody }[];
};
