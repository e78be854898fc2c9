import { type ErrorDisposition, OrchestratorError } from '../../base/errors';

export type ExchangeErrorCode = 'exchange.fileExists' | 'exchange.fileUnusable' | 'exchange.moving';

const dispositions: Record<ExchangeErrorCode, ErrorDisposition> = {
  'exchange.fileExists': 'reconfigure',
  'exchange.fileUnusable': 'reconfigure',
  'exchange.moving': 'retry',
};

/** An export that was not made. Nothing of it is left, and a file that was there is as it was. */
export class ExchangeError extends OrchestratorError<ExchangeErrorCode> {
  readonly disposition: ErrorDisposition;

  constructor(
    readonly code: ExchangeErrorCode,
    /** What failed, in words: no contents of records. */
    detail: string,
    options?: ErrorOptions,
  ) {
    super(`${code}: ${detail}`, options);
    this.disposition = dispositions[code];
  }

  static is<C extends ExchangeErrorCode>(error: unknown, code?: C): error is ExchangeError & { readonly code: C } {
    return error instanceof ExchangeError && (code === undefined || error.code === code);
  }
}
