import { appendFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from '../support/eventually';
import { anthropicWire } from './model/anthropicWire';
import { chatWire } from './model/chatWire';
import { type Conversation, readAnthropic, readChat, readGemini, readResponses } from './model/conversation';
import { field, text } from './model/json';
import { geminiWire } from './model/geminiWire';
import { responsesWire } from './model/responsesWire';
import { type Turn, TurnPlanner } from './model/turn';
import { type Refusal, sendJson, type Wire } from './model/wire';

/** One request of a program, as it arrived. */
export interface LoggedRequest {
  /** 0 for the first. */
  readonly index: number;
  readonly atMs: number;
  readonly protocol: 'anthropic' | 'responses' | 'chat' | 'gemini';
  /** `turn`: of the conversation (it declares tools); `side`: a title, a check, a summary. */
  readonly kind: 'turn' | 'side';
  readonly model: string;
  readonly conversation: Conversation;
  readonly turn: Turn['kind'];
  /** How it ended; undefined while it is being answered. `cut`: the program closed the connection, or the script dropped it. */
  end?: { readonly how: 'answered' | 'cut'; readonly atMs: number };
}

export interface ModelServerOptions {
  /** Every request is also appended to this file, one JSON object a line. */
  readonly logFile?: string;
}

interface Route {
  readonly protocol: LoggedRequest['protocol'];
  readonly wire: Wire;
  readonly model: string;
  readonly conversation: Conversation;
}

const DEFAULT_MESSAGES: Readonly<Record<number, string>> = {
  400: 'The request is not valid',
  401: 'The key is not valid',
  429: 'Too many requests',
  503: 'The model is overloaded, please try again later',
  529: 'Overloaded',
};

/**
 * A model that answers what the prompt tells it to (`model/script.ts`), in the four protocols that agent programs speak. It
 * listens on 127.0.0.1 only, costs nothing, knows nothing, and keeps what arrived.
 */
export class ModelServer {
  readonly requests: LoggedRequest[] = [];
  readonly #planner = new TurnPlanner();
  readonly #server: Server;
  #outage: number | undefined;

  private constructor(private readonly options: ModelServerOptions) {
    this.#server = createServer((request, response) => void this.#handle(request, response));
  }

  static async start(options: ModelServerOptions = {}): Promise<ModelServer> {
    const server = new ModelServer(options);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    const address = this.#server.address() as AddressInfo; // it listens on a port, not on a pipe
    return `http://127.0.0.1:${address.port}`;
  }

  /** Every turn is refused with this status until it is called with undefined. */
  failWith(status: number | undefined): void {
    this.#outage = status;
  }

  /** Requests of the conversation whose newest message is exactly this text. */
  turnsWith(message: string): readonly LoggedRequest[] {
    return this.requests.filter(({ kind, conversation }) => kind === 'turn' && conversation.message === message);
  }

  /** Waits for a request of the conversation that `isWanted`. */
  async request(
    what: string,
    isWanted: (request: LoggedRequest) => boolean,
    timeoutMs = 20_000,
  ): Promise<LoggedRequest> {
    return eventually(what, () => this.requests.find((request) => request.kind === 'turn' && isWanted(request)), {
      timeoutMs,
    });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer); // a request without encoding gives buffers
      const raw = Buffer.concat(chunks).toString('utf8');
      const path = new URL(request.url ?? '/', 'http://127.0.0.1').pathname;
      const refusal = request.method === 'POST' && raw !== '' ? await this.#post(path, raw, response) : lookUp(path);
      if (refusal) sendJson(response, refusal);
    } catch (error) {
      if (!response.headersSent) sendJson(response, { status: 500, body: { error: { message: String(error) } } });
      else response.destroy();
    }
  }

  /** Answers a request; resolves with what is to be answered at once instead. */
  async #post(path: string, raw: string, response: ServerResponse): Promise<Refusal | undefined> {
    const size = Math.ceil(raw.length / 4);
    if (path.endsWith('/count_tokens')) return { status: 200, body: { input_tokens: size } };
    if (path.endsWith(':countTokens')) return { status: 200, body: { totalTokens: size } };
    const route = routeOf(path, JSON.parse(raw) as unknown);
    if (!route) return lookUp(path);
    const { conversation, wire } = route;
    const isTurn = conversation.tools.length > 0;
    const planned = this.#planner.plan(conversation);
    const turn: Turn = isTurn && this.#outage !== undefined ? { kind: 'error', status: this.#outage } : planned;
    const entry = this.#log(route, isTurn, turn);
    if (turn.kind !== 'answer') {
      entry.end = { how: 'answered', atMs: Date.now() };
      if (turn.kind === 'limit') return wire.usageLimit();
      return wire.error(turn.status, turn.message ?? DEFAULT_MESSAGES[turn.status] ?? `Scripted error ${turn.status}`);
    }
    const gone = new AbortController();
    response.once('close', () => {
      entry.end ??= { how: response.writableFinished ? 'answered' : 'cut', atMs: Date.now() };
      gone.abort();
    });
    await wire.answer({
      response,
      model: route.model,
      isStreaming: conversation.isStreaming,
      speech: turn.speech,
      tokens: turn.tokens ?? { input: size, output: 20 },
      signal: gone.signal,
      ...(turn.call && { call: turn.call }),
    });
    return undefined;
  }

  #log({ protocol, model, conversation }: Route, isTurn: boolean, turn: Turn): LoggedRequest {
    const entry: LoggedRequest = {
      index: this.requests.length,
      atMs: Date.now(),
      protocol,
      kind: isTurn ? 'turn' : 'side',
      model,
      conversation,
      turn: turn.kind,
    };
    this.requests.push(entry);
    if (this.options.logFile !== undefined) appendFileSync(this.options.logFile, JSON.stringify(entry) + '\n');
    return entry;
  }
}

function routeOf(path: string, body: unknown): Route | undefined {
  const model = text(field(body, 'model'));
  if (path.endsWith('/messages'))
    return { protocol: 'anthropic', wire: anthropicWire, model, conversation: readAnthropic(body) };
  if (path.endsWith('/responses'))
    return { protocol: 'responses', wire: responsesWire, model, conversation: readResponses(body) };
  if (path.endsWith('/chat/completions'))
    return { protocol: 'chat', wire: chatWire, model, conversation: readChat(body) };
  const [, named, method] = /\/models\/([^/:]+):(generateContent|streamGenerateContent)$/.exec(path) ?? [];
  if (named === undefined) return undefined;
  const conversation = readGemini(body, method === 'streamGenerateContent');
  return { protocol: 'gemini', wire: geminiWire, model: named, conversation };
}

/** Everything that is not a turn: a list of models, or nothing. */
function lookUp(path: string): Refusal {
  if (!path.endsWith('/models'))
    return { status: 404, body: { type: 'error', error: { type: 'not_found_error', message: `nothing at ${path}` } } };
  const model = { id: 'scripted-model', type: 'model', object: 'model', display_name: 'Scripted model' };
  return { status: 200, body: { object: 'list', data: [model], models: [] } };
}
