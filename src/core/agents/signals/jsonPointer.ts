/** The value that a JSON pointer (RFC 6901) leads to; undefined when it leads nowhere. */
export function atPointer(value: unknown, pointer: string): unknown {
  if (pointer === '') return value;
  let found = value;
  for (const part of pointer.slice(1).split('/')) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[key]; // its own property, as was just asked
  }
  return found;
}

/** The same for a text; anything else is undefined. */
export function textAt(value: unknown, pointer: string | undefined): string | undefined {
  const found = pointer === undefined ? undefined : atPointer(value, pointer);
  return typeof found === 'string' ? found : undefined;
}
