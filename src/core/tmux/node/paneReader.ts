import type { AgentKey, SettledScreen } from '../../agents/agentHost';
import type { Clock } from '../../base/clock';
import { ignore, type Logger } from '../../base/log';
import type { HostedEntry } from '../hostedAgents';
import { guardedKeys } from '../screenGuard';
import { TmuxArgs, type TmuxCommand } from '../tmuxArgs';
import { TmuxError } from '../tmuxErrors';
import type { PaneRow } from '../tmuxFormat';
import { foregroundName } from './processIdentity';
import type { TmuxConnection } from './tmuxConnection';

export interface PaneReaderOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly connection: () => TmuxConnection | undefined;
  /** @throws {TmuxError} tmux.serverGone */
  readonly require: (command: string) => TmuxConnection;
}

/** Attempts to leave copy mode: one mode can lie over another. */
const MAX_MODES = 3;

/** How often a screen that changes between the reading and the keys is read again. */
const MAX_GUARDED = 3;

/** What is to be pressed, and when. */
export interface PressOrder {
  readonly keys: readonly AgentKey[];
  readonly isExpected: (screen: SettledScreen) => boolean;
  /** As in `AgentHost.pressIf`. */
  readonly isGuarded: boolean;
  /** @throws {TmuxError} tmux.fenced */
  readonly requireRight: () => void;
}

/** `moved`: the screen became another one before the keys. */
type Pressed = 'pressed' | 'unexpected' | 'moved';

/** Reads single terminals, and acts on what it has read. */
export class PaneReader {
  constructor(private readonly options: PaneReaderOptions) {}

  /** One pane, read again; undefined when it is gone or cannot be read. Never rejects. */
  async row(entry: HostedEntry): Promise<PaneRow | undefined> {
    const connection = this.options.connection();
    if (!connection || !entry.isHosted) return undefined;
    try {
      const [info = ''] = await connection.run([TmuxArgs.displayPane(entry.paneId, connection.format.text)]);
      const row = connection.format.parse(info)[0];
      return row && Number(row.pid) === entry.pid ? row : undefined;
    } catch (error) {
      ignore(this.options.log, error, 'the terminal is gone or tmux does not answer');
      return undefined;
    }
  }

  /** @throws {TmuxError} tmux.noSuchTarget, tmux.serverGone, tmux.timeout */
  async capture(entry: HostedEntry): Promise<SettledScreen> {
    const connection = this.options.require('capture-pane');
    return this.#screen(connection, entry, await connection.run(readCommands(connection, entry)));
  }

  /**
   * Reads the screen and sends the keys in the very moment in which the answer is parsed, when `isExpected` says so and the right to
   * act is still ours. Copy mode, which would swallow them, ends first. Guarded, tmux itself compares the screen again in the turn in which it sends
   * them; one that has changed is read again. Resolves when tmux has taken the keys.
   * @throws {TmuxError} as `capture` and what `requireRight` throws; what `isExpected` throws; tmux.screenChanged – guarded, and pressed all the same
   */
  async pressIf(entry: HostedEntry, order: PressOrder): Promise<boolean> {
    for (let tries = 1; ; tries++) {
      const pressed = await this.#pressOnce(entry, order);
      if (pressed !== 'moved' || tries === MAX_GUARDED) return pressed === 'pressed';
    }
  }

  /** Ends copy mode if the pane is in it. @throws {TmuxError} tmux.noSuchTarget, tmux.serverGone, tmux.timeout */
  async leaveCopyMode(entry: HostedEntry): Promise<void> {
    const connection = this.options.require('send-keys');
    for (let i = 0; i < MAX_MODES; i++) {
      const [info = ''] = await connection.run([TmuxArgs.displayPane(entry.paneId, connection.screenFormat.text)]);
      const row = connection.screenFormat.parse(info)[0];
      if (!row || Number(row.pid) !== entry.pid) throw new TmuxError('tmux.noSuchTarget', 'send-keys');
      if (row.inMode !== '1') return;
      await connection.run([TmuxArgs.cancelCopyMode(entry.paneId)]).catch((error: unknown) => {
        if (!TmuxError.is(error, 'tmux.rejected')) throw error; // rejected: the person left it meanwhile
      });
    }
  }

  async #pressOnce(entry: HostedEntry, order: PressOrder): Promise<Pressed> {
    const connection = this.options.require('send-keys');
    let pressed: Promise<Pressed> | undefined;
    await connection.run(readCommands(connection, entry), {
      onReplies: (replies) => {
        pressed = this.#pressWhen(connection, entry, replies, order);
        pressed.catch((error: unknown) => ignore(this.options.log, error, 'awaited below'));
      },
    });
    return (await pressed) ?? 'unexpected';
  }

  /** Everything up to the writing of the keys happens before it returns: an async function runs at once until its first await. */
  async #pressWhen(
    connection: TmuxConnection,
    entry: HostedEntry,
    replies: readonly string[],
    order: PressOrder,
  ): Promise<Pressed> {
    const screen = this.#screen(connection, entry, replies);
    if (!order.isExpected(screen)) return 'unexpected';
    order.requireRight();
    if (screen.isInCopyMode)
      connection
        .run([TmuxArgs.cancelCopyMode(entry.paneId)])
        .catch((error: unknown) => ignore(this.options.log, error, 'the person left it meanwhile'));
    if (order.isGuarded) return this.#pressGuarded(connection, entry, replies[1] ?? '', order);
    await connection.run([TmuxArgs.sendKeys(entry.paneId, order.keys)]);
    return 'pressed';
  }

  /** `text`: the screen that was judged. What was there when the keys were sent is read in the same turn, and judged as well. */
  async #pressGuarded(
    connection: TmuxConnection,
    entry: HostedEntry,
    text: string,
    { keys, isExpected }: PressOrder,
  ): Promise<Pressed> {
    const reads = readCommands(connection, entry);
    const lines = text.split('\n').map((line) => line.replace(/[ \t]+$/, '')); // as tmux does before it compares
    const guarded = guardedKeys(entry, keys, lines, reads);
    const answer = connection.run(guarded.commands);
    connection
      .run(guarded.after)
      .catch((error: unknown) => ignore(this.options.log, error, 'the terminal is gone, and they with it'));
    const replies = await answer;
    if (!guarded.isPressed(replies)) return 'moved';
    const at = replies.length - 2 - reads.length;
    if (!isExpected(this.#screen(connection, entry, replies.slice(at, at + reads.length))))
      throw new TmuxError('tmux.screenChanged', 'send-keys', { detail: 'the keys were sent' });
    return 'pressed';
  }

  /** @throws {TmuxError} tmux.noSuchTarget – another process is in that pane */
  #screen(connection: TmuxConnection, entry: HostedEntry, [info = '', text = '']: readonly string[]): SettledScreen {
    const row = connection.screenFormat.parse(info)[0];
    if (!row || Number(row.pid) !== entry.pid) throw new TmuxError('tmux.noSuchTarget', 'capture-pane');
    return {
      agentId: entry.agentId,
      generation: entry.generation,
      text: text.replace(/[ \t]+$/gm, '').replace(/\n+$/, ''),
      title: row.title,
      foreground: foregroundName(row.foreground, entry.pid),
      cursor: { x: Number(row.cursorX), y: Number(row.cursorY) },
      isInCopyMode: row.inMode === '1',
      ...(row.bracketsPaste !== '' && { bracketsPaste: row.bracketsPaste === '1' }),
      observedAtMs: this.options.clock.nowMs(),
    };
  }
}

function readCommands(connection: TmuxConnection, { paneId }: HostedEntry): readonly TmuxCommand[] {
  return [TmuxArgs.displayPane(paneId, connection.screenFormat.text), TmuxArgs.capturePane(paneId)];
}
