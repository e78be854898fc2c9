import { constants, existsSync, type FSWatcher, watch } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import type { Disposable } from '../../base/disposable';
import { describeError } from '../../base/errors';
import type { Logger } from '../../base/log';
import type { StatusFilePlace, StatusFiles } from '../signals/statusFile';

const MAX_BYTES = 64 * 1024;
/** Folders that may have to be made before the file: the program's home and one in it. */
const MAX_MISSING = 3;

/** {@link StatusFiles} on the real file system: told by the operating system, nothing is polled. */
export class NodeStatusFiles implements StatusFiles {
  constructor(
    private readonly log: Logger,
    private readonly env: Readonly<Record<string, string | undefined>>,
  ) {}

  watch(place: StatusFilePlace, onText: (text: string, modifiedAtMs: number) => void): Disposable {
    const watched = new WatchedFile(onText, this.log);
    this.#home(place).then(
      (home) => watched.begin(join(home, place.path)),
      (error: unknown) => this.log.debug('a status file cannot be found', { pid: place.pid, error: describeError(error) }), // prettier-ignore
    );
    return watched;
  }

  /** The environment of the process itself knows where its home is; where it cannot be read (macOS), ours is taken. */
  async #home({ pid, variable, folder }: StatusFilePlace): Promise<string> {
    const env = (await environmentOf(pid)) ?? this.env;
    const named = env[variable];
    if (named !== undefined && isAbsolute(named)) return named;
    const home = env['HOME'];
    return join(home !== undefined && isAbsolute(home) ? home : homedir(), folder);
  }
}

/** Linux, proc(5): the environment that the program was executed with. */
async function environmentOf(pid: number): Promise<Readonly<Record<string, string>> | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/environ`, 'utf8');
    const pairs = text.split('\0').filter((pair) => pair.indexOf('=') > 0);
    return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)])); // prettier-ignore
  } catch {
    return undefined; // no such file system, or the process is gone
  }
}

class WatchedFile implements Disposable {
  #watcher: FSWatcher | undefined;
  #reading: 'no' | 'yes' | 'again' = 'no';
  #isDisposed = false;
  #path = '';

  constructor(
    private readonly onText: (text: string, modifiedAtMs: number) => void,
    private readonly log: Logger,
  ) {}

  begin(path: string): void {
    this.#path = path;
    this.#attach();
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#watcher?.close();
  }

  /** Watches the file's folder; while that is not there yet, the nearest one that is, until it is made. */
  #attach(): void {
    let name = basename(this.#path);
    let folder = dirname(this.#path);
    for (let missing = 0; missing < MAX_MISSING && !this.#isDisposed; missing++) {
      const watcher = this.#watchFolder(folder, name, missing > 0);
      if (watcher) {
        this.#watcher?.close();
        this.#watcher = watcher;
        this.#read(); // what came before the watch began
        if (missing > 0 && existsSync(join(folder, name))) this.#attach(); // made meanwhile
        return;
      }
      name = basename(folder);
      folder = dirname(folder);
    }
  }

  #watchFolder(folder: string, name: string, isAncestor: boolean): FSWatcher | undefined {
    try {
      const watcher = watch(folder, { persistent: false });
      watcher.on('change', (_, changed) => {
        if (changed !== null && String(changed) !== name) return;
        if (isAncestor) this.#attach();
        else this.#read();
      });
      watcher.on('error', (error) => this.log.debug('a status file is not watched any more', { error: describeError(error) })); // prettier-ignore
      return watcher;
    } catch {
      return undefined; // the folder is not there yet
    }
  }

  #read(): void {
    if (this.#isDisposed) return;
    if (this.#reading !== 'no') {
      this.#reading = 'again';
      return;
    }
    this.#reading = 'yes';
    readSmallFile(this.#path)
      .then(
        (content) => {
          if (content && !this.#isDisposed) this.onText(content.text, content.modifiedAtMs);
        },
        (error: unknown) => this.log.debug('a status file cannot be read', { error: describeError(error) }),
      )
      .finally(() => {
        const isAgain = this.#reading === 'again';
        this.#reading = 'no';
        if (isAgain) this.#read();
      });
  }
}

/** Undefined when it is not there, not an ordinary file, or too large. @throws other system errors */
async function readSmallFile(
  path: string,
): Promise<{ readonly text: string; readonly modifiedAtMs: number } | undefined> {
  const found = await stat(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined; // not there yet
    throw error;
  });
  if (!found?.isFile() || found.size > MAX_BYTES) return undefined;
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK); // a pipe put in its place would not open otherwise
  try {
    const { size, mtimeMs } = await file.stat();
    const buffer = Buffer.alloc(Math.min(size, MAX_BYTES));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    return { text: buffer.toString('utf8', 0, bytesRead), modifiedAtMs: mtimeMs };
  } finally {
    await file.close();
  }
}
