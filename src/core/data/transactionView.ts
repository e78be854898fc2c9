import type { Collection, DataRecord, Query, Tx } from './dataStore';
import { DataError } from './dataErrors';
import {
  checkId,
  checkIndexName,
  checkKind,
  checkValue,
  decodeValue,
  encodeValue,
  type StoredRecord,
} from './recordCodec';
import { compileQuery, runQuery, type PlainQuery } from './recordQuery';
import { checkTextPaths } from './search/searchDocument';

/** One write of a transaction, as it is handed to a driver. */
export type WriteOp =
  | {
      readonly op: 'put';
      readonly kind: string;
      readonly id: string;
      readonly json: string;
      readonly expectedVersion: number | undefined;
    }
  | {
      readonly op: 'delete';
      readonly kind: string;
      readonly id: string;
      readonly expectedVersion?: number | undefined;
    };

/** Where a transaction reads what was there before it. May throw to say that the answer must be fetched first. */
export interface BaseReader {
  get(kind: string, id: string): StoredRecord | undefined;
  find(kind: string, query: PlainQuery): readonly StoredRecord[];
}

/** Told of every collection that is used, before its first operation. */
export type CollectionUse = (collection: Collection<never>) => void;

/**
 * The `Tx` of one run of a transaction's callback, over any driver: collects the writes in order and lays them
 * over what the driver reads, so that reads see them. It changes nothing itself.
 */
export class TransactionView implements Tx {
  readonly #ops: WriteOp[] = [];
  /** The same writes by kind and id, so that reading one's own writes stays cheap in large transactions. */
  readonly #byKind = new Map<string, Map<string, WriteOp[]>>();
  #isFull = false;
  #isOpen = true;

  constructor(
    private readonly base: BaseReader,
    private readonly nowMs: number,
    private readonly epoch: number,
    private readonly onUse: CollectionUse = checkCollection,
  ) {}

  /** The writes so far, in order. */
  get ops(): readonly WriteOp[] {
    return this.#ops;
  }

  /** The strictest durability of the collections written. */
  get durability(): 'full' | 'normal' {
    return this.#isFull ? 'full' : 'normal';
  }

  /** After this every operation throws: a `Tx` that escaped its callback is an error, not a late write. */
  end(): void {
    this.#isOpen = false;
  }

  get<T>(collection: Collection<T>, id: string): DataRecord<T> | undefined {
    this.#use(collection);
    checkId(id);
    const stored = this.#current(collection.kind, id);
    return stored && toDataRecord(stored, collection);
  }

  find<T>(collection: Collection<T>, query?: Query<T>): readonly DataRecord<T>[] {
    this.#use(collection);
    const plain = compileQuery(collection, query);
    return this.#find(collection.kind, plain).map((stored) => toDataRecord(stored, collection));
  }

  put<T>(collection: Collection<T>, id: string, value: T, options: { readonly expectedVersion?: number } = {}): void {
    this.#use(collection);
    checkId(id);
    const expectedVersion = checkVersion(options.expectedVersion);
    const json = encodeValue(checkValue(collection.kind, value, collection.parse));
    this.#write(collection, { op: 'put', kind: collection.kind, id, json, expectedVersion });
  }

  delete<T>(collection: Collection<T>, id: string, options: { readonly expectedVersion?: number } = {}): void {
    this.#use(collection);
    checkId(id);
    const expectedVersion = checkVersion(options.expectedVersion);
    this.#write(collection, { op: 'delete', kind: collection.kind, id, expectedVersion });
  }

  #use<T>(collection: Collection<T>): void {
    if (!this.#isOpen) throw new DataError('data.invalid', 'a transaction was used after its callback had returned');
    this.onUse(collection as unknown as Collection<never>); // only kind, indexes and durability are looked at
  }

  #write<T>(collection: Collection<T>, op: WriteOp): void {
    if (collection.durability !== 'normal') this.#isFull = true;
    this.#ops.push(op);
    let byId = this.#byKind.get(op.kind);
    if (!byId) this.#byKind.set(op.kind, (byId = new Map<string, WriteOp[]>()));
    const same = byId.get(op.id);
    if (same) same.push(op);
    else byId.set(op.id, [op]);
  }

  #current(kind: string, id: string): StoredRecord | undefined {
    const own = this.#byKind.get(kind)?.get(id) ?? [];
    // An own insert that must be new says what was there before: nothing.
    const isKnownNew = own[0]?.op === 'put' && own[0].expectedVersion === 0;
    let record = isKnownNew ? undefined : this.base.get(kind, id);
    for (const op of own) record = applyOp(record, op, this.nowMs, this.epoch);
    return record;
  }

  #find(kind: string, query: PlainQuery): readonly StoredRecord[] {
    const touched = this.#byKind.get(kind);
    if (!touched) return this.base.find(kind, query);
    // Own writes may take up to `touched.size` of the first records away, so that many more are needed.
    const limit = query.limit === undefined ? undefined : query.limit + touched.size;
    const untouched = this.base.find(kind, { ...query, limit }).filter((record) => !touched.has(record.id));
    const own = [...touched.keys()].map((id) => this.#current(kind, id)).filter((record) => record !== undefined);
    return runQuery([...untouched, ...own], query);
  }
}

function checkVersion(version: number | undefined): number | undefined {
  if (version === undefined || (Number.isInteger(version) && version >= 0)) return version;
  throw new DataError('data.invalid', 'expectedVersion is a whole number ≥ 0');
}

/** What one run of a transaction's callback came to. */
export interface WorkOutcome<T> {
  readonly result: T;
  readonly ops: readonly WriteOp[];
  readonly durability: 'full' | 'normal';
}

/**
 * Runs a transaction's callback once over `view`.
 * @throws whatever it throws; {DataError} data.invalid when it is asynchronous: its writes would come too late
 */
export function runWork<T>(work: (tx: Tx) => T, view: TransactionView): WorkOutcome<T> {
  try {
    const result = work(view);
    if (result instanceof Promise) {
      result.catch(() => undefined); // its failure is a consequence of the one reported here
      throw new DataError('data.invalid', "a transaction's callback must be synchronous");
    }
    return { result, ops: view.ops, durability: view.durability };
  } finally {
    view.end();
  }
}

/** What a record becomes by one write. The reference that every driver must agree with. */
export function applyOp(
  record: StoredRecord | undefined,
  op: WriteOp,
  nowMs: number,
  epoch: number,
): StoredRecord | undefined {
  if (op.op === 'delete') return undefined;
  return {
    kind: op.kind,
    id: op.id,
    version: (record?.version ?? 0) + 1,
    createdAtMs: record?.createdAtMs ?? nowMs,
    updatedAtMs: nowMs,
    epoch,
    json: op.json,
  };
}

/** @throws {DataError} data.conflict when `op` expects another version than that of `record` */
export function checkExpectedVersion(record: { readonly version: number } | undefined, op: WriteOp): void {
  if (op.expectedVersion === undefined) return;
  const version = record?.version ?? 0;
  if (version === op.expectedVersion) return;
  throw new DataError(
    'data.conflict',
    `${op.kind} ${JSON.stringify(op.id)} has version ${version}, not ${op.expectedVersion}`,
  );
}

/** @throws {DataError} data.invalid when its name or an index cannot be used */
export function checkCollection(collection: Collection<never>): void {
  checkKind(collection.kind);
  for (const property of collection.indexes) checkIndexName(property);
  if (collection.texts) checkTextPaths(collection.texts);
}

/** The public form of a stored record. @throws {DataError} data.invalid when the collection refuses the value */
export function toDataRecord<T>(stored: StoredRecord, collection: Collection<T>): DataRecord<T> {
  const { kind, id, version, createdAtMs, updatedAtMs, epoch } = stored;
  return { kind, id, version, createdAtMs, updatedAtMs, epoch, value: decodeValue(stored, collection.parse) };
}
