import { DataError } from './dataErrors';
import type { DataStore } from './dataStore';
import { compareText } from './recordQuery';

const JOURNAL_PAGE = 1_000;

/**
 * Ids of all records of a kind, in order, also of damaged ones. Read from the records themselves; where the store cannot hold its file still, or
 * its pages cannot be read, from the journal of changes.
 * @throws {DataError} as `DataStore.changes`, when neither can be read
 */
export async function recordIds(
  store: Pick<DataStore, 'snapshot' | 'changes'>,
  kind: string,
): Promise<readonly string[]> {
  try {
    return await store.snapshot(async (snapshot) => {
      const ids = new Set<string>();
      for await (const page of snapshot.read(kind)) for (const { id } of page) ids.add(id);
      for (const damaged of snapshot.damaged) if (damaged.kind === kind) ids.add(damaged.id);
      return [...ids].sort(compareText);
    });
  } catch (error) {
    if (!DataError.is(error)) throw error; // whatever keeps it from being read: the journal may tell
  }
  return (await idsOfJournal(store, kind)).sort(compareText);
}

async function idsOfJournal(store: Pick<DataStore, 'changes'>, kind: string): Promise<string[]> {
  const ids = new Set<string>();
  for (let after = 0; ;) {
    const page = await store.changes(after, JOURNAL_PAGE);
    for (const change of page) {
      if (change.kind !== kind) continue;
      if (change.op === 'put') ids.add(change.id);
      else ids.delete(change.id);
    }
    const last = page.at(-1);
    if (!last) return [...ids];
    after = last.seq;
  }
}
