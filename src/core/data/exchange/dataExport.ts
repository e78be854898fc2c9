import type { Collection, DataStore, KeptRecord } from '../dataStore';
import { csv } from '../processing/csvExport';
import type { DataProcessor } from '../processing/dataProcessor';
import type { DataTransformation, JsonObject } from '../processing/dataTransformation';
import type { Place } from '../processing/recordSteps';
import { redactStep } from '../processing/redactStep';
import { aboutExport, END_ID, EXPORT_FORMAT, type ExportHeader, HEADER_ID, plainOf } from './exportFormat';
import { jsonElements, keepAll, ndjsonLines, redactKept } from './exportSteps';
import { type Snapshot, type SnapshotOptions, withSnapshot } from './snapshot';

/** Records as they are kept (`json`, `ndjson`, `csv`, and `sqlite`: a database file), or `markdown`: what people read. */
export const ExportFormat = {
  Json: 'json',
  Ndjson: 'ndjson',
  Csv: 'csv',
  Markdown: 'markdown',
  Sqlite: 'sqlite',
} as const;
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
  /** Records in it, without those that tell about the export. */
  readonly records: number;
  /** Damaged records, which are not in it. */
  readonly leftOut: number;
  readonly sizeBytes: number;
  readonly isRedacted: boolean;
  /** Every change up to this one is in it. */
  readonly seq: number;
}

/** A file that is not there, under its name, before `finish`. */
interface Unfinished {
  /** Leaves nothing behind. Idempotent; after `finish` of no effect. */
  abandon(): Promise<void>;
  /** Takes everything back that was written. */
  restart(): Promise<void>;
}

export interface ExportWriter extends Unfinished {
  write(text: string): Promise<void>;
  /** SHA-256, hex, of everything written since the last `restart`. */
  digest(): string;
  /** On the disk and under its name when this resolves; its size in bytes. @throws {ExchangeError} */
  finish(): Promise<number>;
}

/** The same for a database: the tables of a store, and one that tells about the export. */
export interface ExportDatabaseWriter extends Unfinished {
  writeRecords(records: readonly KeptRecord[]): Promise<void>;
  finish(header: ExportHeader): Promise<number>;
}

export interface ExportFiles {
  /** @throws {ExchangeError} exchange.fileExists, exchange.fileUnusable */
  create(file: string, options: { readonly overwrite: boolean }): Promise<ExportWriter>;
  /** @throws {ExchangeError} exchange.fileExists, exchange.fileUnusable */
  createDatabase(file: string, options: { readonly overwrite: boolean }): Promise<ExportDatabaseWriter>;
}

export interface DataExportPorts {
  readonly store: Pick<DataStore, 'snapshot' | 'find' | 'changes' | 'health'>;
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

const columns = ['kind', 'id', 'version', 'createdAtMs', 'updatedAtMs', 'epoch', 'value'];

/**
 * Writes the state of the collections to a file: consistent, complete under its name or not there, 0600, without
 * secrets unless they are asked for. Memory does not grow with the store.
 * @throws {ExchangeError}; what the store throws; the signal's reason. Nothing is left behind then
 */
export async function exportData(
  ports: DataExportPorts,
  request: ExportRequest,
  onProgress: (records: number) => void,
  signal?: AbortSignal,
): Promise<ExportReport> {
  const { store, collections } = ports;
  signal?.throwIfAborted();
  const target = await openTarget(ports, request);
  try {
    const use = async (snapshot: Snapshot): Promise<Exported> => {
      const header: ExportHeader = {
        format: EXPORT_FORMAT,
        schemaVersion: store.health.schemaVersion,
        seq: snapshot.seq,
        atMs: ports.nowMs(),
        isRedacted: request.withSecrets !== true,
      };
      await target.restart();
      const records = await target.run(snapshot, header, onProgress, signal);
      return { header, records, leftOut: snapshot.damaged.length };
    };
    const exported = await withSnapshot(store, collections, use, signal, ports.snapshot);
    signal?.throwIfAborted();
    const { file, format } = request;
    const { header, records, leftOut } = exported;
    const sizeBytes = await target.finish(exported);
    return { file, format, records, leftOut, sizeBytes, isRedacted: header.isRedacted, seq: header.seq };
  } finally {
    await target.abandon();
  }
}

interface Exported {
  readonly header: ExportHeader;
  readonly records: number;
  readonly leftOut: number;
}

/** One way of writing an export. */
interface Target extends Unfinished {
  /** The number of records. */
  run(
    snapshot: Snapshot,
    header: ExportHeader,
    onProgress: (records: number) => void,
    signal: AbortSignal | undefined,
  ): Promise<number>;
  finish(exported: Exported): Promise<number>;
}

async function openTarget(ports: DataExportPorts, { file, format, overwrite = false }: ExportRequest): Promise<Target> {
  const { files } = ports;
  if (format === 'sqlite') return databaseTarget(ports, await files.createDatabase(file, { overwrite }));
  const writer = await files.create(file, { overwrite });
  switch (format) {
    case 'json':
    case 'ndjson':
      return linesTarget(ports, writer, format);
    case 'csv':
    case 'markdown':
      return textTarget(ports, writer, format);
  }
}

/** A record on each line, between what tells about the export. */
function linesTarget(ports: DataExportPorts, writer: ExportWriter, format: 'json' | 'ndjson'): Target {
  const [begin, after, end] = format === 'json' ? ['[\n', ',\n', '\n]\n'] : ['', '\n', '\n'];
  const lines = format === 'json' ? jsonElements() : ndjsonLines();
  return {
    restart: () => writer.restart(),
    abandon: () => writer.abandon(),
    async run(snapshot, header, onProgress, signal) {
      await writer.write(begin + JSON.stringify(aboutExport(HEADER_ID, header)) + after);
      const source = { batches: keptRecords(snapshot, ports.collections) };
      const transformation = cleaner(ports, header).pipe(lines);
      const sink = { write: (texts: readonly string[]) => writer.write(texts.join('')) };
      const limits = { maxRejected: 0 };
      const told = { onProgress: (progress: { readonly in: number }) => onProgress(progress.in) };
      return (await ports.processor.run({ source, transformation, sink, limits, ...told }, signal)).in;
    },
    async finish({ records }) {
      await writer.write(JSON.stringify(aboutExport(END_ID, { records, sha256: writer.digest() })) + end);
      return writer.finish();
    },
  };
}

function databaseTarget(ports: DataExportPorts, database: ExportDatabaseWriter): Target {
  return {
    restart: () => database.restart(),
    abandon: () => database.abandon(),
    async run(snapshot, header, onProgress, signal) {
      const source = { batches: keptRecords(snapshot, ports.collections) };
      const sink = { write: (records: readonly KeptRecord[]) => database.writeRecords(records) };
      const limits = { maxRejected: 0 };
      const told = { onProgress: (progress: { readonly in: number }) => onProgress(progress.in) };
      const transformation = cleaner(ports, header);
      return (await ports.processor.run({ source, transformation, sink, limits, ...told }, signal)).in;
    },
    finish: ({ header }) => database.finish(header),
  };
}

/** Tables and documents: made of records as objects. */
function textTarget(ports: DataExportPorts, writer: ExportWriter, format: 'csv' | 'markdown'): Target {
  return {
    restart: () => writer.restart(),
    abandon: () => writer.abandon(),
    async run(snapshot, header, onProgress, signal) {
      const { collections, document, secretPlaces } = ports;
      const isDocument = format === 'markdown';
      const batches = isDocument ? document.records(snapshot) : plainRecords(snapshot, collections, header);
      const redact = redactStep(header.isRedacted ? { paths: secretPlaces } : { secrets: [] });
      const result = await ports.processor.run(
        {
          source: { batches },
          transformation: redact.pipe(
            isDocument ? document.format() : csv({ columns: columns.map((at) => ({ at, header: at })) }),
          ),
          sink: { write: (texts) => writer.write(texts.join('')) },
          limits: { maxRejected: 0 },
          onProgress: (progress) => onProgress(progress.in),
        },
        signal,
      );
      return result.in - (isDocument ? 0 : 1);
    },
    finish: () => writer.finish(),
  };
}

function cleaner(ports: DataExportPorts, { isRedacted }: ExportHeader): DataTransformation<KeptRecord, KeptRecord> {
  return isRedacted ? redactKept(ports.secretPlaces) : keepAll();
}

async function* keptRecords(
  snapshot: Snapshot,
  collections: readonly Collection<never>[],
): AsyncGenerator<readonly KeptRecord[]> {
  for (const collection of collections) yield* snapshot.readKept(collection);
}

async function* plainRecords(
  snapshot: Snapshot,
  collections: readonly Collection<never>[],
  header: ExportHeader,
): AsyncGenerator<readonly JsonObject[]> {
  yield [aboutExport(HEADER_ID, header)];
  for await (const page of keptRecords(snapshot, collections)) yield page.map(plainOf);
}
