import { type AgentType, type StatusFileRule, UNSEEN } from '../agentType';
import { ENVIRONMENT_NAME, join, type JsonObject, type JsonReader } from '../jsonReader';

const ACTIVITIES = ['idle', 'busy', 'awaiting_input', 'awaiting_approval', 'rate_limited', 'error'] as const;
const POINTER = { maxLength: 200, pattern: /^\/[^\0]*$/, expected: 'must be a JSON pointer' } as const;
/** Below the home, never above it. */
const RELATIVE = {
  maxLength: 200,
  pattern: /^(?!.*(^|\/)\.\.?(\/|$))[\w.-][\w.{}/-]*$/,
  expected: 'must be a path below the home',
} as const;
const ID = { maxLength: 60, pattern: /^[\w .-]+$/, expected: 'must be letters, digits, blank, . _ -' } as const;

/** Reads what a manifest says of the program's status file, and of what nobody can see; reports every problem to its reader. */
export class StatusFileParser {
  constructor(private readonly json: JsonReader) {}

  statusFile(value: unknown, path: string): StatusFileRule | undefined {
    const object = this.#object(value, path, ['home', 'path', 'startTimePath', 'states']);
    if (!object) return undefined;
    const home = this.#home(object['home'], join(path, 'home'));
    const file = this.json.string(object['path'], join(path, 'path'), RELATIVE);
    const startTimePath = this.json.optionalString(object['startTimePath'], join(path, 'startTimePath'), POINTER);
    const states = this.json.array(object['states'], join(path, 'states'), 20, (item, at) => this.#state(item, at));
    if (!home || file === undefined || !states) return undefined;
    return { home, path: file, states, ...(startTimePath !== undefined && { startTimePath }) };
  }

  unseen(value: unknown, path: string): AgentType['unseen'] {
    const object = this.#object(value, path, UNSEEN);
    if (!object) return undefined;
    const entries = UNSEEN.filter((name) => object[name] !== undefined).map((name) => [
      name,
      this.json.string(object[name], join(path, name), { maxLength: 300 }),
    ]);
    return Object.fromEntries(entries) as AgentType['unseen']; // its names are those of the list
  }

  #home(value: unknown, path: string): StatusFileRule['home'] | undefined {
    const object = this.#object(value, path, ['variable', 'folder']);
    if (!object) return undefined;
    const variable = this.json.string(object['variable'], join(path, 'variable'), {
      maxLength: 128,
      pattern: ENVIRONMENT_NAME,
      expected: 'must be a name for an environment variable',
    });
    const folder = this.json.string(object['folder'], join(path, 'folder'), RELATIVE);
    return variable === undefined || folder === undefined ? undefined : { variable, folder };
  }

  #state(value: unknown, path: string): StatusFileRule['states'][number] | undefined {
    const object = this.#object(value, path, ['id', 'when', 'activity']);
    if (!object) return undefined;
    const id = this.json.string(object['id'], join(path, 'id'), ID);
    const activity = this.json.oneOf(object['activity'], join(path, 'activity'), ACTIVITIES);
    const when = this.json.array(object['when'], join(path, 'when'), 5, (item, at) => this.#condition(item, at));
    if (when?.length === 0) this.json.report(join(path, 'when'), 'must have a condition');
    return id === undefined || !activity || !when ? undefined : { id, when, activity };
  }

  #condition(value: unknown, path: string): { readonly path: string; readonly equals: string } | undefined {
    const object = this.#object(value, path, ['path', 'equals']);
    if (!object) return undefined;
    const pointer = this.json.string(object['path'], join(path, 'path'), POINTER);
    const equals = this.json.string(object['equals'], join(path, 'equals'), { maxLength: 200 });
    return pointer === undefined || equals === undefined ? undefined : { path: pointer, equals };
  }

  #object(value: unknown, path: string, known: readonly string[]): JsonObject | undefined {
    const object = this.json.object(value, path);
    if (object) this.json.onlyKnown(object, path, known);
    return object;
  }
}
