import type { InputAlterations } from '../../src/core/agents/agentType';
import { PROJECT_FILES } from './cliSetup';

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

/** Whether what arrived is what was prepared, but for what the type declares (`alters`), done here again. `whileWorking`: it came while the program worked. */
export function isAsDeclared(
  arrived: string,
  prepared: string,
  alters: InputAlterations,
  whileWorking = false,
): boolean {
  const unknown = Object.keys(alters).filter((name) => !KNOWN.has(name));
  if (unknown.length > 0) throw new Error(`the test does not know what ${unknown.join(', ')} does`);
  return arrived === expectedForm(prepared, alters, whileWorking);
}

/** `joinsQueued` alters no text that is let in alone. */
const KNOWN: ReadonlySet<string> = new Set<keyof InputAlterations>([
  'tabSpaces', 'trims', 'collapses', 'padsCollapsed', 'dropsZeroWidth', 'resolvesMentions', 'joinsQueued',
]); // prettier-ignore

/** What becomes of a text. Blanks are trimmed where `alters` says so, before a mention is resolved. */
function expectedForm(prepared: string, alters: InputAlterations, whileWorking: boolean): string {
  const { tabSpaces, trims, collapses, padsCollapsed, dropsZeroWidth = '', resolvesMentions } = alters;
  let text = tabSpaces === undefined ? prepared : prepared.replaceAll('\t', ' '.repeat(tabSpaces));
  const isLong =
    collapses !== undefined &&
    (text.length > collapses.overCharacters || text.split('\n').length > collapses.overLines);
  if (trims === 'always' || (trims === 'unlessCollapsed' && (!isLong || whileWorking))) text = text.trim();
  if (padsCollapsed && isLong) text += ' ';
  for (const character of dropsZeroWidth) text = text.replaceAll(character, '');
  return resolvesMentions ? text.replace(/@(\S+)/g, (_, name: string) => `@${resolved(name)}`) : text;
}

/** The path of the file that a mention finds in the project of a new home: the file itself, else one whose path holds the name; else as it is. */
function resolved(name: string): string {
  const files = Object.keys(PROJECT_FILES);
  if (files.includes(name)) return name;
  return files.find((file) => file.includes(name)) ?? name;
}
