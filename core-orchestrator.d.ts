/**
 * The API that Core Orchestrator exports to other extensions.
 *
 * ```ts
 * const extension = vscode.extensions.getExtension<CoreOrchestratorApi>('core-orchestrator.core-orchestrator');
 * const api = (await extension?.activate())?.getAPI(1);
 * ```
 *
 * Reading is open. Everything that acts is refused unless the person has turned on the setting
 * `coreOrchestrator.api.allowWrite`, and while the workspace is not trusted. A refusal is an `Error` with a `code`.
 */
import type { Disposable, Event } from 'vscode';

export interface CoreOrchestratorApi {
  /** @throws {CoreOrchestratorError} `api.unknownVersion` */
  getAPI(version: 1): CoreOrchestratorApiV1;
}

export interface CoreOrchestratorApiV1 {
  readonly agents: {
    /** Every agent of this workspace, in order of creation. Empty until the engine is ready: listen to `onDidChange`. */
    list(): readonly AgentSnapshot[];
    get(id: string): AgentSnapshot | undefined;
    /** Fires once per agent that came, changed or went. */
    readonly onDidChange: Event<AgentChangeEvent>;

    /**
     * Starts a new agent. Resolves with its id when it is ready, which takes at most the setting `coreOrchestrator.agents.startDeadlineSeconds`.
     * When the agent was kept but did not become ready, the error names it (`agentId`): it is listed, and can be restarted or removed.
     * @throws {CoreOrchestratorError}
     */
    start(request: StartAgentRequest): Promise<string>;
    /** @throws {CoreOrchestratorError} */
    stop(id: string): Promise<void>;
    /** @throws {CoreOrchestratorError} */
    restart(id: string): Promise<void>;
    /** Stops the agent if needed and forgets it. @throws {CoreOrchestratorError} */
    remove(id: string): Promise<void>;
    /** Types `text` into the agent and submits it. @throws {CoreOrchestratorError} */
    sendPrompt(id: string, text: string): Promise<void>;
  };

  /**
   * Adds an agent type from its JSON manifest (`media/schemas/agentType.schema.json`) until disposed.
   * @throws {CoreOrchestratorError}
   */
  registerAgentType(manifest: unknown): Disposable;
}

/** An agent at one moment. All texts are plain text and may come from people or programs: never show them as HTML or Markdown. */
export interface AgentSnapshot {
  readonly id: string;
  readonly name: string;
  readonly typeId: string;
  readonly folder: string;
  readonly role: string | undefined;
  readonly team: string | undefined;
  readonly lifecycle:
    | 'created'
    | 'starting'
    | 'running'
    | 'paused'
    | 'stopping'
    | 'stopped'
    | 'exited'
    | 'failed'
    | 'lost'
    | 'backoff'
    | 'quarantined'
    | 'retired';
  /** Meaningful while `lifecycle` is `running` or `paused`. */
  readonly activity: 'idle' | 'busy' | 'awaiting_input' | 'awaiting_approval' | 'rate_limited' | 'error' | 'unknown';
  /** Why a person should look at it now. */
  readonly needsYou: 'input' | 'approval' | 'error' | 'failed' | 'quarantined' | undefined;
  /** Epoch milliseconds of the last change of `lifecycle` or `activity`. */
  readonly sinceMs: number;
  /** How its last process ended; both undefined when the cause is not known. */
  readonly exit: { readonly code?: number; readonly signal?: string } | undefined;
  /** Another window manages it; nothing can be done from here. */
  readonly isManagedElsewhere: boolean;
}

export interface AgentChangeEvent {
  readonly id: string;
  /** Undefined when the agent was removed. */
  readonly agent: AgentSnapshot | undefined;
}

export interface StartAgentRequest {
  /** 1–80 characters. */
  readonly name: string;
  readonly typeId: string;
  /** Absolute path. */
  readonly folder: string;
  readonly role?: string;
  readonly team?: string;
  readonly firstPrompt?: string;
  /** Appended to the command of the type. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Only for the type `command`: program and arguments. No shell is involved. */
  readonly command?: readonly string[];
  /** Default `on_failure`. */
  readonly restartPolicy?: 'never' | 'on_failure' | 'always';
}

/** What is thrown. `code` is stable: `api.writeNotAllowed`, `window.untrusted`, `agent.notFound`, … */
export interface CoreOrchestratorError extends Error {
  readonly code: string;
  /** The agent that a failed start has kept. */
  readonly agentId?: string | undefined;
}
