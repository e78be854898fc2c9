/** A command line as a vector, or why it cannot be one. */
export type SplitCommandLine =
  | { readonly ok: true; readonly argv: readonly string[] }
  | { readonly ok: false; readonly problem: string };

/**
 * Splits at blanks like a shell, with '…', "…" and \x, and nothing else: no variables, no globs, no pipes. A character that
 * a shell would act on stays an ordinary one, so that what a person sees in the preview is what runs.
 */
export function splitCommandLine(text: string): SplitCommandLine {
  const argv: string[] = [];
  let word: string | undefined;
  let quote: '"' | "'" | undefined;
  for (let i = 0; i < text.length; i++) {
    const char = text[i] ?? '';
    if (char === '\0') return { ok: false, problem: 'The command line contains a NUL character.' };
    if (char === '\\' && quote !== "'") {
      const next = text[++i];
      if (next === undefined) return { ok: false, problem: 'The command line ends with a lone backslash.' };
      const isEscape = quote === undefined || next === '"' || next === '\\';
      word = (word ?? '') + (isEscape ? next : `\\${next}`);
    } else if (quote !== undefined) {
      if (char === quote) quote = undefined;
      else word = (word ?? '') + char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (/\s/.test(char)) {
      if (word !== undefined) argv.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + char;
    }
  }
  if (quote !== undefined) return { ok: false, problem: `A quotation mark (${quote}) is not closed.` };
  if (word !== undefined) argv.push(word);
  if (argv.length === 0 || argv[0] === '') return { ok: false, problem: 'Give a command.' };
  return { ok: true, argv };
}

/** The vector for a person's eyes: every element in quotation marks. */
export function showVector(argv: readonly string[]): string {
  return argv.map((element) => JSON.stringify(element)).join('  ');
}
