import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { type GatewayPointer, MAX_SOCKET_PATH_BYTES } from '../shared/gatewayProtocol';

/** A pointer is a few hundred bytes. */
const MAX_POINTER_BYTES = 16 * 1024;
/** A token has at most 4 KB, a key 64 digits. */
const MAX_SECRET_BYTES = 8 * 1024;

export type PointerRead =
  | { readonly kind: 'found'; readonly pointer: GatewayPointer }
  | { readonly kind: 'missing' }
  /** There is a file, and it is not what an engine writes. */
  | { readonly kind: 'broken'; readonly reason: string };

/** Reads a pointer file; never throws. */
export function readPointer(file: string): PointerRead {
  let text: string;
  try {
    text = readSmall(file, MAX_POINTER_BYTES);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException; // what node:fs throws
    return code === 'ENOENT' || code === 'ENOTDIR' ? { kind: 'missing' } : { kind: 'broken', reason: message };
  }
  try {
    return { kind: 'found', pointer: parsePointer(JSON.parse(text)) };
  } catch (error) {
    return { kind: 'broken', reason: error instanceof Error ? error.message : String(error) };
  }
}

function parsePointer(value: unknown): GatewayPointer {
  if (typeof value !== 'object' || value === null) throw new Error('it holds no object');
  const given = value as Readonly<Record<string, unknown>>; // each field is checked below
  const text = (name: string): string => {
    const field = given[name];
    if (typeof field !== 'string') throw new Error(`"${name}" is missing`);
    return field;
  };
  const absolute = (name: string): string => {
    const field = text(name);
    if (!isAbsolute(field) || field.includes('\0')) throw new Error(`"${name}" is no absolute path`);
    return field;
  };
  const number = (name: string): number => {
    const field = given[name];
    if (typeof field !== 'number' || !Number.isInteger(field)) throw new Error(`"${name}" is missing`);
    return field;
  };
  const socket = absolute('socket');
  if (Buffer.byteLength(socket) > MAX_SOCKET_PATH_BYTES) throw new Error('the path of the socket is too long');
  return {
    protocol: number('protocol'),
    version: text('version'),
    socket,
    tokenFolder: absolute('tokenFolder'),
    personKeyFile: absolute('personKeyFile'),
    spoolFolder: absolute('spoolFolder'),
    workspace: text('workspace'),
    ownerPid: number('ownerPid'),
  };
}

/** A token or a key, without the blanks around it. Undefined when it cannot be read. */
export function readSecret(file: string): string | undefined {
  try {
    return readSmall(file, MAX_SECRET_BYTES).trim() || undefined;
  } catch {
    return undefined; // the engine took it away, or never wrote one: the same for the caller
  }
}

/** The token file of an agent's generation. Undefined when the names could not be an agent's. */
export function tokenFile(
  pointer: Pick<GatewayPointer, 'tokenFolder'>,
  agentId: string,
  generation: string,
): string | undefined {
  const isSafe = /^[a-z0-9][a-z0-9-]{0,40}$/.test(agentId) && /^\d{1,10}$/.test(generation);
  return isSafe ? join(pointer.tokenFolder, `${agentId}.${generation}.jwt`) : undefined;
}

/** @throws {Error} of node:fs, or when the file is larger than `maxBytes` or no regular file */
function readSmall(file: string, maxBytes: number): string {
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new Error('it is no file');
    if (stat.size > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}
