import type { Clock } from '../base/clock';
import type { Event } from '../base/event';
import type { Ids } from '../base/ids';
import type { Logger } from '../base/log';
import type { AgentFactory } from './agentFactory';
import type { AgentHost } from './agentHost';
import type { AgentRegistry } from './agentRegistry';
import type { AgentStateManager } from './agentStateManager';
import type { AgentStore } from './agentStore';
import type { PromptDeliverer } from './delivery/promptDeliverer';
import type { FaultPoints } from './delivery/faultPoints';
import type { DeliveryStore } from './delivery/promptDelivery';
import type { BaseEnvironment } from './environment';
import type { LaunchChecks } from './launchChecks';
import type { AllowRule } from './permissionRequest';
import type { Processes } from './processes';
import type { UsageReader } from './usage';
import { DEFAULT_RESTART_SETTINGS, type RestartSettings } from './restartBudget';
import type { HookFact } from './signals/agentSignal';
import type { StatusFiles } from './signals/statusFile';

/** Something a person should know. The monitoring module's AlertSink takes these as they are. */
export interface AgentNotice {
  /** Identity: raising the same again replaces. `agent.quarantined:<id>`, `agent.orphan:<id>`, `agent.cannotStart:<id>`, `agent.killFailed:<id>`, `agent.firstPrompt:<id>`. */
  readonly fingerprint: string;
  readonly level: 'warning' | 'error' | 'critical';
  readonly title: string;
  readonly detail: string;
  readonly agentId: string;
  readonly atMs: number;
}

export interface NoticeSink {
  raise(notice: AgentNotice): void;
  /** The condition is over; unknown fingerprints are ignored. */
  resolve(fingerprint: string): void;
}

/** Everything the supervisor uses of the world. */
export interface SupervisorPorts {
  readonly host: AgentHost;
  readonly store: AgentStore;
  readonly processes: Processes;
  readonly checks: LaunchChecks;
  readonly environment: BaseEnvironment;
  readonly factory: AgentFactory;
  readonly notices: NoticeSink;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  /** In [0, 1); moves restart delays. */
  readonly random: () => number;
  /** Where prompts on their way are kept. */
  readonly deliveries: DeliveryStore;
  /** Reads what programs record of their use of tokens; without it usage is not known. */
  readonly usageReader?: UsageReader;
  /** Watches the files in which programs keep what they do; without it those say nothing. */
  readonly statusFiles?: StatusFiles;
  /** What programs tell by their hooks beside what the supervisor's own intake takes: for tests. */
  readonly onDidHook?: Event<HookFact>;
  /** Told at each named instant of a delivery and of a stop; tests crash there. */
  readonly faultPoints?: FaultPoints;
}

/** Compiled and complete; see {@link DEFAULT_SUPERVISOR_SETTINGS}. */
export interface SupervisorSettings {
  /** From the order to ready. Default 60 s. */
  readonly startDeadlineMs: number;
  /** How long after SIGKILL until survivors are reported: a process whose turn does not come cannot end, however dead it is. Default 15 s. */
  readonly killWaitMs: number;
  /** How often a lost agent's remaining processes are looked at. Default 5 s. */
  readonly lostCheckMs: number;
  readonly restart: RestartSettings;
  /** Folder that stands in the record of an agent that was found running without one; absolute. */
  readonly recoveredFolder: string;
  /** False while nothing may start by itself (Restricted Mode): restarts wait until it is true at the next reconciliation. */
  readonly isAutomaticStartAllowed: () => boolean;
  /** By which permission requests are allowed without a person; written by a person. Default: none. */
  readonly allowRules: readonly AllowRule[];
}

export const DEFAULT_SUPERVISOR_SETTINGS: Omit<SupervisorSettings, 'recoveredFolder'> = {
  startDeadlineMs: 60_000,
  killWaitMs: 15_000,
  lostCheckMs: 5_000,
  restart: DEFAULT_RESTART_SETTINGS,
  isAutomaticStartAllowed: () => true,
  allowRules: [],
};

/** What the parts of the supervisor share. */
export interface SupervisorContext extends SupervisorPorts {
  readonly settings: SupervisorSettings;
  readonly registry: AgentRegistry;
  readonly state: AgentStateManager;
  /** Every text that is typed for somebody goes through it. */
  readonly prompts: PromptDeliverer;
}

/** On whose behalf something is done. */
export interface Order {
  /** `person`, `policy`, `engine` or an agent id. */
  readonly actor: string;
  /** `snake_case`. */
  readonly reason: string;
}
