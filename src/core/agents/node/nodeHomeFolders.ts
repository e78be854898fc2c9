import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, type ParseError } from 'jsonc-parser';
import type { Logger } from '../../base/log';
import { isJsonObject, type JsonObject } from '../jsonReader';
import type { HomeContent, HomeFolders, HomePlan } from '../signals/injection';

/** {@link HomeFolders} on the real file system. */
export class NodeHomeFolders implements HomeFolders {
  constructor(private readonly log: Logger) {}

  async read(plan: HomePlan): Promise<HomeContent> {
    for (const name of plan.keepFolders) await mkdir(join(plan.source, name), { recursive: true, mode: 0o700 });
    const names = await readdir(plan.source).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
      throw error;
    });
    return { names, settings: await this.#settings(join(plan.source, plan.settingsFile)) };
  }

  /** The user's settings, comments allowed, as the program reads them; what cannot be read counts as empty. */
  async #settings(path: string): Promise<JsonObject> {
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}; // readFile rejects with system errors only
      throw error;
    }
    const errors: ParseError[] = [];
    const value: unknown = parse(text, errors, { allowTrailingComma: true });
    if (errors.length === 0 && isJsonObject(value)) return value;
    this.log.warn('the settings of a program cannot be read and are left out of this launch', { path });
    return {};
  }
}
