import type { Disposable } from '../base/disposable';
import type { Event } from '../base/event';
import type { AgentId } from '../agents/agent';
import type { TokenClaims } from '../services/authentication/authPorts';

/** Who calls, as the gateway established it. Nothing in a request's parameters changes it (S11). */
export type Principal =
  | { readonly kind: 'person'; readonly client: string }
  | {
      readonly kind: 'agent';
      readonly agentId: AgentId;
      readonly generation: number;
      /** What the token says that was shown: it ends before the run does. */
      readonly token: TokenClaims;
      readonly client: string;
    };

/** One connection, as frames. Implemented over unix sockets in `node/`, in memory for tests. */
export interface GatewayConnection extends Disposable {
  /** A whole line without its end. Never longer than the frame limit: the transport cuts such a caller off. */
  readonly onDidReceive: Event<string>;
  readonly onDidClose: Event<void>;
  /** Queues one line. Returns the bytes that wait to be taken by the other side. */
  send(line: string): number;
  /** Stop and go on reading: back-pressure towards the caller. No line is given while paused. */
  pause(): void;
  resume(): void;
  /** Sends what is queued, then closes; whoever does not take it within a second is cut off. `dispose` drops it. */
  end(): void;
}

/** The listening socket. */
export interface GatewayListener extends Disposable {
  readonly onDidConnect: Event<GatewayConnection>;
  /** Absolute path of the socket. */
  readonly path: string;
  /** The socket is at another path now, because its folder vanished and could not be made again: the pointer must be rewritten. */
  readonly onDidMove: Event<string>;
  /**
   * Makes sure that callers find the socket: listens again when its folder or file vanished (a logout removes
   * `$XDG_RUNTIME_DIR`). Cheap while nothing is wrong; connections that exist stay.
   * @throws {GatewayError} gateway.folderUnsafe, gateway.pathTooLong, gateway.cannotListen – it is tried again by itself
   */
  ensure(): Promise<void>;
}

/** Proves who calls. The real one checks tokens (TokenManager) and the person's key. */
export interface Authenticator {
  /** @throws {AuthError} auth.unauthenticated – one generic refusal, whatever was wrong */
  authenticate(hello: { readonly token?: string; readonly personKey?: string; readonly client: string }): Principal;
  /** False once the run of an agent is over, or the token that was shown has expired or is revoked: asked at every request. */
  isStillValid(principal: Principal): boolean;
}

export type { HookAnswer, HookIntake, HookReport } from '../agents/signals/hookReport';
