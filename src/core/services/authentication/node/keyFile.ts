import { createSecretKey, randomBytes } from 'node:crypto';
import { lstat, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '../../../base/clock';
import { AuthError } from '../authErrors';
import { isRotationDue, KeyRing, type SigningKey } from '../keyRing';

interface StoredKey {
  readonly kid: string;
  /** 32 random bytes, base64url. */
  readonly secret: string;
  readonly createdAtMs: number;
}

const SECRET_BYTES = 32;

/**
 * Reads the signing keys (0600, in a 0700 folder of ours), makes them when there are none, and begins a new one when the newest is
 * 30 days old; the one before stays accepted. Only the workspace's owner calls this, so there is one writer.
 * @throws {AuthError} auth.keysUnavailable – the file is open to others, somebody else's, or damaged: it is never replaced in silence
 */
export async function openKeyRing(path: string, clock: Clock): Promise<KeyRing> {
  return new KeyRing(await loadKeys(path, clock));
}

/** The keys of {@link openKeyRing}, newest first. @throws {AuthError} as there */
export async function loadKeys(path: string, clock: Clock): Promise<readonly SigningKey[]> {
  let stored = await read(path);
  const [newest] = stored;
  if (!newest || isRotationDue(newest.createdAtMs, clock.nowMs())) {
    stored = [newKey(clock.nowMs()), ...stored].slice(0, 2);
    await writePrivateFile(path, JSON.stringify({ version: 1, keys: stored }));
  }
  return stored.map(({ kid, secret, createdAtMs }) => ({
    kid,
    createdAtMs,
    secret: createSecretKey(Buffer.from(secret, 'base64url')),
  }));
}

/** Replaces `path` by a 0600 file with this text: a reader sees the old one or the new one, whole. */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = join(dirname(path), `.${randomBytes(8).toString('hex')}`);
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Reads a file of ours that must be 0600 and nobody else's; undefined when there is none. @throws {AuthError} auth.keysUnavailable */
export async function readPrivateFile(path: string): Promise<string | undefined> {
  const stats = await lstat(path).catch((error: NodeJS.ErrnoException) => error);
  if (stats instanceof Error) {
    if (stats.code === 'ENOENT') return undefined;
    throw new AuthError('auth.keysUnavailable', `${path} cannot be read (${stats.code ?? stats.name})`);
  }
  if (!stats.isFile() || stats.uid !== process.getuid?.() || (stats.mode & 0o077) !== 0) {
    throw new AuthError(
      'auth.keysUnavailable',
      `${path} must be a file of yours that nobody else can read: remove it, a new one is made`,
    );
  }
  return readFile(path, 'utf8');
}

function newKey(nowMs: number): StoredKey {
  return {
    kid: randomBytes(4).toString('hex'),
    secret: randomBytes(SECRET_BYTES).toString('base64url'),
    createdAtMs: nowMs,
  };
}

async function read(path: string): Promise<readonly StoredKey[]> {
  const text = await readPrivateFile(path);
  if (text === undefined) return [];
  const keys = parse(text);
  if (keys) return keys;
  throw new AuthError('auth.keysUnavailable', `${path} is damaged: remove it, new keys are made`);
}

function parse(text: string): readonly StoredKey[] | undefined {
  try {
    const { keys } = JSON.parse(text) as { readonly keys?: unknown };
    return Array.isArray(keys) && keys.every(isStoredKey) ? keys : undefined;
  } catch {
    return undefined; // not JSON: as damaged as a wrong shape
  }
}

function isStoredKey(value: unknown): value is StoredKey {
  if (typeof value !== 'object' || value === null) return false;
  const { kid, secret, createdAtMs } = value as Record<string, unknown>;
  return (
    typeof kid === 'string' &&
    typeof createdAtMs === 'number' &&
    typeof secret === 'string' &&
    Buffer.from(secret, 'base64url').length >= SECRET_BYTES
  );
}
