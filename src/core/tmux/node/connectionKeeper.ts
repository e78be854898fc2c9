import type { HostStatus } from '../../agents/agentHost';
import { sleep, type Clock } from '../../base/clock';
import { describeError } from '../../base/errors';
import { ignore, type Logger } from '../../base/log';
import { TmuxError } from '../tmuxErrors';
import type { TmuxConnection } from './tmuxConnection';

/** A connection that was opened and the promise of the reason why it will have ended. */
export interface OpenedConnection {
  readonly connection: TmuxConnection;
  readonly version: string;
  readonly lost: Promise<string>;
}

export interface ConnectionKeeperOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** One attempt. @throws {TmuxError} */
  readonly open: () => Promise<OpenedConnection>;
  /** Before `ready`: learns what runs there. A rejection ends the connection. */
  readonly onConnected: (connection: TmuxConnection) => Promise<void>;
  readonly onDisconnected: () => void;
  /** A connection was opened after all when nobody wanted it any more: it must be closed, and what was made for it undone. */
  readonly onAbandoned: (connection: TmuxConnection) => void;
  readonly onStatus: (status: HostStatus) => void;
  /** Waits before attempt n (1, 2, …); rejects when aborted. Default: {@link backOff}. */
  readonly waitBeforeRetry?: (attempt: number, signal: AbortSignal) => Promise<void>;
}

const FIRST_RETRY_MS = 20;
const MAX_RETRY_MS = 5_000;
/** 10 s without an answer to the attach: said to be lost, while the attempt goes on. A second client would not be answered either. */
const SILENT_MS = 10_000;

/** Keeps one connection alive: opens it, tells when it is lost, opens it again with growing waits. One attempt at a time. */
export class ConnectionKeeper {
  #status: HostStatus = { kind: 'stopped' };
  #connection: TmuxConnection | undefined;
  #version = '';
  #stopping = new AbortController();
  #stopped: Promise<string> = new Promise(() => {});
  #isLooping = false;
  #isSilent = false;
  #settled: Promise<void> = Promise.resolve();
  #settle: () => void = () => {};

  constructor(private readonly options: ConnectionKeeperOptions) {}

  get status(): HostStatus {
    return this.#status;
  }

  /** The connection that can be used now. */
  get connection(): TmuxConnection | undefined {
    return this.#connection;
  }

  /** The first attempt has no outcome yet. */
  get isStarting(): boolean {
    return this.#isLooping && this.#status.kind === 'stopped';
  }

  /** Resolves as soon as the outcome of the first attempt is known. While blocked, calling it tries again. */
  start(): Promise<void> {
    if (this.#isLooping) return this.#settled;
    this.#isLooping = true;
    this.#stopping = new AbortController();
    this.#stopped = aborted(this.#stopping.signal);
    this.#settled = new Promise((resolve) => (this.#settle = resolve));
    void this.#loop(this.#stopping.signal);
    return this.#settled;
  }

  /** Ends the keeping; the caller gets the connection to close it. */
  stop(): TmuxConnection | undefined {
    const connection = this.#connection;
    this.#stopping.abort(new Error('stopped'));
    this.#isLooping = false;
    this.#connection = undefined;
    this.#setStatus({ kind: 'stopped' });
    this.#settle();
    return connection;
  }

  /** A command was not answered in time. The connection stays: the answer may come yet, and new clients would wait as well. */
  noteSilence(): void {
    if (this.#status.kind !== 'ready') return;
    this.#isSilent = true;
    this.#setStatus({ kind: 'lost', reason: 'tmux does not answer' });
  }

  /** The server answers. */
  noteAnswer(): void {
    if (!this.#isSilent || !this.#connection) return;
    this.#isSilent = false;
    this.#setStatus({ kind: 'ready', version: this.#version });
  }

  async #loop(signal: AbortSignal): Promise<void> {
    const { waitBeforeRetry = this.#backOff, log } = this.options;
    let hasRun = false;
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        const reason = await this.#keepOne(signal, () => {
          attempt = 0;
          hasRun = true;
        });
        if (signal.aborted) return;
        this.#setStatus({ kind: 'lost', reason });
      } catch (error) {
        if (signal.aborted) return;
        if (this.#isBlocking(error, hasRun)) return;
        this.#setStatus({ kind: 'lost', reason: reasonOf(error) });
      }
      this.#settle();
      await waitBeforeRetry(attempt + 1, signal).catch((error: unknown) => ignore(log, error, 'stopped while waiting'));
    }
  }

  /** One connection from its opening to its loss. */
  async #keepOne(signal: AbortSignal, onReady: () => void): Promise<string> {
    const silence = this.options.clock.setTimer(SILENT_MS, () => {
      this.#setStatus({ kind: 'lost', reason: 'tmux does not answer' });
      this.#settle();
    });
    const { connection, version, lost } = await this.options.open().finally(() => silence.dispose());
    if (signal.aborted) {
      this.options.onAbandoned(connection);
      return 'stopped';
    }
    try {
      this.#connection = connection;
      this.#version = version;
      const early = await Promise.race([this.options.onConnected(connection), lost]);
      if (signal.aborted) return 'stopped';
      if (early !== undefined) return early;
      onReady();
      this.#setStatus({ kind: 'ready', version });
      this.#settle();
      return await Promise.race([lost, this.#stopped]);
    } finally {
      if (!signal.aborted) {
        connection.dispose();
        this.#connection = undefined;
        this.#isSilent = false;
        this.options.onDisconnected();
      }
    }
  }

  /** What only a person can change is not tried again by itself. A program that was there a moment ago is being replaced, by an upgrade. */
  #isBlocking(error: unknown, hasRun: boolean): boolean {
    if (hasRun && TmuxError.is(error, 'tmux.notInstalled')) return false;
    const isBlocked =
      error instanceof TmuxError && (error.disposition === 'reconfigure' || error.code === 'tmux.fenced');
    if (!isBlocked) return false;
    this.#isLooping = false;
    this.#setStatus({ kind: 'blocked', code: error.code, detail: error.detail ?? error.message });
    this.#settle();
    return true;
  }

  readonly #backOff = (attempt: number, signal: AbortSignal): Promise<void> =>
    sleep(this.options.clock, Math.min(FIRST_RETRY_MS * 2 ** (attempt - 1), MAX_RETRY_MS), signal);

  #setStatus(status: HostStatus): void {
    if (this.#status.kind === 'stopped' && status.kind === 'stopped') return;
    // Every attempt has an outcome: what is still so was said already.
    const isKnown = this.#status.kind === 'lost' && status.kind === 'lost' && this.#status.reason === status.reason;
    if (status.kind === 'lost' && !isKnown) this.options.log.warn('tmux: not reachable', { reason: status.reason });
    this.#status = status;
    this.options.onStatus(status);
  }
}

const MAX_REASON_LENGTH = 300;

/** What tmux or the system said, in one line. */
function reasonOf(error: unknown): string {
  const text = (error instanceof TmuxError ? error.detail : undefined) ?? describeError(error);
  return text.replace(/\s+/g, ' ').trim().slice(0, MAX_REASON_LENGTH);
}

function aborted(signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve('stopped'), { once: true }));
}
