import { OrchestratorError, type ErrorDisposition } from '../base/errors';
import type { ValidationProblem } from './validation/validationRule';

export type DataErrorCode =
  | 'data.closed'
  | 'data.conflict'
  | 'data.invalid'
  | 'data.fileUnusable'
  | 'data.tooLarge'
  | 'data.readOnly'
  | 'data.busy'
  | 'data.fenced'
  | 'data.corrupt'
  | 'data.newerSchema'
  | 'data.engineUnavailable'
  | 'data.io'
  | 'data.folderUnsafe'
  | 'data.networkFileSystem'
  | 'data.socketPathTooLong';

const dispositions: Record<DataErrorCode, ErrorDisposition> = {
  'data.closed': 'giveUp',
  'data.conflict': 'retry',
  'data.invalid': 'giveUp',
  'data.fileUnusable': 'reconfigure',
  'data.tooLarge': 'giveUp',
  'data.readOnly': 'retry',
  'data.busy': 'retry',
  'data.fenced': 'giveUp',
  'data.corrupt': 'reconfigure',
  'data.newerSchema': 'reconfigure',
  'data.engineUnavailable': 'reconfigure',
  'data.io': 'retry',
  'data.folderUnsafe': 'reconfigure',
  'data.networkFileSystem': 'reconfigure',
  'data.socketPathTooLong': 'reconfigure',
};

/** A failure of the store or of the ownership of its folder; `fileUnusable`: the file of a backup that was named, or its folder. */
export class DataError extends OrchestratorError<DataErrorCode> {
  readonly disposition: ErrorDisposition;
  /** Everything that is wrong, for data.invalid of a validated value or schema; else empty. */
  readonly problems: readonly ValidationProblem[];

  constructor(
    readonly code: DataErrorCode,
    /** What failed, in words: no record contents. */
    detail: string,
    options?: ErrorOptions & { readonly problems?: readonly ValidationProblem[] },
  ) {
    super(`${code}: ${detail}`, options);
    this.disposition = dispositions[code];
    this.problems = options?.problems ?? [];
  }

  static is<C extends DataErrorCode>(error: unknown, code?: C): error is DataError & { readonly code: C } {
    return error instanceof DataError && (code === undefined || error.code === code);
  }
}
