import net from 'node:net';
import path from 'node:path';
import { fitPayload } from '../shared/fitPayload';
import { LineReader } from '../shared/frameCodec';
import {
  AGENT_VARIABLE,
  GATEWAY_LIMITS,
  GATEWAY_PROTOCOL,
  type GatewayPointer,
  GENERATION_VARIABLE,
  POINTER_VARIABLE,
  RpcStatus,
} from '../shared/gatewayProtocol';

import { readPointer, readSecret, tokenFile } from './pointerFile';
import { readPayload } from './readPayload';
import { spoolHook } from './spoolHook';

/** The answer to `hello` shows that an engine works; without it the agent's program is not kept waiting. */
const HELLO_MS = 100;
/** The same for a question that a person may answer from elsewhere: worth more patience than news. */
const HELD_HELLO_MS = 1_000;
/** The engine has the report; it answers at once unless it holds a question. */
const ANSWER_MS = 1_000;
const EVENT = /^[A-Za-z0-9._:-]{1,80}$/;
/** Around the payload, of the frame and of its levels. */
const FRAME_BYTES = 2 * 1024;
const FRAME_LEVELS = 2;

/** Refusals that are about this moment: the report is kept for the engine to find. */
const PASSING: ReadonlySet<unknown> = new Set([RpcStatus.Unavailable, RpcStatus.ResourceExhausted]);

interface Report {
  readonly event: string;
  readonly payload: unknown;
  readonly sentAtMs: number;
}

export interface HookArguments {
  readonly event: string;
  /** The payload, when the program gives it as an argument. */
  readonly payload?: string;
  /** The engine may hold the answer until a person has decided. */
  readonly mayBeHeld: boolean;
}

/** `[--hold] EVENT [JSON]`; undefined when that is not what was given. */
export function parseHookArguments(args: readonly string[]): HookArguments | undefined {
  const isHold = args[0] === '--hold';
  const [event = '', payload] = isHold ? args.slice(1) : args;
  if (!EVENT.test(event)) return undefined;
  return { event, mayBeHeld: isHold || /permission/i.test(event), ...(payload !== undefined && { payload }) };
}

/**
 * Tells the engine one event of the agent in whose terminal this runs, and resolves with what its program is to be told, if
 * anything. Never rejects and never keeps the program waiting for an engine that does not answer; what no engine took is spooled.
 */
export async function runHook(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  const sentAtMs = Date.now();
  const parsed = parseHookArguments(args);
  const { [POINTER_VARIABLE]: file, [AGENT_VARIABLE]: agentId, [GENERATION_VARIABLE]: generation } = env;
  if (!parsed || !file || !agentId || !generation || !path.isAbsolute(file)) return undefined;
  const caller = { file, agentId, generation };
  const connection = connect(caller);
  const report: Report = { event: parsed.event, payload: await readPayload(parsed.payload), sentAtMs };
  let outcome = connection ? await tell(connection, report, parsed.mayBeHeld) : 'notTaken';
  if (outcome === 'refused') {
    const again = connect(caller, connection?.token);
    outcome = again ? await tell(again, report, parsed.mayBeHeld) : 'notTaken';
  }
  if (typeof outcome === 'object') return outcome.output;
  try {
    const folder = pointerOf(file)?.spoolFolder ?? path.join(path.dirname(file), 'spool');
    spoolHook(folder, { agentId, generation: Number(generation), ...report });
  } catch {
    return undefined; // a hook has nobody to complain to: the program it belongs to must go on
  }
  return undefined;
}

interface Connection {
  readonly socket: net.Socket;
  readonly token: string;
}

interface Caller {
  /** The pointer file. */
  readonly file: string;
  readonly agentId: string;
  readonly generation: string;
}

/**
 * Begins to connect while the payload is still being read. Undefined without a token, or with no other than `refused`: one that was
 * just replaced counts no more, and its successor is in the file.
 */
function connect({ file, agentId, generation }: Caller, refused?: string): Connection | undefined {
  const pointer = pointerOf(file);
  const name = pointer && tokenFile(pointer, agentId, generation);
  const token = name && readSecret(name);
  if (!token || token === refused) return undefined;
  const socket = net.connect({ path: pointer.socket });
  socket.on('error', () => undefined); // 'close' follows
  return { socket, token };
}

function pointerOf(file: string): GatewayPointer | undefined {
  const read = readPointer(file);
  return read.kind === 'found' ? read.pointer : undefined;
}

/** `refused`: the token does not count. */
type Outcome = { readonly output?: string } | 'notTaken' | 'refused';

/** Hello and report in one write; the answers in their order. */
function tell({ socket, token }: Connection, report: Report, mayBeHeld: boolean): Promise<Outcome> {
  return new Promise((resolve) => {
    if (socket.destroyed) return resolve('notTaken');
    let isWritten = false;
    const finish = (outcome: Outcome): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    // Once it was written the engine finds it, however late it comes to read: it is not spooled as well.
    let timer = setTimeout(() => finish(isWritten ? {} : 'notTaken'), mayBeHeld ? HELD_HELLO_MS : HELLO_MS);
    const onLine = (line: string): boolean => {
      const answer = parseAnswer(line);
      if (answer?.error) finish(afterRefusal(answer.error.data?.status));
      else if (answer?.id === 2)
        finish(typeof answer.result?.output === 'string' ? { output: answer.result.output } : {});
      else if (answer?.id === 1) {
        clearTimeout(timer);
        if (!mayBeHeld) timer = setTimeout(() => finish({}), ANSWER_MS);
      }
      return !socket.destroyed;
    };
    const reader = new LineReader(GATEWAY_LIMITS.frameBytes);
    socket.on('data', (chunk: Buffer) => typeof reader.push(chunk, onLine) === 'string' && finish({}));
    socket.on('close', () => finish('notTaken'));
    socket.write(frames(token, report), () => (isWritten = true));
  });
}

function afterRefusal(status: unknown): Outcome {
  if (status === RpcStatus.Unauthenticated) return 'refused';
  return PASSING.has(status) ? 'notTaken' : {};
}

function frames(token: string, { event, payload, sentAtMs }: Report): string {
  const hello = {
    jsonrpc: '2.0',
    id: 1,
    method: 'hello',
    params: { protocol: GATEWAY_PROTOCOL, client: 'orc hook', token },
  };
  const fitted = fitPayload(payload, GATEWAY_LIMITS.frameBytes - FRAME_BYTES, GATEWAY_LIMITS.jsonDepth - FRAME_LEVELS);
  const params = `{"event":${JSON.stringify(event)},"sentAtMs":${sentAtMs},"payload":${fitted}}`;
  return `${JSON.stringify(hello)}\n{"jsonrpc":"2.0","id":2,"method":"hook.report","params":${params}}\n`;
}

interface Answer {
  readonly id?: unknown;
  readonly result?: { readonly output?: unknown } | null;
  readonly error?: { readonly data?: { readonly status?: unknown } };
}

function parseAnswer(line: string): Answer | undefined {
  try {
    const value = JSON.parse(line) as unknown;
    return typeof value === 'object' && value !== null ? (value as Answer) : undefined; // each field is checked where it is used
  } catch {
    return undefined; // not of our protocol: the deadline ends it
  }
}
