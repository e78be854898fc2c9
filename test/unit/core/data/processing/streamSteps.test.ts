import assert from 'node:assert/strict';
import fc from 'fast-check';
import { aggregate, type AggregateOptions } from '../../../../../src/core/data/processing/aggregate';
import type { JsonObject } from '../../../../../src/core/data/processing/dataTransformation';
import { deduplicate, limit, sort } from '../../../../../src/core/data/processing/orderSteps';
import { ProcessingError } from '../../../../../src/core/data/processing/processingErrors';
import { QuantileSketch, sketchError } from '../../../../../src/core/data/processing/quantileSketch';
import { enrich, join, type Lookup, pivot } from '../../../../../src/core/data/processing/tableSteps';
import { compareScalars } from '../../../../../src/core/data/recordQuery';
import { collect, refusal, shortRecord } from './support';

const isBound = (error: unknown): boolean => ProcessingError.is(error, 'processing.boundExceeded');

describe('quantile sketch', () => {
  it(`is within ${sketchError * 100} % of the value whose rank is asked for`, () =>
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.double({ min: -1e9, max: 1e9, noNaN: true }), fc.integer({ min: -5, max: 5 })), {
          minLength: 1,
          maxLength: 300,
        }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, ratio) => {
          const sketch = new QuantileSketch();
          for (const value of values) sketch.add(value);
          const exact = values.sort((a, b) => a - b)[Math.floor(ratio * (values.length - 1))]!;
          const estimate = sketch.quantile(ratio)!;
          assert.ok(
            Math.abs(estimate - exact) <= sketchError * 1.0001 * Math.abs(exact) + 1e-290,
            `${estimate} for ${exact}`,
          );
        },
      ),
    ));

  it('keeps large values right over more powers of ten than it has room for', () => {
    const sketch = new QuantileSketch();
    for (let step = 0; step <= 100_000; step++) sketch.add(10 ** (step / 200 - 250));
    assert.ok(Math.abs(sketch.quantile(1)! / 10 ** 250 - 1) <= sketchError * 1.001);
    assert.ok(Math.abs(sketch.quantile(0.99)! / 10 ** 245 - 1) <= sketchError * 1.001);
    assert.equal(new QuantileSketch().quantile(0.5), undefined);
  });
});

describe('aggregate', () => {
  const measures: AggregateOptions['measures'] = [
    ['records', { op: 'count' }],
    ['count', { op: 'count', at: 'n' }],
    ['sum', { op: 'sum', at: 'n' }],
    ['min', { op: 'min', at: 'n' }],
    ['max', { op: 'max', at: 'n' }],
    ['mean', { op: 'mean', at: 'n' }],
  ];

  function naive(records: readonly JsonObject[]): JsonObject {
    const numbers = records.map(({ n }) => n).filter((n) => typeof n === 'number');
    const sum = numbers.reduce((a, b) => a + b, 0);
    const some = numbers.length > 0;
    return {
      records: records.length,
      count: numbers.length,
      sum,
      min: some ? Math.min(...numbers) : null,
      max: some ? Math.max(...numbers) : null,
      mean: some ? sum / numbers.length : null,
    };
  }

  /** Groups in order of first sight. */
  function grouped<K>(
    records: readonly JsonObject[],
    keyOf: (record: JsonObject, index: number) => K,
  ): [K, JsonObject[]][] {
    const groups = new Map<string, [K, JsonObject[]]>();
    for (const [index, record] of records.entries()) {
      const key = keyOf(record, index);
      const group = groups.get(JSON.stringify(key)) ?? [key, []];
      group[1].push(record);
      groups.set(JSON.stringify(key), group);
    }
    return [...groups.values()];
  }

  it('equals a naive one over everything, by group', () =>
    fc.assert(
      fc.asyncProperty(fc.array(shortRecord), async (records) => {
        const rows = await collect(aggregate({ window: { kind: 'all' }, by: ['a'], measures }), records);
        assert.deepEqual(
          rows,
          grouped(records, ({ a }) => a ?? null).map(([a, group]) => ({ a, ...naive(group) })),
        );
      }),
    ));

  it('equals a naive one over windows of so many records', () =>
    fc.assert(
      fc.asyncProperty(fc.array(shortRecord), fc.integer({ min: 1, max: 5 }), async (records, size) => {
        const rows = await collect(aggregate({ window: { kind: 'count', size }, measures }), records);
        const expected = grouped(records, (_record, index) => Math.floor(index / size));
        assert.deepEqual(
          rows,
          expected.map(([windowIndex, group]) => ({ windowIndex, ...naive(group) })),
        );
      }),
    ));

  it('equals a naive one over windows of time, in any order that its lateness covers', () => {
    const timed = fc.tuple(shortRecord, fc.integer({ min: -500, max: 500 })).map(([record, at]) => ({ ...record, at }));
    return fc.assert(
      fc.asyncProperty(fc.array(timed), fc.integer({ min: 1, max: 90 }), async (records, sizeMs) => {
        const byTime = aggregate({ window: { kind: 'time', sizeMs, at: 'at', latenessMs: 2_000 }, measures });
        const expected = grouped(records, ({ at }) => Math.floor((at as number) / sizeMs)).sort(([a], [b]) => a - b);
        assert.deepEqual(
          await collect(byTime, records),
          expected.map(([key, group]) => ({
            windowStartMs: key * sizeMs,
            windowEndMs: (key + 1) * sizeMs,
            ...naive(group),
          })),
        );
      }),
    );
  });

  it('emits a window of time once it is complete, and refuses what comes late', async () => {
    const byTime = aggregate({ window: { kind: 'time', sizeMs: 1_000, at: 'at' }, measures: [['n', { op: 'count' }]] });
    const seen: unknown[] = [];
    const at = (second: string): JsonObject => ({ at: `2026-01-01T00:00:0${second}Z` });
    for await (const row of byTime.stream([at('0'), at('0.5'), at('1')])) seen.push(row.n);
    assert.deepEqual(seen, [2, 1]);
    await assert.rejects(collect(byTime, [at('0'), at('2'), at('0.9')]), { code: 'aggregate.late' });
    assert.equal(await refusal(byTime, { at: 'x' }), 'aggregate.notATime');
    assert.equal(await refusal(aggregate({ window: { kind: 'all' }, measures }), { n: '1' }), 'aggregate.notANumber');
  });

  it('tells quantiles', async () => {
    const records = Array.from({ length: 1_001 }, (_, n) => ({ n }));
    const quantiles = aggregate({
      window: { kind: 'all' },
      measures: [
        ['p50', { op: 'p50', at: 'n' }],
        ['p95', { op: 'p95', at: 'n' }],
      ],
    });
    const [row] = await collect(quantiles, records);
    assert.ok(
      Math.abs((row?.p50 as number) - 500) <= 5 && Math.abs((row?.p95 as number) - 950) <= 9.5,
      JSON.stringify(row),
    );
  });

  it('ends when more rows are open than it may hold', async () => {
    const few = aggregate({ window: { kind: 'all' }, by: ['a'], measures, maxOpenRows: 2 });
    await assert.rejects(collect(few, [{ a: 1 }, { a: 2 }, { a: 1 }, { a: 3 }]), isBound);
  });
});

describe('deduplicate', () => {
  it('leaves out exactly what is among the keys seen last', () =>
    fc.assert(
      fc.asyncProperty(fc.array(shortRecord), fc.integer({ min: 1, max: 6 }), async (records, window) => {
        let recent: unknown[] = [];
        const expected = records.filter(({ a }) => {
          const key = a ?? null;
          const isNew = !recent.includes(key);
          recent = [...recent.filter((other) => other !== key), key].slice(-window);
          return isNew;
        });
        assert.deepEqual(await collect(deduplicate({ by: ['a'], window }), records), expected);
      }),
    ));

  it('compares by value, whatever the order of properties', async () => {
    const records = [{ a: { x: 1, y: 2 } }, { a: { y: 2, x: 1 } }, { a: '{"x":1,"y":2}' }];
    assert.equal((await collect(deduplicate({ by: ['a'] }), records)).length, 2);
    assert.equal(await refusal(deduplicate({ by: ['a'] }), { a: 'x'.repeat(1_100) }), 'deduplicate.keyTooLong');
  });
});

describe('sort and limit', () => {
  it('orders as a stable sort of everything does; the first k are the first k of it', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(shortRecord),
        fc.boolean(),
        fc.integer({ min: 1, max: 10 }),
        async (records, descending, most) => {
          const sign = descending ? -1 : 1;
          const expected = [...records].sort(
            (x, y) => sign * compareScalars(x.a ?? null, y.a ?? null) || compareScalars(x.n ?? null, y.n ?? null),
          );
          const by = [{ at: 'a', descending }, { at: 'n' }];
          const all = await collect(sort({ by }), records);
          assert.equal(
            all.every((record, index) => record === expected[index]),
            true,
          );
          assert.deepEqual(await collect(sort({ by, limit: most }), records), expected.slice(0, most));
          assert.deepEqual(await collect(limit(most, 2), records), records.slice(2, 2 + most));
        },
      ),
    ));

  it('refuses to hold more than it may', async () => {
    assert.throws(() => sort({ by: [{ at: 'n' }], limit: 20_001 }), RangeError);
    const records = Array.from({ length: 11 }, (_, n) => ({ n }));
    await assert.rejects(collect(sort({ by: [{ at: 'n' }], maxRecords: 10 }), records), isBound);
    assert.equal((await collect(sort({ by: [{ at: 'n' }], maxRecords: 11 }), records)).length, 11);
  });
});

describe('join, enrich and pivot', () => {
  it('joins as nested loops do', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(shortRecord, { maxLength: 8 }),
        fc.array(shortRecord, { maxLength: 8 }),
        fc.boolean(),
        async (left, right, isLeft) => {
          const joined = join({
            at: 'a',
            right: () => right,
            rightAt: 'a',
            as: 'other',
            kind: isLeft ? 'left' : 'inner',
          });
          const expected = left.flatMap((record) => {
            const found = right.filter((other) => (record.a ?? null) !== null && other.a === record.a);
            return found.length === 0 && isLeft ? [record] : found.map((other) => ({ ...record, other }));
          });
          assert.deepEqual(await collect(joined, left), expected);
        },
      ),
    ));

  it('refuses a right side that is too large', async () => {
    const right = function* (): Generator<JsonObject> {
      for (;;) yield { a: 1 };
    };
    await assert.rejects(collect(join({ at: 'a', right, rightAt: 'a', as: 'b' }), [{ a: 1 }]), isBound);
  });

  it('asks a lookup once for a batch', async () => {
    const asked: unknown[][] = [];
    const lookup: Lookup = async (keys) => {
      asked.push([...keys]);
      return new Map([['x', { name: 'X' }]]);
    };
    const records = [{ k: 'x' }, { k: 'y' }, { k: 'x' }, {}];
    assert.deepEqual(await collect(enrich({ at: 'k', as: 'found', lookup }), records), [
      { k: 'x', found: { name: 'X' } },
      { k: 'y' },
      { k: 'x', found: { name: 'X' } },
      {},
    ]);
    assert.deepEqual(asked, [['x', 'y']]);
    assert.equal(
      await refusal(enrich({ at: 'k', as: 'found', lookup, missing: 'refuse' }), { k: 'y' }),
      'enrich.unknownKey',
    );
  });

  it('turns values into columns', async () => {
    const records = [
      { day: 1, agent: 'a', n: 1 },
      { day: 1, agent: 'b', n: 2 },
      { day: 1, agent: 'a', n: 3 },
      { day: 2, agent: '__proto__', n: 4 },
    ];
    const options = { rows: ['day'], column: 'agent', value: 'n' };
    const rows = await collect(pivot({ ...options, op: 'sum' }), records);
    assert.equal(
      JSON.stringify(rows),
      '[{"day":1,"a":4,"b":2,"__proto__":null},{"day":2,"a":null,"b":null,"__proto__":4}]',
    );
    for (const [op, expected] of [
      ['first', 1],
      ['last', 3],
      ['count', 2],
      ['min', 1],
      ['max', 3],
    ] as const)
      assert.equal((await collect(pivot({ ...options, op }), records))[0]?.a, expected, op);
    await assert.rejects(collect(pivot({ ...options, maxColumns: 2 }), records), isBound);
    await assert.rejects(collect(pivot({ ...options, maxRows: 1 }), records), isBound);
    assert.equal(await refusal(pivot(options), { agent: 'day' }), 'pivot.columnTaken');
    assert.equal(await refusal(pivot(options), { agent: {} }), 'pivot.notAName');
    assert.equal(await refusal(pivot({ ...options, op: 'sum' }), { agent: 'x', n: 'y' }), 'pivot.notANumber');
  });
});
