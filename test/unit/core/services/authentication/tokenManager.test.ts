import assert from 'node:assert/strict';
import { createHmac, createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { UlidIds } from '../../../../../src/core/base/ids';
import type { Logger } from '../../../../../src/core/base/log';
import { AuthError } from '../../../../../src/core/services/authentication/authErrors';
import {
  isRotationDue,
  KEY_ROTATION_MS,
  KeyRing,
  type SigningKey,
} from '../../../../../src/core/services/authentication/keyRing';
import { tokenDigest, tokenMac } from '../../../../../src/core/services/authentication/node/tokenDigest';
import { TokenManager } from '../../../../../src/core/services/authentication/tokenManager';
import { ManualClock } from '../../../../support/manualClock';

const HOUR_MS = 3_600_000;

function newKey(kid: string): SigningKey & { readonly bytes: Buffer } {
  const bytes = randomBytes(32);
  return { kid, bytes, secret: createSecretKey(bytes), createdAtMs: 0 };
}

function world(keys: readonly SigningKey[] = [newKey('aaaa1111')]) {
  const clock = new ManualClock(Date.UTC(2030, 0, 1));
  const lines: string[] = [];
  const write = (message: string, fields?: unknown): void => void lines.push(`${message} ${JSON.stringify(fields)}`);
  const log: Logger = { trace: write, debug: write, info: write, warn: write, error: write };
  const make = (more: Partial<{ keys: readonly SigningKey[]; audience: string; epoch: number }> = {}): TokenManager =>
    new TokenManager({
      keys: new KeyRing(more.keys ?? keys),
      audience: more.audience ?? 'workspace1',
      epoch: more.epoch ?? 3,
      clock,
      ids: new UlidIds(() => clock.nowMs(), randomBytes),
      log,
      digest: tokenDigest,
      mac: tokenMac,
    });
  return { clock, log, lines, make, tokens: make() };
}

const b64 = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

function handMade(header: unknown, payload: unknown, bytes: Buffer, hash = 'sha256'): string {
  const body = `${b64(header)}.${b64(payload)}`;
  return `${body}.${createHmac(hash, bytes).update(body).digest('base64url')}`;
}

function refuses(tokens: TokenManager, token: unknown, what: string): void {
  assert.throws(
    () => tokens.verify(token as string),
    (error: unknown) =>
      error instanceof AuthError &&
      error.code === 'auth.unauthenticated' &&
      error.message === 'auth.unauthenticated: who calls could not be established',
    what,
  );
}

describe('tokens of agents', () => {
  it('say who the agent is and which of its runs', () => {
    const { tokens, clock } = world();
    const claims = tokens.verify(tokens.issue({ sub: 'reviewer', generation: 4 }));
    assert.equal(claims.sub, 'reviewer');
    assert.equal(claims.generation, 4);
    assert.equal(claims.epoch, 3);
    assert.equal(claims.exp - claims.iat, 15 * 60);
    assert.equal(claims.iat, clock.nowMs() / 1000);
  });

  it('S12 prove what was left for the engine, also when they have ended, and make nobody a caller by it', async () => {
    const { tokens, make, clock } = world();
    const token = make({ epoch: 2 }).issue({ sub: 'reviewer', generation: 4 });
    const claims = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
    const left = { claims, text: 'what happened', proof: tokenMac(token, 'what happened') };
    const isProved = (by: TokenManager, what: Partial<typeof left> = {}): boolean => {
      try {
        return by.verifyLeft({ ...left, ...what }).sub === 'reviewer';
      } catch (error) {
        assert.ok(error instanceof AuthError);
        return false;
      }
    };
    assert.ok(isProved(tokens));
    tokens.revokeId(tokens.verify(token).jti);
    tokens.revokeBefore(3);
    await clock.advanceMs(HOUR_MS);
    refuses(tokens, token, 'it has ended');
    assert.ok(isProved(tokens), 'but tells what happened');
    refuses(tokens, token, 'it has ended still');
    assert.ok(!isProved(make({ audience: 'another' })), 'to its own workspace only');
    assert.ok(!isProved(make({ keys: [newKey('aaaa1111')] })), 'by a key of ours only');
    for (const [what, changed] of Object.entries({
      'another text': { text: 'what did not happen' },
      'another run': { claims: claims.replace('"generation":4', '"generation":5') },
      'another agent': { claims: claims.replace('reviewer', 'tester') },
      'no claims': { claims: '{}' },
      'no object': { claims: '[]' },
      'no JSON': { claims: 'x' },
      'too much': { claims: ' '.repeat(5_000) },
      'the proof of the claims as key': { proof: tokenMac(claims, left.text) },
      'no proof': { proof: '' },
    }))
      assert.ok(!isProved(tokens, changed), what);
    tokens.revoke('reviewer', 4);
    assert.ok(!isProved(tokens), 'not from a run that was ended');
  });

  it('are never the same twice', () => {
    const { tokens } = world();
    const who = { sub: 'reviewer', generation: 1 };
    assert.notEqual(tokens.issue(who), tokens.issue(who));
  });

  it('are only made for a subject and a run', () => {
    const { tokens } = world();
    for (const wrong of [
      { sub: '', generation: 1 },
      { sub: 'a'.repeat(101), generation: 1 },
      { sub: 'a', generation: 0 },
      { sub: 'a', generation: 1.5 },
    ])
      assert.throws(() => tokens.issue(wrong), { code: 'auth.invalidClaims' });
  });

  it('S12 are refused when they expired, and within the tolerance they are not', async () => {
    const { tokens, clock, make } = world();
    const token = tokens.issue({ sub: 'reviewer', generation: 1 });
    await clock.advanceMs(15 * 60_000 + 4_000);
    tokens.verify(token);
    await clock.advanceMs(2_000);
    refuses(tokens, token, 'expired since it was accepted');
    refuses(make(), token, 'expired before it was first shown');
  });

  it('S12 that were accepted once open no door for others, also after many others', () => {
    const { tokens } = world();
    const all = Array.from({ length: 600 }, (_, i) => tokens.issue({ sub: `a${i}`, generation: 1 }));
    for (const turn of [1, 2])
      for (const [i, token] of all.entries()) assert.equal(tokens.verify(token).sub, `a${i}`, `turn ${turn}`);
    const [one = '', other = ''] = all;
    for (let shown = 0; shown < 3; shown++) assert.equal(tokens.verify(one).sub, 'a0'); // from the second time on it is known
    const [header = '', payload = ''] = one.split('.');
    refuses(tokens, `${header}.${payload}.${other.split('.')[2] ?? ''}`, 'the signature of another');
    refuses(tokens, `${header}.${payload}.`, 'no signature');
    refuses(tokens, `${one}=`, 'more');
    refuses(tokens, `${one.slice(0, -1)}${one.endsWith('A') ? 'E' : 'A'}`, 'one letter');
  });

  it('S12 every forged or unusual token is refused, always with the same words', () => {
    const key = newKey('aaaa1111');
    const { tokens, clock, make } = world([key]);
    const now = clock.nowMs() / 1000;
    const header = { alg: 'HS256', typ: 'core-agent+jwt', kid: 'aaaa1111' };
    const claims = {
      sub: 'reviewer', generation: 1, epoch: 3, jti: 'J', iat: now, exp: now + 900, iss: 'core-orchestrator', aud: 'workspace1',
    }; // prettier-ignore
    const without = (name: string): unknown =>
      Object.fromEntries(Object.entries(claims).filter(([key_]) => key_ !== name));
    const sign = (payload: unknown, head: unknown = header): string => handMade(head, payload, key.bytes);
    assert.equal(
      tokens.verify(sign(claims)).sub,
      'reviewer',
      'the hand-made token is right but for what each case changes',
    );
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const good = tokens.issue({ sub: 'reviewer', generation: 1 });
    const [goodHeader = '', goodPayload = '', goodSignature = ''] = good.split('.');
    const other = tokens.issue({ sub: 'tester', generation: 1 }).split('.')[2] ?? '';
    const vectors: Readonly<Record<string, unknown>> = {
      'nothing': '',
      'no text': 7,
      'not a token': 'a.b.c',
      'two parts': `${goodHeader}.${goodPayload}`,
      'four parts': `${good}.x`,
      'alg none': `${b64({ ...header, alg: 'none' })}.${b64(claims)}.`,
      'alg None': `${b64({ ...header, alg: 'None' })}.${b64(claims)}.`,
      'alg nOnE': `${b64({ ...header, alg: 'nOnE' })}.${b64(claims)}.`,
      'our header without a signature': `${goodHeader}.${goodPayload}.`,
      'HS512': handMade({ ...header, alg: 'HS512' }, claims, key.bytes, 'sha512'),
      'HS384': handMade({ ...header, alg: 'HS384' }, claims, key.bytes, 'sha384'),
      'RS256': jwt.sign(claims, rsa.privateKey, { algorithm: 'RS256', header: { ...header, alg: 'RS256' } }),
      'a public key as secret': handMade(header, claims, rsa.publicKey.export({ type: 'spki', format: 'pem' }) as unknown as Buffer),
      'an empty secret': handMade(header, claims, Buffer.alloc(0)),
      'a one-byte secret': handMade(header, claims, Buffer.from('x')),
      'no typ': sign(claims, { alg: 'HS256', kid: 'aaaa1111' }),
      'typ JWT': sign(claims, { ...header, typ: 'JWT' }),
      'typ of people': sign(claims, { ...header, typ: 'core-user+jwt' }),
      'crit': sign(claims, { ...header, crit: ['exp'] }),
      'a jwk in the header': sign(claims, { ...header, jwk: { kty: 'oct', k: b64('x') } }),
      'no kid': sign(claims, { alg: 'HS256', typ: 'core-agent+jwt' }),
      'kid traversal': sign(claims, { ...header, kid: '../../../../dev/null' }),
      'kid SQL': sign(claims, { ...header, kid: "x' UNION SELECT 'key" }),
      'kid address': sign(claims, { ...header, kid: 'http://example.org/key' }),
      'kid __proto__': sign(claims, { ...header, kid: '__proto__' }),
      'an unknown kid': sign(claims, { ...header, kid: 'bbbb2222' }),
      'header in another order': sign(claims, { kid: 'aaaa1111', typ: 'core-agent+jwt', alg: 'HS256' }),
      ...Object.fromEntries(Object.keys(claims).map((name) => [`no ${name}`, sign(without(name))])),
      'exp as text': sign({ ...claims, exp: String(now + 900) }),
      'exp in a century': sign({ ...claims, exp: now + 3e9, iat: now - 3e6 }),
      'iat in the future': sign({ ...claims, iat: now + 600, exp: now + 1500 }),
      'nbf in the future': sign({ ...claims, nbf: now + 600 }),
      'another issuer': sign({ ...claims, iss: 'core-orchestrator.example' }),
      'another workspace': make({ audience: 'workspace2' }).issue({ sub: 'reviewer', generation: 1 }),
      'a list of audiences': sign({ ...claims, aud: ['workspace1', 'workspace2'] }),
      'generation as text': sign({ ...claims, generation: '1' }),
      'a negative generation': sign({ ...claims, generation: -1 }),
      'an empty subject': sign({ ...claims, sub: '' }),
      'a text as payload': handMade(header, 'hello', key.bytes),
      'a list as payload': sign([]),
      'null as payload': sign(null),
      'a signature of another token': `${goodHeader}.${goodPayload}.${other}`,
      'one changed character': `${goodHeader}.${goodPayload.slice(0, -1)}${goodPayload.endsWith('A') ? 'B' : 'A'}.${goodSignature}`,
      'line ends around it': `\n${good}\n`,
      '1 MB': sign({ ...claims, filler: 'x'.repeat(1024 * 1024) }),
      'just over 4 KB': sign({ ...claims, filler: 'x'.repeat(4096) }),
    }; // prettier-ignore
    for (const [what, token] of Object.entries(vectors)) refuses(tokens, token, what);
    assert.equal(tokens.verify(good).sub, 'reviewer');
  });

  it('S12 of a key that was rotated away are refused; of the one before the present they count', () => {
    const [a, b, c] = [newKey('aaaa1111'), newKey('bbbb2222'), newKey('cccc3333')] as const;
    const { make } = world();
    const token = make({ keys: [a] }).issue({ sub: 'reviewer', generation: 1 });
    assert.equal(make({ keys: [b, a] }).verify(token).sub, 'reviewer');
    refuses(make({ keys: [c, b, a] }), token, 'rotated away');
  });

  it('S12 can be revoked: one, a run and all before it, an epoch', () => {
    const { tokens, make } = world();
    const first = tokens.issue({ sub: 'reviewer', generation: 1 });
    const again = tokens.issue({ sub: 'reviewer', generation: 1 });
    tokens.revokeId(tokens.verify(first).jti);
    refuses(tokens, first, 'its id');
    assert.equal(tokens.verify(again).sub, 'reviewer');
    const next = tokens.issue({ sub: 'reviewer', generation: 2 });
    tokens.revoke('reviewer', 1);
    refuses(tokens, again, 'its run');
    assert.equal(tokens.verify(next).generation, 2);
    tokens.revoke('reviewer', 0);
    refuses(tokens, again, 'a revocation is never taken back');
    tokens.revokeBefore(4);
    refuses(tokens, next, 'its epoch');
    assert.equal(tokens.verify(make({ epoch: 4 }).issue({ sub: 'tester', generation: 1 })).epoch, 4);
  });

  for (const [why, end] of [
    ['expired', ({ clock }) => clock.advanceMs(2_000)],
    ['its id is revoked', ({ tokens, claims }) => tokens.revokeId(claims.jti)],
    ['its run is revoked', ({ tokens }) => tokens.revoke('reviewer', 1)],
    ['its epoch is over', ({ tokens }) => tokens.revokeBefore(4)],
  ] as readonly (readonly [string, (of: ReturnType<typeof proved>) => unknown])[])
    it(`S12 that were proved are current until ${why}`, async () => {
      const shown = proved();
      await shown.clock.advanceMs(15 * 60_000 + 4_000);
      assert.equal(shown.tokens.isCurrent(shown.claims), true);
      await end(shown);
      assert.equal(shown.tokens.isCurrent(shown.claims), false);
    });

  function proved() {
    const { tokens, clock } = world();
    return { tokens, clock, claims: tokens.verify(tokens.issue({ sub: 'reviewer', generation: 1 })) };
  }

  it('S18 never reach the log', () => {
    const { tokens, lines } = world();
    const token = tokens.issue({ sub: 'reviewer', generation: 1 });
    tokens.revoke('reviewer', 1);
    refuses(tokens, token, 'revoked');
    refuses(tokens, `${token}x`, 'broken');
    assert.equal(lines.length, 2);
    for (const part of token.split('.')) assert.ok(!lines.join('\n').includes(part));
  });
});

describe('the key ring', () => {
  it('needs a key', () => {
    assert.throws(() => new KeyRing([]), { code: 'auth.keysUnavailable' });
    assert.throws(() => new KeyRing([newKey('../x')]), { code: 'auth.keysUnavailable' });
  });

  it('rotates after 30 days', () => {
    assert.equal(isRotationDue(0, KEY_ROTATION_MS - 1), false);
    assert.equal(isRotationDue(0, KEY_ROTATION_MS), true);
    assert.equal(KEY_ROTATION_MS, 30 * 24 * HOUR_MS);
  });
});
