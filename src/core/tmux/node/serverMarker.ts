import { watch, type FSWatcher } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep, type Clock } from '../../base/clock';
import { ignore, type Logger } from '../../base/log';
import { isSameProcessAlive, readStartTime } from './processIdentity';

/** The owner's note, in the runtime folder, which server is up and ready: its process id and start time. */
const MARKER = 'server';
/** 1 s: how often the marker is looked at where no file event tells. */
const LOOK_MS = 1_000;

/** Says that the server is ready for others. */
export async function writeServerMarker(runtimeFolder: string, serverPid: number): Promise<void> {
  const path = join(runtimeFolder, MARKER);
  await writeFile(`${path}.tmp`, `${serverPid} ${(await readStartTime(serverPid)) ?? ''}\n`, { mode: 0o600 });
  await rename(`${path}.tmp`, path);
}

/**
 * True while the server of the marker lives. Nobody may attach before: tmux 3.3a dies (signal 11) when a client attaches while the
 * server is still starting (23 of 841 starts), and a socket file alone says nothing about that.
 */
export async function isServerReady(runtimeFolder: string): Promise<boolean> {
  try {
    const match = /^(\d+) (.+)\n$/.exec(await readFile(join(runtimeFolder, MARKER), 'utf8'));
    return match !== null && (await isSameProcessAlive({ pid: Number(match[1]), startTime: match[2] ?? '' }));
  } catch {
    return false; // no marker: no owner has been here
  }
}

/** Waits until a server is ready, at least `minimumMs`. Rejects with the signal's reason when aborted. */
export async function waitForServer(
  runtimeFolder: string,
  { minimumMs, clock, log }: { readonly minimumMs: number; readonly clock: Clock; readonly log: Logger },
  signal: AbortSignal,
): Promise<void> {
  await sleep(clock, minimumMs, signal);
  let wake = new AbortController();
  const watcher = watchFolder(runtimeFolder, log, () => wake.abort());
  try {
    while (!(await isServerReady(runtimeFolder))) {
      await sleep(clock, LOOK_MS, AbortSignal.any([signal, wake.signal])).catch((error: unknown) => {
        if (signal.aborted) throw error;
      });
      wake = new AbortController();
    }
  } finally {
    watcher?.close();
  }
}

function watchFolder(folder: string, log: Logger, onMarker: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, (_, name) => {
      if (name === null || name === MARKER) onMarker();
    });
    return watcher.on('error', (error) => ignore(log, error, 'looked at every second instead'));
  } catch (error) {
    ignore(log, error, 'the folder does not exist; looked at every second instead');
    return undefined;
  }
}
