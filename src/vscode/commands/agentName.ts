const LONGEST_NAME = 80;

/** What is wrong with a name for an agent; undefined when it may be used. */
export function nameProblem(text: string, taken: readonly string[]): string | undefined {
  const name = text.trim();
  if (name === '') return 'Give a name.';
  if ([...name].length > LONGEST_NAME) return `At most ${LONGEST_NAME} characters.`;
  if (/\p{Cc}/u.test(name)) return 'Control characters are not allowed.';
  return taken.includes(name) ? 'Another agent has this name.' : undefined;
}

/** A name nobody has: `Shell`, `Shell 2`, … */
export function freeName(base: string, taken: readonly string[]): string {
  for (let count = 1; ; count++) {
    const name = count === 1 ? base : `${base} ${count}`;
    if (!taken.includes(name)) return name;
  }
}
