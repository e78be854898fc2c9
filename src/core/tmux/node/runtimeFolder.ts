import { stat } from 'node:fs/promises';
import type { LaunchSpec } from '../../agents/agentHost';
import { TmuxError } from '../tmuxErrors';
import type { LaunchFiles } from './launchFiles';
import { announceHosted, writeServerConf, writeServerMarker } from './serverMarker';

export interface RuntimeFolderOptions {
  readonly path: string;
  readonly files: LaunchFiles;
  /** Watches the exit folder afresh: an old watch is on the folder that was removed. */
  readonly rewatch: () => void;
}

/**
 * The owner's runtime folder may vanish while we run: $XDG_RUNTIME_DIR is removed when the last session of the user ends (systemd
 * pam_systemd(8)), and folders below /tmp are cleaned. It is made again with what others look for in it.
 */
export class RuntimeFolder {
  #known: string | undefined;
  #repairing: Promise<void> | undefined;

  constructor(private readonly options: RuntimeFolderOptions) {}

  /** The folder is as it should be now; it is compared with this later. */
  async note(): Promise<void> {
    this.#known = await this.#identity();
  }

  /** Makes the folder again when it has vanished or is another one than the one noted. @throws {TmuxError} as {@link RuntimeFolder.repair} */
  async repairWhenGone(serverPid: number): Promise<void> {
    const now = await this.#identity();
    if (now === undefined || now !== this.#known) await this.repair(serverPid);
  }

  /** @throws {TmuxError} tmux.socketFolderUnsafe, tmux.runtimeFolderUnusable */
  repair(serverPid: number): Promise<void> {
    this.#repairing ??= this.#repairNow(serverPid).finally(() => (this.#repairing = undefined));
    return this.#repairing;
  }

  /**
   * Writes the script of a launch; when the folder has vanished, makes it again and writes once more. Returns the script's path.
   * @throws {TmuxError} tmux.invalidArgument, tmux.socketFolderUnsafe, tmux.runtimeFolderUnusable
   */
  async writeScript(spec: LaunchSpec, serverPid: number): Promise<string> {
    try {
      return this.options.files.write(spec);
    } catch (error) {
      if (!isMissing(error)) throw unusable(error);
    }
    await this.repair(serverPid);
    try {
      return this.options.files.write(spec);
    } catch (error) {
      throw unusable(error);
    }
  }

  async #repairNow(serverPid: number): Promise<void> {
    const { path, files, rewatch } = this.options;
    await files.prepare();
    try {
      await writeServerConf(path);
      await writeServerMarker(path, serverPid);
      await announceHosted(path);
    } catch (error) {
      throw unusable(error);
    }
    await this.note();
    rewatch();
  }

  /** Inodes are used again, so the time of birth counts too. */
  async #identity(): Promise<string | undefined> {
    try {
      const { dev, ino, birthtimeMs } = await stat(this.options.files.exitFolder);
      return `${dev} ${ino} ${birthtimeMs}`;
    } catch {
      return undefined; // gone, or not to be entered any more: making it again says which
    }
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'; // whatever has this code says so
}

function unusable(error: unknown): unknown {
  if (!(error instanceof Error) || TmuxError.is(error)) return error;
  const { code } = error as NodeJS.ErrnoException; // absent in other errors
  return new TmuxError('tmux.runtimeFolderUnusable', 'launch', { detail: code ?? error.name, cause: error });
}
