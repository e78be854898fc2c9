import { constants, lstat, mkdir, open } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { MAX_SOCKET_PATH_BYTES } from '../../../shared/gatewayProtocol';
import { GatewayError } from '../gatewayErrors';

/**
 * Makes sure that `path` is a real folder that only this user can enter (S8); makes it (0700) when it is missing. A socket is
 * as private as its folder, whatever its own mode.
 * @throws {GatewayError} gateway.folderUnsafe – a link, another owner, or open to others; gateway.cannotListen – it cannot be made
 */
export async function requirePrivateFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    // Something else in its place is unsafe; a missing parent that cannot be made may come back.
    if (await statsOf(path))
      throw new GatewayError('gateway.folderUnsafe', `${path} is not a folder`, { cause: error });
    throw new GatewayError('gateway.cannotListen', `${path} cannot be made`, { cause: error });
  }
  await requireSafeFolder(path);
}

/** The same check for a folder that must be there. @throws {GatewayError} gateway.folderUnsafe */
export async function requireSafeFolder(path: string): Promise<void> {
  const stats = await statsOf(path);
  const problem = !stats
    ? 'is not there'
    : !stats.isDirectory()
      ? 'is not a folder'
      : !isOurs(stats)
        ? `belongs to user ${stats.uid}`
        : (stats.mode & 0o077) !== 0
          ? `is open to others (mode ${(stats.mode & 0o777).toString(8)})`
          : undefined;
  if (problem !== undefined) throw new GatewayError('gateway.folderUnsafe', `${path} ${problem}`);
}

/** What is at `path` itself (a link is not followed); undefined when there is nothing. */
export async function statsOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

export function isOurs(stats: Stats): boolean {
  return process.getuid === undefined || stats.uid === process.getuid();
}

/** Some runtimes cut a longer path in silence, so that two paths meet in one socket. @throws {GatewayError} gateway.pathTooLong */
export function requireSocketPath(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes <= MAX_SOCKET_PATH_BYTES && !path.includes('\0')) return;
  throw new GatewayError(
    'gateway.pathTooLong',
    `the path of the socket has ${bytes} bytes, at most ${MAX_SOCKET_PATH_BYTES} are possible: ${path}`,
  );
}

/**
 * The text of a file that only this user can read or write: no link, no pipe, nothing larger than `maxBytes`.
 * @throws {GatewayError} gateway.pointerInvalid – missing, or not such a file; the text of the error tells no content
 */
export async function readPrivateFile(path: string, maxBytes: number): Promise<string> {
  const invalid = (why: string, cause?: unknown): GatewayError =>
    new GatewayError('gateway.pointerInvalid', `${path} ${why}`, { cause });
  // Not blocking: a named pipe in its place must not hold us up.
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (error: NodeJS.ErrnoException) => {
      throw invalid(error.code === 'ENOENT' ? 'is not there' : `cannot be opened (${error.code ?? error.name})`, error);
    },
  );
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw invalid('is not a file');
    if (!isOurs(stats)) throw invalid(`belongs to user ${stats.uid}`);
    if ((stats.mode & 0o077) !== 0) throw invalid('is open to others');
    if (stats.size > maxBytes) throw invalid('is too large');
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
