import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { preparePrompt } from '../../../../../src/core/agents/delivery/preparePrompt';
import { builtInTypes } from '../../../../../src/core/agents/builtInTypes';
import { PAYLOADS } from '../../../../agents/payloads';

/** What is typed into Claude Code, Codex, Gemini CLI and opencode: written down here, character by character, and computed nowhere. */
type Typed = readonly [claude: string, codex: string, gemini: string, opencode: string];
const TYPES = builtInTypes();
const TYPE_IDS = ['claude-code', 'codex', 'gemini', 'opencode'] as const;
const inAll = (typed: string): Typed => [typed, typed, typed, typed];

/** Name of the payload (`test/agents/payloads.ts`), its text with the mark `m1`, what is typed. */
const TABLE: readonly (readonly [name: string, given: string, typed: Typed])[] = [
  ['short', 'Say something m1', inAll('Say something m1')],
  ['leading -', '-x --flag m1', inAll('-x --flag m1')],
  [
    'leading /',
    '/help is no command here m1',
    [
      '\u2060/help is no command here m1',
      ' /help is no command here m1',
      '\u2060/help is no command here m1',
      ' /help is no command here m1',
    ],
  ],
  [
    'leading !',
    '!ls is no command either m1',
    [
      '\u2060!ls is no command either m1',
      ' !ls is no command either m1',
      '\u2060!ls is no command either m1',
      ' !ls is no command either m1',
    ],
  ],
  ['leading #', '# A heading m1', ['\u2060# A heading m1', ' # A heading m1', '# A heading m1', ' # A heading m1']],
  [
    'leading @',
    '@notes.txt is a file m1',
    ['@notes.txt is a file m1', ' @notes.txt is a file m1', '@notes.txt is a file m1', ' @notes.txt is a file m1'],
  ],
  ['semicolons', ';one; two; three m1;', inAll(';one; two; three m1;')],
  [
    'shell words',
    '$(touch made) `id` ${HOME} $HOME && true m1',
    [
      '\u2060$(touch made) `id` ${HOME} $HOME && true m1',
      ' $(touch made) `id` ${HOME} $HOME && true m1',
      '$(touch made) `id` ${HOME} $HOME && true m1',
      ' $(touch made) `id` ${HOME} $HOME && true m1',
    ],
  ],
  ['quotes', '"double" \'single\' \\"both\\\' m1"', inAll('"double" \'single\' \\"both\\\' m1"')],
  ['tabs', 'a\tb\tc\n\tindented m1', inAll('a\tb\tc\n\tindented m1')],
  ['CRLF', 'first m1\r\nsecond\r\n\r\nfourth', inAll('first m1\nsecond\n\nfourth')],
  [
    'emoji',
    '\u{1f680} \u{1f3f3}\ufe0f\u200d\u{1f308} \u{1f469}\u200d\u{1f469}\u200d\u{1f467} m1 \u2705',
    inAll('\u{1f680} \u{1f3f3}\ufe0f\u200d\u{1f308} \u{1f469}\u200d\u{1f469}\u200d\u{1f467} m1 \u2705'),
  ],
  ['CJK', '日本語と中文、한국어 m1 全角', inAll('日本語と中文、한국어 m1 全角')],
  ['right to left', 'שלום עולם m1 مرحبا بالعالم', inAll('שלום עולם m1 مرحبا بالعالم')],
  ['escape sequences', 'red \u001b[31mtext\u001b[0m and \u001b[201~ an end m1', inAll('red text and  an end m1')],
  ['last word @', 'Tell me m1 about @notes', inAll('Tell me m1 about @notes ')],
  [
    'characters without width',
    'zero\u200bwidth \ufeffand \u2060more m1',
    inAll('zero\u200bwidth \ufeffand \u2060more m1'),
  ],
  ['trailing backslash', 'A path m1 C:\\folder\\', inAll('A path m1 C:\\folder\\ ')],
];

/** A guard that is no blank makes the last word another one: it needs no space behind it. */
const ALONE: readonly (readonly [given: string, typed: Typed])[] = [
  ['/help', ['\u2060/help', ' /help ', '\u2060/help', ' /help ']],
  ['!ls', ['\u2060!ls', ' !ls', '\u2060!ls', ' !ls']],
  ['?', ['\u2060?', ' ?', '\u2060?', ' ?']],
  ['&x', ['\u2060&x', ' &x', '&x', ' &x']],
  ['#x', ['\u2060#x', ' #x ', '#x ', ' #x ']],
  ['$x', ['\u2060$x', ' $x ', '$x ', ' $x ']],
  ['@notes', ['@notes ', ' @notes ', '@notes ', ' @notes ']],
  ['  /help\r', ['\u2060/help', ' /help ', '\u2060/help', ' /help ']],
];

/** Texts too long for a table: bytes of UTF-8 and SHA-256 of what is given, and of what is typed into all four. */
const LONG: readonly (readonly [name: string, given: readonly [number, string], typed: readonly [number, string]])[] = [
  [
    '500 characters',
    [500, 'ca3d5788fd4b0eadcd1d11d1acffe1fb7ea4877465c4fb538714ba90c6909099'],
    [500, 'ca3d5788fd4b0eadcd1d11d1acffe1fb7ea4877465c4fb538714ba90c6909099'],
  ],
  [
    '4 KB in many lines', // ends with a blank
    [4096, 'f5d2ec6da5c5a5e8d57f0651c196a57f6df639a0f26dc32455b1c2720b5d0613'],
    [4095, 'b62b423a812d404fa6f14bc20c4867538cf31f3d594f1639d6f4279dff385986'],
  ],
  [
    '20 KB in many lines',
    [20_480, '434f770a917a295ff0ea0bf6e9f41fe64dcc8a31621045644a22bf1f45174645'],
    [20_480, '434f770a917a295ff0ea0bf6e9f41fe64dcc8a31621045644a22bf1f45174645'],
  ],
];

function prepared(text: string): readonly string[] {
  return TYPE_IDS.map((id) => {
    const type = TYPES.find((one) => one.id === id);
    assert.ok(type, id);
    return preparePrompt(text, type).prepared;
  });
}

const digest = (text: string): readonly [number, string] => [
  Buffer.byteLength(text),
  createHash('sha256').update(text).digest('hex'),
];
const payload = (name: string): string | undefined => PAYLOADS.find((one) => one.name === name)?.text('m1');

describe('what is typed into the real programs', () => {
  for (const [name, given, typed] of TABLE) {
    it(`of the payload "${name}" is exactly this`, () => {
      assert.equal(payload(name), given);
      assert.deepEqual(prepared(given), typed);
    });
  }

  for (const [given, typed] of ALONE)
    it(`of ${JSON.stringify(given)} alone is exactly this`, () => assert.deepEqual(prepared(given), typed));

  for (const [name, given, typed] of LONG) {
    it(`of the payload "${name}" is exactly this`, () => {
      const text = payload(name) ?? '';
      assert.deepEqual(digest(text), given);
      for (const each of prepared(text)) assert.deepEqual(digest(each), typed);
    });
  }

  it('is told for every payload', () => {
    const told = [...TABLE.map(([name]) => name), ...LONG.map(([name]) => name)];
    assert.deepEqual(told.sort(), PAYLOADS.map(({ name }) => name).sort());
  });

  it('is declared to be altered by Claude Code, Gemini CLI and opencode exactly as they were seen to', () => {
    const details = (id: string, text: string) =>
      preparePrompt(text, TYPES.find((one) => one.id === id) ?? assert.fail(id))
        .changes.map(({ detail }) => detail)
        .filter((detail) => detail.startsWith('the program itself '))
        .map((detail) => detail.slice('the program itself '.length));
    const blanks = 'drops blanks around the text';
    const atEnd = (length: number): string => `${'x'.repeat(length - 4)} @x`; // and the blank that is typed behind it
    assert.deepEqual(details('claude-code', `a\t${atEnd(798)}`), ['turns tabs into four spaces', blanks]);
    assert.deepEqual(details('claude-code', atEnd(801)), [`${blanks}, if it takes it while it works`]);
    assert.deepEqual(details('claude-code', 'a\nb\n@x'), [blanks]);
    assert.deepEqual(details('claude-code', 'a\nb\nc\n@x'), [`${blanks}, if it takes it while it works`]);
    assert.deepEqual(details('opencode', 'x'.repeat(150)), []);
    for (const long of ['x'.repeat(151), 'a\nb\nc']) assert.deepEqual(details('opencode', long), ['adds a space behind a long text']); // prettier-ignore
    assert.deepEqual(details('opencode', 'a\nb'), []);
    const mentions = 'replaces @names by the paths it finds, and adds the files';
    assert.deepEqual(details('gemini', 'a\ufeffb @x'), [blanks, 'drops characters without width', mentions]);
    assert.deepEqual(details('codex', 'a\tb\u200b @x'), [blanks]);
  });

  it('has as guard of Claude Code and Gemini the three bytes of U+2060, of the others a blank', () => {
    const first = prepared('/x y').map((text) => Buffer.from(text).toString('hex'));
    assert.deepEqual(first, ['e281a02f782079', '202f782079', 'e281a02f782079', '202f782079']);
  });
});
