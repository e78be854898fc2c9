import type { AgentId } from '../agent';

/** Where agents' hooks are taken: what the gateway hands on. */
export interface HookIntake {
  /**
   * One event of an agent's own program. Resolves with what its hook must print (a decision), usually at once; a permission
   * request that a person may answer from here is held until it is answered, answered elsewhere, or `signal` is aborted
   * (the hook went away). Never rejects.
   * A report of a generation that is over is logged and answered with nothing (R19).
   */
  report(report: HookReport, signal: AbortSignal): Promise<HookAnswer>;
}

export interface HookReport {
  readonly agentId: AgentId;
  readonly generation: number;
  /** As the program names it: `Stop`, `PermissionRequest`, `session.idle`. 1–80 characters of [A-Za-z0-9._:-]. */
  readonly event: string;
  /** JSON as the program gave it; untrusted; texts may have been cut by `orc` to fit the frame. */
  readonly payload: unknown;
  /** Epoch ms at which the hook began, by the caller's clock. */
  readonly sentAtMs: number;
  /** Came from the spool: happened while no engine was there. */
  readonly isLate: boolean;
}

export interface HookAnswer {
  /** Printed by the hook on its standard output, when given. */
  readonly output?: string;
}
