import type { Change, Collection, DataRecord, DataStore, Query } from '../dataStore';
import { ExchangeError } from './exchangeErrors';

/** The state of some collections at one moment. */
export interface Snapshot {
  /** It holds every change up to this one, and perhaps later ones of whole transactions. */
  readonly seq: number;
  /** The records of a collection by id, in pages; `where` as in a query. */
  read<T>(collection: Collection<T>, where?: Query<T>['where']): AsyncIterable<readonly DataRecord<T>[]>;
}

type AnyCollection = Collection<never>;

export interface SnapshotOptions {
  /** Records read together. Default 256. */
  readonly pageSize?: number;
  /** No collection has more than this: all are read in one transaction and held in memory. Default 1 000. */
  readonly maxHeld?: number;
}

/** How often a store that is written to meanwhile is read again. */
const attempts = 5;

/**
 * Calls `use` with a consistent state of `collections`: never half of a transaction (R5). What is small is read in one
 * transaction. Else pages are read beside writers, and if one of these collections was changed meanwhile `use` is
 * called again, from the beginning: it must undo what it did before.
 * @throws {ExchangeError} exchange.moving – it was changed during each of 5 readings
 * @throws what the store and `use` throw; the signal's reason
 */
export async function withSnapshot<R>(
  store: Pick<DataStore, 'tx' | 'find' | 'changes' | 'health'>,
  collections: readonly AnyCollection[],
  use: (snapshot: Snapshot) => Promise<R>,
  signal?: AbortSignal,
  { pageSize = 256, maxHeld = 1_000 }: SnapshotOptions = {},
): Promise<R> {
  signal?.throwIfAborted();
  const held = await readAll(store, collections, maxHeld);
  if (held) return use(held);
  const kinds = new Set(collections.map(({ kind }) => kind));
  for (let attempt = 0; attempt < attempts; attempt++) {
    signal?.throwIfAborted();
    const { seq } = store.health;
    const result = await use({ seq, read: (collection, where) => pages(store, collection, where, pageSize) });
    if (!(await hasMoved(store, seq, kinds))) return result;
  }
  throw new ExchangeError('exchange.moving', `the store was changed during each of ${attempts} readings`);
}

/** Undefined when a collection is larger than `maxHeld`. */
async function readAll(
  store: Pick<DataStore, 'tx' | 'health'>,
  collections: readonly AnyCollection[],
  maxHeld: number,
): Promise<Snapshot | undefined> {
  const { seq } = store.health;
  const all = await store.tx((tx) => {
    const found = new Map<string, readonly DataRecord[]>();
    for (const collection of collections) {
      const records = tx.find(collection, { limit: maxHeld + 1 });
      if (records.length > maxHeld) return undefined;
      found.set(collection.kind, records);
    }
    return found;
  });
  if (!all) return undefined;
  return {
    seq,
    async *read<T>({ kind }: Collection<T>, where: Query<T>['where'] = {}) {
      const records = (all.get(kind) ?? []) as readonly DataRecord<T>[]; // found with this collection
      const conditions = Object.entries(where);
      yield records.filter(
        ({ value }) =>
          conditions.every(([name, expected]) => ((value as Record<string, unknown>)[name] ?? null) === expected), // values of collections with indexes are objects
      );
    },
  };
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
