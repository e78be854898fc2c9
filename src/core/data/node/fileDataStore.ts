import type { Clock } from '../../base/clock';
import { Emitter, type Event } from '../../base/event';
import { ignore, type Logger } from '../../base/log';
import { DataError } from '../dataErrors';
import type { Change, Collection, DataRecord, PreparedPut, Query, StoreHealth, StoreSnapshot, Tx } from '../dataStore';
import type {
  BackupReport,
  CheckDepth,
  CompactReport,
  DurableStore,
  MaintenanceOptions,
  StoreCheckReport,
} from '../durableStore';
import { checkId, checkKind, type StoredRecord } from '../recordCodec';
import { compileQuery } from '../recordQuery';
import { compileSearch, type SearchOptions, type SearchPage } from '../search/dataSearch';
import { checkCollection, toDataRecord, type WorkOutcome, type WriteOp } from '../transactionView';
import type { StoreConnection } from './storeConnection';
import type { StoreMaintenance } from './storeMaintenance';
import type { ReadQuestion, StoreState } from './storeProtocol';
import { TransactionQueue } from './transactionQueue';

export interface FileDataStoreOptions {
  readonly connection: StoreConnection;
  readonly maintenance: StoreMaintenance;
  readonly clock: Clock;
  readonly log: Logger;
  readonly epoch: number;
}

/**
 * The store on a file, as seen from the thread that uses it: runs the callbacks of transactions here, leaves all file
 * work to the store's own thread (`storeServer.ts`), and never waits synchronously. Made by `openDataStore`.
 *
 * Costs: a transaction that only writes takes no round trip before it is handed over, and those of one turn share a
 * commit. Every read inside a transaction whose answer is not known costs one round trip, behind the commit under way.
 */
export class FileDataStore implements DurableStore {
  readonly #connection: StoreConnection;
  readonly #maintenance: StoreMaintenance;
  readonly #log: Logger;
  readonly #health: Emitter<StoreHealth>;
  readonly #queue: TransactionQueue;
  readonly #declared = new Set<string>();
  readonly onDidChangeHealth: Event<StoreHealth>;
  #told: string;
  readonly #closed: Emitter<void>;
  /** Fires once, when closing begins. */
  readonly onDidClose: Event<void>;
  #closing: Promise<void> | undefined;

  constructor({ connection, maintenance, clock, log, epoch }: FileDataStoreOptions) {
    this.#connection = connection;
    this.#maintenance = maintenance;
    this.#log = log;
    this.#health = new Emitter((error) => log.error('a listener of the store failed', { error }));
    this.onDidChangeHealth = this.#health.event;
    this.#closed = new Emitter((error) => log.error('a listener of the store failed', { error }));
    this.onDidClose = this.#closed.event;
    this.#told = standing(connection.state);
    connection.onDidChangeState(() => this.#tellHealth());
    connection.onDidRestart(() => this.#declared.clear());
    this.#queue = new TransactionQueue({
      clock,
      epoch,
      use: (collection) => this.#declare(collection),
      fetch: (question) => this.#fetch(question),
      write: (outcome, nowMs) => this.#write(outcome, nowMs),
      writeStaged: (staged, nowMs) => connection.writeStaged(staged, nowMs),
    });
  }

  get health(): StoreHealth {
    const { engine, seq, sizeBytes, schemaVersion, reason } = this.#connection.state;
    const common = { engine, isDurable: true, isReadOnly: reason !== undefined, sizeBytes, schemaVersion, seq };
    return reason === undefined ? common : { ...common, reason };
  }

  async tx<T>(work: (tx: Tx) => T): Promise<T> {
    this.#checkOpen();
    return this.#queue.add(work);
  }

  async get<T>(collection: Collection<T>, id: string): Promise<DataRecord<T> | undefined> {
    this.#checkOpen();
    this.#use(collection);
    checkId(id);
    const [stored] = await this.#fetch({ of: 'record', kind: collection.kind, recordId: id });
    return stored && toDataRecord(stored, collection);
  }

  async find<T>(collection: Collection<T>, query?: Query<T>): Promise<readonly DataRecord<T>[]> {
    this.#checkOpen();
    this.#use(collection);
    const question: ReadQuestion = { of: 'records', kind: collection.kind, query: compileQuery(collection, query) };
    return (await this.#fetch(question)).map((stored) => toDataRecord(stored, collection));
  }

  async search(query: string, options?: SearchOptions): Promise<SearchPage> {
    this.#checkOpen();
    const search = compileSearch(query, options);
    return (await this.#connection.read({ of: 'search', search })).page ?? { hits: [], isComplete: true };
  }

  async changes(after: number, limit = 1000): Promise<readonly Change[]> {
    this.#checkOpen();
    return (await this.#connection.read({ of: 'changes', after, limit })).changes ?? [];
  }

  async check(depth: CheckDepth, options?: MaintenanceOptions): Promise<StoreCheckReport> {
    this.#checkOpen();
    return this.#maintenance.check(depth, options);
  }

  async backup(file: string, options?: MaintenanceOptions): Promise<BackupReport> {
    this.#checkOpen();
    return this.#maintenance.backup(file, options);
  }

  async compact(options?: MaintenanceOptions): Promise<CompactReport> {
    this.#checkOpen();
    return this.#maintenance.compact(options);
  }

  async snapshot<R>(
    use: (snapshot: StoreSnapshot) => Promise<R>,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<R> {
    this.#checkOpen();
    const { signal } = options ?? {};
    return this.#maintenance.snapshot(use, signal ? { signal } : {});
  }

  async putAll(
    puts: readonly PreparedPut[],
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<void> {
    this.#checkOpen();
    for (const { kind, id } of puts) {
      checkKind(kind);
      checkId(id);
    }
    const staged = await this.#connection.stage(puts.map(toPut), signal);
    this.#checkOpen();
    return this.#queue.addStaged(staged);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  dispose(): void {
    this.close().catch((error: unknown) => ignore(this.#log, error, 'nobody waits for a store that is disposed'));
  }

  async #close(): Promise<void> {
    this.#closed.fire();
    this.#closed.dispose();
    await this.#queue.whenIdle();
    await this.#maintenance.close();
    try {
      await this.#connection.close();
    } finally {
      this.#health.dispose();
    }
  }

  async #fetch(question: ReadQuestion): Promise<readonly StoredRecord[]> {
    return (await this.#connection.read(question)).records ?? [];
  }

  #write({ ops, durability }: WorkOutcome<unknown>, nowMs: number): Promise<void> {
    return this.#connection.write(ops, durability === 'full', nowMs);
  }

  #use<T>(collection: Collection<T>): void {
    const plain = collection as unknown as Collection<never>; // only kind and indexes are looked at
    checkCollection(plain);
    this.#declare(plain);
  }

  #declare({ kind, indexes, texts = [] }: Collection<never>): void {
    const key = `${kind} ${indexes.join(' ')} ${texts.join(' ')}`;
    if (this.#declared.has(key)) return;
    this.#declared.add(key);
    this.#connection.declare(kind, indexes, texts);
  }

  #tellHealth(): void {
    const now = standing(this.#connection.state);
    if (now === this.#told) return;
    this.#told = now;
    this.#health.fire(this.health);
  }

  #checkOpen(): void {
    if (this.#closing) throw new DataError('data.closed', 'the store is closed');
  }
}

function toPut({ kind, id, json, expectedVersion }: PreparedPut): WriteOp {
  return { op: 'put', kind, id, json, expectedVersion };
}

/** What of a state is news: not the numbers that move with every write. */
function standing({ engine, schemaVersion, reason }: StoreState): string {
  return JSON.stringify([engine, schemaVersion, reason]);
}
