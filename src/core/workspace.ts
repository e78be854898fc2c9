import type { AgentHost } from './agents/agentHost';
import type { BaseEnvironment } from './agents/environment';
import type { LaunchChecks } from './agents/launchChecks';
import type { Processes } from './agents/processes';
import type { DataStore } from './data/dataStore';
import type { Ownership, WorkspaceLock } from './data/workspaceLock';
import type { Diagnosis } from './engine';

/** Everything of the machine that the engine needs for one workspace, found and checked but not yet running. */
export interface Workspace {
  /** Hash of what the window has open; names the tmux server and the data folder. */
  readonly id: string;
  readonly lock: WorkspaceLock;
  readonly processes: Processes;
  readonly environment: BaseEnvironment;
  /** Facts for the AgentFactory. */
  readonly shell: string;
  readonly execPath: string;
  readonly demoAgent: string;
  /** Opens (or makes) the store for this owner. @throws {DataError} */
  openStore(ownership: Ownership, options: { readonly acceptMissingChanges: boolean }): Promise<OpenedStore>;
  /** `fence` is asked before every batch of commands that changes something. */
  createHost(mode: 'owner' | 'observer', fence: () => boolean): AgentHost;
  readonly checks: LaunchChecks;
  /** Lower-case hex. */
  sha256(text: string): string;
  diagnose(): Promise<readonly Diagnosis[]>;
}

/** Finds (and makes) what the engine needs for what the window has open. @throws {DataError | TmuxError} typed, for `blocked` */
export type OpenWorkspace = (signal: AbortSignal) => Promise<Workspace>;

export interface OpenedStore {
  readonly store: DataStore;
  /** What the person must know about the opening: a damaged file that was set aside, lost acknowledged changes. Empty when all is well. */
  readonly warnings: readonly { readonly fingerprint: string; readonly title: string; readonly detail: string }[];
}
