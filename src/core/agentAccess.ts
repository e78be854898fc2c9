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
  readonly log: Logger;
}

/**
 * Who may call: a living agent with the token of its present run, or the person with the key that lies in a file of theirs. Every agent
 * has its token from the moment in which its run is claimed, which is before its process exists, until that run is over.
 */
export class AgentAccess implements Authenticator, Disposable {
  readonly #owned = new DisposableStore();

  constructor(private readonly ports: AgentAccessPorts) {
    const { registry } = ports;
    this.#owned.add(registry.onDidAdd(({ record }) => this.#follow(undefined, record)));
    this.#owned.add(registry.onDidChange(({ previous, current }) => this.#follow(previous, current)));
    this.#owned.add(registry.onDidRemove((record) => this.#end(record)));
    for (const { record } of registry.list()) this.#follow(undefined, record);
  }

  authenticate({ token, personKey, client }: Parameters<Authenticator['authenticate']>[0]): Principal {
    if (token !== undefined && personKey === undefined) {
      const { sub, generation } = this.ports.tokens.verify(token);
      if (!isAgentId(sub)) throw new AuthError('auth.unauthenticated');
      const principal: Principal = { kind: 'agent', agentId: sub, generation, client };
      if (this.isStillValid(principal)) return principal;
    } else if (personKey !== undefined && token === undefined && this.ports.isPersonKey(personKey)) {
      return { kind: 'person', client };
    }
    throw new AuthError('auth.unauthenticated');
  }

  isStillValid(principal: Principal): boolean {
    if (principal.kind === 'person') return true;
    const record = this.ports.registry.find(principal.agentId)?.record;
    return record !== undefined && record.generation === principal.generation && isLive(record.lifecycle);
  }

  #follow(previous: AgentRecord | undefined, current: AgentRecord): void {
    const isSameRun = previous?.generation === current.generation;
    if (previous && !isSameRun && previous.generation > 0) this.#end(previous);
    const hadToken = isSameRun && isLive(previous.lifecycle);
    if (isLive(current.lifecycle) && current.generation > 0) {
      if (!hadToken) this.#settled(this.ports.tokenFiles.provide(current.id, current.generation));
    } else if (hadToken || (previous === undefined && current.generation > 0)) {
      this.#end(current);
    }
  }

  #end({ id, generation }: AgentRecord): void {
    this.#settled(this.ports.tokenFiles.remove(id, generation));
  }

  #settled(work: Promise<void>): void {
    work.catch((error: unknown) =>
      ignore(this.ports.log, error, 'the file of a token could not be removed; it is revoked'),
    );
  }

  dispose(): void {
    this.#owned.dispose();
  }
}
