/** What a caller may do next. The VS Code layer also picks the message severity from it. */
export type ErrorDisposition = 'retry' | 'reconfigure' | 'giveUp';

/**
 * Base of every failure the product expects. `code` is stable and public (`tmux.noSuchTarget`): tests, logs
 * and `vscode/errorMessages.ts` match on it, never on `message`. Messages never hold prompt text, tokens or
 * environment values.
 */
export abstract class OrchestratorError<Code extends string = string> extends Error {
  abstract readonly code: Code;
  abstract readonly disposition: ErrorDisposition;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The end of every `switch` over a union: the compiler proves that no case is missing. */
export function assertNever(value: never, what = 'value'): never {
  throw new TypeError(`unexpected ${what}: ${JSON.stringify(value)}`);
}

/** A short text for any thrown value, for logs and details. Never throws. */
export function describeError(error: unknown): string {
  if (error instanceof OrchestratorError) return error.message;
  if (error instanceof Error) return `${error.name}: ${error.message}`;
  return String(error);
}
