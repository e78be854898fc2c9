// Results of one tier: what the tests recorded (test/support/recordResults.ts, test/ui/walk.mjs), or one entry for a step
// that is no test suite.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { root } from './project.mjs';

/** A private folder for the files of this run, removed when the script ends. */
export const runFolder = mkdtempSync(join(tmpdir(), 'core-run-'));
process.on('exit', () => rmSync(runFolder, { recursive: true, force: true }));

/** Where the tests of this run share what they bundle; removed when the script ends. */
export const bundlesFolder = join(root, 'out', 'test', `bundles-of-${basename(runFolder)}`);
process.on('exit', () => rmSync(bundlesFolder, { recursive: true, force: true }));

export const notRunFile = join(runFolder, 'not-run.txt');

export function readResults(file) {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

const times = [];

/** Notes how long a file of tests took, with its process. */
export function noteTime(what, ms) {
  times.push({ what, ms });
}

/** The files that took longest, as lines. */
export function slowestLines(atMost) {
  return times
    .toSorted((a, b) => b.ms - a.ms)
    .slice(0, atMost)
    .map(({ what, ms }) => `${(ms / 1000).toFixed(1).padStart(6)} s  ${what}`);
}

export const single = (title, isPassed, reason) => ({
  file: '',
  titles: [title],
  state: isPassed ? 'passed' : 'failed',
  ms: 0,
  ...(reason ? { reason } : {}),
});

/** The records of a suite, with one more failure when it ended badly without having recorded one, or ran nothing. */
export function judged(what, records, exitCode, { mayBeEmpty = false } = {}) {
  if (exitCode !== 0 && !records.some((record) => record.state === 'failed')) {
    return [...records, single(what, false, `ended with exit code ${exitCode}`)];
  }
  if (records.length === 0 && !mayBeEmpty) return [single(what, false, 'no test was found')];
  return records;
}

export function count(records) {
  const of = (state) => records.filter((record) => record.state === state).length;
  return { passed: of('passed'), failed: of('failed'), skipped: of('skipped') };
}

/** Lines that tests left about what this machine could not show, and what no test asked for. */
export function notRunLines() {
  const lines = existsSync(notRunFile) ? readFileSync(notRunFile, 'utf8').split('\n').filter(Boolean) : [];
  return [...new Set(lines)];
}
