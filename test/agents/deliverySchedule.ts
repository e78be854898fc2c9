import { PAYLOADS } from './payloads';

/** What an agent is doing, and what a person is doing to it, when a prompt is sent. */
export const SITUATIONS = ['launch', 'idle', 'after', 'working', 'scrolled', 'draft', 'dialog'] as const;
export type SituationName = (typeof SITUATIONS)[number];

export interface Trial {
  readonly index: number;
  /** Index into `PAYLOADS`. */
  readonly payload: number;
  readonly situation: SituationName;
}

/** Every payload once. */
const SHORT: readonly SituationName[] = [
  'idle', 'after', 'working', 'scrolled', 'draft', 'dialog', 'idle', 'launch', 'after', 'working', 'scrolled',
  'draft', 'idle', 'after', 'working', 'idle', 'working', 'scrolled', 'draft', 'dialog', 'idle',
]; // prettier-ignore
/** One conversation: a launch begins it anew before the program would compact it. Repeated, each situation meets each payload. */
const CONVERSATION: readonly SituationName[] = [
  'launch', 'idle', 'after', 'working', 'scrolled', 'draft', 'idle', 'dialog', 'after', 'working', 'scrolled',
  'idle', 'draft', 'after', 'idle', 'working', 'dialog', 'scrolled', 'after', 'idle', 'working', 'scrolled',
]; // prettier-ignore
/** Has no divisor in common with the number of payloads: steps of it meet them all. */
const STEP = 8;

/** The trials of a run: every payload once in a short one; in one of 500 every payload in every situation. */
export function schedule(count: number): readonly Trial[] {
  const isShort = count <= SHORT.length;
  const met = new Map<SituationName, number>();
  return Array.from({ length: count }, (_, index) => {
    const situation = (isShort ? SHORT[index] : CONVERSATION[index % CONVERSATION.length]) ?? 'idle';
    const before = met.get(situation) ?? 0;
    met.set(situation, before + 1);
    const place = isShort ? index : before + SITUATIONS.indexOf(situation);
    return { index, payload: (place * STEP) % PAYLOADS.length, situation };
  });
}

/** Which payloads met which situation. */
export function coverage(trials: readonly Trial[]): ReadonlyMap<SituationName, ReadonlySet<number>> {
  return new Map(
    SITUATIONS.map((name) => [
      name,
      new Set(trials.filter(({ situation }) => situation === name).map(({ payload }) => payload)),
    ]),
  );
}
