import { child } from '../processing/report';
import {
  hasErrors,
  problem,
  VALID,
  type ValidationContext,
  type ValidationInput,
  type ValidationLookup,
  type ValidationProblem,
  type ValidationRule,
} from './validationRule';

/** Problems told of one value; above it the validation stops and says so. */
export const DEFAULT_MAX_PROBLEMS = 1_000;
/** Rules inside of rules: a record of 64 levels and several rules on each stay below it. */
const MAX_RULE_DEPTH = 512;
/** Checks of parts of one value, and work like it: well below a second, whatever the rules are. */
const MAX_STEPS = 5_000_000;
/** Names are cut here in paths: 1 000 problems stay small. */
const MAX_NAME_LENGTH = 200;

export interface ValidationResult {
  /** No errors; there may be warnings. */
  readonly ok: boolean;
  /** In the order of the rules and the value. When there were more than allowed, the last one has the code `stopped`. */
  readonly problems: readonly ValidationProblem[];
}

export interface RunOptions {
  /** 1 to 100 000, default {@link DEFAULT_MAX_PROBLEMS}. */
  readonly maxProblems?: number;
}

const runner = { code: 'validation' };
const tooDeep = problem(runner, 'too_deep', 'it is nested too deep to be checked');

/**
 * All problems that `rules` find in `value`. Never throws, whatever the value and the rules are, except what the
 * lookup of `input` throws, unchanged.
 */
export function runRules(
  rules: readonly ValidationRule[],
  value: unknown,
  input: ValidationInput = {},
  options: RunOptions = {},
): ValidationResult {
  const maxProblems = Math.min(Math.max(options.maxProblems ?? DEFAULT_MAX_PROBLEMS, 1), 100_000);
  const run = new ValidationRun(input, maxProblems);
  let problems: readonly ValidationProblem[] = VALID;
  for (const rule of rules) {
    const found = run.check(rule, value);
    if (found.length > 0) problems = problems.length === 0 ? found : [...problems, ...found];
    if (problems.length > maxProblems || run.isExhausted) break;
  }
  const isStopped = problems.length > maxProblems;
  if (isStopped) {
    const kept = problems.slice(0, maxProblems);
    problems = [
      ...kept,
      ...problem(runner, 'stopped', `there are more than ${maxProblems} problems: these are the first`),
    ];
  }
  if (run.isTooDeep && !problems.some(({ code }) => code === 'too_deep')) problems = [...problems, ...tooDeep];
  if (run.isExhausted)
    problems = [...problems, ...problem(runner, 'too_much_work', 'it is too large to be checked in full')];
  return { ok: !isStopped && !hasErrors(problems), problems };
}

class ValidationRun implements ValidationContext {
  #stepsLeft = MAX_STEPS;
  #depth = 0;
  /** Something was not looked at, which alternatives and conditions must not hide. */
  isTooDeep = false;
  /** What the lookup threw, in a box: it passes through all rules. */
  #escape: { readonly error: unknown } | undefined;
  #guarded: ValidationLookup | undefined;

  constructor(
    readonly input: ValidationInput,
    readonly maxProblems: number,
  ) {}

  get isExhausted(): boolean {
    return this.#stepsLeft < 0;
  }

  get lookup(): ValidationLookup {
    const { lookup } = this.input;
    if (!lookup) throw new Error('a lookup is needed');
    return (this.#guarded ??= {
      exists: (kind, id) => this.#outside(() => lookup.exists(kind, id)),
      idsWith: (kind, property, value) => this.#outside(() => lookup.idsWith(kind, property, value)),
    });
  }

  spend(steps: number): boolean {
    return (this.#stepsLeft -= steps) >= 0;
  }

  check(rule: ValidationRule, value: unknown): readonly ValidationProblem[] {
    if (--this.#stepsLeft < 0) return VALID;
    if (this.#depth >= MAX_RULE_DEPTH) {
      this.isTooDeep = true;
      return tooDeep;
    }
    this.#depth++;
    try {
      return rule.validate(value, this);
    } catch (error) {
      if (this.#escape) throw this.#escape.error;
      return problem(rule, 'rule_failed', failure(error));
    } finally {
      this.#depth--;
    }
  }

  checkAt(rule: ValidationRule, holder: object, key: string | number): readonly ValidationProblem[] {
    let value: unknown;
    try {
      value = (holder as Record<string | number, unknown>)[key]; // an own property or an index, as the caller asked
    } catch {
      return below(key, problem(rule, 'unreadable', 'it cannot be read'));
    }
    const found = this.check(rule, value);
    return found.length === 0 ? found : below(key, found);
  }

  #outside<T>(ask: () => T): T {
    try {
      return ask();
    } catch (error) {
      this.#escape = { error };
      throw error;
    }
  }
}

/** The same problems, seen from the holder of `key`. */
export function below(key: string | number, problems: readonly ValidationProblem[]): readonly ValidationProblem[] {
  const name = String(key);
  const at = child('', name.length <= MAX_NAME_LENGTH ? name : `${name.slice(0, MAX_NAME_LENGTH - 1)}…`);
  return problems.map(({ path, rule, code, message, severity }) => ({
    path: at + path,
    rule,
    code,
    message,
    severity,
  }));
}

/** What can be told of a failure without its message, which may hold anything. */
function failure(error: unknown): string {
  return error instanceof RangeError ? 'the rule itself failed (out of range)' : 'the rule itself failed';
}
