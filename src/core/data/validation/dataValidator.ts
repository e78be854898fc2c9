import type { Clock } from '../../base/clock';
import { type Disposable, toDisposable } from '../../base/disposable';
import { DataError } from '../dataErrors';
import { checkKind } from '../recordCodec';
import { containedRule, requireRuleCode } from './outsideRule';
import { printable, type ValidationInput, type ValidationProblem, type ValidationRule } from './validationRule';
import { type RunOptions, runRules, type ValidationResult } from './validationRun';

export interface RegisterOptions {
  /** `outside`: it came through the API and is contained (`outsideRule.ts`). Default `product`. */
  readonly origin?: 'product' | 'outside';
}

/** The rules that values of each kind must fulfil. Several of one kind all hold, in the order of their registration. */
export class DataValidator {
  /** Lists are replaced, never changed: a validation sees the rules that were there when it began. */
  readonly #rules = new Map<string, readonly ValidationRule[]>();

  constructor(private readonly clock: Clock) {}

  /**
   * Adds a rule for values of `kind` until the result is disposed. `named` gives a composed rule a code of its own.
   * @throws {DataError} data.invalid – `kind` or the code is no name, or the kind has a rule with this code
   */
  register(kind: string, rule: ValidationRule, options: RegisterOptions = {}): Disposable {
    checkKind(kind);
    requireRuleCode(rule.code);
    const present = this.#rules.get(kind) ?? [];
    if (present.some(({ code }) => code === rule.code))
      throw new DataError('data.invalid', `${kind} has a rule with the code ${rule.code}`);
    const added = options.origin === 'outside' ? containedRule(rule, this.clock) : rule;
    this.#rules.set(kind, [...present, added]);
    return toDisposable(() => {
      const rest = (this.#rules.get(kind) ?? []).filter((one) => one !== added);
      if (rest.length > 0) this.#rules.set(kind, rest);
      else this.#rules.delete(kind);
    });
  }

  /** Whether values of `kind` have anything to fulfil. */
  has(kind: string): boolean {
    return this.#rules.has(kind);
  }

  /** The rules of `kind`, for people. */
  rules(kind: string): readonly Pick<ValidationRule, 'code' | 'description' | 'severity'>[] {
    return this.#rules.get(kind) ?? [];
  }

  /** Everything that is wrong. A kind without rules has nothing to fulfil. Throws only what the lookup of `input` throws. */
  validate(kind: string, value: unknown, input?: ValidationInput, options?: RunOptions): ValidationResult {
    return runRules(this.#rules.get(kind) ?? [], value, input, options);
  }

  /** What is wrong by the one rule of `kind` with this code; undefined when there is none. */
  validateBy(kind: string, code: string, value: unknown, input?: ValidationInput): ValidationResult | undefined {
    const rule = this.#rules.get(kind)?.find((one) => one.code === code);
    return rule && runRules([rule], value, input);
  }

  /** @throws {DataError} data.invalid with all problems */
  requireValid(kind: string, value: unknown, input?: ValidationInput, options?: RunOptions): void {
    const { ok, problems } = this.validate(kind, value, input, options);
    if (!ok) throw this.refusal(kind, problems);
  }

  /** data.invalid with these problems. */
  refusal(kind: string, problems: readonly ValidationProblem[]): DataError {
    return invalid(kind, problems);
  }

  /** The validator of one kind, as `validateStep` takes it. */
  of(kind: string): { readonly validate: (value: unknown) => ValidationResult } {
    return { validate: (value) => this.validate(kind, value) };
  }
}

/**
 * A `Collection.parse` that lets through what `rule` finds no errors in, unchanged. It is asked on the way in and out:
 * the rule says what the code relies on, and needs no lookup. Rules that may change while records are kept are
 * registered with a {@link DataValidator}: they must not make a record unreadable.
 */
export function parserFor<T>(kind: string, rule: ValidationRule<T>): (value: unknown) => T {
  const rules = [rule];
  return (value) => {
    const { ok, problems } = runRules(rules, value);
    if (!ok) throw invalid(kind, problems);
    return value as T; // the rule found no errors, which is what T says
  };
}

function invalid(kind: string, problems: readonly ValidationProblem[]): DataError {
  const errors = problems.filter(({ severity }) => severity === 'error');
  const [first] = errors;
  const where = first && first.path !== '' ? ` at ${printable(first.path)}` : '';
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return new DataError('data.invalid', `${kind} is not valid${where}: ${first?.message ?? 'refused'}${more}`, {
    problems,
  });
}
