import type { AgentId } from '../core/agents/agent';

/**
 * Every id that `package.json` and the code share, with the types of what travels under it. The test
 * `test/unit/manifest.test.ts` compares both sides.
 */
export const EXTENSION_ID = 'core-orchestrator.core-orchestrator';
export const SECTION = 'coreOrchestrator';
export const CONTAINER_ID = 'coreOrchestrator';
export const AGENTS_VIEW_ID = 'coreOrchestrator.agents';
export const STATUS_ITEM_ID = 'agents';
export const TERMINAL_PROFILE_ID = 'coreOrchestrator.agent';
export const WALKTHROUGH_ID = 'coreOrchestrator.start';
/** Scheme of the read-only documents: reports, histories, commands to approve. */
export const DOCUMENT_SCHEME = 'core-orchestrator';
/** Language of reports that are not Markdown: plain text whose long lines wrap, so that nothing is out of sight (S24). */
export const REPORT_LANGUAGE_ID = 'core-orchestrator-report';
/** Language of a prompt that is written in an editor: plain text with its own button. */
export const PROMPT_LANGUAGE_ID = 'core-orchestrator-prompt';
/** Where a workspace keeps its fleet, below a workspace folder. */
export const FLEET_FILE = '.vscode/agents.json';

export const CommandId = {
  StartAgent: 'coreOrchestrator.startAgent',
  StartAgentAgain: 'coreOrchestrator.startAgentAgain',
  StopAgent: 'coreOrchestrator.stopAgent',
  RestartAgent: 'coreOrchestrator.restartAgent',
  PauseAgent: 'coreOrchestrator.pauseAgent',
  ResumeAgent: 'coreOrchestrator.resumeAgent',
  ReleaseQuarantine: 'coreOrchestrator.releaseQuarantine',
  AttachAgent: 'coreOrchestrator.attachAgent',
  OpenAgentBeside: 'coreOrchestrator.openAgentBeside',
  OpenMirror: 'coreOrchestrator.openMirror',
  SendPrompt: 'coreOrchestrator.sendPrompt',
  QueuePrompt: 'coreOrchestrator.queuePrompt',
  WritePrompt: 'coreOrchestrator.writePrompt',
  SendWrittenPrompt: 'coreOrchestrator.sendWrittenPrompt',
  SendSelection: 'coreOrchestrator.sendSelection',
  ShowReceipts: 'coreOrchestrator.showReceipts',
  CancelQueuedPrompt: 'coreOrchestrator.cancelQueuedPrompt',
  ResendPrompt: 'coreOrchestrator.resendPrompt',
  ReviewRequest: 'coreOrchestrator.reviewRequest',
  ApproveRequest: 'coreOrchestrator.approveRequest',
  DenyRequest: 'coreOrchestrator.denyRequest',
  DenyRequestWithReason: 'coreOrchestrator.denyRequestWithReason',
  ResumeConversation: 'coreOrchestrator.resumeConversation',
  ResumeFleet: 'coreOrchestrator.resumeFleet',
  GoToNextWaitingAgent: 'coreOrchestrator.goToNextWaitingAgent',
  ExplainState: 'coreOrchestrator.explainState',
  Doctor: 'coreOrchestrator.doctor',
  RenameAgent: 'coreOrchestrator.renameAgent',
  RemoveAgent: 'coreOrchestrator.removeAgent',
  StartFleet: 'coreOrchestrator.startFleet',
  StopAll: 'coreOrchestrator.stopAll',
  SearchRecords: 'coreOrchestrator.searchRecords',
  ExportData: 'coreOrchestrator.exportData',
  ImportData: 'coreOrchestrator.importData',
  Backup: 'coreOrchestrator.backup',
  Restore: 'coreOrchestrator.restore',
  CheckIntegrity: 'coreOrchestrator.checkIntegrity',
  Compact: 'coreOrchestrator.compact',
  GoToAgent: 'coreOrchestrator.goToAgent',
  ShowHistory: 'coreOrchestrator.showHistory',
  ShowLog: 'coreOrchestrator.showLog',
  CheckSetup: 'coreOrchestrator.checkSetup',
  TakeOver: 'coreOrchestrator.takeOver',
  TryAgain: 'coreOrchestrator.tryAgain',
  AcceptStoreLoss: 'coreOrchestrator.acceptStoreLoss',
  WatchAgents: 'coreOrchestrator.watchAgents',
  OpenFleetFile: 'coreOrchestrator.openFleetFile',
  CreateFleetFile: 'coreOrchestrator.createFleetFile',
  ResetMutedNotices: 'coreOrchestrator.resetMutedNotices',
  GroupByState: 'coreOrchestrator.groupByState',
  GroupByTeam: 'coreOrchestrator.groupByTeam',
  GroupByFolder: 'coreOrchestrator.groupByFolder',
  GroupByNone: 'coreOrchestrator.groupByNone',
} as const;
export type CommandId = (typeof CommandId)[keyof typeof CommandId];

/** What a command about agents may be given: a row of the view, an agent's id (`consentGate.ts` decides what that is good for), or nothing (the person picks). */
export type AgentTarget = { readonly kind: 'agent'; readonly id: AgentId } | AgentId | undefined;
/** (clicked row, all selected rows), as VS Code calls commands of a tree view with several selected rows. */
export type AgentCommand = (row?: AgentTarget, rows?: readonly unknown[]) => Promise<void>;
type PlainCommand = () => Promise<void>;
/** With a text nothing more is asked. */
type PromptCommand = (row?: AgentTarget, rows?: readonly unknown[], text?: string) => Promise<void>;
/** With the id of an agent type nothing more is asked. */
type DoctorCommand = (typeId?: unknown) => Promise<void>;

export interface CommandTypes {
  [CommandId.StartAgent]: () => Promise<AgentId | undefined>;
  [CommandId.StartAgentAgain]: AgentCommand;
  [CommandId.StopAgent]: AgentCommand;
  [CommandId.RestartAgent]: AgentCommand;
  [CommandId.PauseAgent]: AgentCommand;
  [CommandId.ResumeAgent]: AgentCommand;
  [CommandId.ReleaseQuarantine]: AgentCommand;
  [CommandId.AttachAgent]: AgentCommand;
  [CommandId.OpenAgentBeside]: AgentCommand;
  [CommandId.OpenMirror]: AgentCommand;
  [CommandId.SendPrompt]: PromptCommand;
  [CommandId.QueuePrompt]: PromptCommand;
  [CommandId.WritePrompt]: AgentCommand;
  [CommandId.SendWrittenPrompt]: PlainCommand;
  [CommandId.SendSelection]: PlainCommand;
  [CommandId.ShowReceipts]: AgentCommand;
  [CommandId.CancelQueuedPrompt]: AgentCommand;
  [CommandId.ResendPrompt]: AgentCommand;
  [CommandId.ReviewRequest]: AgentCommand;
  [CommandId.ApproveRequest]: AgentCommand;
  [CommandId.DenyRequest]: AgentCommand;
  [CommandId.DenyRequestWithReason]: AgentCommand;
  [CommandId.ResumeConversation]: AgentCommand;
  [CommandId.ResumeFleet]: PlainCommand;
  [CommandId.GoToNextWaitingAgent]: PlainCommand;
  [CommandId.ExplainState]: AgentCommand;
  [CommandId.Doctor]: DoctorCommand;
  [CommandId.RenameAgent]: AgentCommand;
  [CommandId.RemoveAgent]: AgentCommand;
  [CommandId.StartFleet]: PlainCommand;
  [CommandId.StopAll]: PlainCommand;
  [CommandId.SearchRecords]: PlainCommand;
  [CommandId.ExportData]: PlainCommand;
  [CommandId.ImportData]: PlainCommand;
  [CommandId.Backup]: PlainCommand;
  [CommandId.Restore]: PlainCommand;
  [CommandId.CheckIntegrity]: PlainCommand;
  [CommandId.Compact]: PlainCommand;
  [CommandId.GoToAgent]: PlainCommand;
  [CommandId.ShowHistory]: AgentCommand;
  [CommandId.ShowLog]: PlainCommand;
  [CommandId.CheckSetup]: PlainCommand;
  [CommandId.TakeOver]: PlainCommand;
  [CommandId.TryAgain]: PlainCommand;
  [CommandId.AcceptStoreLoss]: PlainCommand;
  [CommandId.WatchAgents]: PlainCommand;
  [CommandId.OpenFleetFile]: PlainCommand;
  [CommandId.CreateFleetFile]: PlainCommand;
  [CommandId.ResetMutedNotices]: PlainCommand;
  [CommandId.GroupByState]: PlainCommand;
  [CommandId.GroupByTeam]: PlainCommand;
  [CommandId.GroupByFolder]: PlainCommand;
  [CommandId.GroupByNone]: PlainCommand;
}

/** Context keys that `when` clauses may use, with the type of their value. */
export interface ContextKeys {
  /** Which welcome text the Agents view shows while it has no rows. */
  'coreOrchestrator.welcome': WelcomeState;
  'coreOrchestrator.hasAgents': boolean;
  /** Commands of this window reach the agents: it manages them, or is connected to the window or host that does. */
  'coreOrchestrator.canAct': boolean;
  /** A backup can be restored from this window: it manages the agents, or cannot because of the store. */
  'coreOrchestrator.canRestore': boolean;
  /** At least one agent has a process. */
  'coreOrchestrator.hasLiveAgents': boolean;
  /** At least one agent has a terminal that can be shown. */
  'coreOrchestrator.hasAttachableAgents': boolean;
  'coreOrchestrator.hasEndedAgents': boolean;
  /** At least one agent waits for its automatic restart: it has no process, but can be stopped, and started now. */
  'coreOrchestrator.hasBackoffAgents': boolean;
  'coreOrchestrator.hasPausedAgents': boolean;
  'coreOrchestrator.hasQuarantinedAgents': boolean;
  /** At least one agent has ended in a conversation that can be gone on with. */
  'coreOrchestrator.hasResumableAgents': boolean;
  /** At least one agent asks for something that is shown. */
  'coreOrchestrator.hasRequests': boolean;
  /** At least one agent needs a person. */
  'coreOrchestrator.hasWaitingAgents': boolean;
  'coreOrchestrator.hasFleetFile': boolean;
  /** The owner of the workspace does not answer: a person may take over. */
  'coreOrchestrator.canTakeOver': boolean;
  /** Acknowledged changes are missing from the store: a person decides whether to go on. */
  'coreOrchestrator.hasStoreLoss': boolean;
}

/** Values of `coreOrchestrator.welcome`; each has its text in `package.json` (`viewsWelcome`). */
export const WelcomeState = {
  Starting: 'starting',
  Empty: 'empty',
  EmptyFleet: 'emptyFleet',
  NoFolder: 'noFolder',
  Untrusted: 'untrusted',
  Windows: 'windows',
  VirtualWorkspace: 'virtualWorkspace',
  NoTmux: 'noTmux',
  OldTmux: 'oldTmux',
  TmuxLost: 'tmuxLost',
  TmuxNotStarting: 'tmuxNotStarting',
  UnsafeFolder: 'unsafeFolder',
  StoreCorrupt: 'storeCorrupt',
  StoreNewer: 'storeNewer',
  StoreReadOnly: 'storeReadOnly',
  ReadOnly: 'readOnly',
  NetworkFileSystem: 'networkFileSystem',
  Elsewhere: 'elsewhere',
  Connected: 'connected',
  OwnerHung: 'ownerHung',
  Blocked: 'blocked',
} as const;
export type WelcomeState = (typeof WelcomeState)[keyof typeof WelcomeState];

/** Settings below `coreOrchestrator.`; their meaning is in `settings.ts`, their limits in `package.json`. */
export const SettingKey = {
  AgentTypes: 'agentTypes',
  TmuxPath: 'tmuxPath',
  GroupBy: 'agents.groupBy',
  PassEnvironment: 'agents.passEnvironment',
  StartDeadline: 'agents.startDeadlineSeconds',
  KeepSupervising: 'keepSupervising',
  AllowRules: 'approvals.allow',
  RestartFirstDelay: 'restart.firstDelaySeconds',
  RestartLongestDelay: 'restart.longestDelaySeconds',
  RestartLimit: 'restart.limit',
  RestartPeriod: 'restart.periodMinutes',
  Notifications: 'notifications',
  TerminalLocation: 'terminal.location',
  AllowWrite: 'api.allowWrite',
  StoreEngine: 'store.engine',
  KeptBackups: 'store.keepBackups',
  RetentionHistory: 'store.retention.historyDays',
  RetentionPrompts: 'store.retention.promptDays',
  RetentionThen: 'store.retention.then',
} as const;
export type SettingKey = (typeof SettingKey)[keyof typeof SettingKey];
