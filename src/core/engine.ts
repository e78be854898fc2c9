import type { AgentChange, AgentId, AgentSpec } from './agents/agent';
import type { AgentCondition } from './agents/agentConditions';
import type { Activity, DesiredState, Evidence, ExitCause, Lifecycle, RestartPolicy } from './agents/agentState';
import type { PromptReceipt, SendPromptOptions } from './agents/delivery/promptDelivery';
import type { DoctorReport } from './agents/doctor';
import type { AnswerDoor } from './agents/answeredRequest';
import type { PermissionAnswer, PermissionRequest } from './agents/permissionRequest';
import type { ResumeReport } from './agents/sessionResume';
import type { StateExplanation } from './agents/signals/stateExplanation';
import type { AgentUsage } from './agents/usage';
import type { AlertNotice } from './monitoring/alertSink';
import type { OutsideKind, OutsideRule, OutsideSchema } from './outsideData';
import type { KeptPipeline, PipelineReport, PipelineRequest, RejectedRecord } from './ownerPipelines';
import type { Diagnosis } from './base/diagnosis';
import type { BackupReport, CheckDepth, CompactReport, StoreCheckReport } from './data/durableStore';
import type { ExportReport, ExportRequest } from './data/exchange/dataExport';
import type { ImportRequest } from './data/exchange/dataImport';
import type { ImportReport } from '../shared/importReport';
import type { OutsideTransformation } from './data/processing/outsideStep';
import type { ApplicableFix, IntegrityReport } from './data/integrity/integrityReport';
import type { DataStatus, RestoreReport } from './data/storeCare';
import type { BackupInspection } from './backupInspection';
import type { Disposable } from './base/disposable';
import type { SearchAnswer, SearchRequest } from './recordSearch';
import type { Event } from './base/event';

export type { DoctorReport } from './agents/doctor';
export type { ResumeReport } from './agents/sessionResume';
export type { ExplainedSignal, StateExplanation } from './agents/signals/stateExplanation';
export type { ExportFormat, ExportReport, ExportRequest } from './data/exchange/dataExport';
export type { ImportRequest } from './data/exchange/dataImport';
export type { ImportReport } from '../shared/importReport';
export type { BackupReport, CheckDepth, CompactReport, StoreCheckReport, StoreFinding } from './data/durableStore';
export type { BackupKind, DataStatus, KeptBackup, KeptCheck, RestoreReport, UnusableBackup } from './data/storeCare';
export type { ApplicableFix, IntegrityFinding, IntegrityFix, IntegrityReport } from './data/integrity/integrityReport';
export type { BackedUpAgent, BackupInspection, UsableBackup } from './backupInspection';
export type { KeptPipeline, PipelineReport, PipelineRequest, RejectedRecord } from './ownerPipelines';
export type { AgentUsage } from './agents/usage';
export type { Diagnosis } from './base/diagnosis';
export type { FoundKind, FoundRecord, SearchAnswer, SearchRequest } from './recordSearch';

/**
 * The engine as its users see it: the window, the exported API, later `orc` and the gateway. `Orchestrator` is the
 * one implementation; `test/support/fakeEngine.ts` fakes it. All values are immutable snapshots.
 */
export interface Engine extends Disposable {
  readonly status: EngineStatus;
  readonly onDidChangeStatus: Event<EngineStatus>;

  /** Every agent that is not retired, in order of creation. Empty while `starting`. */
  readonly agents: readonly AgentView[];
  agent(id: string): AgentView | undefined;
  /** One fact per changed agent; `view` is undefined when it was removed, `previous` when it is new. */
  readonly onDidChangeAgent: Event<AgentViewChange>;

  /** Agent types that can be started, built in first. */
  readonly agentTypes: readonly AgentTypeInfo[];
  readonly onDidChangeAgentTypes: Event<void>;
  /** Adds a type from its JSON manifest until disposed. @throws {AgentError} agent.typeInvalid with all problems */
  registerAgentType(manifest: unknown): Disposable;

  /**
   * Adds a requirement on new records until disposed; in force while this engine owns the workspace.
   * @throws {DataError} data.invalid – no rule, a schema with a keyword that is not known, or its name is in use
   */
  registerValidationRule(rule: OutsideRule | OutsideSchema): Disposable;
  /** What records of a kind must fulfil, with the rules of other extensions, as JSON Schema 2020-12. @throws {DataError} data.invalid – no such kind */
  validationSchema(kind: OutsideKind): Readonly<Record<string, unknown>>;
  /** Adds a kind of step for pipelines until disposed. @throws {DataError} data.invalid; {ProcessingError} processing.duplicateStep – its name is in use */
  registerTransformation(transformation: OutsideTransformation): Disposable;

  /** Notices that are raised now, newest first. */
  readonly notices: readonly AlertNotice[];
  readonly onDidChangeNotices: Event<NoticeChange>;

  /**
   * Begins to work: finds out who owns the workspace, opens the store, connects to tmux, adopts. Idempotent; never
   * rejects (failures are `status`). After `blocked`, or once trust was granted after `restricted`, it may be called again.
   */
  start(): Promise<void>;
  /** Polite end: agents keep running. At most `deadlineMs` (default 900). Idempotent. */
  stop(deadlineMs?: number): Promise<void>;

  /** Makes and starts an agent; resolves with its id when it is ready (the start deadline applies). A failure carries `agentId` when the record was kept. */
  startAgent(spec: AgentSpec, signal?: AbortSignal): Promise<AgentId>;
  /**
   * Starts an agent that ended in the conversation it had, by its own id, never "the latest". Resolves when it is ready, with
   * what was lost. @throws {AgentError} agent.cannotResume – nothing was started
   */
  resumeSession(id: AgentId, signal?: AbortSignal): Promise<ResumeReport>;
  /** Brings back every agent that should run and does not: resumed where possible, else started anew. `returned` says how each came back. */
  resumeFleet(onProgress: (step: FleetStep) => void, signal: AbortSignal): Promise<FleetResult>;
  /** Starts an agent that ended, with the spec it has, in a new conversation. */
  startExisting(id: AgentId, signal?: AbortSignal): Promise<void>;
  stopAgent(id: AgentId, signal?: AbortSignal): Promise<void>;
  restartAgent(id: AgentId, signal?: AbortSignal): Promise<void>;
  pauseAgent(id: AgentId): Promise<void>;
  resumeAgent(id: AgentId): Promise<void>;
  releaseQuarantine(id: AgentId): Promise<void>;
  renameAgent(id: AgentId, name: string): Promise<void>;
  /** Stops it if needed, then forgets it (its history stays). */
  removeAgent(id: AgentId, signal?: AbortSignal): Promise<void>;
  /**
   * Delivers a prompt. Resolves with the receipt once there is evidence that it arrived (`acknowledged`), or, with
   * `whenBlocked: 'queue'`, as soon as it is kept and has to wait (`queued`).
   * @throws {AgentError} blocked: agent.notRunning, agent.paused, agent.dialogOpen, agent.draftInBox, agent.inputHidden,
   * agent.notReady (nothing was typed, nothing is kept); agent.deliveryFailed, agent.linesWouldSplit (it did not arrive); agent.deliveryUnknown (it
   * may have arrived; nothing is typed again); agent.notAllowed (this type cannot be typed into, or the text is empty)
   */
  sendPrompt(id: AgentId, text: string, options?: SendPromptOptions): Promise<PromptReceipt>;
  /** Newest first, at most `limit` (default 50). */
  receipts(id: AgentId, limit?: number): Promise<readonly PromptReceipt[]>;
  /** One fact per step of a delivery. */
  readonly onDidChangeReceipt: Event<PromptReceipt>;
  /** Takes a queued prompt back. @throws {AgentError} agent.notAllowed when typing has begun */
  cancelPrompt(receiptId: string): Promise<void>;
  /** By decision of a person about a `delivery_unknown`: it arrived, or it is lost. Nothing is typed. */
  settleDelivery(receiptId: string, outcome: 'arrived' | 'lost'): Promise<void>;
  /**
   * Delivers the text of an earlier prompt that was lost, as a new delivery; or, a second time, that of the `interruptedPrompt` of the
   * resume that began this run. Once: the earlier one is marked (`resentAs`), and from then on the new one is what can be sent again.
   * @throws as {@link Engine.sendPrompt}; agent.notAllowed for any other that arrived or is under way, and for one that was sent again
   */
  resendPrompt(receiptId: string, options?: SendPromptOptions): Promise<PromptReceipt>;
  /**
   * A person's answer to what the agent asks. @throws {AgentError} agent.requestGone – another question, or none, is open now:
   * nothing was answered; agent.cannotAnswer – only in the terminal. `via` (default `window`) is kept with it.
   */
  answerRequest(id: AgentId, requestId: string, answer: PermissionAnswer, via?: AnswerDoor): Promise<void>;
  /** Why it says what it says. @throws {AgentError} agent.notFound */
  explain(id: AgentId): Promise<StateExplanation>;
  /** The visible screen as text; untrusted. */
  screen(id: AgentId): Promise<string>;
  /** Checks a type on the program that is installed here: starts it in a folder of its own, looks, ends it. */
  doctor(typeId: string, signal: AbortSignal): Promise<DoctorReport>;

  /** Reads a fleet file: what it would start, what is wrong with it (line and column), what needs approval. Starts nothing. */
  planFleet(text: string, fileName: string): Promise<FleetPlan>;
  /** Records the person's approval of exactly these hashes, which a plan of this engine contained. @throws {AgentError} agent.notApproved for any other */
  approveFleet(hashes: readonly string[]): Promise<void>;
  /** Starts what is not running yet. Reports each agent; stops early on abort (what runs, runs). @throws {AgentError} agent.notApproved */
  startFleet(plan: FleetPlan, onProgress: (step: FleetStep) => void, signal: AbortSignal): Promise<FleetResult>;
  /** Stops every agent that runs or is about to, a few at a time; what has ended stays as it is, with its reason. */
  stopAll(onProgress: (step: FleetStep) => void, signal: AbortSignal): Promise<FleetResult>;

  /** Newest first, at most `limit` (default 100). */
  history(id: AgentId, limit?: number): Promise<readonly AgentChange[]>;
  /**
   * Writes what is kept (agents, their history and prompts, approvals) to a file on the owner's machine: consistent, complete or
   * not there, without secrets unless they are asked for. `onProgress`: `done` records so far, `total` is 0.
   * @throws {ExchangeError} exchange.fileExists, exchange.fileUnusable, exchange.moving
   */
  exportData(request: ExportRequest, onProgress: (step: FleetStep) => void, signal: AbortSignal): Promise<ExportReport>;
  /**
   * Reads an export on the owner's machine, checks every record and says what an import would do; with `apply`, the fingerprint of such a report,
   * does it in one transaction. Agents come in stopped; approvals and fleet types never do. Nothing is started or typed.
   * @throws {ExchangeError} exchange.fileUnusable, exchange.notAnExport, exchange.unknownFormat, exchange.newer, exchange.tooLarge; with `apply` also
   * exchange.fileChanged, exchange.notWhole, exchange.invalidRecords; {AgentError} agent.nameTaken, agent.conflict, agent.stillRunning when that came in between
   */
  importData(request: ImportRequest, onProgress: (step: FleetStep) => void, signal: AbortSignal): Promise<ImportReport>;

  /**
   * Finds prompts, agents, approvals and lines of history by their words: also agents' that are gone, as long as they are kept. Never values of environment variables.
   * @throws {DataError} data.invalid (the query is too long), data.corrupt (the index of texts cannot be used), data.io
   */
  searchRecords(request: SearchRequest): Promise<SearchAnswer>;
  /**
   * Looks for everything that can be wrong with what is kept: the file as `checkData('full')`, every record by its rules, references, sequences, the
   * journal, and drift from tmux. Changes nothing. Steps are named `file`, `journal`, `records`, `terminals`; `total` is 0.
   */
  checkIntegrity(onProgress: (step: FleetStep) => void, signal: AbortSignal): Promise<IntegrityReport>;
  /**
   * Does what a finding offers; resolves with what was done, one sentence.
   * @throws {DataError} data.conflict – the record was changed since the check; data.invalid – no such kind
   */
  fixIntegrity(fix: ApplicableFix): Promise<string>;
  /** Pipelines that are kept, by name. */
  pipelines(): Promise<readonly KeptPipeline[]>;
  /**
   * Runs a pipeline over everything that is kept, without secrets, into a file on the owner's machine: complete or not there.
   * @throws {ProcessingError} processing.unknownStep, processing.invalidPipeline, processing.unknownPipeline, processing.boundExceeded; {ExchangeError} exchange.fileExists,
   * exchange.fileUnusable, exchange.moving
   */
  runPipeline(
    request: PipelineRequest,
    onProgress: (step: FleetStep) => void,
    signal: AbortSignal,
  ): Promise<PipelineReport>;
  /** Forgets a kept pipeline and what its last run refused; files that it wrote stay. @throws {ProcessingError} processing.unknownPipeline */
  removePipeline(name: string): Promise<void>;
  /** What the last run of a pipeline refused (default: of each), newest first, at most `limit` (default 100). */
  rejected(name?: string, limit?: number): Promise<readonly RejectedRecord[]>;
  /** Engine, sizes, backups and the last check of the store, read when asked. */
  dataStatus(): Promise<DataStatus>;
  /** Looks for damage beside the writers; repairs nothing. What it finds is kept and raised as the notice {@link STORE_DAMAGED}. */
  checkData(depth: CheckDepth, onProgress: (step: FleetStep) => void, signal: AbortSignal): Promise<StoreCheckReport>;
  /**
   * Writes a whole and checked copy of the store, on the owner's machine. @param file absolute; default: a new one among the
   * workspace's backups. @throws {DataError} data.fileUnusable (no such folder, or something else is there), data.corrupt, data.io
   */
  backUpData(
    file: string | undefined,
    onProgress: (step: FleetStep) => void,
    signal: AbortSignal,
  ): Promise<BackupReport>;
  /**
   * Looks at all of a file before it is restored, and changes nothing: only where the store can be restored from, the owner or an engine that is
   * blocked by its store. @param file absolute @throws {EngineError} elsewhere; {DataError} data.io
   */
  inspectBackup(file: string, onProgress: (step: FleetStep) => void, signal: AbortSignal): Promise<BackupInspection>;
  /**
   * By decision of a person: a backup takes the place of the store. It is checked and the present store is backed up first; then the
   * engine begins anew with it, by itself, soon after this resolved. Agents keep running. The notice {@link STORE_RESTORED} tells it.
   * Also possible while the engine is blocked by its store. @throws {DataError} data.fileUnusable, data.corrupt, data.io: nothing has changed
   */
  restoreData(backup: string, onProgress: (step: FleetStep) => void, signal: AbortSignal): Promise<RestoreReport>;
  /** Gives space of deleted records back to the disk. */
  compactData(onProgress: (step: FleetStep) => void, signal: AbortSignal): Promise<CompactReport>;

  /** What a terminal runs to attach a person. @throws {TmuxError} tmux.noSuchTarget */
  attachCommand(id: AgentId): { readonly program: string; readonly args: readonly string[] };
  /** Agents by the pid of the tmux client that looks at them: adopts terminals after a reload. */
  attachedClients(): Promise<ReadonlyMap<number, AgentId>>;
  /** Raw output for a read-only live mirror that never resizes the agent. */
  mirror(id: AgentId, sink: MirrorSink): Disposable;

  /** By decision of a person: become the owner although the present one is not responding. Only while `following` such an owner. */
  takeOver(): void;
  /**
   * By decision of a person: go on although acknowledged changes are missing from the store (notice {@link STORE_LOSS}), or are in a damaged
   * one that was put aside ({@link STORE_QUARANTINED}). Agents keep running. Resolves when the engine has begun anew; without such a loss it does nothing.
   */
  acceptStoreLoss(): Promise<void>;
  /** For *Check Setup*: what is installed, where things are kept, what is wrong. No secrets. */
  diagnose(): Promise<readonly Diagnosis[]>;
}

/** Fingerprint of the notice that acknowledged changes are missing from the store. */
export const STORE_LOSS = 'store.missingChanges';
/** Of the notice that a damaged store was put aside, and an empty one begun: raised at each start until a backup is restored or a person goes on without it. */
export const STORE_QUARANTINED = 'store.corrupt';
/** Of the notice that single records are damaged. */
export const DAMAGED_RECORDS = 'store.damagedRecords';
/** Of the notice that a check has found damage. */
export const STORE_DAMAGED = 'store.damaged';
/** Of the notice that a check by itself has found records that do not fit together, or with tmux. */
export const STORE_FINDINGS = 'store.findings';
/** Of the notice that a backup has taken the place of the store. */
export const STORE_RESTORED = 'store.restored';
/** Of the notice that tmux has ended, and the runs of agents with it. */
export const TMUX_ENDED = 'tmux.ended';
/** Of the notice that a folder that the engine needs cannot be made, read or written: it is tried again by itself. */
export const STORE_UNUSABLE = 'store.unusable';
/** Of the notice that the store cannot be opened. */
export const STORE_BLOCKED = 'store.blocked';

export type EngineStatus =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'starting' }
  /** This window owns the workspace. `isTmuxLost`: there is no tmux server, or it does not answer; the engine goes on trying. */
  | {
      readonly kind: 'ready';
      readonly epoch: number;
      readonly tmuxVersion: string;
      readonly isTmuxLost: boolean;
      /** While `isTmuxLost`. */
      readonly tmuxLoss?: TmuxLoss;
      readonly isReadOnly: boolean;
    }
  /** Another window or the headless host owns it. Without a connection agents are shown by id, read-only. */
  | {
      readonly kind: 'following';
      readonly ownerPid: number;
      readonly isOwnerResponding: boolean;
      /** Connected to the owner's gateway: the same agents, with names and activity, and the same commands. */
      readonly isConnected: boolean;
    }
  /** The workspace is not trusted (Restricted Mode): what runs already is shown, nothing is started, typed or kept. `start` again once it is. */
  | { readonly kind: 'restricted' }
  /** Cannot work until a person acts. `code` is the error's code (`tmux.notInstalled`, `data.newerSchema`, …). */
  | { readonly kind: 'blocked'; readonly code: string; readonly detail: string };

/** Why there is no tmux to work with. */
export interface TmuxLoss {
  /** What tmux or the system said, one line; untrusted. */
  readonly reason: string;
  /** It ran since this window owns the workspace, and agents were in it. False: it could not be started. */
  readonly hasRun: boolean;
}

/** Why an agent needs a person. */
export type NeedsYou = 'input' | 'approval' | 'error' | 'failed' | 'quarantined';

export interface AgentView {
  readonly id: AgentId;
  /** Display name; equals the id while following. Cleaned of control and bidi characters. */
  readonly name: string;
  readonly typeId: string;
  readonly typeLabel: string;
  /** Codicon id. */
  readonly typeIcon: string;
  readonly folder: string;
  readonly role?: string;
  readonly team?: string;
  /** Name of the entry of a fleet file that it was started for; stays when it is renamed. Absent: a person started it. */
  readonly fleetName?: string;
  readonly desired: DesiredState;
  readonly lifecycle: Lifecycle;
  readonly activity: Activity;
  readonly needsYou?: NeedsYou;
  /** Why it failed, waits for a restart, is quarantined or met an error, in few words: `exit code 1: Error: no such module`. Plain text. */
  readonly trouble?: string;
  readonly generation: number;
  readonly pid?: number;
  /** Epoch ms of the last change of lifecycle or activity. */
  readonly sinceMs: number;
  readonly reason: string;
  readonly evidence: readonly Evidence[];
  readonly exit?: ExitCause;
  /** Automatic restarts within the intensity window. */
  readonly recentRestartCount: number;
  readonly nextStartAtMs?: number;
  readonly restartPolicy: RestartPolicy;
  /** A start in a new conversation, a restart too, sends it its first prompt. Absent: it has none. */
  readonly hasFirstPrompt?: true;
  /** The newest prompt that was sent to it. */
  readonly lastReceipt?: PromptReceipt;
  /** Prompts that wait for it to become free. */
  readonly queuedPromptCount: number;
  /** Of so many of its newest prompts nobody knows whether they arrived; absent: of none. */
  readonly unsurePromptCount?: number;
  /** What it asks a person now. */
  readonly request?: PermissionRequest;
  /** It ended and its conversation can be gone on with. */
  readonly isResumable: boolean;
  /** `Ready` and `Deliverable`, each with its reason and since when; empty while only tmux is known of it. */
  readonly conditions: readonly AgentCondition[];
  /** What is not known or not possible for it, in words: `no hooks: activity comes from the screen only`. */
  readonly degraded: readonly string[];
  readonly usage?: AgentUsage;
  /** A process exists that can be attached to (also dead ones keep their last screen). */
  readonly isAttachable: boolean;
  /** Shown read-only because another window owns the workspace. */
  readonly isManagedElsewhere: boolean;
}

export interface AgentViewChange {
  readonly id: AgentId;
  readonly view: AgentView | undefined;
  readonly previous: AgentView | undefined;
}

export interface AgentTypeInfo {
  readonly id: string;
  readonly label: string;
  readonly icon: string;
  readonly description: string;
  /** `installed`: its command was found on the PATH agents get. `unknown` until looked for. */
  readonly availability: 'installed' | 'missing' | 'unknown';
  readonly installHint: string;
  readonly isBuiltIn: boolean;
  /** Prompts may be sent to it. */
  readonly canReceivePrompts: boolean;
  /** The person must give the command line (type `command`). */
  readonly needsCommand: boolean;
}

export interface NoticeChange {
  readonly kind: 'raised' | 'resolved';
  readonly notice: AlertNotice;
}

export interface FleetPlan {
  readonly agents: readonly FleetPlanEntry[];
  readonly problems: readonly FleetProblem[];
}

export interface FleetPlanEntry {
  readonly spec: AgentSpec;
  /** SHA-256 over the exact command, arguments, environment, folder and first prompt. */
  readonly hash: string;
  readonly isApproved: boolean;
  /** The agent that was started for this entry, or else the one that has its name. */
  readonly existing?: AgentId;
  /** The complete command for a person's eyes: nothing left out, invisible characters made visible. */
  readonly approvalText: string;
}

export interface FleetProblem {
  /** JSON pointer. */
  readonly path: string;
  readonly message: string;
  /** Zero-based. */
  readonly line: number;
  readonly column: number;
}

export interface FleetStep {
  readonly name: string;
  readonly done: number;
  readonly total: number;
  /** Set when this agent failed; the rest goes on. */
  readonly error?: unknown;
}

export interface FleetResult {
  readonly succeeded: readonly string[];
  readonly skipped: readonly string[];
  readonly failed: readonly { readonly name: string; readonly error: unknown }[];
  readonly isCanceled: boolean;
  /** Of {@link Engine.resumeFleet} only: how each of `succeeded` came back. */
  readonly returned?: readonly ReturnedAgent[];
}

/** An agent that ended and runs again. */
export interface ReturnedAgent {
  readonly agentId: AgentId;
  readonly name: string;
  /** What its conversation has lost; undefined: it had none to go on with and was started anew. */
  readonly report?: ResumeReport;
}

export interface MirrorSink {
  /** Terminal bytes as text, first a redraw of the present screen. */
  readonly onData: (data: string) => void;
  readonly onSize: (columns: number, rows: number) => void;
  readonly onEnd: () => void;
}

/** True for an agent a person should look at now. */
export function needsYouOf(lifecycle: Lifecycle, activity: Activity): NeedsYou | undefined {
  if (lifecycle === 'quarantined') return 'quarantined';
  if (lifecycle === 'failed') return 'failed';
  if (lifecycle !== 'running' && lifecycle !== 'paused') return undefined;
  if (activity === 'awaiting_input') return 'input';
  if (activity === 'awaiting_approval') return 'approval';
  return activity === 'error' ? 'error' : undefined;
}
