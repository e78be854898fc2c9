import { compilePattern, escapePattern, MAX_LINE_LENGTH, MAX_SCREEN_LINES, MAX_TEXT_LENGTH } from './boundedPattern';

/**
 * The lines of a screen as patterns may see them: the last {@link MAX_TEXT_LENGTH} characters and {@link MAX_SCREEN_LINES} lines, each line cut at
 * {@link MAX_LINE_LENGTH} and without blanks at its end, without the blank lines at the end. A first line that was cut in
 * the middle is dropped: it could look like a beginning.
 */
export function screenLines(text: string): readonly string[] {
  const lines = text.slice(-MAX_TEXT_LENGTH).split('\n');
  if (text.length > MAX_TEXT_LENGTH && lines.length > 1) lines.shift();
  let end = lines.length;
  while (end > 0 && lines[end - 1]?.trimEnd() === '') end--;
  return lines.slice(Math.max(0, end - MAX_SCREEN_LINES), end).map((line) => line.slice(0, MAX_LINE_LENGTH).trimEnd());
}

/** Compiles a pattern of a manifest that was parsed before. @throws {TypeError} for a manifest that did not pass `parseAgentType`. */
export function requirePattern(source: string, ignoreCase = false, shellName = ''): RegExp {
  const result = compilePattern(source.replaceAll('{shellName}', escapePattern(shellName)), ignoreCase);
  if (!result.ok) throw new TypeError(`pattern ${result.message}`);
  return result.pattern;
}
