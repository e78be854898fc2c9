import fs from 'node:fs';
import path from 'node:path';
import { build, type BuildOptions } from 'esbuild';
import { buildStoreWorker, wasmFile } from './storeWorker';

const root = path.resolve(__dirname, '..', '..');
const version = JSON.stringify('0.0.0-test');
const options = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  mainFields: ['module', 'main'],
  define: { ORC_VERSION: version, HOST_VERSION: version },
  logLevel: 'error',
} satisfies BuildOptions;
let built: Promise<string> | undefined;

/**
 * A folder with everything an engine in a process of its own needs, from the present sources; made once per process, or once per run
 * of the runner, which names a place in CORE_BUNDLES.
 */
export function buildBundles(): Promise<string> {
  built ??= shared();
  return built;
}

async function shared(): Promise<string> {
  const place = process.env.CORE_BUNDLES;
  if (place && fs.existsSync(place)) return place;
  const folder = await bundle();
  if (!place) {
    process.once('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
    return folder;
  }
  try {
    fs.renameSync(folder, place);
  } catch {
    fs.rmSync(folder, { recursive: true }); // another process was quicker
  }
  return place;
}

async function bundle(): Promise<string> {
  const parent = path.join(root, 'out', 'test');
  fs.mkdirSync(parent, { recursive: true });
  const folder = fs.mkdtempSync(path.join(parent, 'bundles-'));
  fs.copyFileSync(await buildStoreWorker(), path.join(folder, 'storeWorker.js'));
  fs.copyFileSync(wasmFile, path.join(folder, 'sql-wasm.wasm'));
  await build({
    ...options,
    entryPoints: {
      demoAgent: 'src/demo/demoAgent.ts',
      engineProcess: 'test/support/engineProcess.ts',
      orc: 'src/cli/orc.ts',
      host: 'src/host/host.ts',
    },
    outdir: folder,
  });
  const plugin = { opencodePlugin: 'src/plugins/opencode.ts' };
  await build({ ...options, format: 'esm', entryPoints: plugin, outdir: folder });
  return folder;
}

let builtOrc: Promise<string> | undefined;

/** A folder with nothing but `orc.js`, as it ships; made once per process. */
export function buildOrc(): Promise<string> {
  builtOrc ??= bundleOrc();
  return builtOrc;
}

async function bundleOrc(): Promise<string> {
  fs.mkdirSync(path.join(root, 'out', 'test'), { recursive: true });
  const folder = fs.mkdtempSync(path.join(root, 'out', 'test', 'orc-'));
  process.once('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  await build({ ...options, entryPoints: { orc: 'src/cli/orc.ts' }, minify: true, outdir: folder });
  return folder;
}
