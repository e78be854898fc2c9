import { randomBytes } from 'node:crypto';
import { watch, type FSWatcher } from 'node:fs';
import { chmod, rename, unlink } from 'node:fs/promises';
import net from 'node:net';
import { dirname, join } from 'node:path';
import { GATEWAY_LIMITS } from '../../../shared/gatewayProtocol';
import type { Clock } from '../../base/clock';
import { DisposableStore, MutableDisposable, toDisposable } from '../../base/disposable';
import { Emitter } from '../../base/event';
import { ignore, type Logger } from '../../base/log';
import { GatewayError } from '../gatewayErrors';
import type { GatewayConnection, GatewayListener } from '../gatewayPorts';
import { isOurs, requirePrivateFolder, requireSocketPath, statsOf } from './privatePlace';
import { SocketConnection } from './socketConnection';

export interface UnixGatewayListenerOptions {
  /**
   * Where to listen, best first: the next one is taken when the folder before it cannot be made (a runtime folder that
   * went with the login session). Each folder must be private; it is made when missing. Whoever listens must own the
   * workspace: a socket of ours that is there already is replaced.
   */
  readonly paths: readonly [string, ...string[]];
  readonly clock: Clock;
  readonly log: Logger;
}

/** How often it is checked that the socket is still there, beside the watch on its folder. Costs one lstat. */
const CHECK_MS = 5_000;
const HOLD_READING_BYTES = 256 * 1024;

/** One bound socket: its file is the one of these numbers, whatever has its name later. */
interface Bound {
  readonly path: string;
  readonly server: net.Server;
  readonly device: number;
  readonly inode: number;
}

/**
 * The gateway's socket. It is bound under a name of its own and then renamed to the path that callers know: so an old socket
 * is replaced in one step, and Node, which removes the name that it bound when a server closes, never removes a
 * successor's socket.
 */
export class UnixGatewayListener implements GatewayListener {
  readonly #owned = new DisposableStore();
  readonly #watching = this.#owned.add(new MutableDisposable());
  readonly #onConnect: Emitter<GatewayConnection>;
  readonly #onMove: Emitter<string>;
  readonly onDidConnect: GatewayListener['onDidConnect'];
  readonly onDidMove: GatewayListener['onDidMove'];
  #bound: Bound | undefined;
  #path: string;
  #ensuring: Promise<void> | undefined;

  private constructor(private readonly options: UnixGatewayListenerOptions) {
    const report = (error: unknown): void => options.log.error('a listener of the gateway failed', { error });
    this.#path = options.paths[0];
    this.#onConnect = new Emitter<GatewayConnection>(report);
    this.#onMove = new Emitter<string>(report);
    this.onDidConnect = this.#onConnect.event;
    this.onDidMove = this.#onMove.event;
  }

  /** @throws {GatewayError} gateway.folderUnsafe, gateway.pathTooLong, gateway.cannotListen */
  static async listen(options: UnixGatewayListenerOptions): Promise<UnixGatewayListener> {
    const listener = new UnixGatewayListener(options);
    try {
      await listener.ensure();
    } catch (error) {
      listener.dispose();
      throw error;
    }
    listener.#checkLater();
    return listener;
  }

  get path(): string {
    return this.#path;
  }

  ensure(): Promise<void> {
    this.#ensuring ??= this.#ensure().finally(() => (this.#ensuring = undefined));
    return this.#ensuring;
  }

  dispose(): void {
    this.#owned.dispose();
    this.#onConnect.dispose();
    this.#onMove.dispose();
    const bound = this.#bound;
    this.#bound = undefined;
    if (bound) void this.#close(bound);
  }

  async #ensure(): Promise<void> {
    if (this.#owned.isDisposed || (await this.#isInPlace())) return;
    const old = this.#bound;
    const bound = await this.#bindFirst();
    if (this.#owned.isDisposed) return this.#close(bound);
    this.#bound = bound;
    this.#watch(bound.path);
    if (old) {
      this.options.log.info('the socket of the gateway had vanished; it is there again', { path: bound.path });
      old.server.close(); // its connections stay
    }
    if (bound.path === this.#path) return;
    this.#path = bound.path;
    this.#onMove.fire(bound.path);
  }

  async #isInPlace(): Promise<boolean> {
    const bound = this.#bound;
    return bound !== undefined && bound.server.listening && isSame(await statsOf(bound.path), bound);
  }

  async #bindFirst(): Promise<Bound> {
    let first: unknown;
    for (const path of this.options.paths) {
      try {
        return await this.#bind(path);
      } catch (error) {
        if (!GatewayError.is(error, 'gateway.cannotListen')) throw error; // unsafe: a person must look at it
        first ??= error;
      }
    }
    throw first;
  }

  async #bind(path: string): Promise<Bound> {
    const folder = dirname(path);
    const temporary = join(folder, `.g${randomBytes(4).toString('hex')}`);
    requireSocketPath(path);
    requireSocketPath(temporary);
    await requirePrivateFolder(folder);
    await requireReplaceable(path);
    const server = await this.#listen(temporary);
    try {
      await chmod(temporary, 0o600);
      const stats = await statsOf(temporary);
      if (!stats?.isSocket()) throw new GatewayError('gateway.cannotListen', `${temporary} is not there`);
      await rename(temporary, path);
      return { path, server, device: stats.dev, inode: stats.ino };
    } catch (error) {
      server.close();
      if (error instanceof GatewayError) throw error;
      throw new GatewayError('gateway.cannotListen', `${path} cannot be used`, { cause: error });
    }
  }

  #listen(path: string): Promise<net.Server> {
    const server = net.createServer((socket) => this.#serve(socket));
    // The number is kept by the gateway, which knows whom to close; this only bounds what happens between two of its turns.
    server.maxConnections = GATEWAY_LIMITS.connections * 4;
    return new Promise((resolve, reject) => {
      server.once('error', (error) =>
        reject(new GatewayError('gateway.cannotListen', `${path} cannot be listened at`, { cause: error })),
      );
      const restore = withPrivateUmask(this.options.log);
      server.listen(path, () => {
        server.removeAllListeners('error');
        server.on('error', (error) =>
          ignore(this.options.log, error, 'a connection that failed; its caller tries again'),
        );
        resolve(server);
      });
      restore(); // binding happens inside `listen`
    });
  }

  #serve(socket: net.Socket): void {
    const { clock, log } = this.options;
    const limits = { maxLineBytes: GATEWAY_LIMITS.frameBytes, holdReadingAboveBytes: HOLD_READING_BYTES };
    this.#onConnect.fire(new SocketConnection(socket, { ...limits, clock, log }));
  }

  #watch(path: string): void {
    const folder = dirname(path);
    let watcher: FSWatcher;
    try {
      watcher = watch(folder, { persistent: false });
    } catch (error) {
      this.#watching.value = undefined;
      return ignore(this.options.log, error, 'the folder of the socket cannot be watched; it is checked now and then');
    }
    watcher.on('change', () => void this.#ensureQuietly());
    watcher.on('error', (error) => ignore(this.options.log, error, 'the watch on the folder of the socket ended'));
    this.#watching.value = toDisposable(() => watcher.close());
  }

  #checkLater(): void {
    const timer = this.#owned.add(new MutableDisposable());
    const look = (): void => {
      void this.#ensureQuietly().finally(() => {
        timer.value = this.options.clock.setTimer(CHECK_MS, look);
      });
    };
    timer.value = this.options.clock.setTimer(CHECK_MS, look);
  }

  async #ensureQuietly(): Promise<void> {
    try {
      await this.ensure();
    } catch (error) {
      this.options.log.warn('the socket of the gateway cannot be made again; it is tried again', { error });
    }
  }

  /** Removes the name only while it is still ours: the next owner's socket may have it by now. */
  async #close(bound: Bound): Promise<void> {
    bound.server.close();
    try {
      if (isSame(await statsOf(bound.path), bound)) await unlink(bound.path);
    } catch (error) {
      ignore(this.options.log, error, 'a socket that nobody listens at is replaced by the next owner');
    }
  }
}

function isSame(stats: Awaited<ReturnType<typeof statsOf>>, bound: Bound): boolean {
  return stats !== undefined && stats.dev === bound.device && stats.ino === bound.inode;
}

/** @throws {GatewayError} gateway.folderUnsafe – something is there that is no socket of ours */
async function requireReplaceable(path: string): Promise<void> {
  const stats = await statsOf(path);
  if (!stats || (stats.isSocket() && isOurs(stats))) return;
  throw new GatewayError('gateway.folderUnsafe', `${path} is there and is no socket of ours`);
}

/** Nobody else may use what is made until the returned function is called. Worker threads cannot: the folder is private anyway. */
function withPrivateUmask(log: Logger): () => void {
  try {
    const before = process.umask(0o077);
    return () => void process.umask(before);
  } catch (error) {
    ignore(log, error, 'the umask cannot be set here; the folder is private, and the mode is set after');
    return () => undefined;
  }
}
