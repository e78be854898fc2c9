/** Sizes of a promise's test: `npm test`, `npm run verify`, `npm run verify -- --nightly`. One code, three counts. */
export type TrialSize = 'smoke' | 'ci' | 'nightly';

export const trialSize: TrialSize = parse(process.env.CORE_TRIALS);

/** The count for the present size. */
export function trials(smoke: number, ci: number, nightly: number): number {
  return { smoke, ci, nightly }[trialSize];
}

function parse(text: string | undefined): TrialSize {
  if (text === undefined || text === '') return 'smoke';
  if (text === 'smoke' || text === 'ci' || text === 'nightly') return text;
  throw new Error(`CORE_TRIALS must be smoke, ci or nightly, not "${text}"`);
}
