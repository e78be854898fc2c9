import { GATEWAY_LIMITS } from '../../shared/gatewayProtocol';
import type { GatewayMethod } from '../../shared/gatewayMethods';
import { isJsonObject, type JsonObject, JsonReader } from '../agents/jsonReader';
import type { Clock } from '../base/clock';
import type { Disposable } from '../base/disposable';
import type { Logger } from '../base/log';
import type { Engine } from '../engine';
import { GatewayError } from './gatewayErrors';
import type { HookIntake, Principal } from './gatewayPorts';
import { type Fields, type FieldValues, readFields } from './params';

/** What the methods work on. */
export interface MethodPorts {
  readonly engine: Engine;
  readonly hooks: HookIntake;
  /** Of the product, for people. */
  readonly version: string;
  /** Real path of the folder or workspace file; empty: no folder. */
  readonly workspace: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** One request, as a method sees it. */
export interface Call<P extends Principal = Principal> extends MethodPorts {
  readonly principal: P;
  /** Aborted when the caller cancels, or its connection ends. */
  readonly signal: AbortSignal;
  /** Tells the caller something about this request while it is under way. */
  notify(method: string, params: JsonObject): void;
  /** Replaces this connection's subscription: it lives until the connection ends. */
  subscribe(subscription: Disposable): void;
  /** Reports how far a call with steps has come, as `progress` of this request. */
  progress(step: JsonObject): void;
}

export type PersonCall = Call<Principal & { readonly kind: 'person' }>;
export type AgentCall = Call<Principal & { readonly kind: 'agent' }>;

/** One row of the table. */
export interface Method {
  readonly callers: 'person' | 'agent' | 'any';
  /**
   * Checks who calls and with what, and does it. A result that is no promise is answered before anything else happens.
   * @throws {GatewayError} gateway.notPermitted, gateway.invalidRequest
   */
  run(params: unknown, call: Call): unknown;
}

export type MethodTable = ReadonlyMap<string, Method>;

interface Options {
  /** Texts may be longer than the limit of a body: they are bounded by the frame. */
  readonly hasLargeTexts?: boolean;
}

/** A method of a person's own callers. */
export function forPerson<F extends Fields>(
  fields: F,
  handle: (params: FieldValues<F>, call: PersonCall) => unknown,
  options: Options = {},
): Method {
  return {
    callers: 'person',
    run(params, call) {
      const { principal } = call;
      if (principal.kind !== 'person') throw notPermitted();
      return handle(read(fields, params, options), { ...call, principal });
    },
  };
}

/** A method of an agent's own programs. Fields that name an agent or a generation must name the caller (S11). */
export function forAgent<F extends Fields>(
  fields: F,
  handle: (params: FieldValues<F>, call: AgentCall) => unknown,
  options: Options = {},
): Method {
  return {
    callers: 'agent',
    run(params, call) {
      const { principal } = call;
      if (principal.kind !== 'agent') throw notPermitted();
      requireOwn(params, principal);
      return handle(read(fields, params, options), { ...call, principal });
    },
  };
}

/** A method that tells nothing and changes nothing of any agent. */
export function forAnybody<F extends Fields>(
  fields: F,
  handle: (params: FieldValues<F>, call: Call) => unknown,
): Method {
  return { callers: 'any', run: (params, call) => handle(read(fields, params, {}), call) };
}

export function tableOf(methods: Readonly<Record<GatewayMethod, Method>>): MethodTable {
  return new Map(Object.entries(methods));
}

function requireOwn(params: unknown, principal: Principal & { readonly kind: 'agent' }): void {
  if (!isJsonObject(params)) return;
  const { agentId, generation } = params;
  const isOther =
    (agentId !== undefined && agentId !== principal.agentId) ||
    (generation !== undefined && generation !== principal.generation);
  if (isOther) throw new GatewayError('gateway.notPermitted', 'an agent speaks for itself only');
}

function read<F extends Fields>(fields: F, params: unknown, options: Options): FieldValues<F> {
  const json = new JsonReader();
  const values = readFields(fields, params ?? {}, json);
  if (!options.hasLargeTexts) requireBodies(params);
  const first = json.problems[0];
  if (first !== undefined || values === undefined) {
    throw new GatewayError('gateway.invalidRequest', `${first?.path || 'params'} ${first?.message ?? 'is wrong'}`);
  }
  return values;
}

/** No text of the parameters is larger than a body may be. The frame's depth is bounded, so this ends. */
function requireBodies(value: unknown): void {
  if (typeof value === 'string') {
    if (utf8Length(value) <= GATEWAY_LIMITS.bodyBytes) return;
    throw new GatewayError('gateway.invalidRequest', `a text is larger than ${GATEWAY_LIMITS.bodyBytes} bytes`);
  }
  if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) requireBodies(part);
}

/** Bytes of a text as UTF-8. */
function utf8Length(text: string): number {
  if (text.length > GATEWAY_LIMITS.bodyBytes) return text.length; // no need to look: a unit takes a byte at least
  if (text.length * 3 <= GATEWAY_LIMITS.bodyBytes) return text.length;
  return new TextEncoder().encode(text).length;
}

function notPermitted(): GatewayError {
  return new GatewayError('gateway.notPermitted', 'this caller may not do that');
}
