/** Relative error of a quantile: 1 % of its value. */
export const sketchError = 0.01;

/** Buckets kept for each sign: at 1 % they span 17 powers of ten; of a wider range the smallest values lose precision. */
const maxBuckets = 2_048;
const gamma = (1 + sketchError) / (1 - sketchError);
const logGamma = Math.log(gamma);

/**
 * Quantiles of any number of values in bounded memory: DDSketch (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable
 * quantile sketch with relative-error guarantees", VLDB 2019). The answer is within {@link sketchError} of a value
 * whose rank is asked for, as long as the magnitudes span at most 17 powers of ten.
 */
export class QuantileSketch {
  readonly #positive = new Map<number, number>();
  readonly #negative = new Map<number, number>();
  #zeroCount = 0;
  #count = 0;
  #min = Infinity;
  #max = -Infinity;

  /** @param value finite */
  add(value: number): void {
    this.#count++;
    this.#min = Math.min(this.#min, value);
    this.#max = Math.max(this.#max, value);
    const size = Math.abs(value);
    if (size < Number.MIN_VALUE * 2 ** 52) this.#zeroCount++;
    else count(value > 0 ? this.#positive : this.#negative, Math.ceil(Math.log(size) / logGamma));
  }

  /** The value of rank ⌊`ratio` · (count − 1)⌋, `ratio` from 0 to 1; undefined when nothing was added. */
  quantile(ratio: number): number | undefined {
    if (this.#count === 0) return undefined;
    const rank = Math.floor(ratio * (this.#count - 1));
    return Math.min(this.#max, Math.max(this.#min, this.#valueAt(rank)));
  }

  #valueAt(rank: number): number {
    let passed = 0;
    for (const index of [...this.#negative.keys()].sort((a, b) => b - a)) {
      passed += this.#negative.get(index) ?? 0;
      if (passed > rank) return -middleOf(index);
    }
    passed += this.#zeroCount;
    if (passed > rank) return 0;
    for (const index of [...this.#positive.keys()].sort((a, b) => a - b)) {
      passed += this.#positive.get(index) ?? 0;
      if (passed > rank) return middleOf(index);
    }
    return this.#max;
  }
}

/** The value whose relative distance to both ends of the bucket is {@link sketchError}. */
function middleOf(index: number): number {
  return (2 * Math.exp(index * logGamma)) / (gamma + 1);
}

function count(buckets: Map<number, number>, index: number): void {
  buckets.set(index, (buckets.get(index) ?? 0) + 1);
  if (buckets.size > maxBuckets) collapse(buckets);
}

/** The smallest eighth of the buckets becomes one: seldom, so that sorting does not weigh. */
function collapse(buckets: Map<number, number>): void {
  const lowest = [...buckets.keys()].sort((a, b) => a - b).slice(0, maxBuckets / 8);
  const keep = lowest.pop() ?? 0;
  for (const index of lowest) {
    buckets.set(keep, (buckets.get(keep) ?? 0) + (buckets.get(index) ?? 0));
    buckets.delete(index);
  }
}
