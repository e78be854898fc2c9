import type { IPty } from 'node-pty';
import { type Disposable, toDisposable } from '../../core/base/disposable';
import { describeError } from '../../core/base/errors';
import type { Logger } from '../../core/base/log';

export interface MirrorSize {
  readonly columns: number;
  readonly rows: number;
}

export interface TmuxMirror extends Disposable {
  /** Size of the picture; the agent's terminal keeps its own. */
  resize(size: MirrorSize): void;
}

export interface TmuxMirrorSink {
  readonly onData: (data: string) => void;
  readonly onEnd: () => void;
}

type NodePty = typeof import('node-pty');

/**
 * A read-only tmux client in a pty of its own. tmux heeds `ignore-size` only while some client without it is attached (3.3a,
 * `ignore_client_size` in resize.c): the engine of the owner keeps one that never states a size, and a window that only looks asks
 * for it first (`attachment.ts`). Guarded by test/integration/vscode/tmuxMirror.test.ts.
 *
 * @returns undefined when node-pty cannot be loaded.
 */
export async function openTmuxMirror(
  attach: { readonly program: string; readonly args: readonly string[] },
  size: MirrorSize,
  log: Logger,
  sink: TmuxMirrorSink,
): Promise<TmuxMirror | undefined> {
  const nodePty = await loadNodePty(log);
  if (!nodePty) return undefined;
  const client = spawnClient(nodePty, attach.program, [...attach.args, '-f', 'read-only,ignore-size'], size);
  const clientEnd = killer(client, log);
  let isLive = true;
  client.onData((data) => isLive && sink.onData(data));
  client.onExit(() => {
    if (isLive) sink.onEnd();
    isLive = false;
  });
  return {
    resize: ({ columns, rows }) => {
      if (isLive) client.resize(Math.max(2, columns), Math.max(2, rows));
    },
    dispose: () => {
      isLive = false;
      clientEnd.dispose();
    },
  };
}

/** What a terminal answers by itself to a program that asks about it (device attributes, a position, colours): nobody has typed it. */
export function isTerminalReply(data: string): boolean {
  return data.startsWith('\u001b') && /^(?:\[[?>=]?[\d;]+[a-z]|[\]P])/i.test(data.slice(1));
}

/** A missing or broken native module costs the drawn mirror, nothing else. */
async function loadNodePty(log: Logger): Promise<NodePty | undefined> {
  try {
    return await import('node-pty');
  } catch (error) {
    log.warn('node-pty cannot be loaded; mirrors follow the raw output', { error: describeError(error) });
    return undefined;
  }
}

function spawnClient(nodePty: NodePty, program: string, args: readonly string[], size: MirrorSize): IPty {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => name !== 'TMUX' && name !== 'TMUX_PANE'),
  );
  return nodePty.spawn(program, [...args], {
    name: 'xterm-256color',
    cols: Math.max(2, size.columns),
    rows: Math.max(2, size.rows),
    env,
  });
}

/** Disposing ends the client, unless it has ended by itself. */
function killer(client: IPty, log: Logger): Disposable {
  let hasExited = false;
  client.onExit(() => (hasExited = true));
  return toDisposable(() => {
    if (hasExited) return;
    try {
      client.kill();
    } catch (error) {
      log.trace('mirror client had ended already', { error: describeError(error) });
    }
  });
}
