const LINE_FEED = 10;
/** One for all: it keeps nothing between lines, and making one costs more than using it. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Why a line was not taken: too long, or no UTF-8. Whoever reads must end the connection: what follows cannot be understood. */
export type FrameProblem = 'tooLong' | 'notUtf8';

/**
 * Cuts a stream of bytes into lines of UTF-8 text. Never keeps more than `maxBytes` of a line that has no end yet; after a
 * problem it keeps nothing and takes nothing more.
 */
export class LineReader {
  #parts: Uint8Array[] = [];
  #size = 0;
  #problem: FrameProblem | undefined;

  /** @param maxBytes longest line, with its end */
  constructor(private readonly maxBytes: number) {}

  /** Bytes of an unfinished line. */
  get pendingBytes(): number {
    return this.#size;
  }

  /**
   * Hands each complete line, without its end, to `take`. `take` returns false to be given no more for now: the number of
   * bytes that were used is returned, and the rest is to be given again.
   */
  push(chunk: Uint8Array, take: (line: string) => boolean): number | FrameProblem {
    if (this.#problem) return this.#problem;
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(LINE_FEED, start);
      const stop = end < 0 ? chunk.length : end;
      if (this.#size + (stop - start) + 1 > this.maxBytes) return this.#fail('tooLong');
      if (end < 0) {
        if (stop > start) this.#keep(chunk.subarray(start));
        return chunk.length;
      }
      const line = this.#finish(chunk.subarray(start, end));
      if (line === undefined) return this.#fail('notUtf8');
      start = end + 1;
      if (!take(line)) return start;
    }
  }

  #keep(part: Uint8Array): void {
    this.#parts.push(part.slice()); // a copy: a view would keep the whole chunk, and chunks may be used again
    this.#size += part.length;
    if (this.#parts.length < 64) return;
    this.#parts = [joinBytes(this.#parts, this.#size)]; // a byte at a time must not cost an object per byte
  }

  #finish(last: Uint8Array): string | undefined {
    const bytes = this.#parts.length === 0 ? last : joinBytes([...this.#parts, last], this.#size + last.length);
    this.#parts = [];
    this.#size = 0;
    try {
      return decoder.decode(bytes);
    } catch {
      return undefined; // the decoder is fatal: this is no UTF-8
    }
  }

  #fail(problem: FrameProblem): FrameProblem {
    this.#problem = problem;
    this.#parts = [];
    this.#size = 0;
    return problem;
  }
}

/** One array of all `parts`, which have `size` bytes together. */
export function joinBytes(parts: readonly Uint8Array[], size: number): Uint8Array {
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** True when arrays and objects are nested deeper than `maxDepth`. Looks at the text, so that nothing is parsed first; needs no stack. */
export function isDeeperThan(json: string, maxDepth: number): boolean {
  let depth = 0;
  let isInText = false;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (isInText) {
      if (code === 0x5c) at++;
      else if (code === 0x22) isInText = false;
    } else if (code === 0x22) {
      isInText = true;
    } else if (code === 0x5b || code === 0x7b) {
      if (++depth > maxDepth) return true;
    } else if (code === 0x5d || code === 0x7d) {
      depth--;
    }
  }
  return false;
}
