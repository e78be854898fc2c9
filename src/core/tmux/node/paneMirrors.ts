import type { AgentHost } from '../../agents/agentHost';
import { ignore, type Logger } from '../../base/log';
import { unescapeOutput } from '../controlModeParser';
import type { HostedEntry } from '../hostedAgents';
import { MirrorFilter } from '../mirrorFilter';
import { TmuxArgs } from '../tmuxArgs';
import type { PaneRow } from '../tmuxFormat';
import type { TmuxConnection } from './tmuxConnection';

/** Where a mirror draws. */
export type MirrorSink = Parameters<AgentHost['mirror']>[1];

interface Mirror {
  readonly entry: HostedEntry;
  readonly sink: MirrorSink;
  readonly filter: MirrorFilter;
  readonly decoder: { decode(bytes: Uint8Array, options: { readonly stream: boolean }): string };
  size: string;
  /** The first picture was drawn: from now on output is passed. */
  isDrawn: boolean;
}

/**
 * Read-only pictures of agents' terminals. A picture begins with a capture on the very client that streams, so that each byte of
 * output is either in the capture or passed on after it, never both. The terminal itself is not touched: its size stays the agent's.
 */
export class PaneMirrors {
  readonly #mirrors = new Set<Mirror>();

  constructor(
    private readonly log: Logger,
    private readonly connection: () => Pick<TmuxConnection, 'runOnWatch' | 'format'> | undefined,
  ) {}

  /** Panes that must be streamed. */
  get paneIds(): ReadonlySet<string> {
    return new Set([...this.#mirrors].map((mirror) => mirror.entry.paneId));
  }

  add(entry: HostedEntry, sink: MirrorSink): { dispose(): void } {
    const mirror: Mirror = {
      entry,
      sink,
      filter: new MirrorFilter(),
      decoder: new TextDecoder(),
      size: '',
      isDrawn: false,
    };
    this.#mirrors.add(mirror);
    void this.#draw(mirror);
    return { dispose: () => void this.#mirrors.delete(mirror) };
  }

  onOutput(paneId: string, escaped: Uint8Array): void {
    for (const mirror of this.#mirrors) {
      if (mirror.entry.paneId !== paneId || !mirror.isDrawn) continue;
      const text = mirror.filter.push(mirror.decoder.decode(unescapeOutput(escaped), { stream: true }));
      if (text !== '') this.#guard(() => mirror.sink.onData(text));
    }
  }

  /** The stream of a pane had a gap, or its size changed: draws afresh. */
  redraw(select: (entry: HostedEntry) => boolean): void {
    for (const mirror of this.#mirrors) if (select(mirror.entry)) void this.#draw(mirror);
  }

  /** The terminals are gone. */
  end(select: (entry: HostedEntry) => boolean): void {
    for (const mirror of [...this.#mirrors]) {
      if (!select(mirror.entry)) continue;
      this.#mirrors.delete(mirror);
      this.#guard(() => mirror.sink.onEnd());
    }
  }

  async #draw(mirror: Mirror): Promise<void> {
    const connection = this.connection();
    mirror.isDrawn = false;
    if (!connection) return this.end((entry) => entry === mirror.entry);
    const { paneId } = mirror.entry;
    const commands = [TmuxArgs.displayPane(paneId, connection.format.text), TmuxArgs.capturePaneWithEscapes(paneId)];
    try {
      await connection.runOnWatch(commands, {
        onReplies: ([info = '', screen = '']) => this.#drawn(mirror, connection.format.parse(info)[0], screen),
      });
    } catch (error) {
      ignore(this.log, error, 'the terminal to mirror is gone');
      this.end((entry) => entry === mirror.entry);
    }
  }

  #drawn(mirror: Mirror, row: PaneRow | undefined, screen: string): void {
    if (!this.#mirrors.has(mirror) || !row) return;
    mirror.isDrawn = true;
    const size = `${row.columns}x${row.rows}`;
    const lines = mirror.filter.push(screen.replace(/\n+$/, '').split('\n').join('\r\n'));
    this.#guard(() => {
      if (mirror.size !== size) mirror.sink.onSize(Number(row.columns), Number(row.rows));
      mirror.size = size;
      mirror.sink.onData(
        `\x1b[0m\x1b[H\x1b[2J${lines}\x1b[0m\x1b[${Number(row.cursorY) + 1};${Number(row.cursorX) + 1}H`,
      );
    });
  }

  /** A sink is foreign code: its failure must not reach the connection. */
  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.log.error('a mirror failed', { error });
    }
  }
}
