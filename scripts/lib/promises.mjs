// The dated table of promises, docs/promises.md, and which titles belong to a promise.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { outputOf, root } from './project.mjs';

const file = join(root, 'docs', 'promises.md');
const words = JSON.parse(readFileSync(join(root, 'scripts', 'promises.json'), 'utf8'));
const HEAD = `# Promises

What the product promises, each proved by tests whose titles begin with its id. \`npm run verify -- ID…\` runs them and writes this
table; \`--nightly\` runs more trials. The trials are those of the test with the fewest and of the one with the most, of those that count
theirs; in brackets, of each file, with how many of its tests count them and how many are done once. \`n\` trials without a failure bound the failure rate by \`3/n\` (95 %).
The commit is the one that was tested; with \`+\`, when files differed from it.

`;
/** Each with its width, which nothing in a row changes: a row that is replaced leaves the lines of the others as they are. */
const COLUMNS = {
  id: 3,
  promise: Math.max(...Object.values(words).map((text) => text.length)),
  'last run': 10,
  commit: 8,
  size: 7,
  trials: 12,
  result: 10,
  tests: 5,
};
/** Where rows of earlier tables lack the commit. */
const COMMIT = Object.keys(COLUMNS).indexOf('commit');

/** Does this title begin with the id, or with several of which it is one? */
export function isOf(id, title) {
  const ids = /^(?:[A-Z]\d+(?:[ ,:]+|$))+/.exec(title)?.[0] ?? '';
  return ids.match(/[A-Z]\d+/g)?.includes(id) ?? false;
}

export function compareIds(a, b) {
  return a[0] === b[0] ? Number(a.slice(1)) - Number(b.slice(1)) : a < b ? -1 : 1;
}

/** The fewest and the most trials of several tests, `20–3000`; `–` when none of them counts. */
export function trialsText(counts) {
  if (counts.length === 0) return '–';
  const [fewest, most] = [Math.min(...counts), Math.max(...counts)];
  return fewest === most ? String(most) : `${fewest}–${most}`;
}

/**
 * Records of one promise's tests by file, in order of name, each with the counts that its tests asked for, and how many of
 * its tests count nothing: they are done once.
 */
export function byFile(records) {
  const files = new Map();
  for (const { file, trials } of records) {
    const { counts, once } = files.get(file) ?? { counts: [], once: 0 };
    files.set(file, trials > 0 ? { counts: [...counts, trials], once } : { counts, once: once + 1 });
  }
  return [...files].map(([name, of]) => ({ name, ...of })).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A file with its trials, fewest to most: `a.test.ts` (20–3000 in 4 tests, 2 once). */
export function fileText({ name, counts, once }) {
  const tests = (count) => `${count} ${count === 1 ? 'test' : 'tests'}`;
  const counted = counts.length > 0 ? [`${trialsText(counts)} in ${tests(counts.length)}`] : [];
  const single = once > 0 ? [`${counts.length > 0 ? once : tests(once)} once`] : [];
  return `\`${name}\` (${[...counted, ...single].join(', ')})`;
}

/** The commit that is tested, short, with `+` when files differ from it; `–` outside of a repository. */
export function testedCommit() {
  const commit = outputOf('git', ['-C', root, 'rev-parse', '--short', 'HEAD']);
  if (!commit) return '–';
  return outputOf('git', ['-C', root, 'status', '--porcelain', '--', '.', ':!docs/promises.md'])
    ? `${commit}+`
    : commit;
}

/** Replaces the rows of these promises, and keeps the others. Without results nothing is written. */
export function noteResults(results, commit) {
  if (results.length === 0) return;
  const today = new Date().toISOString().slice(0, 10);
  writeFileSync(file, tableWith(existsSync(file) ? readFileSync(file, 'utf8') : '', results, { today, commit }));
}

/** The table with the rows of these promises replaced. */
export function tableWith(table, results, { today, commit }) {
  const rows = rowsOf(table);
  for (const { id, size, trials, files, outcome } of results) {
    const tests = files.map(fileText).join(', ');
    rows.set(id, [id, words[id] ?? '', today, commit, size, trials, outcome, tests]);
  }
  const sorted = [...rows.values()].sort((a, b) => compareIds(a[0], b[0]));
  const widths = Object.values(COLUMNS);
  const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |\n`;
  const rule = widths.map((width) => '-'.repeat(width));
  return HEAD + [Object.keys(COLUMNS), rule, ...sorted].map(line).join('');
}

function rowsOf(table) {
  const lines = table.split('\n').filter((text) => /^\| [A-Z]\d+ /.test(text));
  const rows = lines.map((text) =>
    text
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  for (const row of rows) if (row.length < Object.keys(COLUMNS).length) row.splice(COMMIT, 0, '–');
  return new Map(rows.map((row) => [row[0], row]));
}
