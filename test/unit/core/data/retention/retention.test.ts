import assert from 'node:assert/strict';
import { silentLogger } from '../../../../../src/core/base/log';
import type { Collection, KeptRecord } from '../../../../../src/core/data/dataStore';
import { DataError } from '../../../../../src/core/data/dataErrors';
import { MemoryDataStore } from '../../../../../src/core/data/memoryDataStore';
import { DataProcessor } from '../../../../../src/core/data/processing/dataProcessor';
import {
  applyRetention,
  type RecordArchive,
  type RetentionClass,
  type RetentionReport,
} from '../../../../../src/core/data/retention/retention';
import { RetentionSchedule } from '../../../../../src/core/data/retention/retentionSchedule';
import { retentionClasses } from '../../../../../src/core/recordRetention';
import { ManualClock } from '../../../../support/manualClock';

interface Line {
  readonly of: string;
  readonly atMs?: number;
}

const dayMs = 86_400_000;
const lines: Collection<Line> = { kind: 'line', indexes: [], parse: (value) => value as Line };
const aClass: RetentionClass = {
  kind: 'line',
  days: () => 10,
  endedAt: 'atMs',
  livingGroup: (value) => ((value as Line).of === 'living' ? 'living' : undefined),
  keptPerGroup: 2,
};

class Archive implements RecordArchive {
  readonly kept = new Map<string, KeptRecord>();
  readonly months: string[] = [];
  failure: Error | undefined;

  async append(month: string, records: readonly KeptRecord[]): Promise<void> {
    if (this.failure) throw this.failure;
    this.months.push(month);
    for (const record of records) this.kept.set(record.id, record);
  }
}

describe('retention', () => {
  const startMs = Date.UTC(2026, 9, 28); // the due records lie in two months
  let clock: ManualClock;
  let store: MemoryDataStore;
  let archive: Archive;

  beforeEach(async () => {
    clock = new ManualClock(startMs);
    store = new MemoryDataStore({ clock });
    archive = new Archive();
    for (let day = 0; day < 8; day++) {
      await store.tx((tx) => {
        tx.put(lines, `${day} gone`, { of: 'gone', atMs: clock.nowMs() });
        tx.put(lines, `${day} living`, { of: 'living', atMs: clock.nowMs() });
        tx.put(lines, `${day} open`, { of: 'gone' });
      });
      await clock.advanceMs(dayMs);
    }
  });

  const apply = (
    given: Partial<RetentionClass> = {},
    to: RecordArchive | undefined = archive,
  ): Promise<RetentionReport> =>
    applyRetention(
      [{ ...aClass, ...given }],
      {
        ...{ store, archive: to, nowMs: () => clock.nowMs(), log: silentLogger },
        processor: new DataProcessor({ clock, breathe: () => Promise.resolve() }),
      },
      new AbortController().signal,
    );
  const ids = async (): Promise<string[]> => (await store.find(lines)).map(({ id }) => id);

  it('moves what is due, by months, and leaves what is new, not over, or among the last of something living', async () => {
    await clock.advanceMs(8 * dayMs); // the first six days are due
    assert.deepEqual(await apply(), { moved: 10, isMore: false });
    const left = (await ids()).filter((id) => !id.endsWith('open'));
    assert.deepEqual(left, ['4 living', '5 living', '6 gone', '6 living', '7 gone', '7 living']);
    assert.equal((await ids()).filter((id) => id.endsWith('open')).length, 8);
    assert.deepEqual(archive.months, ['2026-10', '2026-11']);
    assert.deepEqual(JSON.parse(archive.kept.get('0 gone')?.json ?? ''), { of: 'gone', atMs: startMs });
    assert.deepEqual(await apply(), { moved: 0, isMore: false });
  });

  it('keeps all for ever when it is told so, and deletes without an archive', async () => {
    await clock.advanceMs(100 * dayMs);
    assert.deepEqual(await apply({ days: () => 0 }), { moved: 0, isMore: false });
    const { moved } = await applyRetention(
      [aClass],
      {
        ...{ store, archive: undefined, nowMs: () => clock.nowMs(), log: silentLogger },
        processor: new DataProcessor({ clock, breathe: () => Promise.resolve() }),
      },
      new AbortController().signal,
    );
    assert.deepEqual([moved, archive.kept.size], [14, 0]);
  });

  it('goes on with the next class where one fails, and tells the failure at the end', async () => {
    await clock.advanceMs(100 * dayMs);
    const failure = new DataError('data.io', 'cannot be read');
    const snapshot = store.snapshot.bind(store);
    let snapshots = 0;
    store.snapshot = (use, options) => (snapshots++ === 0 ? Promise.reject(failure) : snapshot(use, options));
    const applying = applyRetention(
      [aClass, aClass],
      {
        ...{ store, archive, nowMs: () => clock.nowMs(), log: silentLogger },
        processor: new DataProcessor({ clock, breathe: () => Promise.resolve() }),
      },
      new AbortController().signal,
    );
    await assert.rejects(applying, failure);
    assert.equal(archive.kept.size, 14);
  });

  it('leaves a record that cannot be judged where it is, and says so', async () => {
    await clock.advanceMs(100 * dayMs);
    const warned: unknown[] = [];
    const isOver = (value: unknown): boolean => {
      if ((value as Line).atMs === startMs) throw new TypeError('it cannot be judged');
      return true;
    };
    const { moved } = await applyRetention(
      [{ ...aClass, isOver }],
      {
        ...{ store, archive, nowMs: () => clock.nowMs() },
        log: { ...silentLogger, warn: (message, fields) => void warned.push([message, fields]) },
        processor: new DataProcessor({ clock, breathe: () => Promise.resolve() }),
      },
      new AbortController().signal,
    );
    assert.equal(moved, 12);
    const left = await ids();
    assert.ok(left.includes('0 gone') && left.includes('0 living'));
    assert.deepEqual(warned, [['of old records some cannot be judged, and stay', { kind: 'line', records: 2 }]]);
  });

  it('removes nothing that is not archived, and nothing that was changed meanwhile', async () => {
    await clock.advanceMs(100 * dayMs);
    archive.failure = new DataError('data.io', 'the disk is full');
    await assert.rejects(apply(), archive.failure);
    assert.equal((await ids()).length, 24);
    const changing: RecordArchive = {
      append: (month, records) =>
        store.tx((tx) => tx.put(lines, '3 gone', { of: 'gone', atMs: 1 })).then(() => (archive.failure = undefined, archive.append(month, records))),
    }; // prettier-ignore
    assert.deepEqual(await apply({}, changing), { moved: 13, isMore: false });
    assert.ok((await ids()).includes('3 gone'));
  });

  it('what was imported now under old ids keeps nothing old in the store, neither itself nor what comes after it', async () => {
    await clock.advanceMs(100 * dayMs);
    await store.tx((tx) => {
      for (let i = 0; i < 600; i++) tx.put(lines, `! ${String(i).padStart(3, '0')}`, { of: 'imported', atMs: startMs });
      tx.put(lines, '! new', { of: 'imported', atMs: clock.nowMs() });
    });
    assert.deepEqual(await apply(), { moved: 614, isMore: false });
    assert.deepEqual((await ids()).filter((id) => !id.endsWith('open')), ['! new', '6 living', '7 living']); // prettier-ignore
  });

  it('the last of something living are those that ended last, whatever their ids are', async () => {
    await clock.advanceMs(100 * dayMs);
    await store.tx((tx) => tx.put(lines, '~ imported', { of: 'living', atMs: startMs - dayMs }));
    assert.deepEqual(await apply(), { moved: 15, isMore: false });
    const left = (await ids()).filter((id) => !id.endsWith('open'));
    assert.deepEqual(left, ['6 living', '7 living']);
  });

  it('moves only so much at a time that nothing else waits for it', async () => {
    await store.tx((tx) => {
      for (let i = 0; i < 2_500; i++) tx.put(lines, `more ${String(i).padStart(4, '0')}`, { of: 'x', atMs: 1 });
    });
    await clock.advanceMs(100 * dayMs);
    assert.deepEqual(await apply(), { moved: 2_000, isMore: true });
    assert.deepEqual(await apply(), { moved: 514, isMore: false });
  });

  it('reads what is old only, and nothing but the oldest where nothing is', async () => {
    await store.tx((tx) => {
      for (let day = 0; day < 8; day++) tx.delete(lines, `${day} open`);
      for (let i = 0; i < 3_000; i++) tx.put(lines, `new ${i}`, { of: 'x', atMs: clock.nowMs() + i });
    });
    let [snapshots, read] = [0, 0];
    const snapshot = store.snapshot.bind(store);
    store.snapshot = (use, options) => {
      snapshots++;
      return snapshot((whole) => {
        const { seq, damaged } = whole;
        async function* counted(
          ...args: Parameters<typeof whole.read>
        ): ReturnType<typeof whole.read> & AsyncGenerator<readonly KeptRecord[]> {
          for await (const page of whole.read(...args)) {
            read += page.length;
            yield page;
          }
        }
        return use({ seq, damaged, read: counted });
      }, options);
    };
    assert.deepEqual([await apply({ days: () => 9 }), snapshots], [{ moved: 0, isMore: false }, 0]);
    await clock.advanceMs(4 * dayMs); // two days are due
    assert.deepEqual(await apply(), { moved: 2, isMore: false });
    assert.deepEqual([snapshots, read], [1, 4]);
    assert.deepEqual(
      [await apply(), read],
      [{ moved: 0, isMore: false }, 6],
      'the last of who lives are looked at again',
    );
  });

  it('an aborted run removes nothing more', async () => {
    await clock.advanceMs(100 * dayMs);
    const abort = new AbortController();
    const ending: RecordArchive = { append: async () => abort.abort(new Error('enough')) };
    const run = applyRetention(
      [aClass],
      {
        ...{ store, archive: ending, nowMs: () => clock.nowMs(), log: silentLogger },
        processor: new DataProcessor({ clock, breathe: () => Promise.resolve() }),
      },
      abort.signal,
    );
    await assert.rejects(run, /enough/);
    assert.equal((await ids()).length, 24);
  });

  it('the product moves history and prompts with a known end only', () => {
    const [history, answers, prompts] = retentionClasses(
      () => ({ historyDays: 90, promptDays: 365, then: 'archive' }),
      (id) => id === 'scout',
    );
    assert.deepEqual(
      [history, answers, prompts].map((each) => [each?.kind, each?.days(), each?.endedAt]),
      [
        ['agentChange', 90, 'atMs'],
        ['answer', 90, 'answeredAtMs'],
        ['delivery', 365, 'stateAtMs'],
      ],
    );
    const ends = [
      'queued',
      'typing',
      'typed',
      'submitted',
      'acknowledged',
      'failed',
      'delivery_unknown',
      'canceled',
    ].filter((state) => prompts?.isOver?.({ agentId: 'x', state, stateAtMs: 5 }));
    assert.deepEqual(ends, ['acknowledged', 'failed', 'canceled']);
    assert.deepEqual(
      [history?.livingGroup({ agentId: 'scout' }), history?.livingGroup({ agentId: 'x' })],
      ['scout', undefined],
    );
  });

  it('runs soon after the start, goes on soon when there is more, and comes again after a failure', async () => {
    const outcomes: (RetentionReport | Error)[] = [
      { moved: 5, isMore: true },
      new Error('no'),
      { moved: 0, isMore: false },
    ];
    const atMs: number[] = [];
    const schedule = new RetentionSchedule({
      clock,
      log: silentLogger,
      run: async () => {
        atMs.push(clock.nowMs());
        const outcome = outcomes.shift();
        if (outcome instanceof Error) throw outcome;
        return outcome ?? assert.fail('too often');
      },
    });
    const beganMs = clock.nowMs();
    await clock.advanceMs(12 * 60 * 60 * 1000);
    schedule.dispose();
    await clock.advanceMs(48 * 60 * 60 * 1000);
    assert.deepEqual(
      atMs.map((ms) => (ms - beganMs) / 1000),
      [120, 125, 125 + 6 * 60 * 60],
    );
  });
});
