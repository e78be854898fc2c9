import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentId } from '../../agents/agent';
import type { LaunchSpec } from '../../agents/agentHost';
import { exitFileName, parseExitFileName } from '../exitFile';
import { launchScript } from '../launchScript';
import { requirePrivateFolder } from './privateFolder';

/** The files of launches inside the private runtime folder: `launch/<id>.<generation>` (holds the environment, 0600) and `exit/<id>.<generation>`. */
export class LaunchFiles {
  readonly exitFolder: string;
  readonly #launchFolder: string;

  constructor(
    private readonly runtimeFolder: string,
    /** Names every pane inherits from the server. */
    private readonly inheritedNames: readonly string[],
  ) {
    this.exitFolder = join(runtimeFolder, 'exit');
    this.#launchFolder = join(runtimeFolder, 'launch');
  }

  /** @throws {TmuxError} tmux.socketFolderUnsafe */
  async prepare(): Promise<void> {
    await requirePrivateFolder(this.runtimeFolder);
    await requirePrivateFolder(this.exitFolder);
    await requirePrivateFolder(this.#launchFolder);
  }

  /**
   * Writes the script of `spec` and forgets an exit of the same generation. Returns the script's path.
   * @throws {TmuxError} tmux.invalidArgument – see {@link launchScript}.
   */
  async write(spec: LaunchSpec): Promise<string> {
    const name = exitFileName(spec.agentId, spec.generation);
    const exitFile = join(this.exitFolder, name);
    const text = launchScript(spec, {
      exitFile,
      temporaryExitFile: join(this.exitFolder, `.${name}.tmp`),
      inheritedNames: this.inheritedNames,
    });
    const path = join(this.#launchFolder, name);
    await Promise.all([rm(exitFile, { force: true }), rm(path, { force: true })]);
    await writeFile(path, text, { mode: 0o600, flag: 'wx' }); // wx: never through a link somebody left there
    return path;
  }

  /** Removes all files of one agent. A folder that has vanished has none. */
  async remove(agentId: AgentId): Promise<void> {
    for (const folder of [this.exitFolder, this.#launchFolder]) {
      const names = (await readdir(folder).catch(nothingWhenMissing)).filter(
        (name) => parseExitFileName(name)?.agentId === agentId,
      );
      await Promise.all(names.map((name) => rm(join(folder, name), { force: true })));
    }
  }

  /** The agent has ended: its script, and with it the environment it was given, is not needed any more. */
  async removeScript(agentId: AgentId, generation: number): Promise<void> {
    await rm(join(this.#launchFolder, exitFileName(agentId, generation)), { force: true });
  }
}

function nothingWhenMissing(error: NodeJS.ErrnoException): readonly string[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}
