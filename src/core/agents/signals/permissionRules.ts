import { compilePattern } from '../boundedPattern';
import type { AllowRule, PermissionRequest } from '../permissionRequest';

/** The longest command that a rule may allow: patterns are bounded for lines of this length. */
const MAX_SUBJECT_LENGTH = 256;

/**
 * The first rule by which `request` is allowed without a person. Only what a hook told exactly and completely can match: tool by its exact
 * name, the whole command or path (of one line) against the anchored pattern. A rule that does not compile matches nothing.
 */
export function matchingRule(
  rules: readonly AllowRule[],
  typeId: string,
  request: Pick<PermissionRequest, 'kind' | 'tool' | 'source' | 'isCut'>,
  subject: string | undefined,
): AllowRule | undefined {
  if (request.kind !== 'permission' || request.source !== 'hook' || request.isCut) return undefined;
  if (subject === undefined || subject.length > MAX_SUBJECT_LENGTH || /[\n\r\u2028\u2029]/u.test(subject))
    return undefined;
  return rules.find((rule) => {
    if ((rule.type !== '*' && rule.type !== typeId) || rule.tool !== request.tool) return false;
    const compiled = compilePattern(`^(?:${rule.pattern})$`);
    return compiled.ok && compiled.pattern.test(subject);
  });
}
