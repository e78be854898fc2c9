import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, resolve } from 'node:path';
import type { LaunchChecks } from '../launchChecks';

/** {@link LaunchChecks} on the real file system. */
export class NodeLaunchChecks implements LaunchChecks {
  async isFolder(path: string): Promise<boolean> {
    return (await kindOf(path, constants.X_OK)) === 'folder';
  }

  async findCommand(command: string, searchPath: string, folder: string): Promise<string | undefined> {
    const candidates = command.includes('/')
      ? [resolve(folder, command)]
      : searchPath.split(delimiter).filter((part) => part !== '').map((part) => isAbsolute(part) ? resolve(part, command) : resolve(folder, part, command)); // prettier-ignore
    for (const candidate of candidates) if ((await kindOf(candidate, constants.X_OK)) === 'file') return candidate;
    return undefined;
  }
}

async function kindOf(path: string, mode: number): Promise<'file' | 'folder' | undefined> {
  try {
    await access(path, mode);
    const status = await stat(path);
    return status.isDirectory() ? 'folder' : status.isFile() ? 'file' : undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined; // absent, not permitted, not a directory: all "not there" for a start
    throw error;
  }
}
