import { describeError } from '../../base/errors';
import { ignore, type Logger } from '../../base/log';
import type { DataProcessorOptions, ProcessingProgress, ProcessingResult, RunOptions } from './dataProcessor';
import type { StepRun } from './dataTransformation';
import { deadLetter, type DeadLetter } from './deadLetter';
import { Pacer } from './pacer';
import { ProcessingError } from './processingErrors';

/** One step with its counts. */
class RunningStep {
  in = 0;
  out = 0;
  rejected = 0;
  rejectedInARow = 0;

  constructor(
    readonly name: string,
    readonly run: StepRun<unknown, unknown>,
  ) {}
}

const progressEveryMs = 100;

/** One run of a `DataProcessor`. */
export class ProcessingRun<I, O> {
  readonly #steps: readonly RunningStep[];
  readonly #pacer: Pacer;
  readonly #batchSize: number;
  #in = 0;
  #out = 0;
  #rejected = 0;
  #letters: DeadLetter[] = [];
  /** The one write that may be under way. */
  #writing: Promise<void> | undefined;
  #toldIn = 0;
  #toldMs: number;

  constructor(
    private readonly options: RunOptions<I, O>,
    private readonly ports: DataProcessorOptions & { readonly log: Logger },
    private readonly signal: AbortSignal | undefined,
  ) {
    this.#steps = options.transformation.steps.map(({ name, open }) => new RunningStep(name, open()));
    this.#pacer = new Pacer(ports.clock, ports.breathe);
    this.#batchSize = Math.min(10_000, Math.max(1, Math.floor(options.batchSize ?? 256)));
    this.#toldMs = ports.clock.monotonicMs();
  }

  async run(): Promise<ProcessingResult> {
    try {
      this.signal?.throwIfAborted();
      for (const { run } of this.#steps) await this.#wait(run.prepare?.(this.signal, () => this.#breathe()));
      await this.#readSource();
      await this.#finishSteps();
      await this.#wait(this.#writing);
      await this.#wait(this.options.sink.end?.());
    } catch (error) {
      await this.#giveUp(error);
      throw error;
    }
    this.#tellProgress();
    return this.#result();
  }

  async #readSource(): Promise<void> {
    const { source } = this.options;
    const batches = 'batches' in source ? toIterator(source.batches) : this.#batchesOf(source);
    let isAtEnd = false;
    let isReading = false;
    try {
      for (;;) {
        this.signal?.throwIfAborted();
        isReading = true;
        const next = await this.#wait(batches.next());
        isReading = false;
        isAtEnd = next.done === true;
        if (next.done) return;
        this.#in += next.value.length;
        await this.#through(0, next.value);
        this.#tellProgressIfDue();
        if (this.#steps.some(({ run }) => run.isDone?.())) return;
      }
    } finally {
      const closing = isAtEnd ? undefined : this.#closeSource(batches);
      // A source that is still being waited for answers only after that: nobody waits for it.
      if (!isReading) await closing;
    }
  }

  async #closeSource(batches: AsyncIterator<unknown>): Promise<void> {
    try {
      await batches.return?.();
    } catch (error) {
      ignore(this.ports.log, error, 'a source that was given up');
    }
  }

  /** In batches, with pauses where a source that never waits would hold the event loop. */
  async *#batchesOf(source: AsyncIterable<I> | Iterable<I>): AsyncGenerator<readonly I[]> {
    const taken: { batch: I[] } = { batch: [] };
    const isFull = (item: I): boolean => taken.batch.push(item) >= this.#batchSize;
    const take = (): readonly I[] => {
      const { batch } = taken;
      taken.batch = [];
      return batch;
    };
    if (Symbol.iterator in source) {
      // No promise for every item of what is there already.
      for (const item of source) {
        if (isFull(item)) yield take();
        if (this.#pacer.isDue()) await this.#pacer.pause();
      }
    } else {
      for await (const item of source) {
        if (isFull(item)) yield take();
        if (this.#pacer.isDue()) await this.#pacer.pause();
      }
    }
    if (taken.batch.length > 0) yield take();
  }

  async #finishSteps(): Promise<void> {
    const lastDone = this.#steps.findLastIndex(({ run }) => run.isDone?.());
    for (const [index, step] of this.#steps.entries()) {
      if (index < lastDone || !step.run.finish) continue; // what is before a step that is done has no effect
      let batch: unknown[] = [];
      for (const item of step.run.finish()) {
        step.out++;
        batch.push(item);
        if (this.#pacer.isDue()) await this.#pacer.pause();
        if (batch.length < this.#batchSize) continue;
        await this.#through(index + 1, batch);
        this.#tellProgressIfDue();
        batch = [];
        if (this.#steps.slice(index + 1).some(({ run }) => run.isDone?.())) break; // the rest would have no effect
      }
      if (batch.length > 0) await this.#through(index + 1, batch);
    }
  }

  /** `items` through the steps from `index` on; what a step makes of them goes on as soon as it is a batch. */
  async #through(index: number, items: readonly unknown[]): Promise<void> {
    this.signal?.throwIfAborted();
    const step = this.#steps[index];
    if (!step) return await this.#write(items as readonly O[]); // the last step emits O
    if (step.run.beforeBatch) await this.#wait(step.run.beforeBatch(items, this.signal));
    let output: unknown[] = [];
    const emit = (item: unknown): void => void output.push(item);
    for (const item of items) {
      this.#push(step, index, item, output, emit);
      if (this.#pacer.isDue()) await this.#pacer.pause();
      if (output.length < this.#batchSize) continue;
      await this.#sendLetters();
      const full = output;
      output = [];
      await this.#through(index + 1, full);
    }
    await this.#sendLetters();
    if (output.length > 0) await this.#through(index + 1, output);
  }

  #push(step: RunningStep, index: number, item: unknown, output: unknown[], emit: (item: unknown) => void): void {
    const before = output.length;
    step.in++;
    try {
      step.run.push(item, emit);
      step.rejectedInARow = 0;
    } catch (error) {
      output.length = before;
      if (error instanceof ProcessingError) throw error;
      this.#reject(step, index, item, error);
    }
    step.out += output.length - before;
  }

  #reject(step: RunningStep, index: number, item: unknown, error: unknown): void {
    const { deadLetters, limits } = this.options;
    step.rejected++;
    step.rejectedInARow++;
    this.#rejected++;
    if (deadLetters) this.#letters.push(deadLetter(item, error, step.name, index));
    if (this.#rejected > (limits?.maxRejected ?? Infinity))
      throw new ProcessingError('processing.tooManyRejects', `over ${limits?.maxRejected} records were refused`);
    if (step.rejectedInARow > (limits?.maxRejectedInARow ?? Infinity))
      throw new ProcessingError(
        'processing.tooManyRejects',
        `${step.name} refused over ${limits?.maxRejectedInARow} records in a row`,
      );
  }

  async #sendLetters(): Promise<void> {
    if (this.#letters.length === 0) return;
    const letters = this.#letters;
    this.#letters = [];
    await this.#wait(this.options.deadLetters?.(letters));
  }

  async #write(items: readonly O[]): Promise<void> {
    await this.#wait(this.#writing);
    this.#writing = undefined;
    const written = this.options.sink.write(items, this.signal);
    this.#out += items.length;
    if (written === undefined) return;
    this.#writing = written;
    written.then(undefined, () => undefined); // the failure is met where it is awaited: at the next write, or at the end
  }

  /** Waits for `work`, but not beyond an abort. */
  #wait<T>(work: Promise<T> | T): Promise<T> | T {
    const { signal } = this;
    if (!(work instanceof Promise) || !signal) return work;
    return new Promise<T>((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason as Error); // whatever the caller aborts with
      if (signal.aborted) return onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    });
  }

  #breathe(): Promise<void> | undefined {
    return this.#pacer.isDue() ? this.#pacer.pause() : undefined;
  }

  /** Tells the sinks; their failures would only hide what happened. */
  async #giveUp(reason: unknown): Promise<void> {
    const { log } = this.ports;
    try {
      if (this.#letters.length > 0) await this.options.deadLetters?.(this.#letters);
    } catch (error) {
      ignore(log, error, 'the dead letters of a run that failed');
    }
    try {
      await this.options.sink.abort?.(reason);
    } catch (error) {
      ignore(log, error, 'the sink of a run that failed');
    }
  }

  #tellProgressIfDue(): void {
    const { progressEvery = 50_000 } = this.options;
    const isDue =
      this.#in - this.#toldIn >= progressEvery || this.ports.clock.monotonicMs() - this.#toldMs >= progressEveryMs;
    if (isDue) this.#tellProgress();
  }

  #tellProgress(): void {
    this.#toldIn = this.#in;
    this.#toldMs = this.ports.clock.monotonicMs();
    try {
      this.options.onProgress?.(this.#progress());
    } catch (error) {
      this.ports.log.error('a listener to progress failed', { error: describeError(error) });
    }
  }

  #progress(): ProcessingProgress {
    return { in: this.#in, out: this.#out, rejected: this.#rejected };
  }

  #result(): ProcessingResult {
    const perStep = this.#steps.map(({ name, in: taken, out, rejected }) => ({
      name,
      in: taken,
      out,
      rejected,
      hasNeverSucceeded: taken > 0 && rejected === taken,
    }));
    return { ...this.#progress(), perStep };
  }
}

function toIterator<T>(items: AsyncIterable<T> | Iterable<T>): AsyncIterator<T> {
  return Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : fromSync(items);
}

async function* fromSync<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}
