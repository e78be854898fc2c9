import { describeError } from '../../base/errors';
import type { Logger } from '../../base/log';
import { DataError } from '../dataErrors';
import type { Collection, DataStore, KeptRecord } from '../dataStore';
import type { DataProcessor } from '../processing/dataProcessor';
import { filter } from '../processing/recordSteps';

/** Records of one collection that need not be kept for ever. */
export interface RetentionClass {
  readonly kind: string;
  /** Older ones are due; 0: none is ever. */
  readonly days: () => number;
  /** The property that says when it came to its end, epoch ms. An index of it is kept, so that what is not old is not read. */
  readonly endedAt: string;
  /** False: it is not over, or something refers to it, and is never due. Default: all are over. */
  readonly isOver?: (value: unknown) => boolean;
  /** What it belongs to, when that still lives: the newest {@link keptPerGroup} of its records that would be due stay. */
  readonly livingGroup: (value: unknown) => string | undefined;
  readonly keptPerGroup: number;
}

/** Where records go before they leave the store. */
export interface RecordArchive {
  /**
   * Adds records to the archive of a month (`2026-11`). What it has already, by kind and id, is not added again.
   * Resolves once they would survive a power loss. @throws {DataError} data.io, data.corrupt
   */
  append(month: string, records: readonly KeptRecord[], signal: AbortSignal): Promise<void>;
}

export interface RetentionPorts {
  readonly store: DataStore;
  /** Undefined: what is due is deleted. */
  readonly archive: RecordArchive | undefined;
  readonly processor: DataProcessor;
  readonly nowMs: () => number;
  readonly log: Logger;
}

export interface RetentionReport {
  /** Records that left the store. */
  readonly moved: number;
  /** There was more than one run moves: another one should follow soon. */
  readonly isMore: boolean;
}

const dayMs = 24 * 60 * 60 * 1000;
/** Of one run: bounded memory, and other maintenance has a turn. */
const maxRecords = 2_000;
const maxChars = 16 * 1024 * 1024;
/** Removed in one transaction: some milliseconds of the store. */
const removedAtOnce = 100;

/**
 * Moves what is due out of the store: first into the archive, durably, then out of the store, each in the version that was archived.
 * Ended anywhere, nothing is lost, and doing it again adds nothing twice. A record that was changed meanwhile stays.
 * A class that fails does not keep back those after it.
 * @throws {DataError} as `DataStore.snapshot` and `tx`, and what the archive throws, of the first class that failed, after the last one; the
 * signal's reason
 */
export async function applyRetention(
  classes: readonly RetentionClass[],
  ports: RetentionPorts,
  signal: AbortSignal,
): Promise<RetentionReport> {
  let moved = 0;
  let isMore = false;
  const failures: unknown[] = [];
  for (const each of classes) {
    try {
      const ofClass = await moveDue(each, ports, signal);
      moved += ofClass.moved;
      isMore ||= ofClass.isMore;
    } catch (error) {
      signal.throwIfAborted();
      failures.push(error);
      ports.log.warn('old records of one kind stay for now', { kind: each.kind, error: describeError(error) });
    }
  }
  if (failures.length > 0) throw failures[0];
  return { moved, isMore };
}

async function moveDue(each: RetentionClass, ports: RetentionPorts, signal: AbortSignal): Promise<RetentionReport> {
  let moved = 0;
  const days = each.days();
  if (days <= 0) return { moved, isMore: false };
  const due = await collectDue(each, ports.nowMs() - days * dayMs, ports, signal);
  for (const [month, records] of due.byMonth) {
    signal.throwIfAborted();
    await ports.archive?.append(month, records, signal);
    moved += await removeAll(each.kind, records, ports, signal);
  }
  return { moved, isMore: due.isMore };
}

interface Due {
  readonly byMonth: ReadonlyMap<string, readonly KeptRecord[]>;
  readonly isMore: boolean;
}

/** By the index, as of one moment, while writers go on. Damaged records are left where they are. */
async function collectDue(
  each: RetentionClass,
  beforeMs: number,
  { store, processor, log }: RetentionPorts,
  signal: AbortSignal,
): Promise<Due> {
  const byMonth = new Map<string, KeptRecord[]>();
  if (!(await hasOlder(store, each, beforeMs))) return { byMonth, isMore: false };
  const { kind, endedAt, isOver = () => true, livingGroup, keptPerGroup } = each;
  return store.snapshot(
    async (snapshot) => {
      byMonth.clear();
      const waiting = new Map<string, KeptRecord[]>();
      let [count, chars, isMore] = [0, 0, false];
      const take = (record: KeptRecord): void => {
        if (count >= maxRecords || chars >= maxChars) return void (isMore = true);
        const month = new Date(timeOf(record, endedAt) ?? 0).toISOString().slice(0, 7);
        const ofMonth = byMonth.get(month);
        if (ofMonth) ofMonth.push(record);
        else byMonth.set(month, [record]);
        count++;
        chars += record.json.length;
      };
      const old = snapshot.read(kind, {}, { property: endedAt, value: beforeMs });
      const { rejected } = await processor.run(
        {
          source: { batches: pagesUntil(old, () => isMore) },
          transformation: filter<KeptRecord>(
            (record) => timeOf(record, endedAt) !== undefined && isOver(JSON.parse(record.json)),
          ),
          sink: {
            write: (records) => {
              for (const record of records) {
                const group = livingGroup(JSON.parse(record.json));
                if (group === undefined) take(record);
                else oldestBeyond(waiting, group, record, keptPerGroup).forEach(take);
              }
            },
          },
        },
        signal,
      );
      if (rejected > 0) log.warn('of old records some cannot be judged, and stay', { kind, records: rejected });
      return { byMonth, isMore };
    },
    { signal },
  );
}

/** Mostly nothing is due: then nothing but the oldest is read. What cannot be said here, the snapshot tells. */
async function hasOlder(store: DataStore, { kind, endedAt }: RetentionClass, beforeMs: number): Promise<boolean> {
  const collection: Collection<Readonly<Record<string, unknown>>> = { kind, indexes: [endedAt], parse: (value) => value as Readonly<Record<string, unknown>> }; // prettier-ignore
  try {
    const [oldest] = await store.find(collection, { orderBy: endedAt, limit: 1 });
    const endedAtMs = oldest?.value[endedAt];
    return oldest !== undefined && !(typeof endedAtMs === 'number' && endedAtMs >= beforeMs);
  } catch (error) {
    if (!DataError.is(error, 'data.corrupt')) throw error;
    return true;
  }
}

/** Undefined for what is no time: it is never over. */
function timeOf({ json }: KeptRecord, property: string): number | undefined {
  const atMs = (JSON.parse(json) as Readonly<Record<string, unknown>>)[property];
  return typeof atMs === 'number' && Math.abs(atMs) <= 8.64e15 ? atMs : undefined;
}

async function* pagesUntil(
  pages: AsyncIterable<readonly KeptRecord[]>,
  isEnough: () => boolean,
): AsyncGenerator<readonly KeptRecord[]> {
  for await (const page of pages) {
    if (isEnough()) return;
    yield page;
  }
}

/** Adds to a group what ended after all that is in it, and takes out what ended first, above `kept`. */
function oldestBeyond(
  waiting: Map<string, KeptRecord[]>,
  group: string,
  record: KeptRecord,
  kept: number,
): readonly KeptRecord[] {
  const list = waiting.get(group) ?? [];
  waiting.set(group, list);
  list.push(record);
  return list.length > kept ? list.splice(0, list.length - kept) : [];
}

/** Returns how many are gone. */
async function removeAll(
  kind: string,
  records: readonly KeptRecord[],
  { store, log }: RetentionPorts,
  signal: AbortSignal,
): Promise<number> {
  const collection: Collection<unknown> = { kind, indexes: [], parse: (value) => value };
  const remove = (some: readonly KeptRecord[]): Promise<void> =>
    store.tx((tx) => {
      for (const { id, version } of some) tx.delete(collection, id, { expectedVersion: version });
    });
  let removed = 0;
  for (let at = 0; at < records.length; at += removedAtOnce) {
    signal.throwIfAborted();
    const some = records.slice(at, at + removedAtOnce);
    try {
      await remove(some);
      removed += some.length;
    } catch (error) {
      if (!DataError.is(error, 'data.conflict')) throw error;
      log.info('a record was changed while it was archived; it stays', { kind });
      for (const record of some) removed += await removeOne(record, remove);
    }
  }
  return removed;
}

async function removeOne(record: KeptRecord, remove: (some: readonly KeptRecord[]) => Promise<void>): Promise<number> {
  try {
    await remove([record]);
    return 1;
  } catch (error) {
    if (!DataError.is(error, 'data.conflict')) throw error;
    return 0;
  }
}
