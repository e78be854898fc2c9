import { watch, type FSWatcher } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep, type Clock } from '../../base/clock';
import { ignore, type Logger } from '../../base/log';
import { isSameProcessAlive, readStartTime } from './processIdentity';

/** The owner's note, in the runtime folder, which server is up and ready: its process id and start time. */
const MARKER = 'server';
/** Touched by the owner when terminals came or went. */
const HOSTED = 'hosted';
/** 1 s: how often the marker is looked at where no file event tells. */
const LOOK_MS = 1_000;

/** Says that the server is ready for others. */
export async function writeServerMarker(runtimeFolder: string, serverPid: number): Promise<void> {
  const path = join(runtimeFolder, MARKER);
  await writeFile(`${path}.tmp`, `${serverPid} ${(await readStartTime(serverPid)) ?? ''}\n`, { mode: 0o600 });
  await rename(`${path}.tmp`, path);
}

/** The server has been ended. */
export async function removeServerMarker(runtimeFolder: string): Promise<void> {
  await rm(join(runtimeFolder, MARKER), { force: true });
}

/** Tells observers to look. */
export async function announceHosted(runtimeFolder: string): Promise<void> {
  await writeFile(join(runtimeFolder, HOSTED), '', { mode: 0o600 });
}

/** True while the server of the marker lives; a socket file alone says nothing about that. */
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
  const watcher = watchServer(runtimeFolder, log, { onMarker: () => wake.abort(), onHosted: () => {} });
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

/** Tells when the marker changed and when the owner announced that terminals came or went. Undefined: cannot be watched. */
export function watchServer(
  runtimeFolder: string,
  log: Logger,
  { onMarker, onHosted }: { readonly onMarker: () => void; readonly onHosted: () => void },
): FSWatcher | undefined {
  try {
    const watcher = watch(runtimeFolder, { persistent: false }, (_, name) => {
      if (name === null || name === MARKER) onMarker();
      if (name === null || name === HOSTED) onHosted();
    });
    return watcher.on('error', (error) => ignore(log, error, 'looked at from time to time instead'));
  } catch (error) {
    ignore(log, error, 'the folder does not exist; looked at from time to time instead');
    return undefined;
  }
}
