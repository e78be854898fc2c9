import { compilePattern, escapePattern, MAX_LINE_LENGTH, MAX_SCREEN_LINES, MAX_TEXT_LENGTH } from './boundedPattern';

/**
 * The lines of a screen as patterns may see them: the last {@link MAX_TEXT_LENGTH} characters and {@link MAX_SCREEN_LINES} lines, each line cut at
 * {@link MAX_LINE_LENGTH} and without blanks at its end, without the blank lines at the end. A first line that was cut in
 * the middle is dropped: it could look like a beginning.
 */
export function screenLines(text: string): readonly string[] {
  const isCut = text.length > MAX_TEXT_LENGTH;
  const shown = text.slice(-MAX_TEXT_LENGTH).trimEnd();
  const lines: string[] = [];
  let end = shown.length;
  while (end >= 0 && shown !== '' && lines.length < MAX_SCREEN_LINES) {
    const start = end === 0 ? 0 : shown.lastIndexOf('\n', end - 1) + 1;
    lines.push(shown.slice(start, Math.min(end, start + MAX_LINE_LENGTH)).trimEnd());
    end = start - 1;
  }
  if (isCut && end < 0 && lines.length > 1) lines.pop();
  return lines.reverse();
}

/** Compiles a pattern of a manifest that was parsed before. @throws {TypeError} for a manifest that did not pass `parseAgentType`. */
export function requirePattern(source: string, ignoreCase = false, shellName = ''): RegExp {
  const result = compilePattern(source.replaceAll('{shellName}', escapePattern(shellName)), ignoreCase);
  if (!result.ok) throw new TypeError(`pattern ${result.message}`);
  return result.pattern;
}
