import { randomBytes } from 'node:crypto';
import type { FSWatcher } from 'node:fs';
import type { Clock } from '../../base/clock';
import { ignore, type Logger } from '../../base/log';
import type { ControlEvent } from '../controlModeParser';
import { optionCommands } from '../tmuxConf';
import { TmuxError } from '../tmuxErrors';
import { launchFormat, paneFormat, screenFormat } from '../tmuxFormat';
import { TmuxArgs, TmuxStart, type SubscriptionName, type TmuxCommand } from '../tmuxArgs';
import { ControlClient, type RunOptions } from './controlClient';
import { isServerReady, serverConfPath, watchServer, writeServerConf, writeServerMarker } from './serverMarker';
import { SpawnRunner } from './spawnRunner';

/** What a connection tells its owner. None may throw. */
export interface ConnectionEvents {
  readonly onOutput: (paneId: string, escaped: Uint8Array) => void;
  /** tmux stopped the stream of a pane because we were too slow, or because we asked. */
  readonly onPause: (paneId: string) => void;
  readonly onSubscription: (name: SubscriptionName, paneId: string, value: string) => void;
  /** A pane has died, perhaps several, perhaps long known: look. */
  readonly onDeath: () => void;
  /** Sessions or windows came or went. */
  readonly onHostedChange: () => void;
  readonly onLayoutChange: (windowId: string) => void;
  readonly onLost: (reason: string) => void;
}

export interface ConnectionOptions {
  readonly program: string;
  readonly socketName: string;
  readonly runtimeFolder: string;
  /** Environment of our server and so of every pane; nothing secret. */
  readonly serverEnv: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly mode: 'owner' | 'observer';
  readonly events: ConnectionEvents;
}

const HOSTED_CHANGES: ReadonlySet<string> = new Set([
  'sessions-changed',
  'window-add',
  'window-close',
  'unlinked-window-add',
  'unlinked-window-close',
]);

/**
 * The long-lived control clients of one server: commands; watch (streams and subscriptions); exit (does nothing but wait for the
 * `pane-died` hook, for a queued `wait-for` blocks whatever is sent after it). An observer has none: see {@link SpawnRunner}.
 */
export class TmuxConnection {
  /** Process id of the server, for the nudge. */
  serverPid = 0;
  readonly #marker = `m${randomBytes(8).toString('hex')}`;
  /** What we ask of panes, of a new one, and with captured screens; the marker is fresh for every connection. */
  readonly format = paneFormat(this.#marker);
  readonly launchFormat = launchFormat(this.#marker);
  readonly screenFormat = screenFormat(this.#marker);
  readonly #clients: ControlClient[] = [];
  readonly #commands: Pick<ControlClient, 'run'>;
  #watcher: FSWatcher | undefined;
  #watch: ControlClient | undefined;
  #isClosed = false;

  private constructor(private readonly options: ConnectionOptions) {
    const { mode, socketName, runtimeFolder } = options;
    this.#commands =
      mode === 'owner'
        ? this.#client(TmuxStart.owner(socketName, serverConfPath(runtimeFolder)))
        : new SpawnRunner({ program: options.program, socketName, env: options.serverEnv });
  }

  /**
   * Connects; an owner starts the server when there is none.
   * @throws {TmuxError} tmux.serverGone, tmux.noSuchTarget (no hub: the server is not ours or not ready), tmux.socketFolderUnsafe,
   * tmux.rejected, tmux.timeout.
   */
  static async open(options: ConnectionOptions): Promise<TmuxConnection> {
    if (options.mode === 'owner') await writeServerConf(options.runtimeFolder);
    const connection = new TmuxConnection(options);
    try {
      await (options.mode === 'owner' ? connection.#openAsOwner() : connection.#openAsObserver());
      return connection;
    } catch (error) {
      connection.dispose();
      throw error;
    }
  }

  /** An observer that is told of changes by files. */
  get isWatchingFiles(): boolean {
    return this.#watcher !== undefined;
  }

  /** Runs one sequence of commands. @throws {TmuxError} as {@link ControlClient.run} */
  async run(commands: readonly TmuxCommand[], options?: RunOptions): Promise<readonly string[]> {
    try {
      return await this.#commands.run(commands, options);
    } catch (error) {
      if (this.options.mode === 'observer' && TmuxError.is(error, 'tmux.serverGone')) this.#onEnd(error.message);
      throw error;
    }
  }

  /** Runs on the client that streams: its replies are in order with the output. Observers have none: tmux.rejected. */
  runOnWatch(commands: readonly TmuxCommand[], options?: RunOptions): Promise<readonly string[]> {
    if (!this.#watch)
      return Promise.reject(new TmuxError('tmux.rejected', commands[0]?.name ?? 'nothing', { detail: 'no stream' }));
    return this.#watch.run(commands, options);
  }

  /** Makes the server look after ended children: it can lose a SIGCHLD while a pane closes (libutempter; tmux 3.3a of Debian 12). */
  nudge(): void {
    if (this.#isClosed || this.serverPid <= 1 || this.options.mode === 'observer') return;
    try {
      process.kill(this.serverPid, 'SIGCHLD');
    } catch (error) {
      ignore(this.options.log, error, 'the server has just ended; the connection will tell');
    }
  }

  /** Leaves politely. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watcher?.close();
    await Promise.all(this.#clients.map((client) => client.close()));
  }

  dispose(): void {
    this.#isClosed = true;
    this.#watcher?.close();
    for (const client of this.#clients) client.dispose();
  }

  /** One client after the other: tmux 3.3a dies when it tells a client of another that has not introduced itself completely. */
  async #openAsOwner(): Promise<void> {
    await this.#clients[0]?.opened;
    const { socketName } = this.options;
    await this.#prepareServer();
    this.#watch = this.#client(TmuxStart.attach(socketName, 'ignore-size,pause-after=1'));
    await this.#watch.opened;
    // Without ignore-size, and without ever stating a size: so it sizes nothing, but tmux heeds the flag of others (a read-only mirror)
    // only while some client without it is attached (tmux 3.3a, ignore_client_size in resize.c).
    const exits = this.#client(TmuxStart.attach(socketName, 'no-output'));
    await exits.opened;
    await this.#watch.run([TmuxArgs.subscribe('core-dead')]);
    await writeServerMarker(this.options.runtimeFolder, this.serverPid);
    void this.#waitForDeaths(exits);
  }

  async #openAsObserver(): Promise<void> {
    const { runtimeFolder, log, events } = this.options;
    this.#watcher = watchServer(runtimeFolder, log, {
      onMarker: () => void this.#checkServer(),
      onHosted: () => events.onHostedChange(),
    });
    this.#watcher?.on('error', () => (this.#watcher = undefined));
    await this.#commands.run([TmuxArgs.displayServer('#{pid}')]);
  }

  /** An observer has no connection that could break. */
  async #checkServer(): Promise<void> {
    if (!(await isServerReady(this.options.runtimeFolder))) this.#onEnd('the server has ended');
  }

  async #prepareServer(): Promise<void> {
    const [pid] = await this.#commands.run([TmuxArgs.displayServer('#{pid}')]);
    this.serverPid = Number(pid);
    const [listing = ''] = await this.#commands.run([TmuxArgs.showGlobalEnvironment()]);
    const settings = [...optionCommands(), ...this.#environmentCommands(listing)].map((command) =>
      this.#commands
        .run([command])
        .catch((error: unknown) =>
          this.options.log.debug('tmux: an option was refused', { option: command.args[1], error }),
        ),
    );
    await Promise.all([...settings, this.#commands.run([TmuxArgs.setDeathHook()])]);
  }

  /** Whoever started the server, panes inherit what we say and nothing else. A value with line breaks may look like names: unsetting those is harmless. */
  #environmentCommands(listing: string): readonly TmuxCommand[] {
    const { serverEnv } = this.options;
    const present = listing.split('\n').map((line) => /^([A-Za-z_][A-Za-z0-9_]*)=/.exec(line)?.[1] ?? '');
    const unwanted = new Set(present.filter((name) => name !== '' && !Object.hasOwn(serverEnv, name)));
    return [
      ...[...unwanted].map((name) => TmuxArgs.unsetGlobalEnvironment(name)),
      ...Object.entries(serverEnv).map(([name, value]) => TmuxArgs.setGlobalEnvironment(name, value)),
    ];
  }

  /** Two wake-ups without a waiter cancel each other, so we look at all panes after every re-arming. */
  async #waitForDeaths(client: ControlClient): Promise<void> {
    const forever = { timeoutMs: Infinity };
    try {
      while (!this.#isClosed) {
        const armed = client.run([TmuxArgs.waitForDeath()], forever);
        const woken = client.run([TmuxArgs.displayServer('woken')], forever);
        woken.catch((error: unknown) => ignore(this.options.log, error, 'also awaited below'));
        await armed;
        this.options.events.onDeath();
        await woken;
      }
    } catch (error) {
      ignore(this.options.log, error, 'the connection has ended and said so');
    }
  }

  #client(args: readonly string[]): ControlClient {
    const { program, serverEnv, clock, log } = this.options;
    const isFirst = this.#clients.length === 0;
    const client = new ControlClient({
      program,
      args,
      env: serverEnv,
      clock,
      log,
      onEvent: (event) => this.#onEvent(event, isFirst),
      onEnd: (reason) => this.#onEnd(reason),
    });
    this.#clients.push(client);
    return client;
  }

  #onEvent(event: ControlEvent, isCommandClient: boolean): void {
    if (this.#isClosed) return;
    const { events } = this.options;
    switch (event.kind) {
      case 'output':
        return events.onOutput(event.paneId, event.escaped);
      case 'pause':
        return events.onPause(event.paneId);
      case 'subscription':
        if (event.name === 'core-dead' || event.name === 'core-activity')
          events.onSubscription(event.name, event.paneId, event.value);
        return;
      case 'notification':
        if (!isCommandClient) return; // every client is told: one is enough
        if (HOSTED_CHANGES.has(event.name)) events.onHostedChange();
        else if (event.name === 'layout-change') events.onLayoutChange(event.rest.split(' ')[0] ?? '');
        return;
      default:
        return; // replies are taken by the client; %continue, stray lines and %exit need nothing here
    }
  }

  #onEnd(reason: string): void {
    if (this.#isClosed) return;
    this.dispose();
    this.options.events.onLost(reason);
  }
}
