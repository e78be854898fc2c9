import { type ParseError, printParseErrorCode } from 'jsonc-parser';
import { cleanText } from './visibleText';

/** A mistake in JSON with comments, in words. */
export interface SyntaxProblem {
  /** What is wrong, and what is allowed there. */
  readonly message: string;
  /** Where it is mended: characters from the beginning. */
  readonly offset: number;
}

const VALUES = 'a text in double quotes, a number, true, false, null, a list [ ] or an object { }';
const LONGEST_SHOWN = 30;

/** By the parser's name of the mistake (jsonc-parser, `ParseErrorCode`). `found` is what stands there, quoted. */
const MESSAGES: Readonly<Record<string, (found: string) => string>> = {
  InvalidSymbol: (found) =>
    found.startsWith("'")
      ? `${found} is in single quotes: names and texts take double quotes`
      : `${found} is not understood: names and texts stand in double quotes; a value is ${VALUES}`,
  InvalidNumberFormat: (found) => `${found} is not a number: digits, with a point only between digits`,
  PropertyNameExpected: (found) => `${found} stands where a name in double quotes is expected`,
  ValueExpected: (found) => `${found} stands where a value is expected: ${VALUES}`,
  ColonExpected: () => 'a colon is missing between a name and its value',
  CommaExpected: () => 'a comma is missing after this',
  CloseBraceExpected: () => 'a closing } is missing after this',
  CloseBracketExpected: () => 'a closing ] is missing after this',
  EndOfFileExpected: (found) => `${found} comes after the end: the file is one object { }`,
  InvalidCommentToken: () => 'this is no comment: a comment is // to the end of the line, or /* to */',
  UnexpectedEndOfComment: () => 'a comment that begins with /* does not end: */ is missing',
  UnexpectedEndOfString: () =>
    'a text does not end on its line: a closing double quote is missing; a line break within is written \\n',
  UnexpectedEndOfNumber: (found) => `${found} is not a number: a digit is missing at its end`,
  InvalidUnicode: () => 'after \\u four digits of 0-9 and a-f are expected',
  InvalidEscapeCharacter: () =>
    'after a backslash one of " \\ / b f n r t u is expected; a backslash itself is written \\\\',
  InvalidCharacter: () => 'a control character stands in a text: a tab is written \\t, a line break \\n',
};
const MISSING_AFTER: ReadonlySet<string> = new Set([
  'ColonExpected', 'CommaExpected', 'CloseBraceExpected', 'CloseBracketExpected',
]); // prettier-ignore

/**
 * What a parser found, for a person: the first mistake of each line, since the others only follow from it. Pure.
 * @param errors as the parser reported them, in their order
 */
export function syntaxProblems(text: string, errors: readonly ParseError[]): readonly SyntaxProblem[] {
  const lines = new Set<number>();
  return errors
    .map((error) => problemOf(text, error))
    .filter(({ offset }) => {
      const line = text.lastIndexOf('\n', offset - 1);
      return !lines.has(line) && lines.add(line);
    });
}

function problemOf(text: string, { error, offset, length }: ParseError): SyntaxProblem {
  const name = printParseErrorCode(error);
  const found = cleanText(text.slice(offset, offset + length), LONGEST_SHOWN);
  const shown = found === '' ? 'the end' : found.startsWith("'") ? found : `"${found}"`;
  const message = MESSAGES[name]?.(shown) ?? `${shown} is not expected here`;
  return { message, offset: MISSING_AFTER.has(name) ? text.slice(0, offset).trimEnd().length : offset };
}
