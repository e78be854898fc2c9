import assert from 'node:assert/strict';
import fc from 'fast-check';
import { fitPayload } from '../../../src/shared/fitPayload';
import { isDeeperThan } from '../../../src/shared/frameCodec';
import { SPOOL_LIMITS, parseSpoolFileName, spoolFileName, surplusOf } from '../../../src/shared/hookSpool';
import { parseHookArguments } from '../../../src/cli/hook';

describe('a payload made to fit', () => {
  it('S17 is never larger or deeper than allowed, and stays JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), fc.integer({ min: 2, max: 400 }), (value, maxBytes) => {
        const json = fitPayload(value, maxBytes, 4);
        JSON.parse(json);
        return Buffer.byteLength(json) <= maxBytes && !isDeeperThan(json, 4);
      }),
    );
  });

  it('is left alone when it fits', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => fitPayload(value, 1e9, 50) === JSON.stringify(value)),
    );
  });

  it('loses the end of its longest text, not its structure', () => {
    const text = 'x'.repeat(500_000);
    const cut = JSON.parse(fitPayload({ a: 'short', b: { c: text }, list: [1, 2] }, 300_000, 30)) as {
      a: string;
      b: { c: string };
      list: number[];
    };
    assert.deepEqual([cut.a, cut.list], ['short', [1, 2]]);
    assert.match(cut.b.c, /^x{262144}… \[237856 characters cut\]$/);
  });

  it('keeps a field that is called __proto__ a field', () => {
    assert.equal(fitPayload(JSON.parse('{"__proto__":{"a":1}}'), 1000, 10), '{"__proto__":{"a":1}}');
  });

  it('cuts no character in half', () => {
    const cut = JSON.parse(fitPayload('😀'.repeat(200_000), 700_000, 3)) as string;
    assert.ok(!/[\ud800-\udbff](?![\udc00-\udfff])/.test(cut));
  });
});

describe('names in the spool', () => {
  it('sort by time and tell the size', () => {
    const names = [5, 1_700_000_000_000, 42].map((time) => spoolFileName(time, 'a-b', 7));
    assert.deepEqual(
      [...names].sort().map((name) => parseSpoolFileName(name)?.sentAtMs),
      [5, 42, 1_700_000_000_000],
    );
    assert.equal(parseSpoolFileName('../x.json'), undefined);
  });

  it('S17 tell which reports are too many or too large together: the oldest', () => {
    const names = Array.from({ length: SPOOL_LIMITS.files + 3 }, (_, index) => spoolFileName(index, 'a', 1));
    assert.deepEqual([...surplusOf([...names, 'other'])].sort(), names.slice(0, 3));
    const large = [1, 2, 3].map((time) => spoolFileName(time, 'a', SPOOL_LIMITS.bytes / 2));
    assert.deepEqual(surplusOf(large), [large[0]]);
  });
});

describe('arguments of orc hook', () => {
  it('are an event, perhaps its payload, perhaps that it may be held', () => {
    assert.deepEqual(parseHookArguments(['Stop']), { event: 'Stop', mayBeHeld: false });
    assert.deepEqual(parseHookArguments(['permission.asked', '{}']), {
      event: 'permission.asked',
      payload: '{}',
      mayBeHeld: true,
    });
    assert.deepEqual(parseHookArguments(['--hold', 'BeforeTool']), { event: 'BeforeTool', mayBeHeld: true });
    for (const args of [[], ['a b'], ['x'.repeat(81)], ['--hold']]) assert.equal(parseHookArguments(args), undefined);
  });
});
