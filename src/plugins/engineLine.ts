import fs from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { dirname, isAbsolute, join } from 'node:path';
import { fitPayload } from '../shared/fitPayload';
import {
  AGENT_VARIABLE,
  GATEWAY_LIMITS,
  GATEWAY_PROTOCOL,
  type GatewayPointer,
  GENERATION_VARIABLE,
  POINTER_VARIABLE,
  RpcStatus,
} from '../shared/gatewayProtocol';
import { leaveInSpool } from '../shared/spoolWriter';

const SEND_TIMEOUT_MS = 5_000;
/** What waits to be sent while the engine is slow; older events go first. */
const MAX_WAITING = 200;
const MAX_ANSWER_LENGTH = 100_000;
/** Around the payload, of the frame and of its levels. */
const FRAME_BYTES = 2 * 1024;
const FRAME_LEVELS = 2;

export type Json = Readonly<Record<string, unknown>>;

/** What became of a report: the engine has it (and may have answered), or no engine could take it. */
export type Outcome = { readonly output?: string } | 'notTaken';

interface Report {
  readonly event: string;
  readonly payload: Json;
  readonly sentAtMs: number;
}

/** A report that waits to be sent; one that is a question takes its answer when it comes. */
interface Waiting extends Report {
  readonly question?: { readonly signal: AbortSignal; readonly settle: (outcome: Promise<Outcome>) => void };
}

/** How this process finds the engine, and is known to it. */
interface Agent {
  readonly pointerFile: string;
  readonly agentId: string;
  readonly generation: string;
}

/**
 * Tells the engine what happens in a program, from inside of that program: the same reports as `orc hook`, one after the other, so that they
 * arrive in their order. What no engine takes is spooled. Never throws and never keeps the program waiting.
 */
export class EngineLine {
  readonly #agent: Agent | undefined;
  readonly #waiting: Waiting[] = [];
  #isSending = false;
  #spooled = 0;

  constructor(env: Readonly<Record<string, string | undefined>>) {
    const { [POINTER_VARIABLE]: pointerFile, [AGENT_VARIABLE]: agentId, [GENERATION_VARIABLE]: generation } = env;
    const isAgent = pointerFile && isAbsolute(pointerFile) && agentId && generation;
    this.#agent = isAgent ? { pointerFile, agentId, generation } : undefined;
  }

  /** Changes when another engine has taken over, or the socket has moved. Undefined: no engine was ever there. */
  get owner(): string | undefined {
    try {
      const { ino, mtimeMs } = fs.statSync(this.#agent?.pointerFile ?? '');
      return `${ino} ${mtimeMs}`; // an engine replaces the file when it begins
    } catch {
      return undefined;
    }
  }

  send(event: string, payload: Json): void {
    this.#push({ event, payload, sentAtMs: Date.now() });
    if (this.#waiting.length > MAX_WAITING) this.#waiting.shift()?.question?.settle(Promise.resolve('notTaken'));
  }

  /**
   * Resolves when the engine lets the question go, with what a person decided, if anything; `notTaken` when no engine has it, or the one that
   * had it has gone, or `signal` was aborted. Waits for as long as that takes; on a connection of its own, in its turn. Never spooled.
   */
  ask(event: string, payload: Json, signal: AbortSignal): Promise<Outcome> {
    return new Promise((resolve) => {
      const settle = (outcome: Promise<Outcome>): void => void outcome.then(resolve, () => resolve('notTaken'));
      this.#push({ event, payload, sentAtMs: Date.now(), question: { signal, settle } });
    });
  }

  #push(report: Waiting): void {
    this.#waiting.push(report);
    if (!this.#isSending) void this.#drain();
  }

  async #drain(): Promise<void> {
    this.#isSending = true;
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      const { question, ...report } = next;
      if (question) question.settle(this.#deliver(report, undefined, question.signal));
      else if ((await this.#deliver(report, SEND_TIMEOUT_MS)) === 'notTaken') this.#spool(report);
    }
    this.#isSending = false;
  }

  /** The token may have been replaced while it was on its way: then its successor is in the file. Never rejects. */
  async #deliver(report: Report, timeoutMs: number | undefined, signal?: AbortSignal): Promise<Outcome> {
    try {
      const first = this.#secret();
      const outcome = await exchange(first, report, timeoutMs, signal);
      if (outcome !== 'refused') return outcome;
      const second = this.#secret();
      const again = second.token === first.token ? 'refused' : await exchange(second, report, timeoutMs, signal);
      return again === 'refused' ? 'notTaken' : again;
    } catch {
      return 'notTaken'; // no engine, or no token: the run may be over
    }
  }

  /** @throws {Error} of node:fs */
  #secret(): Secret {
    const { agentId, generation } = this.#expectAgent();
    const { socket, tokenFolder } = this.#pointer();
    return { socket, token: fs.readFileSync(join(tokenFolder, `${agentId}.${generation}.jwt`), 'utf8').trim() };
  }

  #pointer(): GatewayPointer {
    return JSON.parse(fs.readFileSync(this.#expectAgent().pointerFile, 'utf8')) as GatewayPointer; // ours, in a private folder
  }

  #expectAgent(): Agent {
    if (!this.#agent) throw new Error('not started as an agent');
    return this.#agent;
  }

  #spool({ event, payload, sentAtMs }: Report): void {
    try {
      const { pointerFile, agentId, generation } = this.#expectAgent();
      const unique = `${process.pid.toString(36)}-p${(this.#spooled += 1).toString(36).padStart(6, '0')}`;
      const place = { folder: join(dirname(pointerFile), 'spool'), uid: process.getuid?.(), unique };
      leaveInSpool(fs, place, { agentId, generation: Number(generation), event, payload, sentAtMs });
    } catch {
      return; // there is nobody to complain to: the screen tells the rest
    }
  }
}

interface Secret {
  readonly socket: string;
  readonly token: string;
}

/** One report over one connection. `refused`: the token does not count. */
function exchange(
  { socket: path, token }: Secret,
  report: Report,
  timeoutMs: number | undefined,
  signal?: AbortSignal,
): Promise<Outcome | 'refused'> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve('notTaken');
    const socket: Socket = createConnection(path);
    let text = '';
    let isWritten = false;
    const finish = (outcome: Outcome | 'refused'): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.destroy();
      resolve(outcome);
    };
    const onAbort = (): void => finish('notTaken');
    signal?.addEventListener('abort', onAbort, { once: true });
    // Once it was written the engine finds it, however late it comes to read: it is not spooled as well.
    const timer =
      timeoutMs === undefined ? undefined : setTimeout(() => finish(isWritten ? {} : 'notTaken'), timeoutMs);
    timer?.unref();
    socket.setEncoding('utf8');
    socket.on('error', () => finish('notTaken'));
    socket.on('close', () => finish('notTaken'));
    socket.on('data', (chunk: string) => {
      text += chunk;
      const answer = text.length > MAX_ANSWER_LENGTH ? {} : answerIn(text);
      if (answer) finish(answer);
    });
    socket.write(frames(token, report), () => (isWritten = true));
  });
}

function frames(token: string, { event, payload, sentAtMs }: Report): string {
  const params = { protocol: GATEWAY_PROTOCOL, client: 'opencode plugin', token };
  const hello = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'hello', params });
  const fitted = fitPayload(payload, GATEWAY_LIMITS.frameBytes - FRAME_BYTES, GATEWAY_LIMITS.jsonDepth - FRAME_LEVELS);
  const told = `{"event":${JSON.stringify(event)},"sentAtMs":${sentAtMs},"payload":${fitted}}`;
  return `${hello}\n{"jsonrpc":"2.0","id":2,"method":"hook.report","params":${told}}\n`;
}

/** The answer to the report among complete lines; what cannot be read is an answer without output. */
function answerIn(text: string): Outcome | 'refused' | undefined {
  for (const line of text.split('\n').slice(0, -1)) {
    const message = parse(line);
    if (message['error'] !== undefined) return afterRefusal(objectOf(objectOf(message['error'])['data'])['status']);
    if (message['id'] !== 2) continue;
    const { output } = objectOf(message['result']);
    return typeof output === 'string' ? { output } : {};
  }
  return undefined;
}

function afterRefusal(status: unknown): Outcome | 'refused' {
  if (status === RpcStatus.Unauthenticated) return 'refused';
  return status === RpcStatus.Unavailable || status === RpcStatus.ResourceExhausted ? 'notTaken' : {};
}

function parse(line: string): Json {
  try {
    return objectOf(JSON.parse(line));
  } catch {
    return { error: {} }; // not of our protocol
  }
}

export function objectOf(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {}; // lists have no fields that are asked for
}
