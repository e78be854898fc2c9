import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { UlidIds } from '../../../src/core/base/ids';
import { silentLogger } from '../../../src/core/base/log';
import { AuthError } from '../../../src/core/services/authentication/authErrors';
import { KEY_ROTATION_MS } from '../../../src/core/services/authentication/keyRing';
import { openKeyRing } from '../../../src/core/services/authentication/node/keyFile';
import { KeyRotation } from '../../../src/core/services/authentication/node/keyRotation';
import { openPersonKey } from '../../../src/core/services/authentication/node/personKey';
import { tokenDigest, tokenMac } from '../../../src/core/services/authentication/node/tokenDigest';
import { TokenFileKeeper } from '../../../src/core/services/authentication/node/tokenFileKeeper';
import { TokenManager } from '../../../src/core/services/authentication/tokenManager';
import { eventually } from '../../support/eventually';
import { ManualClock } from '../../support/manualClock';

const MINUTE_MS = 60_000;

describe('keys and tokens on disk', () => {
  let folder: string;
  beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'auth-'))));
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  const modeOf = (file: string): string => (fs.statSync(file).mode & 0o777).toString(8);

  describe('the signing keys', () => {
    it('S19 are kept in a file that only this user can read, and found again', async () => {
      const file = path.join(folder, 'keys', 'signing.json');
      const clock = new ManualClock(1_000_000);
      const first = await openKeyRing(file, clock);
      assert.equal(modeOf(file), '600');
      assert.equal(modeOf(path.dirname(file)), '700');
      assert.equal((await openKeyRing(file, clock)).current.kid, first.current.kid);
    });

    it('S12 are replaced after 30 days; the one before stays accepted', async () => {
      const file = path.join(folder, 'signing.json');
      const clock = new ManualClock(1_000_000);
      const first = await openKeyRing(file, clock);
      await clock.advanceMs(KEY_ROTATION_MS);
      const second = await openKeyRing(file, clock);
      assert.notEqual(second.current.kid, first.current.kid);
      assert.deepEqual(
        second.accepted.map(({ kid }) => kid),
        [second.current.kid, first.current.kid],
      );
      await clock.advanceMs(KEY_ROTATION_MS);
      const third = await openKeyRing(file, clock);
      assert.ok(!third.accepted.some(({ kid }) => kid === first.current.kid));
    });

    it('S12 are replaced while the owner runs on, too; its tokens of before count on, a failure is tried again', async () => {
      const file = path.join(folder, 'keys', 'signing.json');
      const clock = new ManualClock(1_000_000);
      const keys = await openKeyRing(file, clock);
      const tokens = new TokenManager({
        keys, audience: 'w1', epoch: 1, clock, ids: new UlidIds(() => clock.nowMs(), randomBytes), log: silentLogger,
        digest: tokenDigest, mac: tokenMac,
      }); // prettier-ignore
      const who = { sub: 'reviewer', generation: 1 };
      const kid = (): string => keys.current.kid;
      const rotation = new KeyRotation(file, keys, { clock, log: silentLogger });
      const first = kid();
      await clock.advanceMs(KEY_ROTATION_MS - MINUTE_MS);
      assert.equal(kid(), first);
      const before = tokens.issue(who);
      fs.chmodSync(file, 0o644);
      await clock.advanceMs(60 * MINUTE_MS);
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.equal(kid(), first, 'it cannot be read');
      fs.chmodSync(file, 0o600);
      await eventually('another key', async () => {
        await clock.advanceMs(MINUTE_MS); // the look that failed arms the next
        return kid() !== first;
      });
      const after = tokens.issue(who);
      assert.deepEqual(
        [before, after].map((token) => (JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }).kid),
        [first, kid()],
      ); // prettier-ignore
      assert.equal(tokens.verify(after).sub, 'reviewer');
      assert.deepEqual(keys.accepted.map((key) => key.kid), [kid(), first]); // prettier-ignore
      assert.equal((await openKeyRing(file, clock)).current.kid, kid(), 'the next owner has it');
      const text = 'left before';
      const claims = Buffer.from(before.split('.')[1] ?? '', 'base64url').toString();
      assert.equal(tokens.verifyLeft({ claims, text, proof: tokenMac(before, text) }).sub, 'reviewer');
      rotation.dispose();
      assert.equal(clock.pendingCount, 0);
    });

    it('S8 that others can read, a link, or a damaged file are refused and left as they are', async () => {
      const clock = new ManualClock(1_000_000);
      const open = path.join(folder, 'open.json');
      await openKeyRing(open, clock);
      fs.chmodSync(open, 0o644);
      await assert.rejects(openKeyRing(open, clock), { code: 'auth.keysUnavailable' });
      const link = path.join(folder, 'link.json');
      fs.symlinkSync(open, link);
      await assert.rejects(openKeyRing(link, clock), { code: 'auth.keysUnavailable' });
      for (const text of [
        '',
        'no json',
        '{"keys":[{"kid":"aaaa","secret":"c2hvcnQ","createdAtMs":1}]}',
        '{"keys":7}',
      ]) {
        const damaged = path.join(folder, 'damaged.json');
        fs.writeFileSync(damaged, text, { mode: 0o600 });
        await assert.rejects(openKeyRing(damaged, clock), { code: 'auth.keysUnavailable' }, text);
        assert.equal(fs.readFileSync(damaged, 'utf8'), text);
      }
    });
  });

  describe('the person’s key', () => {
    it('is made once, 0600, and only it matches', async () => {
      const file = path.join(folder, 'person.key');
      const key = await openPersonKey(file);
      const text = fs.readFileSync(file, 'utf8').trim();
      assert.equal(modeOf(file), '600');
      assert.equal(key.matches(text), true);
      assert.equal((await openPersonKey(file)).matches(text), true);
      for (const wrong of [
        '',
        text.slice(1),
        `${text}0`,
        text.toUpperCase() === text ? 'x' : text.toUpperCase(),
        '0'.repeat(64),
      ])
        assert.equal(key.matches(wrong), false, wrong);
    });
  });

  describe('the token files of agents', () => {
    async function world() {
      const clock = new ManualClock(Date.UTC(2030, 0, 1));
      const keys = await openKeyRing(path.join(folder, 'signing.json'), clock);
      const tokenFolder = path.join(folder, 'run', 'tokens');
      /** An owner; another one under the same epoch is what begins when the store is opened again. */
      const next = () => {
        const tokens = new TokenManager({
          keys, audience: 'w1', epoch: 1, clock, ids: new UlidIds(() => clock.nowMs(), randomBytes), log: silentLogger,
          digest: tokenDigest, mac: tokenMac,
        }); // prettier-ignore
        return { tokens, keeper: new TokenFileKeeper({ folder: tokenFolder, tokens, clock, log: silentLogger }) };
      };
      const file = (id: string, generation: number): string => path.join(tokenFolder, `${id}.${generation}.jwt`);
      return { clock, ...next(), next, file, tokenFolder };
    }

    const isRefused = (tokens: TokenManager, token: string): boolean => {
      try {
        tokens.verify(token);
        return false;
      } catch (error) {
        assert.ok(error instanceof AuthError);
        return true;
      }
    };

    it('S10 are private, rewritten before they expire, and gone with the agent', async () => {
      const { clock, tokens, keeper, file, tokenFolder } = await world();
      await keeper.provide('reviewer', 2);
      assert.equal(modeOf(file('reviewer', 2)), '600');
      assert.equal(modeOf(tokenFolder), '700');
      const first = fs.readFileSync(file('reviewer', 2), 'utf8');
      for (let minute = 0; minute < 60; minute += 1) {
        await clock.advanceMs(MINUTE_MS);
        await eventually(
          'a token that counts',
          () => tokens.verify(fs.readFileSync(file('reviewer', 2), 'utf8')).generation === 2,
        );
      }
      assert.notEqual(fs.readFileSync(file('reviewer', 2), 'utf8'), first);
      const last = fs.readFileSync(file('reviewer', 2), 'utf8');
      await keeper.remove('reviewer', 2);
      assert.equal(fs.existsSync(file('reviewer', 2)), false);
      assert.throws(() => tokens.verify(last), { code: 'auth.unauthenticated' });
      await clock.advanceMs(60 * MINUTE_MS);
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(fs.existsSync(file('reviewer', 2)), false, 'nothing is written after the end');
      keeper.dispose();
    });

    it('S10 of a new run replace those of the old one', async () => {
      const { tokens, keeper, file } = await world();
      await keeper.provide('reviewer', 1);
      const old = fs.readFileSync(file('reviewer', 1), 'utf8');
      await keeper.provide('reviewer', 2);
      assert.equal(fs.existsSync(file('reviewer', 1)), false);
      assert.throws(() => tokens.verify(old), { code: 'auth.unauthenticated' });
      assert.equal(tokens.verify(fs.readFileSync(file('reviewer', 2), 'utf8')).generation, 2);
      keeper.dispose();
    });

    it('are tried again when they could not be written', async () => {
      const { clock, keeper, file, tokenFolder } = await world();
      fs.mkdirSync(path.dirname(tokenFolder), { recursive: true });
      fs.writeFileSync(tokenFolder, 'in the way');
      let isThere = false;
      const provided = keeper.provide('reviewer', 1).then(() => (isThere = true));
      await new Promise((resolve) => setTimeout(resolve, 50)); // the attempt fails meanwhile
      assert.equal(isThere, false);
      fs.rmSync(tokenFolder);
      await clock.advanceMs(15_000);
      await provided;
      assert.ok(fs.existsSync(file('reviewer', 1)));
      keeper.dispose();
    });

    it('are not waited for once the run is over or the owner has gone', async () => {
      const { keeper, tokenFolder } = await world();
      fs.mkdirSync(path.dirname(tokenFolder), { recursive: true });
      fs.writeFileSync(tokenFolder, 'in the way');
      const [first, second] = [keeper.provide('reviewer', 1), keeper.provide('tester', 1)];
      fs.rmSync(tokenFolder);
      await keeper.remove('reviewer', 1);
      await first;
      keeper.dispose();
      await second;
    });

    it('S12 a token that was replaced ends once its successor can be read, and not before', async () => {
      const { clock, tokens, keeper, file, tokenFolder } = await world();
      await keeper.provide('reviewer', 1);
      const first = fs.readFileSync(file('reviewer', 1), 'utf8');
      fs.renameSync(tokenFolder, `${tokenFolder}-aside`);
      fs.writeFileSync(tokenFolder, 'in the way');
      await clock.advanceMs(10 * MINUTE_MS + 15_000);
      await new Promise((resolve) => setTimeout(resolve, 50)); // the attempt fails meanwhile
      assert.equal(tokens.verify(first).sub, 'reviewer', 'nothing has taken its place');
      fs.rmSync(tokenFolder);
      fs.renameSync(`${tokenFolder}-aside`, tokenFolder);
      await clock.advanceMs(15_000);
      const second = await eventually('another token', () => {
        const now = fs.readFileSync(file('reviewer', 1), 'utf8');
        return now === first ? undefined : now;
      });
      assert.equal(tokens.verify(second).sub, 'reviewer');
      await eventually('the first one ends', () => isRefused(tokens, first));
      keeper.dispose();
    });

    it('S12 what an earlier owner left in the file ends when it is replaced, also under the same epoch', async () => {
      const { clock, tokens, keeper, file, next } = await world();
      await keeper.provide('reviewer', 1);
      await keeper.provide('tester', 1);
      const [left, other] = [fs.readFileSync(file('reviewer', 1), 'utf8'), fs.readFileSync(file('tester', 1), 'utf8')];
      keeper.dispose();
      await clock.advanceMs(MINUTE_MS);
      const again = next();
      assert.equal(again.tokens.verify(left).sub, 'reviewer', 'until then it counts');
      await again.keeper.provide('reviewer', 1);
      assert.ok(isRefused(again.tokens, left));
      assert.equal(again.tokens.verify(fs.readFileSync(file('reviewer', 1), 'utf8')).sub, 'reviewer');
      // Who writes another agent's token into its own file ends nothing of the other.
      fs.writeFileSync(file('writer', 1), other, { mode: 0o600 });
      await again.keeper.provide('writer', 1);
      assert.equal(again.tokens.verify(other).sub, 'tester');
      assert.ok(!isRefused(tokens, other));
      again.keeper.dispose();
    });
  });
});
