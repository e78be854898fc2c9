import { DataError } from '../../src/core/data/dataErrors';
import type { Collection, DataRecord, DataStore, Query, StoreSnapshot, Tx } from '../../src/core/data/dataStore';

/** A store in which single records are damaged, as a flipped bit on the disk leaves them: found when they are read, not served. */
export function withDamage(store: DataStore, damaged: ReadonlySet<string>): DataStore {
  const corrupt = (kind: string, id: string): DataError => new DataError('data.corrupt', `${kind} "${id}" is damaged`);
  const one = (kind: string, id: string): void => {
    if (damaged.has(`${kind} ${id}`)) throw corrupt(kind, id);
  };
  const all = <T>(kind: string, records: readonly DataRecord<T>[]): readonly DataRecord<T>[] => {
    for (const { id } of records) one(kind, id);
    return records;
  };
  const view = (tx: Tx): Tx => {
    const gone = new Set<string>();
    const read = (kind: string, id: string): void => {
      if (!gone.has(`${kind} ${id}`)) one(kind, id);
    };
    return {
      get: (collection, id) => (read(collection.kind, id), tx.get(collection, id)),
      find: (collection, query) => all(collection.kind, tx.find(collection, query)),
      put: (collection, id, value, options) => (read(collection.kind, id), tx.put(collection, id, value, options)),
      delete: (collection, id) => (gone.add(`${collection.kind} ${id}`), tx.delete(collection, id)),
    };
  };
  const members: Partial<DataStore> = {
    tx: async <T>(work: (tx: Tx) => T) => store.tx((tx) => work(view(tx))),
    get: async <T>(collection: Collection<T>, id: string) => {
      one(collection.kind, id);
      return store.get(collection, id);
    },
    find: async <T>(collection: Collection<T>, query?: Query<T>) =>
      all(collection.kind, await store.find(collection, query)),
    snapshot: (use, options) => store.snapshot((snapshot) => use(withoutDamaged(snapshot, damaged)), options),
  };
  return new Proxy(store, {
    get: (target, key) => {
      const own: unknown = Reflect.get(members, key);
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** Damaged records are named and left out, as soon as they are met. */
function withoutDamaged(snapshot: StoreSnapshot, damaged: ReadonlySet<string>): StoreSnapshot {
  const met: { readonly kind: string; readonly id: string }[] = [];
  return {
    seq: snapshot.seq,
    damaged: met,
    async *read(kind, ...how) {
      for await (const page of snapshot.read(kind, ...how)) {
        const isDamaged = ({ id }: { readonly id: string }): boolean => damaged.has(`${kind} ${id}`);
        met.push(...page.filter(isDamaged).map(({ id }) => ({ kind, id })));
        yield page.filter((record) => !isDamaged(record));
      }
    },
  };
}
