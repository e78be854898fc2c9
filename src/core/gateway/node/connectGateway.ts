import net from 'node:net';
import { dirname } from 'node:path';
import { GATEWAY_LIMITS, type GatewayPointer } from '../../../shared/gatewayProtocol';
import { type Clock, withTimeout } from '../../base/clock';
import type { Logger } from '../../base/log';
import { GatewayClient } from '../gatewayClient';
import { GatewayError } from '../gatewayErrors';
import { readPointerFile } from './pointerFile';
import { readPrivateFile, requireSafeFolder, requireSocketPath } from './privatePlace';
import { SocketConnection } from './socketConnection';

export interface ConnectOptions {
  readonly pointerFile: string;
  /** For people and logs: `window 4711`. */
  readonly client: string;
  readonly clock: Clock;
  readonly log: Logger;
}

const MAX_KEY_BYTES = 1024;

/**
 * Connects a person's own caller to the gateway that the pointer file names, and proves who it is.
 * @throws {GatewayError} gateway.pointerInvalid, gateway.pathTooLong, gateway.folderUnsafe, gateway.unreachable,
 * gateway.unauthenticated, gateway.protocolMismatch; the signal's reason when aborted
 */
export async function connectGateway(options: ConnectOptions, signal?: AbortSignal): Promise<GatewayClient> {
  const pointer = await readPointerFile(options.pointerFile);
  const personKey = (await readPrivateFile(pointer.personKeyFile, MAX_KEY_BYTES)).trim();
  const connection = await connectSocket(pointer, options, signal);
  return GatewayClient.open(connection, { client: options.client, personKey }, options, signal);
}

/** The connection alone, without `hello`. @throws {GatewayError} gateway.unreachable, gateway.folderUnsafe, gateway.pathTooLong */
export async function connectSocket(
  { socket: path }: Pick<GatewayPointer, 'socket'>,
  { clock, log }: Pick<ConnectOptions, 'clock' | 'log'>,
  signal?: AbortSignal,
): Promise<SocketConnection> {
  requireSocketPath(path);
  // Secrets are sent there: in a folder that others could write, somebody else might listen.
  await requireSafeFolder(dirname(path)).catch((error: unknown) => {
    if (!GatewayError.is(error)) throw error;
    throw new GatewayError('gateway.unreachable', error.detail, { cause: error });
  });
  signal?.throwIfAborted();
  const socket = net.connect(path);
  const connected = new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  const tooLate = (): Error => new GatewayError('gateway.unreachable', 'the engine does not take connections');
  try {
    await withTimeout(clock, GATEWAY_LIMITS.helloMs, connected, tooLate);
  } catch (error) {
    socket.on('error', () => undefined); // destroyed below: nobody waits for it any more
    socket.destroy();
    if (GatewayError.is(error) || signal?.aborted) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new GatewayError('gateway.unreachable', `nobody answers at ${path} (${code ?? 'error'})`, { cause: error });
  }
  // The owner is trusted with more than its callers: a snapshot of many agents is one line.
  return new SocketConnection(socket, { maxLineBytes: GATEWAY_LIMITS.outgoingBytes, clock, log });
}
