import assert from 'node:assert/strict';
import type { OwnerState, Ownership, WorkspaceLock } from '../../src/core/data/workspaceLock';
import { eventually } from '../support/eventually';

export interface LockFixture {
  /** A contender for the one workspace of this fixture. */
  contender(): WorkspaceLock;
  dispose(): Promise<void>;
}

interface Follower {
  readonly lock: WorkspaceLock;
  readonly seen: OwnerState[];
  readonly owned: Promise<Ownership>;
  readonly abort: AbortController;
}

/** What every WorkspaceLock does among contenders that live. */
export function workspaceLockContract(open: () => LockFixture): void {
  let fixture: LockFixture;
  const followers: Follower[] = [];

  const follow = (): Follower => {
    const lock = fixture.contender();
    const seen: OwnerState[] = [];
    const abort = new AbortController();
    const owned = lock.acquire((owner) => seen.push(owner), abort.signal);
    owned.catch(() => undefined); // looked at where it matters
    const follower = { lock, seen, owned, abort };
    followers.push(follower);
    return follower;
  };
  const acquire = (): Promise<Ownership> => follow().owned;

  beforeEach(() => {
    fixture = open();
  });
  afterEach(async () => {
    for (const { abort, owned } of followers.splice(0)) {
      abort.abort(new Error('test ended'));
      await owned.then((ownership) => ownership.release()).catch(() => undefined);
    }
    await fixture.dispose();
  });

  it('gives the workspace to the first who asks, with epoch 1', async () => {
    const ownership = await acquire();
    assert.deepEqual([ownership.epoch, ownership.isStillMine(), ownership.hasStaleWriter], [1, true, false]);
  });

  it('lets others follow a living owner and tells them so once', async () => {
    await acquire();
    const { seen } = follow();
    await eventually('the follower knows', () => seen.length > 0);
    assert.deepEqual(seen, [{ kind: 'responding', pid: seen[0]?.pid }]);
  });

  it('hands over at release, with a higher epoch, to exactly one', async () => {
    const first = await acquire();
    const two = [follow(), follow()];
    await eventually('both follow', () => two.every(({ seen }) => seen.length > 0));
    first.release();
    first.release();
    const next = await Promise.race(two.map(({ owned }) => owned));
    assert.deepEqual(
      [next.epoch, first.isStillMine(), next.isStillMine(), next.hasStaleWriter],
      [2, false, true, false],
    );
    const winner = await Promise.race(
      two.map(async (follower) => ((await follower.owned) === next ? follower : new Promise<never>(() => undefined))),
    );
    const loser = two.find((follower) => follower !== winner);
    next.release();
    assert.equal((await loser?.owned)?.epoch, 3);
  });

  it('ignores a take-over while the owner answers', async () => {
    const first = await acquire();
    const { lock, seen } = follow();
    await eventually('it follows', () => seen.length > 0);
    lock.takeOver();
    await new Promise((resolve) => setTimeout(resolve, 30)); // nothing is to happen: there is no condition to wait for
    assert.ok(first.isStillMine());
  });

  it('stops waiting when aborted, with the reason of the signal', async () => {
    await acquire();
    const { abort, owned, seen } = follow();
    await eventually('it follows', () => seen.length > 0);
    const reason = new Error('no longer wanted');
    abort.abort(reason);
    await assert.rejects(owned, reason);
    const aborted = AbortSignal.abort(reason);
    await assert.rejects(
      fixture.contender().acquire(() => undefined, aborted),
      reason,
    );
  });

  it('a fresh contender after a release does not wait for anything', async () => {
    (await acquire()).release();
    assert.equal((await acquire()).epoch, 2);
  });

  it('a late release by a former owner changes nothing', async () => {
    const first = await acquire();
    first.release();
    const second = await acquire();
    first.release();
    assert.ok(second.isStillMine());
  });
}
