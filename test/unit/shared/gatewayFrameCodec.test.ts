import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isDeeperThan, LineReader } from '../../../src/shared/frameCodec';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('the frames of the gateway', () => {
  it('come out as they went in, however the bytes are cut', () => {
    const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\n', ' '));
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        (lines, cuts) => {
          const all = bytes(lines.map((text) => `${text}\n`).join(''));
          const reader = new LineReader(100_000);
          const taken: string[] = [];
          for (let at = 0, turn = 0; at < all.length; turn++) {
            const size = cuts[turn % cuts.length] ?? 1;
            assert.equal(reader.push(all.subarray(at, at + size), (text) => taken.push(text) > 0), Math.min(size, all.length - at)); // prettier-ignore
            at += size;
          }
          assert.deepEqual(taken, lines);
          assert.equal(reader.pendingBytes, 0);
        },
      ),
    );
  });

  it('stop when they are told to, and go on with the rest', () => {
    const reader = new LineReader(100);
    const taken: string[] = [];
    const chunk = bytes('one\ntwo\nthree');
    assert.equal(
      reader.push(chunk, (text) => taken.push(text) < 1),
      4,
    );
    assert.equal(
      reader.push(chunk.subarray(4), (text) => taken.push(text) > 0),
      9,
    );
    assert.deepEqual([taken, reader.pendingBytes], [['one', 'two'], 5]);
  });

  it('S17 a line without end is refused as soon as it is too long, and nothing of it is kept', () => {
    const reader = new LineReader(1024);
    const take = (): boolean => assert.fail('no line ends here');
    assert.equal(reader.push(new Uint8Array(1000).fill(65), take), 1000);
    assert.equal(reader.push(new Uint8Array(24).fill(65), take), 'tooLong');
    assert.equal(reader.pendingBytes, 0);
    assert.equal(reader.push(bytes('\n{}\n'), take), 'tooLong');
  });

  it('S17 the longest line passes and one byte more does not', () => {
    const taken: number[] = [];
    assert.equal(
      new LineReader(10).push(bytes('123456789\n'), (line) => taken.push(line.length) > 0),
      10,
    );
    assert.equal(
      new LineReader(10).push(bytes('1234567890\n'), () => true),
      'tooLong',
    );
    assert.deepEqual(taken, [9]);
  });

  it('S17 a line that comes a byte at a time costs no object per byte', () => {
    const reader = new LineReader(1024 * 1024);
    const before = process.memoryUsage().heapUsed;
    for (let count = 0; count < 200_000; count++) reader.push(Uint8Array.of(65), () => true);
    assert.equal(reader.pendingBytes, 200_000);
    assert.ok(process.memoryUsage().heapUsed - before < 32 * 1024 * 1024);
  });

  it('S17 what is no UTF-8 is refused', () => {
    for (const wrong of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82], [0xf5, 0x80, 0x80, 0x80]]) {
      assert.equal(
        new LineReader(100).push(Uint8Array.from([...wrong, 10]), () => true),
        'notUtf8',
        String(wrong),
      );
    }
  });

  it('S17 depth is what arrays and objects nest, not what texts hold', () => {
    assert.equal(isDeeperThan('[[[]]]', 3), false);
    assert.equal(isDeeperThan('[[[]]]', 2), true);
    assert.equal(isDeeperThan('{"a":{"b":[]}}', 2), true);
    assert.equal(isDeeperThan(JSON.stringify({ text: '[[[[{{{{ \\" [[[' }), 1), false);
    assert.equal(isDeeperThan('[],[],[]', 1), false);
    assert.equal(isDeeperThan('['.repeat(1_000_000), 32), true);
  });

  it('S17 the depth that is found is never less than that of the parsed value', () => {
    const depthOf = (value: unknown): number =>
      typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
        const depth = depthOf(value);
        assert.equal(isDeeperThan(JSON.stringify(value), depth), false);
        if (depth > 0) assert.equal(isDeeperThan(JSON.stringify(value), depth - 1), true);
      }),
    );
  });
});
