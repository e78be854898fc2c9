import { DataError } from '../dataErrors';
import type { SqlEngine } from './sqlEngine';

/** "Core" in the header of every store: a file with another mark is not ours. */
export const applicationId = 0x436f7265;

/** One step forward. All that are due are applied in one transaction, together with the new version number. */
export interface Migration {
  /** The schema version it leads to; 1, 2, 3 … without gaps. */
  readonly version: number;
  readonly statements: readonly string[];
}

/**
 * The index of texts (searchIndex.ts), which can be made anew from the records at any time.
 * - `search` the words of each record that has texts, by the record's row number; newest first is its own order
 * - `searchQueue` rows whose record was written or removed since they were put into `search`
 */
export const searchStatements: readonly string[] = [
  `CREATE VIRTUAL TABLE search USING fts4(words, tokenize=simple, order=desc, matchinfo=fts3)`,
  `CREATE TABLE searchQueue(row INTEGER PRIMARY KEY)`,
];

/** What cannot be made anew. */
export const keptTables = ['records', 'changes', 'meta'] as const;

/** SQLite's words about the index of texts, in the answer of its checks (ext/fts3/fts3.c). */
export function isOfSearch(line: string): boolean {
  return /inverted index for FTS4 table/.test(line);
}

/**
 * - `records` one row per record; `value` is canonical JSON, `checksum` a CRC-32C over the whole row. Declared indexes
 *   are partial indexes of their collection on json_extract(value, '$.property').
 * - `changes` one row per write, numbered without gaps
 * - `meta` numbers of the store itself
 * - from version 2 the index of texts, and `searchKinds`: which collections declared which texts, and up to which row their older
 *   records are not in the index yet. Nothing is read when a store is brought forward: the index is made afterwards, in slices.
 */
export const storeMigrations: readonly Migration[] = [
  {
    version: 1,
    statements: [
      `PRAGMA application_id=${applicationId}`,
      `CREATE TABLE records(kind TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, created INTEGER NOT NULL,
        updated INTEGER NOT NULL, epoch INTEGER NOT NULL, checksum INTEGER NOT NULL, value TEXT NOT NULL, UNIQUE(kind, id))`,
      `CREATE TABLE changes(seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, op TEXT NOT NULL,
        version INTEGER NOT NULL, at INTEGER NOT NULL, checksum INTEGER NOT NULL)`,
      `CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID`,
      `INSERT INTO meta(name, value) VALUES('epoch', 0), ('probe', 0)`,
    ],
  },
  {
    version: 2,
    statements: [
      ...searchStatements,
      `CREATE TABLE searchKinds(kind TEXT PRIMARY KEY, text TEXT NOT NULL, below INTEGER NOT NULL) WITHOUT ROWID`,
    ],
  },
];

/** Version of the schema that this product writes. */
export const newestSchema = storeMigrations.at(-1)?.version ?? 0;

export interface SchemaOutcome {
  readonly isNew: boolean;
  readonly fromVersion: number;
  readonly version: number;
}

/**
 * Brings a database to the newest schema, whole or not at all: also a new file is empty or has all of it.
 * @throws {DataError} data.corrupt when it is somebody else's database; data.newerSchema when a newer product wrote it
 */
export function migrate(engine: SqlEngine, migrations: readonly Migration[] = storeMigrations): SchemaOutcome {
  const mark = number(engine, 'PRAGMA application_id');
  const fromVersion = number(engine, 'PRAGMA user_version');
  const isNew = mark === 0 && fromVersion === 0 && number(engine, 'SELECT count(*) FROM sqlite_schema') === 0;
  if (!isNew && mark !== applicationId) throw new DataError('data.corrupt', 'the file is not a store of this product');
  const newest = migrations.at(-1)?.version ?? 0;
  if (fromVersion > newest) {
    throw new DataError('data.newerSchema', `the store has schema ${fromVersion}, this product knows ${newest}`);
  }
  const due = migrations.filter(({ version }) => version > fromVersion);
  if (due.length > 0) {
    engine.begin(true);
    try {
      for (const statement of due.flatMap(({ statements }) => statements)) engine.exec(statement);
      engine.exec(`PRAGMA user_version=${newest}`);
      engine.commit();
    } catch (error) {
      engine.rollback();
      throw error;
    }
  }
  return { isNew, fromVersion, version: newest };
}

/** The single number that `sql` yields; 0 when it yields nothing. */
export function number(engine: SqlEngine, sql: string): number {
  return Number(engine.get(sql)?.[0] ?? 0);
}
