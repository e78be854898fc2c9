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
 *
 * What an agent asks a person (permissions, questions) can be read and is never answered through this API: VS Code does not tell who calls,
 * and an approval belongs to a person who has seen the complete request.
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
    /**
     * Delivers `text` as a prompt. Resolves with the receipt when there is evidence that it arrived (`acknowledged`), or, with
     * `whenBlocked: 'queue'`, as soon as it is kept and waits for the agent to become free (`queued`).
     * @throws {CoreOrchestratorError} nothing was typed: `agent.dialogOpen`, `agent.draftInBox`, `agent.inputHidden`, `agent.notReady`,
     * `agent.notRunning`, `agent.paused`, `agent.notAllowed`; it did not arrive: `agent.deliveryFailed`; it may have arrived and is not typed
     * again: `agent.deliveryUnknown`
     */
    sendPrompt(id: string, text: string, options?: SendPromptOptions): Promise<PromptReceipt>;
    /** Takes back a prompt that is still `queued`. @throws {CoreOrchestratorError} `agent.notAllowed` when typing has begun */
    cancelPrompt(receiptId: string): Promise<void>;
    /** The last prompts to the agent, newest first. @throws {CoreOrchestratorError} */
    receipts(id: string): Promise<readonly PromptReceipt[]>;
    /** Fires at each step of each delivery, whoever ordered it. */
    readonly onDidChangeReceipt: Event<PromptReceipt>;
  };

  /**
   * Adds an agent type from its JSON manifest (`media/schemas/agentType.schema.json`) until disposed.
   * @throws {CoreOrchestratorError}
   */
  registerAgentType(manifest: unknown): Disposable;

  /**
   * Adds a requirement on records until disposed. In force while this window manages the agents. It may keep new records out; of a change
   * to one that is kept only a warning is logged, so that nothing becomes unstoppable. One that throws refuses nothing; one that takes over
   * 50 ms three times in a row is left out.
   * @param extensionId your own id, `publisher.name`: the rule is called `<extensionId>/<name>` wherever it is told of
   * @throws {CoreOrchestratorError} `api.unknownExtension`, `api.invalidName`, `data.invalid`
   */
  registerValidationRule(extensionId: string, rule: ValidationRule): Disposable;

  /**
   * What records of a kind must fulfil, the rules of other extensions with it, as JSON Schema 2020-12. What a schema cannot say stands under
   * `x-core-…`: a rule that is code as `{ "x-core-rule": "<its name>" }`.
   * @throws {CoreOrchestratorError} `data.invalid`
   */
  exportValidationSchema(kind: ValidationRule['kind']): Readonly<Record<string, unknown>>;

  /**
   * Adds a kind of step for pipelines until disposed: `{ "use": "<extensionId>/<name>", "with": { "parameters": … } }`. What it throws,
   * and what it makes that is no record, refuses that one record.
   * @throws {CoreOrchestratorError} `api.unknownExtension`, `api.invalidName`, `data.invalid`, `processing.duplicateStep`
   */
  registerTransformation(extensionId: string, transformation: Transformation): Disposable;
}

export interface ValidationRule {
  /** A letter, then letters and digits. */
  readonly name: string;
  /** `agent`: a new agent (`spec` is what was asked for). `delivery`: a prompt (`text`). `fleetType`: an agent type of a fleet file. `pipeline`. */
  readonly kind: 'agent' | 'delivery' | 'fleetType' | 'pipeline';
  /** One sentence for people. */
  readonly description: string;
  /** Default `error`: a new record is refused. `warning`: it is logged. */
  readonly severity?: 'error' | 'warning';
  /** Everything that is wrong with a value; nothing: an empty list. Synchronous, and asked often: be quick. It sees a copy, without values of environment variables. */
  readonly validate?: (value: unknown) => readonly ValidationProblem[];
  /**
   * Instead of `validate`: a schema of JSON Schema 2020-12 that values must fulfil. A keyword that is not known is refused (`data.invalid` with each
   * place), not passed over. References within the schema only (`#`, `#/$defs/…`).
   */
  readonly schema?: Readonly<Record<string, unknown>> | boolean;
}

export interface ValidationProblem {
  /** JSON pointer into the value; default the whole. */
  readonly path?: string;
  /** Stable, for programs; default the name of the rule. */
  readonly code?: string;
  /** One sentence: what is expected. */
  readonly message: string;
  readonly severity?: 'error' | 'warning';
}

export interface Transformation {
  /** A letter, then letters and digits. */
  readonly name: string;
  /** One sentence for people. */
  readonly description: string;
  /** Makes of a record another one, several, or none. Synchronous and pure; it sees copies. */
  readonly apply: (
    record: Readonly<Record<string, unknown>>,
    parameters: unknown,
  ) => Readonly<Record<string, unknown>> | readonly Readonly<Record<string, unknown>>[] | undefined;
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
  /** What it asks a person now. */
  readonly request: AgentRequest | undefined;
  /** The newest prompt that was sent to it. */
  readonly lastReceipt: PromptReceipt | undefined;
  /** Prompts that wait for it to become free. */
  readonly queuedPromptCount: number;
  /** It ended and its conversation can be gone on with. */
  readonly isResumable: boolean;
  /** Empty while another window manages it and cannot be reached. */
  readonly conditions: readonly AgentCondition[];
  /** What is not known or not possible for it, in words. */
  readonly degraded: readonly string[];
  /** Tokens and cost as the program itself recorded them; never estimated. */
  readonly usage: AgentUsage | undefined;
  /** Another window manages it and cannot be reached; nothing can be done from here. */
  readonly isManagedElsewhere: boolean;
}

/**
 * Orthogonal to lifecycle and activity. `Ready`: a process of it runs and has begun. `Deliverable`: as far as is known a prompt
 * may be typed; a draft in its box or a scrolled screen is found only when one is.
 */
export interface AgentCondition {
  readonly type: 'Ready' | 'Deliverable';
  readonly status: 'true' | 'false' | 'unknown';
  /** Code of why, in snake case. */
  readonly reason: string;
  /** Epoch milliseconds since when `status` is what it is. */
  readonly lastTransitionMs: number;
}

/** What an agent asks. For reading only: it is answered by a person. */
export interface AgentRequest {
  readonly id: string;
  readonly kind: 'permission' | 'question';
  /** The tool it wants to use, when it says so. */
  readonly tool: string | undefined;
  /** One line: what it is about. */
  readonly title: string;
  readonly askedAtMs: number;
}

export interface AgentUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  /** Only when the program reports it. */
  readonly costUsd?: number;
  /** What is covered, in words: `this conversation`. */
  readonly coverage: string;
  readonly updatedAtMs: number;
}

export interface SendPromptOptions {
  /** `refuse` (default): a blocked agent is an error and nothing is kept. `queue`: it waits until the agent is free. */
  readonly whenBlocked?: 'refuse' | 'queue';
}

/** One prompt on its way. A new value at each step. */
export interface PromptReceipt {
  readonly id: string;
  readonly agentId: string;
  /** `queued → typing → typed → submitted → acknowledged`, or it ends in `failed`, `delivery_unknown` or `canceled`. */
  readonly state:
    | 'queued'
    | 'typing'
    | 'typed'
    | 'submitted'
    | 'acknowledged'
    | 'failed'
    | 'delivery_unknown'
    | 'canceled';
  /** What the acknowledgement rests on. */
  readonly evidence: 'hook' | 'screen' | 'person' | undefined;
  /** Why it waits, failed or is not known, in `snake_case`. */
  readonly reason: string | undefined;
  readonly detail: string | undefined;
  /** How the text was changed so that the program takes it as text. */
  readonly changes: readonly { readonly kind: string; readonly detail: string }[];
  /** Its first 120 characters. */
  readonly excerpt: string;
  /** Id of the receipt under which its text was sent again. */
  readonly resentAs: string | undefined;
  readonly createdAtMs: number;
  /** Epoch milliseconds of the last step. */
  readonly stateAtMs: number;
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
