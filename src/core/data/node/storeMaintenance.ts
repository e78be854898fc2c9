import { DataError } from '../dataErrors';
import type {
  BackupReport,
  CheckDepth,
  CompactReport,
  MaintenanceOptions,
  StoreCheckReport,
  StoreFinding,
} from '../durableStore';
import type { CheckTask } from './checkStoreFile';
import type { StoreSnapshot } from '../dataStore';
import { placeCopy } from './placeCopy';
import { readSnapshot } from './readSnapshot';
import type { StoreConnection } from './storeConnection';
import type { HeldStore } from './storeProtocol';
import type { OpenReader } from './storeReader';

/** Checks a file, somewhere that nobody waits for. Rejects with the signal's reason when it is aborted. */
export type RunCheck = (
  task: CheckTask,
  signal: AbortSignal,
  onProgress?: MaintenanceOptions['onProgress'],
) => Promise<StoreCheckReport>;

export interface StoreMaintenanceOptions {
  readonly connection: StoreConnection;
  readonly runCheck: RunCheck;
  readonly wasmFile: string;
  /** Without it there are no snapshots. */
  readonly openReader?: OpenReader | undefined;
}

/**
 * Work on a store beside its writers. What reads the whole file is done one after the other, while the store holds its main file
 * unchanged; writers go on, into the log.
 */
export class StoreMaintenance {
  readonly #options: StoreMaintenanceOptions;
  readonly #end = new AbortController();
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: StoreMaintenanceOptions) {
    this.#options = options;
  }

  check(depth: CheckDepth, { signal, onProgress }: MaintenanceOptions = {}): Promise<StoreCheckReport> {
    return this.#inTurn(signal, async (ended) => {
      const report = await this.#whileHeld((held) => this.#check(held, depth, ended, onProgress));
      const isIndexDamaged = report.findings.some(({ code }) => code === 'check.search');
      if (isIndexDamaged) await this.#options.connection.maintain({ do: 'reindex' });
      return report;
    });
  }

  backup(file: string, { signal, onProgress }: MaintenanceOptions = {}): Promise<BackupReport> {
    return this.#inTurn(signal, (ended) => this.#backup(file, ended, onProgress));
  }

  snapshot<R>(
    use: (snapshot: StoreSnapshot) => Promise<R>,
    { signal }: Pick<MaintenanceOptions, 'signal'> = {},
  ): Promise<R> {
    return this.#inTurn(signal, (ended) => {
      const { openReader } = this.#options;
      if (!openReader) throw new DataError('data.engineUnavailable', 'nothing reads the file beside the store');
      return readSnapshot({ whileHeld: (work) => this.#whileHeld(work), openReader, signal: ended }, use);
    });
  }

  compact({ signal, onProgress }: MaintenanceOptions = {}): Promise<CompactReport> {
    return this.#inTurn(signal, async (ended) => {
      const { connection } = this.#options;
      let before: number | undefined;
      for (let total = 0; ;) {
        const { compacted } = await connection.maintain({ do: 'compact' });
        if (!compacted) throw new DataError('data.io', 'the store did not say what it has given back');
        const { unusedPages, beforeBytes, afterBytes } = compacted;
        before ??= beforeBytes;
        if (unusedPages === 0) return { beforeBytes: before, afterBytes };
        total ||= unusedPages;
        onProgress?.({ phase: 'compacting', done: total - unusedPages, total });
        ended.throwIfAborted();
      }
    });
  }

  /** Ends what is under way and waits for that. */
  async close(): Promise<void> {
    this.#end.abort(new DataError('data.closed', 'the store is closed'));
    await this.#last;
  }

  async #inTurn<T>(signal: AbortSignal | undefined, work: (ended: AbortSignal) => Promise<T>): Promise<T> {
    const ended = signal ? AbortSignal.any([signal, this.#end.signal]) : this.#end.signal;
    const turn = this.#last.then(() => {
      ended.throwIfAborted();
      return work(ended);
    });
    this.#last = turn.catch(() => undefined); // its caller is told
    return turn;
  }

  async #whileHeld<T>(work: (held: HeldStore) => Promise<T>): Promise<T> {
    const { connection } = this.#options;
    const { held } = await connection.maintain({ do: 'hold' });
    if (!held) throw new DataError('data.io', 'the store did not hold its file');
    let result: T;
    try {
      result = await work(held);
    } catch (error) {
      await connection.maintain({ do: 'release', hold: held.hold }).catch(() => undefined); // the first error counts
      throw error;
    }
    await connection.maintain({ do: 'release', hold: held.hold }); // fails when the file did change meanwhile
    return result;
  }

  #check(
    { file, notedSeq }: HeldStore,
    depth: CheckDepth,
    ended: AbortSignal,
    onProgress: MaintenanceOptions['onProgress'],
  ): Promise<StoreCheckReport> {
    const { runCheck, wasmFile } = this.#options;
    return runCheck({ file, wasmFile, depth, ...(notedSeq === undefined ? {} : { notedSeq }) }, ended, onProgress);
  }

  #backup(file: string, ended: AbortSignal, onProgress: MaintenanceOptions['onProgress']): Promise<BackupReport> {
    const { runCheck, wasmFile } = this.#options;
    let seq = 0;
    return placeCopy({
      to: file,
      signal: ended,
      onProgress,
      copy: (write) =>
        this.#whileHeld((held) => {
          ({ seq } = held);
          return write(held.file);
        }),
      check: async (copied) => {
        const report = await runCheck({ file: copied, wasmFile, depth: 'full' }, ended, onProgress);
        if (!report.isWhole) throw damaged(report.findings);
        if (report.seq !== seq) throw new DataError('data.io', 'the copy is not the state that was asked for');
        return report;
      },
    });
  }
}

function damaged(findings: readonly StoreFinding[]): DataError {
  const [first] = findings.filter(({ code }) => code !== 'check.search');
  return new DataError('data.corrupt', `no backup was made, the store is damaged: ${first?.message ?? ''}`);
}
