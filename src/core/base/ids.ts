/** Makes identifiers that sort by creation time. Injected, so that tests are repeatable. */
export interface Ids {
  /** A ULID: 26 characters of Crockford base 32, strictly increasing within one process. */
  next(): string;
}

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const RANDOM_LENGTH = 16;

/**
 * Monotonic ULIDs (https://github.com/ulid/spec): 48 bits of wall-clock milliseconds, 80 bits of randomness that
 * are counted up within one millisecond and while the clock stands or goes back.
 */
export class UlidIds implements Ids {
  #lastMs = -1;
  #digits: number[] = [];

  constructor(
    private readonly nowMs: () => number,
    private readonly randomBytes: (size: number) => Uint8Array,
  ) {}

  next(): string {
    const now = Math.max(this.nowMs(), 0);
    if (now > this.#lastMs) {
      this.#lastMs = now;
      this.#digits = [...this.randomBytes(RANDOM_LENGTH)].map((byte) => byte & 31);
      this.#digits[0] = (this.#digits[0] ?? 0) & 15; // room to count up without overflow
    } else {
      this.#increment();
    }
    return encodeTime(this.#lastMs) + this.#digits.map((digit) => ALPHABET[digit]).join('');
  }

  #increment(): void {
    for (let i = RANDOM_LENGTH - 1; i >= 0; i--) {
      if (this.#digits[i] !== 31) {
        this.#digits[i] = (this.#digits[i] ?? 0) + 1;
        return;
      }
      this.#digits[i] = 0;
    }
    this.#lastMs++; // 2^79 ids in one millisecond: borrow from the next one
  }
}

function encodeTime(ms: number): string {
  let text = '';
  for (let rest = ms, i = 0; i < 10; i++) {
    text = ALPHABET[rest % 32] + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}
