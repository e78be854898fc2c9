import { watch, type FSWatcher } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep, type Clock } from '../../base/clock';
import { ignore, type Logger } from '../../base/log';
import { tmuxConf } from '../tmuxConf';
import { isSameProcessAlive, readStartTime } from './processIdentity';

/** The owner's note, in the runtime folder, which server is up and ready: its process id and start time. */
const MARKER = 'server';
/** Touched by the owner when terminals came or went. */
const HOSTED = 'hosted';
/** 1 s: how often the marker is looked at where no file event tells. */
const LOOK_MS = 1_000;

/** 30 s: how often the process of a marker that was found dead is looked up again. */
const RECHECK_MS = 30_000;

/** The configuration of our server. Returns its path. */
export async function writeServerConf(runtimeFolder: string): Promise<string> {
  const path = serverConfPath(runtimeFolder);
  await writeFile(path, tmuxConf(), { mode: 0o600 });
  return path;
}

export function serverConfPath(runtimeFolder: string): string {
  return join(runtimeFolder, 'tmux.conf');
}

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
  return isAlive(await readMarker(runtimeFolder));
}

/** '': no marker, so no owner has been here. */
async function readMarker(runtimeFolder: string): Promise<string> {
  try {
    return await readFile(join(runtimeFolder, MARKER), 'utf8');
  } catch {
    return ''; // none, or not readable: no server for us
  }
}

async function isAlive(marker: string): Promise<boolean> {
  const match = /^(\d+) (.+)\n$/.exec(marker);
  return match !== null && (await isSameProcessAlive({ pid: Number(match[1]), startTime: match[2] ?? '' }));
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
  let dead = { marker: '', untilMs: 0 };
  try {
    for (;;) {
      // Where a process is looked up by a program (macOS), not every second: what is dead does not come back.
      const marker = await readMarker(runtimeFolder);
      if (marker !== dead.marker || clock.monotonicMs() >= dead.untilMs) {
        if (await isAlive(marker)) return;
        dead = { marker, untilMs: clock.monotonicMs() + RECHECK_MS };
      }
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
