import {
  GATEWAY_LIMITS,
  GATEWAY_PROTOCOL,
  type HelloResult,
  type RpcRequest,
  RpcStatus,
} from '../../shared/gatewayProtocol';
import { CANCEL_METHOD, PROGRESS_METHOD } from '../../shared/gatewayMethods';
import type { JsonObject } from '../agents/jsonReader';
import { cleanText } from '../agents/visibleText';
import { type Disposable, DisposableStore, MutableDisposable } from '../base/disposable';
import { describeError } from '../base/errors';
import type { Refused, CallerBudget, CallerBudgets } from './callerBudget';
import { GatewayError } from './gatewayErrors';
import type { Authenticator, GatewayConnection, Principal } from './gatewayPorts';
import type { Call, MethodPorts, MethodTable } from './methodTable';
import { isUnexpected, rpcErrorOf } from './rpcErrors';
import { frameOf, idOf, parseFrame, requireHello, requireRequest } from './rpcFrames';

export interface SessionPorts extends MethodPorts {
  readonly methods: MethodTable;
  readonly authenticator: Authenticator;
  readonly budgets: CallerBudgets;
  /** Whether there is room for one more connection of this caller. @throws {GatewayError} gateway.tooMuch */
  readonly admit: (principal: Principal, budget: CallerBudget) => void;
  /** Called once, when the connection has ended for whatever reason. */
  readonly onClosed: () => void;
}

/** Above this a frame that goes over the rate waits until the rate allows it: to refuse it, it would have to be parsed for its id. */
const MAX_PARSED_OVER_RATE = 16 * 1024;

interface Caller {
  readonly principal: Principal;
  readonly budget: CallerBudget;
}

/**
 * One connection: `hello`, then requests of JSON-RPC 2.0, each answered as it finishes. Who calls is established once, by
 * the authenticator, and asked again at each request whether it still holds; nothing in a request changes it.
 */
export class RpcSession implements Disposable {
  readonly #owned = new DisposableStore();
  readonly #subscription = this.#owned.add(new MutableDisposable());
  readonly #pauses = this.#owned.add(new MutableDisposable());
  readonly #idleTimer = this.#owned.add(new MutableDisposable());
  /** Under way, by id (`n1`, `s1`: the number and the text are different ids). Notifications have none. */
  readonly #underWay = new Map<string, AbortController>();
  readonly #ending = new AbortController();
  #unnamedCount = 0;
  #caller: Caller | undefined;
  #lastActiveMs: number;
  #isClosed = false;

  constructor(
    private readonly connection: GatewayConnection,
    private readonly ports: SessionPorts,
  ) {
    const { clock } = ports;
    this.#lastActiveMs = clock.monotonicMs();
    this.#owned.add(connection.onDidClose(() => this.#close()));
    this.#owned.add(connection.onDidReceive((line) => this.#receive(line)));
    this.#watchIdle(GATEWAY_LIMITS.helloMs);
  }

  /** Undefined until `hello` was accepted. */
  get principal(): Principal | undefined {
    return this.#caller?.principal;
  }

  /** Nothing is under way and nothing subscribed: it may be closed when room is needed. */
  get isIdle(): boolean {
    return this.#underWay.size + this.#unnamedCount === 0 && this.#subscription.value === undefined;
  }

  /** Monotonic ms of the last frame or answer. */
  get lastActiveMs(): number {
    return this.#lastActiveMs;
  }

  /** Cuts the caller off: what is under way is aborted, what was not taken is dropped. */
  dispose(): void {
    this.connection.dispose();
    this.#close();
  }

  #receive(line: string): void {
    if (this.#isClosed) return;
    this.#lastActiveMs = this.ports.clock.monotonicMs();
    if (this.#caller) this.#request(line, this.#caller);
    else this.#hello(line);
  }

  // --- hello

  #hello(line: string): void {
    let frame: JsonObject;
    try {
      frame = parseFrame(line);
    } catch (error) {
      this.ports.log.debug('a connection that does not speak the protocol was closed', { error });
      return this.dispose(); // a browser or a stranger: no answer that could be read as one
    }
    try {
      const request = requireRequest(frame);
      if (request.method !== 'hello' || request.id === undefined) {
        throw new GatewayError('gateway.unauthenticated', 'the first request must be hello');
      }
      this.#send(frameOf({ id: request.id, result: this.#accept(request.params) }));
    } catch (error) {
      this.#refuse(idOf(frame) ?? null, error);
    }
  }

  #accept(params: unknown): HelloResult {
    const { authenticator, budgets, version, workspace, admit, log } = this.ports;
    const hello = requireHello(params);
    if (hello.protocol !== GATEWAY_PROTOCOL) {
      const detail = `this engine (${version}) speaks protocol ${GATEWAY_PROTOCOL}, the caller protocol ${hello.protocol}`;
      throw new GatewayError('gateway.protocolMismatch', detail);
    }
    const client = cleanText(hello.client, 100);
    const principal = authenticator.authenticate({ ...hello, client });
    const budget = budgets.of(principal);
    admit(principal, budget);
    budget.connectionCount++;
    this.#caller = { principal, budget };
    this.#watchIdle(GATEWAY_LIMITS.idleMs);
    const agentId = principal.kind === 'agent' ? principal.agentId : undefined;
    log.trace('a caller connected', { client, principal: agentId ?? 'person' });
    return {
      protocol: GATEWAY_PROTOCOL,
      version,
      principal: principal.kind,
      ...(agentId !== undefined && { agentId }),
      workspace,
    };
  }

  // --- requests

  #request(line: string, caller: Caller): void {
    const overRate = caller.budget.admit(line.length);
    if (overRate) {
      const isHeld = line.length > MAX_PARSED_OVER_RATE;
      this.#pauseFor(overRate.retryAfterMs, isHeld ? () => this.#request(line, caller) : undefined);
      if (isHeld) return;
    }
    let frame: JsonObject;
    let request: RpcRequest;
    try {
      frame = parseFrame(line);
    } catch (error) {
      return this.#answerError(null, error);
    }
    try {
      request = requireRequest(frame);
    } catch (error) {
      return this.#answerError(idOf(frame) ?? null, error);
    }
    if (request.method === CANCEL_METHOD) return this.#cancel(request.params);
    if (overRate) return this.#answerRefused(request.id, overRate);
    if (!this.#isStillValid(caller)) {
      return this.#refuse(request.id ?? null, new GatewayError('gateway.unauthenticated', 'who calls is not known'));
    }
    this.#begin(request, line.length, caller);
  }

  #begin(request: RpcRequest, bytes: number, caller: Caller): void {
    const { id, method } = request;
    const key = id === undefined ? undefined : keyOf(id);
    if (key !== undefined && this.#underWay.has(key)) {
      return this.#answerError(id, new GatewayError('gateway.invalidRequest', 'this id is under way'));
    }
    const refused = caller.budget.begin(bytes);
    if (refused) return this.#answerRefused(id, refused);
    const canceling = new AbortController();
    if (key === undefined) this.#unnamedCount++;
    else this.#underWay.set(key, canceling);
    const end = (): void => {
      caller.budget.end(bytes);
      if (key === undefined) this.#unnamedCount--;
      else this.#underWay.delete(key);
      this.#lastActiveMs = this.ports.clock.monotonicMs();
    };
    const signal = AbortSignal.any([canceling.signal, this.#ending.signal]);
    try {
      const result = this.#run(request, caller.principal, signal);
      if (!(result instanceof Promise)) {
        end();
        return this.#answer(id, result);
      }
      result.then(
        (value) => {
          end();
          this.#answer(id, value);
        },
        (error: unknown) => {
          end();
          this.#answerError(id, canceling.signal.aborted ? canceling.signal.reason : error, method);
        },
      );
    } catch (error) {
      end();
      this.#answerError(id, error, method);
    }
  }

  #run({ id, method, params }: RpcRequest, principal: Principal, signal: AbortSignal): unknown {
    const row = this.ports.methods.get(method);
    if (!row) throw new GatewayError('gateway.unknownMethod', 'there is no such method');
    const { engine, hooks, version, workspace, clock, log } = this.ports;
    const call: Call = {
      ...{ engine, hooks, version, workspace, clock, log },
      principal,
      signal,
      notify: (name, body) => this.#notify(name, body),
      progress: (step) => {
        if (id !== undefined && !signal.aborted) this.#notify(PROGRESS_METHOD, { id, step });
      },
      subscribe: (subscription) => {
        this.#subscription.value = subscription;
      },
    };
    return row.run(params, call);
  }

  #cancel(params: JsonObject | undefined): void {
    const id = params && idOf(params);
    if (id === undefined) return;
    this.#underWay.get(keyOf(id))?.abort(new GatewayError('gateway.canceled', 'canceled by the caller'));
  }

  #isStillValid({ principal }: Caller): boolean {
    try {
      return this.ports.authenticator.isStillValid(principal);
    } catch (error) {
      this.ports.log.error('whether a caller is still valid could not be established', { error });
      return false;
    }
  }

  // --- answers

  #answer(id: RpcRequest['id'], result: unknown): void {
    if (id === undefined) return;
    try {
      this.#send(frameOf({ id, result: result ?? null }));
    } catch (error) {
      this.#answerError(id, error);
    }
  }

  /** Also for frames without a usable id (null); notifications (undefined) get none. */
  #answerError(id: number | string | null | undefined, error: unknown, method = ''): void {
    if (isUnexpected(error) && !this.#isClosed) {
      this.ports.log.error('a request failed unexpectedly', {
        method: cleanText(method, 80),
        error: describeError(error),
      });
    }
    if (id !== undefined) this.#send(frameOf({ id, error: rpcErrorOf(error) }));
  }

  #answerRefused(id: RpcRequest['id'] | null, { why, retryAfterMs }: Refused): void {
    this.#answerError(id, new GatewayError('gateway.tooMuch', why, { retryAfterMs }));
  }

  #notify(method: string, params: JsonObject): void {
    try {
      this.#send(frameOf({ method, params }));
    } catch (error) {
      this.ports.log.warn('a caller was cut off: a change is larger than it may be sent', { error });
      this.dispose(); // it begins anew, from a snapshot
    }
  }

  #send(line: string): void {
    if (this.#isClosed) return;
    const waiting = this.connection.send(line);
    if (waiting <= GATEWAY_LIMITS.outgoingBytes) return;
    this.ports.log.warn('a caller was cut off: it does not read', { waitingBytes: waiting });
    this.dispose();
  }

  /** Says why, and ends the connection. */
  #refuse(id: number | string | null, error: unknown): void {
    const { status } = rpcErrorOf(error).data;
    if (status !== RpcStatus.Unauthenticated) this.ports.log.debug('a caller was refused', { error });
    this.#answerError(id, error, 'hello');
    if (this.#isClosed) return;
    this.connection.end();
    this.#close();
  }

  // --- endings

  /** Nothing more is read until the rate allows it: a flood costs one answer per pause. `then` comes before what is read next. */
  #pauseFor(delayMs: number, then?: () => void): void {
    this.connection.pause();
    this.#pauses.value = this.ports.clock.setTimer(delayMs, () => {
      this.#pauses.value = undefined;
      then?.();
      if (this.#pauses.value === undefined && !this.#isClosed) this.connection.resume();
    });
  }

  #watchIdle(limitMs: number): void {
    const { clock } = this.ports;
    const look = (): void => {
      const leftMs = this.isIdle ? this.#lastActiveMs + limitMs - clock.monotonicMs() : limitMs;
      if (leftMs <= 0) return this.dispose();
      this.#idleTimer.value = clock.setTimer(leftMs, look);
    };
    this.#idleTimer.value = clock.setTimer(limitMs, look);
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#caller) this.#caller.budget.connectionCount--;
    this.#ending.abort(new GatewayError('gateway.disconnected', 'the caller went away'));
    this.#owned.dispose();
    this.ports.onClosed();
  }
}

function keyOf(id: number | string): string {
  return typeof id === 'number' ? `n${id}` : `s${id}`;
}
