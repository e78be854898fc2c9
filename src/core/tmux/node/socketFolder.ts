import { watch, type FSWatcher } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep, type Clock } from '../../base/clock';
import { ignore, type Logger } from '../../base/log';

/** Where tmux keeps its sockets (tmux(1), -L): `$TMUX_TMPDIR` when it is a folder, else /tmp; in it `tmux-<uid>`. */
export async function socketFolder(env: Readonly<Record<string, string>>): Promise<string> {
  const isUsable = env.TMUX_TMPDIR
    ? await stat(env.TMUX_TMPDIR).then(
        (stats) => stats.isDirectory(),
        () => false,
      )
    : false;
  return join(isUsable ? (env.TMUX_TMPDIR ?? '/tmp') : '/tmp', `tmux-${process.getuid?.() ?? 0}`);
}

/** 1 s: how often a missing socket is looked for where no file event tells; no process is started for it. */
const LOOK_MS = 1_000;
const MAX_WAIT_MS = 5_000;

export interface SocketWait {
  readonly folder: string;
  readonly socketName: string;
  /** Grows the wait while a socket is there but nobody answers (a server that was killed leaves it behind). */
  readonly attempt: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Waits until a server may have come up: its socket is made anew, or, where no event tells, it exists and some time has passed.
 * At least {@link LOOK_MS} unless an event comes. Rejects with the signal's reason when aborted.
 */
export async function waitForServer(wait: SocketWait, signal: AbortSignal): Promise<void> {
  const woken = new AbortController();
  const watcher = watchFolder(wait, () => woken.abort());
  try {
    const patienceMs = Math.min(LOOK_MS * Math.max(1, wait.attempt - 1), MAX_WAIT_MS);
    for (let waitedMs = 0; ; waitedMs += LOOK_MS) {
      const exists = await stat(join(wait.folder, wait.socketName)).then(
        () => true,
        () => false,
      );
      if (woken.signal.aborted || (exists && waitedMs >= patienceMs)) return;
      await sleep(wait.clock, LOOK_MS, AbortSignal.any([signal, woken.signal])).catch((error: unknown) => {
        if (signal.aborted) throw error;
      });
    }
  } finally {
    watcher?.close();
  }
}

function watchFolder({ folder, socketName, log }: SocketWait, onChange: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, (_, name) => {
      if (name === null || name === socketName) onChange();
    });
    return watcher.on('error', (error) => ignore(log, error, 'looked at every second instead'));
  } catch (error) {
    ignore(log, error, 'the folder does not exist yet; looked at every second instead');
    return undefined;
  }
}
