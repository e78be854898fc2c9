/** Steps of cutting: longest text in characters, most elements of a list or fields of an object. The structure goes last. */
const STEPS: readonly (readonly [characters: number, items: number])[] = [
  [256 * 1024, 10_000],
  [64 * 1024, 10_000],
  [16 * 1024, 2_000],
  [4 * 1024, 1_000],
  [1024, 500],
  [256, 200],
  [64, 50],
  [16, 10],
];

/**
 * The payload as JSON of at most `maxBytes` UTF-8 bytes and `maxDepth` levels: as it is when it fits, else with its longest texts
 * cut (each says so at its end), then its lists. What is nested deeper is left out. Never throws for a value that JSON.parse gave.
 */
export function fitPayload(payload: unknown, maxBytes: number, maxDepth: number): string {
  for (const [characters, items] of [[Infinity, Infinity] as const, ...STEPS]) {
    const json = JSON.stringify(cut(payload, characters, items, maxDepth)) ?? 'null';
    if (Buffer.byteLength(json) <= maxBytes) return json;
  }
  return '{}';
}

function cut(value: unknown, characters: number, items: number, depth: number): unknown {
  if (typeof value === 'string') return cutText(value, characters);
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 0) return '…';
  if (Array.isArray(value))
    return (value as readonly unknown[]).slice(0, items).map((item) => cut(item, characters, items, depth - 1));
  const fields = Object.entries(value).slice(0, items);
  // Object.fromEntries defines its keys: one that is called __proto__ stays a field.
  return Object.fromEntries(
    fields.map(([key, field]) => [cutText(key, characters), cut(field, characters, items, depth - 1)]),
  );
}

function cutText(text: string, characters: number): string {
  if (text.length <= characters) return text;
  const end = text.charCodeAt(characters - 1) >> 10 === 0x36 ? characters - 1 : characters; // no half of a surrogate pair
  return `${text.slice(0, end)}… [${text.length - end} characters cut]`;
}
