// Builds what ships (dist/) and the suite for the extension host (out/test/extension/).
//   node esbuild.js [--production] [--watch] [--only NAME[,NAME]] [--tests] [--analyze]
// esbuild never type-checks: `npm run typecheck` does.
'use strict';
const esbuild = require('esbuild');
const fs = require('node:fs');
const path = require('node:path');

const production = process.argv.includes('--production');
const watch = process.argv.includes('--watch');
const root = __dirname;
const dist = path.join(root, 'dist');

/**
 * The extension is loaded at every start of VS Code and `orc` at every hook of every agent, so they are kept small; everything
 * heavy is in a bundle or module of its own. Of the extension what counts is loaded before it is active: `extension.js` with
 * the parts that it asks for at once.
 */
const MAX_BYTES = { extension: 350 * 1024, orc: 70 * 1024 };

const version = JSON.stringify(require('./package.json').version);

// Packages that bring both (jsonc-parser) can be bundled in their module form only: the other one loads its parts at run time.
const node = { platform: 'node', format: 'cjs', target: 'node20', mainFields: ['module', 'main'] };
/** Said once at the top, instead of once in each module. */
const strictOnce = {
  banner: { js: '"use strict";' },
  tsconfigRaw: { compilerOptions: { alwaysStrict: false, target: 'ES2022' } },
};
/** name → what is bundled. `extension` runs in the extension host, the others in processes, threads and frames of their own. */
const bundles = {
  extension: { ...node, entry: 'src/vscode/extension.ts', external: ['vscode', 'node-pty'] },
  storeWorker: { ...node, entry: 'src/core/data/node/storeWorker.ts', external: [] },
  demoAgent: { ...node, entry: 'src/demo/demoAgent.ts', external: [] },
  orc: { ...node, ...strictOnce, entry: 'src/cli/orc.ts', external: [], define: { ORC_VERSION: version } },
  host: { ...node, entry: 'src/host/host.ts', external: [], define: { HOST_VERSION: version } },
  // Loaded by opencode itself, which takes modules only.
  opencodePlugin: { ...node, format: 'esm', entry: 'src/plugins/opencode.ts', external: [] },
};

function optionsOf(name) {
  const { entry, ...rest } = bundles[name];
  return {
    ...rest,
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: path.join('dist', `${name}.js`),
    bundle: true,
    minify: production,
    sourcemap: production ? false : 'linked',
    sourcesContent: false,
    legalComments: production ? 'external' : 'none',
    metafile: true,
    logLevel: 'warning',
  };
}

/** Both run the core: in the package they share it, in parts. */
const IN_PARTS = ['extension', 'host'];

/**
 * What ships of these bundles: a file for each, and in `parts/` what several modules share or `import()` asks for later. esbuild
 * splits modules only, and VS Code's loader wants CommonJS, so each part is rewritten one by one; one copy of each module
 * stays one copy, which `instanceof` relies on.
 */
async function buildInParts(names) {
  const { platform, target } = node;
  const all = names.map((name) => bundles[name]);
  const common = {
    ...optionsOf(names[0]),
    outfile: undefined,
    external: [...new Set(all.flatMap(({ external }) => external))],
    define: Object.assign({}, ...all.map(({ define }) => define ?? {})),
  };
  const folder = path.join('out', 'parts');
  fs.rmSync(path.join(root, folder), { recursive: true, force: true });
  const result = await esbuild.build({
    ...common,
    entryPoints: Object.fromEntries(names.map((name) => [name, bundles[name].entry])),
    format: 'esm',
    splitting: true,
    outdir: folder,
    chunkNames: 'parts/[name]-[hash]',
  });
  const files = Object.keys(result.metafile.outputs).filter((file) => file.endsWith('.js'));
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: files,
    outbase: folder,
    outdir: 'dist',
    format: 'cjs',
    platform,
    target,
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
  });
  for (const file of Object.keys(result.metafile.outputs).filter((each) => each.endsWith('.LEGAL.txt')))
    fs.copyFileSync(path.join(root, file), path.join(dist, path.basename(file)));
  return result;
}

/** Bytes in dist/ that are loaded together with `name`: without what `import()` asks for later. */
function bytesAtOnce(name, { metafile: { outputs } }) {
  const known = new Set();
  const visit = (file) => {
    if (known.has(file)) return;
    known.add(file);
    for (const { path: next, kind, external } of outputs[file].imports)
      if (kind === 'import-statement' && !external) visit(next);
  };
  visit(Object.keys(outputs).find((file) => path.basename(file) === `${name}.js`));
  const inDist = (file) => path.join(dist, path.relative(path.join('out', 'parts'), file));
  return [...known].reduce((sum, file) => sum + fs.statSync(inDist(file)).size, 0);
}

/** The suite that runs inside the extension host; mocha and our packages stay in node_modules. */
function testOptions() {
  const folder = path.join(root, 'test', 'extension');
  const entries = fs
    .readdirSync(folder, { recursive: true })
    .map(String)
    .filter((file) => file === 'index.ts' || file.endsWith('.test.ts'))
    .map((file) => path.join('test', 'extension', file));
  return {
    ...node,
    absWorkingDir: root,
    entryPoints: entries,
    outbase: path.join('test', 'extension'),
    outdir: path.join('out', 'test', 'extension'),
    external: ['vscode', 'node-pty', 'mocha', 'sql.js'],
    bundle: true,
    sourcemap: 'linked',
    logLevel: 'warning',
  };
}

function namesToBuild() {
  const at = process.argv.indexOf('--only');
  const isThere = (name) => fs.existsSync(path.join(root, bundles[name].entry));
  const names =
    at < 0
      ? Object.keys(bundles).filter((name) => name !== 'opencodePlugin' || isThere(name))
      : String(process.argv[at + 1] ?? '').split(',');
  for (const name of names) {
    if (!bundles[name]) fail(`no bundle is called "${name}"; there are: ${Object.keys(bundles).join(', ')}`);
    if (!fs.existsSync(path.join(root, bundles[name].entry)))
      fail(`${name}: ${bundles[name].entry} does not exist (build single bundles with --only)`);
  }
  return { names, isWhole: at < 0 };
}

/** sql.js opens its wasm file at run time; the file in the package is not readable by everyone. */
function copyWasm() {
  const to = path.join(dist, 'sql-wasm.wasm');
  fs.copyFileSync(require.resolve('sql.js/dist/sql-wasm.wasm'), to);
  fs.chmodSync(to, 0o644);
}

/**
 * node-pty loads a native addon beside itself, so it stays a real module: its library and the prebuilt addons for
 * Linux and macOS (0.3 MB for all four). `require('node-pty')` from dist/extension.js finds it in dist/node_modules.
 */
function copyNodePty() {
  const from = path.dirname(require.resolve('node-pty/package.json'));
  const to = path.join(dist, 'node_modules', 'node-pty');
  fs.rmSync(to, { recursive: true, force: true });
  fs.mkdirSync(to, { recursive: true });
  for (const file of ['package.json', 'LICENSE']) fs.copyFileSync(path.join(from, file), path.join(to, file));
  const isShipped = (file) => !/\.(test\.js|map|pdb)$/.test(file) && !/[/\\](windows|conpty)[^/\\]*\.js$/i.test(file);
  fs.cpSync(path.join(from, 'lib'), path.join(to, 'lib'), { recursive: true, filter: isShipped });
  for (const target of ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64']) {
    const prebuilt = path.join(from, 'prebuilds', target);
    if (!fs.existsSync(prebuilt)) fail(`node-pty brings no prebuilt addon for ${target}`);
    fs.cpSync(prebuilt, path.join(to, 'prebuilds', target), { recursive: true, filter: isShipped });
  }
}

/** One file with the licence of every package that a bundle contains, and the legal comments of its sources. */
function writeNotices(results) {
  const packages = new Set();
  for (const { metafile } of results) {
    for (const input of Object.keys(metafile.inputs)) {
      const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];
      if (name) packages.add(name);
    }
  }
  const parts = [...packages, 'node-pty'].sort().map((name) => {
    const folder = path.join(root, 'node_modules', name);
    const { version, license } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
    const file = fs.readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    return `${name} ${version} (${license})\n\n${file ? fs.readFileSync(path.join(folder, file), 'utf8').trim() : `Licence: ${license}`}`;
  });
  for (const file of fs.readdirSync(dist).filter((entry) => entry.endsWith('.LEGAL.txt'))) {
    const text = fs.readFileSync(path.join(dist, file), 'utf8').trim();
    if (text) parts.push(`Legal comments of ${file.replace('.LEGAL.txt', '')}\n\n${text}`);
    fs.rmSync(path.join(dist, file));
  }
  fs.writeFileSync(path.join(dist, 'THIRD_PARTY_NOTICES.txt'), parts.join(`\n\n${'-'.repeat(80)}\n\n`) + '\n');
}

/** Nothing stale may be packaged. A package made before stays: it is not part of the next one. */
function emptyDist() {
  if (!fs.existsSync(dist)) return;
  for (const entry of fs.readdirSync(dist).filter((name) => !name.endsWith('.vsix'))) {
    fs.rmSync(path.join(dist, entry), { recursive: true, force: true });
  }
}

function fail(sentence) {
  process.stderr.write(`esbuild.js: ${sentence}\n`);
  process.exit(1);
}

async function main() {
  if (process.argv.includes('--tests')) {
    fs.rmSync(path.join(root, 'out', 'test', 'extension'), { recursive: true, force: true });
    await esbuild.build(testOptions());
    return;
  }
  const { names, isWhole } = namesToBuild();
  if (isWhole && !watch) emptyDist();
  fs.mkdirSync(dist, { recursive: true });
  if (names.includes('storeWorker')) copyWasm();
  if (names.includes('extension')) copyNodePty();
  if (watch) {
    for (const name of names) await (await esbuild.context({ ...optionsOf(name), logLevel: 'info' })).watch();
    return;
  }
  const inParts = production ? names.filter((name) => IN_PARTS.includes(name)) : [];
  const whole = names.filter((name) => !inParts.includes(name));
  const [parts, ...others] = await Promise.all([
    inParts.length > 0 ? buildInParts(inParts) : undefined,
    ...whole.map((name) => esbuild.build(optionsOf(name))),
  ]);
  const results = parts ? [parts, ...others] : others;
  if (production) writeNotices(results);
  if (process.argv.includes('--analyze'))
    for (const { metafile } of results) process.stdout.write(await esbuild.analyzeMetafile(metafile));
  for (const [name, maxBytes] of Object.entries(MAX_BYTES).filter(([each]) => production && names.includes(each))) {
    const file = path.join(dist, `${name}.js`);
    const bytes = inParts.includes(name) ? bytesAtOnce(name, parts) : fs.statSync(file).size;
    if (bytes > maxBytes)
      fail(`dist/${name}.js, with what it loads at once, has ${bytes} bytes, more than ${maxBytes}`);
  }
}

main().catch((error) => fail(error.message));
