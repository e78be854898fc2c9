// Lets Node's `require` take TypeScript, for mocha (.mocharc.json) and what tests start: a file is compiled once, and kept in
// out/test/modules by its content. Types are not checked here: `npm run typecheck` does. Traces of errors name the lines of the
// sources. What this does beyond Node's own loading, in each of the many processes of a run, costs some milliseconds.
'use strict';
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');

const folder = path.join(__dirname, '..', '..', 'out', 'test', 'modules');
/** How long compiled files stay that are of no present source. */
const KEPT_MS = 3 * 24 * 60 * 60_000;
const OPTIONS = {
  loader: 'ts',
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  sourcemap: 'external',
  sourcesContent: false,
  tsconfigRaw: { compilerOptions: { target: 'ES2022' } },
};
/** What else decides how a file comes out: any change here or of esbuild compiles anew. */
const basis = createHash('sha1')
  .update(fs.readFileSync(__filename))
  .update(fs.readFileSync(require.resolve('esbuild/package.json')))
  .digest('hex');

/** Where the compiled form of a source is kept, without its ending. */
function placeOf(file, source) {
  return path.join(folder, createHash('sha1').update(basis).update(file).update('\0').update(source).digest('hex'));
}

const optionsFor = (file) => ({ ...OPTIONS, sourcefile: file });

/** Node's `import()` finds no TypeScript: what asks for a module of ours is answered by `require`. */
const withRequire = (code) =>
  code.replace(/\bimport\("(\.\.?\/[^"]*?)(?:\.js)?"\)/g, (whole, name) =>
    name.endsWith('.mjs') ? whole : `Promise.resolve().then(() => require("${name}"))`,
  );

/** Keeps a result; several processes may do so at the same time. */
function keep(place, { code, map }) {
  const text = withRequire(code);
  for (const [ending, content] of [
    ['.map', map],
    ['.js', text],
  ]) {
    const temporary = `${place}${ending}.${process.pid}`;
    fs.writeFileSync(temporary, content);
    fs.renameSync(temporary, place + ending);
  }
  return text;
}

function compiled(file, place, source) {
  try {
    return fs.readFileSync(`${place}.js`, 'utf8');
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  fs.mkdirSync(folder, { recursive: true });
  return keep(place, require('esbuild').transformSync(source, optionsFor(file)));
}

/** Source → where its compiled form is, and how lines of that lead to lines of the source: of those that this process has loaded. */
const places = new Map();
const maps = new Map();

/** Read for the first trace that needs it only. */
function mapOf(file) {
  const place = places.get(file);
  if (place && !maps.has(file)) maps.set(file, readMap(`${place}.map`));
  return maps.get(file);
}

function readMap(file) {
  try {
    return new Module.SourceMap(JSON.parse(fs.readFileSync(file, 'utf8')));
  } catch {
    return undefined; // a trace without the lines of the source is better than none
  }
}

/** One line of a trace, with the place in the source. */
function lineOf(frame) {
  const file = frame.getFileName();
  const text = String(frame);
  const [line, column] = [frame.getLineNumber(), frame.getColumnNumber()];
  const { originalLine, originalColumn } = mapOf(file)?.findEntry(line - 1, column - 1) ?? {};
  if (originalLine === undefined) return text;
  return text.replace(`${file}:${line}:${column}`, `${file}:${originalLine + 1}:${originalColumn + 1}`);
}

function headOf(error) {
  try {
    return Error.prototype.toString.call(error);
  } catch {
    return '<error>';
  }
}

function register() {
  Module._extensions['.ts'] = (module, file) => {
    const source = fs.readFileSync(file);
    const place = placeOf(file, source);
    places.set(file, place);
    module._compile(compiled(file, place, source.toString()), file);
  };
  Error.prepareStackTrace = (error, frames) => [headOf(error), ...frames.map(lineOf)].join('\n    at ');
}

/**
 * Compiles those of these files (absolute) that are not kept yet, before many processes would each do so, and removes what has
 * not been wanted for days. A file with a mistake is left to whoever requires it.
 */
async function prepare(files) {
  fs.mkdirSync(folder, { recursive: true });
  const wanted = new Set();
  const jobs = files.map(async (file) => {
    const source = fs.readFileSync(file);
    const place = placeOf(file, source);
    wanted.add(path.basename(place));
    if (!fs.existsSync(`${place}.js`))
      keep(place, await require('esbuild').transform(source.toString(), optionsFor(file)));
  });
  await Promise.allSettled(jobs);
  for (const name of fs.readdirSync(folder)) {
    const file = path.join(folder, name);
    const isOld = () => Date.now() - (fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0) > KEPT_MS;
    if (!wanted.has(name.split('.')[0]) && isOld()) fs.rmSync(file, { force: true });
  }
}

module.exports = { prepare, register };
