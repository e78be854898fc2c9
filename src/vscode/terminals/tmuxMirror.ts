import type { IPty } from 'node-pty';
import { type Disposable, DisposableStore, toDisposable } from '../../core/base/disposable';
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
  const store = new DisposableStore();
  const keeper = spawnClient(nodePty, attach.program, ['-C', ...attach.args, '-f', 'read-only,no-output'], size);
  store.add(killOnDispose(keeper, log));
  if (!(await isAttached(keeper))) {
    log.warn('mirror: no keeper, so the agent could be resized; following its output instead');
    store.dispose();
    return undefined;
  }
  const client = spawnClient(nodePty, attach.program, [...attach.args, '-f', 'read-only,ignore-size'], size);
  store.add(killOnDispose(client, log));
  const end = toDisposable(sink.onEnd);
  store.add(client.onData(sink.onData));
  store.add(client.onExit(() => end.dispose()));
  store.add(keeper.onExit(() => store.dispose())); // never without its keeper
  return {
    resize: ({ columns, rows }) => {
      if (!store.isDisposed) client.resize(Math.max(2, columns), Math.max(2, rows));
    },
    dispose: () => store.dispose(),
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

function killOnDispose(client: IPty, log: Logger): Disposable {
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
