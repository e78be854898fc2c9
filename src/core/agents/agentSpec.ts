import { AGENT_ID_PATTERN, type AgentId, type AgentSpec, isAgentId } from './agent';
import { AgentError, type Problem } from './agentErrors';
import { RestartPolicy } from './agentState';
import { join, JsonReader } from './jsonReader';
import { cleanText } from './visibleText';

export type SpecResult =
  | { readonly ok: true; readonly spec: AgentSpec }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Every property of an {@link AgentSpec}. */
export const SPEC_PROPERTIES = [
  'name',
  'typeId',
  'folder',
  'role',
  'team',
  'firstPrompt',
  'args',
  'env',
  'command',
  'restartPolicy',
] as const;
export const MAX_NAME_LENGTH = 80;
/** 64 KiB: what can be pasted at once (S4). */
export const MAX_PROMPT_LENGTH = 65_536;
const ARGUMENT = { minLength: 0, maxLength: 32_768 } as const;
const ADDRESS = {
  maxLength: 60,
  pattern: /^[\p{L}\p{N}][\p{L}\p{N} ._-]*$/u,
  expected: 'must be letters, digits, blank, . _ -',
} as const;

/** Checks a spec from a caller outside the type checker and reports everything that is wrong. Never throws. */
export function parseAgentSpec(value: unknown, path = ''): SpecResult {
  const json = new JsonReader();
  const object = json.object(value, path);
  if (!object) return { ok: false, problems: json.problems };
  json.onlyKnown(object, path, SPEC_PROPERTIES);
  const at = (key: string): string => join(path, key);
  const optional = <T>(key: string, read: (item: unknown, path: string) => T | undefined): T | undefined =>
    object[key] === undefined ? undefined : read(object[key], at(key));
  const name = readName(json, object['name'], at('name'));
  const typeId = json.string(object['typeId'], at('typeId'), { maxLength: 41 });
  const folder = json.string(object['folder'], at('folder'), {
    maxLength: 4096,
    pattern: /^(\/|[A-Za-z]:[\\/])/,
    expected: 'must be an absolute path',
  });
  const role = optional('role', (item, p) => json.string(item, p, ADDRESS));
  const team = optional('team', (item, p) => json.string(item, p, ADDRESS));
  const firstPrompt = optional('firstPrompt', (item, p) => json.string(item, p, { maxLength: MAX_PROMPT_LENGTH }));
  const args = optional('args', (item, p) => json.strings(item, p, 200, ARGUMENT));
  const env = optional('env', (item, p) => json.environment(item, p));
  const command = optional('command', (item, p) => json.strings(item, p, 200, ARGUMENT));
  if (command && (command[0] ?? '') === '') json.report(at('command'), 'must begin with a program');
  const restartPolicy = optional('restartPolicy', (item, p) => json.oneOf(item, p, Object.values(RestartPolicy)));
  if (json.problems.length > 0 || name === undefined || typeId === undefined || folder === undefined)
    return { ok: false, problems: json.problems };
  const spec: AgentSpec = {
    name, typeId, folder,
    ...(role !== undefined && { role }), ...(team !== undefined && { team }), ...(firstPrompt !== undefined && { firstPrompt }),
    ...(args && { args }), ...(env && { env }), ...(command && { command }), ...(restartPolicy && { restartPolicy }),
  }; // prettier-ignore
  return { ok: true, spec };
}

/** The same for callers without another way to report. @throws {AgentError} agent.invalidSpec, with all problems */
export function requireAgentSpec(value: unknown): AgentSpec {
  const result = parseAgentSpec(value);
  if (result.ok) return result.spec;
  throw invalidSpec(result.problems);
}

export function invalidSpec(problems: readonly Problem[]): AgentError {
  const first = problems[0];
  const rest = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  return new AgentError('agent.invalidSpec', `${first?.path ?? ''} ${first?.message ?? ''}${rest}`.trim(), {
    problems,
  });
}

/** A display name: 1–80 characters, something visible, nothing invisible. */
export function readName(json: JsonReader, value: unknown, path: string): string | undefined {
  const name = json.string(value, path, { maxLength: MAX_NAME_LENGTH });
  if (name === undefined) return undefined;
  if (name.trim() === '') return json.report(path, 'must not be blank');
  if (cleanText(name, MAX_NAME_LENGTH) !== name) {
    return json.report(
      path,
      'must be one line without control, bidirectional or invisible characters and without surrounding or double blanks',
    );
  }
  return name;
}

/** Two display names are the same when people cannot tell them apart by case or compatibility form. */
export function nameKey(name: string): string {
  return name.normalize('NFKC').toLowerCase().trim();
}

const MAX_ID_LENGTH = 41;

/**
 * The id for a display name: lower-case ASCII, everything else `-`, made unique by a number: `reviewer`, `reviewer-2`.
 * `isTaken` knows every id ever used in the workspace, those of removed agents too.
 */
export function agentIdFor(name: string, isTaken: (id: AgentId) => boolean): AgentId {
  const ascii = name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  const slug = ascii.replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 32).replace(/-+$/, '') || 'agent'; // prettier-ignore
  for (let count = 1; ; count++) {
    const id = count === 1 ? slug : `${slug}-${count}`;
    if (id.length > MAX_ID_LENGTH || !isAgentId(id)) throw new RangeError(`no agent id: ${AGENT_ID_PATTERN.source}`); // 10^8 agents of one name
    if (!isTaken(id)) return id;
  }
}
