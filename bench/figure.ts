import { appendFileSync } from 'node:fs';

/** One measured value with its goal. Printed as a row of `npm run bench`, written as one element of its JSON. */
export interface Figure {
  /** Dotted and stable: `tmux.command.p50`. */
  readonly name: string;
  readonly value: number;
  /** `ms`, `s`, `cores`, `MB`, `bytes`, `1` for a plain count. */
  readonly unit: string;
  /** The same thing done the other way, measured in the same run, in the same unit; null when the goal is absolute. */
  readonly baseline: number | null;
  /** value ÷ baseline. */
  readonly ratio: number | null;
  /** In words: `ratio <= 0.125`, `value <= 10`. */
  readonly goal: string;
  readonly holds: boolean;
}

/** What must hold: of value ÷ baseline (`ratioAtMost`) or of the value itself. Give one; with several, all must hold. */
export interface Goal {
  readonly ratioAtMost?: number;
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** Judges a measurement. @throws {Error} when a ratio is asked for without a baseline above 0, or no goal is given. */
export function figure(name: string, value: number, unit: string, goal: Goal, baseline?: number): Figure {
  const ratio = baseline === undefined ? null : value / baseline;
  const parts: string[] = [];
  let holds = Number.isFinite(value);
  const judge = (text: string, isMet: boolean): void => {
    parts.push(text);
    holds &&= isMet;
  };
  if (goal.ratioAtMost !== undefined) {
    if (ratio === null || !Number.isFinite(ratio)) throw new Error(`${name}: a ratio needs a baseline above 0`);
    judge(`ratio <= ${short(goal.ratioAtMost)}`, ratio <= goal.ratioAtMost);
  }
  if (goal.atMost !== undefined) judge(`value <= ${short(goal.atMost)}`, value <= goal.atMost);
  if (goal.atLeast !== undefined) judge(`value >= ${short(goal.atLeast)}`, value >= goal.atLeast);
  if (parts.length === 0) throw new Error(`${name}: a figure without a goal proves nothing`);
  return { name, value, unit, baseline: baseline ?? null, ratio, goal: parts.join(', '), holds };
}

/** Thrown by a bench for what this machine cannot measure: named in the summary, no failure. What was reported before counts. */
export class NotRunHere extends Error {
  override readonly name = 'NotRunHere';
}

/** What a bench's process writes for `bench/run.ts`, one per line. */
export type BenchLine = Figure | { readonly notRun: string };

/**
 * The body of a bench file (`bench/<name>.bench.ts`, run in a process of its own by `npm run bench`):
 * measures, and reports each figure as soon as it is known. A rejection fails the run, except with {@link NotRunHere}.
 */
export async function bench(body: (report: (figure: Figure) => void) => Promise<void>): Promise<void> {
  const file = process.env.CORE_BENCH_OUT;
  const write = (line: BenchLine): void => {
    if (file) appendFileSync(file, JSON.stringify(line) + '\n');
    else process.stdout.write(JSON.stringify(line) + '\n');
  };
  try {
    await body(write);
  } catch (error) {
    if (!(error instanceof NotRunHere)) throw error;
    write({ notRun: error.message });
  }
}

/** The p-th percentile (0–100) by nearest rank. @throws {Error} when there are no values. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil((p / 100) * sorted.length) - 1))];
  if (value === undefined) throw new Error('no values were measured');
  return value;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = percentile(sorted, 50);
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[sorted.length / 2] ?? upper)) / 2;
}

/**
 * Measures two ways in turns, so that a slow minute of the machine hits both: `rounds` times each, the order swapped
 * every round. Each way returns its own values of one round.
 */
export async function interleave(
  rounds: number,
  ways: { readonly ours: () => Promise<readonly number[]>; readonly baseline: () => Promise<readonly number[]> },
): Promise<{ readonly ours: readonly number[]; readonly baseline: readonly number[] }> {
  const ours: number[] = [];
  const baseline: number[] = [];
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) ours.push(...(await ways.ours()));
    baseline.push(...(await ways.baseline()));
    if (round % 2 === 1) ours.push(...(await ways.ours()));
  }
  return { ours, baseline };
}

/** Milliseconds that one call takes. */
export async function timed(call: () => unknown): Promise<number> {
  const startedMs = performance.now();
  await call();
  return performance.now() - startedMs;
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
