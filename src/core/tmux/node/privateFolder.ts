import { lstat, mkdir } from 'node:fs/promises';
import { TmuxError } from '../tmuxErrors';

/**
 * Makes sure that `path` is a real folder that only this user can enter (S8); makes it (0700) when it is missing.
 * @throws {TmuxError} tmux.socketFolderUnsafe – a link, another owner, or open to others; or it cannot be made.
 */
export async function requirePrivateFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw unsafe(path, 'cannot be made', error);
  }
  const problem = await folderProblem(path);
  if (problem) throw unsafe(path, problem);
}

/** Checks a folder of ours without making it: a missing one is safe. @throws {TmuxError} tmux.socketFolderUnsafe */
export async function requireSafeWhenThere(path: string): Promise<void> {
  const problem = await folderProblem(path);
  if (problem && problem !== 'missing') throw unsafe(path, problem);
}

/**
 * Checks the folder in which tmux keeps its sockets (`$TMUX_TMPDIR` or /tmp, then `tmux-<uid>`); a missing one is made by tmux itself.
 * @throws {TmuxError} tmux.socketFolderUnsafe
 */
export function requireSafeSocketFolder(path: string): Promise<void> {
  return requireSafeWhenThere(path);
}

async function folderProblem(path: string): Promise<string | undefined> {
  const stats = await lstat(path).catch((error: NodeJS.ErrnoException) => error);
  if (stats instanceof Error)
    return stats.code === 'ENOENT' ? 'missing' : `cannot be read (${stats.code ?? stats.name})`;
  if (!stats.isDirectory()) return 'is not a folder';
  if (stats.uid !== process.getuid?.())
    return `belongs to user ${stats.uid}: only they or an administrator can remove it (sudo rm -r ${shellWord(path)})`;
  if ((stats.mode & 0o077) !== 0)
    return `is open to others (mode ${(stats.mode & 0o777).toString(8)}); to repair it run: chmod 700 ${shellWord(path)}`;
  return undefined;
}

/** As a person types it in a POSIX shell. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function unsafe(path: string, problem: string, cause?: unknown): TmuxError {
  return new TmuxError('tmux.socketFolderUnsafe', 'start', { detail: `${path} ${problem}`, cause });
}
