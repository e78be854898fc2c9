import type { Below, Change } from '../dataStore';
import { DataError } from '../dataErrors';
import { crc32c, recordChecksum, type StoredRecord } from '../recordCodec';
import type { PlainQuery, Scalar } from '../recordQuery';
import type { SqlEngine, SqlRow, SqlValue } from './sqlEngine';

type Reading = Pick<SqlEngine, 'all' | 'get'>;

const columns = 'id, version, created, updated, epoch, checksum, value';

/** Kinds and properties are letters, digits, `.`, `_` and `-` only (recordCodec.ts), so they can stand in SQL text. */
function extract(property: string): string {
  return property === 'id' ? 'id' : `json_extract(value, '$."${property}"')`;
}

/** Names do not differ by case in SQLite. */
function indexName(kind: string, property: string): string {
  return `ix_${kind}_${property}_${crc32c(`${kind} ${property}`).toString(16)}`;
}

/** SQL that makes the index of a property of a collection, if it is not there. */
export function createIndexSql(kind: string, property: string): string {
  return `CREATE INDEX IF NOT EXISTS "${indexName(kind, property)}" ON records(${extract(property)}, id) WHERE kind = '${kind}'`;
}

/**
 * The table and a property, along its index if there is one: SQLite, which has no figures of them, would go through the whole kind and sort
 * it. Without one (it cannot be made of values that are no JSON any more) such a value has no properties.
 */
function recordsAlong(engine: Reading, kind: string, property: string): { readonly from: string; readonly by: string } {
  const name = indexName(kind, property);
  const isThere = engine.get("SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = ?", [name]);
  const by = extract(property);
  if (isThere) return { from: `records INDEXED BY "${name}"`, by };
  return { from: 'records', by: `CASE WHEN json_valid(value) THEN ${by} END` };
}

/** @throws {DataError} data.corrupt when the row is not what was written */
export function readRecord(engine: SqlEngine, kind: string, id: string): StoredRecord | undefined {
  const row = engine.get(`SELECT ${columns} FROM records WHERE kind = ? AND id = ?`, [kind, id]);
  return row && verifiedRecord(kind, row);
}

/** The record in this row of the table; undefined when there is none, and when it is damaged. */
export function readRecordAt(engine: SqlEngine, row: number): StoredRecord | undefined {
  const found = engine.get(`SELECT ${columns}, kind FROM records WHERE rowid = ?`, [row]);
  if (!found) return undefined;
  const record = storedRecord(String(found[7]), found);
  return recordChecksum(record) === found[5] ? record : undefined;
}

/** @throws {DataError} data.corrupt when one of the rows found is not what was written */
export function findRecords(engine: Reading, kind: string, query: PlainQuery): readonly StoredRecord[] {
  const params: SqlValue[] = [];
  const isAlong = query.orderBy !== 'id' && query.where.length === 0;
  const { from, by } = isAlong
    ? recordsAlong(engine, kind, query.orderBy)
    : { from: 'records', by: extract(query.orderBy) };
  let sql = selectSql(kind, query, params, { from });
  const direction = query.descending ? 'DESC' : 'ASC';
  sql += ` ORDER BY ${query.orderBy === 'id' ? '' : `${by} ${direction}, `}id ${direction} LIMIT ?`;
  params.push(query.limit ?? -1);
  return engine.all(sql, params).map((row) => verifiedRecord(kind, row));
}

/** Records that fulfil all conditions; their values are added to `params`. */
function selectSql(
  kind: string,
  { where, after }: Pick<PlainQuery, 'where' | 'after'>,
  params: SqlValue[],
  { selected = columns, from = 'records' } = {},
): string {
  let sql = `SELECT ${selected} FROM ${from} WHERE kind = '${kind}'`;
  for (const [property, value] of where) {
    sql += ` AND ${extract(property)} IS ? ${typeCondition(property, value)}`;
    params.push(typeof value === 'boolean' ? Number(value) : value);
  }
  if (after === undefined) return sql;
  params.push(after);
  return `${sql} AND id > ?`;
}

/** json_extract yields 1 for both 1 and true, and text for both text and objects: compare the types too. */
function typeCondition(property: string, value: Scalar): string {
  if (value === null) return '';
  const type = `json_type(value, '$."${property}"')`;
  if (typeof value === 'boolean') return `AND ${type} = '${String(value)}'`;
  return typeof value === 'number' ? `AND ${type} IN ('integer', 'real')` : `AND ${type} = 'text'`;
}

/** A record, and whether it is what was written. */
export interface KeptRow {
  readonly record: StoredRecord;
  readonly isWhole: boolean;
  readonly cursor: PageCursor;
}

/** Where a page ends. */
export interface PageCursor {
  readonly id: string;
  /** Of the property that the records are ordered by. */
  readonly value?: number;
}

export interface PageQuery {
  readonly kind: string;
  /** As in {@link findRecords}. */
  readonly where: PlainQuery['where'];
  readonly below?: Below;
  /** The last by id first; not with `below`. */
  readonly descending?: boolean;
  readonly after?: PageCursor;
}

/** The next `limit` records of a kind, by id; with `below` by its property, then by id. */
export function readPage(engine: Reading, query: PageQuery, limit: number): readonly KeptRow[] {
  const { kind, where, below, descending = false, after } = query;
  if (below) return readPageBelow(engine, { ...query, below }, limit);
  const params: SqlValue[] = [];
  let sql = selectSql(kind, { where }, params);
  if (after) {
    sql += ` AND id ${descending ? '<' : '>'} ?`;
    params.push(after.id);
  }
  const order = descending ? 'id DESC' : 'id';
  return engine.all(`${sql} ORDER BY ${order} LIMIT ?`, [...params, limit]).map((row) => keptRow(kind, row));
}

/** Along the index of the property, where there is one: numbers only are less than a number, and what is damaged in the value is not looked at. */
function readPageBelow(
  engine: Reading,
  { kind, where, below, after }: PageQuery & { readonly below: Below },
  limit: number,
): readonly KeptRow[] {
  const params: SqlValue[] = [];
  const { from, by } = recordsAlong(engine, kind, below.property);
  let sql = selectSql(kind, { where }, params, { selected: `${columns}, ${by}`, from });
  sql += ` AND ${by} < ?`;
  params.push(below.value);
  if (after?.value !== undefined) {
    sql += ` AND ${by} >= ? AND (${by} > ? OR id > ?)`;
    params.push(after.value, after.value, after.id);
  }
  return engine.all(`${sql} ORDER BY ${by}, id LIMIT ?`, [...params, limit]).map((row) => {
    const kept = keptRow(kind, row);
    return { ...kept, cursor: { ...kept.cursor, value: Number(row[7]) } };
  });
}

function keptRow(kind: string, row: SqlRow): KeptRow {
  const record = storedRecord(kind, row);
  return { record, isWhole: recordChecksum(record) === row[5], cursor: { id: record.id } };
}

function verifiedRecord(kind: string, row: SqlRow): StoredRecord {
  const record = storedRecord(kind, row);
  if (recordChecksum(record) !== row[5])
    throw new DataError('data.corrupt', `${kind} ${JSON.stringify(record.id)} is damaged`);
  return record;
}

/** The values of {@link columns} as a record, whatever they are. */
function storedRecord(kind: string, [id, version, createdAtMs, updatedAtMs, epoch, , json]: SqlRow): StoredRecord {
  return {
    kind,
    id: String(id),
    version: Number(version),
    createdAtMs: Number(createdAtMs),
    updatedAtMs: Number(updatedAtMs),
    epoch: Number(epoch),
    json: String(json),
  };
}

/** False when there is a record with its kind and id already; that one stays. */
export function insertRecord(engine: SqlEngine, record: StoredRecord): boolean {
  const sql =
    'INSERT INTO records(version, created, updated, epoch, checksum, value, kind, id) VALUES(?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING';
  return engine.run(sql, rowOf(record)) > 0;
}

export function updateRecord(engine: SqlEngine, record: StoredRecord): void {
  engine.run(
    'UPDATE records SET version = ?, created = ?, updated = ?, epoch = ?, checksum = ?, value = ? WHERE kind = ? AND id = ?',
    rowOf(record),
  );
}

function rowOf(record: StoredRecord): SqlValue[] {
  const { kind, id, version, createdAtMs, updatedAtMs, epoch, json } = record;
  return [version, createdAtMs, updatedAtMs, epoch, recordChecksum(record), json, kind, id];
}

/** Removes a record, also a damaged one. Returns the version it had, or undefined when there was none. */
export function deleteRecord(engine: SqlEngine, kind: string, id: string): number | undefined {
  const row = engine.get('SELECT version FROM records WHERE kind = ? AND id = ?', [kind, id]);
  if (!row) return undefined;
  engine.run('DELETE FROM records WHERE kind = ? AND id = ?', [kind, id]);
  return Number(row[0]);
}

export function insertChange(engine: SqlEngine, change: Change): void {
  const { seq, kind, id, op, version, atMs } = change;
  engine.run('INSERT INTO changes(seq, kind, id, op, version, at, checksum) VALUES(?, ?, ?, ?, ?, ?, ?)', [
    seq,
    kind,
    id,
    op,
    version,
    atMs,
    changeChecksum(change),
  ]);
}

/** @throws {DataError} data.corrupt when a change is damaged or one between them is missing */
export function readChanges(engine: SqlEngine, after: number, limit: number): readonly Change[] {
  const rows = engine.all(
    'SELECT seq, kind, id, op, version, at, checksum FROM changes WHERE seq > ? ORDER BY seq LIMIT ?',
    [after, limit],
  );
  let previous: number | undefined;
  return rows.map((row) => {
    const change = storedChange(row);
    if (changeChecksum(change) !== row[6] || (previous !== undefined && change.seq !== previous + 1)) {
      throw new DataError('data.corrupt', `the journal is damaged at change ${change.seq}`);
    }
    previous = change.seq;
    return change;
  });
}

function storedChange([seq, kind, id, op, version, atMs]: SqlRow): Change {
  return {
    seq: Number(seq),
    kind: String(kind),
    id: String(id),
    op: op === 'delete' ? 'delete' : 'put',
    version: Number(version),
    atMs: Number(atMs),
  };
}

function changeChecksum({ seq, kind, id, op, version, atMs }: Change): number {
  return crc32c(`${seq}\0${kind}\0${id}\0${op}\0${version}\0${atMs}`);
}

/** A row of `records`, and whether it is what was written. */
export interface CheckedRecord {
  readonly row: number;
  readonly kind: string;
  readonly id: string;
  readonly isWhole: boolean;
}

/** The next `limit` records after row number `after`, in the order of the file. */
export function readCheckedRecords(engine: SqlEngine, after: number, limit: number): readonly CheckedRecord[] {
  const sql = `SELECT ${columns}, kind, rowid FROM records WHERE rowid > ? ORDER BY rowid LIMIT ?`;
  return engine.all(sql, [after, limit]).map((all) => {
    const [kind, row] = [String(all[7]), Number(all[8])];
    return { row, kind, id: String(all[0]), isWhole: recordChecksum(storedRecord(kind, all)) === all[5] };
  });
}

export interface CheckedChange {
  readonly seq: number;
  readonly isWhole: boolean;
}

/** The next `limit` entries of the journal after `after`. */
export function readCheckedChanges(engine: SqlEngine, after: number, limit: number): readonly CheckedChange[] {
  const sql = 'SELECT seq, kind, id, op, version, at, checksum FROM changes WHERE seq > ? ORDER BY seq LIMIT ?';
  return engine.all(sql, [after, limit]).map((row) => {
    const change = storedChange(row);
    return { seq: change.seq, isWhole: changeChecksum(change) === row[6] };
  });
}

/** Highest change in the store, 0 when there is none. */
export function lastSeq(engine: SqlEngine): number {
  return Number(engine.get('SELECT max(seq) FROM changes')?.[0] ?? 0);
}
