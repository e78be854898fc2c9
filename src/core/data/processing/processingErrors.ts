import { OrchestratorError, type ErrorDisposition } from '../../base/errors';

export type ProcessingErrorCode =
  | 'processing.unknownStep'
  | 'processing.duplicateStep'
  | 'processing.invalidPipeline'
  /** No pipeline of this name is kept. */
  | 'processing.unknownPipeline'
  | 'processing.boundExceeded'
  | 'processing.tooManyRejects';

const dispositions: Record<ProcessingErrorCode, ErrorDisposition> = {
  'processing.unknownStep': 'reconfigure',
  'processing.duplicateStep': 'giveUp',
  'processing.invalidPipeline': 'reconfigure',
  'processing.unknownPipeline': 'reconfigure',
  'processing.boundExceeded': 'reconfigure',
  'processing.tooManyRejects': 'giveUp',
};

/** One mistake in a pipeline that was given as data. */
export interface PipelineProblem {
  /** JSON pointer (RFC 6901) into the pipeline; empty for the whole. */
  readonly path: string;
  /** Stable: `required`, `type`, `range`, `length`, `enum`, `unknown`, `path`, `duplicate`, `invalid`. */
  readonly code: PipelineProblemCode;
  /** One sentence for people; holds no values of records. */
  readonly message: string;
}

export type PipelineProblemCode =
  | 'required'
  | 'type'
  | 'range'
  | 'length'
  | 'enum'
  | 'unknown'
  | 'path'
  | 'duplicate'
  | 'invalid';

/** A pipeline that cannot be made, or a run that ends because of a bound. A record that is refused is no error but a {@link RecordRejection}. */
export class ProcessingError extends OrchestratorError<ProcessingErrorCode> {
  readonly disposition: ErrorDisposition;
  /** Every mistake found, for processing.invalidPipeline and processing.unknownStep; else empty. */
  readonly problems: readonly PipelineProblem[];

  constructor(
    readonly code: ProcessingErrorCode,
    /** What failed, in words: no record contents. */
    detail: string,
    options?: ErrorOptions & { readonly problems?: readonly PipelineProblem[] },
  ) {
    super(`${code}: ${detail}`, options);
    this.disposition = dispositions[code];
    this.problems = options?.problems ?? [];
  }

  static is<C extends ProcessingErrorCode>(error: unknown, code?: C): error is ProcessingError & { readonly code: C } {
    return error instanceof ProcessingError && (code === undefined || error.code === code);
  }
}

/** More than these are counted in the text only; `problems` has all. */
const MOST_NAMED = 20;

/** The failure of a pipeline with these mistakes (at least one): processing.unknownStep where a kind of step is not known. */
export function pipelineError(problems: readonly PipelineProblem[]): ProcessingError {
  const isUnknown = problems.some(({ path, code }) => code === 'unknown' && /^\/steps\/\d+\/use$/.test(path));
  const count = `${problems.length} ${problems.length === 1 ? 'mistake' : 'mistakes'}`;
  const named = problems
    .slice(0, MOST_NAMED)
    .map(({ path, code, message }) => `${path || 'the top'} ${code}: ${message}`);
  const more = problems.length > MOST_NAMED ? `; and ${problems.length - MOST_NAMED} more` : '';
  const detail = `${count}: ${named.join('; ')}${more}`;
  return new ProcessingError(isUnknown ? 'processing.unknownStep' : 'processing.invalidPipeline', detail, { problems });
}

/**
 * Thrown by a step to refuse the record it was given: the run goes on and the record goes to the dead letters with
 * this code. Codes are `<step>.<reason>` (`coerce.notANumber`). The message holds no contents of the record.
 */
export class RecordRejection extends Error {
  override readonly name = 'RecordRejection';

  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Every code of this module, for the checks that each has a status on the wire. */
export const PROCESSING_ERROR_CODES = Object.keys(dispositions) as readonly ProcessingErrorCode[]; // keys of a full Record
