import { existsSync } from 'node:fs';
import { type Socket, connect } from 'node:net';
import { LineReader } from '../shared/frameCodec';
import { type GatewayMethod, type GatewayParams, PROGRESS_METHOD } from '../shared/gatewayMethods';
import {
  AGENT_VARIABLE,
  GATEWAY_PROTOCOL,
  type GatewayPointer,
  GENERATION_VARIABLE,
  type RpcErrorBody,
  type RpcStatus,
} from '../shared/gatewayProtocol';
import { CliError, ExitCode } from './exitCodes';
import { readSecret, tokenFile } from './pointerFile';
import { cleanLine } from './terminalText';

/** An engine that works answers `hello` at once, also on a busy machine. */
const HELLO_MS = 5_000;
/** An engine that begins anew in its process, as after a restore, has no socket for about half a second. */
const AWAY_MS = 2_000;
/** Answers may hold many agents, histories and screens: more than we may send. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

export interface ClientOptions {
  readonly pointer: GatewayPointer;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Of `orc`. */
  readonly version: string;
  /** Longest wait for one answer; undefined: as long as it takes (starting an agent may take minutes). */
  readonly timeoutMs?: number | undefined;
  /** How far what was asked is, while it is under way. */
  readonly onStep?: ((step: Step) => void) | undefined;
}

/** As the engine tells it. */
export interface Step {
  readonly name: string;
  readonly done: number;
  /** 0 while that is not known. */
  readonly total: number;
}

/** What the engine tells without being asked, after `watch`. */
export interface NoticeListener {
  readonly onNotice: (method: string, params: unknown) => void;
  /** The connection ended. */
  readonly onEnd: (error: CliError) => void;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: CliError) => void;
}

/** One connection to the gateway. Every failure is a {@link CliError}. */
export class EngineClient {
  readonly #waiting = new Map<number, Waiting>();
  readonly #reader = new LineReader(MAX_ANSWER_BYTES);
  #next = 1;
  #hello: Promise<void> = Promise.resolve();
  #end: CliError | undefined;
  #listener: NoticeListener | undefined;

  private constructor(
    private readonly socket: Socket,
    private readonly options: ClientOptions,
  ) {
    const { pointer } = options;
    socket.on('data', (chunk: Buffer) => {
      if (typeof this.#reader.push(chunk, (line) => this.#take(line)) === 'string')
        this.#close(
          new CliError(ExitCode.NoEngine, 'the engine answered something that orc does not understand', UPDATE_ADVICE),
        );
    });
    socket.on('error', (error: NodeJS.ErrnoException) => this.#close(unreachable(pointer, error)));
    socket.on('close', () =>
      this.#close(
        new CliError(
          ExitCode.NoEngine,
          'the engine closed the connection',
          'It is ending, or another window takes over: try again.',
        ),
      ),
    );
  }

  /** Connects and says who calls; what is asked next follows without waiting for the answer. @throws {CliError} without a credential */
  static connect(options: ClientOptions): EngineClient {
    const credential = credentialOf(options);
    waitForSocket(options);
    const client = new EngineClient(connect({ path: options.pointer.socket }), options);
    client.#hello = client.#sayHello({
      protocol: GATEWAY_PROTOCOL,
      client: `orc ${options.version}`,
      ...credential,
    });
    client.#hello.catch(() => undefined); // told by whatever is asked next
    return client;
  }

  async #sayHello(params: object): Promise<void> {
    try {
      await this.#request('hello', params, Math.min(HELLO_MS, this.options.timeoutMs ?? HELLO_MS));
    } catch (error) {
      const isOtherProtocol = error instanceof CliError && error.data.status === 'FAILED_PRECONDITION';
      throw isOtherProtocol ? new CliError(ExitCode.NoEngine, error.message, UPDATE_ADVICE, error.data) : error;
    }
  }

  /** @throws {CliError} */
  async call<M extends GatewayMethod>(method: M, params: GatewayParams[M]): Promise<unknown> {
    const answer = this.#request(method, params, this.options.timeoutMs);
    answer.catch(() => undefined); // a refused hello tells more
    await this.#hello;
    return answer;
  }

  /** One listener; a later one takes its place. */
  listen(listener: NoticeListener): void {
    this.#listener = listener;
  }

  dispose(): void {
    this.socket.destroy();
  }

  #request(method: string, params: object, timeoutMs: number | undefined): Promise<unknown> {
    if (this.#end) return Promise.reject(this.#end);
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      const late = (): void => this.#settle(id)?.reject(tooLate(method, timeoutMs ?? 0));
      const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs);
      const done =
        <T>(settle: (value: T) => void) =>
        (value: T): void => {
          clearTimeout(timer);
          settle(value);
        };
      this.#waiting.set(id, { resolve: done(resolve), reject: done(reject) });
      this.socket.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    });
  }

  #settle(id: unknown): Waiting | undefined {
    if (typeof id !== 'number') return undefined;
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #take(line: string): boolean {
    let answer: {
      readonly id?: unknown;
      readonly result?: unknown;
      readonly error?: RpcErrorBody;
      readonly method?: unknown;
      readonly params?: unknown;
    };
    try {
      answer = JSON.parse(line) as typeof answer; // fields are checked where they are used
    } catch {
      this.#close(new CliError(ExitCode.NoEngine, 'the engine answered something that is no JSON', UPDATE_ADVICE));
      return false;
    }
    if (answer.error) {
      const error = failureOf(answer.error, this.options.env);
      const waiting = this.#settle(answer.id);
      if (waiting) waiting.reject(error);
      else this.#close(error); // about the connection as a whole
    } else if (answer.method === PROGRESS_METHOD) {
      const { step } = (answer.params ?? {}) as { readonly step?: Step };
      if (step) this.options.onStep?.(step);
    } else if (typeof answer.method === 'string') this.#listener?.onNotice(answer.method, answer.params ?? {});
    else this.#settle(answer.id)?.resolve(answer.result);
    return true;
  }

  #close(error: CliError): void {
    this.#end ??= error;
    this.socket.destroy();
    for (const waiting of [...this.#waiting.values()]) waiting.reject(this.#end);
    this.#waiting.clear();
    this.#listener?.onEnd(this.#end);
    this.#listener = undefined;
  }
}

const UPDATE_ADVICE = 'Is its window of another version? Reload it after the update.';

/** An agent's program is that agent, never the person: without its token it gets nothing. @throws {CliError} */
function credentialOf({ pointer, env }: ClientOptions): { readonly token: string } | { readonly personKey: string } {
  const agentId = env[AGENT_VARIABLE];
  if (agentId) {
    const file = tokenFile(pointer, agentId, env[GENERATION_VARIABLE] ?? '');
    const token = file && readSecret(file);
    if (token) return { token };
    throw new CliError(
      ExitCode.NotAllowed,
      `this is the terminal of agent ${cleanLine(agentId)}, and its token cannot be read`,
      'Agents get theirs while an engine runs. As a person, use a terminal of your own.',
    );
  }
  const personKey = readSecret(pointer.personKeyFile);
  if (personKey) return { personKey };
  throw new CliError(
    ExitCode.NoEngine,
    `the key for the engine cannot be read (${pointer.personKeyFile})`,
    'An engine writes it when it starts: open the folder in VS Code, or start the headless host.',
  );
}

/** While the engine's process lives and its socket is not there: nothing else is to be done meanwhile. */
function waitForSocket({ pointer: { socket, ownerPid }, timeoutMs = AWAY_MS }: ClientOptions): void {
  const untilMs = Date.now() + Math.min(timeoutMs, AWAY_MS);
  const still = new Int32Array(new SharedArrayBuffer(4));
  try {
    while (!existsSync(socket) && Date.now() < untilMs && process.kill(ownerPid, 0)) Atomics.wait(still, 0, 0, 50);
  } catch {
    return; // its process is gone, or is somebody else's: then it is no engine of ours
  }
}

function unreachable({ workspace, ownerPid }: GatewayPointer, error: NodeJS.ErrnoException): CliError {
  const isGone = error.code === 'ENOENT' || error.code === 'ECONNREFUSED';
  return new CliError(
    ExitCode.NoEngine,
    isGone
      ? `no engine is running for ${cleanLine(workspace) || 'this window without a folder'} (the last one was process ${ownerPid})`
      : `the engine cannot be reached: ${error.message}`,
    'Open the folder in VS Code with Core Orchestrator, or start the headless host for it. Agents go on without it.',
  );
}

function tooLate(method: string, timeoutMs: number): CliError {
  const seconds = Math.round(timeoutMs / 100) / 10;
  return method === 'hello'
    ? new CliError(
        timeoutMs < HELLO_MS ? ExitCode.TimedOut : ExitCode.NoEngine,
        `the engine does not answer (waited ${seconds} s)`,
        'Its window may hang: look at it, or reload it.',
      )
    : new CliError(
        ExitCode.TimedOut,
        `no answer to ${method} within ${seconds} s`,
        'It goes on in the engine: look with `orc status`.',
      );
}

const EXIT_CODES: Readonly<Partial<Record<RpcStatus, ExitCode>>> = {
  INVALID_ARGUMENT: ExitCode.Usage,
  UNAUTHENTICATED: ExitCode.NotAllowed,
  PERMISSION_DENIED: ExitCode.NotAllowed,
  NOT_FOUND: ExitCode.NotFound,
  ALREADY_EXISTS: ExitCode.Refused,
  RESOURCE_EXHAUSTED: ExitCode.Refused,
  FAILED_PRECONDITION: ExitCode.Refused,
  DEADLINE_EXCEEDED: ExitCode.TimedOut,
  UNAVAILABLE: ExitCode.NoEngine,
  UNIMPLEMENTED: ExitCode.NoEngine,
};

/** What a running engine cannot do now is no lack of an engine. */
function exitCodeOf(status: RpcStatus, code: string | undefined): ExitCode {
  if (code === 'agent.deliveryUnknown') return ExitCode.DeliveryUnknown;
  if (status === 'UNAVAILABLE' && code && !/^(engine|gateway)\./.test(code)) return ExitCode.Refused;
  return EXIT_CODES[status] ?? ExitCode.Failure;
}

function failureOf(body: RpcErrorBody, env: ClientOptions['env']): CliError {
  const { status, code, agentId } = body.data ?? {};
  const data = { ...(status && { status }), ...(code && { code }), ...(agentId && { agentId }) };
  return new CliError(
    exitCodeOf(status, code),
    withoutCode(cleanLine(String(body.message), 1000), code),
    adviceOf(body.data ?? {}, env),
    data,
  );
}

/** Our messages begin with their code, which people need not read. */
function withoutCode(message: string, code: string | undefined): string {
  return code && message.startsWith(`${code}: `) ? message.slice(code.length + 2) : message;
}

const ADVICE_OF_CODE: Readonly<Record<string, string>> = {
  'agent.notFound': '`orc list` shows the agents.',
  'agent.nameTaken': 'Choose another: --name NAME at a start, or `orc rename AGENT NAME`.',
  'agent.invalidSpec': '`orc start --help` shows what a start takes, `orc types` which types there are.',
  'exchange.fileUnusable': 'Name a file in a folder that exists and that you may write to.',
  'exchange.fileUnreadable': 'Name a file that is there and that you may read.',
  'exchange.fileExists': 'Choose another name, or replace it with --replace.',
  'exchange.notAnExport': 'Name one that `orc data export` wrote as JSON or NDJSON.',
  'data.fileUnusable': 'Name another file; `orc data backups` lists the backups of this workspace.',
  'engine.restricted': 'Trust the folder in VS Code first.',
  'processing.unknownPipeline': '`orc data pipelines` lists those that are kept.',
};

/** By code, since that tells more; else by status. */
function adviceOf(
  { status, code, agentId }: Partial<RpcErrorBody['data']>,
  env: ClientOptions['env'],
): string | undefined {
  // About one agent: see nextStep.ts.
  if (code === 'agent.notFound' && agentId === undefined)
    return '`orc list` names the agents; `orc receipts` with one of them shows its prompts.';
  if (code !== undefined && Object.hasOwn(ADVICE_OF_CODE, code)) return ADVICE_OF_CODE[code];
  if (status === 'PERMISSION_DENIED' && env[AGENT_VARIABLE])
    return `This is the terminal of agent ${cleanLine(env[AGENT_VARIABLE])}: what is a person's is done in a terminal of the person's own.`;
  if (status === 'RESOURCE_EXHAUSTED') return 'Too much at once: try again in a moment.';
  if (status === 'UNIMPLEMENTED') return UPDATE_ADVICE;
  if (status === 'UNAVAILABLE') return 'Try again in a moment.';
  return undefined;
}
