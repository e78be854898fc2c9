import assert from 'node:assert/strict';
import { silentLogger } from '../../../../src/core/base/log';
import type { StoreCheckReport } from '../../../../src/core/data/durableStore';
import type { KeptCheck } from '../../../../src/core/data/storeCare';
import { StoreCheckSchedule } from '../../../../src/core/data/storeCheckSchedule';
import { ManualClock } from '../../../support/manualClock';

const report: StoreCheckReport = { isWhole: true, findings: [], isCut: false, depth: 'full', records: 1, changes: 1, seq: 1 }; // prettier-ignore
const hourMs = 60 * 60 * 1000;
const dayMs = 24 * hourMs;

describe('StoreCheckSchedule', () => {
  function createFixture({
    wasUnclean = false,
    isChecked = true,
    seq = 1,
    last,
    found = report,
  }: { wasUnclean?: boolean; isChecked?: boolean; seq?: number; last?: KeptCheck; found?: StoreCheckReport } = {}) {
    const clock = new ManualClock(Date.UTC(2026, 10, 23));
    const checks: string[] = [];
    let kept = last;
    let failure: Error | undefined;
    const beside: number[] = [];
    let hasFindings = false;
    const schedule = new StoreCheckSchedule({
      care: {
        check: async (depth, cause) => {
          checks.push(`${depth} ${cause} ${Math.round((clock.nowMs() - Date.UTC(2026, 10, 23)) / hourMs)} h`);
          if (failure) throw failure;
          kept = { atMs: clock.nowMs(), cause, report: found };
          return found;
        },
      },
      keeper: { lastCheck: async () => kept, keepCheck: async (check) => void (kept = check) },
      checkBesideFile: async () => {
        beside.push(Math.round((clock.nowMs() - Date.UTC(2026, 10, 23)) / hourMs));
        return hasFindings;
      },
      ...{ seq: () => seq, wasUnclean, isChecked, clock, log: silentLogger },
    });
    return {
      ...{ clock, checks, schedule, beside, kept: () => kept },
      fail: (error: Error | undefined) => void (failure = error),
      finds: (now: boolean) => void (hasFindings = now),
    };
  }
  const checkedAt = (atMs: number): KeptCheck => ({ atMs, cause: 'schedule', report });

  it('checks soon after the first opening, then every week', async () => {
    const { clock, checks, schedule } = createFixture();
    await clock.advanceMs(4 * 60_000);
    assert.deepEqual(checks, [], 'not while a window is being opened');
    for (let day = 0; day < 15; day++) await clock.advanceMs(dayMs);
    assert.deepEqual(checks, ['full schedule 0 h', 'full schedule 168 h', 'full schedule 336 h']);
    schedule.dispose();
    for (let day = 0; day < 15; day++) await clock.advanceMs(dayMs);
    assert.equal(checks.length, 3);
  });

  it('checks once after an end that was none, not at every kill of a window', async () => {
    const midnight = Date.UTC(2026, 10, 23);
    const often = createFixture({ wasUnclean: true, last: checkedAt(midnight - 10 * 60_000) });
    await often.clock.advanceMs(30 * 60_000);
    assert.deepEqual(often.checks, []);
    await often.clock.advanceMs(3 * hourMs);
    assert.deepEqual(often.checks, ['full uncleanEnd 1 h'], 'once');
    const seldom = createFixture({ wasUnclean: true, last: checkedAt(midnight - dayMs) });
    await seldom.clock.advanceMs(hourMs);
    assert.deepEqual(seldom.checks, ['full uncleanEnd 0 h']);
    const clean = createFixture({ last: checkedAt(midnight - dayMs) });
    await clean.clock.advanceMs(hourMs);
    assert.deepEqual(clean.checks, []);
  });

  it('R3 checks soon after it was opened what is too large to be checked then, at most once a day', async () => {
    const midnight = Date.UTC(2026, 10, 23);
    const recent = createFixture({ isChecked: false, last: checkedAt(midnight - 20 * hourMs) });
    await recent.clock.advanceMs(hourMs);
    assert.deepEqual(recent.checks, []);
    const { clock, checks } = createFixture({ isChecked: false, last: checkedAt(midnight - dayMs) });
    for (let day = 0; day < 3; day++) await clock.advanceMs(dayMs);
    assert.deepEqual(checks, ['full schedule 0 h'], 'once in a session');
  });

  it('checks again at the next opening what was found damaged', async () => {
    const last = { ...checkedAt(Date.UTC(2026, 10, 22)), report: { ...report, isWhole: false } };
    const { clock, checks } = createFixture({ last });
    for (let hour = 0; hour < 5; hour++) await clock.advanceMs(hourMs);
    assert.deepEqual(checks, ['full schedule 0 h'], 'once');
  });

  it('looks with each check whether what is kept fits together, unless the file is damaged', async () => {
    const { clock, checks, beside } = createFixture();
    for (let day = 0; day < 8; day++) await clock.advanceMs(dayMs);
    assert.deepEqual([checks.length, beside], [2, [0, 168]]);
    const damaged = createFixture({ found: { ...report, isWhole: false } });
    await damaged.clock.advanceMs(hourMs);
    assert.deepEqual([damaged.checks.length, damaged.beside], [1, []], 'its records are told by that check');
  });

  it('looks again at the next opening, once, at what did not fit together', async () => {
    const first = createFixture();
    first.finds(true);
    for (let hour = 0; hour < 5; hour++) await first.clock.advanceMs(hourMs);
    assert.equal(first.beside.length, 1, 'once in a session');
    const last = first.kept();
    assert.ok(last?.hasFindings);
    const next = createFixture({ last: { ...last, atMs: Date.UTC(2026, 10, 22) } });
    for (let hour = 0; hour < 5; hour++) await next.clock.advanceMs(hourMs);
    assert.equal(next.beside.length, 1);
    const settled = next.kept();
    assert.ok(settled && !settled.hasFindings);
    const third = createFixture({ last: { ...settled, atMs: Date.UTC(2026, 10, 22) } });
    await third.clock.advanceMs(hourMs);
    assert.deepEqual(third.beside, []);
  });

  it('leaves an empty store alone, tries again what failed, and is not stopped by a clock that was set back', async () => {
    const empty = createFixture({ seq: 0 });
    await empty.clock.advanceMs(dayMs);
    assert.deepEqual(empty.checks, []);
    const failing = createFixture();
    failing.fail(new Error('the disk'));
    await failing.clock.advanceMs(hourMs);
    failing.fail(undefined);
    for (let hour = 0; hour < 3; hour++) await failing.clock.advanceMs(hourMs);
    assert.equal(failing.checks.length, 2);
    const back = createFixture({ last: checkedAt(Date.UTC(2027, 0, 1)) });
    await back.clock.advanceMs(hourMs);
    assert.equal(back.checks.length, 1);
  });
});
