import { assertNever } from '../../base/errors';
import { asRecord, type DataTransformation, type JsonObject, type StepRun, transformation } from './dataTransformation';
import { ProcessingError, RecordRejection } from './processingErrors';
import { QuantileSketch } from './quantileSketch';
import { formatPath, getAt, type RecordPath, setOwn } from './recordPath';
import { parseTimeMs, type Place, toPath } from './recordSteps';

export const measureOps = ['count', 'sum', 'min', 'max', 'mean', 'p50', 'p95'] as const;
export type MeasureOp = (typeof measureOps)[number];

export interface Measure {
  readonly op: MeasureOp;
  /** Where the number is; missing and null are left out of it. Without it `count` counts records; the others need it. */
  readonly at?: Place;
}

export type Window =
  /** One window over everything. */
  | { readonly kind: 'all' }
  /** Windows of `size` records each, as they come (≥ 1); the last may have fewer. */
  | { readonly kind: 'count'; readonly size: number }
  /**
   * Windows of `sizeMs` (≥ 1), aligned to the epoch, by the time at `at` (epoch milliseconds or RFC 3339). A window
   * is complete, and emitted, once a time `latenessMs` (default 0) beyond its end was seen: what comes for it after
   * that is refused.
   */
  | { readonly kind: 'time'; readonly sizeMs: number; readonly at: Place; readonly latenessMs?: number };

export interface AggregateOptions {
  readonly window: Window;
  /** One row for each combination of the values at these places; default: one row for all. */
  readonly by?: readonly Place[];
  /** Names of the properties of a row, with what they tell. */
  readonly measures: readonly (readonly [name: string, measure: Measure])[];
  /** Rows open at the same time: what memory is bounded by (a quantile holds up to 4 096 counts for a row). Default 10 000; more end the run with processing.boundExceeded. */
  readonly maxOpenRows?: number;
}

/**
 * Tumbling windows. A row has `windowStartMs` and `windowEndMs` (time) or `windowIndex` from 0 (count), the values
 * grouped by under their paths, and the measures. Quantiles are within 1 % ({@link QuantileSketch}); sums are
 * compensated (Neumaier). `min`, `max`, `mean` and quantiles of no number are null.
 * Refuses: aggregate.notANumber, aggregate.notATime, aggregate.late.
 */
export function aggregate(options: AggregateOptions): DataTransformation<JsonObject, JsonObject> {
  return transformation('aggregate', () => new AggregateRun(options));
}

interface OpenWindow {
  readonly bounds: JsonObject;
  readonly rows: Map<string, Row>;
}

interface Row {
  readonly group: readonly unknown[];
  readonly cells: readonly Cell[];
}

class AggregateRun implements StepRun<JsonObject, JsonObject> {
  readonly #windows = new Map<number, OpenWindow>();
  readonly #by: readonly RecordPath[];
  readonly #measures: readonly { readonly name: string; readonly op: MeasureOp; readonly at: RecordPath | undefined }[];
  readonly #maxOpenRows: number;
  readonly #window: Window;
  readonly #timeAt: RecordPath;
  #seenCount = 0;
  #rowCount = 0;
  #newestMs = -Infinity;
  /** The oldest open window of time. */
  #oldestKey = Infinity;

  constructor({ window, by = [], measures, maxOpenRows = 10_000 }: AggregateOptions) {
    this.#window = window;
    this.#timeAt = window.kind === 'time' ? toPath(window.at) : [];
    this.#by = by.map(toPath);
    this.#measures = measures.map(([name, { op, at }]) => ({
      name,
      op,
      at: at === undefined ? undefined : toPath(at),
    }));
    this.#maxOpenRows = maxOpenRows;
  }

  push(item: JsonObject, emit: (row: JsonObject) => void): void {
    const record = asRecord(item, 'aggregate');
    const numbers = this.#measures.map(({ at }) => (at ? numberAt(record, at) : 1)); // all are read before anything changes
    const timeMs = this.#window.kind === 'time' ? this.#timeOf(record) : 0;
    const cells = this.#cellsFor(this.#windowOf(timeMs), record);
    for (const [index, cell] of cells.entries()) {
      const number = numbers[index];
      if (number !== undefined) cell.add(number);
    }
    this.#seenCount++;
    for (const key of this.#completeKeys(timeMs)) for (const row of this.#close(key)) emit(row);
  }

  *finish(): Iterable<JsonObject> {
    for (const key of [...this.#windows.keys()].sort((a, b) => a - b)) yield* this.#close(key);
  }

  #timeOf(record: JsonObject): number {
    const value = getAt(record, this.#timeAt);
    const ms = typeof value === 'number' ? value : typeof value === 'string' ? parseTimeMs(value) : undefined;
    if (ms === undefined || !Number.isFinite(ms))
      throw new RecordRejection('aggregate.notATime', `${formatPath(this.#timeAt)} is no time`);
    return ms;
  }

  /** The window's number. @throws {RecordRejection} aggregate.late */
  #windowOf(timeMs: number): number {
    const window = this.#window;
    if (window.kind === 'all') return 0;
    if (window.kind === 'count') return Math.floor(this.#seenCount / window.size);
    const key = Math.floor(timeMs / window.sizeMs);
    if ((key + 1) * window.sizeMs + (window.latenessMs ?? 0) <= this.#newestMs)
      throw new RecordRejection('aggregate.late', 'its window was complete already');
    return key;
  }

  #cellsFor(key: number, record: JsonObject): readonly Cell[] {
    const group = this.#by.map((parts) => getAt(record, parts) ?? null);
    const groupKey = JSON.stringify(group);
    const found = this.#windows.get(key)?.rows.get(groupKey);
    if (found) return found.cells;
    if (this.#rowCount >= this.#maxOpenRows)
      throw new ProcessingError(
        'processing.boundExceeded',
        `more than ${this.#maxOpenRows} rows are open in aggregate`,
      );
    let window = this.#windows.get(key);
    if (!window) {
      this.#windows.set(key, (window = { bounds: this.#boundsOf(key), rows: new Map() }));
      this.#oldestKey = Math.min(this.#oldestKey, key);
    }
    const row = { group, cells: this.#measures.map(({ op }) => new Cell(op)) };
    window.rows.set(groupKey, row);
    this.#rowCount++;
    return row.cells;
  }

  #boundsOf(key: number): JsonObject {
    const window = this.#window;
    if (window.kind === 'all') return {};
    if (window.kind === 'count') return { windowIndex: key };
    return { windowStartMs: key * window.sizeMs, windowEndMs: (key + 1) * window.sizeMs };
  }

  #completeKeys(timeMs: number): readonly number[] {
    const window = this.#window;
    if (window.kind === 'all') return [];
    if (window.kind === 'count') return this.#seenCount % window.size === 0 ? [...this.#windows.keys()] : [];
    if (timeMs <= this.#newestMs) return [];
    this.#newestMs = timeMs;
    const { sizeMs, latenessMs = 0 } = window;
    const isComplete = (key: number): boolean => (key + 1) * sizeMs + latenessMs <= timeMs;
    if (!isComplete(this.#oldestKey)) return [];
    const open = [...this.#windows.keys()].sort((a, b) => a - b);
    this.#oldestKey = open.find((key) => !isComplete(key)) ?? Infinity;
    return open.filter(isComplete);
  }

  *#close(key: number): Iterable<JsonObject> {
    const window = this.#windows.get(key);
    if (!window) return;
    this.#windows.delete(key);
    this.#rowCount -= window.rows.size;
    for (const { group, cells } of window.rows.values()) {
      const row: Record<string, unknown> = { ...window.bounds };
      for (const [index, parts] of this.#by.entries()) setOwn(row, formatPath(parts), group[index]);
      for (const [index, { name }] of this.#measures.entries()) setOwn(row, name, cells[index]?.result ?? null);
      yield row;
    }
  }
}

function numberAt(record: JsonObject, parts: RecordPath): number | undefined {
  const value = getAt(record, parts);
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new RecordRejection('aggregate.notANumber', `${formatPath(parts)} is no number`);
}

/** One measure of one row. */
class Cell {
  readonly #sketch: QuantileSketch | undefined;
  #count = 0;
  #sum = 0;
  #lost = 0;
  #min = Infinity;
  #max = -Infinity;

  constructor(private readonly op: MeasureOp) {
    this.#sketch = op === 'p50' || op === 'p95' ? new QuantileSketch() : undefined;
  }

  add(value: number): void {
    this.#count++;
    const sum = this.#sum + value;
    this.#lost += Math.abs(this.#sum) >= Math.abs(value) ? this.#sum - sum + value : value - sum + this.#sum;
    this.#sum = sum;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
    this.#sketch?.add(value);
  }

  get result(): number | undefined {
    const { op } = this;
    if (op === 'count') return this.#count;
    if (op === 'sum') return this.#sum + this.#lost;
    if (this.#count === 0) return undefined;
    switch (op) {
      case 'min':
        return this.#min;
      case 'max':
        return this.#max;
      case 'mean':
        return (this.#sum + this.#lost) / this.#count;
      case 'p50':
        return this.#sketch?.quantile(0.5);
      case 'p95':
        return this.#sketch?.quantile(0.95);
      default:
        return assertNever(op);
    }
  }
}
