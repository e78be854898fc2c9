import { encodeValue } from '../recordCodec';
import { compareScalars } from '../recordQuery';
import { asRecord, type DataTransformation, type JsonObject, type StepRun, transformation } from './dataTransformation';
import { ProcessingError, RecordRejection } from './processingErrors';
import { getAt, type RecordPath } from './recordPath';
import { type Place, toPath } from './recordSteps';

/** Records that a sort may hold, whatever is asked for. */
export const maxSortedRecords = 100_000;

/** The largest `limit` of a sort: its records are put in order in one go, in a few milliseconds. */
export const maxTopRecords = 20_000;

export interface SortOptions {
  /** The first that differs decides; equal records stay in the order they came. */
  readonly by: readonly { readonly at: Place; readonly descending?: boolean }[];
  /** Only the first so many of the order, from 1 to {@link maxTopRecords}: any number of records passes through in that memory. */
  readonly limit?: number;
  /** Records held when there is no `limit`; default and at most {@link maxSortedRecords}. More end the run with processing.boundExceeded. */
  readonly maxRecords?: number;
}

/**
 * Orders values as queries of a store do: missing and null, then numbers and truth values, then text by code point.
 * @throws {RangeError} for a limit out of range
 */
export function sort(options: SortOptions): DataTransformation<JsonObject, JsonObject> {
  if (options.limit !== undefined && !(options.limit >= 1 && options.limit <= maxTopRecords))
    throw new RangeError(`the limit of a sort is from 1 to ${maxTopRecords}`);
  return transformation('sort', () => new SortRun(options));
}

interface Held {
  readonly record: JsonObject;
  readonly keys: readonly unknown[];
  readonly order: number;
}

class SortRun implements StepRun<JsonObject, JsonObject> {
  readonly #by: readonly { readonly at: RecordPath; readonly sign: number }[];
  readonly #limit: number | undefined;
  readonly #maxRecords: number;
  readonly #heap: Heap<Held>;
  #seenCount = 0;

  constructor({ by, limit, maxRecords = maxSortedRecords }: SortOptions) {
    this.#by = by.map(({ at, descending }) => ({ at: toPath(at), sign: descending ? -1 : 1 }));
    this.#limit = limit;
    this.#maxRecords = Math.min(maxRecords, maxSortedRecords);
    // With a limit the worst of those held is on top, to be replaced; without one the best, to be taken first.
    this.#heap = new Heap<Held>(limit === undefined ? this.#compare : (a, b) => this.#compare(b, a));
  }

  push(item: JsonObject): void {
    const record = asRecord(item, 'sort');
    const held = { record, keys: this.#by.map(({ at }) => getAt(record, at) ?? null), order: this.#seenCount++ };
    if (this.#limit === undefined) {
      if (this.#heap.size >= this.#maxRecords)
        throw new ProcessingError(
          'processing.boundExceeded',
          `a sort without a limit takes ${this.#maxRecords} records`,
        );
      this.#heap.push(held);
    } else if (this.#heap.size < this.#limit) this.#heap.push(held);
    else if (this.#heap.top && this.#compare(held, this.#heap.top) < 0) this.#heap.replaceTop(held);
  }

  *finish(): Iterable<JsonObject> {
    let heap = this.#heap;
    if (this.#limit !== undefined) heap = new Heap(this.#compare, heap.takeAll());
    for (let next = heap.pop(); next; next = heap.pop()) yield next.record;
  }

  readonly #compare = (a: Held, b: Held): number => {
    for (const [index, { sign }] of this.#by.entries()) {
      const order = compareScalars(a.keys[index], b.keys[index]);
      if (order !== 0) return order * sign;
    }
    return a.order - b.order;
  };
}

/** A binary heap: the smallest by `compare` on top. */
class Heap<T> {
  #items: T[];

  constructor(
    private readonly compare: (a: T, b: T) => number,
    items: T[] = [],
  ) {
    this.#items = items;
    for (let i = (items.length >> 1) - 1; i >= 0; i--) this.#sink(i);
  }

  get size(): number {
    return this.#items.length;
  }

  get top(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    let at = this.#items.push(item) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (this.#order(at, above) >= 0) return;
      this.#swap(at, above);
      at = above;
    }
  }

  replaceTop(item: T): void {
    this.#items[0] = item;
    this.#sink(0);
  }

  pop(): T | undefined {
    const top = this.#items[0];
    const last = this.#items.pop();
    if (last !== undefined && this.#items.length > 0) this.replaceTop(last);
    return top;
  }

  /** Everything, in no order; the heap is empty then. */
  takeAll(): T[] {
    const items = this.#items;
    this.#items = [];
    return items;
  }

  #sink(from: number): void {
    for (let at = from; ;) {
      let least = at;
      for (const below of [2 * at + 1, 2 * at + 2])
        if (below < this.#items.length && this.#order(below, least) < 0) least = below;
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #order(a: number, b: number): number {
    return this.compare(this.#items[a] as T, this.#items[b] as T); // both are within the heap
  }

  #swap(a: number, b: number): void {
    const items = this.#items;
    [items[a], items[b]] = [items[b] as T, items[a] as T]; // both are within the heap
  }
}

/** The first `count` (≥ 0) after `skip` (default 0); the source is read no further then. */
export function limit<T>(count: number, skip = 0): DataTransformation<T, T> {
  return transformation('limit', () => {
    let seen = 0;
    return {
      push: (item, emit) => {
        seen++;
        if (seen > skip && seen <= skip + count) emit(item);
      },
      isDone: () => seen >= skip + count,
    };
  });
}

/** Longest text of a key, in characters: what bounds the memory of a step that remembers keys. */
const maxKeyLength = 1_024;

export interface DeduplicateOptions {
  /** What makes two records the same: the values at these places. */
  readonly by: readonly Place[];
  /** How many different keys are remembered, those seen last; default 100 000, at least 1. */
  readonly window?: number;
}

/**
 * Leaves out every record whose key is among the `window` different keys seen last; within that it is exact, beyond
 * it a record may pass again. Each sight of a key, also of one left out, makes it the latest.
 * Refuses: deduplicate.keyTooLong (over 1 024 characters as JSON).
 */
export function deduplicate({ by, window = 100_000 }: DeduplicateOptions): DataTransformation<JsonObject, JsonObject> {
  const paths = by.map(toPath);
  return transformation('deduplicate', () => {
    const seen = new Set<string>(); // in order of last sight
    return {
      push: (item, emit) => {
        const record = asRecord(item, 'deduplicate');
        const key = keyOf(record, paths, 'deduplicate');
        const isNew = !seen.delete(key);
        seen.add(key);
        if (seen.size > window)
          for (const oldest of seen) {
            seen.delete(oldest);
            break;
          }
        if (isNew) emit(record);
      },
    };
  });
}

/**
 * The values at `paths` as one text; equal values have equal texts, missing and null are equal.
 * @throws {RecordRejection} `<step>.keyTooLong`
 * @throws {DataError} data.invalid for what is no JSON
 */
export function keyOf(record: JsonObject, paths: readonly RecordPath[], step: string): string {
  const key = encodeValue(paths.map((parts) => getAt(record, parts) ?? null));
  if (key.length <= maxKeyLength) return key;
  throw new RecordRejection(`${step}.keyTooLong`, `a key has at most ${maxKeyLength} characters`);
}
