import { Worker } from 'node:worker_threads';
import { type Clock, SystemClock } from '../../base/clock';
import { type Logger, silentLogger } from '../../base/log';
import type { DurableStore } from '../durableStore';
import { StoreEngineChoice } from '../storeEngine';
import type { Ownership } from '../workspaceLock';
import type { StoreSettings } from './openStoreSession';
import { FileDataStore } from './fileDataStore';
import { AutomaticBackups } from './automaticBackups';
import { checkInThread } from './runCheck';
import { StoreConnection, type StartThread } from './storeConnection';
import { type RunCheck, StoreMaintenance } from './storeMaintenance';
import type { OpenReport } from './storeProtocol';
import { type OpenReader, readInThread } from './storeReader';
import { forgetRestored } from './storeRestore';
import type { WorkerMessage } from './storeThread';

export interface OpenDataStoreOptions {
  /** Data folder of the workspace (0700, made by the workspace lock); holds the store and the lock files. */
  readonly folder: string;
  /** The bundle of `storeWorker.ts`: `dist/storeWorker.js`. */
  readonly workerFile: string;
  /** `dist/sql-wasm.wasm`, unmodified from the pinned sql.js. */
  readonly wasmFile: string;
  /** The right to write, which fences every commit. Without it (tests, tools) nothing does. */
  readonly ownership?: Ownership;
  readonly clock?: Clock;
  readonly log?: Logger;
  /**
   * What to do with a damaged or foreign file: `reject` (default) fails with data.corrupt and touches nothing;
   * `quarantine` moves it aside and begins an empty store, which the caller must tell the person, at this opening and
   * at those after it (`report.quarantined`).
   */
  readonly onDamage?: 'reject' | 'quarantine';
  /** A person decided to go on although acknowledged changes are missing (`report.missingChanges`, `report.quarantined`). Default false. */
  readonly acceptMissingChanges?: boolean;
  /** So many automatic backups are kept in the folder (at most one is made a day); default 0: none is made. */
  readonly keptBackups?: number;
  /** An automatic backup found the store damaged. */
  readonly onBackupDamage?: () => void;
  /** What follows from a restore is still to be done by the caller, who says when (`forgetRestored`): a kill before then leaves it to the next opening. */
  readonly settlesRestore?: boolean;
  /** Default `auto`. */
  readonly engine?: StoreEngineChoice;
}

/**
 * Opens the store of a workspace in a thread of its own, or makes an empty one where there was none.
 * @throws {DataError} data.corrupt, data.newerSchema, data.engineUnavailable, data.fenced, data.io
 */
export async function openDataStore(
  options: OpenDataStoreOptions,
): Promise<{ readonly store: DurableStore; readonly report: OpenReport }> {
  const { ownership, log = silentLogger } = options;
  const settings: StoreSettings = {
    folder: options.folder,
    wasmFile: options.wasmFile,
    epoch: ownership?.epoch ?? 1,
    isFenced: ownership !== undefined,
    hasStaleWriter: ownership?.hasStaleWriter ?? false,
    onDamage: options.onDamage ?? 'reject',
    acceptMissingChanges: options.acceptMissingChanges ?? false,
    engine: options.engine ?? StoreEngineChoice.Auto,
  };
  const { store, report } = await connectStore(startWorkerThread(options.workerFile, settings, log), settings.epoch, {
    ...options,
    runCheck: checkInThread(options.workerFile),
    openReader: readInThread(options.workerFile, options.wasmFile),
  });
  if (settings.hasStaleWriter) ownership?.confirmFreshFiles();
  if (report.restored && !options.settlesRestore) forgetRestored(options.folder); // the caller has it now
  const backups = new AutomaticBackups({
    ...{ store, log, folder: options.folder, keep: options.keptBackups ?? 0 },
    clock: options.clock ?? new SystemClock(),
    onDamage: options.onBackupDamage,
  });
  store.onDidClose(() => backups.dispose());
  return { store, report };
}

/** The store behind any thread that serves the protocol. */
export async function connectStore(
  start: StartThread,
  epoch: number,
  {
    clock = new SystemClock(),
    log = silentLogger,
    runCheck,
    wasmFile = '',
    openReader,
  }: {
    readonly clock?: Clock;
    readonly log?: Logger;
    readonly runCheck: RunCheck;
    /** For checks. */
    readonly wasmFile?: string;
    /** For snapshots; default: there are none. */
    readonly openReader?: OpenReader;
  },
): Promise<{ readonly store: FileDataStore; readonly report: OpenReport }> {
  const connection = new StoreConnection(start, clock, log);
  const report = await connection.open();
  const maintenance = new StoreMaintenance({ connection, runCheck, wasmFile, openReader });
  return { store: new FileDataStore({ connection, maintenance, clock, log, epoch }), report };
}

/** Runs a store in a worker thread from the bundle `workerFile`. */
export function startWorkerThread(workerFile: string, settings: StoreSettings, log: Logger): StartThread {
  return (onReplies, onExit, isTakingOver) => {
    const workerData = isTakingOver ? takingOver(settings) : settings;
    // No inherited flags or environment: the worker needs neither, and a loader of the parent would only cost time.
    const worker = new Worker(workerFile, { workerData, name: 'store', execArgv: [], env: {} });
    let failure: Error | undefined;
    worker.on('message', (message: WorkerMessage) => {
      if ('replies' in message) onReplies(message.replies);
      else log[message.level](message.line);
    });
    worker.on('error', (error) => (failure = error));
    worker.on('exit', () => onExit(failure));
    return {
      post: (requests) => worker.postMessage(requests),
      terminate: async () => void (await worker.terminate()),
    };
  };
}

/** For a thread that takes over from one that crashed: what a person must be told, or has accepted of another opening, is not decided by it. */
function takingOver(settings: StoreSettings): StoreSettings {
  return { ...settings, onDamage: 'reject', acceptMissingChanges: false };
}
