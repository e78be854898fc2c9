/** Reading of JSON that a program sent: nothing about its shape is taken for granted. */
export function field(value: unknown, ...path: readonly string[]): unknown {
  let at = value;
  for (const key of path) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = (at as Record<string, unknown>)[key]; // an object, as just seen
  }
  return at;
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The text parts of a message's content, which is a string or a list of parts. */
export function textParts(content: unknown): readonly string[] {
  if (typeof content === 'string') return [content];
  return list(content).flatMap((part) => {
    const words = field(part, 'text');
    return typeof words === 'string' ? [words] : [];
  });
}

/** A tool's result as one text, whatever it is wrapped in. */
export function resultText(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map((part) => text(field(part, 'text')) || resultText(part)).join('\n');
  const inner = field(value, 'output') ?? field(value, 'content') ?? field(value, 'text');
  return inner === undefined ? JSON.stringify(value) : resultText(inner);
}
