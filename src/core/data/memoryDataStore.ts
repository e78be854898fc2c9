import type { Clock } from '../base/clock';
import { Emitter, type Event } from '../base/event';
import { type Logger, silentLogger } from '../base/log';
import type {
  Change,
  Collection,
  DataRecord,
  DataStore,
  KeptRecord,
  PreparedPut,
  Query,
  StoreHealth,
  StoreSnapshot,
  Tx,
} from './dataStore';
import { DataError } from './dataErrors';
import { checkIndexName, type StoredRecord } from './recordCodec';
import { isBelow, runQuery, type PlainQuery } from './recordQuery';
import { compileSearch, hitOf, type SearchHit, type SearchOptions, type SearchPage } from './search/dataSearch';
import {
  applyOp,
  type BaseReader,
  checkCollection,
  checkExpectedVersion,
  runWork,
  TransactionView,
  type WriteOp,
} from './transactionView';

export interface MemoryDataStoreOptions {
  readonly clock: Clock;
  /** Fencing token written into records; default 1. */
  readonly epoch?: number;
  readonly log?: Logger;
  /** Runs every transaction's callback twice before it takes effect, to find callbacks that are not pure. Default false. */
  readonly isRehearsing?: boolean;
}

/** Records in a page of a snapshot. */
const SNAPSHOT_PAGE = 256;

/** A store that lives as long as the process: for tests, and the reference for what the durable drivers must do. */
export class MemoryDataStore implements DataStore {
  readonly #records = new Map<string, Map<string, StoredRecord>>();
  readonly #changes: Change[] = [];
  /** Which texts the collections declared that were used so far. */
  readonly #texts = new Map<string, readonly string[]>();
  /** The order in which records were made, by kind and id. */
  readonly #positions = new Map<string, number>();
  #lastPosition = 0;
  readonly #health: Emitter<StoreHealth>;
  readonly #clock: Clock;
  readonly #epoch: number;
  readonly #isRehearsing: boolean;
  readonly onDidChangeHealth: Event<StoreHealth>;
  #readOnlyReason: string | undefined;
  #isFenced = false;
  #isClosed = false;

  constructor({ clock, epoch = 1, log = silentLogger, isRehearsing = false }: MemoryDataStoreOptions) {
    this.#clock = clock;
    this.#epoch = epoch;
    this.#isRehearsing = isRehearsing;
    this.#health = new Emitter((error) => log.error('a listener of the store failed', { error }));
    this.onDidChangeHealth = this.#health.event;
  }

  get health(): StoreHealth {
    const reason = this.#isFenced ? 'another owner has taken over' : this.#readOnlyReason;
    return {
      engine: 'memory',
      isDurable: false,
      isReadOnly: reason !== undefined,
      ...(reason === undefined ? {} : { reason }),
      sizeBytes: 0,
      schemaVersion: 1,
      seq: this.#changes.length,
    };
  }

  async tx<T>(work: (tx: Tx) => T): Promise<T> {
    this.#checkOpen();
    await Promise.resolve(); // the callback never runs inside the call, as in the durable drivers
    if (this.#isRehearsing) this.#run(work);
    const { result, ops, nowMs } = this.#run(work);
    if (ops.length > 0) this.#apply(ops, nowMs);
    return result;
  }

  async get<T>(collection: Collection<T>, id: string): Promise<DataRecord<T> | undefined> {
    return this.#read((tx) => tx.get(collection, id));
  }

  async find<T>(collection: Collection<T>, query?: Query<T>): Promise<readonly DataRecord<T>[]> {
    return this.#read((tx) => tx.find(collection, query));
  }

  async changes(after: number, limit = 1000): Promise<readonly Change[]> {
    this.#checkOpen();
    await Promise.resolve();
    return this.#changes.slice(Math.max(0, after), Math.max(0, after) + limit);
  }

  async search(query: string, options?: SearchOptions): Promise<SearchPage> {
    this.#checkOpen();
    const { terms, kinds, limit, before = Infinity } = compileSearch(query, options);
    await Promise.resolve();
    if (terms.length === 0) return { hits: [], isComplete: true };
    const hits: SearchHit[] = [];
    for (const [kind, texts] of this.#texts) {
      if (kinds && !kinds.includes(kind)) continue;
      for (const record of this.#records.get(kind)?.values() ?? []) {
        const position = this.#positions.get(keyOf(kind, record.id)) ?? 0;
        const hit = position < before ? hitOf(record, position, texts, terms) : undefined;
        if (hit) hits.push(hit);
      }
    }
    return { hits: hits.sort((a, b) => b.position - a.position).slice(0, limit), isComplete: true };
  }

  async snapshot<R>(
    use: (snapshot: StoreSnapshot) => Promise<R>,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<R> {
    this.#checkOpen();
    signal?.throwIfAborted();
    // Records are values that are replaced, never changed: copies of the maps are the state of this moment.
    const state = new Map([...this.#records].map(([kind, records]) => [kind, [...records.values()]]));
    return await use({
      seq: this.#changes.length,
      damaged: [],
      async *read(kind, where = {}, below): AsyncGenerator<readonly KeptRecord[]> {
        if (below) checkIndexName(below.property);
        const plain = { where: Object.entries(where), descending: false, limit: undefined };
        const all = runQuery(state.get(kind) ?? [], { ...plain, orderBy: below?.property ?? 'id' });
        const found = below ? all.filter((record) => isBelow(JSON.parse(record.json), below)) : all;
        for (let at = 0; at < found.length; at += SNAPSHOT_PAGE) {
          signal?.throwIfAborted();
          yield found.slice(at, at + SNAPSHOT_PAGE);
        }
      },
    });
  }

  async putAll(
    puts: readonly PreparedPut[],
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<void> {
    this.#checkOpen();
    signal?.throwIfAborted();
    await Promise.resolve();
    this.#apply(puts.map((put) => ({ op: 'put', ...put })), this.#clock.nowMs()); // prettier-ignore
  }

  async close(): Promise<void> {
    this.dispose();
  }

  dispose(): void {
    this.#isClosed = true;
    this.#health.dispose();
  }

  /** Makes writes fail with data.readOnly, as on a full disk; `undefined` ends it. */
  simulateReadOnly(reason: string | undefined): void {
    this.#readOnlyReason = reason;
    this.#health.fire(this.health);
  }

  /** Makes writes fail with data.fenced for good, as after a take-over by another process. */
  simulateFenced(): void {
    this.#isFenced = true;
    this.#health.fire(this.health);
  }

  async #read<T>(work: (tx: Tx) => T): Promise<T> {
    this.#checkOpen();
    await Promise.resolve();
    return this.#run(work).result;
  }

  #run<T>(work: (tx: Tx) => T): { readonly result: T; readonly ops: readonly WriteOp[]; readonly nowMs: number } {
    const nowMs = this.#clock.nowMs();
    const { result, ops } = runWork(work, new TransactionView(this.#base, nowMs, this.#epoch, this.#use));
    return { result, ops, nowMs };
  }

  readonly #use = (collection: Collection<never>): void => {
    checkCollection(collection);
    if (collection.texts?.length) this.#texts.set(collection.kind, collection.texts);
  };

  readonly #base: BaseReader = {
    get: (kind: string, id: string) => this.#records.get(kind)?.get(id),
    find: (kind: string, query: PlainQuery) => runQuery(this.#records.get(kind)?.values() ?? [], query),
  };

  /** Takes all writes or none. */
  #apply(ops: readonly WriteOp[], nowMs: number): void {
    if (this.#isFenced) throw new DataError('data.fenced', 'another owner has taken over');
    if (this.#readOnlyReason !== undefined) throw new DataError('data.readOnly', this.#readOnlyReason);
    const next = new Map<string, StoredRecord | undefined>();
    const changes: Change[] = [];
    const made = new Map<string, number>();
    for (const op of ops) {
      const key = keyOf(op.kind, op.id);
      const record = next.has(key) ? next.get(key) : this.#base.get(op.kind, op.id);
      checkExpectedVersion(record, op);
      const after = applyOp(record, op, nowMs, this.#epoch);
      next.set(key, after);
      if (after && !record) made.set(key, ++this.#lastPosition);
      const version = after?.version ?? record?.version;
      if (version === undefined) continue; // deleting what is not there changes nothing
      changes.push({
        seq: this.#changes.length + changes.length + 1,
        kind: op.kind,
        id: op.id,
        op: op.op,
        version,
        atMs: nowMs,
      });
    }
    for (const [key, position] of made) this.#positions.set(key, position);
    for (const [key, record] of next) this.#set(key, record);
    this.#changes.push(...changes);
  }

  #set(key: string, record: StoredRecord | undefined): void {
    const [kind = '', id = ''] = key.split('\0');
    if (!record) this.#positions.delete(key);
    let records = this.#records.get(kind);
    if (!records) this.#records.set(kind, (records = new Map<string, StoredRecord>()));
    if (record) records.set(id, record);
    else records.delete(id);
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new DataError('data.closed', 'the store is closed');
  }
}

function keyOf(kind: string, id: string): string {
  return `${kind}\0${id}`;
}
