import { AgentError, type Problem } from './agentErrors';
import { AGENT_KEYS, type AgentKey } from './agentHost';
import { AGENT_TYPE_ID_PATTERN, type AgentType, type QuitStep, type Readiness } from './agentType';
import { AlterationParser } from './alterationParser';
import { isJsonObject, join, JsonReader, type JsonObject } from './jsonReader';
import { ScreenRuleParser } from './screenRuleParser';
import { InjectionParser, SIGNAL_PROPERTIES } from './signals/injectionParser';
import { StatusFileParser } from './signals/statusFileParser';

export type TypeResult =
  | { readonly ok: true; readonly type: AgentType }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const TYPE_PROPERTIES = [
  '$schema', 'id', 'label', 'description', 'icon', 'detect', 'installHint', 'command', 'env', 'resume', 'readiness', 'screenRules',
  'silence', 'silentRetryMs', 'box', 'overlays', 'prompt', 'alters', 'quit', 'graceMs', 'notes',
  'statusFile', 'unseen',
  ...SIGNAL_PROPERTIES,
] as const; // prettier-ignore
const PROMPT_PROPERTIES = [
  'canPaste', 'submitKey', 'submitDelayMs', 'leadingSpace', 'leadingGuard', 'trailingSpace', 'firstAckMs',
  'queuesWhileBusy', 'holdWhile', 'restMs',
] as const; // prettier-ignore
const ARGUMENT = { minLength: 0, maxLength: 32_768 } as const;
const MAX_GRACE_MS = 120_000;

/** Reads a manifest from outside and reports everything that is wrong with it. `path` leads the problems' paths. Never throws. */
export function parseAgentType(manifest: unknown, path = ''): TypeResult {
  const reader = new JsonReader();
  const type = new TypeReader(reader).read(manifest, path);
  return type && reader.problems.length === 0 ? { ok: true, type } : { ok: false, problems: reader.problems };
}

/** The same for callers without another way to report. @throws {AgentError} agent.typeInvalid, with all problems */
export function requireAgentType(manifest: unknown): AgentType {
  const result = parseAgentType(manifest);
  if (result.ok) return result.type;
  const first = result.problems[0];
  throw new AgentError(
    'agent.typeInvalid',
    `${result.problems.length} problems, first: ${first?.path ?? ''} ${first?.message ?? ''}`,
    {
      problems: result.problems,
    },
  );
}

class TypeReader {
  readonly #screen: ScreenRuleParser;
  readonly #signals: InjectionParser;
  readonly #files: StatusFileParser;
  readonly #alterations: AlterationParser;

  constructor(private readonly json: JsonReader) {
    this.#screen = new ScreenRuleParser(json);
    this.#signals = new InjectionParser(json);
    this.#files = new StatusFileParser(json);
    this.#alterations = new AlterationParser(json);
  }

  read(manifest: unknown, path: string): AgentType | undefined {
    const object = this.json.object(manifest, path);
    if (!object) return undefined;
    this.json.onlyKnown(object, path, TYPE_PROPERTIES);
    const at = (key: string): string => join(path, key);
    const id = this.json.string(object['id'], at('id'), {
      maxLength: 41,
      pattern: AGENT_TYPE_ID_PATTERN,
      expected: 'must be a-z, 0-9 and -',
    });
    const label = this.json.string(object['label'], at('label'), { maxLength: 60 });
    const command = this.json.strings(object['command'], at('command'), 200, ARGUMENT);
    if (command && (command[0] ?? '') === '') this.json.report(at('command'), 'must begin with a program');
    const screenRules = this.#screen.rules(object['screenRules'] ?? [], at('screenRules'));
    const readiness = this.#readiness(object['readiness'], at('readiness'), screenRules.length);
    const prompt = this.#prompt(object['prompt'], at('prompt'));
    const optional = { ...this.#optional(object, at), ...this.#signals.read(object, at) };
    if (id === undefined || label === undefined || !command || !prompt) return undefined;
    return { id, label, command, readiness, screenRules, prompt, ...optional };
  }

  #optional(object: JsonObject, at: (key: string) => string) {
    const text = (key: string, maxLength: number) => this.json.optionalString(object[key], at(key), { maxLength });
    const description = text('description', 300);
    const installHint = text('installHint', 300);
    const icon = this.json.optionalString(object['icon'], at('icon'), {
      maxLength: 60,
      pattern: /^[a-z0-9-]+$/,
      expected: 'must be a codicon id',
    });
    const detect = object['detect'] === undefined ? undefined : this.#detect(object['detect'], at('detect'));
    const env = object['env'] === undefined ? undefined : this.json.environment(object['env'], at('env'));
    const resume =
      object['resume'] === undefined ? undefined : this.json.strings(object['resume'], at('resume'), 50, ARGUMENT);
    const silence = object['silence'] === undefined ? undefined : this.#silence(object['silence'], at('silence'));
    const box = object['box'] === undefined ? undefined : this.#screen.box(object['box'], at('box'));
    const overlays =
      object['overlays'] === undefined ? undefined : this.#screen.overlays(object['overlays'], at('overlays'));
    const altered = object['alters'];
    const alters = altered === undefined ? undefined : this.#alterations.alterations(altered, at('alters'));
    const file = object['statusFile'];
    const statusFile = file === undefined ? undefined : this.#files.statusFile(file, at('statusFile'));
    const unseen = object['unseen'] === undefined ? undefined : this.#files.unseen(object['unseen'], at('unseen'));
    const retry = object['silentRetryMs'];
    const silentRetryMs =
      retry === undefined ? undefined : this.json.integer(retry, at('silentRetryMs'), 10_000, 3_600_000);
    const notes =
      object['notes'] === undefined
        ? undefined
        : this.json.strings(object['notes'], at('notes'), 50, { maxLength: 500 });
    const quit =
      this.json.array(object['quit'] ?? [], at('quit'), 10, (item, path) => this.#quitStep(item, path)) ?? [];
    const graceMs =
      object['graceMs'] === undefined
        ? 5_000
        : (this.json.integer(object['graceMs'], at('graceMs'), 0, MAX_GRACE_MS) ?? 0);
    return {
      icon: icon ?? 'terminal',
      quit,
      graceMs,
      ...(description !== undefined && { description }),
      ...(installHint !== undefined && { installHint }),
      ...(detect && { detect }),
      ...(env && { env }),
      ...(resume && { resume }),
      ...(silence && { silence }),
      ...(silentRetryMs !== undefined && { silentRetryMs }),
      ...(box && { box }),
      ...(overlays && { overlays }),
      ...(alters && { alters }),
      ...(statusFile && { statusFile }),
      ...(unseen && { unseen }),
      ...(notes && { notes }),
    };
  }

  #detect(value: unknown, path: string): { readonly command: string } | undefined {
    const object = this.json.object(value, path);
    if (!object) return undefined;
    this.json.onlyKnown(object, path, ['command']);
    const command = this.json.string(object['command'], join(path, 'command'), { maxLength: 4096 });
    return command === undefined ? undefined : { command };
  }

  #silence(value: unknown, path: string): AgentType['silence'] {
    const object = this.json.object(value, path);
    if (!object) return undefined;
    this.json.onlyKnown(object, path, ['afterMs', 'pattern']);
    const afterMs = this.json.integer(object['afterMs'], join(path, 'afterMs'), 200, 600_000);
    const pattern = this.#screen.pattern(object['pattern'], join(path, 'pattern'));
    return afterMs === undefined || pattern === undefined ? undefined : { afterMs, pattern };
  }

  #readiness(value: unknown, path: string, ruleCount: number): Readiness {
    const fallback: Readiness = { when: 'settled', afterMs: 2_000 };
    if (value === undefined) return fallback;
    const object = this.json.object(value, path);
    if (!object) return fallback;
    this.json.onlyKnown(object, path, ['when', 'afterMs']);
    const when = this.json.oneOf(object['when'], join(path, 'when'), ['alive', 'settled', 'rule'] as const);
    if (when === 'rule' && ruleCount === 0) this.json.report(join(path, 'when'), 'needs at least one screen rule');
    const afterMs =
      object['afterMs'] === undefined ? 0 : this.json.integer(object['afterMs'], join(path, 'afterMs'), 0, 60_000);
    return { when: when ?? 'settled', afterMs: afterMs ?? 0 };
  }

  #prompt(value: unknown, path: string): AgentType['prompt'] | undefined {
    if (value === undefined) return { canPaste: false, submitKey: 'Enter', submitDelayMs: 100 };
    const object = this.json.object(value, path);
    if (!object) return undefined;
    this.json.onlyKnown(object, path, PROMPT_PROPERTIES);
    const at = (key: string): string => join(path, key);
    const canPaste = this.json.boolean(object['canPaste'], at('canPaste'));
    const submitKey =
      object['submitKey'] === undefined ? 'Enter' : this.json.oneOf(object['submitKey'], at('submitKey'), AGENT_KEYS);
    const delay = object['submitDelayMs'];
    const submitDelayMs = delay === undefined ? 100 : this.json.integer(delay, at('submitDelayMs'), 0, 5_000);
    const leadingSpace = this.json.optionalString(object['leadingSpace'], at('leadingSpace'), { maxLength: 40 });
    const leadingGuard = this.json.optionalString(object['leadingGuard'], at('leadingGuard'), { maxLength: 4 });
    const trailingSpace = this.json.optionalString(object['trailingSpace'], at('trailingSpace'), { maxLength: 40 });
    const ack = object['firstAckMs'];
    const firstAckMs = ack === undefined ? undefined : this.json.integer(ack, at('firstAckMs'), 1_000, 120_000);
    const queues = object['queuesWhileBusy'];
    const queuesWhileBusy = queues === undefined ? undefined : this.json.boolean(queues, at('queuesWhileBusy'));
    const hold = object['holdWhile'];
    const holdWhile = hold === undefined ? undefined : this.#screen.pattern(hold, at('holdWhile'));
    const rest = object['restMs'];
    const restMs = rest === undefined ? undefined : this.json.integer(rest, at('restMs'), 0, 2_500);
    if (canPaste === undefined || !submitKey || submitDelayMs === undefined) return undefined;
    return {
      canPaste, submitKey, submitDelayMs,
      ...(leadingSpace !== undefined && { leadingSpace }), ...(leadingGuard !== undefined && { leadingGuard }),
      ...(trailingSpace !== undefined && { trailingSpace }),
      ...(holdWhile !== undefined && { holdWhile }), ...(restMs !== undefined && { restMs }),
      ...(firstAckMs !== undefined && { firstAckMs }), ...(queuesWhileBusy !== undefined && { queuesWhileBusy }),
    }; // prettier-ignore
  }

  #quitStep(value: unknown, path: string): QuitStep | undefined {
    const object = this.json.object(value, path);
    if (!object) return undefined;
    this.json.onlyKnown(object, path, ['text', 'keys', 'signal']);
    if (Object.keys(object).length !== 1) return this.json.report(path, 'must have exactly one of text, keys, signal');
    if ('text' in object) {
      const text = this.json.string(object['text'], join(path, 'text'), { maxLength: 200 });
      return text === undefined ? undefined : { text };
    }
    if ('signal' in object) {
      const signal = this.json.oneOf(object['signal'], join(path, 'signal'), ['SIGHUP', 'SIGINT'] as const);
      return signal && { signal };
    }
    const keys = this.json.array<AgentKey>(object['keys'], join(path, 'keys'), 10, (item, at) =>
      this.json.oneOf(item, at, AGENT_KEYS),
    );
    return keys && { keys };
  }
}

/** The id of a manifest that may be wrong in other ways, for messages. */
export function manifestId(manifest: unknown): string | undefined {
  return isJsonObject(manifest) && typeof manifest['id'] === 'string' ? manifest['id'] : undefined;
}
