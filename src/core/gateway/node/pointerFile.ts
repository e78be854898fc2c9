import { randomBytes } from 'node:crypto';
import { open, rename, unlink } from 'node:fs/promises';
import { dirname, isAbsolute } from 'node:path';
import type { GatewayPointer } from '../../../shared/gatewayProtocol';
import { isJsonObject } from '../../agents/jsonReader';
import { GatewayError } from '../gatewayErrors';
import { readPrivateFile, requireSafeFolder, requireSocketPath } from './privatePlace';

const MAX_BYTES = 16 * 1024;

/**
 * Writes the pointer file in one step (0600): readers see the old one or the new one.
 * @throws {GatewayError} gateway.folderUnsafe – its folder is not private; gateway.pathTooLong; and errors of the file system
 */
export async function writePointerFile(path: string, pointer: GatewayPointer): Promise<void> {
  requireSocketPath(pointer.socket);
  await requireSafeFolder(dirname(path));
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(pointer, undefined, 2)}\n`);
    await file.sync();
    await file.close();
    await rename(temporary, path);
  } catch (error) {
    await file.close().catch(() => undefined); // closed already, or the disk is full: the first error tells
    await unlink(temporary).catch(() => undefined); // renamed already, or gone with its folder
    throw error;
  }
}

/**
 * Reads the pointer file, if it is ours and nobody else's.
 * @throws {GatewayError} gateway.pointerInvalid – missing, open to others, or not such a file; gateway.pathTooLong
 */
export async function readPointerFile(path: string): Promise<GatewayPointer> {
  const pointer = parsePointer(await readPrivateFile(path, MAX_BYTES));
  if (!pointer) throw new GatewayError('gateway.pointerInvalid', `${path} is no pointer to a gateway`);
  requireSocketPath(pointer.socket);
  return pointer;
}

/** Later versions may add fields: what is not known here is left out. */
function parsePointer(text: string): GatewayPointer | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // the caller says what it means
  }
  if (!isJsonObject(value)) return undefined;
  const { protocol, version, socket, tokenFolder, personKeyFile, spoolFolder, workspace, ownerPid } = value;
  const isPath = (item: unknown): item is string => typeof item === 'string' && isAbsolute(item);
  const isRight =
    Number.isSafeInteger(protocol) && Number.isSafeInteger(ownerPid) && [socket, tokenFolder, personKeyFile, spoolFolder].every(isPath) &&
    typeof version === 'string' && typeof workspace === 'string'; // prettier-ignore
  if (!isRight) return undefined;
  return { protocol, version, socket, tokenFolder, personKeyFile, spoolFolder, workspace, ownerPid } as GatewayPointer; // checked just above
}
