import jwt, { type JwtPayload } from 'jsonwebtoken';
import type { Clock } from '../../base/clock';
import type { Ids } from '../../base/ids';
import type { Logger } from '../../base/log';
import { AuthError } from './authErrors';
import type { LeftReport, TokenClaims, Tokens } from './authPorts';
import type { KeyRing, SigningKey } from './keyRing';

/** How long a token counts. */
export const TOKEN_LIFE_MS = 15 * 60_000;
/** 4 KiB: ours have about 300 bytes. */
export const MAX_TOKEN_BYTES = 4 * 1024;
const TOKEN_TYPE = 'core-agent+jwt';
const ISSUER = 'core-orchestrator';
const CLOCK_TOLERANCE_S = 5;
/** Revoked ids are remembered at least as long as a token can count. */
const MAX_REVOKED_IDS = 10_000;
/** Tokens whose signature was checked, some for each of the agents that one engine can have. */
const MAX_KNOWN = 256;

export interface TokenManagerOptions {
  readonly keys: KeyRing;
  /** Whom the tokens are for: the workspace's id. A token of another workspace is refused. */
  readonly audience: string;
  /** Of the owner that issues. */
  readonly epoch: number;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  /** SHA-256 (`node/tokenDigest.ts`): what is remembered of a token, so that none stays in memory. */
  readonly digest: (token: string) => string;
  /** HMAC-SHA256, base64url (`node/tokenDigest.ts`). */
  readonly mac: (key: string, text: string) => string;
}

/**
 * Issues and checks agents' tokens: JWT, HS256, on jsonwebtoken, behind a wrapper that closes what the library leaves open
 * (RFC 8725; the library accepts any `typ`, an unknown `crit`, a missing `exp` or `aud`, a text as payload, and 1 MB):
 * the header must be, byte for byte, the one that we write for one of our keys.
 */
export class TokenManager implements Tokens {
  /** The first segment of every token that a key of ours has signed → that key. */
  #headers: ReadonlyMap<string, SigningKey> = new Map();
  /** Those of {@link #headers}. */
  #keys: readonly SigningKey[] = [];
  readonly #revokedIds = new Set<string>();
  readonly #revokedGenerations = new Map<string, number>();
  /** What the library has accepted, by {@link placeOf}: an agent's hooks are short processes that all show the same token. */
  readonly #known = new Map<number, Known>();
  #minimumEpoch = 0;

  constructor(private readonly options: TokenManagerOptions) {}

  issue({ sub, generation }: { readonly sub: string; readonly generation: number }): string {
    if (sub === '' || sub.length > 100 || !Number.isSafeInteger(generation) || generation < 1)
      throw new AuthError('auth.invalidClaims', 'a token needs a subject and a generation');
    const { keys, audience, epoch, clock, ids } = this.options;
    const iat = Math.floor(clock.nowMs() / 1000);
    const claims = {
      sub,
      generation,
      epoch,
      jti: ids.next(),
      iat,
      exp: iat + TOKEN_LIFE_MS / 1000,
      iss: ISSUER,
      aud: audience,
    };
    return jwt.sign(claims, keys.current.secret, signOptions(keys.current));
  }

  verify(token: string): TokenClaims {
    return this.#orRefuse(() => this.#verify(token));
  }

  isCurrent(claims: TokenClaims): boolean {
    try {
      this.#orRefuse(() => (this.#requireCurrent(claims), claims));
      return true;
    } catch {
      return false; // why is in the log
    }
  }

  verifyLeft(left: LeftReport): TokenClaims {
    return this.#orRefuse(() => {
      const claims = this.#checkLeft(left);
      if (claims.iat > this.options.clock.nowMs() / 1000 + CLOCK_TOLERANCE_S) throw new Refused('age');
      this.#requireRun(claims);
      return claims;
    });
  }

  revoke(sub: string, upToGeneration: number): void {
    this.#revokedGenerations.set(sub, Math.max(upToGeneration, this.#revokedGenerations.get(sub) ?? 0));
  }

  /** This one token is not accepted any more. */
  revokeId(jti: string): void {
    this.#revokedIds.add(jti);
    if (this.#revokedIds.size > MAX_REVOKED_IDS) {
      const [oldest] = this.#revokedIds;
      if (oldest !== undefined) this.#revokedIds.delete(oldest);
    }
  }

  /** No token that was issued under an epoch below this one is accepted any more. */
  revokeBefore(epoch: number): void {
    this.#minimumEpoch = Math.max(this.#minimumEpoch, epoch);
  }

  #orRefuse(check: () => TokenClaims): TokenClaims {
    try {
      return check();
    } catch (error) {
      const why = error instanceof Refused ? error.why : error instanceof Error ? error.name : 'unknown';
      this.options.log.info('a token was refused', { why }); // never the token, nor what it claims
      throw new AuthError('auth.unauthenticated');
    }
  }

  /** Signatures are made by nothing but key and content: the token that has these claims is made again, and its text shows whether it was known. */
  #checkLeft({ claims, text, proof }: LeftReport): TokenClaims {
    const { keys, mac, digest, audience } = this.options;
    if (claims.length > MAX_TOKEN_BYTES) throw new Refused('size');
    const payload = readObject(claims);
    for (const key of keys.accepted) {
      const token = jwt.sign(payload, key.secret, signOptions(key));
      if (digest(mac(token, text)) !== digest(proof)) continue; // digests: how long it takes tells nothing
      return readClaims(
        jwt.verify(token, key.secret, { algorithms: ['HS256'], issuer: ISSUER, audience, ignoreExpiration: true }),
      );
    }
    throw new Refused('proof');
  }

  /** Signature and form are checked the first two times that a token is shown; time and revocation each time. */
  #verify(token: string): TokenClaims {
    if (typeof token !== 'string' || token.length > MAX_TOKEN_BYTES) throw new Refused('size');
    const place = placeOf(token);
    const before = this.#known.get(place);
    const digest = before && this.options.digest(token);
    const isKnown = before !== undefined && before.digest === digest;
    const claims = isKnown ? before.claims : this.#check(token);
    this.#requireCurrent(claims);
    if (!isKnown) this.#remember(place, { claims, digest });
    return claims;
  }

  #check(token: string): TokenClaims {
    const { accepted } = this.options.keys;
    if (this.#keys !== accepted) this.#headers = new Map(accepted.map((each) => [headerSegment(each), each]));
    this.#keys = accepted;
    const key = this.#headers.get(token.slice(0, Math.max(0, token.indexOf('.'))));
    if (!key) throw new Refused('header');
    const { audience, clock } = this.options;
    const payload = jwt.verify(token, key.secret, {
      algorithms: ['HS256'],
      issuer: ISSUER,
      audience,
      clockTolerance: CLOCK_TOLERANCE_S,
      clockTimestamp: Math.floor(clock.nowMs() / 1000),
    });
    return readClaims(payload);
  }

  #requireCurrent(claims: TokenClaims): void {
    const { jti, iat, exp, epoch } = claims;
    const nowS = this.options.clock.nowMs() / 1000;
    if (Math.floor(nowS) >= exp + CLOCK_TOLERANCE_S) throw new Refused('expired');
    const ageS = nowS - iat; // here: the library's own `maxAge` costs a tenth of the whole check
    if (ageS < -CLOCK_TOLERANCE_S || ageS > TOKEN_LIFE_MS / 1000 + CLOCK_TOLERANCE_S) throw new Refused('age');
    if (epoch < this.#minimumEpoch) throw new Refused('epoch');
    if (this.#revokedIds.has(jti)) throw new Refused('revoked');
    this.#requireRun(claims);
  }

  #requireRun({ sub, generation }: TokenClaims): void {
    if (generation <= (this.#revokedGenerations.get(sub) ?? 0)) throw new Refused('revoked generation');
  }

  #remember(place: number, known: Known): void {
    this.#known.set(place, known);
    if (this.#known.size <= MAX_KNOWN) return;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined) this.#known.delete(oldest);
  }
}

interface Known {
  readonly claims: TokenClaims;
  /** Of the whole token. Undefined until it is shown a second time. */
  readonly digest: string | undefined;
}

/** Where a token is looked for: by its last four characters, far too few to make the rest from. Another one with the same end has another digest. */
function placeOf(token: string): number {
  let place = 0;
  for (let at = Math.max(0, token.length - 4); at < token.length; at++)
    place = place * 128 + (token.charCodeAt(at) & 127);
  return place;
}

/** Why, for the log only. */
class Refused extends Error {
  constructor(readonly why: string) {
    super(why);
  }
}

function signOptions(key: SigningKey): jwt.SignOptions {
  return { algorithm: 'HS256', keyid: key.kid, header: { alg: 'HS256', typ: TOKEN_TYPE } };
}

function headerSegment(key: SigningKey): string {
  return jwt.sign({ iat: 0 }, key.secret, signOptions(key)).split('.', 1)[0] ?? '';
}

function readClaims(payload: string | JwtPayload): TokenClaims {
  if (typeof payload === 'string') throw new Refused('payload');
  const { sub, jti, iat, exp, aud } = payload;
  const generation: unknown = payload['generation'];
  const epoch: unknown = payload['epoch'];
  if (typeof sub !== 'string' || sub === '' || typeof jti !== 'string' || jti === '' || typeof aud !== 'string')
    throw new Refused('claims');
  if (!isCount(iat) || !isCount(exp) || !isCount(generation) || !isCount(epoch)) throw new Refused('claims');
  return { sub, jti, iat, exp, generation, epoch };
}

function readObject(json: string): object {
  const value: unknown = JSON.parse(json);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Refused('claims');
  return value;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
