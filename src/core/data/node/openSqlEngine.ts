import type { StoreEngineChoice } from '../storeEngine';
import type { FileSystem } from './fileSystem';
import { hasNodeSqlite, openNodeSqliteEngine } from './nodeSqliteEngine';
import type { SqlEngine } from './sqlEngine';
import { openSqlJsEngine } from './sqlJsEngine';

export type SqlEngineId = 'sql.js' | 'node:sqlite';

/** The engines that a choice stands for, the first one first (docs/adr/0012 says why in this order). */
export function sqlEnginesOf(choice: StoreEngineChoice): readonly [SqlEngineId, ...SqlEngineId[]] {
  if (choice !== 'auto') return [choice];
  return hasNodeSqlite() ? ['sql.js', 'node:sqlite'] : ['sql.js'];
}

export interface SqlEngineOptions {
  readonly wasmFile: string;
  /** File calls of sql.js; node:sqlite makes its own, inside SQLite. */
  readonly files?: FileSystem;
}

/**
 * @throws {DataError} data.engineUnavailable
 * @throws {SqlEngineError} when the file cannot be opened or is no database
 */
export async function openSqlEngine(
  id: SqlEngineId,
  path: string,
  { wasmFile, files }: SqlEngineOptions,
): Promise<SqlEngine> {
  return id === 'sql.js' ? openSqlJsEngine(path, wasmFile, files) : openNodeSqliteEngine(path);
}
