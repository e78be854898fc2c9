import type { InputAlterations } from './agentType';
import { join, type JsonReader } from './jsonReader';

const PROPERTIES = [
  'tabSpaces', 'trims', 'collapses', 'padsCollapsed', 'dropsZeroWidth', 'resolvesMentions', 'joinsQueued',
] as const satisfies readonly (keyof InputAlterations)[]; // prettier-ignore
const MAX_TAB_SPACES = 8;
const MAX_COLLAPSED = 100_000;
/** Format characters that no terminal draws. */
const ZERO_WIDTH = {
  maxLength: 20,
  pattern: /^[\u00ad\u180e\u200b-\u200f\u2060-\u2064\ufeff]+$/,
  expected: 'must be characters without width',
} as const;
const HEADING = { maxLength: 200, pattern: /^[^\n\r]+$/, expected: 'must be one line' } as const;

/** Reads what a manifest says about how the program alters what is pasted into it; reports every problem to its reader. */
export class AlterationParser {
  constructor(private readonly json: JsonReader) {}

  alterations(value: unknown, path: string): InputAlterations | undefined {
    const object = this.json.object(value, path);
    if (!object) return undefined;
    this.json.onlyKnown(object, path, PROPERTIES);
    const optional = <T>(key: (typeof PROPERTIES)[number], read: (item: unknown, at: string) => T | undefined) =>
      object[key] === undefined ? undefined : read(object[key], join(path, key));
    const yesOrNo = (item: unknown, at: string) => this.json.boolean(item, at);
    const tabSpaces = optional('tabSpaces', (item, at) => this.json.integer(item, at, 1, MAX_TAB_SPACES));
    const trims = optional('trims', (item, at) => this.json.oneOf(item, at, ['always', 'unlessCollapsed'] as const));
    const collapses = optional('collapses', (item, at) => this.#collapses(item, at));
    const padsCollapsed = optional('padsCollapsed', yesOrNo);
    const dropsZeroWidth = optional('dropsZeroWidth', (item, at) => this.json.string(item, at, ZERO_WIDTH));
    const resolvesMentions = optional('resolvesMentions', (item, at) => this.#mentions(item, at));
    const joinsQueued = optional('joinsQueued', yesOrNo);
    if (object['collapses'] === undefined) {
      if (trims === 'unlessCollapsed') this.json.report(join(path, 'trims'), 'needs `collapses`');
      if (padsCollapsed) this.json.report(join(path, 'padsCollapsed'), 'needs `collapses`');
    }
    return {
      ...(tabSpaces !== undefined && { tabSpaces }), ...(trims && { trims }), ...(collapses && { collapses }),
      ...(padsCollapsed !== undefined && { padsCollapsed }), ...(dropsZeroWidth !== undefined && { dropsZeroWidth }),
      ...(resolvesMentions && { resolvesMentions }), ...(joinsQueued !== undefined && { joinsQueued }),
    }; // prettier-ignore
  }

  #collapses(value: unknown, path: string): InputAlterations['collapses'] {
    const object = this.json.object(value, path);
    if (!object) return undefined;
    this.json.onlyKnown(object, path, ['overCharacters', 'overLines']);
    const count = (key: string) => this.json.integer(object[key], join(path, key), 1, MAX_COLLAPSED);
    const [overCharacters, overLines] = [count('overCharacters'), count('overLines')];
    return overCharacters === undefined || overLines === undefined ? undefined : { overCharacters, overLines };
  }

  #mentions(value: unknown, path: string): InputAlterations['resolvesMentions'] {
    const object = this.json.object(value, path);
    if (!object) return undefined;
    this.json.onlyKnown(object, path, ['contentsHeading']);
    const contentsHeading = this.json.string(object['contentsHeading'], join(path, 'contentsHeading'), HEADING);
    return contentsHeading === undefined ? undefined : { contentsHeading };
  }
}
