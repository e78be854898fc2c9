import { createHmac, createSecretKey, randomBytes, timingSafeEqual } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { SystemClock } from '../src/core/base/clock';
import { UlidIds } from '../src/core/base/ids';
import { silentLogger } from '../src/core/base/log';
import { KeyRing } from '../src/core/services/authentication/keyRing';
import { TokenManager } from '../src/core/services/authentication/tokenManager';
import { bench, figure, interleave, median } from './figure';

/** Some 0.4 ms, much less than a slice of the scheduler: on a busy machine most batches are not interrupted, and the median is one of them. */
const CALLS = 40;
const ROUNDS = 3_000;

/** Calls per second of `call`, over one batch. */
function perSecond(call: () => unknown): readonly number[] {
  const startedMs = performance.now();
  for (let i = 0; i < CALLS; i++) call();
  return [CALLS / ((performance.now() - startedMs) / 1000)];
}

void bench(async (report) => {
  const bytes = randomBytes(32);
  const clock = new SystemClock();
  const ids = new UlidIds(() => clock.nowMs(), randomBytes);
  const key = createSecretKey(bytes);
  const keys = new KeyRing([{ kid: 'aaaa1111', secret: key, createdAtMs: 0 }]);
  const tokens = new TokenManager({ keys, audience: 'w1', epoch: 1, clock, ids, log: silentLogger });
  const token = tokens.issue({ sub: 'reviewer', generation: 1 });
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
  const ours = (): Promise<readonly number[]> => Promise.resolve(perSecond(() => tokens.verify(token)));
  for (let i = 0; i < 500; i++) await ours(); // warmed up
  const raw = await interleave(ROUNDS, {
    ours,
    baseline: () => Promise.resolve(perSecond(rawCheck)),
  });
  const library = await interleave(15, {
    ours,
    baseline: () =>
      Promise.resolve(
        perSecond(() => jwt.verify(plain, secret, { algorithms: ['HS256'], issuer: 'i', audience: 'w1' })),
      ),
  });
  const inverse = (values: readonly number[]): number => 1e6 / median(values); // µs per call, so that less is better
  report(figure('token.verify.raw', inverse(raw.ours), 'µs', { ratioAtMost: 1 / 0.3 }, inverse(raw.baseline)));
  report(
    figure('token.verify.library', inverse(library.ours), 'µs', { ratioAtMost: 1 / 5 }, inverse(library.baseline)),
  );
});
