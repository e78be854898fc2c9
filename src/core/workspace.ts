import type { AgentHost } from './agents/agentHost';
import type { HomeFolders } from './agents/signals/homePlan';
import type { StatusFiles } from './agents/signals/statusFile';
import type { UsageReader } from './agents/usage';
import type { LaunchTools } from './agents/launchTools';
import type { TrialRun } from './agents/doctor';
import type { BaseEnvironment } from './agents/environment';
import type { LaunchChecks } from './agents/launchChecks';
import type { Processes } from './agents/processes';
import type { FaultPoints } from './agents/delivery/faultPoints';
import type { DataStore, KeptRecord } from './data/dataStore';
import type { DurableStore } from './data/durableStore';
import type { StoreKeeper } from './data/storeCare';
import type { ExportFiles } from './data/exchange/dataExport';
import type { RecordArchive } from './data/retention/retention';
import type { Digest, ImportFiles } from './data/exchange/importReader';
import type { Ownership, WorkspaceLock } from './data/workspaceLock';
import type { Diagnosis } from './engine';
import type { Disposable } from './base/disposable';
import type { Event } from './base/event';
import type { GatewayClient } from './gateway/gatewayClient';
import type { GatewayListener } from './gateway/gatewayPorts';
import type { TokenFiles, Tokens } from './services/authentication/authPorts';
import type { HookReport } from './agents/signals/hookReport';
import type { AlertLevel } from './monitoring/alertSink';

/** Everything of the machine that the engine needs for one workspace, found and checked but not yet running. */
export interface Workspace {
  /** Hash of what the window has open; names the tmux server and the data folder. */
  readonly id: string;
  readonly lock: WorkspaceLock;
  readonly processes: Processes;
  readonly environment: BaseEnvironment;
  /** Makes homes for runs of programs that take no settings for one launch. */
  readonly homes: HomeFolders;
  /** Reads what programs record of their use of tokens. */
  readonly usageReader: UsageReader;
  /** Watches files in which programs keep what they do. */
  readonly statusFiles?: StatusFiles;
  /** For checks of installed programs. */
  readonly trial: TrialRun;
  /** Facts for the AgentFactory. */
  readonly shell: string;
  readonly execPath: string;
  readonly demoAgent: string;
  /** Real path of the folder or the workspace file; empty: no folder. */
  readonly path: string;
  /** Of the product, for people. */
  readonly version: string;
  /** Puts `orc` where agents find it, whatever happens to this version of the extension. */
  installTools(): LaunchTools | Promise<LaunchTools>;
  /** Keys, tokens and the listening socket of this owner; the pointer names the socket when it resolves. @throws {AuthError | GatewayError} typed */
  openAccess(ownership: Ownership): Promise<WorkspaceAccess>;
  /**
   * Hands over what hooks left because no engine took it, oldest first, and empties the spool: at once, and whenever something comes until it is
   * disposed. What `verify` refuses is dropped. Resolves when what was there is handed over; never rejects.
   */
  readHookSpool(verify: Tokens['verifyLeft'], deliver: (report: HookReport) => Promise<unknown>): Promise<Disposable>;
  /** Calls the gateway of the present owner; undefined when nobody answers there. */
  connectGateway(signal: AbortSignal): Promise<GatewayClient | undefined>;
  /** Opens (or makes) the store for this owner. @throws {DataError} */
  openStore(ownership: Ownership, options: { readonly acceptMissingChanges: boolean }): Promise<OpenedStore>;
  /** The files beside the store, also while it cannot be opened. Missing where the store is not kept in a file (tests). */
  readonly storeKeeper?: StoreKeeper;
  /** `fence` is asked before every batch of commands that changes something. */
  createHost(mode: 'owner' | 'observer', fence: () => boolean): AgentHost;
  readonly checks: LaunchChecks;
  readonly exportFiles: ExportFiles;
  readonly importFiles: ImportFiles & { readonly newDigest: () => Digest };
  /** Lets the event loop turn. */
  breathe(): Promise<void>;
  /** Lower-case hex. */
  sha256(text: string): string;
  diagnose(): Promise<readonly Diagnosis[]>;
  /** Told at each named instant of a delivery and of a stop: tests end the process there. */
  readonly faultPoints?: FaultPoints;
}

/** What an owner needs to let agents and people in. */
export interface WorkspaceAccess extends Disposable {
  readonly tokens: Tokens;
  readonly tokenFiles: TokenFiles;
  readonly isPersonKey: (candidate: string) => boolean;
  readonly listener: GatewayListener;
}

/** Finds (and makes) what the engine needs for what the window has open. @throws {DataError | TmuxError} typed, for `blocked` */
export type OpenWorkspace = (signal: AbortSignal) => Promise<Workspace>;

export interface OpenedStore {
  readonly store: DataStore;
  /** The same store where it is kept in a file, for its maintenance; `wasUnclean`: whoever had it open last did not close it; `isChecked`: its structure was checked. */
  readonly durable?: {
    readonly store: DurableStore;
    readonly wasUnclean: boolean;
    readonly isChecked: boolean;
    /** An automatic backup could not be made, because the store is damaged. */
    readonly onDidFindDamage: Event<void>;
  };
  /** Where old records go; missing where the store is not kept in a file (tests). */
  readonly archive?: RecordArchive;
  /** A backup took its place: what it says is of the past. */
  readonly restored?: RestoredStore;
  /** What the person must know about the opening: a damaged file that was set aside, lost acknowledged changes, a backup that was restored. Empty when all is well. */
  readonly warnings: readonly StoreWarning[];
}

/** What an owner needs to know of a restore to go on with the agents that live. */
export interface RestoredStore {
  /** The backup, as people know it. */
  readonly backup: string;
  /** Agents, and agent types of fleets, as they were kept before; undefined: they could not be read. */
  readonly former?: readonly KeptRecord[];
  /** The prompts of `ids` as they were kept before, and all that waited or were under way then; undefined: they could not be read. */
  formerDeliveries(ids: readonly string[]): Promise<FormerDeliveries | undefined>;
  /** Of each of `agentIds` the `newest` prompts as they were kept before, in pages; what cannot be read is left out, and one may come twice. */
  formerReceipts(agentIds: readonly string[], newest: number): AsyncIterable<readonly KeptRecord[]>;
  /** What follows from it is kept: the next opening says nothing about it. */
  settle(): void;
}

export interface FormerDeliveries {
  readonly records: readonly KeptRecord[];
  /** False: they are of a backup of the store before, after which more may have been typed. */
  readonly isLast: boolean;
}

export interface StoreWarning {
  readonly fingerprint: string;
  /** Default: critical. */
  readonly level?: AlertLevel;
  readonly title: string;
  readonly detail: string;
}
