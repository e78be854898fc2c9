import type { Clock } from '../../base/clock';
import { DataError } from '../dataErrors';
import type { Collection, Tx } from '../dataStore';
import type { StoredRecord } from '../recordCodec';
import type { PlainQuery } from '../recordQuery';
import { type BaseReader, checkCollection, runWork, TransactionView, type WorkOutcome } from '../transactionView';
import type { ReadQuestion } from './storeProtocol';

/** What the queue needs from the store. */
export interface TransactionHost {
  readonly clock: Clock;
  readonly epoch: number;
  /** Told of every collection before it is used. */
  use(collection: Collection<never>): void;
  /** Answers from a state that holds every write handed over before. */
  fetch(question: ReadQuestion): Promise<readonly StoredRecord[]>;
  /** Hands the writes over at once; settles when they are durable. */
  write(outcome: WorkOutcome<unknown>, nowMs: number): Promise<void>;
  /** The same for writes that were handed over in portions under this number. */
  writeStaged(staged: number, nowMs: number): Promise<void>;
}

interface Job {
  /** One run of the callback. Returns what to fetch before the next one, or undefined when the job has been handed over. */
  readonly attempt: (known: Known) => ReadQuestion | undefined;
  readonly reject: (error: unknown) => void;
}

type Known = ReadonlyMap<string, readonly StoredRecord[]>;
const nothingKnown: Known = new Map();

/** Rounds after which a callback is taken for one that asks for something else each time. */
const maxRounds = 10_000;

/** Transactions that are waiting or not durable yet; one more is refused. */
export const maxUnderWay = 20_000;

/** Text of records handed over and not durable yet; beyond it callbacks wait. */
export const maxHandedOver = 64 * 1024 * 1024;

/** Callbacks run in one go before other work of this thread gets a turn. */
const slice = 32;

/**
 * Runs the callbacks of transactions in the order of the calls, one at a time. A read that is not known yet ends the
 * run, is fetched, and the callback is run again with the answer; since nothing else is handed over meanwhile and
 * this is the store's only writer, all its reads are of one state and its writes are laid on exactly that state: no
 * lost update, no write skew. A transaction is over, for this queue, when its writes are handed over; the next one
 * runs while they become durable.
 *
 * Memory is bounded while the disk is slow (R4): callbacks wait while too much was handed over, and when too many wait, the next one is refused.
 */
export class TransactionQueue {
  readonly #jobs: Job[] = [];
  #isRunning = false;
  #idle: (() => void)[] = [];
  #underWay = 0;
  #handedOver = 0;
  /** Told when there is room again. */
  #onRoom: (() => void) | undefined;

  constructor(private readonly host: TransactionHost) {}

  /** @throws {DataError} data.busy – {@link maxUnderWay} are under way; what `work` throws and what the store refuses */
  add<T>(work: (tx: Tx) => T): Promise<T> {
    return this.#enter<T>((resolve, reject) => (known) => this.#attempt(work, known, resolve, reject));
  }

  /** A transaction whose writes were handed over in portions: it takes its turn like any other. */
  addStaged(staged: number): Promise<void> {
    return this.#enter<void>((resolve, reject) => (): undefined => {
      this.host.writeStaged(staged, this.host.clock.nowMs()).then(resolve, reject);
      return undefined;
    });
  }

  async #enter<T>(
    make: (resolve: (result: T) => void, reject: (error: unknown) => void) => Job['attempt'],
  ): Promise<T> {
    if (this.#underWay >= maxUnderWay)
      throw new DataError('data.busy', `${maxUnderWay} transactions are under way already`);
    this.#underWay++;
    try {
      return await new Promise<T>((resolve, reject) => {
        this.#jobs.push({ attempt: make(resolve, reject), reject });
        if (!this.#isRunning) void this.#run();
      });
    } finally {
      this.#underWay--;
    }
  }

  /** Resolves when every transaction added so far has been handed over or has failed. */
  async whenIdle(): Promise<void> {
    if (this.#isRunning) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    await Promise.resolve(); // a callback never runs inside the call of `tx`
    for (let count = 1, job = this.#jobs.shift(); job; count++, job = this.#jobs.shift()) {
      while (this.#handedOver > maxHandedOver) await new Promise<void>((resolve) => (this.#onRoom = resolve));
      try {
        const question = job.attempt(nothingKnown);
        if (question) await this.#finish(job, question); // no turn is given away when nothing has to be fetched
      } catch (error) {
        job.reject(error);
      }
      if (count % slice === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    this.#isRunning = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #finish(job: Job, first: ReadQuestion): Promise<void> {
    const known = new Map<string, readonly StoredRecord[]>();
    let question: ReadQuestion | undefined = first;
    for (let round = 0; question; round++) {
      if (round >= maxRounds)
        throw new DataError('data.invalid', 'a transaction asked for something else each time: it is not pure');
      known.set(keyOf(question), await this.host.fetch(question));
      question = job.attempt(known);
    }
  }

  #attempt<T>(
    work: (tx: Tx) => T,
    known: Known,
    resolve: (result: T) => void,
    reject: (error: unknown) => void,
  ): ReadQuestion | undefined {
    const nowMs = this.host.clock.nowMs();
    const reader = new KnownReader(known);
    const use = (collection: Collection<never>): void => {
      checkCollection(collection);
      this.host.use(collection);
    };
    let outcome: WorkOutcome<T>;
    try {
      outcome = runWork(work, new TransactionView(reader, nowMs, this.host.epoch, use));
    } catch (error) {
      if (reader.missing) return reader.missing;
      throw error;
    }
    if (reader.missing) return reader.missing; // the callback caught the signal: its result means nothing
    const { result } = outcome;
    if (outcome.ops.length === 0) resolve(result);
    else this.#handOver(outcome, nowMs).then(() => resolve(result), reject);
    return undefined;
  }

  async #handOver(outcome: WorkOutcome<unknown>, nowMs: number): Promise<void> {
    const size = outcome.ops.reduce((sum, op) => sum + (op.op === 'put' ? op.json.length : 0), 0);
    this.#handedOver += size;
    try {
      await this.host.write(outcome, nowMs);
    } finally {
      this.#handedOver -= size;
      this.#onRoom?.();
    }
  }
}

/** Ends a run of a callback; never seen outside. */
class NotKnown extends Error {}

/** Answers from what was fetched; notes the first question it cannot answer and ends the run. */
class KnownReader implements BaseReader {
  missing: ReadQuestion | undefined;

  constructor(private readonly known: Known) {}

  get(kind: string, id: string): StoredRecord | undefined {
    return this.#ask({ of: 'record', kind, recordId: id })[0];
  }

  find(kind: string, query: PlainQuery): readonly StoredRecord[] {
    return this.#ask({ of: 'records', kind, query });
  }

  #ask(question: ReadQuestion): readonly StoredRecord[] {
    const answer = this.known.get(keyOf(question));
    if (answer) return answer;
    this.missing ??= question;
    throw new NotKnown('this read is fetched and the transaction run again');
  }
}

function keyOf(question: ReadQuestion): string {
  return JSON.stringify(question);
}
