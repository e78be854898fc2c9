// What must be so of the packaged extension.
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { relativeTargets } from './pageReadme.mjs';
import { root } from './project.mjs';

const MAX_VSIX_BYTES = 1_000_000;
const goldenFile = join(root, 'test', 'package', 'files.golden.txt');

/** Entries of a zip file: name, Unix mode, and the bytes on demand. */
export function zipEntries(file) {
  const zip = readFileSync(file);
  let at = zip.readUInt32LE(zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1')) + 16);
  const entries = [];
  while (zip.readUInt32LE(at) === 0x02014b50) {
    const nameLength = zip.readUInt16LE(at + 28);
    const method = zip.readUInt16LE(at + 10);
    const size = zip.readUInt32LE(at + 20);
    const header = zip.readUInt32LE(at + 42);
    entries.push({
      name: zip.toString('utf8', at + 46, at + 46 + nameLength),
      mode: (zip.readUInt32LE(at + 38) >>> 16) & 0o777,
      read: () => {
        const start = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28);
        const bytes = zip.subarray(start, start + size);
        return method === 8 ? inflateRawSync(bytes) : bytes;
      },
    });
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  return entries;
}

/** What is in it, sorted. Parts that the bundler names by their content have that left out, with their number where there are several: `chunk-*.js (3)`. */
export function listOf(names) {
  const counts = new Map();
  for (const name of names) {
    const plain = name.replace(/(\/dist\/parts\/\w+)-[A-Z0-9]{8}\.js$/, '$1-*.js');
    counts.set(plain, (counts.get(plain) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => (count === 1 ? name : `${name} (${count})`)).sort();
}

const namesIn = (entries) => entries.map(({ name }) => name);

/** Accepts the present list of files as the right one. */
export function writeGolden(vsix) {
  writeFileSync(goldenFile, listOf(namesIn(zipEntries(vsix))).join('\n') + '\n');
}

/** Links and pictures of its Markdown files whose target is not in the package. */
export function linksAstray(entries) {
  const names = new Set(namesIn(entries));
  return entries
    .filter(({ name }) => /^extension\/[^/]+\.md$/i.test(name))
    .flatMap((entry) =>
      relativeTargets(entry.read().toString('utf8'))
        .filter((target) => !names.has(posix.join('extension', decodeURI(target.replace(/[#?].*$/, '')))))
        .map((target) => `${entry.name}: ${target}`),
    );
}

/** Checks of a .vsix: `{title, problem?}` each. */
export async function checkPackage(vsix) {
  const entries = zipEntries(vsix);
  const bytes = statSync(vsix).size;
  const golden = existsSync(goldenFile) ? readFileSync(goldenFile, 'utf8').trim().split('\n') : [];
  const names = listOf(namesIn(entries));
  const added = names.filter((name) => !golden.includes(name));
  const gone = golden.filter((name) => !names.includes(name));
  const changes = [...added.map((name) => `+${name}`), ...gone.map((name) => `-${name}`)].join(' ');
  const manifest = JSON.parse(
    entries
      .find((entry) => entry.name === 'extension/package.json')
      .read()
      .toString('utf8'),
  );
  const astray = linksAstray(entries);
  const helpers = entries.filter((entry) => entry.name.endsWith('/spawn-helper'));
  const check = (title, isRight, problem) => ({ title, ...(isRight ? {} : { problem }) });
  return [
    check(
      `the .vsix is smaller than ${MAX_VSIX_BYTES / 1e6} MB (${(bytes / 1e6).toFixed(2)} MB)`,
      bytes < MAX_VSIX_BYTES,
      `${bytes} bytes`,
    ),
    check(
      'its files are those of test/package/files.golden.txt',
      changes === '',
      `${changes} (accept with: npm run package -- --accept)`,
    ),
    check(
      'it runs where the workspace is',
      manifest.extensionKind?.join() === 'workspace',
      `extensionKind is ${manifest.extensionKind}`,
    ),
    check('it uses no proposed API', manifest.enabledApiProposals === undefined, 'enabledApiProposals is set'),
    check(
      "node-pty's helper for macOS is executable",
      helpers.length === 2 && helpers.every((entry) => entry.mode === 0o755),
      'spawn-helper is not 0755',
    ),
    check('its pages lead to nothing that it does not hold', astray.length === 0, astray.join(' ')),
    check(
      'no source map, test or source is in it',
      !names.some((name) => /\.map$|\.ts$|\/(src|test)\//.test(name) && !name.endsWith('.d.ts')),
      'see the list',
    ),
  ];
}
