import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { type OpenDataStoreOptions, openDataStore } from '../../src/core/data/node/openDataStore';

const root = path.resolve(__dirname, '..', '..');

/** The unmodified engine of the pinned sql.js. */
export const wasmFile = path.join(path.dirname(require.resolve('sql.js')), 'sql-wasm.wasm');

let built: Promise<string> | undefined;

let builtChild: Promise<string> | undefined;
let builtFaulty: Promise<string> | undefined;

/** Bundles the store's thread from the present sources, once per process, into out/. */
export function buildStoreWorker(): Promise<string> {
  built ??= bundle('src/core/data/node/storeWorker.ts');
  return built;
}

/** The same thread, with what `storeWorkerWithFaults.ts` adds. */
export function buildFaultyStoreWorker(): Promise<string> {
  builtFaulty ??= bundle('test/support/storeWorkerWithFaults.ts');
  return builtFaulty;
}

/** The same for `storeWorkerChild.ts`: bundled it starts in a tenth of the time, so that a kill hits the store, not the start of Node. */
export function buildStoreChild(): Promise<string> {
  builtChild ??= bundle('test/support/storeWorkerChild.ts');
  return builtChild;
}

let builtRetention: Promise<string> | undefined;

/** The same for `retentionChild.ts`. */
export function buildRetentionChild(): Promise<string> {
  builtRetention ??= bundle('test/support/retentionChild.ts');
  return builtRetention;
}

async function bundle(source: string): Promise<string> {
  const file = path.join(root, 'out', 'test', `${path.basename(source, '.ts')}.js`);
  const { outputFiles } = await build({
    entryPoints: [path.join(root, source)],
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    write: false,
    outfile: file,
    logLevel: 'error',
  });
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}`; // several test processes may build at the same time
  fs.writeFileSync(temporary, outputFiles[0]?.contents ?? '');
  fs.renameSync(temporary, file);
  return file;
}

/** A private folder of its own; `remove` at the end. */
export function temporaryFolder(): { readonly folder: string; remove(): void } {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'core-store-'));
  return { folder, remove: () => fs.rmSync(folder, { recursive: true, force: true }) };
}

/** The real store, in its real thread. Of a test that fails it is closed, so that its thread keeps nothing running. */
export async function openFileStore(
  folder: string,
  options: Partial<OpenDataStoreOptions> = {},
): ReturnType<typeof openDataStore> {
  const opened = await openDataStore({ folder, workerFile: await buildStoreWorker(), wasmFile, ...options });
  openedInTest.push(opened.store);
  return opened;
}

const openedInTest: { close(): Promise<void> }[] = [];

// Also benches open stores, without mocha.
if (typeof afterEach === 'function')
  afterEach('the stores of a failed test are closed', async function () {
    const stores = openedInTest.splice(0);
    if (this.currentTest?.isFailed()) await Promise.allSettled(stores.map((store) => store.close()));
  });
