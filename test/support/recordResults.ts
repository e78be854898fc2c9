import { appendFileSync } from 'node:fs';
import path from 'node:path';
import Mocha from 'mocha';

/** One line of the file named by CORE_RESULTS: how `npm test` and `npm run verify` count. UI walks write the same. */
export interface TestRecord {
  /** Relative to the project. */
  readonly file: string;
  /** Titles from the outermost suite to the test. */
  readonly titles: readonly string[];
  readonly state: 'passed' | 'failed' | 'skipped';
  readonly ms: number;
  readonly reason?: string;
}

/** Appends one record per test, and per failed hook, to `resultsFile`. */
export function recordResults(runner: Mocha.Runner, resultsFile: string): void {
  const { EVENT_TEST_FAIL, EVENT_TEST_PASS, EVENT_TEST_PENDING } = Mocha.Runner.constants;
  const write = (test: Mocha.Runnable, state: TestRecord['state'], error?: Error): void => {
    const record: TestRecord = {
      file: test.file ? sourceOf(test.file) : '',
      titles: test.titlePath(),
      state,
      ms: test.duration ?? 0,
      ...(error ? { reason: error.stack ?? error.message } : {}),
    };
    appendFileSync(resultsFile, JSON.stringify(record) + '\n');
  };
  runner.on(EVENT_TEST_PASS, (test) => write(test, 'passed'));
  runner.on(EVENT_TEST_PENDING, (test) => write(test, 'skipped'));
  runner.on(EVENT_TEST_FAIL, (test, error: Error) => write(test, 'failed', error));
}

/** The suite of the extension host runs from what esbuild made of it, in whatever folder VS Code is in. */
function sourceOf(file: string): string {
  const relative = path.relative(process.env.CORE_ROOT ?? process.cwd(), file);
  return relative.replace(/^out[/\\](.*)\.js$/, '$1.ts');
}
