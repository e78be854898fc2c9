import type { AgentId } from '../../agents/agent';
import type {
  AgentExit,
  AgentOutput,
  HostStatus,
  LaunchSpec,
  OscSequence,
  SettledScreen,
} from '../../agents/agentHost';
import type { Clock } from '../../base/clock';
import { DisposableStore, MutableDisposable, type Disposable } from '../../base/disposable';
import { ignore, type Logger } from '../../base/log';
import { HostedAgents, type HostedEntry } from '../hostedAgents';
import { HUB_SESSION, TmuxArgs, type SubscriptionName } from '../tmuxArgs';
import { TmuxError } from '../tmuxErrors';
import type { PaneRow } from '../tmuxFormat';
import { ConnectionKeeper, type OpenedConnection } from './connectionKeeper';
import { ExitWatch } from './exitWatch';
import type { LaunchFiles } from './launchFiles';
import type { MirrorSink } from './paneMirrors';
import { PaneReader } from './paneReader';
import { PaneStreams } from './paneStreams';
import { requireSafeSocketFolder, requireSafeWhenThere } from './privateFolder';
import { readStartTime } from './processIdentity';
import { RuntimeFolder } from './runtimeFolder';
import { announceHosted, isServerReady, removeServerMarker, waitForServer } from './serverMarker';
import { socketFolder } from './socketFolder';
import { TmuxConnection, type ConnectionEvents } from './tmuxConnection';
import type { TmuxProgram } from './tmuxProgram';

export interface HostObservationOptions {
  readonly socketName: string;
  readonly runtimeDir: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly serverEnv: Readonly<Record<string, string>>;
  readonly mode: 'owner' | 'observer';
  readonly files: LaunchFiles;
  /** Agents being launched just now: a listing that shows them half made is not to be believed. */
  readonly isBusy: (agentId: AgentId) => boolean;
  /** Agents are being launched: the sessions that come are most probably theirs. */
  readonly isLaunching: () => boolean;
  /** @throws {TmuxError} tmux.notInstalled, tmux.tooOld */
  readonly findProgram: () => Promise<TmuxProgram>;
  /** @throws {TmuxError} tmux.fenced */
  readonly requireRight: (command: string) => void;
  readonly onStatus: (status: HostStatus) => void;
  readonly onExit: (exit: AgentExit) => void;
  readonly onSettled: (screen: SettledScreen) => void;
  readonly onOsc: (osc: OscSequence) => void;
  readonly onOutput: (fact: AgentOutput) => void;
  readonly onHostedChange: () => void;
}

/** A complete listing, and the moment when the causes of the deaths it showed are known. */
export interface Reconciled {
  readonly rows: readonly PaneRow[];
  readonly settled: Promise<unknown>;
}

/** 5 s: the net under the events. One command on the pipe, no process. */
const RECONCILE_MS = 5_000;
/** 30 s: the same of an observer, for which each command is a process, while files tell it of changes. */
const OBSERVER_RECONCILE_MS = 30_000;
/** 50 ms: a burst of "sessions changed" is looked at once. */
const COALESCE_MS = 50;
/** 500 ms: while many are launched, each listing of all of them would delay the next launch. */
const COALESCE_LAUNCHES_MS = 500;

/** Knows what runs in our server: keeps the connection, the table of agents and every watch on them. */
export class HostObservation implements Disposable {
  readonly agents = new HostedAgents();
  /** Reads single terminals. */
  readonly panes: PaneReader;
  readonly #owned = new DisposableStore();
  readonly #keeper: ConnectionKeeper;
  readonly #exits: ExitWatch;
  readonly #streams: PaneStreams;
  readonly #folder: RuntimeFolder;
  readonly #slowTimer = this.#owned.add(new MutableDisposable<Disposable>());
  readonly #announceTimer = this.#owned.add(new MutableDisposable<Disposable>());
  readonly #soonTimer = this.#owned.add(new MutableDisposable<Disposable>());
  #reconciling: Promise<Reconciled> | undefined;
  #reconcilingNext: Promise<Reconciled> | undefined;

  constructor(private readonly options: HostObservationOptions) {
    const { clock, log, files } = options;
    this.#keeper = new ConnectionKeeper({
      clock,
      log,
      open: () => this.#open(),
      onConnected: (connection) => this.#onConnected(connection),
      onDisconnected: () => this.#onDisconnected(),
      onAbandoned: (connection) => void this.#leave(connection),
      onStatus: options.onStatus,
      ...(options.mode === 'observer'
        ? { waitBeforeRetry: (attempt, signal) => this.#waitForOwner(attempt, signal) }
        : {}),
    });
    const connection = (): TmuxConnection | undefined => this.#keeper.connection;
    this.panes = new PaneReader({ clock, log, connection, require: (command) => this.require(command) });
    this.#exits = this.#owned.add(
      new ExitWatch({
        folder: files.exitFolder,
        clock,
        log,
        find: (agentId, generation) => this.#entryOf(agentId, generation),
        readPane: (entry) => this.panes.row(entry),
        nudge: () => this.#keeper.connection?.nudge(),
        onExit: (entry, source) => this.#onExit(entry, source),
      }),
    );
    this.#folder = new RuntimeFolder({ path: options.runtimeDir, files, rewatch: () => this.#exits.start() });
    this.#streams = this.#owned.add(
      new PaneStreams({
        ...options,
        agents: this.agents,
        connection,
        panes: this.panes,
      }),
    );
  }

  get status(): HostStatus {
    return this.#keeper.status;
  }

  start(): Promise<void> {
    return this.#keeper.start();
  }

  /** Leaves; ends the server when nothing lives in it. */
  async stop(): Promise<void> {
    if (this.status.kind === 'stopped') await this.#settledStart();
    const ended = this.#endedPanes();
    const connection = this.#keeper.stop();
    this.#quiet();
    if (connection) await this.#leave(connection, ended);
  }

  async #leave(connection: TmuxConnection, ended = this.#endedPanes()): Promise<void> {
    try {
      await this.#killServerWhenIdle(connection, ended);
    } catch (error) {
      ignore(this.options.log, error, 'leaving anyway; the server keeps the agents');
    }
    await connection.close();
  }

  dispose(): void {
    this.#keeper.stop()?.dispose();
    this.#quiet();
    this.#owned.dispose();
  }

  /** The connection, or the reason why there is none. @throws {TmuxError} tmux.serverGone */
  require(command: string): TmuxConnection {
    const connection = this.#keeper.connection;
    if (!connection) throw new TmuxError('tmux.serverGone', command, { detail: this.status.kind });
    return connection;
  }

  /** The screen of an agent now. @throws {TmuxError} tmux.noSuchTarget, tmux.serverGone, tmux.timeout */
  capture(entry: HostedEntry): Promise<SettledScreen> {
    return this.#streams.capture(entry);
  }

  /** All panes as tmux lists them now. @throws {TmuxError} tmux.serverGone, tmux.timeout */
  async rows(): Promise<readonly PaneRow[]> {
    const connection = this.require('list-panes');
    try {
      const [listing = ''] = await connection.run([TmuxArgs.listPanes(connection.format.text)]);
      this.#keeper.noteAnswer();
      return connection.format.parse(listing);
    } catch (error) {
      if (TmuxError.is(error, 'tmux.timeout')) this.#keeper.noteSilence();
      throw error;
    }
  }

  /** Lists and brings the table in line. One at a time; whoever asks during one shares the next, so the answer is never older than the question. */
  reconcile(): Promise<Reconciled> {
    if (!this.#reconciling) return this.#beginReconcile();
    this.#reconcilingNext ??= this.#reconciling
      .catch((error: unknown) => ignore(this.options.log, error, 'told to whoever asked for it'))
      .then(() => this.#beginReconcile());
    return this.#reconcilingNext;
  }

  /** Something changed: look soon. */
  requestReconcile(delayMs = this.options.isLaunching() ? COALESCE_LAUNCHES_MS : COALESCE_MS): void {
    if (this.#soonTimer.value && delayMs > 0) return;
    this.#soonTimer.value = this.options.clock.setTimer(delayMs, () => {
      this.#soonTimer.value = undefined;
      void this.#reconcileQuietly();
    });
  }

  /** @throws {TmuxError} tmux.serverGone; as {@link RuntimeFolder.writeScript} */
  writeScript(spec: LaunchSpec): Promise<string> {
    return this.#folder.writeScript(spec, this.require('new-session').serverPid);
  }

  /** A launch over `connection` has succeeded. */
  adopt(entry: HostedEntry, connection: TmuxConnection): void {
    this.agents.add(entry);
    if (connection === this.#keeper.connection) this.#streams.noteLaunched(entry);
    this.#streams.update();
    this.#tellHostedChange();
    // It may have ended before it was in the table; the caller of launch hears of its success first.
    this.options.clock.setTimer(0, () => void this.#examineLaunched(entry));
  }

  forget(agentId: AgentId): void {
    const entry = this.agents.get(agentId);
    const wasHosted = entry?.isHosted === true;
    this.agents.remove(agentId);
    if (!entry) return;
    this.#streams.forget(entry, wasHosted);
    this.#tellHostedChange();
  }

  examineGone(entry: HostedEntry): Promise<void> {
    return this.#exits.examineGone(entry);
  }

  mirror(agentId: AgentId, sink: MirrorSink): Disposable {
    return this.#streams.mirror(agentId, sink);
  }

  async #open(): Promise<OpenedConnection> {
    const { options } = this;
    if (options.mode === 'owner') options.requireRight('new-session');
    const program = await options.findProgram();
    await requireSafeSocketFolder(await socketFolder(options.serverEnv));
    if (options.mode === 'owner') await options.files.prepare();
    else await requireSafeWhenThere(options.runtimeDir); // whoever only looks makes nothing
    if (options.mode === 'observer' && !(await isServerReady(options.runtimeDir))) {
      throw new TmuxError('tmux.serverGone', 'attach-session', { detail: 'no server of this workspace' });
    }
    let noteLost: (reason: string) => void = () => {};
    const lost = new Promise<string>((resolve) => (noteLost = resolve));
    const connection = await TmuxConnection.open({
      ...options,
      program: program.path,
      runtimeFolder: options.runtimeDir,
      events: this.#connectionEvents(noteLost),
    });
    return { connection, version: program.version.text, lost };
  }

  #connectionEvents(onLost: (reason: string) => void): ConnectionEvents {
    return {
      onOutput: (paneId, escaped) => this.#streams.onOutput(paneId, escaped),
      onPause: (paneId) => this.#streams.onPause(paneId),
      onSubscription: (name, paneId, value) => this.#onSubscription(name, paneId, value),
      onDeath: () => this.requestReconcile(0),
      onHostedChange: () => this.requestReconcile(),
      onLayoutChange: (windowId) => this.#streams.onLayoutChange(windowId),
      onLost,
    };
  }

  async #onConnected(connection: TmuxConnection): Promise<void> {
    this.#streams.open(connection, this.options.mode === 'owner');
    this.#exits.start();
    await this.#folder.note();
    await this.reconcile();
    this.#scheduleSlowReconcile();
  }

  #onDisconnected(): void {
    this.#streams.close();
    this.#reconciling = undefined;
    this.#reconcilingNext = undefined;
    this.#slowTimer.value = undefined;
  }

  /** Forgets everything learned; events stop. */
  #quiet(): void {
    this.#onDisconnected();
    this.#soonTimer.value = undefined;
    this.#exits.pause();
    this.agents.clear();
  }

  #beginReconcile(): Promise<Reconciled> {
    this.#reconcilingNext = undefined;
    const running = this.#reconcileNow().finally(() => {
      if (this.#reconciling === running) this.#reconciling = undefined;
    });
    this.#reconciling = running;
    return running;
  }

  async #reconcileNow(): Promise<Reconciled> {
    const rows = await this.rows();
    const { appeared, died, vanished } = this.agents.reconcile(rows, this.options.isBusy);
    const settled = Promise.all(died.map(({ entry, row }) => this.#exits.examineDeadPane(entry, row)));
    await Promise.all(appeared.map(({ entry, row }) => this.#meet(entry, row)));
    for (const entry of vanished) {
      this.#streams.forget(entry, !rows.some(({ paneId }) => paneId === entry.paneId));
      void this.#exits.examineVanished(entry);
    }
    this.#streams.update();
    if (appeared.length + vanished.length > 0) this.#tellHostedChange();
    return { rows, settled };
  }

  #tellHostedChange(): void {
    this.options.onHostedChange();
    if (this.options.mode === 'owner') this.#announce();
  }

  /** For observers, coalesced. */
  #announce(): void {
    const { clock, log, runtimeDir } = this.options;
    this.#announceTimer.value ??= clock.setTimer(COALESCE_MS, () => {
      this.#announceTimer.value = undefined;
      announceHosted(runtimeDir).catch((error: unknown) => ignore(log, error, 'observers look by themselves, later'));
    });
  }

  /** Someone else's launch, or one of an earlier run. What is dead already is known by listing, not announced. */
  async #meet(entry: HostedEntry, row: PaneRow): Promise<void> {
    if (row.isDead === '1') {
      entry.cause = (await this.#exits.causeOfDeadPane(entry, row)).cause;
      return;
    }
    const startTime = await readStartTime(entry.pid);
    if (startTime !== undefined) entry.process = { pid: entry.pid, startTime };
  }

  async #examineLaunched(entry: HostedEntry): Promise<void> {
    await this.#exits.check(entry);
    if (!entry.cause && this.agents.get(entry.agentId) === entry) this.requestReconcile();
  }

  async #reconcileQuietly(): Promise<void> {
    try {
      if (this.#keeper.connection) await this.reconcile();
    } catch (error) {
      ignore(this.options.log, error, 'the next reconciliation looks again');
    }
  }

  async #repairFolder(): Promise<void> {
    const connection = this.#keeper.connection;
    if (!connection || this.options.mode === 'observer') return;
    try {
      this.options.requireRight('new-session');
      await this.#folder.repairWhenGone(connection.serverPid);
    } catch (error) {
      ignore(this.options.log, error, 'tried again in the next slow look; launches say it');
    }
  }

  #scheduleSlowReconcile(): void {
    const isTold = this.#exits.isWatching && this.#keeper.connection?.isWatchingFiles === true;
    const waitMs = this.options.mode === 'observer' && isTold ? OBSERVER_RECONCILE_MS : RECONCILE_MS;
    this.#slowTimer.value = this.options.clock.setTimer(waitMs, () => {
      this.#scheduleSlowReconcile();
      void this.#repairFolder();
      void this.#reconcileQuietly();
      void this.#exits.scan();
      void this.#exits.recheckOrphans(this.agents.all());
    });
  }

  #onExit(entry: HostedEntry, source: AgentExit['source']): void {
    if (this.agents.get(entry.agentId) !== entry) return; // discarded or started again meanwhile
    const { agentId, generation, cause = {} } = entry;
    this.options.onExit({ agentId, generation, cause, source, observedAtMs: this.options.clock.nowMs() });
    if (this.options.mode === 'observer') return;
    this.#announce();
    this.options.files
      .removeFolder(agentId, generation)
      .catch((error: unknown) => ignore(this.options.log, error, 'discarding the agent removes it'));
  }

  #onSubscription(name: SubscriptionName, paneId: string, value: string): void {
    if (name === 'core-dead' && value.startsWith('1')) this.requestReconcile(0);
    if (name === 'core-activity') this.#streams.onActivity(paneId);
  }

  #entryOf(agentId: AgentId, generation: number): HostedEntry | undefined {
    const entry = this.agents.get(agentId);
    return entry?.generation === generation ? entry : undefined;
  }

  /** 1 s at least between attempts that failed although the server said it was ready. */
  async #waitForOwner(attempt: number, signal: AbortSignal): Promise<void> {
    const { runtimeDir, clock, log } = this.options;
    const minimumMs = (await isServerReady(runtimeDir)) ? Math.min(attempt * 500, RECONCILE_MS) : 0;
    await waitForServer(runtimeDir, { minimumMs, clock, log }, signal);
  }

  /** A start that is under way may just be making the server: let it finish, so that it can be ended too. */
  async #settledStart(): Promise<void> {
    if (this.#keeper.isStarting) await this.#keeper.start();
  }

  /** Of agents that have ended; only those that exist: a new server gives the ids of the earlier one's panes to others. */
  #endedPanes(): ReadonlySet<string> {
    return new Set(this.agents.hosted().filter(({ cause }) => cause).map(({ paneId }) => String(paneId))); // prettier-ignore
  }

  /** `ended`: their exit is told before their launch scripts have ended, too. */
  async #killServerWhenIdle(connection: TmuxConnection, ended: ReadonlySet<string>): Promise<void> {
    if (this.options.mode === 'observer') return;
    const [listing = ''] = await connection.run([TmuxArgs.listPanes(connection.format.text)]);
    const isIdle = connection.format
      .parse(listing)
      .every(({ session, isDead, paneId }) => session === HUB_SESSION || isDead === '1' || ended.has(paneId));
    if (!isIdle) return;
    this.options.requireRight('kill-server');
    await removeServerMarker(this.options.runtimeDir);
    await connection.run([TmuxArgs.killServer()]);
  }
}
