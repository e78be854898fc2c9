import { DataError } from './data/dataErrors';
import type { Collection, DataStore } from './data/dataStore';
import { plainOf } from './data/exchange/exportFormat';
import type { Snapshot } from './data/exchange/snapshot';
import type { JsonObject } from './data/processing/dataTransformation';
import type { Validator } from './data/processing/recordSteps';
import { redactor } from './data/processing/redactStep';
import type { Lookup } from './data/processing/tableSteps';
import type { PipelineResources } from './data/processing/transformationRegistry';
import type { DataValidator } from './data/validation/dataValidator';
import { isNamespaced } from './data/validation/outsideRule';
import { isPlainObject } from './data/validation/validationRule';
import { SECRET_PLACES } from './ownerExport';
import { KEPT_COLLECTIONS } from './ownerIntegrity';

export interface PipelineResourcePorts {
  readonly store: Pick<DataStore, 'get'>;
  readonly validator: Pick<DataValidator, 'rules' | 'validate' | 'validateBy'>;
  /** What the present run reads; asked when a table is opened. */
  readonly snapshot: () => Snapshot | undefined;
}

/**
 * What the steps of pipelines may name here, always without secrets:
 * - tables (`join`): each kind that is kept, as in an export, in the state that the run reads
 * - lookups (`enrich`): each kind, by the id of its record, as it is now
 * - validators (`validate`): each kind, for the rules of that kind; the name of a rule of another extension, for that rule alone. A record in the form
 *   of an export is judged by its value, any other one whole.
 */
export function pipelineResources({ store, validator, snapshot }: PipelineResourcePorts): PipelineResources {
  const clean = redactor({ paths: SECRET_PLACES });
  const byKind = <T>(make: (collection: Collection<never>) => T): Readonly<Record<string, T>> =>
    Object.fromEntries(KEPT_COLLECTIONS.map((collection) => [collection.kind, make(collection)]));
  async function* table(collection: Collection<never>): AsyncGenerator<JsonObject> {
    const state = snapshot();
    if (!state) throw new DataError('data.closed', 'a table is read in a run only');
    for await (const page of state.readKept(collection)) for (const record of page) yield clean(plainOf(record));
  }
  return {
    tables: byKind((collection) => () => table(collection)),
    lookups: byKind((collection) => lookupIn(store, collection, clean)),
    validators: { ...ruleValidators(validator), ...byKind(({ kind }) => kindValidator(validator, kind)) },
  };
}

function lookupIn(
  store: Pick<DataStore, 'get'>,
  { kind }: Collection<never>,
  clean: (record: JsonObject) => JsonObject,
): Lookup {
  const asKept: Collection<unknown> = { kind, indexes: [], parse: (value) => value };
  return async (keys, signal) => {
    const found = new Map<unknown, unknown>();
    for (const key of keys) {
      signal?.throwIfAborted();
      const record = typeof key === 'string' ? await readable(store, asKept, key) : undefined;
      if (record) found.set(key, clean({ value: record.value })['value']);
    }
    return found;
  };
}

/** What cannot be read, or has no id of a record, is not known. */
async function readable(
  store: Pick<DataStore, 'get'>,
  collection: Collection<unknown>,
  id: string,
): Promise<{ readonly value: unknown } | undefined> {
  try {
    return await store.get(collection, id);
  } catch (error) {
    if (DataError.is(error, 'data.corrupt') || DataError.is(error, 'data.invalid')) return undefined;
    throw error;
  }
}

type Judge = (value: unknown, recordId: string | undefined) => ReturnType<Validator['validate']>;

/** By the value of a record in the form of an export; of anything else by all of it. */
function judging(judge: Judge): Validator {
  return {
    validate: (item) => {
      const isKept = isPlainObject(item) && typeof item['kind'] === 'string' && Object.hasOwn(item, 'value');
      return isKept ? judge(item['value'], String(item['id'])) : judge(item, undefined);
    },
  };
}

function kindValidator(validator: PipelineResourcePorts['validator'], kind: string): Validator {
  return judging((value, recordId) => validator.validate(kind, value, recordId === undefined ? {} : { recordId }));
}

function ruleValidators(validator: PipelineResourcePorts['validator']): Readonly<Record<string, Validator>> {
  const named = KEPT_COLLECTIONS.flatMap(({ kind }) =>
    validator.rules(kind).flatMap(({ code }): readonly (readonly [string, Validator])[] => {
      if (!isNamespaced(code)) return [];
      const judge: Judge = (value, recordId) =>
        validator.validateBy(kind, code, value, recordId === undefined ? {} : { recordId }) ?? {
          ok: true,
          problems: [],
        };
      return [[code, judging(judge)]];
    }),
  );
  return Object.fromEntries(named);
}
