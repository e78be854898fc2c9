import { lstat, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../base/log';
import { isAgentId } from '../agent';
import { isJsonObject, type JsonObject } from '../jsonReader';
import { type HomeFolders, type HomePlan, homeSettings, type KnownHome, type Run } from '../signals/homePlan';
import { giveBack } from './giveBack';
import { changeSettings, readSettings } from './settingsFile';

/** Beside the user's folder in each home: what it was made with. A home without it was never used. */
const NOTE = 'run.json';

interface Note {
  readonly base: string;
  readonly folder: string;
  readonly settingsFile: string;
  readonly besides: readonly string[];
  /** The settings as they were written, and what of them is ours. */
  readonly given: JsonObject;
  readonly ours: JsonObject;
  readonly silence?: string;
}

export interface NodeHomeFoldersOptions {
  /** Holds the homes: `<agent>.<generation>`; made (0700) when missing. Stays when the runtime folder goes. */
  readonly folder: string;
  readonly log: Logger;
}

/** {@link HomeFolders} on the real file system. Of one agent one thing is done at a time. */
export class NodeHomeFolders implements HomeFolders {
  readonly #last = new Map<string, Promise<unknown>>();

  constructor(private readonly options: NodeHomeFoldersOptions) {}

  folder({ agentId, generation }: Run): string {
    return join(this.options.folder, `${agentId}.${generation}`);
  }

  make(run: Run, plan: HomePlan): Promise<KnownHome> {
    return this.#inTurn(run, async () => {
      for (const earlier of await this.#runs()) if (earlier.agentId === run.agentId) await this.#settle(earlier);
      return this.#make(run, plan);
    });
  }

  settle(run: Run): Promise<void> {
    return this.#inTurn(run, () => this.#settle(run));
  }

  async list(): Promise<readonly KnownHome[]> {
    const runs = await this.#runs();
    return Promise.all(
      runs.map(async (run) => {
        const silence = (await this.#note(run))?.silence;
        return { ...run, ...(silence !== undefined && { silence }) };
      }),
    );
  }

  async #make(
    run: Run,
    { base, folder, settingsFile, besides, keepFolders, keepFiles, ...plan }: HomePlan,
  ): Promise<KnownHome> {
    const home = this.folder(run);
    const [theirs, mine] = [join(base, folder), join(home, folder)];
    for (const name of keepFolders) await mkdir(join(theirs, name), { recursive: true, mode: 0o700 });
    const names = new Set([...(await namesIn(theirs)), ...keepFolders, ...keepFiles]);
    names.delete(settingsFile);
    const own = await readSettings(join(theirs, settingsFile));
    if (!own) this.options.log.warn('the settings of a program cannot be read and are left out of this launch', { path: join(theirs, settingsFile) }); // prettier-ignore
    const { settings, ours, silence } = homeSettings(plan, own ?? {});
    await mkdir(this.options.folder, { recursive: true, mode: 0o700 });
    await mkdir(home, { mode: 0o700 }); // fails where an earlier one could not be settled: what is in it is not lost
    await mkdir(mine, { mode: 0o700 });
    for (const name of names) await symlink(join(theirs, name), join(mine, name));
    for (const name of besides) if (await isThere(join(base, name))) await symlink(join(base, name), join(home, name));
    await write(join(mine, settingsFile), settings);
    const note: Note = {
      base,
      folder,
      settingsFile,
      besides,
      given: settings,
      ours,
      ...(silence !== undefined && { silence }),
    };
    await write(join(home, NOTE), note);
    return { ...run, ...(silence !== undefined && { silence }) };
  }

  async #settle(run: Run): Promise<void> {
    const home = this.folder(run);
    try {
      const note = await this.#note(run);
      if (note) await this.#giveBack(home, note);
      await rm(home, { recursive: true, force: true }); // links are removed, not followed
    } catch (error) {
      this.options.log.warn('what a program changed in its home could not be kept yet; the home stays', {
        home,
        error,
      });
    }
  }

  async #giveBack(home: string, { base, folder, settingsFile, besides, given, ours }: Note): Promise<void> {
    const [mine, theirs] = [join(home, folder), join(base, folder)];
    const { mtimeMs } = await stat(join(home, NOTE));
    await mkdir(theirs, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    const now = (await readSettings(join(mine, settingsFile))) ?? {};
    const isWhole = Object.keys(now).length > 0; // not one that was killed while it wrote: that would empty the person's
    if (isWhole) await changeSettings(join(theirs, settingsFile), { given, now, ours });
    await giveBack(mine, theirs, { madeAtMs: mtimeMs, except: [settingsFile] });
    await giveBack(home, base, { madeAtMs: mtimeMs, only: besides }); // not whatever somebody puts there into the person's home
  }

  /** Undefined when it is not there, or was not written whole. */
  async #note(run: Run): Promise<Note | undefined> {
    const text = await readFile(join(this.folder(run), NOTE), 'utf8').catch(() => '');
    try {
      const note: unknown = JSON.parse(text);
      return isJsonObject(note) ? (note as unknown as Note) : undefined; // ours: a folder of ours holds it
    } catch {
      return undefined;
    }
  }

  async #runs(): Promise<readonly Run[]> {
    const names = await namesIn(this.options.folder);
    return names.flatMap((name) => runOf(name) ?? []);
  }

  #inTurn<T>({ agentId }: Run, work: () => Promise<T>): Promise<T> {
    const turn = (this.#last.get(agentId) ?? Promise.resolve()).then(work, work);
    this.#last.set(agentId, turn);
    const forget = (): void => void (this.#last.get(agentId) === turn && this.#last.delete(agentId));
    turn.then(forget, forget);
    return turn;
  }
}

function runOf(name: string): Run | undefined {
  const [, agentId = '', generation] = /^([^.]+)\.(\d{1,15})$/.exec(name) ?? [];
  return isAgentId(agentId) ? { agentId, generation: Number(generation) } : undefined;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

async function write(path: string, value: unknown): Promise<void> {
  await writeFile(path, `${JSON.stringify(value, undefined, 2)}\n`, { flag: 'wx', mode: 0o600 });
}
