import type { ImportReport } from '../../../shared/importReport';
import type { Clock } from '../../base/clock';
import { DataError } from '../dataErrors';
import type { DataStore } from '../dataStore';
import { Pacer } from '../processing/pacer';
import { ExchangeError } from './exchangeErrors';
import { type ImportKinds, type ImportPlan, ImportPlanner, type PlanPorts } from './importPlan';
import {
  type Digest,
  IMPORT_LIMITS,
  type ImportFiles,
  type ImportLimits,
  type ReadFile,
  readExport,
  refuseByName,
} from './importReader';

export interface ImportRequest {
  /** Absolute; an export as NDJSON or JSON. */
  readonly file: string;
  /** Records that differ from those here are replaced where that is possible. Default false: those here stay. */
  readonly replace?: boolean;
  /** The `fingerprint` of a report that a person has seen: it is applied, if the file is still that one. Default: nothing is written. */
  readonly apply?: string;
  /** Records against a rule are left out. Default false: one of them, and nothing is written. */
  readonly skipInvalid?: boolean;
  /** A file that was cut or changed after it was exported is taken all the same. Default false. */
  readonly acceptChanged?: boolean;
}

export interface DataImportPorts extends Omit<PlanPorts, 'store' | 'kinds' | 'breathe'> {
  readonly store: Pick<DataStore, 'get' | 'putAll' | 'health'>;
  readonly files: ImportFiles;
  readonly newDigest: () => Digest;
  /** Asked once for every reading. */
  readonly kinds: () => ImportKinds;
  readonly clock: Clock;
  /** Lets the event loop turn. */
  readonly breathe: () => Promise<void>;
  /**
   * Around the writing: called once with what is about to be written. It calls `write` once, or throws, and then nothing was written.
   * Here whoever holds such records in memory takes them over.
   */
  readonly apply: (plan: ImportPlan, write: () => Promise<void>) => Promise<void>;
  /** Default {@link IMPORT_LIMITS}. */
  readonly limits?: ImportLimits;
}

/** A store that is written to at the same places each time has more urgent things to do. */
const attempts = 3;

/**
 * Reads an export, checks every record of it, compares it with what is kept and says what would be; with `apply` that is written, in one
 * transaction: all or nothing. Nothing is started, approved or typed by it.
 * @throws {ExchangeError}; {DataError} as `DataStore.putAll`; the signal's reason. Nothing was written then
 */
export async function importData(
  ports: DataImportPorts,
  request: ImportRequest,
  onProgress: (records: number) => void,
  signal?: AbortSignal,
): Promise<ImportReport> {
  const { file, apply } = request;
  refuseByName(file);
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    const plan = await planImport(ports, request, onProgress, signal);
    if (apply === undefined) return { file, ...plan.report };
    requireAccepted(plan.report, request);
    if (plan.puts.length === 0) return { file, ...plan.report, isApplied: true };
    try {
      await ports.apply(plan, () => ports.store.putAll(plan.puts, { signal }));
      return { file, ...plan.report, isApplied: true };
    } catch (error) {
      // Somebody wrote one of these records in between.
      if (!DataError.is(error, 'data.conflict') || attempt >= attempts) throw error;
    }
  }
}

async function planImport(
  ports: DataImportPorts,
  { file, replace = false }: ImportRequest,
  onProgress: (records: number) => void,
  signal: AbortSignal | undefined,
): Promise<ImportPlan> {
  const { files, store, limits = IMPORT_LIMITS, clock, newDigest } = ports;
  const pacer = new Pacer(clock, ports.breathe);
  const breathe = (): Promise<void> | undefined => (pacer.isDue() ? pacer.pause() : undefined);
  const planner = new ImportPlanner({ ...ports, kinds: ports.kinds(), breathe }, { replace });
  const source = await files.open(file);
  let found: ReadFile;
  try {
    let count = 0;
    const told = (): Promise<void> | undefined => {
      if (++count % 1_000 === 0) onProgress(count);
      return breathe();
    };
    found = await readExport(
      source,
      { digest: newDigest(), schemaVersion: store.health.schemaVersion, limits },
      {
        onRecord: (record) => planner.add(record),
        onInvalid: (place, problems) => planner.refuse(place, problems),
        breathe: told,
      },
      signal,
    );
  } finally {
    await source.close();
  }
  onProgress(found.records);
  return planner.plan(found, signal);
}

/** @throws {ExchangeError} */
function requireAccepted(report: ImportPlan['report'], request: ImportRequest): void {
  const { fingerprint, integrity, counts } = report;
  if (fingerprint !== request.apply)
    throw new ExchangeError('exchange.fileChanged', 'the file is not the one any more of which the report told');
  if ((integrity === 'changed' || integrity === 'cut') && request.acceptChanged !== true)
    throw new ExchangeError(
      'exchange.notWhole',
      integrity === 'cut' ? 'the file was cut: its end is missing' : 'the file was changed after it was exported',
    );
  if (counts.invalid > 0 && request.skipInvalid !== true)
    throw new ExchangeError(
      'exchange.invalidRecords',
      `${counts.invalid} ${counts.invalid === 1 ? 'record is' : 'records are'} not valid`,
    );
}
