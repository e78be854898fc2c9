import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';

const text = readFileSync('ARCHITECTURE.md', 'utf8');
/** Files and folders below a folder, without installed packages (which link to each other in circles). */
function below(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => name !== 'node_modules')
    .flatMap((entry) => {
      const file = path.posix.join(folder, entry.name);
      return entry.isDirectory() ? [file, ...below(file)] : [file];
    });
}
/** Files and folders in which a name of the text may lie. */
const entries = ['src', 'test', 'bench', 'docs', 'sample'].flatMap((folder) => [folder, ...below(folder)]);

/** Does the name, which may be the end of a path and have a `*`, stand for something that exists? */
function isThere(name: string): boolean {
  if (existsSync(name)) return true;
  const words = name.replace(/\/$/, '').replace(/[.+?^${}()|[\]\\]/g, '\\$&');
  const pattern = new RegExp(`(^|/)${words.replaceAll('*', '[^/]*')}$`);
  return entries.some((entry) => pattern.test(entry));
}

const inBackticks = (part: string): readonly string[] =>
  [...part.matchAll(/`([^`\n]+)`/g)].map(([, name = '']) => name);
/** What is written as a path: has a slash or the ending of a file, and nothing that no path has. */
const isPath = (name: string): boolean =>
  /^[\w.*@/-]+$/.test(name) && (name.includes('/') || /\.(ts|mjs|json|md)$/.test(name));

/** Names of files and folders, and where links lead, that do not exist. */
function missingPaths(markdown: string): readonly string[] {
  const links = [...markdown.matchAll(/\]\(([^)#:]+)\)/g)].map(([, target = '']) => target);
  return [...inBackticks(markdown).filter(isPath).filter((name) => !isThere(name)), ...links.filter((link) => !existsSync(link))]; // prettier-ignore
}

/** Every file of tests below these names. */
const filesOf = (names: readonly string[]): readonly string[] =>
  names
    .filter((name) => existsSync(name))
    .flatMap((name) => (statSync(name).isFile() ? [name] : below(name)))
    .filter((file) => /\.(test\.ts|contract\.ts|walk\.mjs)$/.test(file));

/** Ids with which titles in these files begin. */
function idsIn(files: readonly string[]): ReadonlySet<string> {
  const titles = files.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/['"`]((?:[A-Z]\d{1,3}[ ,:]+)+)/g)]);
  return new Set(titles.flatMap(([, ids = '']) => ids.match(/[A-Z]\d+/g) ?? []));
}

/** The paragraphs that state an invariant. */
const invariantsIn = (markdown: string): readonly string[] =>
  markdown.split(/\n\s*\n/).filter((paragraph) => paragraph.startsWith('**Invariant'));

/** What is wrong with the proof that an invariant names. */
function objections(invariant: string): readonly string[] {
  const [, heading = '', proof = ''] = /^\*\*Invariant([\s\S]*?)\*\*([\s\S]*)$/.exec(invariant) ?? [];
  const named = inBackticks(proof).filter((name) => name.startsWith('test/'));
  const titles = (/\btitles? ((?:[A-Z]\d+(?:,| and)? ?)+)/.exec(proof)?.[1] ?? '').match(/[A-Z]\d+/g) ?? [];
  if (named.length === 0 && titles.length === 0) return ['names no test'];
  const files = filesOf(named.length > 0 ? named : ['test']);
  const ids = idsIn(titles.length > 0 && named.length === 0 ? filesOf(['test']) : files);
  const promised = /^ \(((?:[A-Z]\d+(?:, )?)+)\)/.exec(heading)?.[1]?.match(/[A-Z]\d+/g) ?? [];
  const quoted = [...proof.matchAll(/`(test\/[^`]+\.test\.ts)` \(([^)]+)\)/g)];
  return [
    ...named.filter((name) => filesOf([name]).length === 0).map((name) => `${name} has no test`),
    ...[...new Set([...titles, ...promised])]
      .filter((id) => !ids.has(id))
      .map((id) => `no title there begins with ${id}`),
    ...quoted
      .filter(([, file = '', title = '']) => existsSync(file) && !readFileSync(file, 'utf8').includes(title))
      .map(([, file, title]) => `${file} has no "${title}"`),
  ];
}

describe('ARCHITECTURE.md', () => {
  it('names only files and folders that exist', () => {
    assert.ok(inBackticks(text).filter(isPath).length > 60, 'paths were found');
    assert.deepEqual(missingPaths(text), []);
  });

  it('names for every invariant a test that exists, with the titles of its promises', () => {
    const invariants = invariantsIn(text);
    assert.ok(invariants.length > 20, 'invariants were found');
    const bad = invariants.flatMap((one) => objections(one).map((why) => `${one.slice(0, 60)}…: ${why}`));
    assert.deepEqual(bad, []);
    assert.equal(invariants.length, text.match(/\*\*Invariant/g)?.length, 'every invariant is a paragraph of its own');
  });

  it('names only figures that a bench reports', () => {
    const benches = below('bench').map((file) => readFileSync(file, 'utf8')).join('\n'); // prettier-ignore
    const figures = [...text.matchAll(/Figures?: ((?:`[\w.]+`(?:, )?)+)/g)].flatMap(([, names = '']) => inBackticks(names)); // prettier-ignore
    assert.ok(figures.length >= 4, 'figures were found');
    assert.deepEqual(
      figures.filter((name) => !benches.includes(name)),
      [],
    );
  });

  it('would be told of a path, a test and a title that are not there', () => {
    assert.deepEqual(missingPaths('`src/core/agents`, `compose.ts`, `types/*.json`, `-L x`, `Engine`'), []);
    assert.deepEqual(missingPaths('`src/core/magic`, `nowhere.ts`, [1](docs/adr/9999.md)'), ['src/core/magic', 'nowhere.ts', 'docs/adr/9999.md']); // prettier-ignore
    assert.deepEqual(objections('**Invariant: so it is.** By `src/core`.'), ['names no test']);
    assert.deepEqual(objections('**Invariant: so it is.** Test: `test/unit/nowhere.test.ts`.'), ['test/unit/nowhere.test.ts has no test']); // prettier-ignore
    assert.deepEqual(objections('**Invariant (R99): so it is.** Test: titles R99.'), ['no title there begins with R99']); // prettier-ignore
    assert.deepEqual(objections('**Invariant (S1): so it is.** Test: `test/unit/manifest.test.ts`.'), []);
    const [wrong] = objections('**Invariant: so.** Test: `test/extension/agents.test.ts` (draws what is not).');
    assert.match(wrong ?? '', /has no "draws what is not"/);
  });
});
