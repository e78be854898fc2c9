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

/** tmux answers a new control client within milliseconds; longer means it is not there to protect the agent's size. */
const KEEPER_DEADLINE_MS = 5_000;

/**
 * A read-only tmux client in a pty of its own. `-f ignore-size` alone is not enough: tmux (3.3a, `ignore_client_size` in
 * resize.c) honours the flag only while some client without it is attached, and a lone mirror did resize the agent. So
 * a *keeper* goes first: a control client without the flag, which never states a size of its own and therefore
 * sizes nothing, but makes the flag of the mirror count. Guarded by test/integration/vscode/tmuxMirror.test.ts.
 *
 * @returns undefined when node-pty cannot be loaded or the keeper cannot attach.
 */
export async function openTmuxMirror(
  attach: { readonly program: string; readonly args: readonly string[] },
  size: MirrorSize,
  log: Logger,
  sink: TmuxMirrorSink,
): Promise<TmuxMirror | undefined> {
  const nodePty = await loadNodePty(log);
  if (!nodePty) return undefined;
  const keeper = spawnClient(nodePty, attach.program, ['-C', ...attach.args, '-f', 'read-only,no-output'], size);
  const keeperEnd = killer(keeper, log);
  if (!(await isAttached(keeper))) {
    log.warn('mirror: no keeper, so the agent could be resized; following its output instead');
    keeperEnd.dispose();
    return undefined;
  }
  const client = spawnClient(nodePty, attach.program, [...attach.args, '-f', 'read-only,ignore-size'], size);
  const clientEnd = killer(client, log);
  let isLive = true;
  client.onData((data) => isLive && sink.onData(data));
  client.onExit(() => {
    keeperEnd.dispose(); // only now: a mirror that outlives its keeper for a moment resizes the agent
    if (isLive) sink.onEnd();
    isLive = false;
  });
  keeper.onExit(() => clientEnd.dispose());
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

/** True once tmux told the control client which session it is on (`%session-changed`, tmux(1) CONTROL MODE). */
function isAttached(keeper: IPty): Promise<boolean> {
  return new Promise((resolve) => {
    let seen = '';
    const timer = setTimeout(() => resolve(false), KEEPER_DEADLINE_MS);
    const settle = (answer: boolean): void => {
      clearTimeout(timer);
      resolve(answer);
    };
    keeper.onExit(() => settle(false));
    keeper.onData((data) => {
      if (seen.length > 4096) return;
      seen += data;
      if (seen.includes('%session-changed')) settle(true);
    });
  });
}
