import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Clock, SystemClock } from '../../../../../src/core/base/clock';
import { type Disposable, toDisposable } from '../../../../../src/core/base/disposable';
import {
  DataProcessor,
  type ProcessingProgress,
  type Sink,
} from '../../../../../src/core/data/processing/dataProcessor';
import { eachItem, type JsonObject, transformation } from '../../../../../src/core/data/processing/dataTransformation';
import { type DeadLetter, maxExcerptLength } from '../../../../../src/core/data/processing/deadLetter';
import { jsonArray } from '../../../../../src/core/data/processing/jsonExport';
import { deduplicate, limit, sort } from '../../../../../src/core/data/processing/orderSteps';
import { ProcessingError, RecordRejection } from '../../../../../src/core/data/processing/processingErrors';
import { coerce, filter, map } from '../../../../../src/core/data/processing/recordSteps';
import { join } from '../../../../../src/core/data/processing/tableSteps';
import { ManualClock } from '../../../../support/manualClock';
import { collect, shortRecord } from './support';

const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function aProcessor(clock: Clock = new ManualClock()): DataProcessor {
  return new DataProcessor({ clock, breathe });
}

function into<O>(items: O[]): Sink<O> {
  return { write: (batch) => void items.push(...batch) };
}

function* numbers(count: number): Generator<number> {
  for (let n = 0; n < count; n++) yield n;
}

const pass = <T>() => map((item: T) => item);
const refuseOdd = eachItem('refuseOdd', (n: number) => {
  if (n % 2 === 1) throw new RecordRejection('refuseOdd.odd', 'it is odd');
  return n;
});

describe('DataProcessor', () => {
  it('gives what the transformation alone gives, whatever the batches', () =>
    fc.assert(
      fc.asyncProperty(fc.array(shortRecord), fc.integer({ min: 1, max: 9 }), async (records, batchSize) => {
        const all = filter<JsonObject>({ op: 'exists', path: 'a' })
          .pipe(deduplicate({ by: ['a'], window: 3 }))
          .pipe(sort({ by: [{ at: 'a', descending: true }] }))
          .pipe(jsonArray());
        const text: string[] = [];
        const result = await aProcessor().run({ source: records, transformation: all, sink: into(text), batchSize });
        assert.deepEqual(text, await collect(all, records));
        assert.deepEqual([result.in, result.out, result.rejected], [records.length, text.length, 0]);
      }),
    ));

  it('has at most two batches in hand over a million records', async () => {
    const [total, batchSize] = [1_000_000, 500];
    let [made, taken, mostAlive] = [0, 0, 0];
    const source = (function* () {
      for (; made < total;) {
        made++;
        mostAlive = Math.max(mostAlive, made - taken);
        yield { n: made };
      }
    })();
    const sink: Sink<JsonObject> = {
      write: async (batch) => {
        await breathe();
        taken += batch.length;
      },
    };
    const processor = new DataProcessor({ clock: new SystemClock(), breathe });
    const result = await processor.run({ source, transformation: pass<JsonObject>(), sink, batchSize });
    assert.deepEqual([result.in, result.out, taken], [total, total, total]);
    assert.ok(mostAlive <= 2 * batchSize, `${mostAlive} records were alive`);
  }).timeout(60_000);

  it('reads no further while the sink is busy', async () => {
    let [made, release] = [0, (): void => undefined];
    const source = (async function* () {
      for (; made < 1_000;) yield made++;
    })();
    const isFree = new Promise<void>((resolve) => (release = resolve));
    const run = aProcessor().run({
      source,
      transformation: pass<number>(),
      sink: { write: () => isFree },
      batchSize: 10,
    });
    for (let turn = 0; turn < 50; turn++) await breathe();
    assert.ok(made <= 21, `${made} were read`);
    release();
    assert.equal((await run).out, 1_000);
  });

  it('sends what a step refuses to the dead letters and goes on', async () => {
    const [items, letters]: [number[], DeadLetter[]] = [[], []];
    const progress: ProcessingProgress[] = [];
    const result = await aProcessor().run({
      source: numbers(5),
      transformation: pass<number>().pipe(refuseOdd),
      sink: into(items),
      deadLetters: (some) => void letters.push(...some),
      onProgress: (now) => void progress.push(now),
    });
    assert.deepEqual(items, [0, 2, 4]);
    assert.deepEqual(
      letters,
      [1, 3].map((n) => ({
        excerpt: String(n),
        step: 'refuseOdd',
        stepIndex: 1,
        code: 'refuseOdd.odd',
        message: 'it is odd',
      })),
    );
    assert.deepEqual(result, {
      in: 5,
      out: 3,
      rejected: 2,
      perStep: [
        { name: 'map', in: 5, out: 5, rejected: 0, hasNeverSucceeded: false },
        { name: 'refuseOdd', in: 5, out: 3, rejected: 2, hasNeverSucceeded: false },
      ],
    });
    assert.deepEqual(progress, [{ in: 5, out: 3, rejected: 2 }]);
  });

  it('takes back what a refused record had emitted', async () => {
    const twice = transformation<number, number>('twice', () => ({
      push: (n, emit) => {
        emit(n);
        if (n === 1) throw new TypeError('no');
        emit(n);
      },
    }));
    const [items, letters]: [number[], DeadLetter[]] = [[], []];
    await aProcessor().run({
      source: numbers(3),
      transformation: twice,
      sink: into(items),
      deadLetters: (some) => void letters.push(...some),
    });
    assert.deepEqual(items, [0, 0, 2, 2]);
    assert.deepEqual(
      letters.map(({ code, message }) => [code, message]),
      [['processing.stepFailed', 'TypeError: no']],
    );
  });

  it('tells of a step that never works, and ends at the limits given', async () => {
    const never = eachItem('never', (): number => {
      throw new Error('always');
    });
    const options = { source: [...numbers(100)], sink: into([]), batchSize: 10 };
    const result = await aProcessor().run({ ...options, transformation: never });
    assert.equal(result.perStep[0]?.hasNeverSucceeded, true);
    const tooMany = (error: unknown): boolean => ProcessingError.is(error, 'processing.tooManyRejects');
    await assert.rejects(
      aProcessor().run({ ...options, transformation: never, limits: { maxRejectedInARow: 99 - 1 } }),
      tooMany,
    );
    await aProcessor().run({
      ...options,
      transformation: refuseOdd,
      limits: { maxRejectedInARow: 1, maxRejected: 50 },
    });
    const letters: DeadLetter[] = [];
    const limited = aProcessor().run({
      ...options,
      transformation: refuseOdd,
      limits: { maxRejected: 49 },
      deadLetters: (some) => void letters.push(...some),
    });
    await assert.rejects(limited, tooMany);
    assert.equal(letters.length, 50);
  });

  it('ends at a bound, not at a record', async () => {
    const run = aProcessor().run({
      source: [{ a: 1 }, { a: 2 }],
      transformation: sort({ by: [{ at: 'a' }], maxRecords: 1 }),
      sink: into<JsonObject>([]),
    });
    await assert.rejects(run, (error: unknown) => ProcessingError.is(error, 'processing.boundExceeded'));
  });

  it('stops within a batch when it is cancelled', () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 40 }), async (batchSize, after) => {
        const controller = new AbortController();
        const reason = new Error('enough');
        const calls: string[] = [];
        let made = 0;
        const source = (function* () {
          try {
            for (;;) {
              if (++made === after) controller.abort(reason);
              yield made;
            }
          } finally {
            calls.push('closed');
          }
        })();
        const sink: Sink<number> = {
          write: () => undefined,
          end: () => void calls.push('end'),
          abort: (why) => void calls.push(why === reason ? 'abort' : 'other'),
        };
        const run = aProcessor().run({ source, transformation: pass<number>(), sink, batchSize }, controller.signal);
        await assert.rejects(run, (error) => error === reason);
        assert.ok(made - after < batchSize, `${made - after} records after it`);
        assert.deepEqual(calls, ['closed', 'abort']);
      }),
    ));

  it('stops at once while it waits for the source, the sink, a lookup or the dead letters', async () => {
    const forever = new Promise<never>(() => undefined);
    const silent = (async function* (): AsyncGenerator<number> {
      yield await forever;
    })();
    const waiting = transformation<number, number>('waiting', () => ({
      beforeBatch: () => forever,
      push: (n, emit) => emit(n),
    }));
    const preparing = transformation<number, number>('preparing', () => ({
      prepare: () => forever,
      push: (n, emit) => emit(n),
    }));
    const common = { source: [1, 2, 3], transformation: pass<number>(), sink: into<number>([]), batchSize: 1 };
    const cases = [
      { ...common, source: silent },
      { ...common, sink: { write: () => forever } },
      { ...common, transformation: waiting },
      { ...common, transformation: preparing },
      { ...common, transformation: refuseOdd, deadLetters: () => forever },
    ];
    for (const options of cases) {
      const controller = new AbortController();
      const run = aProcessor().run(options, controller.signal);
      await breathe();
      controller.abort();
      await assert.rejects(run, { name: 'AbortError' });
    }
    await assert.rejects(aProcessor().run(common, AbortSignal.abort()), { name: 'AbortError' });
  });

  it('ends with what the source, the sink or the dead letters throw', async () => {
    const failure = new Error('broken');
    const fail = (): never => {
      throw failure;
    };
    const broken = (async function* () {
      yield 1;
      fail();
    })();
    const common = { source: [1, 2], transformation: pass<number>() };
    const reasons: unknown[] = [];
    const abort = (why: unknown): void => {
      reasons.push(why);
      fail(); // what fails afterwards hides nothing
    };
    const isIt = (error: unknown): boolean => error === failure;
    await assert.rejects(
      aProcessor().run({ ...common, source: broken, sink: { write: () => undefined, abort } }),
      isIt,
    );
    await assert.rejects(aProcessor().run({ ...common, sink: { write: fail, abort } }), isIt);
    await assert.rejects(aProcessor().run({ ...common, sink: { write: () => Promise.reject(failure), abort } }), isIt);
    await assert.rejects(aProcessor().run({ ...common, sink: { write: () => undefined, end: fail, abort } }), isIt);
    const refusing = { ...common, transformation: refuseOdd, deadLetters: fail };
    await assert.rejects(aProcessor().run({ ...refusing, sink: { write: () => undefined, abort } }), isIt);
    assert.deepEqual(reasons, Array(5).fill(failure));
  });

  it('reads an endless source no further than a limit needs', async () => {
    let isClosed = false;
    const source = (function* () {
      try {
        for (let n = 0; ; n++) yield n;
      } finally {
        isClosed = true;
      }
    })();
    const items: number[] = [];
    const result = await aProcessor().run({
      source,
      transformation: limit<number>(7, 3),
      sink: into(items),
      batchSize: 4,
    });
    assert.deepEqual([items, result.in, isClosed], [[3, 4, 5, 6, 7, 8, 9], 12, true]);
  });

  it('takes of a long order no more than a limit needs', async () => {
    const items: JsonObject[] = [];
    const result = await aProcessor().run({
      source: [...numbers(1_000)].map((n) => ({ n })),
      transformation: sort({ by: [{ at: 'n', descending: true }] }).pipe(limit(5)),
      sink: into(items),
      batchSize: 4,
    });
    assert.deepEqual(
      items.map(({ n }) => n),
      [999, 998, 997, 996, 995],
    );
    assert.equal(result.perStep[0]?.out, 8);
  });

  it('takes batches of the source’s own making', async () => {
    const items: number[] = [];
    await aProcessor().run({
      source: { batches: [[1, 2], [], [3]] },
      transformation: pass<number>(),
      sink: into(items),
    });
    assert.deepEqual(items, [1, 2, 3]);
  });

  it('lets the event loop turn every 6 ms and a record', async () => {
    for (const isRefusing of [false, true]) {
      const clock = new WorkingClock();
      const slow = map((n: number) => {
        clock.work(0.9);
        return n;
      });
      const options = { source: numbers(500), transformation: isRefusing ? slow.pipe(refuseOdd) : slow };
      await new DataProcessor({ clock }).run({ ...options, sink: { write: () => undefined } });
      assert.ok(clock.turnCount > 50, `${clock.turnCount} turns`);
      assert.ok(clock.longestMs < 7, `${clock.longestMs} ms without a turn`);
    }
  });

  it('lets the event loop turn while a source works without waiting', async () => {
    const clocks = [new WorkingClock(), new WorkingClock()];
    const slow = function* (clock: WorkingClock): Generator<number> {
      for (const n of numbers(500)) {
        clock.work(0.9);
        yield n;
      }
    };
    const slowToo = async function* (clock: WorkingClock): AsyncGenerator<number> {
      yield* slow(clock);
    };
    for (const [index, clock] of clocks.entries()) {
      const source = index === 0 ? slow(clock) : slowToo(clock);
      const options = { source, transformation: pass<number>(), sink: { write: () => undefined } };
      await new DataProcessor({ clock }).run(options);
      assert.ok(clock.longestMs < 7, `${clock.longestMs} ms without a turn`);
    }
  });

  it('lets the event loop turn while the right side of a join is read', async () => {
    const clock = new WorkingClock();
    const right = function* (): Generator<JsonObject> {
      for (const n of numbers(100)) {
        clock.work(0.9);
        yield { n };
      }
    };
    const joined = join({ at: 'n', right, rightAt: 'n', as: 'other' });
    const items: JsonObject[] = [];
    await new DataProcessor({ clock }).run({ source: [{ n: 7 }], transformation: joined, sink: into(items) });
    assert.deepEqual(items, [{ n: 7, other: { n: 7 } }]);
    assert.ok(clock.longestMs < 7, `${clock.longestMs} ms without a turn`);
  });

  it('tells progress every 100 ms or so many records, and at the end', async () => {
    const clock = new WorkingClock();
    const told: number[] = [];
    const slow = map((n: number) => {
      clock.work(1);
      return n;
    });
    const options = { transformation: slow, sink: into<number>([]), batchSize: 10 };
    const onProgress = (now: ProcessingProgress): void => {
      told.push(now.in);
      throw new Error('a listener that fails is no matter');
    };
    await new DataProcessor({ clock }).run({ ...options, source: numbers(250), onProgress });
    assert.deepEqual(told, [100, 200, 250]);
    told.length = 0;
    await new DataProcessor({ clock }).run({ ...options, source: numbers(50), onProgress, progressEvery: 20 });
    assert.deepEqual(told, [20, 40, 50]);
  });

  it('S18 shows no secret and no more than an excerpt of what was refused', async () => {
    const secret = ['sk', '-CANARY1234567890'].join('');
    const refuse = coerce([['n', 'number']]);
    const fail = eachItem('fail', (): JsonObject => {
      throw new Error(`cannot ${secret}`);
    });
    const huge: JsonObject = {
      n: 'x',
      secret,
      password: 'CANARY',
      nested: { text: `${'y '.repeat(2_043)}${secret}`, many: Array(1_000).fill(secret) },
    };
    const letters: DeadLetter[] = [];
    for (const step of [refuse, fail])
      await aProcessor().run({
        source: [huge],
        transformation: step,
        sink: into<JsonObject>([]),
        deadLetters: (some) => void letters.push(...some),
      });
    assert.equal(letters.length, 2);
    for (const letter of letters) {
      assert.equal(JSON.stringify(letter).includes('CANARY'), false, JSON.stringify(letter));
      assert.ok(letter.excerpt.length <= maxExcerptLength);
    }
  });
});

/** Time passes by work alone; every timer is due at the next turn. Knows the longest work without a turn. */
class WorkingClock implements Clock {
  #nowMs = 0;
  #turnedMs = 0;
  longestMs = 0;
  turnCount = 0;

  work(ms: number): void {
    this.#nowMs += ms;
    this.longestMs = Math.max(this.longestMs, this.#nowMs - this.#turnedMs);
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  setTimer(_delayMs: number, callback: () => void): Disposable {
    const turn = setImmediate(() => {
      this.turnCount++;
      this.#turnedMs = this.#nowMs;
      callback();
    });
    return toDisposable(() => clearImmediate(turn));
  }
}
