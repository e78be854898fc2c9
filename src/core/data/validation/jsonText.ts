/** What came of {@link boundedJson}. */
export type JsonText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly reason: 'depth' | 'size' | 'notJson' };

class TextFailure extends Error {
  constructor(readonly reason: 'depth' | 'size' | 'notJson') {
    super(reason);
  }
}

/**
 * JSON with sorted keys and no spaces, as the store writes it: equal values have equal text. Ends at once when the
 * text would be longer than `maxLength` or deeper than `maxDepth`, so that neither a cycle nor shared parts make it grow.
 * Throws only what reading the value throws.
 */
export function boundedJson(value: unknown, maxDepth: number, maxLength: number): JsonText {
  const pieces: string[] = [];
  try {
    new TextWriter(pieces, maxDepth, maxLength).write(value, 0);
    return { ok: true, text: pieces.join('') };
  } catch (error) {
    if (error instanceof TextFailure) return { ok: false, reason: error.reason };
    throw error;
  }
}

class TextWriter {
  #length = 0;

  constructor(
    private readonly pieces: string[],
    private readonly maxDepth: number,
    private readonly maxLength: number,
  ) {}

  write(value: unknown, depth: number): void {
    if (typeof value === 'string') return this.#text(value);
    if (typeof value === 'boolean' || value === null) return this.#add(String(value));
    if (typeof value === 'number' && Number.isFinite(value)) return this.#add(JSON.stringify(value));
    if (typeof value !== 'object') throw new TextFailure('notJson');
    if (depth >= this.maxDepth) throw new TextFailure('depth');
    if (Array.isArray(value)) this.#list(value, depth);
    else this.#object(value, depth);
  }

  #add(piece: string): void {
    this.#length += piece.length;
    if (this.#length > this.maxLength) throw new TextFailure('size');
    this.pieces.push(piece);
  }

  #text(text: string): void {
    if (this.#length + text.length > this.maxLength) throw new TextFailure('size');
    this.#add(JSON.stringify(text));
  }

  #list(items: readonly unknown[], depth: number): void {
    this.#add('[');
    for (let i = 0; i < items.length; i++) {
      if (i > 0) this.#add(',');
      this.write(items[i], depth + 1);
    }
    this.#add(']');
  }

  #object(value: object, depth: number): void {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== null && prototype !== Object.prototype) throw new TextFailure('notJson');
    this.#add('{');
    let isFirst = true;
    for (const key of Object.keys(value).sort()) {
      const item = (value as Record<string, unknown>)[key]; // own key of a plain object
      if (item === undefined) continue;
      if (!isFirst) this.#add(',');
      isFirst = false;
      this.#text(key);
      this.#add(':');
      this.write(item, depth + 1);
    }
    this.#add('}');
  }
}

const encoder = new TextEncoder();

/** Bytes of `text` as UTF-8. */
export function utf8Length(text: string): number {
  return encoder.encode(text).length;
}
