import {
  GATEWAY_LIMITS,
  GATEWAY_PROTOCOL,
  type HelloParams,
  type HelloResult,
  RPC_CODES,
  type RpcErrorBody,
} from '../../shared/gatewayProtocol';
import { CANCEL_METHOD, type GatewayMethod, type GatewayParams, PROGRESS_METHOD } from '../../shared/gatewayMethods';
import { isJsonObject, type JsonObject } from '../agents/jsonReader';
import { type Clock, sleep, withTimeout } from '../base/clock';
import { type Disposable, DisposableStore } from '../base/disposable';
import type { OrchestratorError } from '../base/errors';
import { Emitter } from '../base/event';
import { ignore, type Logger } from '../base/log';
import { GatewayError } from './gatewayErrors';
import type { GatewayConnection } from './gatewayPorts';
import type { GatewayResults, WireFleetStep } from './gatewayResults';
import { errorOfRpc } from './rpcErrors';
import { parseFrame } from './rpcFrames';

export interface RequestOptions {
  /** Cancels the request at the other side and ends the waiting at once. */
  readonly signal?: AbortSignal;
  /** Steps of a fleet call. */
  readonly onProgress?: (step: WireFleetStep) => void;
}

export interface Notification {
  readonly method: string;
  readonly params: JsonObject;
}

export interface ClientPorts {
  readonly clock: Clock;
  readonly log: Logger;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly onProgress: RequestOptions['onProgress'];
}

/** A caller that comes too fast is told when to come again; it does, this often. Nothing was begun before. */
const MAX_RATE_RETRIES = 5;
const MAX_RETRY_MS = 2_000;
/** Values of ours nest more than a caller may send. */
const MAX_ANSWER_DEPTH = 64;

/**
 * The caller's side of a connection. Requests have no time limit of their own: the engine's limits apply, and a connection
 * that ends ends them.
 */
export class GatewayClient implements Disposable {
  readonly #owned = new DisposableStore();
  readonly #waiting = new Map<number, Waiting>();
  readonly #onNotify: Emitter<Notification>;
  readonly #onClose: Emitter<void>;
  /** Everything the gateway tells of its own accord, but the progress of requests. Synchronous and in order with the answers. */
  readonly onDidNotify;
  /** Once, also after `dispose`. */
  readonly onDidClose;
  #nextId = 1;
  #hello: HelloResult | undefined;
  #isClosed = false;

  private constructor(
    private readonly connection: GatewayConnection,
    private readonly ports: ClientPorts,
  ) {
    const report = (error: unknown): void => ports.log.error('a listener of the gateway client failed', { error });
    this.#onNotify = new Emitter<Notification>(report);
    this.#onClose = new Emitter<void>(report);
    this.onDidNotify = this.#onNotify.event;
    this.onDidClose = this.#onClose.event;
    this.#owned.add(connection.onDidReceive((line) => this.#receive(line)));
    this.#owned.add(connection.onDidClose(() => this.#close()));
  }

  /**
   * Proves who calls. The connection is closed when that fails.
   * @throws {GatewayError} gateway.unauthenticated, gateway.protocolMismatch, gateway.tooMuch, gateway.unreachable (no answer in time)
   */
  static async open(
    connection: GatewayConnection,
    hello: Omit<HelloParams, 'protocol'>,
    ports: ClientPorts,
    signal?: AbortSignal,
  ): Promise<GatewayClient> {
    const client = new GatewayClient(connection, ports);
    try {
      const tooLate = (): Error => new GatewayError('gateway.unreachable', 'the engine did not answer in time');
      const params = { protocol: GATEWAY_PROTOCOL, ...hello };
      const answer = client.#send('hello', params, signal === undefined ? {} : { signal });
      client.#hello = requireHelloResult(await withTimeout(ports.clock, GATEWAY_LIMITS.helloMs, answer, tooLate));
      return client;
    } catch (error) {
      client.dispose();
      const remoteCode = GatewayError.is(error, 'gateway.notPossible') ? 'gateway.protocolMismatch' : undefined;
      if (GatewayError.is(error) && remoteCode) throw new GatewayError(remoteCode, error.detail, { cause: error });
      throw error;
    }
  }

  /** What the engine answered to `hello`. */
  get hello(): HelloResult {
    if (!this.#hello) throw new GatewayError('gateway.unauthenticated', 'hello was not answered');
    return this.#hello;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * @throws {OrchestratorError} AgentError and EngineError as at the engine; {@link GatewayError} for all else,
   * gateway.disconnected when the connection ended first (whether it was done is not known); the signal's reason when aborted
   */
  async request<M extends GatewayMethod>(
    method: M,
    params: GatewayParams[M],
    options: RequestOptions = {},
  ): Promise<GatewayResults[M]> {
    for (let tries = 1; ; tries++) {
      try {
        return (await this.#send(method, params, options)) as GatewayResults[M]; // the engine's own values
      } catch (error) {
        const retryAfterMs = GatewayError.is(error, 'gateway.tooMuch') ? error.retryAfterMs : undefined;
        if (retryAfterMs === undefined || tries > MAX_RATE_RETRIES || this.#isClosed) throw error;
        await sleep(this.ports.clock, Math.min(retryAfterMs * tries, MAX_RETRY_MS), options.signal);
      }
    }
  }

  dispose(): void {
    this.connection.dispose();
    this.#close();
  }

  #send(method: string, params: object, { signal, onProgress }: RequestOptions): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      if (this.#isClosed) return reject(disconnected());
      const id = this.#nextId++;
      const onAbort = (): void => {
        this.#waiting.delete(id);
        this.#write({ method: CANCEL_METHOD, params: { id } });
        reject(signal?.reason);
      };
      const done = (): void => signal?.removeEventListener('abort', onAbort);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.set(id, {
        resolve: (result) => (done(), resolve(result)),
        reject: (error) => (done(), reject(error)),
        onProgress,
      });
      this.#write({ id, method, params });
    });
  }

  #write(frame: JsonObject): void {
    if (!this.#isClosed) this.connection.send(JSON.stringify({ jsonrpc: '2.0', ...frame }));
  }

  #receive(line: string): void {
    let frame: JsonObject;
    try {
      frame = parseFrame(line, MAX_ANSWER_DEPTH);
    } catch (error) {
      this.ports.log.error('the gateway sent something that is no frame; the connection is closed', { error });
      return this.dispose();
    }
    const { id, method, params } = frame;
    if (typeof method === 'string') return this.#notified(method, isJsonObject(params) ? params : {});
    const waiting = typeof id === 'number' ? this.#waiting.get(id) : undefined;
    const error = 'error' in frame ? errorOfFrame(frame['error']) : undefined;
    if (waiting) {
      this.#waiting.delete(id as number); // it was found by it
      if (error) waiting.reject(error);
      else waiting.resolve(frame['result']);
    } else if (error) {
      ignore(this.ports.log, error, 'an error that answers nothing that is waited for');
    }
  }

  #notified(method: string, params: JsonObject): void {
    if (method !== PROGRESS_METHOD) return this.#onNotify.fire({ method, params });
    const { id, step } = params;
    if (typeof id === 'number' && isJsonObject(step)) this.#waiting.get(id)?.onProgress?.(step as unknown as WireFleetStep); // prettier-ignore
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#owned.dispose();
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(disconnected());
    this.#onClose.fire();
    this.#onClose.dispose();
    this.#onNotify.dispose();
  }
}

function disconnected(): GatewayError {
  return new GatewayError(
    'gateway.disconnected',
    'the connection to the engine ended; whether it was done is not known',
  );
}

function requireHelloResult(value: unknown): HelloResult {
  if (isJsonObject(value) && typeof value['version'] === 'string' && typeof value['principal'] === 'string') {
    return value as unknown as HelloResult; // the engine's own, of this protocol
  }
  throw new GatewayError('gateway.unreachable', 'what answers there is no engine');
}

/** What came as an error, whatever it is. */
function errorOfFrame(value: unknown): OrchestratorError {
  const { message, data } = isJsonObject(value) ? value : {};
  const { status } = isJsonObject(data) ? data : {};
  if (typeof message !== 'string' || typeof status !== 'string' || !Object.hasOwn(RPC_CODES, status)) {
    return new GatewayError('gateway.internal', 'the gateway answered with an error that is not understood');
  }
  return errorOfRpc(value as unknown as RpcErrorBody); // message and status were checked, the rest is optional
}
