import type { Clock } from '../../base/clock';
import type { Logger } from '../../base/log';
import { DataError } from '../dataErrors';
import type { StoreEngineChoice } from '../storeEngine';
import { checkTableNames, checkTables } from './checkIndexes';
import { epochFence, type Fence } from './epochFence';
import { backUpBeforeSchema } from './automaticBackups';
import { errnoCode, type FileSystem, guardWrites, nodeFileSystem } from './fileSystem';
import { HighWater } from './highWater';
import type { AtStoreFaultPoint } from './storeFaultPoints';
import { openSqlEngine, type SqlEngineId, sqlEnginesOf } from './openSqlEngine';
import { proveWrites } from './proveWrites';
import { type SqlEngine, SqlEngineError } from './sqlEngine';
import {
  copyToFreshFiles,
  findStore,
  hasLog,
  isEmptied,
  orphanedSeq,
  removeLeftovers,
  type StorePaths,
  storePaths,
  syncFolder,
} from './storeFiles';
import type { OpenReport } from './storeProtocol';
import { forgetQuarantined, quarantine, readQuarantined } from './storeQuarantine';
import { applyRestore } from './storeRestore';
import { applicationId, migrate, newestSchema, number, type SchemaOutcome } from './storeSchema';
import { lastSeq } from './storeSql';
import { StoreSession } from './storeSession';

/** Everything a store's thread is told; plain data, so that it can cross threads. */
export interface StoreSettings {
  /** Data folder of the workspace; it also holds the lock files. Must exist. */
  readonly folder: string;
  readonly wasmFile: string;
  /** Epoch of the owner; its lock file is the fence. */
  readonly epoch: number;
  /** False in tests without a workspace lock: every write is allowed. */
  readonly isFenced: boolean;
  /** A suspended process may hold the files open: copy them first. */
  readonly hasStaleWriter: boolean;
  readonly onDamage: 'reject' | 'quarantine';
  /** A person accepted that acknowledged changes are gone, and damaged stores that were put aside so far. */
  readonly acceptMissingChanges: boolean;
  readonly engine: StoreEngineChoice;
}

export interface StorePorts {
  readonly clock: Clock;
  readonly log: Logger;
  /** Default: the real one. */
  readonly files?: FileSystem;
  /** Default: nobody is told. */
  readonly at?: AtStoreFaultPoint;
}

/** Larger files are not checked while somebody waits for the store to open, but soon after (storeCheckSchedule.ts). */
const checkedAtOpenBytes = 64 * 1024 * 1024;

/**
 * Opens the store in `settings.folder`, or makes one. Damage is never passed over: it is rejected, or – when asked to
 * – the damaged files are moved aside; where to is in the report of this opening and of each one after it, until a
 * backup is restored or a person accepts it.
 * @throws {DataError} data.corrupt, data.newerSchema, data.engineUnavailable, data.fenced, data.io
 */
export async function openStoreSession(settings: StoreSettings, ports: StorePorts): Promise<OpenedSession> {
  const { folder, epoch } = settings;
  const fence: Fence = settings.isFenced ? epochFence(folder, epoch) : () => 'mine';
  if (fence() !== 'mine') throw new DataError('data.fenced', 'this process does not own the workspace');
  const at = ports.at ?? (() => undefined);
  if (settings.acceptMissingChanges) forgetQuarantined(folder);
  const restored = applyRestore(folder, epoch, ports.clock.nowMs(), at);
  if (restored) ports.log.warn('a backup has taken the place of the store', { ...restored });
  const hasFreshFiles = settings.hasStaleWriter && (await copyToFreshFiles(folder, epoch, ports.clock));
  if (hasFreshFiles) at('fresh.named');
  const opener = new StoreOpener(settings, { ...ports, at }, fence);
  try {
    const opened = await opener.openWithAny({ hasFreshFiles, ...(restored && { restored }) });
    // A backup with a damaged index of texts is whole: nothing of it is lost.
    const remade = restored && opened.session.maintain(0, { do: 'reindex' });
    if (remade?.type === 'answer' && remade.error) ports.log.warn('the index of texts was not made anew', { ...remade.error }); // prettier-ignore
    return opened;
  } catch (error) {
    if (settings.onDamage !== 'quarantine' || !DataError.is(error, 'data.corrupt')) throw error;
    const quarantined = quarantine(folder, ports.clock.nowMs(), at);
    ports.log.error('a damaged store was moved aside', { ...quarantined, error });
    return opener.openWithAny({ hasFreshFiles });
  }
}

type SoFar = Pick<OpenReport, 'hasFreshFiles' | 'restored'>;
interface OpenedSession {
  readonly session: StoreSession;
  readonly report: OpenReport;
}

class StoreOpener {
  #isLost = false;

  constructor(
    private readonly settings: StoreSettings,
    private readonly ports: StorePorts & { readonly at: AtStoreFaultPoint },
    private readonly fence: Fence,
  ) {}

  /** With the first engine of the choice that passes its self-test. */
  async openWithAny(soFar: SoFar): Promise<OpenedSession> {
    const [first, ...others] = sqlEnginesOf(this.settings.engine);
    try {
      return await this.#open(first, soFar);
    } catch (error) {
      const [other] = others;
      if (other === undefined || !DataError.is(error, 'data.engineUnavailable')) throw error;
      this.ports.log.error('the engine of the store failed its self-test; another one is tried', { error, other });
      return this.#open(other, soFar);
    }
  }

  async #open(engineId: SqlEngineId, soFar: SoFar): Promise<OpenedSession> {
    const files = guardWrites(this.ports.files ?? nodeFileSystem, () => !this.#isLost);
    const paths = this.#locate();
    const wasUnclean = hasLog(paths);
    let engine: SqlEngine | undefined;
    let highWater: HighWater | undefined;
    try {
      engine = await openSqlEngine(engineId, paths.main, { wasmFile: this.settings.wasmFile, files });
      this.ports.at('open.opened');
      this.#keepBeforeMigration(engine, paths);
      const schema = migrate(engine);
      this.ports.at('open.migrated');
      checkTableNames(engine);
      const isChecked = this.#check(engine);
      highWater = new HighWater(paths.highWater, files);
      this.#prove(engine, files, paths);
      this.ports.at('open.proved');
      removeLeftovers(this.settings.folder, paths);
      syncFolder(this.settings.folder);
      const missing = this.#compare(engine, highWater);
      const session = this.#session(engine, highWater, paths, schema, missing);
      const quarantined = readQuarantined(this.settings.folder);
      const report = { ...reportOf(paths, schema, isChecked, missing, soFar), ...(quarantined && { quarantined }) };
      return { session, report: { ...report, wasUnclean } };
    } catch (error) {
      engine?.close();
      highWater?.close();
      throw explain(error);
    }
  }

  #locate(): StorePaths {
    const { folder, epoch } = this.settings;
    const found = findStore(folder);
    if (found && isEmptied(found))
      throw new DataError('data.corrupt', 'the file of the store is empty, but it was not');
    if (!found && orphanedSeq(folder) > 0) throw new DataError('data.corrupt', 'the file of the store is gone');
    return found ?? storePaths(folder, epoch);
  }

  /** A store whose schema is about to change is copied first. */
  #keepBeforeMigration(engine: SqlEngine, paths: StorePaths): void {
    const version = number(engine, 'PRAGMA user_version');
    if (version === 0 || version >= newestSchema || number(engine, 'PRAGMA application_id') !== applicationId) return;
    this.#requireFence();
    try {
      if (!engine.checkpoint()) throw new DataError('data.io', 'the log cannot be moved into the main file');
      const file = backUpBeforeSchema(this.settings.folder, paths.main, newestSchema, this.ports.clock.nowMs());
      this.ports.log.info('the store was backed up before its schema changes', { file });
    } catch (error) {
      if (errnoCode(error) === undefined) throw error;
      throw new DataError('data.io', 'the store cannot be backed up before its schema changes', { cause: error });
    }
  }

  /** True when the structure of all that is kept was checked. The index of texts can be made anew, and is looked at when it is used. */
  #check(engine: SqlEngine): boolean {
    if (engine.stats().sizeBytes > checkedAtOpenBytes) return false;
    checkTables(engine, () => this.#requireFence(), this.ports.log);
    return true;
  }

  #requireFence(): void {
    if (this.fence() !== 'mine') throw new DataError('data.fenced', 'this process does not own the workspace');
  }

  /** A real durable write must reach the real file, or what is promised would not be true. */
  #prove(engine: SqlEngine, files: FileSystem, paths: StorePaths): void {
    this.#requireFence();
    proveWrites(engine, files, paths.main, this.settings.epoch);
  }

  #compare(engine: SqlEngine, highWater: HighWater): OpenReport['missingChanges'] {
    const foundSeq = lastSeq(engine);
    // The journal has no gap: a number that does not follow is none that was given out.
    if (foundSeq > 1 && !engine.get('SELECT 1 FROM changes WHERE seq = ?', [foundSeq - 1]))
      throw new DataError('data.corrupt', `the journal has change ${foundSeq} and not the one before it`);
    const noted = highWater.found;
    if (noted.kind === 'damaged') this.ports.log.warn('the note of the highest change is damaged');
    if (noted.kind === 'seq' && noted.seq > foundSeq) {
      if (!this.settings.acceptMissingChanges) return { acknowledgedSeq: noted.seq, foundSeq };
      this.ports.log.warn('missing changes were accepted', { acknowledgedSeq: noted.seq, foundSeq });
    }
    highWater.write(foundSeq);
    return undefined;
  }

  #session(
    engine: SqlEngine,
    highWater: HighWater,
    paths: StorePaths,
    schema: SchemaOutcome,
    missing: OpenReport['missingChanges'],
  ): StoreSession {
    const damage =
      missing &&
      `Changes ${missing.foundSeq + 1} to ${missing.acknowledgedSeq} were acknowledged but are not in the store.`;
    const { epoch } = this.settings;
    const onFenced = (): void => void (this.#isLost = true);
    const { fence } = this;
    const { log, at } = this.ports;
    const schemaVersion = schema.version;
    return new StoreSession({ engine, highWater, paths, fence, onFenced, epoch, schemaVersion, damage, log, at });
  }
}

function reportOf(
  paths: StorePaths,
  schema: SchemaOutcome,
  isChecked: boolean,
  missingChanges: OpenReport['missingChanges'],
  soFar: SoFar,
): Omit<OpenReport, 'wasUnclean'> {
  const isMigrated = !schema.isNew && schema.fromVersion < schema.version;
  return {
    ...soFar,
    file: paths.main,
    isNew: schema.isNew,
    isChecked,
    ...(isMigrated ? { migratedFromVersion: schema.fromVersion } : {}),
    ...(missingChanges ? { missingChanges } : {}),
  };
}

/** What a failed opening is: damage, only where the file itself is wrong. */
export function explain(error: unknown): unknown {
  if (DataError.is(error)) return error;
  const errno = errnoCode(error);
  if (errno !== undefined) return new DataError('data.io', `the store cannot be opened (${errno})`, { cause: error });
  if (!(error instanceof SqlEngineError)) return error;
  // The statements are right: one that fails here has met a schema that is damaged.
  const isDamaged = error.kind === 'corrupt' || error.kind === 'other';
  const code = isDamaged ? 'data.corrupt' : 'data.io';
  return new DataError(code, `the store cannot be opened: ${error.message}`, { cause: error });
}
