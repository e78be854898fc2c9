import assert from 'node:assert/strict';
import fc from 'fast-check';
import { compareText } from '../../../../src/core/data/recordQuery';

describe('recordQuery', () => {
  it('compares text as SQLite does: by the bytes of UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        assert.equal(Math.sign(compareText(a, b)), Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))));
      }),
    );
    assert.ok(compareText('\uffee', '\u{1f600}') < 0);
  });
});
