import type { Ids } from '../../base/ids';
import type { Collection, DataStore } from '../dataStore';
import { allOf, object, text } from '../validation/composeRules';
import { parserFor } from '../validation/dataValidator';
import type { ValidationRule } from '../validation/validationRule';
import { length, range, type } from '../validation/valueRules';
import type { DeadLetter, DeadLetterSink } from './deadLetter';

/** What a run refused, as it is kept: without the record itself, of which there is an excerpt without secrets. */
export interface KeptDeadLetter extends DeadLetter {
  /** Name of the pipeline. */
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

/** Kept of each run; the oldest go first. */
export const KEPT_DEAD_LETTERS = 1_000;

/** The newest {@link KEPT_DEAD_LETTERS} letters of a run: it may refuse millions. */
export class NewestDeadLetters {
  #letters: readonly DeadLetter[] = [];

  get letters(): readonly DeadLetter[] {
    return this.#letters;
  }

  readonly take: DeadLetterSink = (letters) => {
    this.#letters = [...this.#letters, ...letters].slice(-KEPT_DEAD_LETTERS);
  };
}

export interface DeadLetterStorePorts {
  readonly store: Pick<DataStore, 'tx'>;
  readonly ids: Ids;
  readonly nowMs: () => number;
}

/** Puts the letters of a run in the place of those of the run before, in one transaction. @throws {DataError} as `DataStore.tx` */
export function replaceDeadLetters(
  { store, ids, nowMs }: DeadLetterStorePorts,
  run: string,
  letters: readonly DeadLetter[],
): Promise<void> {
  const atMs = nowMs();
  const kept = letters.map((letter) => ({ id: ids.next(), value: { ...letter, run, atMs } }));
  return store.tx((tx) => {
    for (const { id } of tx.find(DEAD_LETTERS, { where: { run } })) tx.delete(DEAD_LETTERS, id);
    for (const { id, value } of kept) tx.put(DEAD_LETTERS, id, value);
  });
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
