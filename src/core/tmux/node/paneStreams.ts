import type { AgentId } from '../../agents/agent';
import type { AgentOutput, OscSequence, SettledScreen } from '../../agents/agentHost';
import type { Clock } from '../../base/clock';
import type { Disposable } from '../../base/disposable';
import { ignore, type Logger } from '../../base/log';
import type { HostedAgents, HostedEntry } from '../hostedAgents';
import { TmuxArgs } from '../tmuxArgs';
import { OscWatch } from './oscWatch';
import { PaneMirrors, type MirrorSink } from './paneMirrors';
import type { PaneReader } from './paneReader';
import { PasteModes } from './pasteModes';
import { ScreenWatch, SETTLE_MS } from './screenWatch';
import { StreamPolicy } from './streamPolicy';
import type { TmuxConnection } from './tmuxConnection';

/** The connection on which output comes. */
export type WatchConnection = Pick<TmuxConnection, 'runOnWatch' | 'format'>;

export interface PaneStreamsOptions {
  readonly agents: HostedAgents;
  readonly clock: Clock;
  readonly log: Logger;
  readonly connection: () => WatchConnection | undefined;
  readonly panes: Pick<PaneReader, 'capture'>;
  readonly onSettled: (screen: SettledScreen) => void;
  readonly onOsc: (osc: OscSequence) => void;
  readonly onOutput: (fact: AgentOutput) => void;
}

/** Everything that is learned from the terminals' output: when a screen is worth reading, titles and state reports, mirrors. */
export class PaneStreams implements Disposable {
  readonly #screens: ScreenWatch;
  readonly #mirrors: PaneMirrors;
  readonly #oscs: OscWatch;
  readonly #pasteModes = new PasteModes();
  /** Terminals whose screen had settled before it was known whose they are. */
  readonly #unread = new Set<string>();
  #policy: StreamPolicy | undefined;
  #hearing: Promise<unknown> | undefined;

  constructor(private readonly options: PaneStreamsOptions) {
    const { clock, log } = options;
    this.#screens = new ScreenWatch({
      clock,
      capture: (paneId) => this.#captureSettled(paneId),
      onOutput: (paneId) => this.#onOutput(paneId),
    });
    this.#mirrors = new PaneMirrors(log, options.connection);
    this.#oscs = new OscWatch(clock, options.onOsc);
  }

  /** A connection is there; of an observer nothing is streamed. */
  open(connection: WatchConnection, isStreaming: boolean): void {
    const onContinued = (paneId: string): void => {
      this.#pasteModes.noteGap(paneId);
      this.#screens.noteOutput(paneId);
    };
    this.#policy = isStreaming ? new StreamPolicy(connection, this.options.log, onContinued) : undefined;
  }

  /** The connection is gone, or nobody listens any more. */
  close(): void {
    this.#policy = undefined;
    this.#screens.clear();
    this.#oscs.clear();
    this.#pasteModes.clear();
    this.#unread.clear();
    this.#mirrors.end(() => true);
  }

  dispose(): void {
    this.#screens.dispose();
    this.#oscs.dispose();
  }

  onOutput(paneId: string, escaped: Uint8Array): void {
    this.#screens.noteOutput(paneId);
    this.#pasteModes.push(paneId, escaped);
    this.#mirrors.onOutput(paneId, escaped);
    const entry = this.options.agents.atPane(paneId);
    if (entry) this.#oscs.push(entry, escaped);
  }

  /** By a subscription: there was output that is not streamed. */
  onActivity(paneId: string): void {
    if (this.options.agents.atPane(paneId)) this.#screens.noteOutput(paneId);
  }

  /** tmux stopped the stream of a pane; when we did not ask for it, it goes on from the present. */
  onPause(paneId: string): void {
    const entry = this.options.agents.atPane(paneId);
    if (!entry || !this.#policy || this.#policy.isPausedByUs(paneId)) return;
    this.#policy.resume(entry.paneId);
    this.#oscs.noteGap(entry);
    this.#pasteModes.noteGap(paneId);
    this.#screens.noteOutput(paneId);
    this.#mirrors.redraw((mirrored) => mirrored === entry);
  }

  onLayoutChange(windowId: string): void {
    this.#mirrors.redraw((entry) => entry.windowId === windowId);
  }

  /** It was made on the connection that is open: nothing of its output was missed. */
  noteLaunched(entry: HostedEntry): void {
    if (this.#policy) this.#pasteModes.noteLaunched(entry.paneId);
    if (this.#unread.delete(entry.paneId)) this.#screens.noteOutput(entry.paneId);
  }

  /** The terminal is gone. `isPane`: its pane, too; a new server gives the ids of the earlier one's panes to others. */
  forget(entry: HostedEntry, isPane: boolean): void {
    if (isPane) {
      this.#screens.forget(entry.paneId);
      this.#pasteModes.forget(entry.paneId);
      this.#unread.delete(entry.paneId);
      this.#oscs.forget(entry.paneId);
    }
    this.#mirrors.end((mirrored) => mirrored === entry);
    this.update();
  }

  /** Which terminals exist or are looked at has changed. */
  update(): void {
    this.#policy?.update(
      this.options.agents.hosted().map((entry) => entry.paneId),
      this.#mirrors.paneIds,
    );
  }

  mirror(agentId: AgentId, sink: MirrorSink): Disposable {
    const entry = this.options.agents.get(agentId);
    if (!entry?.isHosted) return this.options.clock.setTimer(0, () => sink.onEnd());
    const mirror = this.#mirrors.add(entry, sink);
    this.update();
    return {
      dispose: () => {
        mirror.dispose();
        this.update();
      },
    };
  }

  /** The screen now, with how long it had rested. @throws as {@link PaneReader.capture} */
  async capture(entry: HostedEntry): Promise<SettledScreen> {
    const screen = await this.options.panes.capture(entry);
    const quietMs = await this.#quietMs(entry, this.options.clock.monotonicMs());
    const bracketsPaste = screen.bracketsPaste ?? this.#bracketsPaste(entry);
    return {
      ...screen,
      ...(quietMs !== undefined && { quietMs }),
      ...(bracketsPaste !== undefined && { bracketsPaste }),
    };
  }

  /**
   * How long a screen that was read at `readAtMs` had rested. It comes on another connection than output does, and may show what has not
   * been heard yet: a rest is believed only when the connection of the output, asked after the reading, has answered.
   */
  async #quietMs({ paneId }: HostedEntry, readAtMs: number): Promise<number | undefined> {
    if (this.#policy?.isPausedByUs(paneId) !== false) return undefined;
    if ((this.#screens.quietMs(paneId, readAtMs) ?? 0) >= SETTLE_MS) {
      try {
        await this.#hear();
      } catch (error) {
        ignore(this.options.log, error, 'the connection has just gone: how long it rested is not known');
        return undefined;
      }
    }
    return this.#screens.quietMs(paneId, readAtMs);
  }

  /** All output of before is heard. Screens whose readings came together share the question: it is sent after the last of them. */
  #hear(): Promise<unknown> {
    if (!this.#hearing) {
      this.#hearing = this.options.connection()?.runOnWatch([TmuxArgs.displayServer('heard')]) ?? Promise.resolve();
      queueMicrotask(() => (this.#hearing = undefined)); // whoever comes in a later turn may have read after tmux answers this one
    }
    return this.#hearing;
  }

  #bracketsPaste({ paneId }: HostedEntry): boolean | undefined {
    return this.#policy?.isPausedByUs(paneId) === false ? this.#pasteModes.isOn(paneId) : undefined;
  }

  #onOutput(paneId: string): void {
    const entry = this.options.agents.atPane(paneId);
    if (!entry) return;
    const { agentId, generation } = entry;
    this.options.onOutput({ agentId, generation, observedAtMs: this.options.clock.nowMs() });
  }

  async #captureSettled(paneId: string): Promise<void> {
    const { agents, onSettled, log } = this.options;
    const entry = agents.atPane(paneId);
    if (!entry) return void this.#unread.add(paneId);
    try {
      const screen = await this.capture(entry);
      if (agents.get(entry.agentId) !== entry) return;
      onSettled(screen);
      if (this.#policy) this.#oscs.noteTitle(entry, screen.title, !this.#policy.isPausedByUs(paneId));
    } catch (error) {
      ignore(log, error, 'the terminal went while it was read');
    }
  }
}
