// Runs alone: how long it takes is measured.
import assert from 'node:assert/strict';
import { compilePattern, escapePattern, MAX_LINE_LENGTH } from '../../../../src/core/agents/boundedPattern';

const refused: readonly (readonly [string, RegExp])[] = [
  ['', /empty/],
  ['a'.repeat(201), /longer/],
  ['(', /compile/],
  ['[z-a]', /compile/],
  ['(a+)+$', /repeats/],
  ['(a|a)*$', /repeats/],
  ['(?:a?){30}a{30}', /repeats/],
  ['((ab)*c)*', /repeats/],
  ['(a*)*', /repeats/],
  ['(\\w+\\s?)*$', /repeats/],
  ['(.)\\1', /back-reference/],
  ['(?<x>a)\\k<x>', /back-reference/],
  ['(?<=a)b', /look-behind/],
  ['(?<!a)b', /look-behind/],
  ['.*.*.*.*=', /too long/],
  ['a?b?c?d?e?f?g?h?i?j?k?l?m?n?o?p?q?r?', /too long/],
  ['\\d+-\\d+-\\d+x', /too long/],
];
const accepted = [
  '^› ',
  '• Working \\(\\d+s',
  '^[a-z]+: .*$',
  '❯ \\d\\. ',
  '(?:yes|no)',
  '^\\s*$',
  '(?<name>x+)',
  'a{2,5}',
  '[(a+)+]',
  '\\(a+\\)+',
  '\\p{L}+',
  '(?=x)x',
];

describe('boundedPattern', () => {
  for (const [source, why] of refused) {
    it(`refuses ${JSON.stringify(source.slice(0, 40))}`, () => {
      const result = compilePattern(source);
      assert.ok(!result.ok);
      assert.match(result.message, why);
    });
  }

  for (const source of accepted) {
    it(`accepts ${JSON.stringify(source)}`, () => assert.ok(compilePattern(source).ok));
  }

  it('keeps what it accepts fast on the worst lines', () => {
    const lines = ['a', ' ', 'x', '1', 'a1', '(', '›'].map(
      (unit) => unit.repeat(MAX_LINE_LENGTH).slice(0, MAX_LINE_LENGTH - 1) + '!',
    );
    const startedMs = performance.now();
    for (const source of [...accepted, '^.*x.*y$', '[a1]+[a1]+$', '\\w+\\d+z', '^a+a+a+$']) {
      const result = compilePattern(source);
      assert.ok(result.ok, source);
      for (const line of lines) result.pattern.test(line);
    }
    assert.ok(performance.now() - startedMs < 5_000);
  });

  it('escapes text so that it matches itself only', () => {
    for (const text of ['zsh', 'a.b', 'x-y', '(^$)*', 'c++', '[]']) {
      const result = compilePattern(`^${escapePattern(text)}$`);
      assert.ok(result.ok && result.pattern.test(text) && !result.pattern.test(`${text}x`), text);
    }
  });
});
