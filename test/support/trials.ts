/** Sizes of a promise's test: `npm test`, `npm run verify`, `npm run verify -- --nightly`. One code, three counts. */
export type TrialSize = 'smoke' | 'ci' | 'nightly';

export const trialSize: TrialSize = parse(process.env.CORE_TRIALS);

/** One call of {@link trials}: the count, and the stack that tells which file asked. */
export interface AskedTrials {
  readonly count: number;
  readonly stack: string;
}

/** Calls are kept on the global object, because each file of the suite in the extension host is a bundle of its own. */
const ASKED = Symbol.for('core-orchestrator.trials');
const shared = globalThis as { [ASKED]?: AskedTrials[] }; // a key of our own

/** The count for the present size. Ask inside the test: it is then recorded as that test's number of trials. */
export function trials(smoke: number, ci: number, nightly: number): number {
  const count = { smoke, ci, nightly }[trialSize];
  (shared[ASKED] ??= []).push({ count, stack: new Error().stack ?? '' });
  return count;
}

/** A time-out for the present size: no number of trials. */
export function sizedMs(smoke: number, ci: number, nightly: number): number {
  return { smoke, ci, nightly }[trialSize];
}

/** What was asked for since the last call. */
export function takeTrials(): readonly AskedTrials[] {
  return shared[ASKED]?.splice(0) ?? [];
}

function parse(text: string | undefined): TrialSize {
  if (text === undefined || text === '') return 'smoke';
  if (text === 'smoke' || text === 'ci' || text === 'nightly') return text;
  throw new Error(`CORE_TRIALS must be smoke, ci or nightly, not "${text}"`);
}
