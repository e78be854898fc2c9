/**
 * What can be asked of the gateway: method → parameters. Fields that are not named here are refused, except in
 * `hello`. Results are the values of `Engine` (src/core/engine.ts) as JSON; `undefined` becomes `null`.
 *
 * `agent` methods are for an agent's own programs (token), `person` methods for a person's (key), the rest for both.
 */
export interface GatewayParams {
  // both
  readonly ping: NoParams;

  // agent
  /** → `{ output?: string }`: what the hook prints. May be held as long as a person may answer; close the connection to give up. */
  readonly 'hook.report': HookReportParams;
  /** → `SelfStatus`: what the engine thinks of the caller. */
  readonly 'self.status': OwnAgent;

  // person
  /** → `{ status, version, workspace }` */
  readonly 'engine.status': NoParams;
  readonly 'engine.diagnose': NoParams;
  readonly 'engine.notices': NoParams;
  /** The person accepts that acknowledged changes are missing from the store. */
  readonly 'engine.acceptStoreLoss': NoParams;
  /** → `AgentView[]`. Where the texts of all requests are too much for one answer, the longest are left out: `detail` empty, `isCut` true; `agent.get` has them. */
  readonly 'agent.list': NoParams;
  readonly 'agent.types': NoParams;
  /** → `AgentView`, NOT_FOUND `agent.notFound` */
  readonly 'agent.get': OneAgent;
  /** → `{ agentId }` once it is ready. `spec` is an `AgentSpec`. */
  readonly 'agent.start': { readonly spec: unknown };
  readonly 'agent.startExisting': OneAgent;
  /** → `ResumeReport` */
  readonly 'agent.resume': OneAgent;
  readonly 'agent.stop': OneAgent;
  readonly 'agent.restart': OneAgent;
  readonly 'agent.pause': OneAgent;
  readonly 'agent.unpause': OneAgent;
  readonly 'agent.release': OneAgent;
  readonly 'agent.rename': OneAgent & { readonly name: string };
  readonly 'agent.remove': OneAgent;
  /**
   * → `PromptReceipt`. `wait` (default true): until there is evidence, or, with `whenBlocked: 'queue'`, until it is kept.
   * With `wait: false` the answer is the first receipt of this delivery (at the latest when there is none but the end); the delivery goes on.
   */
  readonly 'agent.prompt': OneAgent & PromptOptions & { readonly text: string; readonly wait?: boolean };
  readonly 'agent.receipts': OneAgent & Limit;
  readonly 'agent.cancelPrompt': OneReceipt;
  readonly 'agent.settleDelivery': OneReceipt & { readonly outcome: 'arrived' | 'lost' };
  readonly 'agent.resendPrompt': OneReceipt & PromptOptions;
  readonly 'agent.approve': OneAgent & Answered;
  readonly 'agent.deny': OneAgent & Answered & { readonly reason?: string };
  readonly 'agent.explain': OneAgent;
  /** → `{ text }`, untrusted */
  readonly 'agent.screen': OneAgent;
  readonly 'agent.history': OneAgent & Limit;
  /** → `{ program, args }` */
  readonly 'agent.attachCommand': OneAgent;
  readonly 'fleet.plan': { readonly text: string; readonly fileName: string };
  readonly 'fleet.approve': { readonly hashes: readonly string[] };
  /** `plan` is a `FleetPlan` that `fleet.plan` answered. Notifications `progress` come before the answer. */
  readonly 'fleet.start': { readonly plan: unknown };
  readonly 'fleet.stopAll': NoParams;
  readonly 'fleet.resume': NoParams;
  /** → `ExportReport`. `file` is absolute, on the machine of the engine. Notifications `progress` come before the answer. */
  readonly 'data.export': {
    readonly file: string;
    readonly format: 'json' | 'ndjson' | 'csv' | 'markdown' | 'sqlite';
    readonly withSecrets?: boolean;
    readonly overwrite?: boolean;
  };
  /**
   * → `ImportReport`: what an import of this NDJSON or JSON export would do; with `apply`, the `fingerprint` of such a report, it is done.
   * `file` is absolute, on the machine of the engine. Notifications `progress` come before the answer.
   */
  readonly 'data.import': {
    readonly file: string;
    readonly replace?: boolean;
    readonly apply?: string;
    readonly skipInvalid?: boolean;
    readonly acceptChanged?: boolean;
  };
  /** → `SearchAnswer`: prompts, agents, approvals and lines of history that hold all words of `query`. */
  readonly 'data.search': Limit & {
    readonly query: string;
    readonly kinds?: readonly ('prompt' | 'agent' | 'approval' | 'history')[];
    /** Only what is older than this `position` of a found record. */
    readonly before?: number;
  };
  /** → `DataStatus`: engine, sizes, backups and last check of the store. */
  readonly 'data.status': NoParams;
  /** → pipelines that are kept, as they were given. */
  readonly 'data.pipelines': NoParams;
  /**
   * → `PipelineReport`. `pipeline`: the name of a kept one, or one as data, which is kept under its name first. It reads everything that is kept,
   * without secrets. `file` is absolute, on the machine of the engine. With `progress`.
   */
  readonly 'data.pipeline': { readonly pipeline: unknown; readonly file: string; readonly overwrite?: boolean };
  /** → null. Forgets a kept pipeline and what its last run refused. */
  readonly 'data.removePipeline': { readonly name: string };
  /** → what the last run of this pipeline (default: of each) refused, newest first. */
  readonly 'data.rejected': Limit & { readonly name?: string };
  /** → `IntegrityReport`: the full check of the file, and of every record, of references, sequences and drift from tmux. With `progress`. */
  readonly 'data.integrity': NoParams;
  /** → what was done, one sentence. Does what a finding of `data.integrity` offers; of a record its `recordKind`, `id` and the `version` that was seen. */
  readonly 'data.fix': {
    readonly kind: 'deleteRecord' | 'reconcile';
    readonly recordKind?: string;
    readonly id?: string;
    readonly version?: number;
  };
  /** → `StoreCheckReport`; default `full`. With `progress`, as the next three. */
  readonly 'data.check': { readonly depth?: 'quick' | 'full' };
  /** → `BackupReport`. `file` is absolute, on the machine of the engine; default: a new one among the workspace's backups. */
  readonly 'data.backup': { readonly file?: string };
  /** → `RestoreReport`; soon after it the engine begins anew with that store, and this connection ends. */
  readonly 'data.restore': { readonly backup: string };
  /** → `CompactReport` */
  readonly 'data.compact': NoParams;
  readonly 'doctor.run': { readonly typeId: string };
  /** → `WatchSnapshot` (its agents as in `agent.list`), then notifications `changed` on this connection. Asked again, it begins anew. */
  readonly watch: NoParams;
}

export type GatewayMethod = keyof GatewayParams;

export type NoParams = Readonly<Record<never, never>>;
export interface OneAgent {
  readonly agentId: string;
}
/** An agent may name itself; any other name is PERMISSION_DENIED. The engine knows who calls from the token alone. */
export interface OwnAgent {
  readonly agentId?: string;
  readonly generation?: number;
}
export interface Answered {
  readonly requestId: string;
  /** Of a window that follows; kept with the answer. */
  readonly via?: 'window' | 'notification';
}
export interface OneReceipt {
  readonly receiptId: string;
}
export interface PromptOptions {
  readonly whenBlocked?: 'refuse' | 'queue';
}
export interface Limit {
  /** 1–500. */
  readonly limit?: number;
}
export interface HookReportParams extends OwnAgent {
  /** 1–80 characters of [A-Za-z0-9._:-]. */
  readonly event: string;
  /** JSON as the program gave it, within the frame's size and depth. */
  readonly payload: unknown;
  /** Epoch ms by the caller's clock. */
  readonly sentAtMs: number;
  /** It comes from the spool. Default false. */
  readonly isLate?: boolean;
}

/** Notifications that anybody may send: the request of this id is not wanted any more. */
export const CANCEL_METHOD = '$/cancel';
/** Notification of the gateway while a fleet call is under way: `{ id, step: FleetStep }`. */
export const PROGRESS_METHOD = 'progress';
/** Notification of the gateway after `watch`: a `WatchChange`. */
export const CHANGED_METHOD = 'changed';
