import type { Clock } from './base/clock';
import type { Logger } from './base/log';
import { DataError } from './data/dataErrors';
import type { Collection, DataRecord, DataStore } from './data/dataStore';
import { recordIds } from './data/recordIds';
import { DAMAGED_RECORDS } from './engine';
import { AlertLevel, type AlertSink } from './monitoring/alertSink';

/** How people call one record of a kind, and several. */
const WORDS: Readonly<Record<string, readonly [one: string, many: string]>> = {
  agent: ['agent', 'agents'],
  agentChange: ['line of history', 'lines of history'],
  answer: ['answered request', 'answered requests'],
  approval: ['approval', 'approvals'],
  delivery: ['prompt', 'prompts'],
  fleetType: ['agent type', 'agent types'],
};
/** Kinds whose ids say something to a person. */
const NAMED: ReadonlySet<string> = new Set(['agent', 'fleetType']);
const MAX_NAMED = 5;

/** Collects what was found damaged in the store while an owner works with it, and tells a person: once per record, in one notice. */
export class DamagedRecords {
  readonly #idsByKind = new Map<string, Set<string>>();

  constructor(private readonly ports: { readonly notices: AlertSink; readonly clock: Clock; readonly log: Logger }) {}

  note(kind: string, ids: Iterable<string>): void {
    const known = this.#idsByKind.get(kind) ?? new Set<string>();
    this.#idsByKind.set(kind, known);
    const added = [...ids].filter((id) => !known.has(id));
    if (added.length === 0) return;
    for (const id of added) known.add(id);
    this.ports.log.error('damaged records in the store', { kind, ids: added.slice(0, MAX_NAMED), count: added.length });
    this.#raise();
  }

  /** Runs `work` on one record; that it is damaged is noted, and thrown on. */
  async watch<T>(kind: string, id: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (DataError.is(error, 'data.corrupt')) this.note(kind, [id]);
      throw error;
    }
  }

  #raise(): void {
    const counts = [...this.#idsByKind].map(([kind, ids]) => describe(kind, [...ids]));
    const agents = this.#idsByKind.has('agent')
      ? ' An agent that still runs is shown under its id and can be used and stopped; what it was started with is not known any more. One that does not run is not shown: start it anew.'
      : '';
    this.ports.notices.raise({
      fingerprint: DAMAGED_RECORDS,
      level: AlertLevel.Critical,
      title: 'Some records in the store are damaged',
      detail: `Cannot be read: ${counts.join(', ')}. They are kept as they are and left out; everything else works.${agents} This can be a sign of a failing disk: Check Setup names the data folder, copy it before anything else.`,
      atMs: this.ports.clock.nowMs(),
    });
  }
}

/** `1 agent (scout)`, `12 prompts`. */
function describe(kind: string, ids: readonly string[]): string {
  const [one, many] = WORDS[kind] ?? [kind, kind];
  const names = NAMED.has(kind) ? ` (${ids.slice(0, MAX_NAMED).join(', ')}${ids.length > MAX_NAMED ? ', …' : ''})` : '';
  return `${ids.length} ${ids.length === 1 ? one : many}${names}`;
}

/** Records of a collection, without those that are damaged. */
export interface Readable<T> {
  readonly records: readonly DataRecord<T>[];
  readonly damagedIds: readonly string[];
}

/**
 * Reads a collection although records of it may be damaged, which makes `DataStore.find` refuse all of it: then each
 * record is read by itself, in order of their ids. The damaged ones are noted.
 * @throws {DataError} as `DataStore.find`; data.corrupt when more than single records is damaged
 */
export async function findReadable<T>(
  store: DataStore,
  damage: DamagedRecords,
  collection: Collection<T>,
  where: { readonly [K in keyof T & string]?: string } = {},
): Promise<Readable<T>> {
  try {
    return { records: await store.find(collection, { where }), damagedIds: [] };
  } catch (error) {
    if (!DataError.is(error, 'data.corrupt')) throw error;
  }
  const records: DataRecord<T>[] = [];
  const damagedIds: string[] = [];
  for (const id of await recordIds(store, collection.kind)) {
    try {
      const record = await store.get(collection, id);
      const isWanted = record && Object.entries(where).every(([key, value]) => record.value[key as keyof T] === value);
      if (isWanted) records.push(record);
    } catch (error) {
      if (!DataError.is(error, 'data.corrupt')) throw error;
      damagedIds.push(id);
    }
  }
  damage.note(collection.kind, damagedIds);
  return { records, damagedIds };
}

/** One record; undefined when there is none, and when it is damaged, which is noted. @throws {DataError} as `DataStore.get` otherwise */
export async function getReadable<T>(
  store: DataStore,
  damage: DamagedRecords,
  collection: Collection<T>,
  id: string,
): Promise<DataRecord<T> | undefined> {
  try {
    return await damage.watch(collection.kind, id, () => store.get(collection, id));
  } catch (error) {
    if (DataError.is(error, 'data.corrupt')) return undefined;
    throw error;
  }
}

/** The last `limit` of records in order of their ids, newest first. */
export function newest<T>(records: readonly DataRecord<T>[], limit: number): readonly DataRecord<T>[] {
  return records.toReversed().slice(0, limit);
}

/** Writes what a person decided anew over a record that may be damaged: the old decision is worth nothing then. */
export async function putAnew<T>(store: DataStore, collection: Collection<T>, id: string, value: T): Promise<void> {
  try {
    await store.tx((tx) => tx.put(collection, id, value));
  } catch (error) {
    if (!DataError.is(error, 'data.corrupt')) throw error;
    await store.tx((tx) => {
      tx.delete(collection, id);
      tx.put(collection, id, value);
    });
  }
}
