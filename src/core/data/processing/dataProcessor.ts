import type { Clock } from '../../base/clock';
import { type Logger, silentLogger } from '../../base/log';
import type { DataTransformation } from './dataTransformation';
import type { DeadLetterSink } from './deadLetter';
import { ProcessingRun } from './processingRun';

/** Where records come from: one by one, or in batches of the source's own making (which saves a promise for each record). */
export type Source<I> =
  | AsyncIterable<I>
  | Iterable<I>
  | { readonly batches: AsyncIterable<readonly I[]> | Iterable<readonly I[]> };

/** Where results go. Calls are serialised. */
export interface Sink<O> {
  /**
   * Takes results in order. While its promise is pending at most one further batch is worked on: this is what holds
   * back the source. Throwing ends the run with what was thrown.
   */
  write(items: readonly O[], signal: AbortSignal | undefined): Promise<void> | void;
  /** Everything was written; called once, and not after a failure. */
  end?(): Promise<void> | void;
  /** The run was cancelled or failed: what was written is incomplete. Called once instead of `end`; a write may still be under way then. */
  abort?(reason: unknown): Promise<void> | void;
}

export interface RejectLimits {
  /** More refused records than this end the run with processing.tooManyRejects. Default: no limit. */
  readonly maxRejected?: number;
  /** A step that refuses more records than this in a row, without letting one pass, ends it likewise: it never works. Default: no limit. */
  readonly maxRejectedInARow?: number;
}

export interface ProcessingProgress {
  /** Records read from the source. */
  readonly in: number;
  /** Items handed to the sink; for an export pieces of text, one for each record and perhaps one for the end. */
  readonly out: number;
  readonly rejected: number;
}

export interface StepResult extends ProcessingProgress {
  readonly name: string;
  /** It was given records and refused every one: most likely the step is wrong, not the records. */
  readonly hasNeverSucceeded: boolean;
}

export interface ProcessingResult extends ProcessingProgress {
  readonly perStep: readonly StepResult[];
}

export interface RunOptions<I, O> {
  readonly source: Source<I>;
  readonly transformation: DataTransformation<I, O>;
  readonly sink: Sink<O>;
  /** Without one, refused records are only counted. */
  readonly deadLetters?: DeadLetterSink;
  readonly limits?: RejectLimits;
  /** Told after a batch, once 100 ms or `progressEvery` records (default 50 000) have passed since last time, and at the end. */
  readonly onProgress?: (progress: ProcessingProgress) => void;
  readonly progressEvery?: number;
  /** Records worked on together, 1 to 10 000; default 256. */
  readonly batchSize?: number;
}

export interface DataProcessorOptions {
  readonly clock: Clock;
  readonly log?: Logger;
  /** Lets the event loop turn; default a timer of the clock, which costs some 10 % of the time of a run that never waits. */
  readonly breathe?: () => Promise<void>;
}

/**
 * Runs transformations over streams of any length. Memory is bounded by two batches and by what the steps state;
 * nothing runs for more than some 6 ms and one record without letting the event loop turn. Runs are independent.
 */
export class DataProcessor {
  constructor(private readonly options: DataProcessorOptions) {}

  /**
   * Reads `source` to its end through the transformation into the sink. A record that a step refuses, whatever it
   * throws, goes to the dead letters, and the run goes on. The result counts what happened.
   * @throws {ProcessingError} processing.tooManyRejects, processing.boundExceeded
   * @throws what the source, the sink, the dead-letter sink or a lookup throws; the signal's reason once it is aborted,
   * which is seen after every batch and during every wait
   */
  async run<I, O>(options: RunOptions<I, O>, signal?: AbortSignal): Promise<ProcessingResult> {
    const { clock, log = silentLogger, breathe } = this.options;
    return await new ProcessingRun(options, { clock, log, ...(breathe ? { breathe } : {}) }, signal).run();
  }
}
