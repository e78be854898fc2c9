import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  comparablePrompt,
  isSamePrompt,
  preparePrompt,
  type PromptFacts,
} from '../../../../../src/core/agents/delivery/preparePrompt';
import { sizedMs, trials } from '../../../../support/trials';

const PLAIN: PromptFacts = { prompt: {} };
const GUARDED: PromptFacts = {
  prompt: { leadingSpace: '/!#?@&$', trailingSpace: '@/$#' },
  alters: { tabSpaces: 4, dropsZeroWidth: '\u200b\ufeff' },
};

const kinds = (text: string, type = GUARDED): string[] => preparePrompt(text, type).changes.map(({ kind }) => kind);

describe('a prompt that is prepared', function () {
  this.timeout(sizedMs(20_000, 120_000, 600_000));

  const cases: readonly (readonly [what: string, given: string, prepared: string, changes: readonly string[]])[] = [
    ['is left alone when it is plain', 'look at src/app.ts', 'look at src/app.ts', []],
    ['keeps its lines, tabs, quotes and dollars', 'a "b" $(c)\n\n\td; e', 'a "b" $(c)\n\n\td; e', ['tabs']],
    ['has one kind of line end', 'a\r\nb\rc', 'a\nb\nc', ['line_endings']],
    ['loses whole escape sequences', 'a\u001b[31mb\u001b[0mc', 'abc', ['escape_sequences']],
    ['cannot end the paste', 'a\u001b[201~\rrm -rf x', 'a\nrm -rf x', ['line_endings', 'escape_sequences']],
    ['cannot end the paste in two halves', 'a\u001b[20\u001b[31m1~b', 'a201~b', ['escape_sequences']],
    ['loses the title it would set', 'a\u001b]0;evil\u0007b', 'ab', ['escape_sequences']],
    ['loses C1 sequences', 'a\u009b31mb\u0085c', 'abc', ['escape_sequences', 'control_characters']],
    ['presses no Ctrl-C', 'a\u0003b\u0004c\u007f', 'abc', ['control_characters']],
    ['is composed', 'e\u0301', '\u00e9', ['normalised']],
    ['has no blanks around it', '\n  a \n', 'a', ['trimmed']],
    ['is no command', '/exit', ' /exit ', ['leading_space', 'trailing_space']],
    ['is no shell line', '!rm x', ' !rm x', ['leading_space']],
    ['opens no completion at its end', 'look at @src', 'look at @src ', ['trailing_space']],
    ['continues no line', 'a \\', 'a \\ ', ['trailing_space']],
    ['says that zero-width characters will go', 'a\u200bb', 'a\u200bb', ['zero_width']],
    ['keeps emoji, CJK and right-to-left text', '👩‍💻 日本語 שלום', '👩‍💻 日本語 שלום', []],
    ['holds no half characters', 'a\ud800b', 'a\ufffdb', ['control_characters']],
  ];
  for (const [what, given, prepared, changes] of cases) {
    it(what, () => {
      assert.equal(preparePrompt(given, GUARDED).prepared, prepared);
      assert.deepEqual(kinds(given), changes);
    });
  }

  it('is declared to lose the space again where the program trims', () => {
    const type: PromptFacts = { prompt: { leadingSpace: '/' }, alters: { trims: 'always' } };
    assert.deepEqual([preparePrompt('/exit', type).prepared, kinds('/exit', type)], [' /exit', ['leading_space', 'trimmed']]); // prettier-ignore
    assert.deepEqual(kinds('plain', type), []);
  });

  it('gets the guard of a program that trims, and says so', () => {
    const type: PromptFacts = { prompt: { leadingSpace: '/', leadingGuard: '\u2060' }, alters: { trims: 'always' } };
    assert.deepEqual(preparePrompt('/exit', type), {
      prepared: '\u2060/exit',
      changes: [
        {
          kind: 'leading_guard',
          detail: 'the invisible U+2060 before the first character, so that "/" is text and no command',
        },
      ],
    });
    assert.equal(preparePrompt('\u2060/exit', type).prepared, '\u2060/exit');
  });

  it('is recognised in what a program tells, also with its mentions resolved', () => {
    const alters = { resolvesMentions: { contentsHeading: '--- Content from referenced files ---' } };
    const told = 'look at @src/notes.txt now\n--- Content from referenced files ---\none';
    assert.ok(isSamePrompt(told, 'look at @notes now ', alters));
    assert.ok(!isSamePrompt(told, 'look at @notes now '));
    assert.ok(!isSamePrompt(told, 'look at @notes then', alters));
    assert.ok(!isSamePrompt('look at @other.txt now', 'look at @notes now ', alters));
    assert.ok(!isSamePrompt('look at @notes now, and at @more', 'look at @notes now ', alters));
    assert.ok(!isSamePrompt('look at @notes now and then', 'look at @notes now', alters));
    assert.ok(!isSamePrompt('look at it and more', 'look at it', alters));
    assert.deepEqual(kinds('a @b', { prompt: {}, alters }), ['mentions']);
  });

  it('is recognised by the heading that its type declares, and by no other', () => {
    const alters = { resolvesMentions: { contentsHeading: '== Files ==' } };
    assert.ok(isSamePrompt('see @a.txt\n== Files ==\none', 'see @a', alters));
    assert.ok(!isSamePrompt('see @a.txt\n--- Content from referenced files ---\none', 'see @a', alters));
  });

  it('is declared to get a space behind it where the program pads long texts', () => {
    const collapses = { overCharacters: 150, overLines: 2 };
    const type: PromptFacts = { prompt: {}, alters: { collapses, padsCollapsed: true } };
    for (const long of ['x'.repeat(151), 'a\nb\nc']) assert.deepEqual(kinds(long, type), ['padded']);
    for (const short of ['x'.repeat(150), 'a\nb']) assert.deepEqual(kinds(short, type), []);
    assert.deepEqual(kinds('x'.repeat(151), { prompt: {}, alters: { collapses } }), []);
  });

  it('is declared to be trimmed for certain only where its type does not collapse it', () => {
    const collapses = { overCharacters: 20, overLines: 3 };
    const type: PromptFacts = { prompt: { trailingSpace: '@' }, alters: { trims: 'unlessCollapsed', collapses } };
    const detail = (text: string) => preparePrompt(text, type).changes.at(-1)?.detail;
    const always = 'the program itself drops blanks around the text';
    for (const short of ['x'.repeat(17) + ' @', 'a\nb\n@']) assert.equal(detail(short), always, short);
    for (const long of ['x'.repeat(18) + ' @', 'a\nb\nc\n@'])
      assert.equal(detail(long), `${always}, if it takes it while it works`, long);
  });

  it('is declared to have as many spaces for a tab as its type says', () => {
    const detail = (tabSpaces: number) =>
      preparePrompt('a\tb', { prompt: {}, alters: { tabSpaces } }).changes[0]?.detail;
    assert.equal(detail(1), 'the program itself turns tabs into one space');
    assert.equal(detail(4), 'the program itself turns tabs into four spaces');
    assert.equal(detail(8), 'the program itself turns tabs into eight spaces');
  });

  it('is declared to lose only the characters without width that its type names', () => {
    const type: PromptFacts = { prompt: {}, alters: { dropsZeroWidth: '\u200b' } };
    assert.deepEqual([kinds('a\u200bb', type), kinds('a\ufeffb', type)], [['zero_width'], []]);
  });

  it('keeps a leading slash where the type does not mind', () => {
    assert.deepEqual(preparePrompt('/exit', PLAIN), { prepared: '/exit', changes: [] });
  });

  const anything = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc
      .array(
        fc.oneof(
          fc.string({ unit: 'grapheme' }),
          fc.constantFrom(
            '\u001b',
            '\u001b[',
            '\u001b[200~',
            '\u001b[201~',
            '\u009b',
            '\u001b]',
            '\u0007',
            '\r',
            '\n',
            '\t',
            '/',
            '@',
            '\\',
            ' ',
            '\u0301',
          ),
        ),
        { maxLength: 60 },
      )
      .map((parts) => parts.join('')),
  );

  it('S4 never holds a control character but \\n and \\t, and no escape, whatever was given', () => {
    fc.assert(
      fc.property(anything, fc.constantFrom(PLAIN, GUARDED), (text, type) => {
        assert.doesNotMatch(preparePrompt(text, type).prepared, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
      }),
      { numRuns: trials(1_000, 10_000, 100_000) },
    );
  });

  it('is not changed by being prepared again, and says of every change what it was', () => {
    fc.assert(
      fc.property(anything, fc.constantFrom(PLAIN, GUARDED), (text, type) => {
        const { prepared, changes } = preparePrompt(text, type);
        assert.equal(preparePrompt(prepared, type).prepared, prepared);
        const own = changes.filter(({ kind }) => kind !== 'tabs' && kind !== 'zero_width');
        if (prepared !== text) assert.ok(own.length > 0); // a blank that is dropped can come back as the guard
        assert.ok(changes.every(({ detail }) => detail.length > 0));
      }),
      { numRuns: 2_000 },
    );
  });

  it('is compared without what programs add, wrap and drop', () => {
    assert.equal(comparablePrompt(' /exit a\tb\u200b\r\n c '), comparablePrompt('/exit a    b c'));
    assert.notEqual(comparablePrompt('a'), comparablePrompt('b'));
  });
});
