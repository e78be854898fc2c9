import { appendFileSync } from 'node:fs';
import path from 'node:path';
import Mocha from 'mocha';
import { type AskedTrials, takeTrials } from './trials';

/** One line of the file named by CORE_RESULTS: how `npm test` and `npm run verify` count. UI walks write the same. */
export interface TestRecord {
  /** Relative to the project. */
  readonly file: string;
  /** Titles from the outermost suite to the test. */
  readonly titles: readonly string[];
  readonly state: 'passed' | 'failed' | 'skipped';
  readonly ms: number;
  /** How often the promise was tried, when the test asked `trials()`. */
  readonly trials?: number;
  readonly reason?: string;
}

/** Appends one record per test, and per failed hook, to `resultsFile`; `failedToEnd` one of a process that had to be ended. */
export function recordResults(runner: Mocha.Runner, resultsFile: string): { failedToEnd(reason: string): void } {
  const { EVENT_TEST_BEGIN, EVENT_TEST_FAIL, EVENT_TEST_PASS, EVENT_TEST_PENDING } = Mocha.Runner.constants;
  const append = (record: TestRecord): void => appendFileSync(resultsFile, JSON.stringify(record) + '\n');
  const outside: AskedTrials[] = [];
  const write = (test: Mocha.Runnable, state: TestRecord['state'], error?: Error): void => {
    // A count asked for outside of tests stands for all tests of its file that ask for none themselves.
    const inside = takeTrials();
    const ofFile = outside.filter(({ stack }) => test.file !== undefined && stack.includes(test.file));
    const count = Math.max(0, ...(inside.length > 0 ? inside : ofFile).map((asked) => asked.count));
    const record: TestRecord = {
      file: test.file ? sourceOf(test.file) : '',
      titles: test.titlePath(),
      state,
      ms: test.duration ?? 0,
      ...(count > 0 ? { trials: count } : {}),
      ...(error ? { reason: error.stack ?? error.message } : {}),
    };
    append(record);
  };
  runner.on(EVENT_TEST_BEGIN, () => void outside.push(...takeTrials()));
  runner.on(EVENT_TEST_PASS, (test) => write(test, 'passed'));
  runner.on(EVENT_TEST_PENDING, (test) => write(test, 'skipped'));
  runner.on(EVENT_TEST_FAIL, (test, error: Error) => write(test, 'failed', error));
  return {
    failedToEnd: (reason) =>
      append({ file: '', titles: ['the process of the tests ends'], state: 'failed', ms: 0, reason }),
  };
}

/** The suite of the extension host runs from what esbuild made of it, in whatever folder VS Code is in. */
function sourceOf(file: string): string {
  const relative = path.relative(process.env.CORE_ROOT ?? process.cwd(), file);
  return relative.replace(/^out[/\\](.*)\.js$/, '$1.ts');
}
