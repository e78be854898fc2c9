import { DataError } from '../dataErrors';
import type { Collection, DataStore, Tx } from '../dataStore';
import type { AnyCollection } from './integrityModel';
import type { ApplicableFix } from './integrityReport';

export interface IntegrityFixPorts {
  readonly store: Pick<DataStore, 'tx'>;
  readonly collections: readonly AnyCollection[];
  /** Compares every agent with tmux again. */
  readonly reconcile: () => Promise<void>;
}

/**
 * Does what a finding of a check offers. @returns what was done, one sentence
 * @throws {DataError} data.conflict – the record was changed since the check, nothing was done; data.invalid – no such kind; as `DataStore.tx`
 */
export async function applyIntegrityFix(ports: IntegrityFixPorts, fix: ApplicableFix): Promise<string> {
  switch (fix.kind) {
    case 'reconcile':
      await ports.reconcile();
      return 'The agents were compared with tmux again.';
    case 'deleteRecord': {
      const collection = ports.collections.find(({ kind }) => kind === fix.recordKind);
      if (!collection) throw new DataError('data.invalid', 'the record is of a kind that is not kept');
      await ports.store.tx((tx) => remove(tx, collection, fix.id, fix.version));
      return 'The record was removed.';
    }
  }
}

function remove(tx: Tx, collection: AnyCollection, id: string, version: number | undefined): void {
  const plain: Collection<Readonly<Record<string, unknown>>> = { ...collection, parse: (value) => value as never }; // only its version is asked
  if (version !== undefined && tx.get(plain, id)?.version !== version)
    throw new DataError('data.conflict', 'the record was changed since the check: check again');
  tx.delete(collection, id);
}
