import { GATEWAY_LIMITS } from '../../shared/gatewayProtocol';
import { type Disposable, DisposableStore } from '../base/disposable';
import { type CallerBudget, CallerBudgets } from './callerBudget';
import { GatewayError } from './gatewayErrors';
import type { Authenticator, GatewayConnection, GatewayListener, Principal } from './gatewayPorts';
import type { MethodPorts } from './methodTable';
import { GATEWAY_METHODS } from './methods';
import { RpcSession } from './rpcSession';

export interface GatewayPorts extends MethodPorts {
  /** Disposed with the gateway. */
  readonly listener: GatewayListener;
  readonly authenticator: Authenticator;
}

/** A connection that has been idle for less may be between two requests: it is not closed to make room. */
const MIN_IDLE_MS = 1_000;

/** The one door to the engine: takes connections, gives each a session, and keeps their number within bounds (S17). */
export class Gateway implements Disposable {
  readonly #owned = new DisposableStore();
  readonly #budgets: CallerBudgets;
  /** Oldest first. */
  readonly #sessions = new Set<RpcSession>();

  constructor(private readonly ports: GatewayPorts) {
    this.#budgets = new CallerBudgets(ports.clock);
    this.#owned.add(ports.listener);
    this.#owned.add(ports.listener.onDidConnect((connection) => this.#serve(connection)));
  }

  /** Absolute path of the socket: what the pointer file must name. */
  get path(): string {
    return this.ports.listener.path;
  }

  /** Open connections, those without `hello` too. */
  get connectionCount(): number {
    return this.#sessions.size;
  }

  /** See {@link GatewayListener.ensure}. */
  ensure(): Promise<void> {
    return this.ports.listener.ensure();
  }

  /** Listens no more and cuts every caller off; what is under way is aborted. */
  dispose(): void {
    this.#owned.dispose();
    for (const session of [...this.#sessions]) session.dispose();
  }

  #serve(connection: GatewayConnection): void {
    if (this.#sessions.size >= GATEWAY_LIMITS.connections && !this.#makeRoom()) {
      this.ports.log.warn('a connection was refused: there are too many', { count: this.#sessions.size });
      return connection.dispose();
    }
    const { engine, hooks, version, workspace, clock, log, authenticator } = this.ports;
    const session: RpcSession = new RpcSession(connection, {
      ...{ engine, hooks, version, workspace, clock, log, authenticator },
      methods: GATEWAY_METHODS,
      budgets: this.#budgets,
      admit: (principal, budget) => this.#admit(principal, budget),
      onClosed: () => this.#sessions.delete(session),
    });
    this.#sessions.add(session);
  }

  /** Closes what nobody will miss: the oldest connection without `hello`, else the one that has been idle the longest. */
  #makeRoom(): boolean {
    const least = this.#oldestSilent() ?? this.#longestIdle();
    least?.dispose();
    return least !== undefined;
  }

  /** Sessions are in order of their coming; where many say nothing, the first is one of them: this is short under attack. */
  #oldestSilent(): RpcSession | undefined {
    for (const session of this.#sessions) if (session.principal === undefined) return session;
    return undefined;
  }

  #longestIdle(): RpcSession | undefined {
    const latestMs = this.ports.clock.monotonicMs() - MIN_IDLE_MS;
    return [...this.#sessions]
      .filter((session) => session.isIdle && session.lastActiveMs <= latestMs)
      .sort((a, b) => a.lastActiveMs - b.lastActiveMs)[0];
  }

  #admit(principal: Principal, budget: CallerBudget): void {
    if (principal.kind === 'person') return;
    const ofAgents = [...this.#sessions].filter((session) => session.principal?.kind === 'agent').length;
    const isFull =
      ofAgents >= GATEWAY_LIMITS.connections - GATEWAY_LIMITS.connectionsForPeople ||
      budget.connectionCount >= GATEWAY_LIMITS.connectionsPerAgent;
    if (isFull) throw new GatewayError('gateway.tooMuch', 'too many connections', { retryAfterMs: MIN_IDLE_MS });
  }
}
