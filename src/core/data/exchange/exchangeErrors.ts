import { type ErrorDisposition, OrchestratorError } from '../../base/errors';

export type ExchangeErrorCode =
  | 'exchange.fileExists'
  | 'exchange.fileUnusable'
  | 'exchange.fileUnreadable'
  | 'exchange.moving'
  | 'exchange.notAnExport'
  | 'exchange.unknownFormat'
  | 'exchange.newer'
  | 'exchange.tooLarge'
  | 'exchange.fileChanged'
  | 'exchange.notWhole'
  | 'exchange.invalidRecords';

const dispositions: Record<ExchangeErrorCode, ErrorDisposition> = {
  'exchange.fileExists': 'reconfigure',
  'exchange.fileUnusable': 'reconfigure',
  'exchange.fileUnreadable': 'reconfigure',
  'exchange.moving': 'retry',
  'exchange.notAnExport': 'reconfigure',
  'exchange.unknownFormat': 'reconfigure',
  'exchange.newer': 'reconfigure',
  'exchange.tooLarge': 'reconfigure',
  'exchange.fileChanged': 'retry',
  'exchange.notWhole': 'reconfigure',
  'exchange.invalidRecords': 'reconfigure',
};

export const EXCHANGE_ERROR_CODES = Object.keys(dispositions) as readonly ExchangeErrorCode[]; // the keys of a literal

/**
 * An export or import that was not made: nothing of it is left, and what was there is as it was.
 * - `fileUnusable` the file of an export cannot be written; of either, it is nowhere that the engine reaches
 * - `fileUnreadable` the file of an import is not there, or cannot be read
 * - `moving` an export from a store that cannot hold its file still, changed during each reading
 * - `notAnExport` the bytes are not UTF-8, no JSON, nested too deep, or no records
 * - `unknownFormat` a format that is not imported
 * - `newer` a newer version of the product wrote it
 * - `tooLarge` above a bound of an import
 * - `fileChanged` it is not the file any more of which the report told
 * - `notWhole` it was cut or changed after it was exported, and nobody accepted that
 * - `invalidRecords` some records are against a rule, and nobody said that they be left out
 */
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
