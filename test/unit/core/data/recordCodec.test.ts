import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DataError } from '../../../../src/core/data/dataErrors';
import { crc32c, encodeValue, maxRecordBytes, recordChecksum } from '../../../../src/core/data/recordCodec';

const refuses = (value: unknown): void =>
  void assert.throws(
    () => encodeValue(value),
    (error) => DataError.is(error, 'data.invalid'),
  );

describe('recordCodec', () => {
  it('knows the check values of CRC-32C', () => {
    assert.equal(crc32c('123456789'), 0xe3069283);
    assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa); // RFC 3720 B.4
    assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
    assert.equal(crc32c(''), 0);
  });

  it('finds every flipped bit of a record', () => {
    const record = { kind: 'k', id: 'i', version: 3, createdAtMs: 10, updatedAtMs: 11, epoch: 2, json: '{"a":1}' };
    const good = recordChecksum(record);
    const others = [
      { ...record, kind: 'j' },
      { ...record, id: 'j' },
      { ...record, version: 2 },
      { ...record, createdAtMs: 11 },
      { ...record, updatedAtMs: 10 },
      { ...record, epoch: 3 },
      ...[...record.json].flatMap((_, at) =>
        [1, 2, 4, 8, 16, 32, 64].map((bit) => ({ ...record, json: flip(record.json, at, bit) })),
      ),
    ];
    for (const other of others) assert.notEqual(recordChecksum(other), good, JSON.stringify(other));
  });

  it('writes equal values as equal text, and reads back what it wrote', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const json = encodeValue(value);
        const back: unknown = JSON.parse(json);
        assert.deepEqual(back, JSON.parse(JSON.stringify(value)));
        assert.equal(encodeValue(back), json);
      }),
    );
    assert.equal(encodeValue({ b: 1, a: [{ d: 1, c: undefined }] }), encodeValue({ a: [{ d: 1 }], b: 1 }));
  });

  it('refuses what JSON would change in silence', () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    const values = [
      undefined,
      () => 1,
      Symbol('s'),
      1n,
      Number.NaN,
      Infinity,
      new Date(),
      new Map(),
      [undefined],
      [, 1],
      cycle,
    ];
    for (const value of values) refuses(value);
    refuses({ deep: values[0] === undefined ? new Set() : 1 });
  });

  it('measures the limit in bytes, not characters', () => {
    assert.equal(encodeValue('x'.repeat(maxRecordBytes - 2)).length, maxRecordBytes);
    const tooLarge = (value: string): void =>
      void assert.throws(
        () => encodeValue(value),
        (error) => DataError.is(error, 'data.tooLarge'),
      );
    tooLarge('x'.repeat(maxRecordBytes - 1));
    tooLarge('€'.repeat(maxRecordBytes / 3));
  });
});

function flip(text: string, at: number, bit: number): string {
  return text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ bit) + text.slice(at + 1);
}
