import { appendFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { format } from 'node:util';
import { takeCoverage } from 'node:v8';
import Mocha from 'mocha';
import { recordResults } from '../support/recordResults';

/**
 * VS Code calls this in the extension host, of a desktop VS Code as of the web one. Every `*.test.js` beside it is one file of the
 * suite. Environment: CORE_TEST_REPORT (file for what is printed: console.log arrives late and mixed), CORE_TEST_GREP, CORE_RESULTS.
 */
export async function run(): Promise<void> {
  const report = process.env.CORE_TEST_REPORT;
  // Reporters keep the function they find here; @types/mocha does not know it.
  const base = Mocha.reporters.Base as unknown as { consoleLog: (...values: unknown[]) => void };
  if (report) base.consoleLog = (...values) => appendFileSync(report, format(...values) + '\n');
  const grep = process.env.CORE_TEST_GREP;
  const mocha = new Mocha({
    ui: 'bdd',
    color: false,
    timeout: 30_000,
    forbidOnly: true,
    reporter: 'spec',
    ...(grep ? { grep: new RegExp(grep) } : {}),
  });
  const files = readdirSync(__dirname, { recursive: true })
    .map(String)
    .filter((file) => file.endsWith('.test.js'));
  for (const file of files.sort()) mocha.addFile(path.join(__dirname, file));
  const failures = await new Promise<number>((resolve) => {
    const runner = mocha.run(resolve);
    const results = process.env.CORE_RESULTS;
    if (results) recordResults(runner, results);
  });
  // The host is ended by a signal, so coverage is not written by itself.
  if (process.env.NODE_V8_COVERAGE) takeCoverage();
  if (failures > 0) throw new Error(`${failures} tests failed`);
}
