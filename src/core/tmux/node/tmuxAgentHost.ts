import type { AgentId, ProcessIdentity } from '../../agents/agent';
import {
  AGENT_KEYS,
  type AgentExit,
  type AgentHost,
  type AgentKey,
  type AgentOutput,
  type HostedAgent,
  type HostStatus,
  type LaunchSpec,
  type OscSequence,
  type PressOptions,
  type SettledScreen,
} from '../../agents/agentHost';
import type { Liveness } from '../../agents/agentState';
import type { Clock } from '../../base/clock';
import type { Disposable } from '../../base/disposable';
import { describeError } from '../../base/errors';
import { Emitter } from '../../base/event';
import { ignore, type Logger } from '../../base/log';
import { Gate } from '../gate';
import { taggedRows, type HostedEntry } from '../hostedAgents';
import { cleanPasteText } from '../pasteText';
import { agentTarget, asWindowId, TmuxArgs, TmuxStart, type PaneId, type TmuxCommand } from '../tmuxArgs';
import { TmuxError } from '../tmuxErrors';
import { clientFormat, type PaneRow } from '../tmuxFormat';
import { HostObservation } from './hostObservation';
import { launchInto } from './launcher';
import { LaunchFiles } from './launchFiles';
import type { MirrorSink } from './paneMirrors';
import { foregroundName, isGroupAlive, isSameProcessAlive } from './processIdentity';
import { findTmux, type TmuxProgram } from './tmuxProgram';

export interface TmuxAgentHostOptions {
  /** Absolute path of tmux; undefined: the first on the PATH of `serverEnv`. */
  readonly program?: string | undefined;
  /** Name of our own server (`-L`), one per workspace. */
  readonly socketName: string;
  /** Absolute; made (0700) when missing. Holds scripts with environments: must be private. */
  readonly runtimeDir: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Asked before every batch that changes something; false refuses it with tmux.fenced (another window owns the agents now). */
  readonly fence?: () => boolean;
  /** The environment of the server, with PATH; every pane inherits it unless its spec says otherwise. Nothing secret: other users may read it. */
  readonly serverEnv: Readonly<Record<string, string>>;
  /** `observer`: looks only, waits for a server instead of starting one, and refuses to change anything (tmux.fenced). */
  readonly mode: 'owner' | 'observer';
}

/** Failures of a launch after which a session may exist that nobody knows. */
const HALF_MADE = ['tmux.timeout', 'tmux.rejected', 'tmux.noSuchTarget'] as const;

/**
 * 8: enough that tmux, which needs some milliseconds for each, never waits for a script, and so few that the first terminal is there
 * after one script, not after a hundred, and none is late only because of its place in the queue.
 */
const LAUNCHES_AT_ONCE = 8;

/** 2 s: a terminal is attached right after the question. */
const SIZE_KEPT_MS = 2_000;

/**
 * Runs agents in sessions of a tmux server of our own (ARCHITECTURE.md, "tmux"). In steady state an owner starts no process: everything goes
 * over long-lived control clients, deaths come from files and hooks, screens from the output stream.
 */
export class TmuxAgentHost implements AgentHost {
  readonly #onFailure = (error: unknown): void =>
    this.options.log.error('a listener of the agent host failed', { error });
  readonly #onDidChangeStatus = new Emitter<HostStatus>(this.#onFailure);
  readonly #onDidExit = new Emitter<AgentExit>(this.#onFailure);
  readonly #onDidSettleScreen = new Emitter<SettledScreen>(this.#onFailure);
  readonly #onDidOsc = new Emitter<OscSequence>(this.#onFailure);
  readonly #onDidOutput = new Emitter<AgentOutput>(this.#onFailure);
  readonly #onDidChangeHosted = new Emitter<void>(this.#onFailure);
  readonly #files: LaunchFiles;
  readonly #observation: HostObservation;
  readonly #busy = new Set<AgentId>();
  readonly #launches = new Gate(LAUNCHES_AT_ONCE);
  #program: TmuxProgram | undefined;
  #pasteCount = 0;
  #sizeKeptUntilMs = -Infinity;

  readonly onDidChangeStatus = this.#onDidChangeStatus.event;
  readonly onDidExit = this.#onDidExit.event;
  readonly onDidSettleScreen = this.#onDidSettleScreen.event;
  readonly onDidOsc = this.#onDidOsc.event;
  readonly onDidOutput = this.#onDidOutput.event;
  readonly onDidChangeHosted = this.#onDidChangeHosted.event;

  constructor(private readonly options: TmuxAgentHostOptions) {
    this.#files = new LaunchFiles(options.runtimeDir, Object.keys(options.serverEnv));
    this.#observation = new HostObservation({
      ...options,
      files: this.#files,
      isBusy: (agentId) => this.#busy.has(agentId),
      isLaunching: () => this.#busy.size > 0,
      findProgram: async () => (this.#program = await findTmux(options.program, options.serverEnv)),
      requireRight: (command) => this.#requireRight(command),
      onStatus: (status) => this.#onDidChangeStatus.fire(status),
      onExit: (exit) => this.#onDidExit.fire(exit),
      onSettled: (screen) => this.#onDidSettleScreen.fire(screen),
      onOsc: (osc) => this.#onDidOsc.fire(osc),
      onOutput: (fact) => this.#onDidOutput.fire(fact),
      onHostedChange: () => this.#onDidChangeHosted.fire(),
    });
  }

  get status(): HostStatus {
    return this.#observation.status;
  }

  /** @throws {TmuxError} tmux.invalidArgument – not an agent id */
  launchFolder(agentId: AgentId, generation: number): string {
    agentTarget(agentId);
    return this.#files.folder(agentId, generation);
  }

  async start(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await abortable(this.#observation.start(), signal);
  }

  async list(): Promise<readonly HostedAgent[]> {
    const { rows, settled } = await this.#observation.reconcile();
    await settled;
    return taggedRows(rows).map(({ agentId, row }) => this.#hosted(agentId, row));
  }

  async launch(spec: LaunchSpec, signal?: AbortSignal): Promise<ProcessIdentity> {
    signal?.throwIfAborted();
    agentTarget(spec.agentId);
    const connection = this.#observation.require('new-session');
    this.#requireRight('new-session');
    if (this.#busy.has(spec.agentId))
      throw new TmuxError('tmux.alreadyExists', 'new-session', { detail: 'being launched' });
    this.#busy.add(spec.agentId);
    const launched = this.#launches
      .run(() =>
        launchInto(
          connection,
          (launch) => this.#observation.writeScript(launch),
          spec,
          signal,
          () => this.#requireRight('new-session'),
        ),
      )
      .finally(() => this.#busy.delete(spec.agentId));
    launched.then(
      (entry) => (signal?.aborted ? this.#discardLate(spec.agentId) : this.#observation.adopt(entry, connection)),
      (error: unknown) => {
        if (HALF_MADE.some((code) => TmuxError.is(error, code))) this.#discardLate(spec.agentId);
      },
    );
    const { pid, process } = await abortable(launched, signal);
    return process ?? { pid, startTime: '' };
  }

  async probe(agentId: AgentId): Promise<Liveness> {
    try {
      const entry = this.#observation.agents.get(agentId) ?? (await this.#look(agentId));
      if (!entry) return { kind: 'unknown', reason: 'no terminal of this agent' };
      return await this.#livenessOf(entry);
    } catch (error) {
      return { kind: 'unknown', reason: describeError(error) };
    }
  }

  async capture(agentId: AgentId): Promise<SettledScreen> {
    return this.#observation.capture(await this.#requireEntry(agentId, 'capture-pane'));
  }

  async paste(agentId: AgentId, text: string): Promise<void> {
    const clean = cleanPasteText(text);
    const { paneId } = await this.#requireAlive(agentId, 'paste-buffer');
    if (clean === '') return; // tmux makes no empty buffers
    const buffer = `core-${agentId}-${this.#pasteCount++}`;
    await this.#type(paneId, [TmuxArgs.setBuffer(buffer, clean), TmuxArgs.pasteBuffer(buffer, paneId)]);
  }

  async press(agentId: AgentId, keys: readonly AgentKey[]): Promise<void> {
    requireKeys(keys);
    const { paneId } = await this.#requireAlive(agentId, 'send-keys');
    if (keys.length > 0) await this.#type(paneId, [TmuxArgs.sendKeys(paneId, keys)]);
  }

  async pressIf(
    agentId: AgentId,
    keys: readonly AgentKey[],
    isExpected: (screen: SettledScreen) => boolean,
    { guard }: PressOptions = {},
  ): Promise<boolean> {
    requireKeys(keys);
    const entry = await this.#requireAlive(agentId, 'send-keys');
    const requireRight = (): void => this.#requireRight('send-keys');
    return this.#observation.panes.pressIf(entry, { keys, isExpected, isGuarded: guard === 'screen', requireRight });
  }

  async leaveCopyMode(agentId: AgentId): Promise<void> {
    const entry = await this.#requireAlive(agentId, 'send-keys');
    await this.#observation.panes.leaveCopyMode(entry);
  }

  async discard(agentId: AgentId): Promise<void> {
    const target = agentTarget(agentId);
    const connection = this.#observation.require('kill-window');
    this.#requireRight('kill-window');
    const rows = taggedRows(await this.#observation.rows()).filter((found) => found.agentId === agentId);
    this.#requireRight('kill-window');
    this.options.log.debug('tmux: discarding a terminal', { target });
    const windows = [...new Set(rows.map(({ row }) => asWindowId(row.windowId)))].map((windowId) =>
      TmuxArgs.killWindow(windowId),
    );
    for (const command of [...windows, TmuxArgs.killSession(agentId)]) {
      await connection.run([command]).catch((error: unknown) => {
        if (!TmuxError.is(error, 'tmux.noSuchTarget')) throw error;
      });
    }
    await this.#files.remove(agentId);
    this.#observation.forget(agentId);
  }

  mirror(agentId: AgentId, sink: MirrorSink): { dispose(): void } {
    agentTarget(agentId);
    return this.#observation.mirror(agentId, sink);
  }

  /**
   * An observer's is read-only, and is given only within {@link SIZE_KEPT_MS} after `attachedClients` has found somebody who keeps
   * the terminals' sizes: without one tmux heeds the size of a client that asks to be ignored (3.3a, ignore_client_size in resize.c).
   * @throws {TmuxError} tmux.notInstalled – before a successful `start`; tmux.wouldResize – an observer, and nobody keeps the sizes.
   */
  attachCommand(
    agentId: AgentId,
    { mayType = false }: Parameters<AgentHost['attachCommand']>[1] & {} = {},
  ): { readonly program: string; readonly args: readonly string[] } {
    const isObserver = this.options.mode === 'observer' && !mayType;
    const args = (isObserver ? TmuxStart.spectator : TmuxStart.person)(this.options.socketName, agentId);
    if (!this.#program) throw new TmuxError('tmux.notInstalled', 'attach-session', { detail: 'not started' });
    if (isObserver && this.options.clock.monotonicMs() > this.#sizeKeptUntilMs)
      throw new TmuxError('tmux.wouldResize', 'attach-session');
    return { program: this.#program.path, args };
  }

  /** Of an owner only the clients that may type: an observer's terminal that it took over is to be attached anew. */
  async attachedClients(): Promise<ReadonlyMap<number, AgentId>> {
    const connection = this.#observation.require('list-clients');
    const format = clientFormat('client');
    const askedMs = this.options.clock.monotonicMs();
    const [listing = ''] = await connection.run([TmuxArgs.listClients(format.text)]);
    const clients = format.parse(listing);
    const isSizeKept = clients.some(({ session, flags }) => session !== '' && keepsSizes(flags));
    this.#sizeKeptUntilMs = isSizeKept ? askedMs + SIZE_KEPT_MS : -Infinity;
    const sessions = new Map(this.#observation.agents.hosted().map((entry) => [String(entry.agentId), entry.agentId]));
    return new Map(
      clients.flatMap(({ pid, isControl, flags, session }) => {
        const isForeign = this.options.mode === 'owner' && hasFlag(flags, 'read-only');
        const agentId = isControl === '1' || isForeign ? undefined : sessions.get(session);
        return agentId ? [[Number(pid), agentId] as const] : [];
      }),
    );
  }

  async stop(): Promise<void> {
    await this.#observation.stop();
  }

  dispose(): void {
    for (const emitter of this.#emitters()) emitter.dispose();
    this.#observation.dispose();
  }

  #hosted(agentId: AgentId, row: PaneRow): HostedAgent {
    const entry = this.#observation.agents.get(agentId);
    const isDead = entry?.cause !== undefined || row.isDead === '1';
    return {
      agentId,
      generation: Number(row.generation),
      ...(entry?.process ? { process: entry.process } : {}),
      liveness: isDead ? { kind: 'dead', cause: entry?.cause ?? {} } : { kind: 'alive' },
      foreground: isDead ? row.foreground : foregroundName(row.foreground, Number(row.pid)),
      title: row.title,
    };
  }

  #emitters(): readonly Disposable[] {
    return [
      this.#onDidChangeStatus,
      this.#onDidExit,
      this.#onDidSettleScreen,
      this.#onDidOsc,
      this.#onDidOutput,
      this.#onDidChangeHosted,
    ];
  }

  /** @throws {TmuxError} tmux.fenced */
  #requireRight(command: string): void {
    if (this.options.mode === 'observer') throw new TmuxError('tmux.fenced', command, { detail: 'observer' });
    if (this.options.fence?.() === false) throw new TmuxError('tmux.fenced', command);
  }

  /** Types into a pane: a person's copy mode would swallow it, so that ends first. */
  async #type(paneId: PaneId, commands: readonly TmuxCommand[]): Promise<void> {
    const connection = this.#observation.require('send-keys');
    this.#requireRight('send-keys');
    connection
      .run([TmuxArgs.cancelCopyMode(paneId)])
      .catch((error: unknown) => ignore(this.options.log, error, 'the pane was not in copy mode'));
    await connection.run(commands);
  }

  async #livenessOf(entry: HostedEntry): Promise<Liveness> {
    if (!entry.cause && entry.process && (await isSameProcessAlive(entry.process))) return { kind: 'alive' };
    if (!entry.cause && !entry.isHosted && (await isGroupAlive(entry.pid))) return { kind: 'alive' };
    if (!entry.cause && !entry.process) {
      const row = await this.#observation.panes.row(entry);
      if (row && row.isDead !== '1') return { kind: 'alive' };
      if (!row) return { kind: 'unknown', reason: 'neither process nor terminal can be read' };
    }
    if (!entry.cause) await this.#observation.examineGone(entry);
    return { kind: 'dead', cause: entry.cause ?? {} };
  }

  /** Looks in tmux for an agent this host has not met. */
  async #look(agentId: AgentId): Promise<HostedEntry | undefined> {
    agentTarget(agentId);
    await this.#observation.reconcile();
    return this.#observation.agents.get(agentId);
  }

  async #requireEntry(agentId: AgentId, command: string): Promise<HostedEntry> {
    agentTarget(agentId);
    this.#observation.require(command);
    let entry = this.#observation.agents.get(agentId);
    if (!entry?.isHosted) entry = await this.#look(agentId);
    if (!entry?.isHosted) throw new TmuxError('tmux.noSuchTarget', command);
    return entry;
  }

  async #requireAlive(agentId: AgentId, command: string): Promise<HostedEntry> {
    agentTarget(agentId);
    this.#requireRight(command);
    const entry = await this.#requireEntry(agentId, command);
    if (entry.cause) throw new TmuxError('tmux.noSuchTarget', command, { detail: 'the process has ended' });
    return entry;
  }

  #discardLate(agentId: AgentId): void {
    this.discard(agentId).catch((error: unknown) =>
      this.options.log.warn('tmux: a launch could not be undone', { error }),
    );
  }
}

/** @throws {TmuxError} tmux.invalidArgument */
function requireKeys(keys: readonly AgentKey[]): void {
  if (keys.some((key) => !AGENT_KEYS.includes(key)))
    throw new TmuxError('tmux.invalidArgument', 'send-keys', { detail: 'not a key' });
}

function hasFlag(flags: string, flag: string): boolean {
  return flags.split(',').includes(flag);
}

/** While such a client is attached, tmux heeds the `ignore-size` of others. A suspended one does not count. */
function keepsSizes(flags: string): boolean {
  return hasFlag(flags, 'attached') && !hasFlag(flags, 'ignore-size') && !hasFlag(flags, 'suspended');
}

/** Settles like `work`, but rejects at once when `signal` is aborted. */
function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    if (signal.aborted) onAbort();
  });
}
