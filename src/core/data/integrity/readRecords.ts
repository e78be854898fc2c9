import { DataError } from '../dataErrors';
import type { Change, Collection, DataRecord, DataStore } from '../dataStore';
import { recordIds } from '../recordIds';
import { compareText } from '../recordQuery';
import type { AnyCollection } from './integrityModel';

export type ReadableStore = Pick<DataStore, 'find' | 'get' | 'changes' | 'snapshot'>;

/** Records that were read together, and ids of those that could not be. */
export interface RecordPage {
  readonly records: readonly DataRecord[];
  readonly damagedIds: readonly string[];
}

const PAGE = 500;
const JOURNAL_PAGE = 1_000;

/**
 * The records of a collection by id, page by page, whatever their values are: `parse` is not asked. A damaged record makes the
 * store refuse its page; from there on each is read by itself.
 * @throws {DataError} as `DataStore.find`, but for damaged records
 */
export async function* readRecords(store: ReadableStore, collection: AnyCollection): AsyncGenerator<RecordPage> {
  const plain = asIs(collection);
  let after: string | undefined;
  for (;;) {
    let page: readonly DataRecord[];
    try {
      page = await store.find(plain, { limit: PAGE, ...(after !== undefined && { after }) });
    } catch (error) {
      if (!DataError.is(error, 'data.corrupt')) throw error;
      yield* readOneByOne(store, plain, after);
      return;
    }
    yield { records: page, damagedIds: [] };
    after = page.at(-1)?.id;
    if (page.length < PAGE || after === undefined) return;
  }
}

async function* readOneByOne(
  store: ReadableStore,
  collection: ReturnType<typeof asIs>,
  after: string | undefined,
): AsyncGenerator<RecordPage> {
  for (const id of await recordIds(store, collection.kind)) {
    if (after !== undefined && compareText(id, after) <= 0) continue;
    try {
      const record = await store.get(collection, id);
      yield { records: record ? [record] : [], damagedIds: [] };
    } catch (error) {
      if (!DataError.is(error, 'data.corrupt')) throw error;
      yield { records: [], damagedIds: [id] };
    }
  }
}

/** The journal from behind change `after` on, oldest first. @throws {DataError} as `DataStore.changes` */
export async function* readJournal(store: Pick<DataStore, 'changes'>, after = 0): AsyncGenerator<readonly Change[]> {
  for (let seen = after; ;) {
    const page = await store.changes(seen, JOURNAL_PAGE);
    const last = page.at(-1);
    if (!last) return;
    yield page;
    seen = last.seq;
  }
}

/** The collection without its `parse`: the check says itself what it thinks of a value. */
function asIs(collection: AnyCollection): Collection<Readonly<Record<string, unknown>>> {
  const parse = (value: unknown): never => value as never; // looked at property by property
  return { ...collection, parse };
}
