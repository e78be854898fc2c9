import { setMaxListeners } from 'node:events';
import { readFileSync, watch, type FSWatcher } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { AgentId } from '../../agents/agent';
import type { AgentExit } from '../../agents/agentHost';
import type { ExitCause } from '../../agents/agentState';
import { sleep, type Clock } from '../../base/clock';
import type { Disposable } from '../../base/disposable';
import { ignore, type Logger } from '../../base/log';
import { causeOfPane, exitFileName, parseExitFile, parseExitFileName } from '../exitFile';
import type { HostedEntry } from '../hostedAgents';
import type { PaneRow } from '../tmuxFormat';
import { isGroupAlive } from './processIdentity';

export interface ExitWatchOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** The entry an exit file belongs to, when there is one. */
  readonly find: (agentId: AgentId, generation: number) => HostedEntry | undefined;
  /** Reads one pane again; undefined when it is gone or not to be read now. Must not reject. */
  readonly readPane: (entry: HostedEntry) => Promise<PaneRow | undefined>;
  /** Makes the tmux server look after ended children. */
  readonly nudge: () => void;
  /** The end of an agent; called once per entry, after `cause` was set on it. */
  readonly onExit: (entry: HostedEntry, source: AgentExit['source']) => void;
}

/** A dead pane without a cause is nudged and read again after these waits; after the last the cause stays unknown. */
const RETRY_AFTER_MS = [2, 10, 40, 150, 400] as const;
/** When a terminal vanished, its process is looked at after these waits; then it is an orphan that `recheckOrphans` visits. */
const ORPHAN_CHECK_AFTER_MS = [0, 50, 200, 500] as const;

const signalNames = new Map<number, string>(Object.entries(constants.signals).map(([name, number]) => [number, name]));
const signalName = (signal: number): string | undefined => signalNames.get(signal);

/** Many agents may die at once, and each waits on it: no warning about that. */
function stopSignal(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}

/**
 * Learns of deaths from three sources and reports each once: the exit file the launch script writes (fastest, with code), the dead
 * pane (when the script itself was killed), the process (when the server was killed).
 */
export class ExitWatch implements Disposable {
  readonly #examined = new Map<HostedEntry, Promise<void>>();
  #stopped = stopSignal();
  #watcher: FSWatcher | undefined;

  constructor(private readonly options: ExitWatchOptions) {}

  /** Begins to watch the folder, afresh when it was watched already: it may be another one. */
  start(): void {
    this.#unwatch();
    if (this.#stopped.signal.aborted) this.#stopped = stopSignal();
    try {
      const watcher = watch(this.options.folder, { persistent: false }, (_, name) => {
        if (name === null) void this.scan();
        else if (parseExitFileName(name)) void this.#onFile(name);
      });
      this.#watcher = watcher.on('error', (error) => this.#onUnwatchable(error));
    } catch (error) {
      this.#onUnwatchable(error);
    }
  }

  /** Deaths are told by the folder at once. */
  get isWatching(): boolean {
    return this.#watcher !== undefined;
  }

  #unwatch(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  #onUnwatchable(error: unknown): void {
    this.#unwatch();
    this.options.log.warn('the exit folder cannot be watched; deaths are learned from tmux', { error });
  }

  /** Watches and reports nothing until `start` is called again. */
  pause(): void {
    this.#stopped.abort(new Error('stopped'));
    this.#unwatch();
    this.#examined.clear();
  }

  dispose(): void {
    this.pause();
  }

  /** Looks for the exit file of one agent. */
  async check(entry: HostedEntry): Promise<void> {
    await this.#onFile(exitFileName(entry.agentId, entry.generation));
  }

  /** Reads every exit file: after connecting, and in each slow reconciliation. */
  async scan(): Promise<void> {
    try {
      for (const name of await readdir(this.options.folder)) if (parseExitFileName(name)) await this.#onFile(name);
    } catch (error) {
      ignore(this.options.log, error, 'the next reconciliation scans again');
    }
  }

  /** The cause an exit file states; undefined when there is none. */
  readCause(agentId: AgentId, generation: number): ExitCause | undefined {
    try {
      const content = readFileSync(join(this.options.folder, exitFileName(agentId, generation)), 'latin1');
      return parseExitFile(content, signalName);
    } catch {
      return undefined; // no file: it lives, or its script was killed
    }
  }

  /** The pane is dead: finds the cause, nudging the server while it has none, and reports. */
  async examineDeadPane(entry: HostedEntry, row: PaneRow): Promise<void> {
    await this.#examine(entry, async () => {
      const { cause, source } = await this.causeOfDeadPane(entry, row);
      this.#report(entry, cause, source);
    });
  }

  /** The cause of a pane that is known to be dead; `{}` when neither file nor tmux has one. */
  async causeOfDeadPane(
    entry: HostedEntry,
    row: PaneRow,
  ): Promise<{ readonly cause: ExitCause; readonly source: AgentExit['source'] }> {
    let latest: PaneRow | undefined = row;
    for (const waitMs of [0, ...RETRY_AFTER_MS]) {
      if (waitMs > 0) {
        this.options.nudge();
        await sleep(this.options.clock, waitMs, this.#stopped.signal);
        latest = (await this.options.readPane(entry)) ?? latest;
      }
      const fileCause = this.readCause(entry.agentId, entry.generation);
      if (fileCause) return { cause: fileCause, source: 'exit_file' };
      const paneCause = causeOfPane(latest.deadStatus, latest.deadSignal, signalName);
      if (paneCause) return { cause: paneCause, source: 'pane' };
    }
    return { cause: {}, source: 'pane' };
  }

  /** The process is proved gone, but tmux may not know it yet. */
  async examineGone(entry: HostedEntry): Promise<void> {
    await this.#examine(entry, async () => {
      const row = entry.isHosted ? await this.options.readPane(entry) : undefined;
      if (!row) return void (await this.#reportWhenGone(entry));
      const { cause, source } = await this.causeOfDeadPane(entry, row);
      this.#report(entry, cause, source);
    });
  }

  /** The terminal is gone: reports the end once the process is proved gone. */
  async examineVanished(entry: HostedEntry): Promise<void> {
    await this.#examine(entry, async () => {
      for (const waitMs of ORPHAN_CHECK_AFTER_MS) {
        if (waitMs > 0) await sleep(this.options.clock, waitMs, this.#stopped.signal);
        if (await this.#reportWhenGone(entry)) return;
      }
    });
  }

  /** Looks once more at agents that outlived their terminal. */
  async recheckOrphans(entries: readonly HostedEntry[]): Promise<void> {
    for (const entry of entries) {
      if (entry.isHosted || entry.cause) continue;
      await this.#examine(entry, async () => void (await this.#reportWhenGone(entry)));
    }
  }

  async #reportWhenGone(entry: HostedEntry): Promise<boolean> {
    const cause = this.readCause(entry.agentId, entry.generation);
    if (cause) return this.#report(entry, cause, 'exit_file');
    if (await isGroupAlive(entry.pid)) return false;
    return this.#report(entry, {}, 'process');
  }

  async #onFile(name: string): Promise<void> {
    const parsed = parseExitFileName(name);
    const entry = parsed && this.options.find(parsed.agentId, parsed.generation);
    if (!entry || entry.cause) return;
    const cause = this.readCause(entry.agentId, entry.generation);
    if (!cause || this.#stopped.signal.aborted) return; // not complete yet: the next event of the folder tells
    this.#report(entry, cause, 'exit_file');
    this.options.nudge();
  }

  /** One examination per entry at a time, shared by all who ask; it ends silently with us. */
  #examine(entry: HostedEntry, work: () => Promise<void>): Promise<void> {
    if (entry.cause || this.#stopped.signal.aborted) return Promise.resolve();
    const running = this.#examined.get(entry);
    if (running) return running;
    const examination = work()
      .catch((error: unknown) => ignore(this.options.log, error, 'we are stopping'))
      .finally(() => this.#examined.delete(entry));
    this.#examined.set(entry, examination);
    return examination;
  }

  #report(entry: HostedEntry, cause: ExitCause, source: AgentExit['source']): true {
    if (entry.cause || this.#stopped.signal.aborted) return true;
    entry.cause = cause;
    this.options.onExit(entry, source);
    return true;
  }
}
