import type { Collection, DataRecord, DataStore } from '../dataStore';
import { DataError } from '../dataErrors';
import { DEAD_LETTERS } from './deadLetterStore';
import { type PipelineSpec, readSpec } from './pipelineSpec';
import { pipelineError } from './processingErrors';
import type { TransformationRegistry } from './transformationRegistry';

/** Pipelines kept by name. What is read has the outer form of a pipeline; kinds of steps may be gone, which `compile` says. */
export const PIPELINES: Collection<PipelineSpec> = {
  kind: 'pipeline',
  indexes: ['name'],
  parse: (value) => {
    const { spec, problems } = readSpec(value);
    if (spec) return spec;
    throw new DataError(
      'data.invalid',
      `not a pipeline: ${problems.map(({ path, code }) => `${path} ${code}`).join(', ')}`,
    );
  },
};

/**
 * Keeps a pipeline under its name; one of that name is replaced.
 * @param expectedVersion of the record (not the pipeline's own): 0 when there must be none yet; default: whatever is there
 * @throws {ProcessingError} processing.unknownStep, processing.invalidPipeline, with every problem; nothing is kept then
 * @throws {DataError} data.conflict and what `DataStore.tx` throws
 */
export async function savePipeline(
  store: DataStore,
  registry: TransformationRegistry,
  pipeline: unknown,
  expectedVersion?: number,
): Promise<void> {
  const problems = registry.validate(pipeline);
  const { spec } = readSpec(pipeline);
  if (!spec || problems.length > 0) throw pipelineError(problems);
  await store.tx((tx) => tx.put(PIPELINES, spec.name, spec, expectedVersion === undefined ? {} : { expectedVersion }));
}

/** The pipeline of this name with its record's bookkeeping; undefined when there is none. @throws {DataError} as `DataStore.get` */
export function loadPipeline(store: DataStore, name: string): Promise<DataRecord<PipelineSpec> | undefined> {
  return store.get(PIPELINES, name);
}

/** All pipelines, by name. @throws {DataError} as `DataStore.find` */
export function listPipelines(store: DataStore): Promise<readonly DataRecord<PipelineSpec>[]> {
  return store.find(PIPELINES, { orderBy: 'name' });
}

/** With what its last run refused. @returns false when there is none @throws {DataError} as `DataStore.tx` */
export function removePipeline(store: Pick<DataStore, 'tx'>, name: string): Promise<boolean> {
  return store.tx((tx) => {
    if (!tx.get(AS_KEPT, name)) return false;
    tx.delete(PIPELINES, name);
    for (const { id } of tx.find(DEAD_LETTERS, { where: { run: name } })) tx.delete(DEAD_LETTERS, id);
    return true;
  });
}

/** Whatever is kept under the name. */
const AS_KEPT: Collection<unknown> = { ...PIPELINES, indexes: [], parse: (value) => value };
