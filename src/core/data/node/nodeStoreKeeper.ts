import fs from 'node:fs';
import nodePath from 'node:path';
import { DataError } from '../dataErrors';
import type { BackupReport, MaintenanceOptions } from '../durableStore';
import type { InspectedFile, KeptBackup, KeptCheck, PrepareOptions, StoreKeeper, StoreSizes } from '../storeCare';
import { errnoCode } from './fileSystem';
import { inspectBackup } from './inspectBackup';
import { archiveFolder, listMonths } from './monthArchive';
import { backupName, backupsFolder, listBackups } from './storeBackups';
import { findStore, isAside } from './storeFiles';
import { readBackupHeader } from './storeHeader';
import type { RunCheck } from './storeMaintenance';
import { prepareRestore } from './storeRestore';

export interface NodeStoreKeeperOptions {
  /** Data folder of the workspace. */
  readonly folder: string;
  readonly runCheck: RunCheck;
  readonly wasmFile: string;
}

/** Backups of what was there before a restore that are kept. */
const keptBeforeRestore = 5;
const checkName = 'store.check.json';

/** The files of a store, in the data folder of its workspace. */
export class NodeStoreKeeper implements StoreKeeper {
  constructor(private readonly options: NodeStoreKeeperOptions) {}

  async sizes(): Promise<StoreSizes> {
    const { folder } = this.options;
    const found = fs.existsSync(folder) ? findStore(folder) : undefined;
    const backups = listBackups(folder);
    const months = listMonths(folder);
    const aside = fs.existsSync(folder) ? fs.readdirSync(folder).filter((name) => isAside(name)) : [];
    return {
      ...(found && { file: found.main }),
      mainBytes: found ? sizeOf(found.main) : 0,
      walBytes: found ? sizeOf(`${found.main}-wal`) : 0,
      backupBytes: backups.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      asideBytes: aside.reduce((sum, name) => sum + sizeOf(nodePath.join(folder, name)), 0),
      archiveBytes: months.reduce((sum, file) => sum + sizeOf(file), 0),
      ...(months.length > 0 && { archive: archiveFolder(folder) }),
    };
  }

  async backups(): Promise<readonly KeptBackup[]> {
    return listBackups(this.options.folder);
  }

  newBackupFile(kind: 'manual' | 'beforeRestore', nowMs: number, seq: number): string {
    return nodePath.join(backupsFolder(this.options.folder), backupName(kind, nowMs, seq));
  }

  async removeBackup(file: string): Promise<void> {
    if (listBackups(this.options.folder).some((backup) => backup.file === file)) await fs.promises.rm(file);
  }

  requireBackup(file: string): void {
    if (!nodePath.isAbsolute(file))
      throw new DataError('data.fileUnusable', 'the name of a backup is an absolute path');
    if (!readBackupHeader(file)) throw new DataError('data.fileUnusable', `${file} is not a backup of this product`);
  }

  async inspectBackup(file: string, kind: string, options: MaintenanceOptions): Promise<InspectedFile> {
    const { runCheck, wasmFile } = this.options;
    return inspectBackup({ file, kind, runCheck, wasmFile, ...options });
  }

  async prepareRestore(backup: string, options: PrepareOptions): Promise<BackupReport> {
    const report = await prepareRestore({ ...this.options, ...options, backup });
    const former = listBackups(this.options.folder).filter(
      ({ kind, file }) => kind === 'beforeRestore' && file !== backup,
    );
    for (const { file } of former.slice(keptBeforeRestore)) await fs.promises.rm(file, { force: true });
    return report;
  }

  async lastCheck(): Promise<KeptCheck | undefined> {
    try {
      return parseCheck(JSON.parse(await fs.promises.readFile(this.#checkFile, 'utf8')));
    } catch {
      return undefined; // none is kept, or it is not readable: it is made again
    }
  }

  async keepCheck(check: KeptCheck): Promise<void> {
    const temporary = `${this.#checkFile}.tmp`;
    try {
      await fs.promises.writeFile(temporary, JSON.stringify(check), { mode: 0o600 });
      await fs.promises.rename(temporary, this.#checkFile);
    } catch (error) {
      const code = errnoCode(error) ?? 'unknown';
      throw new DataError('data.io', `the result of the check cannot be kept (${code})`, { cause: error });
    }
  }

  /** Another file is the store now. */
  forgetCheck(): void {
    fs.rmSync(this.#checkFile, { force: true });
  }

  get #checkFile(): string {
    return nodePath.join(this.options.folder, checkName);
  }
}

function sizeOf(file: string): number {
  return fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** Written by {@link NodeStoreKeeper.keepCheck}, perhaps of another version: what is not as expected counts as none. */
function parseCheck(value: unknown): KeptCheck | undefined {
  const check = value as KeptCheck | null;
  const isCheck =
    typeof check === 'object' &&
    check !== null &&
    Number.isFinite(check.atMs) &&
    typeof check.cause === 'string' &&
    typeof check.report?.isWhole === 'boolean' &&
    Array.isArray(check.report.findings);
  return isCheck ? check : undefined;
}
