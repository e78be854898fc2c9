import { GATEWAY_LIMITS, type HelloParams, type RpcErrorBody, type RpcRequest } from '../../shared/gatewayProtocol';
import { isDeeperThan } from '../../shared/frameCodec';
import { isJsonObject, type JsonObject } from '../agents/jsonReader';
import { GatewayError } from './gatewayErrors';

/** One answer or notification: what waits for a slow caller may be larger, and whoever calls takes lines of that size. */
export const MAX_ANSWER_BYTES = (GATEWAY_LIMITS.outgoingBytes / 4) * 3;
const MAX_METHOD_LENGTH = 80;
const MAX_ID_LENGTH = 64;
const MAX_CLIENT_LENGTH = 100;
/** A token is at most 4 KB, a key 64 digits. */
const MAX_SECRET_LENGTH = 4096;

/** A frame as JSON. Depth is looked at in the text first: parsing recurses. @throws {GatewayError} gateway.invalidRequest */
export function parseFrame(line: string, maxDepth: number = GATEWAY_LIMITS.jsonDepth): JsonObject {
  if (isDeeperThan(line, maxDepth)) throw invalid(`is nested deeper than ${maxDepth}`);
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw invalid('is no JSON'); // the parser's text would repeat the caller's
  }
  if (!isJsonObject(value)) throw invalid('must be one JSON object');
  return value;
}

/** The id to answer to, when the frame has a usable one. */
export function idOf(frame: JsonObject): number | string | undefined {
  const { id } = frame;
  if (typeof id === 'number' && Number.isSafeInteger(id)) return id;
  return typeof id === 'string' && id.length > 0 && id.length <= MAX_ID_LENGTH ? id : undefined;
}

/** A request of JSON-RPC 2.0, and nothing else beside it. @throws {GatewayError} gateway.invalidRequest */
export function requireRequest(frame: JsonObject): RpcRequest {
  const { jsonrpc, method, params } = frame;
  const unknown = Object.keys(frame).find((key) => !['jsonrpc', 'id', 'method', 'params'].includes(key));
  if (unknown !== undefined) throw invalid('has fields that JSON-RPC does not know');
  if (jsonrpc !== '2.0') throw invalid('jsonrpc must be "2.0"');
  if (typeof method !== 'string' || method === '' || method.length > MAX_METHOD_LENGTH) {
    throw invalid(`method must be a text of 1 to ${MAX_METHOD_LENGTH} characters`);
  }
  if (params !== undefined && !isJsonObject(params)) throw invalid('params must be an object');
  const id = idOf(frame);
  if (id === undefined && frame['id'] !== undefined) {
    throw invalid(`id must be a whole number or a text of 1 to ${MAX_ID_LENGTH} characters`);
  }
  return { jsonrpc, method, ...(id !== undefined && { id }), ...(params !== undefined && { params }) };
}

/**
 * The parameters of `hello`. Unknown fields are let through: a newer caller must learn that its protocol is not spoken here,
 * not that its fields are wrong. @throws {GatewayError} gateway.invalidRequest
 */
export function requireHello(params: unknown): HelloParams {
  if (!isJsonObject(params)) throw invalid('hello needs parameters');
  const { protocol, client, token, personKey } = params;
  if (typeof protocol !== 'number' || !Number.isSafeInteger(protocol)) throw invalid('protocol must be a number');
  if (typeof client !== 'string' || client === '' || client.length > MAX_CLIENT_LENGTH) {
    throw invalid(`client must be a text of 1 to ${MAX_CLIENT_LENGTH} characters`);
  }
  const isSecret = (text: unknown): text is string =>
    typeof text === 'string' && text !== '' && text.length <= MAX_SECRET_LENGTH;
  if (isSecret(token) && personKey === undefined) return { protocol, client, token };
  if (isSecret(personKey) && token === undefined) return { protocol, client, personKey };
  throw invalid('exactly one of token and personKey must be given');
}

/** One answer or notification as a line. @throws {GatewayError} gateway.tooMuch – larger than a caller may be sent at once */
export function frameOf(body: { readonly id: number | string; readonly result: unknown }): string;
export function frameOf(body: { readonly id: number | string | null; readonly error: RpcErrorBody }): string;
export function frameOf(body: { readonly method: string; readonly params: JsonObject }): string;
export function frameOf(body: JsonObject): string {
  const line = JSON.stringify({ jsonrpc: '2.0', ...body });
  if (isWithin(line, MAX_ANSWER_BYTES)) return line;
  throw new GatewayError('gateway.tooMuch', 'the answer is too large');
}

/** It has at most so many bytes as UTF-8. */
function isWithin(text: string, maxBytes: number): boolean {
  if (text.length * 3 <= maxBytes) return true; // no unit takes more
  return text.length <= maxBytes && new TextEncoder().encode(text).length <= maxBytes;
}

function invalid(what: string): GatewayError {
  return new GatewayError('gateway.invalidRequest', `the request ${what}`);
}
