import { RecordRejection } from './processingErrors';

/** What pipelines in data form work on: an object of JSON values. */
export type JsonObject = Readonly<Record<string, unknown>>;

export type Emit<O> = (item: O) => void;

/**
 * One step during one run: holds the state of that run (open windows, keys seen) and nothing else. Calls are
 * serialised. `push` is synchronous; what has to wait waits in `prepare` or `beforeBatch`.
 */
export interface StepRun<I, O> {
  /**
   * Called once, before anything else: loads what the step needs, a side of a join. Throwing ends the run.
   * @param breathe asked after every unit of work: what it returns is awaited, so that the event loop turns in time
   */
  prepare?(signal: AbortSignal | undefined, breathe: () => Promise<void> | undefined): Promise<void>;
  /** Called before the items of a batch are pushed: looks up all that they need at once. Throwing ends the run. */
  beforeBatch?(items: readonly I[], signal: AbortSignal | undefined): Promise<void>;
  /**
   * Takes one item and emits none, one or several. Throwing refuses this item, and what it emitted is taken back;
   * the step must be unchanged then. Only a {@link ProcessingError} ends the run.
   */
  push(item: I, emit: Emit<O>): void;
  /** What remains after the last item. Drawn lazily, so that a large remainder is never one stretch of work. */
  finish?(): Iterable<O>;
  /** True once nothing pushed can have an effect any more: the source is then read no further. */
  isDone?(): boolean;
}

/** One named step of a transformation; `open` makes the state of one run. */
export interface TransformationStep {
  readonly name: string;
  /** Items are `unknown` here: {@link DataTransformation} is what keeps the types of neighbours in agreement. */
  readonly open: () => StepRun<unknown, unknown>;
}

/**
 * A named, pure transformation of a stream of `I` into a stream of `O`: the same input gives the same output, the
 * input is never changed, and memory does not grow with the length of the stream beyond the bound that a step states.
 */
export interface DataTransformation<I, O> {
  /** `redact`, or `redact | csv` for a composition. */
  readonly name: string;
  readonly steps: readonly TransformationStep[];
  /** First this, then `next`. Associative. */
  readonly pipe: <P>(next: DataTransformation<O, P>) => DataTransformation<I, P>;
  /**
   * The output for `source`, lazily; each call is a run of its own. The first refused item ends it:
   * `DataProcessor` is what collects refusals.
   * @throws {RecordRejection} for the first item that a step refuses
   * @throws {ProcessingError} processing.boundExceeded
   */
  readonly stream: (source: AsyncIterable<I> | Iterable<I>, signal?: AbortSignal) => AsyncIterable<O>;
}

/** A transformation of one step; `open` is called once for every run. */
export function transformation<I, O>(name: string, open: () => StepRun<I, O>): DataTransformation<I, O> {
  return compose<I, O>([{ name, open: open as () => StepRun<unknown, unknown> }]); // I and O are kept by the type of the result
}

/** A transformation of one item into one, without state. `change` may throw {@link RecordRejection}. */
export function eachItem<I, O>(name: string, change: (item: I) => O): DataTransformation<I, O> {
  const run: StepRun<I, O> = { push: (item, emit) => emit(change(item)) };
  return transformation(name, () => run);
}

/** Steps whose types were checked elsewhere, one after the other; none: everything passes unchanged. */
export function compose<I, O>(steps: readonly TransformationStep[]): DataTransformation<I, O> {
  return {
    name: steps.map((step) => step.name).join(' | '),
    steps,
    pipe: <P>(next: DataTransformation<O, P>) => compose<I, P>([...steps, ...next.steps]),
    stream: (source, signal) => streamThrough<I, O>(steps, source, signal),
  };
}

/** Items taken together by {@link DataTransformation.stream}: enough to make lookups in bulk worthwhile. */
const streamBatchSize = 256;

async function* streamThrough<I, O>(
  steps: readonly TransformationStep[],
  source: AsyncIterable<I> | Iterable<I>,
  signal: AbortSignal | undefined,
): AsyncGenerator<O> {
  const runs = steps.map((step) => step.open());
  for (const run of runs) await run.prepare?.(signal, () => undefined);
  for await (const batch of inBatches<unknown>(source, streamBatchSize)) {
    signal?.throwIfAborted();
    yield* (await pushThrough(runs, batch, signal)) as O[]; // the last step emits O
    if (runs.some((run) => run.isDone?.())) break;
  }
  for (const [index, run] of runs.entries()) {
    for await (const batch of inBatches(run.finish?.() ?? [], streamBatchSize)) {
      signal?.throwIfAborted();
      yield* (await pushThrough(runs.slice(index + 1), batch, signal)) as O[]; // as above
    }
  }
}

async function pushThrough(
  runs: readonly StepRun<unknown, unknown>[],
  batch: readonly unknown[],
  signal: AbortSignal | undefined,
): Promise<readonly unknown[]> {
  let items = batch;
  for (const run of runs) {
    await run.beforeBatch?.(items, signal);
    const output: unknown[] = [];
    for (const item of items) run.push(item, (emitted) => output.push(emitted));
    items = output;
  }
  return items;
}

/** `source` in arrays of `size` (≥ 1); the last may be shorter, none is empty. */
export async function* inBatches<T>(source: AsyncIterable<T> | Iterable<T>, size: number): AsyncGenerator<T[]> {
  let batch: T[] = [];
  if (Symbol.iterator in source) {
    // No promise for every item of what is there already.
    for (const item of source) {
      batch.push(item);
      if (batch.length < size) continue;
      yield batch;
      batch = [];
    }
  } else {
    for await (const item of source) {
      batch.push(item);
      if (batch.length < size) continue;
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

/** A record, or its refusal: steps that look inside of items begin with this. @throws {RecordRejection} `<step>.notARecord` */
export function asRecord(item: unknown, step: string): JsonObject {
  if (typeof item === 'object' && item !== null && !Array.isArray(item)) return item as JsonObject; // an object, just asked
  throw new RecordRejection(`${step}.notARecord`, 'this is not a record');
}
