import type { Clock } from './base/clock';
import type { Ids } from './base/ids';
import { ignore, type Logger } from './base/log';
import { DataError } from './data/dataErrors';
import type { DataStore } from './data/dataStore';
import type { ExportWriter } from './data/exchange/dataExport';
import { plainOf } from './data/exchange/exportFormat';
import { type Snapshot, withSnapshot } from './data/exchange/snapshot';
import { registerBuiltInSteps } from './data/processing/builtInSteps';
import { DataProcessor, type ProcessingResult } from './data/processing/dataProcessor';
import type { DataTransformation, JsonObject } from './data/processing/dataTransformation';
import {
  DEAD_LETTERS,
  listDeadLetters,
  NewestDeadLetters,
  replaceDeadLetters,
} from './data/processing/deadLetterStore';
import { ndjson } from './data/processing/jsonExport';
import type { PipelineSpec } from './data/processing/pipelineSpec';
import { listPipelines, loadPipeline, removePipeline, savePipeline } from './data/processing/pipelineStore';
import { ProcessingError } from './data/processing/processingErrors';
import { redactStep } from './data/processing/redactStep';
import type { PipelineResources, TransformationRegistry } from './data/processing/transformationRegistry';
import type { EngineCalls } from './engineCalls';
import { type PipelineResourcePorts, pipelineResources } from './pipelineResources';
import { SECRET_PLACES } from './ownerExport';
import { KEPT_COLLECTIONS } from './ownerIntegrity';
import type { Workspace } from './workspace';

export interface PipelineRequest {
  /** The name of a kept pipeline; or one as data, which is kept under its name first. */
  readonly pipeline: unknown;
  /** Absolute. */
  readonly file: string;
  /** A file that is there is replaced. Default false. */
  readonly overwrite?: boolean;
}

export interface PipelineReport extends ProcessingResult {
  readonly name: string;
  readonly file: string;
  readonly sizeBytes: number;
  /** Every change up to this one was read. */
  readonly seq: number;
}

export type KeptPipeline = PipelineSpec;
export type RejectedRecord = Awaited<ReturnType<typeof listDeadLetters>>[number];

export type PipelineCalls = Pick<EngineCalls, 'pipelines' | 'runPipeline' | 'removePipeline' | 'rejected'>;

export interface OwnerPipelinesPorts {
  readonly store: DataStore;
  readonly registry: TransformationRegistry;
  readonly validator: PipelineResourcePorts['validator'];
  readonly workspace: Pick<Workspace, 'exportFiles' | 'breathe'>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
}

/** Own kinds of steps, unless the registry has them already: it outlives single sessions. */
function provide(registry: TransformationRegistry): void {
  if (!registry.kinds.some(({ name }) => name === 'filter')) registerBuiltInSteps(registry);
}

/**
 * Runs pipelines over everything that is kept, into a file. Secrets are taken out before the first step: neither a pipeline nor a step
 * of another extension sees them. What a step refuses is kept as dead letters under the pipeline's name, those of the last run only.
 */
export function createPipelines(ports: OwnerPipelinesPorts): PipelineCalls {
  const { store, registry } = ports;
  provide(registry);
  return {
    pipelines: async () => (await listPipelines(store)).map(({ value }) => value),
    removePipeline: async (name) => {
      if (!(await removePipeline(store, name))) throw unknownPipeline();
    },
    rejected: async (name, limit) => {
      const letters = await listDeadLetters(store, { ...(name !== undefined && { run: name }), limit: limit ?? 100 });
      if (letters.length === 0 && name !== undefined && !(await loadPipeline(store, name))) throw unknownPipeline();
      return letters;
    },
    runPipeline: async (request, onProgress, signal) => {
      let present: Snapshot | undefined;
      const resources = pipelineResources({ store, validator: ports.validator, snapshot: () => present });
      const { spec, transformation } = await readPipeline(ports, request.pipeline, resources);
      signal.throwIfAborted();
      const writer = await ports.workspace.exportFiles.create(request.file, { overwrite: request.overwrite ?? false });
      let refused = new NewestDeadLetters();
      try {
        const told = (done: number): void => onProgress({ name: 'records', done, total: 0 });
        const use = (snapshot: Snapshot) => {
          present = snapshot;
          refused = new NewestDeadLetters();
          return runOnce(ports, { transformation, writer, snapshot, refused, told, signal });
        };
        const { result, seq } = await withSnapshot(store, KEPT_COLLECTIONS, use, signal);
        signal.throwIfAborted();
        await keepRefused(ports, spec.name, refused);
        const sizeBytes = await writer.finish();
        return { ...result, name: spec.name, file: request.file, sizeBytes, seq };
      } catch (error) {
        if (error instanceof ProcessingError && refused.letters.length > 0)
          await keepRefused(ports, spec.name, refused).catch((cause: unknown) =>
            ignore(ports.log, cause, 'what a run that failed has refused'),
          );
        throw error;
      } finally {
        await writer.abandon();
      }
    },
  };
}

interface Runnable {
  readonly spec: PipelineSpec;
  readonly transformation: DataTransformation<JsonObject, string>;
}

/** Only what can run is kept. @throws {ProcessingError} processing.invalidPipeline, processing.unknownStep, processing.unknownPipeline */
async function readPipeline(
  { store, registry }: OwnerPipelinesPorts,
  given: unknown,
  resources: PipelineResources,
): Promise<Runnable> {
  if (typeof given !== 'string') {
    const transformation = textOf(registry, given, resources);
    await savePipeline(store, registry, given);
    return { spec: given as PipelineSpec, transformation }; // it was checked in whole, or not compiled
  }
  const kept = await loadPipeline(store, given);
  if (kept) return { spec: kept.value, transformation: textOf(registry, kept.value, resources) };
  throw unknownPipeline();
}

const unknownPipeline = (): ProcessingError =>
  new ProcessingError('processing.unknownPipeline', 'there is no pipeline of this name');

/** A pipeline that emits records is written as NDJSON. @throws as `TransformationRegistry.compile` */
function textOf(
  registry: TransformationRegistry,
  pipeline: unknown,
  resources: PipelineResources,
): DataTransformation<JsonObject, string> {
  const compiled = registry.compile(pipeline, resources);
  const last = (pipeline as PipelineSpec).steps.at(-1)?.use; // what compiles is one
  const isText = registry.kinds.some(({ name, emits }) => name === last && emits === 'text');
  return isText
    ? (compiled as DataTransformation<JsonObject, string>) // its last step says so
    : (compiled as DataTransformation<JsonObject, JsonObject>).pipe(ndjson());
}

interface Run {
  readonly transformation: DataTransformation<JsonObject, string>;
  readonly writer: ExportWriter;
  readonly snapshot: Snapshot;
  readonly refused: NewestDeadLetters;
  readonly told: (done: number) => void;
  readonly signal: AbortSignal;
}

async function runOnce(
  { workspace, clock, log }: OwnerPipelinesPorts,
  { transformation, writer, snapshot, refused, told, signal }: Run,
): Promise<{ readonly result: ProcessingResult; readonly seq: number }> {
  await writer.restart();
  const processor = new DataProcessor({ clock, log, breathe: () => workspace.breathe() });
  const result = await processor.run(
    {
      source: { batches: records(snapshot) },
      transformation: redactStep({ paths: SECRET_PLACES }).pipe(transformation),
      sink: { write: (texts) => writer.write(texts.join('')) },
      // The taking out of secrets is the first step of the run, and none of the pipeline.
      deadLetters: (letters) =>
        refused.take(letters.map((letter) => ({ ...letter, stepIndex: Math.max(0, letter.stepIndex - 1) }))),
      onProgress: (progress) => told(progress.in),
    },
    signal,
  );
  return { result, seq: snapshot.seq };
}

/**
 * Only once the reading has ended: a run must not write what it may read. A store that cannot be written does not keep a run from its end that has
 * nothing new to keep; what the run before refused stays in the list then.
 */
async function keepRefused(
  { store, clock, ids, log }: OwnerPipelinesPorts,
  name: string,
  { letters }: NewestDeadLetters,
): Promise<void> {
  try {
    await replaceDeadLetters({ store, ids, nowMs: () => clock.nowMs() }, name, letters);
  } catch (error) {
    if (letters.length > 0 || !DataError.is(error, 'data.readOnly')) throw error;
    log.warn('what an earlier run of a pipeline refused stays listed: the store is read-only', { name });
  }
}

async function* records(snapshot: Snapshot): AsyncGenerator<readonly JsonObject[]> {
  for (const collection of KEPT_COLLECTIONS.filter(({ kind }) => kind !== DEAD_LETTERS.kind))
    for await (const page of snapshot.readKept(collection)) yield page.map(plainOf);
}
