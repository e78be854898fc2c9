import type { AgentType, InputBoxRule, ScreenRegion, ScreenRule } from './agentType';
import { compilePattern, MAX_PATTERN_LENGTH } from './boundedPattern';
import { join, type JsonReader } from './jsonReader';

const RULE_PROPERTIES = [
  'id', 'activity', 'where', 'lines', 'since', 'box', 'pattern', 'also', 'excludes', 'ignoreCase',
  'isRetry', 'afterTurn',
] as const; // prettier-ignore
const BOX_PATTERNS = ['first', 'top', 'bottom', 'member', 'until', 'footer', 'overflow', 'above'] as const;
const BOX_LISTS = ['strip', 'placeholders', 'ignore', 'covered'] as const;
const ACTIVITIES = ['idle', 'busy', 'awaiting_input', 'awaiting_approval', 'rate_limited', 'error'] as const;
const REGIONS = [
  'bottom', 'screen', 'box', 'aboveBox', 'belowBox', 'title', 'foreground',
] as const satisfies readonly ScreenRegion[]; // prettier-ignore
const MAX_RULES = 60;
const MAX_OVERLAYS = 30;
const MAX_PATTERNS = 12;
const MAX_RULE_LINES = 60;
const ID = { maxLength: 60, pattern: /^[\w .,-]+$/, expected: 'must be letters, digits, blank, . , _ -' } as const;

/** Reads the parts of a manifest that say what is on a screen; reports every problem to its reader. */
export class ScreenRuleParser {
  constructor(private readonly json: JsonReader) {}

  /** Rules with ids that are unique. */
  rules(value: unknown, path: string): readonly ScreenRule[] {
    const rules = this.json.array(value, path, MAX_RULES, (item, at) => this.#rule(item, at)) ?? [];
    this.#requireUnique(rules, path, 'rules');
    return rules;
  }

  overlays(value: unknown, path: string): AgentType['overlays'] {
    const overlays = this.json.array(value, path, MAX_OVERLAYS, (item, at) => this.#overlay(item, at)) ?? [];
    this.#requireUnique(overlays, path, 'overlays');
    return overlays;
  }

  box(value: unknown, path: string): InputBoxRule | undefined {
    const object = this.json.object(value, path);
    if (!object) return undefined;
    this.json.onlyKnown(object, path, [...BOX_PATTERNS, ...BOX_LISTS, 'clip']);
    const at = (key: string): string => join(path, key);
    const first = this.pattern(object['first'], at('first'));
    const strip = this.#patterns(object['strip'] ?? [], at('strip'), false) ?? [];
    if (object['member'] !== undefined && object['bottom'] === undefined)
      this.json.report(at('member'), 'needs `bottom`');
    const clip = object['clip'] === undefined ? false : this.json.boolean(object['clip'], at('clip'));
    if (clip && object['bottom'] === undefined) this.json.report(at('clip'), 'needs `bottom`');
    const patterns = BOX_PATTERNS.filter((key) => key !== 'first' && object[key] !== undefined).map((key) => [
      key,
      this.pattern(object[key], at(key)),
    ]);
    const lists = BOX_LISTS.filter((key) => key !== 'strip' && object[key] !== undefined).map((key) => [
      key,
      this.#patterns(object[key], at(key), false),
    ]);
    if (first === undefined) return undefined;
    return {
      ...(Object.fromEntries([...patterns, ...lists]) as Partial<InputBoxRule>),
      first,
      strip,
      ...(clip && { clip }),
    };
  }

  pattern(value: unknown, path: string, ignoreCase = false): string | undefined {
    const source = this.json.string(value, path, { maxLength: MAX_PATTERN_LENGTH });
    if (source === undefined) return undefined;
    const result = compilePattern(source.replaceAll('{shellName}', 'sh'), ignoreCase);
    return result.ok ? source : this.json.report(path, result.message);
  }

  #rule(value: unknown, path: string): ScreenRule | undefined {
    const object = this.json.object(value, path);
    if (!object) return undefined;
    this.json.onlyKnown(object, path, RULE_PROPERTIES);
    const at = (key: string): string => join(path, key);
    const isSet = (key: string): boolean =>
      object[key] === undefined ? false : (this.json.boolean(object[key], at(key)) ?? false);
    const [ignoreCase, isRetry, afterTurn] = [isSet('ignoreCase'), isSet('isRetry'), isSet('afterTurn')];
    const patterns = (key: string): readonly string[] | undefined =>
      object[key] === undefined ? undefined : this.#patterns(object[key], at(key), ignoreCase);
    const id = this.json.string(object['id'], at('id'), ID);
    const activity = this.json.oneOf(object['activity'], at('activity'), ACTIVITIES);
    const where = this.json.oneOf(object['where'], at('where'), REGIONS);
    const pattern = this.pattern(object['pattern'], at('pattern'), ignoreCase);
    const lines =
      object['lines'] === undefined ? undefined : this.json.integer(object['lines'], at('lines'), 1, MAX_RULE_LINES);
    const since = object['since'] === undefined ? undefined : this.pattern(object['since'], at('since'), ignoreCase);
    const box =
      object['box'] === undefined
        ? undefined
        : this.json.oneOf(object['box'], at('box'), ['empty', 'draft', 'visible', 'hidden'] as const);
    const also = patterns('also');
    const excludes = patterns('excludes');
    if (id === undefined || !activity || !where || pattern === undefined) return undefined;
    return {
      id, activity, where, pattern, ...(lines !== undefined && { lines }), ...(since !== undefined && { since }),
      ...(box && { box }), ...(also && { also }), ...(excludes && { excludes }), ...(ignoreCase && { ignoreCase }), ...(isRetry && { isRetry }),
      ...(afterTurn && { afterTurn }),
    }; // prettier-ignore
  }

  #overlay(
    value: unknown,
    path: string,
  ): { readonly id: string; readonly pattern: string; readonly lines?: number } | undefined {
    const object = this.json.object(value, path);
    if (!object) return undefined;
    this.json.onlyKnown(object, path, ['id', 'pattern', 'lines']);
    const id = this.json.string(object['id'], join(path, 'id'), ID);
    const pattern = this.pattern(object['pattern'], join(path, 'pattern'));
    const lines =
      object['lines'] === undefined
        ? undefined
        : this.json.integer(object['lines'], join(path, 'lines'), 1, MAX_RULE_LINES);
    if (id === undefined || pattern === undefined) return undefined;
    return { id, pattern, ...(lines !== undefined && { lines }) };
  }

  #patterns(value: unknown, path: string, ignoreCase: boolean): readonly string[] | undefined {
    return this.json.array(value, path, MAX_PATTERNS, (item, at) => this.pattern(item, at, ignoreCase));
  }

  #requireUnique(items: readonly { readonly id: string }[], path: string, what: string): void {
    const ids = items.map(({ id }) => id);
    ids.forEach((id, index) => {
      if (ids.indexOf(id) !== index) this.json.report(path, `has two ${what} with the id "${id}"`);
    });
  }
}
