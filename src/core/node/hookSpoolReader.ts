import fs from 'node:fs';
import type { HookReport } from '../agents/signals/hookReport';
import type { Clock } from '../base/clock';
import { type Disposable, MutableDisposable, toDisposable } from '../base/disposable';
import { ignore, type Logger } from '../base/log';
import { UNFINISHED_ENDING } from '../../shared/hookSpool';
import { drainHookSpool, type VerifyLeft } from './hookSpool';

/** 50 ms: hooks that come together are read together. */
const SETTLE_MS = 50;
/** 2 s between two readings: who may not call more often gains nothing by the spool, of which 500 reports are the most. */
const PAUSE_MS = 2_000;
/** 30 s: how often is looked where the folder cannot be watched. */
const CHECK_MS = 30_000;

export interface HookSpoolReaderOptions {
  /** Made when it is missing. */
  readonly folder: string;
  readonly verify: VerifyLeft;
  /** Takes one report; what it rejects with leaves the report, and all after it, for the next reading. */
  readonly deliver: (report: HookReport) => Promise<unknown>;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Reads the spool for as long as an owner is in charge: what is there at its start, and what hooks leave later, when their token had just
 * ended or the engine was too busy for them. The folder is watched; nothing is polled unless it cannot be.
 */
export class HookSpoolReader implements Disposable {
  readonly #watching = new MutableDisposable<Disposable>();
  readonly #timer = new MutableDisposable<Disposable>();
  readonly #abort = new AbortController();
  #watchedInode: number | undefined;
  #turn: Promise<void> = Promise.resolve();
  #isDue = false;
  #nextMs = -Infinity;

  private constructor(private readonly options: HookSpoolReaderOptions) {}

  /** Resolves when everything that was there is handed over. Never rejects. */
  static async open(options: HookSpoolReaderOptions): Promise<HookSpoolReader> {
    const reader = new HookSpoolReader(options);
    await reader.#read();
    return reader;
  }

  /** What is being read is finished with the report under way. */
  dispose(): void {
    this.#abort.abort(new Error('this owner reads no more'));
    this.#watching.dispose();
    this.#timer.dispose();
  }

  #readSoon(): void {
    if (this.#isDue || this.#abort.signal.aborted) return;
    this.#isDue = true;
    const { clock } = this.options;
    this.#timer.value = clock.setTimer(
      Math.max(SETTLE_MS, this.#nextMs - clock.monotonicMs()),
      () => void this.#read(),
    );
  }

  #read(): Promise<void> {
    this.#isDue = false;
    this.#turn = this.#turn.then(() => this.#readNow());
    return this.#turn;
  }

  async #readNow(): Promise<void> {
    const { folder, verify, deliver, clock, log } = this.options;
    const { signal } = this.#abort;
    if (signal.aborted) return;
    try {
      this.#watch();
      await drainHookSpool(folder, verify, deliver, log, signal);
    } catch (error) {
      this.#watchedInode = undefined;
      log.warn('what hooks had left could not be read; it is tried again', { error });
    }
    if (signal.aborted) return;
    this.#nextMs = clock.monotonicMs() + PAUSE_MS;
    if (this.#watchedInode === undefined && !this.#isDue)
      this.#timer.value = clock.setTimer(CHECK_MS, () => void this.#read());
  }

  /** Watches the folder that is there now; before it is read, so that nothing is missed between the two. */
  #watch(): void {
    const { folder, log } = this.options;
    if (!fs.existsSync(folder)) fs.mkdirSync(folder, { mode: 0o700 }); // nothing above it: a data folder that is gone stays gone
    const inode = fs.lstatSync(folder).ino;
    if (inode === this.#watchedInode) return;
    this.#watchedInode = undefined;
    try {
      const watcher = fs.watch(folder, { persistent: false });
      watcher.on('change', (_, name) => !String(name).endsWith(UNFINISHED_ENDING) && this.#readSoon());
      watcher.on('error', (error) => {
        ignore(log, error, 'the watch on the spool of hooks ended; it is made again');
        this.#watchedInode = undefined;
        this.#readSoon();
      });
      this.#watching.value = toDisposable(() => watcher.close());
      this.#watchedInode = inode;
    } catch (error) {
      this.#watching.value = undefined;
      ignore(log, error, 'the spool of hooks cannot be watched; it is looked into now and then');
    }
  }
}
