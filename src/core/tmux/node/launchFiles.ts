import { mkdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { AgentId } from '../../agents/agent';
import type { LaunchSpec } from '../../agents/agentHost';
import { exitFileName, parseExitFileName } from '../exitFile';
import { launchScript } from '../launchScript';
import { TmuxError } from '../tmuxErrors';
import { requirePrivateFolder } from './privateFolder';

const SCRIPT_NAME = 'launch.sh';
const MAX_PARTS = 4;

/**
 * The files of launches inside the private runtime folder: `launch/<id>.<generation>`, which is the script alone, or with files
 * in the spec a folder of all of them (folders 0700, files 0600; the script holds the environment), and `exit/<id>.<generation>`.
 */
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

  /** The private folder of one launch, absolute. */
  folder(agentId: AgentId, generation: number): string {
    return join(this.#launchFolder, exitFileName(agentId, generation));
  }

  /**
   * Writes the script of `spec` and its files afresh, and forgets an exit of the same generation.
   * Returns the script's path. Written at once: the runtime folder is memory or the system's temporary folder, and five turns to a
   * thread of the pool cost a launch more than all its files, most of all beside programs that are just starting.
   * @throws {TmuxError} tmux.invalidArgument – see {@link launchScript} and `LaunchSpec.files`
   */
  write(spec: LaunchSpec): string {
    const name = exitFileName(spec.agentId, spec.generation);
    const exitFile = join(this.exitFolder, name);
    const text = launchScript(spec, {
      exitFile,
      temporaryExitFile: join(this.exitFolder, `.${name}.tmp`),
      inheritedNames: this.inheritedNames,
    });
    const { files = {} } = spec;
    requirePaths(Object.keys(files));
    unlinkWhenThere(exitFile);
    const place = this.folder(spec.agentId, spec.generation);
    const contents = Object.entries(files);
    if (contents.length === 0) {
      makeAfresh(place, () => writePrivate(place, text));
      return place;
    }
    makeAfresh(place, () => mkdirSync(place, { mode: 0o700 }));
    const script = join(place, SCRIPT_NAME);
    writePrivate(script, text);
    for (const [path, content] of contents) writePrivate(inside(place, path), content);
    return script;
  }

  /** Removes all files of one agent. A folder that has vanished has none. */
  async remove(agentId: AgentId): Promise<void> {
    for (const folder of [this.exitFolder, this.#launchFolder]) {
      const names = (await readdir(folder).catch(nothingWhenMissing)).filter(
        (name) => parseExitFileName(name)?.agentId === agentId,
      );
      await Promise.all(names.map((name) => rm(join(folder, name), { recursive: true, force: true })));
    }
  }

  /** The agent has ended: its folder, and with it the environment it was given, is not needed any more. */
  async removeFolder(agentId: AgentId, generation: number): Promise<void> {
    await rm(this.folder(agentId, generation), { recursive: true, force: true }); // links are removed, not followed
  }
}

/** Never through a link that somebody left there. */
function writePrivate(path: string, content: string): void {
  writeFileSync(path, content, { mode: 0o600, flag: 'wx' });
}

function inside(folder: string, path: string): string {
  const place = join(folder, path);
  if (path.includes('/')) mkdirSync(dirname(place), { recursive: true, mode: 0o700 });
  return place;
}

/** @throws {TmuxError} tmux.invalidArgument */
function requirePaths(paths: readonly string[]): void {
  const isFine = (part: string): boolean => /^[A-Za-z0-9._-]{1,60}$/.test(part) && part !== '.' && part !== '..';
  for (const path of paths) {
    const parts = path.split('/');
    if (parts.length > MAX_PARTS || !parts.every(isFine) || parts[0] === SCRIPT_NAME)
      throw new TmuxError('tmux.invalidArgument', 'launch', { detail: 'the path of a launch file' });
  }
}

/** `make` fails when something is there, also a link. Most often there is nothing, so it is tried first. */
function makeAfresh(place: string, make: () => void): void {
  try {
    make();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error; // whatever has this code says so
    rmSync(place, { recursive: true, force: true }); // a link is removed, not followed
    make();
  }
}

function unlinkWhenThere(file: string): void {
  try {
    unlinkSync(file);
  } catch (error) {
    nothingWhenMissing(error as NodeJS.ErrnoException); // the type of every error of fs
  }
}

function nothingWhenMissing(error: NodeJS.ErrnoException): readonly string[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}
