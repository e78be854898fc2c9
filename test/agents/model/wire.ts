import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Directive } from './script';
import type { ToolCall } from './toolCall';
import type { Tokens } from './turn';

/** One answer that is to be given. */
export interface Exchange {
  readonly response: ServerResponse;
  readonly model: string;
  readonly isStreaming: boolean;
  readonly speech: readonly Directive[];
  readonly call?: ToolCall;
  readonly tokens: Tokens;
  /** Fires when the program has gone away. */
  readonly signal: AbortSignal;
}

/** A refusal in a protocol's own words. */
export interface Refusal {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** How one protocol writes answers. */
export interface Wire {
  answer(exchange: Exchange): Promise<void>;
  error(status: number, message: string): Refusal;
  usageLimit(): Refusal;
}

export const randomId = (prefix: string): string => prefix + randomBytes(10).toString('hex');

export function beginStream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  response.flushHeaders();
}

/** One server-sent event; without a name where the protocol has none. */
export function sendEvent(response: ServerResponse, data: unknown, name?: string): void {
  response.write(`${name === undefined ? '' : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`);
}

export function sendJson(response: ServerResponse, { status, body, headers }: Refusal): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(text)),
    ...headers,
  });
  response.end(text);
}

/** Seconds to wait that a provider sends along when it is overloaded or the rate is too high. */
export function retryHeaders(status: number): Readonly<Record<string, string>> {
  return [429, 503, 529].includes(status) ? { 'retry-after': '1' } : {};
}

export const HOUR_S = 3600;
export const inAnHourS = (): number => Math.floor(Date.now() / 1000) + HOUR_S;
