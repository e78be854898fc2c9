// The tiers that mocha runs: which files, in how many processes at a time, and what came of them.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { limitOf, sideBySide } from './lanes.mjs';
import { root, runNode, tool } from './project.mjs';
import { judged, notRunFile, readResults, runFolder } from './results.mjs';

let runCount = 0;

/** Environment for one run of tests, with a results file of its own. */
export function testEnv(more = {}) {
  const results = join(runFolder, `results-${(runCount += 1)}.jsonl`);
  return { CORE_ROOT: root, CORE_RESULTS: results, CORE_NOT_RUN: notRunFile, ...more };
}

export function filesOf(folder, ending) {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .flatMap((entry) => {
      const file = join(folder, entry.name);
      if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesOf(file, ending);
      return file.endsWith(ending) ? [file] : [];
    })
    .sort();
}

/** Files that run beside others, and those that say in a line of their own, with the reason, that they do not. */
export function byAloneness(files) {
  const isAlone = (file) => /^\/\/ Runs alone: /m.test(readFileSync(join(root, file), 'utf8'));
  return { beside: files.filter((file) => !isAlone(file)), alone: files.filter(isAlone) };
}

/**
 * A tier over test/<name> within one time limit. Without `atATime` one process runs all files. With it each file gets a process
 * (or they are dealt out to that many `groups`), so many at a time, and the files that run alone come afterwards in one; `part`
 * asks for the ones (each in one of the `slots` that it shares with another tier) or the others only. `only` narrows the tier to some files and titles; then, and with counts to record
 * (verify), one process runs everything.
 */
export function mochaTier(name, timeoutMs, { atATime = 1, groups } = {}) {
  let remainingMs = timeoutMs;
  return async ({ only, trials, part, slots = (job) => job() } = {}) => {
    const files = only?.files ?? filesOf(join('test', name), '.test.ts');
    if (files.length === 0) return [];
    const left = trials ? () => undefined : limitOf(remainingMs);
    const of = (some) => mochaRun(`test/${name}`, some, { only, trials, timeoutMs: left() });
    if (only || trials || atATime === 1) return of(files);
    const { beside, alone } = byAloneness(files);
    if (part === 'alone') return alone.length === 0 ? [] : of(alone);
    const hands = groups ? deal(beside, groups) : beside.map((file) => [file]);
    const jobs = hands.map(
      (some) => () => slots(() => mochaRun(some.join(', '), some, { heading: '', timeoutMs: left() })),
    );
    const records = (await sideBySide(atATime, jobs)).flat();
    remainingMs = left();
    return part === 'beside' || alone.length === 0 ? records : [...records, ...(await of(alone))];
  };
}

function deal(files, count) {
  return Array.from({ length: count }, (_, hand) => files.filter((_, at) => at % count === hand));
}

async function mochaRun(what, files, { only, trials, timeoutMs, heading }) {
  const env = testEnv(trials ? { CORE_TRIALS: trials } : {});
  const grep = only ? ['--grep', only.grep] : [];
  const args = ['--reporter', 'test/support/resultsReporter.cjs', ...grep, ...files];
  const code = await runNode(tool.mocha, args, { env, timeoutMs, heading });
  return judged(what, readResults(env.CORE_RESULTS), code, { mayBeEmpty: only !== undefined });
}
