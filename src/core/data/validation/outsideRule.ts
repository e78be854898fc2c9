import type { Clock } from '../../base/clock';
import { DataError } from '../dataErrors';
import { printable, problem, VALID, type ValidationProblem, type ValidationRule } from './validationRule';

/** A rule of somebody else that takes longer for one value is told of; it holds up everything else meanwhile. */
export const SLOW_RULE_MS = 50;
/** So many slow runs, one after the other, and the rule is not asked any more. */
export const SLOW_RULE_RUNS = 3;
const codePattern = /^[A-Za-z][A-Za-z0-9._-]{0,99}$/;
/** `publisher.extension/name`, as VS Code names extensions. */
const namespacedPattern =
  /^[A-Za-z0-9][A-Za-z0-9-]{0,99}\.[A-Za-z0-9][A-Za-z0-9._-]{0,99}\/[A-Za-z][A-Za-z0-9._-]{0,99}$/;
const maxPathLength = 2_000;

/** @throws {DataError} data.invalid – not a code */
export function requireRuleCode(code: unknown): void {
  if (typeof code !== 'string' || !(codePattern.test(code) || namespacedPattern.test(code)))
    throw new DataError(
      'data.invalid',
      'the code of a rule is a letter, then letters, digits, dots, _ or -; before it there may be the id of an extension and /',
    );
}

/** Whether it is a name of somebody else's: `publisher.extension/name`. */
export function isNamespaced(name: unknown): name is string {
  return typeof name === 'string' && namespacedPattern.test(name);
}

/**
 * A rule of somebody else that may keep new records out and nothing more: what is kept already must stay changeable (an agent must be
 * stoppable whatever others think of it), so that of a change, and of a rule that failed, only warnings are left.
 */
export function refusesNewOnly(rule: ValidationRule): ValidationRule {
  return {
    code: rule.code,
    description: rule.description,
    ...(rule.severity && { severity: rule.severity }),
    validate: (value, context) => {
      const found = context.check(rule, value);
      if (!found.some(({ severity }) => severity === 'error')) return found;
      const isChange = context.input.previous !== undefined;
      return found.map((one) => (isChange || one.code === 'rule_failed' ? { ...one, severity: 'warning' } : one));
    },
  };
}

/**
 * A rule that comes from outside of the product (its API), contained: it sees a copy of the value and cannot change it;
 * what it throws, and an answer that is no list of problems, is the problem `rule_failed`; its texts are cut and cleaned.
 * Code that runs cannot be interrupted: a slow run is told of by the warning `rule_slow`, and after
 * {@link SLOW_RULE_RUNS} in a row the rule is left out, which the warning `rule_suspended` says of every value.
 * @throws {DataError} data.invalid – the code is none
 */
export function containedRule(rule: ValidationRule, clock: Clock): ValidationRule {
  requireRuleCode(rule.code);
  const self = {
    code: rule.code,
    description: printable(String(rule.description), 200),
    severity: rule.severity === 'warning' ? ('warning' as const) : ('error' as const),
  };
  const warn = { code: rule.code, severity: 'warning' as const };
  let slowRuns = 0;
  return {
    ...self,
    validate: (value, context) => {
      if (slowRuns >= SLOW_RULE_RUNS)
        return problem(warn, 'rule_suspended', 'this rule was too slow and is not checked any more');
      const startedAtMs = clock.monotonicMs();
      let found: readonly ValidationProblem[];
      try {
        const copy: unknown = typeof value === 'object' && value !== null ? structuredClone(value) : value;
        found = readAnswer(rule.validate(copy, context), self, context.maxProblems);
      } finally {
        slowRuns = clock.monotonicMs() - startedAtMs > SLOW_RULE_MS ? slowRuns + 1 : 0;
      }
      return slowRuns === 0 ? found : [...found, ...problem(warn, 'rule_slow', 'this rule takes too long')];
    },
  };
}

/** @throws {TypeError} it is no list of problems */
function readAnswer(
  answer: unknown,
  rule: Pick<ValidationRule, 'code' | 'severity'>,
  maxProblems: number,
): readonly ValidationProblem[] {
  if (answer instanceof Promise) answer.catch(() => undefined); // its failure is told by the answer being wrong
  if (!Array.isArray(answer)) throw new TypeError('no list of problems');
  if (answer.length === 0) return VALID;
  return answer.slice(0, maxProblems + 1).map((given: unknown) => {
    if (typeof given !== 'object' || given === null) throw new TypeError('no problem');
    const { path, code, message, severity } = given as Readonly<Record<string, unknown>>; // each is looked at below
    const isPath = typeof path === 'string' && path.length <= maxPathLength && (path === '' || path.startsWith('/'));
    return {
      path: isPath ? path : '',
      rule: rule.code,
      code: typeof code === 'string' && codePattern.test(code) ? code : rule.code,
      message: typeof message === 'string' ? printable(message, 200) : 'is not valid',
      severity: rule.severity === 'warning' || severity === 'warning' ? 'warning' : 'error',
    };
  });
}
