import type { AgentRecord } from './agents/agent';
import type { AgentRegistry } from './agents/agentRegistry';
import { isLive } from './agents/agentTransitions';
import { type Disposable, DisposableStore } from './base/disposable';
import { ignore, type Logger } from './base/log';
import type { Authenticator, Principal } from './gateway/gatewayPorts';
import { AuthError } from './services/authentication/authErrors';
import type { TokenFiles, Tokens } from './services/authentication/authPorts';
import { isAgentId } from './agents/agent';

export interface AgentAccessPorts {
  readonly registry: AgentRegistry;
  readonly tokens: Tokens;
  readonly tokenFiles: TokenFiles;
  readonly isPersonKey: (candidate: string) => boolean;
  /** Of this owner. */
  readonly epoch: number;
  readonly log: Logger;
}

/**
 * Who may call: a living agent with the token of its present run, or the person with the key that lies in a file of theirs. Every agent
 * has its token from the moment in which its run is claimed, which is before its process exists, until that run is over. What earlier
 * owners issued counts until every agent that was found has a token of ours, and not any more from then on.
 */
export class AgentAccess implements Authenticator, Disposable {
  readonly #owned = new DisposableStore();

  constructor(private readonly ports: AgentAccessPorts) {
    const { registry } = ports;
    this.#owned.add(registry.onDidAdd(({ record }) => void this.#follow(undefined, record)));
    this.#owned.add(registry.onDidChange(({ previous, current }) => void this.#follow(previous, current)));
    this.#owned.add(registry.onDidRemove((record) => void this.#end(record)));
    const found = registry.list().map(({ record }) => this.#follow(undefined, record));
    void this.#endEarlierTokens(Promise.all(found));
  }

  authenticate({ token, personKey, client }: Parameters<Authenticator['authenticate']>[0]): Principal {
    if (token !== undefined && personKey === undefined) {
      const claims = this.ports.tokens.verify(token);
      const { sub, generation } = claims;
      if (!isAgentId(sub)) throw new AuthError('auth.unauthenticated');
      const principal: Principal = { kind: 'agent', agentId: sub, generation, token: claims, client };
      if (this.isStillValid(principal)) return principal;
    } else if (personKey !== undefined && token === undefined && this.ports.isPersonKey(personKey)) {
      return { kind: 'person', client };
    }
    throw new AuthError('auth.unauthenticated');
  }

  isStillValid(principal: Principal): boolean {
    if (principal.kind === 'person') return true;
    const record = this.ports.registry.find(principal.agentId)?.record;
    const isItsRun = record !== undefined && record.generation === principal.generation && isLive(record.lifecycle);
    return isItsRun && this.ports.tokens.isCurrent(principal.token);
  }

  /** Hooks read the file at each call: one that still has an earlier token finds the new one there. */
  async #endEarlierTokens(written: Promise<unknown>): Promise<void> {
    await written;
    if (!this.#owned.isDisposed) this.ports.tokens.revokeBefore(this.ports.epoch);
  }

  /** Resolves when the agent has its token, or needs none. Never rejects. */
  #follow(previous: AgentRecord | undefined, current: AgentRecord): Promise<void> {
    const isSameRun = previous?.generation === current.generation;
    if (previous && !isSameRun && previous.generation > 0) void this.#end(previous);
    const hadToken = isSameRun && isLive(previous.lifecycle);
    if (isLive(current.lifecycle) && current.generation > 0) {
      if (!hadToken) return this.#settled(this.ports.tokenFiles.provide(current.id, current.generation));
    } else if (hadToken || (previous === undefined && current.generation > 0)) {
      return this.#end(current);
    }
    return Promise.resolve();
  }

  #end({ id, generation }: AgentRecord): Promise<void> {
    return this.#settled(this.ports.tokenFiles.remove(id, generation));
  }

  #settled(work: Promise<void>): Promise<void> {
    return work.catch((error: unknown) =>
      ignore(this.ports.log, error, 'the file of a token could not be removed; it is revoked'),
    );
  }

  dispose(): void {
    this.#owned.dispose();
  }
}
