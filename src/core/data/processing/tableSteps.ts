import { assertNever } from '../../base/errors';
import { asRecord, type DataTransformation, type JsonObject, type StepRun, transformation } from './dataTransformation';
import { keyOf } from './orderSteps';
import { ProcessingError, RecordRejection } from './processingErrors';
import { formatPath, getAt, setOwn } from './recordPath';
import { type Place, put, toPath } from './recordSteps';

/** Records that the right side of a join may have. */
export const maxRightRecords = 100_000;

export interface JoinOptions {
  /** Key of the records passing through. */
  readonly at: Place;
  /** Opened once for every run; at most {@link maxRightRecords}, or the run ends with processing.boundExceeded. */
  readonly right: () => AsyncIterable<JsonObject> | Iterable<JsonObject>;
  /** Key of the records of the right side. */
  readonly rightAt: Place;
  /** Where the record of the right side is put. */
  readonly as: Place;
  /** `inner` (default): what has no counterpart is left out; `left`: it passes unchanged. */
  readonly kind?: 'inner' | 'left';
}

/** Each record with each of its counterparts, in the order of the right side. Missing and null keys have none. Refuses: join.blocked, join.keyTooLong. */
export function join(options: JoinOptions): DataTransformation<JsonObject, JsonObject> {
  const [at, rightAt, as] = [toPath(options.at), toPath(options.rightAt), toPath(options.as)];
  return transformation('join', (): StepRun<JsonObject, JsonObject> => {
    const right = new Map<string, JsonObject[]>();
    return {
      prepare: async (signal, breathe) => {
        let count = 0;
        for await (const record of options.right()) {
          signal?.throwIfAborted();
          const pause = breathe();
          if (pause) await pause;
          if (++count > maxRightRecords)
            throw new ProcessingError(
              'processing.boundExceeded',
              `the right side of a join has over ${maxRightRecords} records`,
            );
          if ((getAt(record, rightAt) ?? null) === null) continue;
          const key = keyOf(record, [rightAt], 'join');
          const same = right.get(key);
          if (same) same.push(record);
          else right.set(key, [record]);
        }
      },
      push: (item, emit) => {
        const record = asRecord(item, 'join');
        const isKeyed = (getAt(record, at) ?? null) !== null;
        const found = isKeyed ? right.get(keyOf(record, [at], 'join')) : undefined;
        for (const other of found ?? []) emit(put('join', record, as, other));
        if (!found && options.kind === 'left') emit(record);
      },
    };
  });
}

/** Finds what belongs to keys; what is not in the answer is not known. Must not depend on earlier calls. */
export type Lookup = (
  keys: ReadonlySet<unknown>,
  signal: AbortSignal | undefined,
) => ReadonlyMap<unknown, unknown> | Promise<ReadonlyMap<unknown, unknown>>;

export interface EnrichOptions {
  /** Where the key is: a text or a number. */
  readonly at: Place;
  readonly as: Place;
  /** Asked once for every batch, with all keys of it. */
  readonly lookup: Lookup;
  /** What happens to a record whose key is missing or not known: it passes unchanged (default), or enrich.unknownKey. */
  readonly missing?: 'keep' | 'refuse';
}

/** Adds what a lookup finds. Refuses: enrich.unknownKey, enrich.blocked. */
export function enrich({
  at,
  as,
  lookup,
  missing = 'keep',
}: EnrichOptions): DataTransformation<JsonObject, JsonObject> {
  const [keyPath, place] = [toPath(at), toPath(as)];
  return transformation('enrich', (): StepRun<JsonObject, JsonObject> => {
    let known: ReadonlyMap<unknown, unknown> = new Map();
    return {
      beforeBatch: async (items, signal) => {
        const keys = new Set(items.map((item) => getAt(item, keyPath)).filter(isKey));
        known = keys.size === 0 ? new Map() : await lookup(keys, signal);
      },
      push: (item, emit) => {
        const record = asRecord(item, 'enrich');
        const found = known.get(getAt(record, keyPath));
        if (found !== undefined) return emit(put('enrich', record, place, found));
        if (missing === 'refuse')
          throw new RecordRejection('enrich.unknownKey', `nothing is known of ${formatPath(keyPath)}`);
        emit(record);
      },
    };
  });
}

function isKey(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number';
}

export const pivotOps = ['first', 'last', 'sum', 'count', 'min', 'max'] as const;
export type PivotOp = (typeof pivotOps)[number];

export interface PivotOptions {
  /** One row for each combination of the values here. */
  readonly rows: readonly Place[];
  /** Its value, a text, number or truth value, names the column. */
  readonly column: Place;
  readonly value: Place;
  /** What becomes of several values for one cell. Default `last`. */
  readonly op?: PivotOp;
  /** Default 10 000; more rows end the run with processing.boundExceeded. */
  readonly maxRows?: number;
  /** Default 200; more columns end the run with processing.boundExceeded. */
  readonly maxColumns?: number;
}

/**
 * Turns values into columns: rows and columns in the order they came, every row with every column, null where there
 * was no value. Refuses: pivot.notAName, pivot.columnTaken (a column named as a row's key), pivot.notANumber, pivot.keyTooLong.
 */
export function pivot(options: PivotOptions): DataTransformation<JsonObject, JsonObject> {
  return transformation('pivot', () => pivotRun(options));
}

function pivotRun({
  rows,
  column,
  value,
  op = 'last',
  maxRows = 10_000,
  maxColumns = 200,
}: PivotOptions): StepRun<JsonObject, JsonObject> {
  const [rowPaths, columnPath, valuePath] = [rows.map(toPath), toPath(column), toPath(value)];
  const rowNames = rowPaths.map(formatPath);
  const columns = new Set<string>();
  const found = new Map<string, { readonly keys: readonly unknown[]; readonly cells: Map<string, unknown> }>();
  return {
    push: (item) => {
      const record = asRecord(item, 'pivot');
      const name = columnName(getAt(record, columnPath), rowNames);
      const key = keyOf(record, rowPaths, 'pivot');
      const row = found.get(key) ?? {
        keys: rowPaths.map((parts) => getAt(record, parts) ?? null),
        cells: new Map<string, unknown>(),
      };
      const cell = merged(op, row.cells.get(name), getAt(record, valuePath) ?? null);
      if (!found.has(key) && found.size >= maxRows) throw tooMany(maxRows, 'rows');
      if (!columns.has(name) && columns.size >= maxColumns) throw tooMany(maxColumns, 'columns');
      found.set(key, row);
      columns.add(name);
      row.cells.set(name, cell);
    },
    *finish() {
      for (const { keys, cells } of found.values()) {
        const record: Record<string, unknown> = {};
        for (const [index, name] of rowNames.entries()) setOwn(record, name, keys[index]);
        for (const name of columns) setOwn(record, name, cells.get(name) ?? null);
        yield record;
      }
    },
  };
}

function tooMany(limit: number, what: string): ProcessingError {
  return new ProcessingError('processing.boundExceeded', `a pivot has over ${limit} ${what}`);
}

function columnName(value: unknown, taken: readonly string[]): string {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
    throw new RecordRejection('pivot.notAName', 'the column has no name');
  const name = String(value);
  if (name.length > 200) throw new RecordRejection('pivot.notAName', 'a column has a name of at most 200 characters');
  if (taken.includes(name)) throw new RecordRejection('pivot.columnTaken', 'a column is named as a key of the rows');
  return name;
}

function merged(op: PivotOp, before: unknown, value: unknown): unknown {
  if (op === 'count') return (typeof before === 'number' ? before : 0) + 1;
  if (op === 'first') return before === undefined ? value : before;
  if (op === 'last') return value;
  if (value === null) return before;
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw new RecordRejection('pivot.notANumber', 'the value is no number');
  if (typeof before !== 'number') return value;
  switch (op) {
    case 'sum':
      return before + value;
    case 'min':
      return Math.min(before, value);
    case 'max':
      return Math.max(before, value);
    default:
      return assertNever(op);
  }
}
