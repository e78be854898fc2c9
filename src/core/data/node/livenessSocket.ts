import net from 'node:net';
import type { Clock } from '../../base/clock';
import { type Disposable, DisposableStore, toDisposable } from '../../base/disposable';
import { errnoCode } from './fileSystem';

/** A question is one line, so is its answer: `{"pid":123,"epoch":4}`. */
const question = 'ping\n';
const maxLineBytes = 1024;

/** How often an owner is asked, and how late an answer may be: a stopped owner is known within 3 s. */
const pingEveryMs = 750;
const answerWithinMs = 1_500;

/**
 * The socket by which others see that this process lives. The kernel accepts connections for a suspended process and
 * closes them when it dies; only a process that runs answers. That tells the three apart.
 */
export class LivenessServer implements Disposable {
  readonly #connections = new Set<net.Socket>();
  readonly #server: net.Server;
  #epoch = 0;

  private constructor() {
    this.#server = net.createServer((connection) => this.#serve(connection));
  }

  /** Listens at `path` (at most 100 bytes: longer ones are cut off on some systems). */
  static async listen(path: string): Promise<LivenessServer> {
    const liveness = new LivenessServer();
    await new Promise<void>((resolve, reject) => {
      liveness.#server.once('error', reject);
      liveness.#server.listen(path, resolve);
    });
    liveness.#server.removeAllListeners('error');
    liveness.#server.on('error', () => undefined); // a connection that could not be accepted: its client tries again
    return liveness;
  }

  /** Told with every answer. */
  set epoch(epoch: number) {
    this.#epoch = epoch;
  }

  /** Closes every connection, which is how followers learn of it, and removes the socket. */
  dispose(): void {
    this.#server.close();
    for (const connection of this.#connections) connection.destroy();
  }

  #serve(connection: net.Socket): void {
    this.#connections.add(connection);
    connection.on('close', () => this.#connections.delete(connection));
    connection.on('error', () => connection.destroy());
    onLines(connection, () => connection.write(`${JSON.stringify({ pid: process.pid, epoch: this.#epoch })}\n`));
  }
}

export type ConnectOutcome =
  | { readonly kind: 'connected'; readonly connection: net.Socket }
  /** Nobody listens there: the process has ended (or its socket file outlived it). */
  | { readonly kind: 'refused' }
  /** It cannot be told from here (no such file, backlog full): `code` says what happened. */
  | { readonly kind: 'unknown'; readonly code: string };

export function connectLiveness(path: string): Promise<ConnectOutcome> {
  return new Promise((resolve) => {
    const connection = net.connect(path);
    connection.once('connect', () => {
      connection.removeAllListeners('error');
      connection.on('error', () => connection.destroy());
      resolve({ kind: 'connected', connection });
    });
    connection.once('error', (error) => {
      const code = errnoCode(error) ?? 'unknown';
      resolve(code === 'ECONNREFUSED' ? { kind: 'refused' } : { kind: 'unknown', code });
    });
  });
}

/**
 * Asks over an open connection again and again; reports whether answers come, at the first answer or missing answer
 * and then at every change.
 */
export function watchLiveness(
  connection: net.Socket,
  clock: Clock,
  report: (isResponding: boolean) => void,
): Disposable {
  const owned = new DisposableStore();
  let isResponding: boolean | undefined;
  let askedAtMs: number | undefined;
  const tell = (next: boolean): void => {
    if (owned.isDisposed || next === isResponding) return;
    isResponding = next;
    report(next);
  };
  const tick = (): void => {
    if (owned.isDisposed) return;
    const nowMs = clock.monotonicMs();
    if (askedAtMs === undefined) {
      askedAtMs = nowMs;
      connection.write(question);
    } else if (nowMs - askedAtMs >= answerWithinMs) tell(false);
    timer = clock.setTimer(pingEveryMs, tick);
  };
  onLines(connection, () => {
    askedAtMs = undefined;
    tell(true);
  });
  let timer: Disposable | undefined;
  owned.add(toDisposable(() => timer?.dispose()));
  tick();
  return owned;
}

/** Calls back for every line; a peer that sends more than a line's worth without one is cut off. */
function onLines(connection: net.Socket, callback: () => void): void {
  let pendingBytes = 0;
  connection.on('data', (chunk) => {
    for (const byte of chunk) {
      pendingBytes++;
      if (byte === 0x0a) {
        pendingBytes = 0;
        callback();
      }
    }
    if (pendingBytes > maxLineBytes) connection.destroy();
  });
}
