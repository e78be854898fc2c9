import { createHmac, createSecretKey, randomBytes, timingSafeEqual } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { SystemClock } from '../src/core/base/clock';
import { UlidIds } from '../src/core/base/ids';
import { silentLogger } from '../src/core/base/log';
import { KeyRing } from '../src/core/services/authentication/keyRing';
import { tokenDigest, tokenMac } from '../src/core/services/authentication/node/tokenDigest';
import { TokenManager } from '../src/core/services/authentication/tokenManager';
import { bench, figure, interleave, median } from './figure';

/** Some 0.4 ms, much less than a slice of the scheduler: on a busy machine most batches are not interrupted, and the median is one of them. */
const CALLS = 40;
const ROUNDS = 3_000;
/** The library takes a hundred times as long in Node 20: it makes a key at every call. */
const LIBRARY_ROUNDS = 200;

/** Calls per second of `call`, over one batch. */
function perSecond(call: () => unknown): readonly number[] {
  const startedMs = performance.now();
  for (let i = 0; i < CALLS; i++) call();
  return [CALLS / ((performance.now() - startedMs) / 1000)];
}

/** So often is a token shown here: a prompt, three tools and the end of a turn already make eight reports, and a token counts for 15 minutes. */
const SHOWN = 10;

/**
 * `token.verify.*`: a token as an agent's hooks show it, from its first time to its tenth. `…first.*`: tokens that were never shown before,
 * behind the library each: with a KeyObject, which is what we give it, that takes three times a bare check and a quarter of what the library
 * takes with a text as its secret, and nothing around it can change that.
 */
void bench(async (report) => {
  const bytes = randomBytes(32);
  const clock = new SystemClock();
  const ids = new UlidIds(() => clock.nowMs(), randomBytes);
  const key = createSecretKey(bytes);
  const keys = new KeyRing([{ kid: 'aaaa1111', secret: key, createdAtMs: 0 }]);
  const tokens = new TokenManager({ keys, audience: 'w1', epoch: 1, clock, ids, log: silentLogger, digest: tokenDigest, mac: tokenMac }); // prettier-ignore
  /** More than are remembered, in turns: of each the signature is checked every time. */
  const fresh = Array.from({ length: 300 }, () => tokens.issue({ sub: 'reviewer', generation: 1 }));
  const [token = ''] = fresh;
  let next = 0;
  const signed = token.slice(0, token.lastIndexOf('.'));
  const signature = token.slice(token.lastIndexOf('.') + 1);
  /**
   * What checking a signature costs without any library: nothing is parsed, no claim is looked at. With the same KeyObject as ours: of
   * bytes Node makes one at every call, which Node 24 takes 15 µs for.
   */
  const rawCheck = (): boolean =>
    timingSafeEqual(createHmac('sha256', key).update(signed).digest(), Buffer.from(signature, 'base64url'));
  const secret = bytes.toString('hex');
  const plain = jwt.sign({ sub: 'reviewer', generation: 1 }, secret, { expiresIn: 900, issuer: 'i', audience: 'w1' });
  const first = (): Promise<readonly number[]> =>
    Promise.resolve(perSecond(() => tokens.verify(fresh[next++ % fresh.length] ?? '')));
  /** Each {@link SHOWN} times, then the next. */
  let shown = 0;
  const asShown = (): Promise<readonly number[]> =>
    Promise.resolve(perSecond(() => tokens.verify(fresh[Math.floor(shown++ / SHOWN) % fresh.length] ?? '')));
  const library = (): Promise<readonly number[]> =>
    Promise.resolve(perSecond(() => jwt.verify(plain, secret, { algorithms: ['HS256'], issuer: 'i', audience: 'w1' })));
  for (let i = 0; i < 500; i++) await first(); // warmed up
  const inverse = (values: readonly number[]): number => 1e6 / median(values); // µs per call, so that less is better
  const compare = async (
    name: string,
    rounds: number,
    ours: typeof first,
    baseline: typeof first,
    ratioAtMost: number,
  ): Promise<void> => {
    const taken = await interleave(rounds, { ours, baseline });
    report(figure(name, inverse(taken.ours), 'µs', { ratioAtMost }, inverse(taken.baseline)));
  };
  const raw = (): Promise<readonly number[]> => Promise.resolve(perSecond(rawCheck));
  await compare('token.verify.raw', ROUNDS, asShown, raw, 1 / 0.3);
  await compare('token.verify.library', LIBRARY_ROUNDS, asShown, library, 1 / 5);
  await compare('token.verify.first.raw', ROUNDS, first, raw, 4);
  await compare('token.verify.first.library', LIBRARY_ROUNDS, first, library, 0.4);
});
