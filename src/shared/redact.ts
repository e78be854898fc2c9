/** What takes the place of a secret. */
export const REDACTED = '[redacted]';

/**
 * Shapes of secrets, each replaced by {@link REDACTED}; a group 1, where there is one, stays. Ordered: what may
 * contain another comes first. The prefixes are those their issuers document (OpenAI and Anthropic `sk-`, GitHub
 * `ghp_`/`gho_`/`ghu_`/`ghs_`/`ghr_`/`github_pat_`, AWS `AKIA`/`ASIA`, Slack `xox?-`, Google `AIza`, npm `npm_`,
 * GitLab `glpat-`); JWTs by RFC 7515 compact serialisation.
 */
const shapes: readonly RegExp[] = [
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  /\b((?:proxy-)?authorization["'\\]*\s*[:=]\s*["'\\]*(?:(?:bearer|basic|token|digest)\s+)?)[^\s"'\\,;]+/gi,
  /\b(bearer\s+)[A-Za-z0-9._~+/=-]{8,}/gi,
  /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@:"']*:[^\s/@"']+(?=@)/gi,
  /\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{2,}(?:\.[A-Za-z0-9_-]*)?/g,
  /\bsk-[A-Za-z0-9_-]{8,}/g,
  /\b(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,})/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /\b(aws_?(?:secret_?access_?key|session_?token)["'\\]*\s*[:=]\s*["'\\]*)[A-Za-z0-9/+=]{16,}/gi,
  /\bxox[abeoprs]-[A-Za-z0-9-]{8,}/g,
  /\bAIza[A-Za-z0-9_-]{30,}/g,
  /\b(?:npm_[A-Za-z0-9]{30,}|glpat-[A-Za-z0-9_-]{16,})/g,
  /\bcore_[a-z]+_[A-Za-z0-9_-]{16,}/g,
  /\b((?:api[_-]?key|access[_-]?token|refresh[_-]?token|client[_-]?secret|secret|password|passwd|pwd|token)["'\\]*\s*[:=]\s*["'\\]*)[^\s"'\\,;&]{4,}/gi,
];

/** Replaces everything in `text` that looks like a secret. Called at the one place where log lines leave the program. */
export function redact(text: string): string {
  let result = text;
  for (const shape of shapes) {
    result = result.replace(shape, (_match, kept: unknown) => (typeof kept === 'string' ? kept : '') + REDACTED);
  }
  return result;
}
