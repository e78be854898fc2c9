import { readFile } from 'node:fs/promises';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import {
  AGENT_VARIABLE,
  GATEWAY_PROTOCOL,
  GENERATION_VARIABLE,
  type GatewayPointer,
  POINTER_VARIABLE,
} from '../shared/gatewayProtocol';

/*
 * Runs inside opencode and tells the engine what happens there: the same reports as `orc hook`, sent by this process itself. It starts
 * nothing, throws nothing and never keeps opencode waiting. Without an engine events are dropped: the screen tells the rest.
 */

/** Events of opencode's bus that are told. Everything else, the streaming above all, stays here. */
const TOLD = new Set([
  'session.created', 'session.status', 'session.idle', 'session.error', 'permission.asked', 'permission.replied',
  'question.asked', 'question.replied', 'question.rejected', 'message.updated',
]); // prettier-ignore
const SEND_TIMEOUT_MS = 5_000;
/** What waits to be sent while the engine is slow; older events go first. */
const MAX_WAITING = 200;
const MAX_TEXT_LENGTH = 100_000;
const MAX_CHILDREN = 1_000;
const MAX_ANSWER_LENGTH = 100_000;

type Json = Readonly<Record<string, unknown>>;

interface Report {
  readonly event: string;
  readonly payload: Json;
  readonly sentAtMs: number;
}

/** A report that waits to be sent; one that is a question takes its answer when it comes. */
interface Waiting extends Report {
  readonly settle?: (answer: Promise<string | undefined>) => void;
}

/** What opencode hands to a plugin; only what is used here. Untyped on purpose: it is not a published interface. */
interface PluginInput {
  readonly client?: {
    readonly _client?: { post?(request: { readonly url: string; readonly body: unknown }): Promise<unknown> };
  };
}

/** The plugin; opencode calls every export of this file. */
export const CoreOrchestrator = (input: PluginInput): Promise<Json> => {
  const reporter = new Reporter();
  const sessions = new Sessions();
  reporter.send('plugin.load', {});
  return Promise.resolve({
    event: ({ event }: { readonly event: { readonly type: string; readonly properties?: unknown } }): Promise<void> => {
      quietly(() => {
        if (!TOLD.has(event.type)) return;
        const payload = sessions.read(event.type, objectOf(event.properties));
        if (!payload) return;
        if (event.type === 'permission.asked') void ask(input, reporter, payload);
        else reporter.send(event.type, payload);
      });
      return Promise.resolve();
    },
    'chat.message': (message: unknown, output: unknown): Promise<void> => {
      quietly(() => {
        const { sessionID } = objectOf(message);
        if (sessions.isChild(sessionID)) return;
        sessions.begin(sessionID);
        reporter.send('chat.message', { sessionID, prompt: promptOf(objectOf(output)['parts']) });
      });
      return Promise.resolve();
    },
    'tool.execute.after': (tool: unknown): Promise<void> => {
      quietly(() =>
        reporter.send('tool.execute.after', { sessionID: objectOf(tool)['sessionID'], tool: objectOf(tool)['tool'] }),
      );
      return Promise.resolve();
    },
  });
};

/** Tells a question and, when a person answers it from outside, hands the answer to opencode. A late answer finds nothing to answer. */
async function ask(input: PluginInput, reporter: Reporter, payload: Json): Promise<void> {
  try {
    const output = await reporter.ask('permission.asked', payload);
    const answer = output === undefined ? undefined : objectOf(JSON.parse(output));
    const { reply, message } = answer ?? {};
    if (reply !== 'once' && reply !== 'reject') return;
    const body = { reply, ...(typeof message === 'string' && reply === 'reject' && { message }) };
    const client = input.client?._client;
    await client?.post?.({ url: `/permission/${String(payload['id'])}/reply`, body });
  } catch {
    return; // the dialog in the terminal is still there
  }
}

/** Tells sessions of sub-agents from the person's own, and an end with an error from one without. */
class Sessions {
  readonly #children = new Set<unknown>();
  readonly #failed = new Set<unknown>();

  isChild(sessionId: unknown): boolean {
    return this.#children.has(sessionId);
  }

  begin(sessionId: unknown): void {
    this.#failed.delete(sessionId);
  }

  /** What is told of an event; undefined when it says nothing about the person's conversation. */
  read(type: string, properties: Json): Json | undefined {
    const sessionID = properties['sessionID'] ?? objectOf(properties['info'])['id'];
    switch (type) {
      case 'session.created':
        if (objectOf(properties['info'])['parentID'] === undefined) return { sessionID };
        if (this.#children.size < MAX_CHILDREN) this.#children.add(sessionID);
        return undefined;
      case 'permission.asked':
        return { sessionID, ...picked(properties, ['id', 'permission']), detail: detailOf(properties) };
      case 'question.asked':
        return { sessionID, ...picked(properties, ['id', 'questions']) };
      case 'session.status':
        return this.isChild(sessionID) ? undefined : { sessionID, status: properties['status'] };
      case 'session.error':
        return this.#onError(sessionID, objectOf(properties['error']));
      case 'session.idle':
        return this.isChild(sessionID) || this.#failed.has(sessionID) ? undefined : { sessionID };
      case 'message.updated':
        return usageOf(objectOf(properties['info']));
      default:
        return { sessionID, ...picked(properties, ['requestID', 'permissionID', 'reply', 'response']) };
    }
  }

  /** An interruption by the person is the end of the turn, no failure. */
  #onError(sessionID: unknown, error: Json): Json | undefined {
    if (this.isChild(sessionID) || error['name'] === 'MessageAbortedError') return undefined;
    this.#failed.add(sessionID);
    return { sessionID, error: picked(error, ['name']) };
  }
}

/** Tokens and cost of an answer that is complete. */
function usageOf(info: Json): Json | undefined {
  if (info['role'] !== 'assistant' || objectOf(info['time'])['completed'] === undefined) return undefined;
  return picked(info, ['id', 'sessionID', 'tokens', 'cost', 'modelID']);
}

/** The exact request: the patterns are what is run or changed, the metadata says how. */
function detailOf(properties: Json): Json {
  const metadata = objectOf(properties['metadata']);
  const { patterns } = properties;
  const isKnown = ['command', 'filepath', 'filePath', 'path', 'url'].some((key) => typeof metadata[key] === 'string');
  return {
    ...(isKnown ? {} : { command: Array.isArray(patterns) ? patterns.map(String).join('\n') : '' }),
    ...metadata,
  };
}

function promptOf(parts: unknown): string {
  const texts = (Array.isArray(parts) ? parts : [])
    .map(objectOf)
    .filter((part) => part['type'] === 'text' && part['synthetic'] !== true)
    .map((part) => String(part['text'] ?? ''));
  return texts.join('').slice(0, MAX_TEXT_LENGTH);
}

/** Sends reports one after the other, so that they arrive in their order. */
class Reporter {
  readonly #waiting: Waiting[] = [];
  #isSending = false;

  send(event: string, payload: Json): void {
    this.#waiting.push({ event, payload, sentAtMs: Date.now() });
    if (this.#waiting.length > MAX_WAITING) this.#waiting.shift();
    if (!this.#isSending) void this.#drain();
  }

  /** Resolves with what a person decided, or undefined. Waits for as long as opencode lives; on a connection of its own, in its turn. */
  ask(event: string, payload: Json): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      const settle = (answer: Promise<string | undefined>): void => void answer.then(resolve, reject);
      this.#waiting.push({ event, payload, sentAtMs: Date.now(), settle });
      if (!this.#isSending) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#isSending = true;
    for (let report = this.#waiting.shift(); report; report = this.#waiting.shift()) {
      try {
        const { settle, ...told } = report;
        if (settle) settle(deliver(told, undefined));
        else await deliver(told, SEND_TIMEOUT_MS);
      } catch {
        continue; // no engine, or it has gone: the next event may find one
      }
    }
    this.#isSending = false;
  }
}

/** One report over one connection. Resolves with the output of the answer. */
async function deliver(report: Report, timeoutMs: number | undefined): Promise<string | undefined> {
  const { env } = process;
  const pointerFile = env[POINTER_VARIABLE];
  if (!pointerFile) return undefined;
  const pointer = JSON.parse(await readFile(pointerFile, 'utf8')) as GatewayPointer; // ours, in a private folder
  const tokenFile = join(pointer.tokenFolder, `${env[AGENT_VARIABLE] ?? ''}.${env[GENERATION_VARIABLE] ?? ''}.jwt`);
  const token = (await readFile(tokenFile, 'utf8')).trim();
  const hello = { protocol: GATEWAY_PROTOCOL, client: 'opencode plugin', token };
  const frames = [
    { jsonrpc: '2.0', id: 1, method: 'hello', params: hello },
    { jsonrpc: '2.0', id: 2, method: 'hook.report', params: report },
  ];
  return exchange(
    createConnection(pointer.socket),
    frames.map((frame) => `${JSON.stringify(frame)}\n`).join(''),
    timeoutMs,
  );
}

function exchange(socket: Socket, request: string, timeoutMs: number | undefined): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let text = '';
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      socket.destroy();
      settle();
    };
    const fail = (why: string): void => finish(() => reject(new Error(why)));
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => fail('no answer in time'), timeoutMs);
    timer?.unref();
    socket.setEncoding('utf8');
    socket.on('error', (error) => finish(() => reject(error)));
    socket.on('close', () => fail('closed without an answer'));
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.length > MAX_ANSWER_LENGTH) return fail('the answer is too long');
      try {
        const answer = answerIn(text);
        if (answer) finish(() => resolve(answer.output));
      } catch (error) {
        finish(() => reject(error instanceof Error ? error : new Error('the answer cannot be read')));
      }
    });
    socket.write(request);
  });
}

/** The answer to the report among complete lines; a refusal is an answer without output. */
function answerIn(text: string): { readonly output: string | undefined } | undefined {
  for (const line of text.split('\n').slice(0, -1)) {
    const message = objectOf(JSON.parse(line));
    if (message['error'] !== undefined) return { output: undefined };
    if (message['id'] !== 2) continue;
    const { output } = objectOf(message['result']);
    return { output: typeof output === 'string' ? output : undefined };
  }
  return undefined;
}

function objectOf(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {}; // lists have no fields that are asked for
}

function picked(from: Json, keys: readonly string[]): Json {
  return Object.fromEntries(keys.filter((key) => from[key] !== undefined).map((key) => [key, from[key]]));
}

/** Whatever opencode hands over in another version: nothing of it may disturb opencode. */
function quietly(work: () => void): void {
  try {
    work();
  } catch {
    return;
  }
}
