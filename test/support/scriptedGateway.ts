import fs from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type GatewayPointer, GATEWAY_PROTOCOL, RPC_CODES, type RpcStatus } from '../../src/shared/gatewayProtocol';
import { workspaceIdOf } from '../../src/cli/findPointer';

export interface Frame {
  readonly id?: number;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** What the gateway answers; `hold` answers nothing. */
export type Answer =
  | { readonly result: unknown }
  | { readonly status: RpcStatus; readonly message: string; readonly code?: string }
  | { readonly raw: string }
  | 'hold'
  | 'close';

export const HELLO: Answer = {
  result: { protocol: GATEWAY_PROTOCOL, version: '0.0.0', principal: 'person', workspace: '/w' },
};

/**
 * A gateway that answers what a test tells it to: for programs that talk to one. With its storage folder, as an engine leaves it: pointer
 * file, a person's key, a token of `reviewer` in generation 3.
 */
export class ScriptedGateway {
  readonly root = fs.mkdtempSync(path.join(tmpdir(), 'orc-'));
  readonly storage = path.join(this.root, "sto rage'");
  readonly workspace = fs.realpathSync(fs.mkdtempSync(path.join(this.root, 'ws-')));
  readonly dataFolder = path.join(this.storage, 'workspaces', workspaceIdOf(this.workspace));
  readonly pointerFile = path.join(this.dataFolder, 'gateway.json');
  readonly spool = path.join(this.dataFolder, 'spool');
  readonly socket = path.join(this.root, 's');
  /** Everything that was received, in order; what was written at once is one chunk. */
  readonly frames: Frame[] = [];
  readonly chunks: number[] = [];
  answers: Readonly<Record<string, Answer | ((frame: Frame) => Answer)>> = {};
  #server: net.Server | undefined;
  readonly #open = new Set<net.Socket>();

  constructor() {
    fs.mkdirSync(path.join(this.dataFolder, 'tokens'), { recursive: true, mode: 0o700 });
    fs.writeFileSync(path.join(this.dataFolder, 'person.key'), 'a'.repeat(64), { mode: 0o600 });
    fs.writeFileSync(path.join(this.dataFolder, 'tokens', 'reviewer.3.jwt'), 'the-token', { mode: 0o600 });
    this.writePointer({});
  }

  writePointer(changes: Partial<GatewayPointer>): void {
    const pointer: GatewayPointer = {
      protocol: GATEWAY_PROTOCOL,
      version: '0.0.0',
      socket: this.socket,
      tokenFolder: path.join(this.dataFolder, 'tokens'),
      personKeyFile: path.join(this.dataFolder, 'person.key'),
      spoolFolder: this.spool,
      workspace: this.workspace,
      ownerPid: 4711,
      ...changes,
    };
    fs.writeFileSync(this.pointerFile, JSON.stringify(pointer), { mode: 0o600 });
  }

  /** The environment of an agent's programs. */
  get agentEnv(): Readonly<Record<string, string>> {
    return {
      CORE_ORCHESTRATOR_GATEWAY: this.pointerFile,
      CORE_ORCHESTRATOR_AGENT: 'reviewer',
      CORE_ORCHESTRATOR_GENERATION: '3',
    };
  }

  methods(): readonly string[] {
    return this.frames.map(({ method }) => method);
  }

  async listen(): Promise<void> {
    const server = net.createServer((socket) => this.#serve(socket));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.socket, resolve));
  }

  #serve(socket: net.Socket): void {
    this.#open.add(socket);
    socket.on('error', () => undefined); // callers may leave at any time
    socket.on('close', () => this.#open.delete(socket));
    let rest = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      this.chunks.push(text.length);
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#take(socket, JSON.parse(line) as Frame); // our own program wrote it
    });
  }

  #take(socket: net.Socket, frame: Frame): void {
    this.frames.push(frame);
    const given = this.answers[frame.method] ?? (frame.method === 'hello' ? HELLO : { result: null });
    const answer = typeof given === 'function' ? given(frame) : given;
    if (answer === 'hold') return;
    if (answer === 'close') socket.destroy();
    else if ('raw' in answer) socket.write(answer.raw);
    else if ('result' in answer)
      socket.write(`${JSON.stringify({ jsonrpc: '2.0', id: frame.id, result: answer.result })}\n`);
    else {
      const { status, message, code } = answer;
      const error = { code: RPC_CODES[status], message, data: { status, ...(code && { code }) } };
      socket.write(`${JSON.stringify({ jsonrpc: '2.0', id: frame.id, error })}\n`);
    }
  }

  /** Connections that are open now. */
  get connectionCount(): number {
    return this.#open.size;
  }

  /** It is gone, with every connection; what is on disk stays. */
  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    const server = this.#server;
    this.#server = undefined;
    await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
  }

  async end(): Promise<void> {
    await this.close();
    fs.rmSync(this.root, { recursive: true, force: true });
  }
}
