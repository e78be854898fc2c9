/** A kind of text that has to arrive as it was prepared. */
export interface Payload {
  readonly name: string;
  /** `mark` makes it different from all others. */
  text(mark: string): string;
}

const lines = (mark: string, bytes: number): string => {
  let text = `A long text ${mark}:`;
  for (let line = 1; Buffer.byteLength(text) < bytes; line++)
    text += `\n${line}. the quick brown fox (${line * 7}) jumps over the lazy dog, "quoted", 'single', \\ back`;
  return text.slice(0, bytes);
};

/** Everything that prompts are known to be lost or changed by. */
export const PAYLOADS: readonly Payload[] = [
  { name: 'short', text: (mark) => `Say something ${mark}` },
  { name: '500 characters', text: (mark) => `${mark} ${'word and word '.repeat(40)}`.slice(0, 500).trim() },
  { name: '4 KB in many lines', text: (mark) => lines(mark, 4096) },
  { name: '20 KB in many lines', text: (mark) => lines(mark, 20_480) },
  { name: 'leading -', text: (mark) => `-x --flag ${mark}` },
  { name: 'leading /', text: (mark) => `/help is no command here ${mark}` },
  { name: 'leading !', text: (mark) => `!ls is no command either ${mark}` },
  { name: 'leading #', text: (mark) => `# A heading ${mark}` },
  { name: 'leading @', text: (mark) => `@notes.txt is a file ${mark}` },
  { name: 'semicolons', text: (mark) => `;one; two; three ${mark};` },
  { name: 'shell words', text: (mark) => `$(touch made) \`id\` \${HOME} $HOME && true ${mark}` },
  { name: 'quotes', text: (mark) => `"double" 'single' \\"both\\' ${mark}"` },
  { name: 'tabs', text: (mark) => `a\tb\tc\n\tindented ${mark}` },
  { name: 'CRLF', text: (mark) => `first ${mark}\r\nsecond\r\n\r\nfourth` },
  { name: 'emoji', text: (mark) => `🚀 🏳️‍🌈 👩‍👩‍👧 ${mark} ✅` },
  { name: 'CJK', text: (mark) => `日本語と中文、한국어 ${mark} 全角` },
  { name: 'right to left', text: (mark) => `שלום עולם ${mark} مرحبا بالعالم` },
  { name: 'escape sequences', text: (mark) => `red \u001b[31mtext\u001b[0m and \u001b[201~ an end ${mark}` },
  { name: 'last word @', text: (mark) => `Tell me ${mark} about @notes` },
  { name: 'characters without width', text: (mark) => `zero\u200bwidth \ufeffand \u2060more ${mark}` },
  { name: 'trailing backslash', text: (mark) => `A path ${mark} C:\\folder\\` },
];

/**
 * Whether what arrived is what was prepared, but for what the type declares (`alters`), done here again. A program
 * that trims sometimes drops blanks around short and queued texts and keeps them elsewhere: both are right then, and nothing else.
 * One that resolves mentions may continue an `@name` to the path that it found.
 */
export function isAsDeclared(arrived: string, prepared: string, alters: readonly string[]): boolean {
  let expected = prepared;
  for (const alteration of alters) {
    if (alteration === 'tabs_to_4_spaces') expected = expected.replaceAll('\t', '    ');
    else if (alteration === 'drops_zero_width') expected = expected.replace(/[\u200b\ufeff]/g, '');
    else if (alteration === 'trims') expected = expected.trim();
    else if (alteration === 'pads_long')
      expected += expected.length > 150 || expected.split('\n').length >= 3 ? ' ' : '';
    else if (!['trims_sometimes', 'resolves_mentions', 'joins_queued'].includes(alteration))
      throw new Error(`the test does not know what ${alteration} does`);
  }
  const forms = alters.includes('trims_sometimes')
    ? [expected, expected.trim(), expected.trimStart(), expected.trimEnd()]
    : [expected];
  const isSame = alters.includes('resolves_mentions')
    ? (form: string) => mentionsResolved(form).test(arrived)
    : (form: string) => form === arrived;
  return forms.some(isSame);
}

/** Each `@name` as it is, or with more of a path behind it; all else exactly. */
function mentionsResolved(text: string): RegExp {
  const parts = text.split(/(@\S+)/);
  const escaped = parts.map(
    (part, index) => part.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&') + (index % 2 === 1 ? '[\\w./-]*' : ''),
  );
  return new RegExp(`^${escaped.join('')}$`, 'u');
}
