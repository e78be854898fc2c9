// The tiers that mocha runs: which files, in how many processes at a time, and what came of them.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { limitOf, sideBySide } from './lanes.mjs';
import { root, run, tool } from './project.mjs';
import { bundlesFolder, judged, noteTime, notRunFile, readResults, runFolder } from './results.mjs';

/** With it a process of Node takes TypeScript. */
const TYPESCRIPT = './test/support/typescript.cjs';

let runCount = 0;

/** Environment for one run of tests, with a results file of its own. */
export function testEnv(more = {}) {
  const results = join(runFolder, `results-${(runCount += 1)}.jsonl`);
  return { CORE_ROOT: root, CORE_RESULTS: results, CORE_NOT_RUN: notRunFile, CORE_BUNDLES: bundlesFolder, ...more };
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

/** What a file says of itself in a line of its own at its top, `// Runs alone: <why>`; undefined when it does not. */
function said(file, words) {
  return new RegExp(`^// ${words}: (.+)$`, 'm').exec(readFileSync(join(root, file), 'utf8'))?.[1];
}

/** Files that run beside others, and those that say that they do not. */
export function byAloneness(files) {
  const isAlone = (file) => said(file, 'Runs alone') !== undefined;
  return { beside: files.filter((file) => !isAlone(file)), alone: files.filter(isAlone) };
}

/** One process for the file, or for each name of its line `// Once for each: <names>` one, which finds its name in CORE_ONLY. */
function hands(file) {
  const names = said(file, 'Once for each')?.split(', ');
  return names ? names.map((name) => ({ files: [file], name })) : [{ files: [file] }];
}

/**
 * A tier over test/<name> within one time limit. Without `atATime` one process runs all files. With it each file gets a process
 * or several (or the files are dealt out to that many `groups`), so many at a time, and the files that run alone come afterwards, one
 * after the other (`aloneAtATime`: what they judge allows more, not so in verify); `part` asks for the ones (each in one of the `slots` that it shares with another tier) or the others only. `only`
 * narrows the tier to some files and titles. With counts to record (verify) whatever is not once for each of some names is one process.
 */
export function mochaTier(name, timeoutMs, { atATime = 1, aloneAtATime = 1, groups } = {}) {
  let remainingMs = timeoutMs;
  return async ({ only, trials, part, slots = (job) => job() } = {}) => {
    const files = only?.files ?? filesOf(join('test', name), '.test.ts');
    if (files.length === 0) return [];
    const left = trials ? () => undefined : limitOf(remainingMs);
    const run = (hand, heading) => {
      const what = hand.files.length > 3 ? `test/${name}` : hand.files.join(', ');
      return mochaRun(what, hand, { only, trials, heading, timeoutMs: left() });
    };
    if (atATime === 1) return run({ files });
    const { beside, alone } = byAloneness(files);
    const inTurn = async (some) => {
      const jobs = asHands(some, trials !== undefined).map((hand) => () => run(hand, trials ? undefined : ''));
      return (await sideBySide(trials ? 1 : aloneAtATime, jobs)).flat();
    };
    if (part === 'alone') return inTurn(alone);
    const dealt =
      groups && !trials ? deal(beside, groups).map((some) => ({ files: some })) : asHands(beside, trials !== undefined);
    const jobs = dealt.map((hand) => () => slots(() => run(hand, '')));
    const records = (await sideBySide(atATime, jobs)).flat();
    remainingMs = left();
    return part === 'beside' ? records : [...records, ...(await inTurn(alone))];
  };
}

/** The longest first: those that run once for each of several names. */
function asHands(files, isTogether) {
  const all = files.map(hands);
  const many = all.filter((some) => some.length > 1).flat();
  const single = all.filter((some) => some.length === 1).flat();
  const together = isTogether && single.length > 0 ? [{ files: single.flatMap((hand) => hand.files) }] : single;
  return [...many, ...together];
}

function deal(files, count) {
  return Array.from({ length: count }, (_, hand) => files.filter((_, at) => at % count === hand));
}

let preparation;
/** What mocha's processes load is compiled before the first of them, once. */
function compileOnce() {
  const sources = ['src', 'test'].flatMap((folder) => filesOf(folder, '.ts')).filter((file) => !file.endsWith('.d.ts'));
  return createRequire(import.meta.url)('./typescript.cjs').prepare(sources.map((file) => join(root, file)));
}

async function mochaRun(what, { files, name }, { only, trials, timeoutMs, heading }) {
  await (preparation ??= compileOnce());
  const env = testEnv({ ...(trials ? { CORE_TRIALS: trials } : {}), ...(name ? { CORE_ONLY: name } : {}) });
  const grep = only ? ['--grep', only.grep] : [];
  const args = [tool.mocha, '--reporter', 'test/support/resultsReporter.cjs', ...grep, ...files];
  const startedMs = Date.now();
  const code = await run(process.execPath, ['--require', TYPESCRIPT, ...args], { env, timeoutMs, heading });
  const title = name ? `${what} (${name})` : what;
  noteTime(title, Date.now() - startedMs);
  return judged(title, readResults(env.CORE_RESULTS), code, { mayBeEmpty: only !== undefined });
}
