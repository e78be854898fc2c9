import type { Ids } from '../../base/ids';
import type { Collection, DataStore, Tx } from '../dataStore';
import { allOf, object, text } from '../validation/composeRules';
import { parserFor } from '../validation/dataValidator';
import type { ValidationRule } from '../validation/validationRule';
import { length, range, type } from '../validation/valueRules';
import type { DeadLetter, DeadLetterSink } from './deadLetter';

/** What a run refused, as it is kept: without the record itself, of which there is an excerpt without secrets. */
export interface KeptDeadLetter extends DeadLetter {
  /** The pipeline, or what else ran: `retention`, `import`. */
  readonly run: string;
  readonly atMs: number;
}

const upTo = (max: number): ValidationRule<string> => allOf(text, length({ max })) as ValidationRule<string>; // a text of some length

/** What a kept dead letter must be. */
export const DEAD_LETTER_RULE: ValidationRule<KeptDeadLetter> = object({
  run: upTo(200),
  atMs: allOf(type('number'), range({ min: 0 })) as ValidationRule<number>, // a number above 0
  excerpt: upTo(500),
  step: upTo(300),
  stepIndex: allOf(type('integer'), range({ min: 0 })) as ValidationRule<number>, // as above
  code: upTo(500),
  message: upTo(300),
});

/** Ids are ULIDs: in the order in which they came. */
export const DEAD_LETTERS: Collection<KeptDeadLetter> = {
  kind: 'deadLetter',
  indexes: ['run'],
  durability: 'normal',
  parse: parserFor('deadLetter', DEAD_LETTER_RULE),
};

/** Kept of each run's name; the oldest go first. */
export const KEPT_DEAD_LETTERS = 1_000;

export interface DeadLetterStorePorts {
  readonly store: Pick<DataStore, 'tx'>;
  readonly ids: Ids;
  readonly nowMs: () => number;
}

/** A sink that keeps the letters of runs of this name: one transaction for each batch, the newest {@link KEPT_DEAD_LETTERS} in all. */
export function keepDeadLetters({ store, ids, nowMs }: DeadLetterStorePorts, run: string): DeadLetterSink {
  return (letters) => {
    const atMs = nowMs();
    // A run may refuse millions: those that would be removed again at once are not written.
    const kept = letters
      .slice(-KEPT_DEAD_LETTERS)
      .map((letter) => ({ id: ids.next(), value: { ...letter, run, atMs } }));
    return store.tx((tx) => {
      for (const { id, value } of kept) tx.put(DEAD_LETTERS, id, value);
      prune(tx, run);
    });
  };
}

function prune(tx: Tx, run: string): void {
  const present = tx.find(DEAD_LETTERS, { where: { run } });
  for (const { id } of present.slice(0, Math.max(0, present.length - KEPT_DEAD_LETTERS))) tx.delete(DEAD_LETTERS, id);
}

/** Newest first, of one run's name or of all. @throws {DataError} as `DataStore.find` */
export async function listDeadLetters(
  store: Pick<DataStore, 'find'>,
  { run, limit = 100 }: { readonly run?: string; readonly limit?: number } = {},
): Promise<readonly (KeptDeadLetter & { readonly id: string })[]> {
  const where = run === undefined ? {} : { run };
  const found = await store.find(DEAD_LETTERS, { where, orderBy: 'id', descending: true, limit });
  return found.map(({ id, value }) => ({ id, ...value }));
}

/** Forgets all of one run's name. @returns how many @throws {DataError} as `DataStore.tx` */
export function forgetDeadLetters(store: Pick<DataStore, 'tx'>, run: string): Promise<number> {
  return store.tx((tx) => {
    const found = tx.find(DEAD_LETTERS, { where: { run } });
    for (const { id } of found) tx.delete(DEAD_LETTERS, id);
    return found.length;
  });
}
