import { describeError } from './base/errors';
import type { Logger } from './base/log';
import type { Collection, KeptRecord } from './data/dataStore';

/** Those of the collection among records of the store that a restore has replaced, without what this version does not take. */
export function parseFormer<T>(
  records: readonly KeptRecord[],
  { kind, parse }: Collection<T>,
  log: Logger,
): readonly { readonly id: string; readonly value: T }[] {
  return records.flatMap(({ kind: of, id, json }) => {
    if (of !== kind) return [];
    try {
      return [{ id, value: parse(JSON.parse(json)) }];
    } catch (error) {
      log.warn('a record of the former store was not carried over', { kind, id, error: describeError(error) });
      return [];
    }
  });
}
