import assert from 'node:assert/strict';
import fc from 'fast-check';
import { compileLinearPattern, type LinearPattern } from '../../../../../src/core/data/validation/linearPattern';

const enough = 10_000_000;

function compiled(source: string): LinearPattern {
  const result = compileLinearPattern(source);
  assert.ok(result.ok, source);
  return result.pattern;
}

const isMatch = (source: string, text: string): boolean | undefined => compiled(source).test(text, enough).isMatch;

describe('compileLinearPattern', () => {
  const atoms = [
    'a',
    'b',
    '.',
    '[ab]',
    '[^a]',
    '\\w',
    '\\d',
    '\\s',
    '\\b',
    '\\B',
    '^',
    '$',
    '\\u{1F600}',
    '\\ud83d\\ude00',
    '😀',
    '\\x61',
    '\\p{L}',
    '[\\]b-d]',
    '',
  ];
  const { node: sources } = fc.letrec<{ node: string; atom: string; repeat: string; sequence: string; choice: string }>(
    (tie) => ({
      node: fc.oneof({ depthSize: 'small' }, tie('atom'), tie('repeat'), tie('sequence'), tie('choice')),
      atom: fc.constantFrom(...atoms),
      repeat: fc
        .tuple(tie('node'), fc.constantFrom('*', '+', '?', '{2}', '{1,}', '{0,2}', '{1,3}?', '*?', '{0}'), fc.boolean())
        .map(([inner, quantifier, isNamed]) => `(${isNamed ? '?:' : ''}${inner})${quantifier}`),
      sequence: fc.array(tie('node'), { maxLength: 4 }).map((parts) => parts.join('')),
      choice: fc.array(tie('node'), { minLength: 2, maxLength: 3 }).map((parts) => `(?:${parts.join('|')})`),
    }),
  );

  it('matches what the engine’s own matcher matches', () => {
    let compared = 0;
    const text = fc
      .array(fc.constantFrom('a', 'b', 'c', '1', ' ', '\n', '😀', '\ud83d', 'é', ']'), { maxLength: 8 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(sources, fc.array(text, { minLength: 5, maxLength: 5 }), (source, texts) => {
        const result = compileLinearPattern(source);
        if (!result.ok) return;
        compared++;
        const own = new RegExp(source, 'u');
        // V8 tries \B inside of a pair of surrogates, too, where a search by code points (ECMA-262, RegExpBuiltinExec) never is.
        const isKnownDifference = (one: string): boolean => source.includes('\\B') && one.includes('😀');
        for (const one of texts.filter((each) => !isKnownDifference(each)))
          assert.equal(result.pattern.test(one, enough).isMatch, own.test(one), JSON.stringify({ source, one }));
      }),
      { numRuns: 3_000 },
    );
    assert.ok(compared > 2_500, `${compared} compared`);
  });

  it('takes time by the length of the text for patterns on which backtracking takes for ever', () => {
    const text = `${'a'.repeat(20_000)}!`;
    for (const source of ['^(a+)+$', '^(a|a)*$', '(a*)*b', '^(?:a?){50}a{50}$', 'a*a*a*a*a*a*b']) {
      const { isMatch: found, steps } = compiled(source).test(text, 100_000_000);
      assert.equal(found, false, source);
      assert.ok(steps < text.length * 500, `${source}: ${steps} steps`);
    }
  });

  it('a pattern with 2^n sets of places keeps a bounded number of them', () => {
    const pattern = compiled('a.{14}b');
    const text = Array.from({ length: 30_000 }, (_, i) => 'ab'[(i * i * 7 + (i >> 3)) & 1]).join('');
    assert.equal(pattern.test(text, 100_000_000).isMatch, /a.{14}b/u.test(text));
    assert.equal(pattern.test('a'.repeat(20_000), 100_000_000).isMatch, false);
  });

  it('takes little for the longest text that a record may have', () => {
    const { isMatch: found, steps } = compiled('^(?:[a-z]|b)+$').test('a'.repeat(1024 * 1024), enough);
    assert.deepEqual([found, steps < 100_000], [true, true]);
  });

  it('is never between the halves of a pair', () => {
    assert.equal(isMatch('\\B', 'a😀a'), false);
    assert.equal(isMatch('\\B', 'a\ud83d\ud83da'), true);
  });

  it('stops at the bound on steps and says so', () => {
    assert.equal(compiled('^é*$').test('é'.repeat(10_000), 1_000).isMatch, undefined);
  });

  it('knows groups with names, classes with brackets and escapes of all kinds', () => {
    assert.equal(isMatch('^(?<year>\\d{4})-\\d\\d$', '2026-11'), true);
    assert.equal(isMatch('^[\\]\\\\[]+$', '][\\'), true);
    assert.equal(isMatch('^\\u{1F600}\\ud83d\\ude00\\x41\\cA\\t\\/$', '😀😀A\u0001\t/'), true);
    assert.equal(isMatch('^[^]$', '\n'), true);
    assert.equal(isMatch('[]', 'a'), false);
    assert.equal(isMatch('', ''), true);
  });

  const refused: readonly (readonly [source: string, message: string])[] = [
    ['(a', 'does not compile'],
    ['(a)\\1', 'uses a back-reference'],
    ['(?<n>a)\\k<n>', 'uses a back-reference'],
    ['a(?=b)', 'uses look-ahead, look-behind or modifiers'],
    ['(?<!a)b', 'uses look-ahead, look-behind or modifiers'],
    ['a{1000}{1000}', 'does not compile'],
    ['(?:a{1000}){1000}', 'repeats too much'],
    ['(?:(?:){1000000}){1000000}', 'repeats too much'],
    ['a{99999999999}', 'repeats too much'],
    ['a'.repeat(1_001), 'is longer than 1000 characters'],
  ];
  for (const [source, message] of refused)
    it(`refuses ${source.slice(0, 30)}: ${message}`, () => {
      assert.deepEqual(compileLinearPattern(source), { ok: false, message });
    });
});
