/** What `orc` ends with; documented in docs/orc.md. `orc hook` always ends with 0. */
export const ExitCode = {
  Ok: 0,
  /** The engine could not do it, or something unexpected happened. */
  Failure: 1,
  Usage: 2,
  /** No engine runs for this folder, or it cannot be reached or understood. */
  NoEngine: 3,
  NotFound: 4,
  /** Not now: the agent is blocked, has ended, waits for a person, or too much was asked at once. */
  Refused: 5,
  /** An agent's program asked for what only a person may do, or the key is wrong. */
  NotAllowed: 6,
  /** A prompt may or may not have arrived. */
  DeliveryUnknown: 7,
  TimedOut: 8,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** A failure told in one sentence on standard error: what failed, why, and what to do next. */
export class CliError extends Error {
  constructor(
    readonly exitCode: ExitCode,
    message: string,
    /** What to do next; a sentence of its own. */
    readonly advice?: string,
    /** For `--json`: the gateway's status and our typed code. */
    readonly data: { readonly status?: string; readonly code?: string; readonly agentId?: string } = {},
  ) {
    super(message);
    this.name = 'CliError';
  }
}

/** That something was called wrongly. */
export function usageError(message: string, advice?: string): CliError {
  return new CliError(ExitCode.Usage, message, advice);
}
