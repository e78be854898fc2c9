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

/** What somebody left who has a token, and does not say it. */
export interface LeftReport {
  /** The token's payload, as JSON. */
  readonly claims: string;
  readonly text: string;
  /** HMAC-SHA256 of the text, keyed by the token; base64url. */
  readonly proof: string;
}

/** Issues and checks our own short-lived tokens. */
export interface Tokens {
  /** @throws {AuthError} auth.keysUnavailable */
  issue(claims: { readonly sub: string; readonly generation: number }): string;
  /** @throws {AuthError} auth.unauthenticated – one generic refusal for every reason, which is logged without the token */
  verify(token: string): TokenClaims;
  /** The token with these claims, which was verified before, would be accepted again now: it has not expired and is not revoked. */
  isCurrent(claims: TokenClaims): boolean;
  /**
   * Whose token signed what was left for the engine. An expired one and one that was replaced count as well, as do those of earlier owners: it was left
   * while nobody was there, it is told late, and it makes nobody a caller. Not one of a revoked run.
   * @throws {AuthError} auth.unauthenticated, as {@link verify}
   */
  verifyLeft(left: LeftReport): TokenClaims;
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
