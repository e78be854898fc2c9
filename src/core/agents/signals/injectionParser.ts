import { AGENT_KEYS, type AgentKey } from '../agentHost';
import type { AgentType, ApprovalDoor, HookRule, Injection, OscRule, Template } from '../agentType';
import { compilePattern, MAX_PATTERN_LENGTH } from '../boundedPattern';
import { ENVIRONMENT_NAME, isJsonObject, join, type JsonObject, type JsonReader } from '../jsonReader';
import { hasPlainValues } from './templates';

/** The properties of a manifest that are read here. */
export const SIGNAL_PROPERTIES = ['inject', 'hooks', 'osc', 'approval', 'session', 'usage', 'doctor'] as const;

const ACTIVITIES = ['idle', 'busy', 'awaiting_input', 'awaiting_approval', 'rate_limited', 'error'] as const;
/** RFC 6901. */
const POINTER = { minLength: 0, maxLength: 200, pattern: /^(\/[^\0]*)?$/, expected: 'must be a JSON pointer' } as const;
const FILE_NAME = {
  maxLength: 60,
  pattern: /^(?!\.{1,2}$)[A-Za-z0-9._-]+$/,
  expected: 'must be a plain file name',
} as const;
const SENTENCE = { maxLength: 300 } as const;
const EVENT = { maxLength: 80, pattern: /^[A-Za-z0-9._:-]+$/, expected: 'must be letters, digits, . _ : -' } as const;
const MAX_TEMPLATE_LENGTH = 32_768;
const MAX_HOOK_WAIT_MS = 24 * 60 * 60_000;

/** Reads what a manifest says about reports of the program itself: what is injected, what its hooks tell, how it is answered. */
export class InjectionParser {
  constructor(private readonly json: JsonReader) {}

  read(object: JsonObject, at: (key: string) => string): Pick<AgentType, (typeof SIGNAL_PROPERTIES)[number]> {
    const optional = <T>(key: string, read: (value: unknown, path: string) => T | undefined): T | undefined =>
      object[key] === undefined ? undefined : read(object[key], at(key));
    const inject = optional('inject', (value, path) => this.#injection(value, path));
    const hooks = optional('hooks', (value, path) =>
      this.json.array(value, path, 60, (item, p) => this.#hook(item, p)),
    );
    const osc = optional('osc', (value, path) => this.json.array(value, path, 20, (item, p) => this.#osc(item, p)));
    const approval = optional('approval', (value, path) => this.#approval(value, path));
    const session = optional('session', (value, path) => this.#session(value, path));
    const usage = optional('usage', (value, path) =>
      this.json.oneOf(value, path, ['claude', 'codex', 'gemini', 'opencode'] as const),
    );
    const doctor = optional('doctor', (value, path) => this.#doctor(value, path));
    return {
      ...(doctor && { doctor }), ...(inject && { inject }), ...(hooks && { hooks }), ...(osc && { osc }), ...(approval && { approval }),
      ...(session && { session }), ...(usage && { usage }),
    }; // prettier-ignore
  }

  #injection(value: unknown, path: string): Injection | undefined {
    const object = this.#object(value, path, ['args', 'env', 'files', 'home']);
    if (!object) return undefined;
    const args =
      object['args'] === undefined
        ? undefined
        : this.json.array(object['args'], join(path, 'args'), 200, (item, at) => this.#template(item, at));
    const env = this.#templates(object['env'], join(path, 'env'), (name) =>
      ENVIRONMENT_NAME.test(name) ? undefined : 'is not a name for an environment variable',
    );
    const files = this.#templates(object['files'], join(path, 'files'), (name) =>
      FILE_NAME.pattern.test(name) && name.length <= FILE_NAME.maxLength ? undefined : FILE_NAME.expected,
    );
    const home = object['home'] === undefined ? undefined : this.#home(object['home'], join(path, 'home'));
    return { ...(args && { args }), ...(env && { env }), ...(files && { files }), ...(home && { home }) };
  }

  #templates(
    value: unknown,
    path: string,
    objection: (name: string) => string | undefined,
  ): Readonly<Record<string, Template>> | undefined {
    if (value === undefined) return undefined;
    const object = this.json.object(value, path);
    if (!object) return undefined;
    const entries: [string, Template][] = [];
    if (Object.keys(object).length > 50) this.json.report(path, 'must have at most 50 entries');
    for (const [name, item] of Object.entries(object).slice(0, 50)) {
      const why = objection(name);
      if (why !== undefined) this.json.report(join(path, name), why);
      const template = this.#template(item, join(path, name));
      if (template !== undefined) entries.push([name, template]);
    }
    return Object.fromEntries(entries);
  }

  #template(value: unknown, path: string): Template | undefined {
    if (typeof value === 'string')
      return this.json.string(value, path, { minLength: 0, maxLength: MAX_TEMPLATE_LENGTH });
    if (!isJsonObject(value)) return this.json.report(path, 'must be a string, or an object with json or toml');
    const hasJson = 'json' in value;
    this.json.onlyKnown(value, path, hasJson ? ['json'] : ['prefix', 'toml']);
    if (hasJson) return this.#value(value['json'], join(path, 'json')) ? { json: value['json'] } : undefined;
    if (!('toml' in value)) return this.json.report(path, 'must have json or toml');
    const prefix = this.json.optionalString(value['prefix'], join(path, 'prefix'), { minLength: 0, maxLength: 200 });
    if (!this.#value(value['toml'], join(path, 'toml'))) return undefined;
    if (containsNull(value['toml'])) return this.json.report(join(path, 'toml'), 'must not contain null');
    return { toml: value['toml'], ...(prefix !== undefined && { prefix }) };
  }

  #value(value: unknown, path: string): boolean {
    if (hasPlainValues(value) && JSON.stringify(value).length <= MAX_TEMPLATE_LENGTH) return true;
    this.json.report(path, `must be JSON of at most ${MAX_TEMPLATE_LENGTH} characters and 20 levels`);
    return false;
  }

  #home(value: unknown, path: string): Injection['home'] {
    const object = this.#object(value, path, [
      'variable',
      'folder',
      'settingsFile',
      'settings',
      'besides',
      'silence',
      'keepFolders',
      'keepFiles',
      'fileVariables',
    ]);
    if (!object) return undefined;
    const variable = this.json.string(object['variable'], join(path, 'variable'), {
      maxLength: 128,
      pattern: ENVIRONMENT_NAME,
      expected: 'is not a name for an environment variable',
    });
    const folder = this.json.string(object['folder'], join(path, 'folder'), FILE_NAME);
    const settingsFile = this.json.string(object['settingsFile'], join(path, 'settingsFile'), FILE_NAME);
    const { settings } = object;
    if (!isJsonObject(settings) || !this.#value(settings, join(path, 'settings')))
      return this.json.report(join(path, 'settings'), 'must be an object');
    const names = (key: string) =>
      object[key] === undefined ? undefined : this.json.strings(object[key], join(path, key), 20, FILE_NAME);
    const besides = names('besides');
    const silence =
      object['silence'] === undefined ? undefined : this.#silence(object['silence'], join(path, 'silence'));
    const keepFolders = names('keepFolders');
    const keepFiles = names('keepFiles');
    const fileVariables = this.#fileVariables(object['fileVariables'], join(path, 'fileVariables'));
    if (variable === undefined || folder === undefined || settingsFile === undefined) return undefined;
    return {
      variable,
      folder,
      settingsFile,
      settings,
      ...(besides && { besides }),
      ...(silence && { silence }),
      ...(keepFolders && { keepFolders }),
      ...(keepFiles && { keepFiles }),
      ...(fileVariables && { fileVariables }),
    };
  }

  #silence(value: unknown, path: string): NonNullable<Injection['home']>['silence'] {
    const object = this.#object(value, path, ['when', 'leavesOut', 'says']);
    if (!object) return undefined;
    const when = this.json.array(object['when'], join(path, 'when'), 10, (item, at) => this.#when(item, at));
    const leavesOut = this.json.strings(object['leavesOut'], join(path, 'leavesOut'), 20, { maxLength: 200 });
    const says = this.json.string(object['says'], join(path, 'says'), SENTENCE);
    return when && leavesOut && says !== undefined ? { when, leavesOut, says } : undefined;
  }

  #fileVariables(value: unknown, path: string): Readonly<Record<string, string>> | undefined {
    const object = value === undefined ? undefined : this.json.object(value, path);
    if (!object) return undefined;
    const entries: [string, string][] = [];
    for (const [name, item] of Object.entries(object)) {
      if (!ENVIRONMENT_NAME.test(name)) this.json.report(join(path, name), 'is not a name for an environment variable');
      const file = this.json.string(item, join(path, name), FILE_NAME);
      if (file !== undefined) entries.push([name, file]);
    }
    return Object.fromEntries(entries);
  }

  #hook(value: unknown, path: string): HookRule | undefined {
    const object = this.#object(value, path, [
      'event', 'when', 'activity', 'promptPath', 'sessionIdPath', 'permission', 'unlessPath', 'endsTurn',
      'leavesQuestion', 'says',
    ]); // prettier-ignore
    if (!object) return undefined;
    const pointer = (key: string) => this.json.optionalString(object[key], join(path, key), POINTER);
    const event = this.json.string(object['event'], join(path, 'event'), EVENT);
    const says = this.json.string(object['says'], join(path, 'says'), SENTENCE);
    const activity =
      object['activity'] === undefined
        ? undefined
        : this.json.oneOf(object['activity'], join(path, 'activity'), ACTIVITIES);
    const when = object['when'] === undefined ? undefined : this.#when(object['when'], join(path, 'when'));
    const permission =
      object['permission'] === undefined ? undefined : this.#permission(object['permission'], join(path, 'permission'));
    const [promptPath, sessionIdPath, unlessPath] = [
      pointer('promptPath'),
      pointer('sessionIdPath'),
      pointer('unlessPath'),
    ];
    const flag = (key: string) =>
      object[key] === undefined ? undefined : this.json.boolean(object[key], join(path, key));
    const [endsTurn, leavesQuestion] = [flag('endsTurn'), flag('leavesQuestion')];
    if (event === undefined || says === undefined) return undefined;
    return {
      event, says, ...(endsTurn && { endsTurn }), ...(leavesQuestion && { leavesQuestion }),
      ...(when && { when }), ...(activity && { activity }), ...(promptPath !== undefined && { promptPath }),
      ...(sessionIdPath !== undefined && { sessionIdPath }), ...(permission && { permission }), ...(unlessPath !== undefined && { unlessPath }),
    }; // prettier-ignore
  }

  #when(value: unknown, path: string): HookRule['when'] {
    const object = this.#object(value, path, ['path', 'equals']);
    if (!object) return undefined;
    const pointer = this.json.string(object['path'], join(path, 'path'), POINTER);
    const { equals } = object;
    if (typeof equals !== 'string' && typeof equals !== 'number' && typeof equals !== 'boolean')
      return this.json.report(join(path, 'equals'), 'must be a string, a number, true or false');
    return pointer === undefined ? undefined : { path: pointer, equals };
  }

  #permission(value: unknown, path: string): HookRule['permission'] {
    const object = this.#object(value, path, ['kind', 'idPath', 'toolPath', 'detailPath']);
    if (!object) return undefined;
    const kind = this.json.oneOf(object['kind'], join(path, 'kind'), ['permission', 'question'] as const);
    const pointer = (key: string) => this.json.optionalString(object[key], join(path, key), POINTER);
    const [idPath, toolPath, detailPath] = [pointer('idPath'), pointer('toolPath'), pointer('detailPath')];
    if (!kind) return undefined;
    return {
      kind,
      ...(idPath !== undefined && { idPath }), ...(toolPath !== undefined && { toolPath }), ...(detailPath !== undefined && { detailPath }),
    }; // prettier-ignore
  }

  #osc(value: unknown, path: string): OscRule | undefined {
    const object = this.#object(value, path, ['id', 'code', 'pattern', 'activity']);
    if (!object) return undefined;
    const id = this.json.string(object['id'], join(path, 'id'), {
      maxLength: 60,
      pattern: /^[\w .-]+$/,
      expected: 'must be letters, digits, blank, . _ -',
    });
    const code = this.json.integer(object['code'], join(path, 'code'), 0, 99_999);
    const pattern = this.#pattern(object['pattern'], join(path, 'pattern'));
    const activity = this.json.oneOf(object['activity'], join(path, 'activity'), ACTIVITIES);
    if (id === undefined || code === undefined || pattern === undefined || !activity) return undefined;
    return { id, code, pattern, activity };
  }

  #approval(value: unknown, path: string): ApprovalDoor | undefined {
    const object = this.#object(value, path, ['hook', 'keys', 'dialogTop']);
    if (!object) return undefined;
    const hook = object['hook'] === undefined ? undefined : this.#hookDoor(object['hook'], join(path, 'hook'));
    const keys = object['keys'] === undefined ? undefined : this.#keyDoor(object['keys'], join(path, 'keys'));
    const dialogTop =
      object['dialogTop'] === undefined ? undefined : this.#pattern(object['dialogTop'], join(path, 'dialogTop'));
    return { ...(hook && { hook }), ...(keys && { keys }), ...(dialogTop !== undefined && { dialogTop }) };
  }

  #hookDoor(value: unknown, path: string): ApprovalDoor['hook'] {
    const object = this.#object(value, path, ['allow', 'deny', 'waitMs']);
    if (!object) return undefined;
    const waitMs = this.json.integer(object['waitMs'], join(path, 'waitMs'), 0, MAX_HOOK_WAIT_MS);
    const { allow, deny } = object;
    const isFine = [allow, deny].every((item) => item === undefined || this.#value(item, path));
    if (waitMs === undefined || !isFine) return undefined;
    return { waitMs, ...(allow !== undefined && { allow }), ...(deny !== undefined && { deny }) };
  }

  #keyDoor(value: unknown, path: string): ApprovalDoor['keys'] {
    const object = this.#object(value, path, ['allow', 'deny']);
    if (!object) return undefined;
    const keys = (key: string) =>
      object[key] === undefined
        ? undefined
        : this.json.array<AgentKey>(object[key], join(path, key), 10, (item, at) =>
            this.json.oneOf(item, at, AGENT_KEYS),
          );
    const allow = keys('allow');
    const deny = keys('deny');
    return { ...(allow && { allow }), ...(deny && { deny }) };
  }

  #session(value: unknown, path: string): AgentType['session'] {
    const object = this.#object(value, path, ['id', 'newArgs', 'needsTurn', 'losses', 'endsWhenUnknown']);
    if (!object) return undefined;
    const id = this.json.oneOf(object['id'], join(path, 'id'), ['ours', 'hook'] as const);
    const newArgs =
      object['newArgs'] === undefined
        ? undefined
        : this.json.strings(object['newArgs'], join(path, 'newArgs'), 20, { minLength: 0, maxLength: 1000 });
    if (id === 'ours' && !newArgs?.some((part) => part.includes('{sessionId}')))
      this.json.report(join(path, 'newArgs'), 'must contain {sessionId}');
    const needsTurn = this.json.boolean(object['needsTurn'], join(path, 'needsTurn'));
    const losses = this.json.strings(object['losses'], join(path, 'losses'), 10, SENTENCE);
    const endsWhenUnknown =
      object['endsWhenUnknown'] === undefined
        ? undefined
        : this.json.boolean(object['endsWhenUnknown'], join(path, 'endsWhenUnknown'));
    if (!id || needsTurn === undefined || !losses) return undefined;
    return {
      id,
      needsTurn,
      losses,
      ...(newArgs && { newArgs }),
      ...(endsWhenUnknown !== undefined && { endsWhenUnknown }),
    };
  }

  #doctor(value: unknown, path: string): AgentType['doctor'] {
    const object = this.#object(value, path, ['knownVersions', 'versionArgs', 'folder', 'args', 'firstHook']);
    if (!object) return undefined;
    const knownVersions = this.json.strings(object['knownVersions'], join(path, 'knownVersions'), 50, {
      maxLength: 60,
    });
    const versionArgs =
      object['versionArgs'] === undefined
        ? undefined
        : this.json.strings(object['versionArgs'], join(path, 'versionArgs'), 10, { maxLength: 200 });
    const args =
      object['args'] === undefined
        ? undefined
        : this.json.array(object['args'], join(path, 'args'), 50, (item, at) => this.#template(item, at));
    const folder =
      object['folder'] === undefined
        ? undefined
        : this.json.oneOf(object['folder'], join(path, 'folder'), ['workspace'] as const);
    const firstHook = this.json.optionalString(object['firstHook'], join(path, 'firstHook'), EVENT);
    if (!knownVersions) return undefined;
    return {
      knownVersions,
      ...(versionArgs && { versionArgs }), ...(folder && { folder }), ...(args && { args }), ...(firstHook !== undefined && { firstHook }),
    }; // prettier-ignore
  }

  #pattern(value: unknown, path: string): string | undefined {
    const source = this.json.string(value, path, { maxLength: MAX_PATTERN_LENGTH });
    if (source === undefined) return undefined;
    const result = compilePattern(source, false);
    return result.ok ? source : this.json.report(path, result.message);
  }

  #object(value: unknown, path: string, known: readonly string[]): JsonObject | undefined {
    const object = this.json.object(value, path);
    if (object) this.json.onlyKnown(object, path, known);
    return object;
  }
}

function containsNull(value: unknown): boolean {
  if (value === null) return true;
  return typeof value === 'object' && Object.values(value).some(containsNull);
}
