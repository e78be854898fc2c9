import { appendFileSync } from 'node:fs';
import type { Context } from 'mocha';

/** Skips a test visibly: the reason is printed and, for the closing summary, appended to the file named by CORE_NOT_RUN. */
export function notRun(context: Context, reason: string): never {
  const title = context.test?.fullTitle() ?? 'a test';
  process.stdout.write(`      not run: ${title}: ${reason}\n`);
  if (process.env.CORE_NOT_RUN) appendFileSync(process.env.CORE_NOT_RUN, `${title}: ${reason}\n`);
  return context.skip();
}
