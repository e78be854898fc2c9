import type net from 'node:net';
import { LineReader } from '../../../shared/frameCodec';
import type { Clock } from '../../base/clock';
import { DisposableStore } from '../../base/disposable';
import { Emitter } from '../../base/event';
import { ignore, type Logger } from '../../base/log';
import type { GatewayConnection } from '../gatewayPorts';

export interface SocketConnectionOptions {
  /** Longest line from the other side, with its end. */
  readonly maxLineBytes: number;
  /**
   * While more than this waits for the other side, nothing is read from it: whoever does not listen is not listened to. On one
   * side only: two that wait for each other would wait for ever. Default: no bound.
   */
  readonly holdReadingAboveBytes?: number;
  readonly clock: Clock;
  readonly log: Logger;
}

const END_WITHIN_MS = 1_000;

/**
 * A connection over a socket: lines of UTF-8. A line that gets too long, or is no UTF-8, ends it at once; no more than one
 * line and one chunk (64 KiB) are ever kept.
 */
export class SocketConnection implements GatewayConnection {
  readonly #owned = new DisposableStore();
  readonly #reader: LineReader;
  readonly #onReceive: Emitter<string>;
  readonly #onClose: Emitter<void>;
  readonly onDidReceive: GatewayConnection['onDidReceive'];
  readonly onDidClose: GatewayConnection['onDidClose'];
  /** What was read but not yet taken because of a pause. */
  #rest: Uint8Array | undefined;
  #isPaused = false;
  #isReading = false;
  #isClosed = false;

  constructor(
    private readonly socket: net.Socket,
    private readonly options: SocketConnectionOptions,
  ) {
    const { log, maxLineBytes } = options;
    const report = (error: unknown): void => log.error('a listener of a connection failed', { error });
    this.#reader = new LineReader(maxLineBytes);
    this.#onReceive = new Emitter<string>(report);
    this.#onClose = new Emitter<void>(report);
    this.onDidReceive = this.#onReceive.event;
    this.onDidClose = this.#onClose.event;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('drain', () => this.#readOn());
    socket.on('error', (error) => ignore(log, error, 'the socket closes after it'));
    socket.on('close', () => this.#close());
  }

  send(line: string): number {
    if (this.#isClosed || this.socket.writableEnded) return 0;
    this.socket.write(`${line}\n`);
    if (this.#isSlow()) this.socket.pause();
    return this.socket.writableLength;
  }

  pause(): void {
    this.#isPaused = true;
    this.socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#readOn();
  }

  end(): void {
    if (this.#isClosed) return;
    this.pause();
    this.#owned.add(this.options.clock.setTimer(END_WITHIN_MS, () => this.socket.destroy()));
    this.socket.end(() => this.socket.destroy());
  }

  dispose(): void {
    this.socket.destroy();
  }

  #readOn(): void {
    if (this.#isPaused || this.#isClosed || this.#isReading) return;
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest) this.#read(rest);
    if (!this.#isHeld()) this.socket.resume();
  }

  #read(chunk: Uint8Array): void {
    this.#isReading = true;
    const used = this.#reader.push(chunk, (line) => {
      this.#onReceive.fire(line);
      return !this.#isHeld();
    });
    this.#isReading = false;
    if (typeof used === 'string') {
      this.options.log.warn('a connection was cut off', { problem: used });
      return this.dispose();
    }
    if (used === chunk.length || this.#isClosed) return;
    this.#rest = chunk.subarray(used);
    this.socket.pause();
    if (!this.#isHeld()) this.#readOn(); // resumed by the last line itself
  }

  #isHeld(): boolean {
    return this.#isPaused || this.#isClosed || this.socket.destroyed || this.#isSlow();
  }

  #isSlow(): boolean {
    return this.socket.writableLength > (this.options.holdReadingAboveBytes ?? Infinity);
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#rest = undefined;
    this.#owned.dispose();
    this.#onClose.fire();
    this.#onReceive.dispose();
    this.#onClose.dispose();
  }
}
