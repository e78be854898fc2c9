import { DataError } from '../dataErrors';
import type { Change, Collection, DataRecord, DataStore, KeptRecord, Query, StoreSnapshot } from '../dataStore';
import { decodeValue, encodeValue } from '../recordCodec';
import { ExchangeError } from './exchangeErrors';

/** The state of some collections at one moment. */
export interface Snapshot {
  /** It holds every change up to this one, and perhaps later ones of whole transactions. */
  readonly seq: number;
  /** Records that cannot be read, as far as they were met: they are left out. */
  readonly damaged: readonly { readonly kind: string; readonly id: string }[];
  /** The records of a collection by id, in pages; `where` as in a query. What the collection refuses counts as damaged. */
  read<T>(collection: Collection<T>, where?: Query<T>['where']): AsyncIterable<readonly DataRecord<T>[]>;
  /** The same as they are kept, whatever their collection says of them. */
  readKept(collection: Collection<never>): AsyncIterable<readonly KeptRecord[]>;
}

type SnapshotStore = Pick<DataStore, 'snapshot' | 'find' | 'changes' | 'health'>;

export interface SnapshotOptions {
  /** Records read together where the store cannot give a snapshot. Default 256. */
  readonly pageSize?: number;
}

/** How often a store that is written to meanwhile is read again. */
const attempts = 5;

/**
 * Calls `use` with a consistent state of `collections`: never half of a transaction (R5), while writers go on. A store that cannot hold its file
 * still (its disk is full, it is damaged) is read by pages, and again from the beginning when one of these collections was changed meanwhile.
 * `use` may be called again: it must undo what it did before.
 * @throws {ExchangeError} exchange.moving – it was changed during each of 5 such readings
 * @throws what the store and `use` throw; the signal's reason
 */
export async function withSnapshot<R>(
  store: SnapshotStore,
  collections: readonly Collection<never>[],
  use: (snapshot: Snapshot) => Promise<R>,
  signal?: AbortSignal,
  { pageSize = 256 }: SnapshotOptions = {},
): Promise<R> {
  signal?.throwIfAborted();
  let hasBegun = false;
  try {
    return await store.snapshot((kept) => ((hasBegun = true), use(overKept(kept))), { signal });
  } catch (error) {
    if (hasBegun || !isUnableToHold(error)) throw error;
  }
  const kinds = new Set(collections.map(({ kind }) => kind));
  for (let attempt = 0; attempt < attempts; attempt++) {
    signal?.throwIfAborted();
    const { seq } = store.health;
    const result = await use(overPages(store, seq, pageSize));
    if (!(await hasMoved(store, seq, kinds))) return result;
  }
  throw new ExchangeError('exchange.moving', `the store was changed during each of ${attempts} readings`);
}

function isUnableToHold(error: unknown): boolean {
  return (
    DataError.is(error, 'data.io') ||
    DataError.is(error, 'data.readOnly') ||
    DataError.is(error, 'data.corrupt') ||
    DataError.is(error, 'data.engineUnavailable')
  );
}

function overKept(kept: StoreSnapshot): Snapshot {
  const refused: { readonly kind: string; readonly id: string }[] = [];
  return {
    seq: kept.seq,
    get damaged() {
      return [...kept.damaged, ...refused];
    },
    readKept: ({ kind }) => kept.read(kind),
    async *read<T>(collection: Collection<T>, where: Query<T>['where'] = {}) {
      // A condition that is undefined is none.
      const conditions = Object.fromEntries(
        Object.entries(where).filter(
          (each): each is [string, string | number | boolean | null] => each[1] !== undefined,
        ),
      );
      for await (const page of kept.read(collection.kind, conditions)) {
        const records = page.flatMap((stored) => parsed(stored, collection) ?? []);
        for (const { kind, id } of page) {
          if (records.length === page.length) break;
          if (!records.some((record) => record.id === id)) refused.push({ kind, id });
        }
        yield records;
      }
    },
  };
}

function parsed<T>(stored: KeptRecord, collection: Collection<T>): DataRecord<T> | undefined {
  const { kind, id, version, createdAtMs, updatedAtMs, epoch } = stored;
  try {
    return { kind, id, version, createdAtMs, updatedAtMs, epoch, value: decodeValue(stored, collection.parse) };
  } catch (error) {
    if (DataError.is(error, 'data.invalid')) return undefined;
    throw error;
  }
}

function overPages(store: SnapshotStore, seq: number, limit: number): Snapshot {
  return {
    seq,
    damaged: [],
    read: (collection, where) => pages(store, collection, where, limit),
    async *readKept(collection) {
      for await (const page of pages<unknown>(store, asKept(collection), undefined, limit))
        yield page.map(({ value, ...rest }) => ({ ...rest, json: encodeValue(value) }));
    },
  };
}

/** The same records, whatever their collection says of them. */
function asKept({ kind }: Collection<never>): Collection<unknown> {
  return { kind, indexes: [], parse: (value) => value };
}

async function* pages<T>(
  store: Pick<DataStore, 'find'>,
  collection: Collection<T>,
  where: Query<T>['where'],
  limit: number,
): AsyncGenerator<readonly DataRecord<T>[]> {
  let after: string | undefined;
  for (;;) {
    const page = await store.find(collection, {
      limit,
      ...(where && { where }),
      ...(after !== undefined && { after }),
    });
    if (page.length > 0) yield page;
    after = page.at(-1)?.id;
    if (page.length < limit || after === undefined) return;
  }
}

async function hasMoved(store: Pick<DataStore, 'changes'>, seq: number, kinds: ReadonlySet<string>): Promise<boolean> {
  for (let after = seq; ;) {
    const changes: readonly Change[] = await store.changes(after);
    if (changes.some(({ kind }) => kinds.has(kind))) return true;
    const last = changes.at(-1);
    if (!last) return false;
    after = last.seq;
  }
}
