import { DataError } from '../dataErrors';
import type { Below, KeptRecord, StoreSnapshot } from '../dataStore';
import { checkIndexName, checkKind } from '../recordCodec';
import { compileQuery, type PlainQuery } from '../recordQuery';
import type { HeldStore } from './storeProtocol';
import type { OpenReader, StoreReader } from './storeReader';

export interface ReadSnapshotPorts {
  /** Calls its parameter while the main file does not change; rejects when it did. */
  readonly whileHeld: <T>(work: (held: HeldStore) => Promise<T>) => Promise<T>;
  readonly openReader: OpenReader;
  readonly signal: AbortSignal;
}

/** A store whose file is opened anew during each of so many readings has other troubles. */
const attempts = 3;

/** As `DataStore.snapshot`: reads the main file, which is held still, in a thread of its own. */
export async function readSnapshot<R>(
  { whileHeld, openReader, signal }: ReadSnapshotPorts,
  use: (snapshot: StoreSnapshot) => Promise<R>,
): Promise<R> {
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    let outcome: { readonly result: R } | { readonly error: unknown } | undefined;
    try {
      await whileHeld(async ({ file, seq }) => {
        const reader = await openReader(file);
        try {
          outcome = { result: await use(new ReaderSnapshot(reader, seq, signal)) };
        } catch (error) {
          outcome = { error };
        } finally {
          await reader.close();
        }
      });
    } catch (error) {
      // The file was opened anew meanwhile: neither a result nor a failure of that reading counts.
      if (!outcome || attempt >= attempts || signal.aborted)
        throw outcome && 'error' in outcome ? outcome.error : error;
      continue;
    }
    if (!outcome) throw new DataError('data.io', 'the store was not read');
    if ('error' in outcome) throw outcome.error;
    return outcome.result;
  }
}

class ReaderSnapshot implements StoreSnapshot {
  readonly #damaged: { readonly kind: string; readonly id: string }[] = [];

  constructor(
    private readonly reader: StoreReader,
    readonly seq: number,
    private readonly signal: AbortSignal,
  ) {}

  get damaged(): StoreSnapshot['damaged'] {
    return this.#damaged;
  }

  /** The next page is read while the present one is worked on. */
  async *read(
    kind: string,
    where: Parameters<StoreSnapshot['read']>[1] = {},
    below?: Below,
  ): AsyncGenerator<readonly KeptRecord[]> {
    checkKind(kind);
    if (below) checkIndexName(below.property);
    const question = { kind, where: conditionsOf(kind, where), ...(below && { below }) };
    let coming = this.reader.page(question);
    for (;;) {
      this.signal.throwIfAborted();
      const page = await coming;
      if (page.next !== undefined) {
        coming = this.reader.page({ ...question, after: page.next });
        coming.catch(() => undefined); // met above, or nobody reads on
      }
      for (const id of page.damagedIds) this.#damaged.push({ kind, id });
      if (page.records.length > 0) yield page.records;
      if (page.next === undefined) return;
    }
  }
}

/** @throws {DataError} data.invalid */
function conditionsOf(
  kind: string,
  where: Readonly<Record<string, string | number | boolean | null>>,
): PlainQuery['where'] {
  const indexes = Object.keys(where);
  indexes.forEach(checkIndexName);
  return compileQuery<typeof where>({ kind, indexes, parse: () => where }, { where }).where;
}
