import { Emitter } from '../../src/core/base/event';
import type { GatewayConnection, GatewayListener } from '../../src/core/gateway/gatewayPorts';

/** One end of a connection in memory. Lines arrive in a later turn, in order, and wait while the other end is paused. */
export class MemoryConnection implements GatewayConnection {
  readonly #onReceive = new Emitter<string>(rethrow);
  readonly #onClose = new Emitter<void>(rethrow);
  readonly onDidReceive = this.#onReceive.event;
  readonly onDidClose = this.#onClose.event;
  readonly #incoming: string[] = [];
  #peer: MemoryConnection | undefined;
  #isPaused = false;
  #isEnding = false;
  isClosed = false;
  /** Lines that were sent from here. */
  sentCount = 0;

  static pair(): readonly [MemoryConnection, MemoryConnection] {
    const [a, b] = [new MemoryConnection(), new MemoryConnection()];
    a.#peer = b;
    b.#peer = a;
    return [a, b];
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  send(line: string): number {
    const peer = this.#peer;
    if (this.isClosed || this.#isEnding || !peer || peer.isClosed) return 0;
    this.sentCount++;
    peer.#incoming.push(line);
    setImmediate(() => peer.#deliver());
    return peer.#incoming.reduce((bytes, waiting) => bytes + Buffer.byteLength(waiting) + 1, 0);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    setImmediate(() => this.#deliver());
  }

  end(): void {
    this.#isEnding = true;
    this.#isPaused = true;
    setImmediate(() => setImmediate(() => this.dispose()));
  }

  dispose(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#incoming.length = 0;
    this.#onClose.fire();
    const peer = this.#peer;
    setImmediate(() => peer?.dispose());
  }

  #deliver(): void {
    while (!this.#isPaused && !this.isClosed) {
      const line = this.#incoming.shift();
      if (line === undefined) return;
      this.#onReceive.fire(line);
    }
  }
}

/** A listener in memory: `connect` is what a caller does. */
export class MemoryListener implements GatewayListener {
  readonly #onConnect = new Emitter<GatewayConnection>(rethrow);
  readonly #onMove = new Emitter<string>(rethrow);
  readonly onDidConnect = this.#onConnect.event;
  readonly onDidMove = this.#onMove.event;
  readonly path = '/run/gateway.sock';
  ensureCount = 0;
  isDisposed = false;

  /** The caller's end, and the gateway's. */
  connect(): { readonly connection: MemoryConnection; readonly accepted: MemoryConnection } {
    const [connection, accepted] = MemoryConnection.pair();
    this.#onConnect.fire(accepted);
    return { connection, accepted };
  }

  async ensure(): Promise<void> {
    this.ensureCount++;
  }

  dispose(): void {
    this.isDisposed = true;
    this.#onConnect.dispose();
  }
}

function rethrow(error: unknown): never {
  throw error;
}
