import type { Disposable } from '../../base/disposable';

/** What an agent's token says. `sub` is the agent's id; `generation` binds it to one run. */
export interface TokenClaims {
  readonly sub: string;
  readonly generation: number;
  /** Unique id, for revocation. */
  readonly jti: string;
  /** Epoch of the owner that issued it. */
  readonly epoch: number;
  /** Seconds since 1970. */
  readonly iat: number;
  readonly exp: number;
}

/** Issues and checks our own short-lived tokens. */
export interface Tokens {
  /** @throws {AuthError} auth.keysUnavailable */
  issue(claims: { readonly sub: string; readonly generation: number }): string;
  /** @throws {AuthError} auth.unauthenticated – one generic refusal for every reason, which is logged without the token */
  verify(token: string): TokenClaims;
  /** No token of this agent up to this generation is accepted any more. */
  revoke(sub: string, upToGeneration: number): void;
  /** This one token is not accepted any more: another one has taken its place. */
  revokeId(jti: string): void;
  /** No token that was issued under an epoch below this one is accepted any more. */
  revokeBefore(epoch: number): void;
}

/** Keeps each living agent's token file: written 0600 at launch and adoption, rewritten before it expires, removed at the end. */
export interface TokenFiles extends Disposable {
  /**
   * Resolves when the file is there, however often that has to be tried, or when it is not wanted any more. Replaces an older one; keeps
   * rewriting it until `remove` or `dispose`. A token that was replaced is revoked once its successor can be read, never before.
   */
  provide(agentId: string, generation: number): Promise<void>;
  /** The file is gone and the token revoked when this resolves. Idempotent. */
  remove(agentId: string, generation: number): Promise<void>;
}
