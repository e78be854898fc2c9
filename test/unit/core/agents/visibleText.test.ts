import assert from 'node:assert/strict';
import fc from 'fast-check';
import { cleanScreen, cleanText, revealText } from '../../../../src/core/agents/visibleText';

const DANGEROUS = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/u;

describe('visibleText', () => {
  it('removes escape sequences as a whole and everything invisible', () => {
    assert.equal(
      cleanText('\u001b[31mred\u001b[0m \u001b]0;title\u0007x\u202ey\u2066z\u200b\u0085\u009b1mq'),
      'red xyzq',
    );
    assert.equal(cleanText('a\tb\r\n  c'), 'a b c');
    assert.equal(cleanText('\u001bP1$r\u001b\\after'), 'after');
    assert.equal(cleanScreen('a\u202eb\tc\n\u001b[1mx'), 'ab c\nx');
  });

  it('cuts by characters, not by halves of them', () => {
    assert.equal(cleanText('👍'.repeat(10), 5), '👍👍👍👍…');
    assert.equal([...cleanText('x'.repeat(10_000))].length, 200);
  });

  it('leaves nothing that acts, whatever comes in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        assert.doesNotMatch(cleanText(text), DANGEROUS);
        assert.doesNotMatch(revealText(text), DANGEROUS);
        assert.doesNotMatch(cleanScreen(text).replaceAll('\n', ''), DANGEROUS);
      }),
    );
  });

  it('reveals losslessly: different texts never look the same', () => {
    assert.equal(revealText('rm\u202e -rf\n\\n\u00a0'), 'rm\\u{202e} -rf\\n\\\\n\\u{a0}');
    const texts = fc.string({
      unit: fc.constantFrom('a', '\\', 'n', '\n', '\u202e', '{', 'u', '2', '}', '\u200b'),
      maxLength: 12,
    });
    fc.assert(fc.property(texts, texts, (a, b) => a === b || revealText(a) !== revealText(b)));
  });
});
