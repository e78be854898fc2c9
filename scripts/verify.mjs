// npm run verify [-- ID…] [--nightly]: runs every test whose title begins with one of these promises' ids (without ids: of every
// promise that has one) at its CI count, or at the larger nightly one, and notes the result in docs/promises.md.
import './lib/nodeVersion.mjs';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { installPackages } from './lib/install.mjs';
import { fail, root } from './lib/project.mjs';
import { byFile, compareIds, isOf, noteResults, testedCommit, trialsText } from './lib/promises.mjs';
import { notRunLines } from './lib/results.mjs';

const { values, positionals } = parseArgs({ options: { nightly: { type: 'boolean' } }, allowPositionals: true });
const wrong = positionals.filter((id) => !/^[A-Z]\d{1,3}$/.test(id));
if (wrong.length > 0) fail(`not an id of a promise: ${wrong.join(', ')}`);
await installPackages();
const { tiers } = await import('./lib/tiers.mjs');
const { filesOf } = await import('./lib/suites.mjs');

/** Ids at the beginning of any text literal, `R1 …`, `R1 S2 …`: of the file itself and of the contracts that it runs. */
function idsIn(file) {
  const text = readFileSync(join(root, file), 'utf8');
  const contracts = [...text.matchAll(/ from '(\.[^']*\.contract)'/g)].map(([, name]) =>
    join(dirname(file), `${name}.ts`),
  );
  const own = [...text.matchAll(/['"`]((?:[A-Z]\d{1,3}[ ,:]+)+)/g)].flatMap((match) => match[1].match(/[A-Z]\d+/g));
  return [...own, ...contracts.flatMap(idsIn)];
}

const found = tiers
  .filter((tier) => tier.folder)
  .map((tier) => ({ tier, files: filesOf(tier.folder, tier.ending).map((file) => ({ file, ids: idsIn(file) })) }));
const known = new Set(Object.keys(JSON.parse(readFileSync(join(root, 'scripts', 'promises.json'), 'utf8'))));
const existing = new Set(found.flatMap(({ files }) => files.flatMap(({ ids }) => ids)).filter((id) => known.has(id)));
const ids = (positionals.length > 0 ? [...new Set(positionals)] : [...existing]).sort(compareIds);
const missing = ids.filter((id) => !existing.has(id));
if (ids.length === 0) fail('no test names a promise');

const size = values.nightly ? 'nightly' : 'ci';
const grep = `(^| )(?:[A-Z]\\d+[ ,:]+)*(?:${ids.join('|')})(?=[ ,:]|$)`;
const commit = testedCommit();
const records = [];
const notRun = [];
/** Promises with a test in a tier that could not run here: what ran elsewhere is not the whole proof. */
const incomplete = new Set();
/** Tiers that can run here, with what is to be run of them. */
const able = [];
for (const { tier, files } of found) {
  const chosen = files.filter((entry) => entry.ids.some((id) => ids.includes(id))).map(({ file }) => file);
  if (chosen.length === 0) continue;
  const problem = await tier.needs?.();
  if (problem) {
    notRun.push(`${chosen.join(', ')}: ${problem}`);
    for (const { file, ids: named } of files) if (chosen.includes(file)) for (const id of named) incomplete.add(id);
  } else able.push({ tier, chosen });
}
/** Runs what was chosen of some tiers, beside each other. */
async function runTiers(some, part) {
  if (some.length === 0) return;
  process.stdout.write(`\n== ${some.map(({ tier, chosen }) => `${tier.name}: ${chosen.join(', ')}`).join('; ')}\n`);
  const run = ({ tier, chosen }) =>
    tier.run({ only: { files: chosen, grep }, trials: size, ...(part ? { part } : {}) });
  records.push(...(await Promise.all(some.map(run))).flat());
}
const isWaiting = ({ tier }) => tier.group === 'terminals';
for (const one of able.filter((each) => !isWaiting(each))) await runTiers([one]);
await runTiers(able.filter(isWaiting), 'beside');
for (const one of able.filter(isWaiting)) await runTiers([one], 'alone');

const results = ids.map((id) => {
  const own = records.filter((record) => record.titles.some((title) => isOf(id, title)));
  const of = (state) => own.filter((record) => record.state === state).length;
  const files = byFile(own);
  const trials = trialsText(files.flatMap(({ counts }) => counts));
  const outcome = missing.includes(id)
    ? 'no test'
    : of('failed') > 0
      ? 'FAILED'
      : of('passed') === 0
        ? 'not run'
        : of('skipped') > 0 || incomplete.has(id)
          ? 'partly run'
          : 'holds';
  return { id, size, trials, files, tests: own.length, outcome, isProved: outcome === 'holds' };
});
// A run that fell over without a failed test is nobody's proof.
const broken = records.filter(
  (record) => record.state === 'failed' && !ids.some((id) => record.titles.some((title) => isOf(id, title))),
);
// What could not run here says nothing about what was proved elsewhere.
noteResults(
  results.filter((result) => result.tests > 0 && result.outcome !== 'not run'),
  commit,
);

process.stdout.write('\n');
for (const { id, outcome, tests, trials } of results)
  process.stdout.write(
    `${id.padEnd(4)} ${outcome.padEnd(20)} ${tests} tests${trials === '–' ? '' : `, ${trials} trials`}\n`,
  );
for (const line of [...notRun, ...notRunLines()]) process.stdout.write(`not run: ${line}\n`);
for (const record of broken)
  process.stdout.write(`failed: ${record.titles.join(' › ')}: ${record.reason?.split('\n')[0] ?? ''}\n`);
for (const id of missing) process.stdout.write(`${id}: there is no test whose title begins with "${id} "\n`);
process.exit(results.every((result) => result.isProved) && broken.length === 0 ? 0 : 1);
