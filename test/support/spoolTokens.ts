import { createSecretKey, randomBytes } from 'node:crypto';
import type { AgentId } from '../../src/core/agents/agent';
import { SystemClock } from '../../src/core/base/clock';
import { UlidIds } from '../../src/core/base/ids';
import { silentLogger } from '../../src/core/base/log';
import { AuthError } from '../../src/core/services/authentication/authErrors';
import { KeyRing } from '../../src/core/services/authentication/keyRing';
import { tokenDigest, tokenMac } from '../../src/core/services/authentication/node/tokenDigest';
import { TokenManager } from '../../src/core/services/authentication/tokenManager';
import type { VerifyLeft } from '../../src/core/node/hookSpool';

/** Real tokens, by a key of their own. */
export function someTokens(clock = new SystemClock()): TokenManager {
  const key = { kid: 'aaaa1111', secret: createSecretKey(randomBytes(32)), createdAtMs: 0 };
  const ids = new UlidIds(() => clock.nowMs(), randomBytes);
  const hashes = { digest: tokenDigest, mac: tokenMac };
  return new TokenManager({ keys: new KeyRing([key]), audience: 'w', epoch: 1, clock, ids, log: silentLogger, ...hashes }); // prettier-ignore
}

/** Takes what is signed with this text, which is no real token, as coming from this run. */
export function signedBy(token: string, sub: AgentId, generation: number): VerifyLeft {
  return ({ text, proof }) => {
    if (proof !== tokenMac(token, text)) throw new AuthError('auth.unauthenticated');
    return { sub, generation };
  };
}
