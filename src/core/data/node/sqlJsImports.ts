import { createHash } from 'node:crypto';
import { DataError } from '../dataErrors';

/** A file call of the WebAssembly build: numbers in, a number out; 64-bit arguments arrive as bigint. */
export type WasmCall = (...args: never[]) => number;

export type FileCallName =
  | 'fcntl'
  | 'close'
  | 'fstat'
  | 'fchown'
  | 'fchmod'
  | 'fdstat'
  | 'unlinkat'
  | 'write'
  | 'read'
  | 'openat'
  | 'faccessat'
  | 'seek'
  | 'ftruncate'
  | 'sync'
  | 'newfstatat'
  | 'lstat'
  | 'stat';

/** The version whose release build is described below. Another one needs another table (docs/adr/0005). */
export const pinnedSqlJsVersion = '1.16.0';

/** SHA-256 of `sql.js/dist/sql-wasm.wasm` of that version. */
const wasmSha256 = '43bbcdd44287e5a2db3b6b5af34b1a3485a7a441285d247976c1ebe3c61f8dbf';

/** Functions that the build imports, all in all. */
const importCount = 40;

/**
 * Release builds shorten the names of their imports. This is which letter stands for which call of Emscripten's
 * system interface, read from the source of each function in `sql-wasm.js`, with its number of parameters.
 */
const pinnedImports: Readonly<Record<string, readonly [name: FileCallName, arity: number]>> = {
  b: ['fcntl', 3], // __syscall_fcntl64
  e: ['close', 1], // fd_close
  g: ['fstat', 2], // __syscall_fstat64
  h: ['fchown', 1], // __syscall_fchown32
  j: ['fchmod', 2], // __syscall_fchmod
  m: ['fdstat', 2], // fd_fdstat_get
  o: ['unlinkat', 3], // __syscall_unlinkat
  q: ['write', 4], // fd_write
  t: ['read', 4], // fd_read
  x: ['openat', 4], // __syscall_openat
  D: ['faccessat', 3], // __syscall_faccessat
  E: ['seek', 4], // fd_seek
  J: ['ftruncate', 2], // __syscall_ftruncate64
  K: ['sync', 1], // fd_sync
  L: ['newfstatat', 4], // __syscall_newfstatat
  M: ['lstat', 2], // __syscall_lstat64
  N: ['stat', 2], // __syscall_stat64
};

/** @throws {DataError} data.engineUnavailable when it is not the build this table was made for */
export function checkWasm(bytes: Uint8Array): void {
  if (createHash('sha256').update(bytes).digest('hex') === wasmSha256) return;
  throw new DataError('data.engineUnavailable', `the database engine is not sql.js ${pinnedSqlJsVersion}`);
}

/**
 * The import table with the file calls replaced.
 * @throws {DataError} data.engineUnavailable when names, count or arities are not those of the pinned build
 */
export function redirectImports(
  original: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  wanted: readonly { readonly module: string; readonly name: string }[],
  replace: (name: FileCallName, original: WasmCall) => WasmCall,
): Record<string, Record<string, unknown>> {
  if (wanted.length !== importCount) throw changed(`${wanted.length} imports`);
  const table: Record<string, Record<string, unknown>> = {};
  const missing = new Set(Object.keys(pinnedImports));
  for (const { module, name } of wanted) {
    const call = original[module]?.[name];
    if (typeof call !== 'function') throw changed(`import ${name}`);
    const pinned = pinnedImports[name];
    if (pinned && call.length !== pinned[1]) throw changed(`${pinned[0]} has ${call.length} parameters`);
    // A function, checked above; its parameters are those of the pinned call.
    (table[module] ??= {})[name] = pinned ? replace(pinned[0], call as WasmCall) : call;
    missing.delete(name);
  }
  if (missing.size > 0) throw changed(`no import ${[...missing].join(', ')}`);
  return table;
}

function changed(what: string): DataError {
  return new DataError('data.engineUnavailable', `sql.js is not the build this product was made for (${what})`);
}
