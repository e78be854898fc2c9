import fs from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { buildStoreWorker, wasmFile } from './storeWorker';

const root = path.resolve(__dirname, '..', '..');
let built: Promise<string> | undefined;

/** A folder with everything an engine in a process of its own needs, from the present sources; made once per process. */
export function buildBundles(): Promise<string> {
  built ??= bundle();
  return built;
}

async function bundle(): Promise<string> {
  const folder = fs.mkdtempSync(path.join(root, 'out', 'test', 'bundles-'));
  process.once('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  fs.copyFileSync(await buildStoreWorker(), path.join(folder, 'storeWorker.js'));
  fs.copyFileSync(wasmFile, path.join(folder, 'sql-wasm.wasm'));
  await build({
    entryPoints: { demoAgent: 'src/demo/demoAgent.ts', engineProcess: 'test/support/engineProcess.ts' },
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    mainFields: ['module', 'main'],
    outdir: folder,
    logLevel: 'error',
  });
  return folder;
}
