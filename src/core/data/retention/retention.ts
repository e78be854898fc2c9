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
  /** When it came to its end, epoch ms; undefined: it is not over, or something refers to it, and is never due. */
  readonly endedAtMs: (value: unknown) => number | undefined;
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
 * @throws {DataError} as `DataStore.snapshot` and `tx`, and what the archive throws; the signal's reason
 */
export async function applyRetention(
  classes: readonly RetentionClass[],
  ports: RetentionPorts,
  signal: AbortSignal,
): Promise<RetentionReport> {
  let moved = 0;
  let isMore = false;
  for (const each of classes) {
    const days = each.days();
    if (days <= 0) continue;
    const due = await collectDue(each, ports.nowMs() - days * dayMs, ports, signal);
    isMore ||= due.isMore;
    for (const [month, records] of due.byMonth) {
      signal.throwIfAborted();
      await ports.archive?.append(month, records, signal);
      moved += await removeAll(each.kind, records, ports, signal);
    }
  }
  return { moved, isMore };
}

interface Due {
  readonly byMonth: ReadonlyMap<string, readonly KeptRecord[]>;
  readonly isMore: boolean;
}

interface Candidate {
  readonly record: KeptRecord;
  readonly endedAtMs: number;
}

/** Reads as of one moment, while writers go on. Damaged records are left where they are. */
function collectDue(
  { kind, endedAtMs, livingGroup, keptPerGroup }: RetentionClass,
  beforeMs: number,
  { store, processor }: RetentionPorts,
  signal: AbortSignal,
): Promise<Due> {
  return store.snapshot(
    async (snapshot) => {
      const byMonth = new Map<string, KeptRecord[]>();
      const waiting = new Map<string, Candidate[]>();
      let [count, chars, isMore] = [0, 0, false];
      const take = ({ record, endedAtMs: atMs }: Candidate): void => {
        if (count >= maxRecords || chars >= maxChars) return void (isMore = true);
        const month = new Date(atMs).toISOString().slice(0, 7);
        const ofMonth = byMonth.get(month);
        if (ofMonth) ofMonth.push(record);
        else byMonth.set(month, [record]);
        count++;
        chars += record.json.length;
      };
      await processor.run(
        {
          // All of them: neither ids nor `createdAtMs` tell when something ended, since an import writes old records now and keeps their ids.
          source: { batches: pagesUntil(snapshot.read(kind), () => isMore) },
          transformation: filter<KeptRecord>((record) => (endOf(record, endedAtMs) ?? Infinity) < beforeMs),
          sink: {
            write: (records) => {
              for (const record of records) {
                const value = JSON.parse(record.json) as unknown;
                const candidate = { record, endedAtMs: endedAtMs(value) ?? 0 };
                const group = livingGroup(value);
                if (group === undefined) take(candidate);
                else oldestBeyond(waiting, group, candidate, keptPerGroup).forEach(take);
              }
            },
          },
        },
        signal,
      );
      return { byMonth, isMore };
    },
    { signal },
  );
}

function endOf({ json }: KeptRecord, endedAtMs: RetentionClass['endedAtMs']): number | undefined {
  const atMs = endedAtMs(JSON.parse(json) as unknown);
  return atMs !== undefined && Math.abs(atMs) <= 8.64e15 ? atMs : undefined; // what is no time is never over
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

/** Adds to a group and takes out what ended first, above `kept`. */
function oldestBeyond(
  waiting: Map<string, Candidate[]>,
  group: string,
  candidate: Candidate,
  kept: number,
): readonly Candidate[] {
  const list = waiting.get(group) ?? [];
  waiting.set(group, list);
  list.splice(list.findLastIndex(({ endedAtMs }) => endedAtMs <= candidate.endedAtMs) + 1, 0, candidate);
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
