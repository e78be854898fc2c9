import { tmpdir, userInfo } from 'node:os';
import { basename, join } from 'node:path';
import type { Clock } from '../base/clock';
import { DisposableStore } from '../base/disposable';
import type { Ids } from '../base/ids';
import type { Logger } from '../base/log';
import type { Ownership } from '../data/workspaceLock';
import { writePointerFile } from '../gateway/node/pointerFile';
import { UnixGatewayListener } from '../gateway/node/unixGatewayListener';
import { openKeyRing } from '../services/authentication/node/keyFile';
import { KeyRotation } from '../services/authentication/node/keyRotation';
import { openPersonKey } from '../services/authentication/node/personKey';
import { tokenDigest, tokenMac } from '../services/authentication/node/tokenDigest';
import { TokenFileKeeper } from '../services/authentication/node/tokenFileKeeper';
import { TokenManager } from '../services/authentication/tokenManager';
import { GATEWAY_PROTOCOL } from '../../shared/gatewayProtocol';
import type { WorkspaceAccess } from '../workspace';

export interface WorkspaceAccessOptions {
  readonly workspaceId: string;
  /** Real path of what is open; empty: no folder. */
  readonly workspacePath: string;
  readonly version: string;
  readonly dataFolder: string;
  readonly runtimeFolder: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
}

/** Where callers of a workspace find its gateway, whoever owns it and wherever the socket is. */
export function pointerFileOf(dataFolder: string): string {
  return join(dataFolder, 'gateway.json');
}

/** Where hooks leave what they cannot deliver. */
export function spoolFolderOf(dataFolder: string): string {
  return join(dataFolder, 'spool');
}

/** A logout removes $XDG_RUNTIME_DIR for good while agents live on: then the system's temporary folder, in a private folder of ours. */
function socketPaths(runtimeFolder: string): readonly [string, string] {
  const fallback = join(tmpdir(), `${basename(runtimeFolder)}-${userInfo().uid}-gateway`);
  return [join(runtimeFolder, 'gateway.sock'), join(fallback, 'gateway.sock')];
}

/**
 * Keys, tokens and socket of an owner. Keys and tokens are in the data folder (0700), which stays when a logout removes the
 * runtime folder; the socket is in the runtime folder, whose path is short.
 * @throws {AuthError} auth.keysUnavailable {GatewayError} gateway.folderUnsafe, gateway.pathTooLong, gateway.cannotListen
 */
export async function openWorkspaceAccess(
  ownership: Ownership,
  options: WorkspaceAccessOptions,
): Promise<WorkspaceAccess> {
  const { workspaceId, dataFolder, runtimeFolder, clock, ids, log } = options;
  const keyFolder = join(dataFolder, 'keys');
  const personKeyFile = join(keyFolder, 'person.key');
  const tokenFolder = join(dataFolder, 'tokens');
  const keyFile = join(keyFolder, 'signing.json');
  const keys = await openKeyRing(keyFile, clock);
  const personKey = await openPersonKey(personKeyFile);
  const { epoch } = ownership;
  const hashes = { digest: tokenDigest, mac: tokenMac };
  const tokens = new TokenManager({ keys, audience: workspaceId, epoch, clock, ids, log, ...hashes });
  const owned = new DisposableStore();
  const listener = owned.add(await UnixGatewayListener.listen({ paths: socketPaths(runtimeFolder), clock, log }));
  owned.add(new KeyRotation(keyFile, keys, { clock, log }));
  const tokenFiles = owned.add(new TokenFileKeeper({ folder: tokenFolder, tokens, clock, log }));
  const point = (socket: string): Promise<void> =>
    writePointerFile(pointerFileOf(dataFolder), {
      protocol: GATEWAY_PROTOCOL,
      version: options.version,
      socket,
      tokenFolder,
      personKeyFile,
      spoolFolder: spoolFolderOf(dataFolder),
      workspace: options.workspacePath,
      ownerPid: process.pid,
    });
  owned.add(
    listener.onDidMove((path) => {
      point(path).catch((error: unknown) => log.warn('callers are not told where the gateway is now', { error }));
    }),
  );
  try {
    await point(listener.path);
  } catch (error) {
    owned.dispose();
    throw error;
  }
  return {
    tokens,
    tokenFiles,
    isPersonKey: (candidate) => personKey.matches(candidate),
    listener,
    dispose: () => owned.dispose(),
  };
}
