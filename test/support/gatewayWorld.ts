import type { AgentId } from '../../src/core/agents/agent';
import type { Clock } from '../../src/core/base/clock';
import { type Logger, silentLogger } from '../../src/core/base/log';
import { Gateway } from '../../src/core/gateway/gateway';
import type {
  Authenticator,
  GatewayConnection,
  GatewayListener,
  HookAnswer,
  HookIntake,
  HookReport,
  Principal,
} from '../../src/core/gateway/gatewayPorts';
import { AuthError } from '../../src/core/services/authentication/authErrors';
import { GATEWAY_PROTOCOL, type HelloResult, type RpcErrorBody } from '../../src/shared/gatewayProtocol';
import { eventually } from './eventually';
import { anAgentView, FakeEngine } from './fakeEngine';
import { MemoryListener } from './gatewayPair';
import { ManualClock } from './manualClock';

export const PERSON_KEY = 'a'.repeat(64);

/** Tokens are `agent:generation`. An agent of a generation that was revoked is refused. */
export class FakeAuthenticator implements Authenticator {
  readonly #revoked = new Map<string, number>();
  attempts = 0;

  revoke(agentId: string, upToGeneration: number): void {
    this.#revoked.set(agentId, upToGeneration);
  }

  authenticate(hello: Parameters<Authenticator['authenticate']>[0]): Principal {
    this.attempts++;
    const { personKey, client } = hello;
    if (personKey === PERSON_KEY) return { kind: 'person', client };
    const [, agentId, generation] = /^([a-z0-9-]+):(\d+)$/.exec(hello.token ?? '') ?? [];
    if (agentId === undefined) throw new AuthError('auth.unauthenticated');
    const token = { sub: agentId, generation: Number(generation), jti: 'j', epoch: 1, iat: 0, exp: 1 };
    const principal: Principal = {
      kind: 'agent',
      agentId: agentId as AgentId,
      generation: token.generation,
      token,
      client,
    };
    if (!this.isStillValid(principal)) throw new AuthError('auth.unauthenticated');
    return principal;
  }

  isStillValid(principal: Principal): boolean {
    return principal.kind === 'person' || principal.generation > (this.#revoked.get(principal.agentId) ?? 0);
  }
}

/** Keeps what was reported; answers with nothing unless told otherwise. */
export class FakeHooks implements HookIntake {
  readonly reports: HookReport[] = [];
  answer: (report: HookReport, signal: AbortSignal) => Promise<HookAnswer> = async () => ({});

  report(report: HookReport, signal: AbortSignal): Promise<HookAnswer> {
    this.reports.push(report);
    return this.answer(report, signal);
  }
}

/** Keeps what is logged, as text. */
export class KeptLog implements Logger {
  readonly lines: string[] = [];
  readonly #keep =
    (level: string) =>
    (message: string, fields?: object): void => {
      const shown = Object.entries(fields ?? {}).map(([key, value]) => `${key}=${String(value)}`);
      this.lines.push([level, message, ...shown].join(' '));
    };
  readonly trace = this.#keep('trace');
  readonly debug = this.#keep('debug');
  readonly info = this.#keep('info');
  readonly warn = this.#keep('warn');
  readonly error = this.#keep('error');
}

export interface Answer {
  readonly id?: number | string | null;
  readonly result?: unknown;
  readonly error?: RpcErrorBody;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
}

/** A caller that sends frames as it likes and keeps everything that comes back. */
export class RawCaller {
  readonly received: Answer[] = [];
  isClosed = false;
  #nextId = 1000;

  constructor(readonly connection: GatewayConnection) {
    connection.onDidReceive((line) => this.received.push(JSON.parse(line) as Answer));
    connection.onDidClose(() => (this.isClosed = true));
  }

  send(frame: unknown): void {
    this.connection.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  request(method: string, params?: unknown, id: number | string = this.#nextId++): number | string {
    this.send({ jsonrpc: '2.0', id, method, params });
    return id;
  }

  answer(id: number | string | null): Promise<Answer> {
    return eventually(`an answer to ${id}`, () => {
      const found = this.received.find((one) => one.id === id && one.method === undefined);
      if (!found && this.isClosed) throw new Error('the connection was closed');
      return found;
    });
  }

  call(method: string, params?: unknown): Promise<Answer> {
    return this.answer(this.request(method, params));
  }

  /** @throws when it was refused */
  async hello(credential: { readonly token?: string; readonly personKey?: string }): Promise<HelloResult> {
    const params = { protocol: GATEWAY_PROTOCOL, client: 'test', ...credential };
    const { result, error } = await this.answer(this.request('hello', params));
    if (error) throw new Error(error.message);
    return result as HelloResult;
  }

  notifications(method: string): readonly Record<string, unknown>[] {
    return this.received.filter((one) => one.method === method).map(({ params = {} }) => params);
  }

  closed(): Promise<true> {
    return eventually('the connection to be closed', () => this.isClosed || undefined);
  }
}

/** A gateway before a fake engine. Agents `reviewer` (generation 2) and `tester` (generation 1) run. */
export class GatewayWorld<L extends GatewayListener = MemoryListener> {
  readonly engine = new FakeEngine();
  readonly hooks = new FakeHooks();
  readonly authenticator = new FakeAuthenticator();
  readonly gateway: Gateway;

  constructor(
    readonly listener: L,
    readonly clock: Clock,
    log: Logger = silentLogger,
  ) {
    const { engine, hooks, authenticator } = this;
    engine.simulateReady();
    engine.simulateAgent(anAgentView({ generation: 2 }));
    engine.simulateAgent(anAgentView({ id: 'tester' as AgentId, name: 'Tester' }));
    this.gateway = new Gateway({
      ...{ listener, engine, hooks, authenticator, clock, log },
      version: '1.2.3',
      workspace: '/project',
    });
  }

  dispose(): void {
    this.gateway.dispose();
    this.engine.dispose();
  }
}

/** A world in memory, on a clock of its own. */
export function memoryWorld(log?: Logger): {
  readonly world: GatewayWorld;
  readonly clock: ManualClock;
  /** A connection without hello. */
  readonly connect: () => RawCaller;
  readonly person: () => Promise<RawCaller>;
  readonly agent: (token?: string) => Promise<RawCaller>;
} {
  const clock = new ManualClock();
  const world = new GatewayWorld(new MemoryListener(), clock, log);
  const connect = (): RawCaller => new RawCaller(world.listener.connect().connection);
  const greeted = async (credential: { token?: string; personKey?: string }): Promise<RawCaller> => {
    const caller = connect();
    await caller.hello(credential);
    return caller;
  };
  return {
    world,
    clock,
    connect,
    person: () => greeted({ personKey: PERSON_KEY }),
    agent: (token = 'reviewer:2') => greeted({ token }),
  };
}
