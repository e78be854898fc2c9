/**
 * What `orc` reads of the engine's answers (`Engine` in src/core/engine.ts as JSON). The engine may be of another version: what is
 * missing is shown as unknown. All texts are untrusted and cleaned before they reach a terminal.
 */
export interface AgentRow {
  readonly id: string;
  readonly name: string;
  readonly typeId: string;
  readonly folder?: string;
  readonly lifecycle: string;
  readonly activity: string;
  readonly needsYou?: string;
  /** Why it failed or met an error, in few words. */
  readonly trouble?: string;
  readonly sinceMs: number;
  readonly reason: string;
  /** A start in a new conversation sends it its first prompt. */
  readonly hasFirstPrompt?: boolean;
  readonly lastReceipt?: Receipt;
  readonly queuedPromptCount?: number;
  readonly request?: AgentRequest;
  readonly degraded?: readonly string[];
}

export interface AgentRequest {
  readonly id: string;
  readonly kind: string;
  readonly title: string;
  readonly detail: string;
  readonly source?: string;
  readonly isCut?: boolean;
  readonly door?: string;
  readonly canAllow?: boolean;
  readonly canDeny?: boolean;
  readonly canGiveReason?: boolean;
}

export interface Receipt {
  readonly id: string;
  readonly agentId: string;
  readonly state: string;
  readonly excerpt: string;
  readonly evidence?: string;
  readonly reason?: string;
  readonly detail?: string;
  readonly resentAs?: string;
  readonly changes?: readonly { readonly kind: string; readonly detail: string }[];
  readonly createdAtMs: number;
  readonly stateAtMs: number;
  readonly steps: Readonly<Record<string, number>>;
}

export interface StatusAnswer {
  readonly status: {
    readonly kind: string;
    readonly epoch?: number;
    readonly tmuxVersion?: string;
    readonly isTmuxLost?: boolean;
    /** While `isTmuxLost`. */
    readonly tmuxLoss?: { readonly reason?: string; readonly hasRun?: boolean };
    readonly isReadOnly?: boolean;
    readonly code?: string;
    readonly detail?: string;
  };
  readonly version: string;
  readonly workspace: string;
}

export interface Notice {
  readonly level?: string;
  readonly title: string;
  readonly detail?: string;
}

export interface Explanation {
  readonly lifecycle: string;
  readonly activity: string;
  readonly sinceMs: number;
  readonly conclusion: string;
  readonly signals: readonly {
    readonly source: string;
    readonly activity: string;
    readonly detail: string;
    readonly observedAtMs: number;
    readonly weight: string;
  }[];
  readonly degraded: readonly string[];
}

export interface Check {
  readonly label: string;
  readonly level: string;
  readonly detail: string;
  readonly advice?: string;
}

export interface DoctorAnswer {
  readonly typeId: string;
  readonly programVersion?: string;
  readonly knownVersions: readonly string[];
  readonly checks: readonly Check[];
}

export interface ResumeAnswer {
  readonly sessionId: string;
  readonly losses: readonly string[];
  readonly lostPrompts: readonly Receipt[];
  readonly interruptedPrompt?: Receipt;
}

export interface FleetAnswer {
  readonly succeeded: readonly string[];
  readonly skipped: readonly string[];
  readonly failed: readonly { readonly name: string; readonly error: unknown }[];
  /** Of `fleet.resume`: how each came back; without a report it was started anew. */
  readonly returned?: readonly { readonly agentId: string; readonly name: string; readonly report?: ResumeAnswer }[];
}
