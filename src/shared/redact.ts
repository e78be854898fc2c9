/** What takes the place of a secret. */
export const REDACTED = '[redacted]';

/**
 * What a secret is, by who issues it or where it stands. `named`: a value behind a name like `password=`. `environment`: the
 * value of an environment variable, on the line of an approved command that names it (`approvalText` writes those).
 */
export type SecretKind =
  | 'privateKey'
  | 'authorization'
  | 'urlCredentials'
  | 'jwt'
  | 'providerKey'
  | 'githubToken'
  | 'aws'
  | 'slack'
  | 'registryToken'
  | 'ownToken'
  | 'named'
  | 'environment';

/** How a name ends that has a secret behind it: `API_KEY`, `GITHUB_TOKEN`, `dbPassword`. */
const names =
  '(?:api[_-]?key|access[_-]?token|refresh[_-]?token|client[_-]?secret|secret[_-]?access[_-]?key|private[_-]?key|secret|password|passwd|pwd|token)';

/** Group 2. Three are one; in a text inside of a text they have backslashes. */
const openingQuote = String.raw`((\\{0,7}["'])(?:\3\3)?)`;
const closingQuote = String.raw`(?=(?<!\\)\2(?!\\+''))`;
/**
 * What follows an opening quote: up to the same quote where that is not escaped, as `\"` or as a shell does it (`'\''`), else to the end of
 * the line. Nothing looks further than 4 000 characters: hostile text costs no time.
 */
const quotedValue = String.raw`(?!\2)(?:(?:'\\+''|(?!'\\+'')[^]){1,4000}?${closingQuote}|[^\r\n]+)`;
/** Behind a bare name the quote may also end a text (`read -p "Password: " it`, `"?token="+it`): what looks so is a value on one line at most. */
const likelyValue = String.raw`(?:[)\]},;+][^\r\n]{0,4000}?${closingQuote}|(?![\s)\]},;+])${quotedValue})`;

/**
 * Shapes of secrets, each replaced by {@link REDACTED}; a group 1, where there is one, stays. Ordered: what may
 * contain another comes first. The prefixes are those their issuers document (OpenAI and Anthropic `sk-`, GitHub
 * `ghp_`/`gho_`/`ghu_`/`ghs_`/`ghr_`/`github_pat_`, AWS `AKIA`/`ASIA`, Slack `xox?-`, Google `AIza`, npm `npm_`,
 * GitLab `glpat-`); JWTs by RFC 7515 compact serialisation.
 */
const shapes: readonly (readonly [kind: SecretKind, shape: RegExp])[] = [
  ['privateKey', /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g],
  ['authorization', /(authorization["'\\]*\s*[:=]\s*["'\\]*(?:(?:bearer|basic|token|digest)\s+)?)[^\s"'\\,;]+/gi],
  ['authorization', /\b(bearer\s+)[A-Za-z0-9._~+/=-]{8,}/gi],
  ['urlCredentials', /\b([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/@:"']*:[^\s/@"']+(?=@)/gi],
  ['jwt', /\beyJ[A-Za-z0-9_-]{5,4000}\.[A-Za-z0-9_-]{2,}(?:\.[A-Za-z0-9_-]*)?/g],
  ['providerKey', /\bsk-[A-Za-z0-9_-]{8,}/g],
  ['githubToken', /\b(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,})/g],
  ['aws', /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g],
  ['aws', /(aws_?(?:secret_?access_?key|session_?token)["'\\]*\s*[:=]\s*["'\\]*)[A-Za-z0-9/+=]{16,}/gi],
  ['slack', /\bxox[abeoprs]-[A-Za-z0-9-]{8,}/g],
  ['providerKey', /\bAIza[A-Za-z0-9_-]{30,}/g],
  ['registryToken', /\b(?:npm_[A-Za-z0-9]{30,}|glpat-[A-Za-z0-9_-]{16,})/g],
  ['ownToken', /\bcore_[a-z]+_[A-Za-z0-9_-]{16,}/g],
  ['environment', /( {2}(?:adds )?environment: [^=\n]{1,1000}=)[^\n]+/g],
  ['named', new RegExp(String.raw`(${names}["'\\]+\s*[:=]\s*\$?${openingQuote})${quotedValue}`, 'gi')],
  ['named', new RegExp(String.raw`(${names}\s*[:=]\s*\$?${openingQuote})${likelyValue}`, 'gi')],
  ['named', new RegExp(String.raw`(${names}["'\\]*\s*[:=]\s*["'\\]*)[^\s"'\\,;&]{4,}`, 'gi')],
];

/** Every shape has one of these in it: one quick look, at characters that most words do not have, spares the others. */
const mark = /[-_:=J]|IA|AIz|[rR]\s/;

/** Every shape has one of these in it, too: a closer look before the many. */
const hint =
  /-----BEGIN |authorization|bearer\s|:\/\/|eyJ|sk-|gh[pousr]_|github_pat_|AKIA|ASIA|aws_?se|xox[abeoprs]-|AIza|npm_|glpat-|core_| environment: |(?:api[_-]?key|access[_-]?key|private[_-]?key|secret|passwo?r?d|pwd|token)["'\\]*\s*[:=]/i;

/**
 * Looser, and for the JSON text of a value: there a line break is two letters and a quote has a backslash. It has one of these in it when
 * {@link redact} would change a text of the value, or when a name in it is one of {@link isSecretName}.
 */
const jsonHint =
  /-----BEGIN |authorization|bearer|:\/\/|eyJ|sk-|gh[pousr]_|github_pat_|AKIA|ASIA|aws_?se|xox[abeoprs]-|AIza|npm_|glpat-|core_| environment: |api[_-]?key|private[_-]?key|secret|passw|pwd|token/i;

/** Each alternative of {@link jsonHint} has one of these in it, in small letters; few texts have any. */
const jsonMarks = [
  ...['-be', 'riz', 'bea', '://', 'eyj', 'sk-', 'hp_', 'ho_', 'hu_', 'hs_', 'hr_', 'ub_', 'aki', 'sia', 'aws', 'xox'],
  ...['iza', 'pm_', 'lpa', 're_', 'pik', 'pi_', 'pi-', 'tek', 'te_', 'te-', 'ecr', 'ssw', 'pwd', 'tok', 'onm'],
];
/** Three characters as one number: 7 bits each, small and capital letters alike. */
const markBits = 21;
const fold = (unit: number): number => (unit > 127 ? 0 : unit | 32);
const markSet = new Uint32Array(2 ** (markBits - 5));
for (const text of jsonMarks) {
  const mark = [...text].reduce((sum, letter) => (sum << 7) | fold(letter.charCodeAt(0)), 0);
  markSet[mark >>> 5] = (markSet[mark >>> 5] ?? 0) | (1 << (mark & 31));
}

/** One pass over the text, a few times faster than {@link jsonHint}. */
function hasMark(json: string): boolean {
  let last = 0;
  for (let i = 0; i < json.length; i++) {
    const unit = json.charCodeAt(i);
    last = ((last << 7) | (unit > 127 ? 0 : unit | 32)) & (2 ** markBits - 1);
    if (((markSet[last >>> 5] ?? 0) & (1 << (last & 31))) !== 0) return true;
  }
  return false;
}

/** False: the JSON text of this value holds nothing that {@link redact} or {@link isSecretName} knows as a secret. */
export function mayHoldSecret(json: string): boolean {
  return hasMark(json) && jsonHint.test(json);
}

export const secretKinds: readonly SecretKind[] = [...new Set(shapes.map(([kind]) => kind))];

/** Replaces everything in `text` that looks like a secret. Called where log lines and exports leave the program. */
export function redact(text: string): string {
  return redactKinds(text, undefined);
}

/** The same for secrets of `kinds` alone; undefined: all. */
export function redactKinds(text: string, kinds: ReadonlySet<SecretKind> | undefined): string {
  if (!mark.test(text) || !hint.test(text)) return text;
  let result = text;
  for (const [kind, shape] of shapes) {
    if (kinds && !kinds.has(kind)) continue;
    result = result.replace(shape, (_match, kept: unknown) => (typeof kept === 'string' ? kept : '') + REDACTED);
  }
  return result;
}

const secretName = new RegExp(`(?:${names}|authorization)$`, 'i');

/** True for the name of a property that holds a secret: `password`, `apiKey`, `GITHUB_TOKEN`; not for `tokens`. */
export function isSecretName(name: string): boolean {
  return secretName.test(name);
}
