/**
 * Characters that change how text looks without being seen: C0 and C1 controls, DEL, soft hyphen, bidi controls and
 * marks, zero-width characters, line and paragraph separators, interlinear annotations, variation-free fillers, tags.
 * Screens, titles, file contents and names from agents may hold any of them (promises S6, S24).
 */
const INVISIBLE =
  // eslint-disable-next-line no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;
/** A terminal escape sequence as a whole, so that `ESC[31m` does not leave `[31m` behind. ECMA-48 5.4 and 5.6. */
const ESCAPE_SEQUENCE =
  // eslint-disable-next-line no-control-regex
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b[PX\]^_]|[\u0090\u0098\u009d-\u009f])[^\u001b\u0007\u009c]*(?:\u0007|\u001b\\|\u009c|$)|\u001b[ -/]*[0-~]/gu;
const LONE_SURROGATE = /[\ud800-\udfff]/gu;

/** One line of plain text for labels, tooltips and evidence: escape sequences and invisible characters removed, blanks collapsed, cut at `maxLength` with `…`. */
export function cleanText(text: string, maxLength = 200): string {
  const bounded = text.length > maxLength * 20 ? text.slice(0, maxLength * 20) : text;
  const clean = bounded
    .replace(ESCAPE_SEQUENCE, '')
    .replace(/[\t\n\r\u2028\u2029]+/gu, ' ')
    .replace(INVISIBLE, '')
    .replace(LONE_SURROGATE, '\ufffd')
    .replace(/ {2,}/g, ' ')
    .trim();
  const characters = [...clean];
  return characters.length <= maxLength ? clean : characters.slice(0, maxLength - 1).join('') + '…';
}

/** The same for a whole screen: line breaks stay, tabs become one blank, nothing is cut. */
export function cleanScreen(text: string): string {
  return text
    .replace(ESCAPE_SEQUENCE, '')
    .split('\n')
    .map((line) => line.replace(/\t/g, ' ').replace(INVISIBLE, '').replace(LONE_SURROGATE, '\ufffd'))
    .join('\n');
}

/** The complete text with everything invisible spelled out (`\u{202e}`, `\n`, `\t`): what a person approves must be what runs (S24). */
export function revealText(text: string): string {
  return text
    .replace(/\\/g, '\\\\')
    .replace(/\n/g, '\\n')
    .replace(/\r/g, '\\r')
    .replace(/\t/g, '\\t')
    .replace(INVISIBLE, spell)
    .replace(LONE_SURROGATE, spell)
    .replace(/[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g, spell); // blanks that are not the blank
}

/** Several lines for people who decide by them: nothing is removed, everything invisible but line breaks and tabs is spelled out (`\\u{202e}`). */
export function spellText(text: string): string {
  return text
    .replace(/\r\n/g, '\n')
    .replace(INVISIBLE, (character) => (character === '\n' || character === '\t' ? character : spell(character)))
    .replace(LONE_SURROGATE, spell);
}

function spell(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
