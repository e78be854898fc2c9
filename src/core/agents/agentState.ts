/** What the supervisor was told to bring about. Persisted before anything is done (`promises.md` R17). */
export const DesiredState = { Running: 'running', Paused: 'paused', Stopped: 'stopped' } as const;
export type DesiredState = (typeof DesiredState)[keyof typeof DesiredState];

/** Where an agent's process is in its life. The meaning of each value and every legal step is in `agentTransitions.ts`. */
export const Lifecycle = {
  Created: 'created',
  Starting: 'starting',
  Running: 'running',
  Paused: 'paused',
  Stopping: 'stopping',
  Stopped: 'stopped',
  Exited: 'exited',
  Failed: 'failed',
  Lost: 'lost',
  Backoff: 'backoff',
  Quarantined: 'quarantined',
  Retired: 'retired',
} as const;
export type Lifecycle = (typeof Lifecycle)[keyof typeof Lifecycle];

/** What a living agent is doing. Only meaningful while the lifecycle is `running` or `paused`; `unknown` is honest. */
export const Activity = {
  Idle: 'idle',
  Busy: 'busy',
  AwaitingInput: 'awaiting_input',
  AwaitingApproval: 'awaiting_approval',
  RateLimited: 'rate_limited',
  Error: 'error',
  Unknown: 'unknown',
} as const;
export type Activity = (typeof Activity)[keyof typeof Activity];

/** When an ended process is started again (Erlang/OTP: temporary, transient, permanent). */
export const RestartPolicy = { Never: 'never', OnFailure: 'on_failure', Always: 'always' } as const;
export type RestartPolicy = (typeof RestartPolicy)[keyof typeof RestartPolicy];

/** Where a piece of knowledge about an agent comes from, strongest first (docs/adr/0009). */
export const EvidenceSource = {
  Process: 'process',
  ExitFile: 'exit_file',
  Pane: 'pane',
  Hook: 'hook',
  Title: 'title',
  Osc: 'osc',
  StatusFile: 'status_file',
  Screen: 'screen',
  Person: 'person',
  Policy: 'policy',
  Adoption: 'adoption',
} as const;
export type EvidenceSource = (typeof EvidenceSource)[keyof typeof EvidenceSource];

/** Why we believe what we say: shown in tooltips and kept with every change. */
export interface Evidence {
  readonly source: EvidenceSource;
  /** The rule or fact in words: `screen rule "idle": prompt line "› "`. Untrusted screen text is cleaned of control and bidi characters and cut to 200 characters, of a failed run (`lastWords.ts`) to 1 KiB. */
  readonly detail: string;
  /** Epoch milliseconds at which it was observed. */
  readonly observedAtMs: number;
}

/** How a process ended. Both undefined: the cause is not known (never reported as success). */
export interface ExitCause {
  /** Exit code 0–255, when the process ended by itself. */
  readonly code?: number;
  /** Signal name such as `SIGKILL`, when it was killed. */
  readonly signal?: string;
}

/** Three-valued: a failed probe is `unknown` and causes nothing (`style.md` 1.4). */
export type Liveness =
  | { readonly kind: 'alive' }
  | { readonly kind: 'dead'; readonly cause: ExitCause }
  | { readonly kind: 'unknown'; readonly reason: string };
