import type { Collection, DataRecord, DataStore } from '../dataStore';
import type { DataProcessor } from '../processing/dataProcessor';
import { csv } from '../processing/csvExport';
import type { DataTransformation, JsonObject } from '../processing/dataTransformation';
import { jsonArray, ndjson } from '../processing/jsonExport';
import type { Place } from '../processing/recordSteps';
import { redactStep } from '../processing/redactStep';
import { type Snapshot, type SnapshotOptions, withSnapshot } from './snapshot';

/** Records as they are kept (`json`, `ndjson`, `csv`), or `markdown`: what people read. */
export const ExportFormat = { Json: 'json', Ndjson: 'ndjson', Csv: 'csv', Markdown: 'markdown' } as const;
export type ExportFormat = (typeof ExportFormat)[keyof typeof ExportFormat];

export interface ExportRequest {
  /** Absolute. */
  readonly file: string;
  readonly format: ExportFormat;
  /** Secrets are left in. Default false. */
  readonly withSecrets?: boolean;
  /** A file that is there is replaced. Default false. */
  readonly overwrite?: boolean;
}

export interface ExportReport {
  readonly file: string;
  readonly format: ExportFormat;
  /** Records in it, without the first one, which tells about the export. */
  readonly records: number;
  readonly sizeBytes: number;
  readonly isRedacted: boolean;
  /** Every change up to this one is in it. */
  readonly seq: number;
}

/** A file that is not there, under its name, before `finish`. */
export interface ExportWriter {
  write(text: string): Promise<void>;
  /** Takes everything back that was written. */
  restart(): Promise<void>;
  /** On the disk and under its name when this resolves; its size in bytes. @throws {ExchangeError} */
  finish(): Promise<number>;
  /** Leaves nothing behind. Idempotent; after `finish` of no effect. */
  abandon(): Promise<void>;
}

export interface ExportFiles {
  /** @throws {ExchangeError} exchange.fileExists, exchange.fileUnusable */
  create(file: string, options: { readonly overwrite: boolean }): Promise<ExportWriter>;
}

export interface DataExportPorts {
  readonly store: Pick<DataStore, 'tx' | 'find' | 'changes' | 'health'>;
  readonly files: ExportFiles;
  readonly processor: Pick<DataProcessor, 'run'>;
  readonly nowMs: () => number;
  /** What is exported, in this order. */
  readonly collections: readonly Collection<never>[];
  /** What is secret by its place, besides what looks like a secret. */
  readonly secretPlaces: readonly Place[];
  /** For `markdown`: records in the order of the document, and what makes text of them. */
  readonly document: {
    readonly records: (snapshot: Snapshot) => AsyncIterable<readonly JsonObject[]>;
    readonly format: () => DataTransformation<JsonObject, string>;
  };
  readonly snapshot?: SnapshotOptions;
}

/** Kind of the first record of an export, which tells about it; no collection can be called so. */
export const EXPORT_HEADER = '$export';
const columns = ['kind', 'id', 'version', 'createdAtMs', 'updatedAtMs', 'epoch', 'value'];

/**
 * Writes the state of the collections to a file: consistent, complete under its name or not there, 0600, without
 * secrets unless they are asked for. Memory does not grow with the store.
 * @throws {ExchangeError}; what the store throws; the signal's reason. Nothing is left behind then
 */
export async function exportData(
  ports: DataExportPorts,
  { file, format, withSecrets = false, overwrite = false }: ExportRequest,
  onProgress: (records: number) => void,
  signal?: AbortSignal,
): Promise<ExportReport> {
  const { store, files, processor, collections } = ports;
  signal?.throwIfAborted();
  const writer = await files.create(file, { overwrite });
  try {
    const use = async (snapshot: Snapshot): Promise<{ readonly records: number; readonly seq: number }> => {
      await writer.restart();
      const { seq } = snapshot;
      const header = {
        format: 1,
        schemaVersion: store.health.schemaVersion,
        seq,
        atMs: ports.nowMs(),
        isRedacted: !withSecrets,
      };
      const isDocument = format === ExportFormat.Markdown;
      const redact = redactStep(withSecrets ? { secrets: [] } : { paths: ports.secretPlaces });
      const result = await processor.run(
        {
          source: { batches: isDocument ? ports.document.records(snapshot) : records(snapshot, collections, header) },
          transformation: redact.pipe(textOf(format, ports)),
          sink: { write: (texts) => writer.write(texts.join('')) },
          limits: { maxRejected: 0 },
          onProgress: (progress) => onProgress(progress.in),
        },
        signal,
      );
      return { records: result.in - (isDocument ? 0 : 1), seq };
    };
    const { records: count, seq } = await withSnapshot(store, collections, use, signal, ports.snapshot);
    signal?.throwIfAborted();
    return { file, format, records: count, sizeBytes: await writer.finish(), isRedacted: !withSecrets, seq };
  } finally {
    await writer.abandon();
  }
}

function textOf(format: ExportFormat, { document }: DataExportPorts): DataTransformation<JsonObject, string> {
  switch (format) {
    case 'json':
      return jsonArray();
    case 'ndjson':
      return ndjson();
    case 'csv':
      return csv({ columns: columns.map((at) => ({ at, header: at })) });
    case 'markdown':
      return document.format();
  }
}

async function* records(
  snapshot: Snapshot,
  collections: readonly Collection<never>[],
  header: JsonObject,
): AsyncGenerator<readonly JsonObject[]> {
  yield [{ kind: EXPORT_HEADER, id: 'header', value: header }];
  for (const collection of collections) for await (const page of snapshot.read(collection)) yield page.map(plain);
}

function plain({ kind, id, version, createdAtMs, updatedAtMs, epoch, value }: DataRecord): JsonObject {
  return { kind, id, version, createdAtMs, updatedAtMs, epoch, value };
}
