import type { Clock } from './base/clock';
import { type Disposable, DisposableStore } from './base/disposable';
import { describeError } from './base/errors';
import type { Logger } from './base/log';
import { DataError } from './data/dataErrors';
import type { StoreCheckReport } from './data/durableStore';
import { StoreCare, type KeptCheck, type RestoreReport, type StoreKeeper } from './data/storeCare';
import { StoreCheckSchedule } from './data/storeCheckSchedule';
import { STORE_DAMAGED } from './engine';
import type { EngineCalls } from './engineCalls';
import { optionsOf } from './maintenanceSteps';
import { AlertLevel, type AlertSink } from './monitoring/alertSink';
import type { OpenedStore, Workspace } from './workspace';

export interface OwnerMaintenancePorts {
  readonly opened: OpenedStore;
  readonly workspace: Pick<Workspace, 'storeKeeper'>;
  readonly notices: AlertSink;
  /** Opens the store anew, under the same ownership. */
  readonly reopen: () => void;
  /** See {@link StoreCheckSchedule}. */
  readonly checkBesideFile?: (signal: AbortSignal) => Promise<boolean>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The calls about the store itself. */
export type MaintenanceCalls = Pick<
  EngineCalls,
  'dataStatus' | 'checkData' | 'backUpData' | 'restoreData' | 'compactData'
>;

/** Between the answer to who asked for a restore and the end of the session that answers. */
const REOPEN_AFTER_MS = 200;

/** What the owner does with its store, when a person asks for it and by itself. Ends with the session. */
export class OwnerMaintenance implements MaintenanceCalls, Disposable {
  readonly #owned = new DisposableStore();
  readonly #end = new AbortController();
  readonly #care: StoreCare | undefined;

  constructor(private readonly ports: OwnerMaintenancePorts) {
    const { opened, workspace, checkBesideFile, clock, log } = ports;
    const keeper = workspace.storeKeeper;
    if (!opened.durable || !keeper) return; // it lives as long as the process, as in tests: nothing to look after
    const { store, wasUnclean, isChecked, onDidFindDamage } = opened.durable;
    this.#care = new StoreCare({ store, keeper, clock, log, onDidCheck: (check) => this.#onDidCheck(check) });
    const seq = (): number => store.health.seq;
    const schedule = { care: this.#care, keeper, checkBesideFile, seq, wasUnclean, isChecked, clock, log };
    this.#owned.add(new StoreCheckSchedule(schedule));
    void this.#tellKnownDamage(keeper);
    this.#owned.add(onDidFindDamage(() => void this.#lookCloser()));
  }

  dispose(): void {
    this.#end.abort(new DataError('data.closed', 'the store is closed'));
    this.#owned.dispose();
  }

  dataStatus: EngineCalls['dataStatus'] = async () => this.#demand().status();

  checkData: EngineCalls['checkData'] = async (depth, onProgress, signal) =>
    this.#demand().check(depth, 'person', optionsOf(onProgress, signal));

  /** The full check for a person, as a part of another one. @throws as `checkData` */
  checkFile(options: { readonly signal?: AbortSignal }): Promise<StoreCheckReport> {
    return this.#demand().check('full', 'person', options);
  }

  backUpData: EngineCalls['backUpData'] = async (file, onProgress, signal) =>
    this.#demand().backUp(file, optionsOf(onProgress, signal));

  compactData: EngineCalls['compactData'] = async (onProgress, signal) =>
    this.#demand().compact(optionsOf(onProgress, signal));

  restoreData: EngineCalls['restoreData'] = async (backup, onProgress, signal): Promise<RestoreReport> => {
    const report = await this.#demand().restore(backup, optionsOf(onProgress, signal));
    const { clock, reopen } = this.ports;
    this.#owned.add(clock.setTimer(REOPEN_AFTER_MS, reopen));
    return report;
  };

  /** Says what is damaged, and tells the person. */
  async #lookCloser(): Promise<void> {
    const { log } = this.ports;
    try {
      await this.#care?.check('full', 'schedule', { signal: this.#end.signal });
    } catch (error) {
      if (!this.#end.signal.aborted)
        log.warn('the damaged store could not be checked', { error: describeError(error) });
    }
  }

  /** What an earlier check has found is still so until another one finds nothing, or another file is the store. */
  async #tellKnownDamage(keeper: StoreKeeper): Promise<void> {
    const check = await keeper.lastCheck();
    if (check && !check.report.isWhole && !this.#owned.isDisposed) this.#onDidCheck(check);
  }

  #onDidCheck({ report, atMs }: KeptCheck): void {
    const { notices } = this.ports;
    const [first] = report.findings;
    if (report.isWhole) return void (report.depth === 'full' && notices.resolve(STORE_DAMAGED));
    const more = report.findings.length - 1;
    const others = more > 0 ? ` And ${report.isCut ? 'more than ' : ''}${more} more.` : '';
    notices.raise({
      fingerprint: STORE_DAMAGED,
      level: AlertLevel.Critical,
      title: 'The store is damaged',
      detail: `${first?.message ?? 'A check has found something.'}${others} Nothing was changed. A backup from before the damage can be restored; what is not damaged is served until then. This can be a sign of a failing disk.`,
      atMs,
    });
  }

  #demand(): StoreCare {
    if (this.#care) return this.#care;
    throw new DataError('data.invalid', 'this store is not kept in a file');
  }
}
