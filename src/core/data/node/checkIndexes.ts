import type { Logger } from '../../base/log';
import { DataError } from '../dataErrors';
import { type SqlEngine, SqlEngineError } from './sqlEngine';
import { keptTables, number, storeMigrations } from './storeSchema';
import { readCheckedRecords } from './storeSql';

/** SQLite keeps the text of a statement as it was given. */
const tableStatements = new Map(
  storeMigrations.flatMap(({ statements }) =>
    statements.flatMap((sql) => {
      const name = /^CREATE TABLE (\w+)\(/.exec(sql)?.[1];
      return name === undefined ? [] : [[name, sql] as const];
    }),
  ),
);

/**
 * Checks that the tables that are kept are those of the schema, letter by letter: with another name or type a column would be read as something else.
 * @throws {DataError} data.corrupt
 */
export function checkTableNames(engine: SqlEngine): void {
  for (const table of keptTables) {
    const said = engine.get("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?", [table])?.[0];
    if (said !== tableStatements.get(table)) throw damaged(`the table ${table} is not what was made`);
  }
}

const listed = 1_000;
const pageRows = 500;

/**
 * Checks the structure of all that is kept, and each index against its table: the checksum of a record tells that it is damaged, but not
 * that an index leads past it. Where all records are whole, indexes that are not are made anew from them (after `mayWrite`). A record that is damaged
 * itself, and is still found, is refused when it is read: the others are served.
 * @throws {DataError} data.corrupt; what `mayWrite` throws
 */
export function checkTables(engine: SqlEngine, mayWrite: () => void, log: Logger): void {
  for (const table of keptTables) {
    const complaints = complaintsOf(engine, table);
    if (complaints === undefined || complaints.length > 0) {
      requireStructure(engine, table);
      if (table !== 'records') throw damaged(complaints?.[0] ?? 'it cannot be compared');
      judgeIndexes(engine, complaints, mayWrite, log);
    }
  }
}

function judgeIndexes(
  engine: SqlEngine,
  complaints: readonly string[] | undefined,
  mayWrite: () => void,
  log: Logger,
): void {
  const rows = damagedRows(engine);
  if (rows.size === 0) {
    mayWrite();
    engine.exec('REINDEX records');
    const [left] = complaintsOf(engine, 'records') ?? ['they cannot be compared'];
    if (left !== undefined) throw damaged(left);
    log.warn('indexes of the store were damaged and were made anew from its records', { first: complaints?.[0] });
    return;
  }
  // The value that an index was made of has changed with the record: the index still leads to it.
  const isOfRecords = complaints === undefined ? isFoundById(engine) : complaints.every((line) => isAbout(line, rows));
  if (!isOfRecords) throw damaged('records and their indexes do not agree');
  log.warn('records of the store are damaged; they are not served', { records: rows.size });
}

/** What SQLite finds wrong; undefined when a value that is no JSON any more ends the comparing. */
function complaintsOf(engine: SqlEngine, table: string): readonly string[] | undefined {
  try {
    const lines = engine.all(`PRAGMA integrity_check(${table})`).map(([line]) => String(line));
    return lines.length === 1 && lines[0] === 'ok' ? [] : lines;
  } catch (error) {
    if (error instanceof SqlEngineError && error.kind === 'other') return undefined;
    throw error;
  }
}

function requireStructure(engine: SqlEngine, table: string): void {
  const answer = engine.get(`PRAGMA quick_check(${table})`)?.[0];
  if (answer !== 'ok') throw damaged(String(answer));
}

/** Numbers of the rows of records that are not what was written, read past every index. */
function damagedRows(engine: SqlEngine): ReadonlySet<number> {
  const found = new Set<number>();
  for (let after = Number.MIN_SAFE_INTEGER; ;) {
    const page = readCheckedRecords(engine, after, pageRows);
    for (const { row, isWhole } of page) if (!isWhole) found.add(row);
    const last = page.at(-1);
    if (!last || found.size >= listed) return found;
    after = last.row;
  }
}

/** SQLite's words for a row that its index does not hold as it is now (pragma.c). */
function isAbout(line: string, rows: ReadonlySet<number>): boolean {
  const row = /^row (-?\d+) missing from index /.exec(line)?.[1];
  return row !== undefined && rows.has(Number(row));
}

/** Whether as many rows are found through the index of kinds and ids as there are, and each row that is whole under its own. */
function isFoundById(engine: SqlEngine): boolean {
  const indexed = number(engine, "SELECT count(*) FROM records WHERE kind >= ''");
  const rows = number(engine, 'SELECT count(*) FROM records NOT INDEXED');
  if (indexed !== rows) return false;
  for (let after = Number.MIN_SAFE_INTEGER; ;) {
    const page = readCheckedRecords(engine, after, pageRows);
    for (const { row, kind, id, isWhole } of page) {
      if (!isWhole) continue;
      const found = engine.get('SELECT rowid FROM records WHERE kind = ? AND id = ?', [kind, id])?.[0];
      if (found !== row) return false;
    }
    const last = page.at(-1);
    if (!last) return true;
    after = last.row;
  }
}

function damaged(what: string): DataError {
  return new DataError('data.corrupt', `the structure of the store is damaged (${what})`);
}
