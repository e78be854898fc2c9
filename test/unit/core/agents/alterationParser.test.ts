import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import Ajv from 'ajv';
import { parseAgentType } from '../../../../src/core/agents/agentTypeParser';

const minimal = { id: 'mine', label: 'Mine', command: ['mine'] };

/** What a manifest says of how its program alters a text → is it fine? */
const cases: readonly (readonly [alters: unknown, isFine: boolean])[] = [
  [{ tabSpaces: 8, trims: 'always', dropsZeroWidth: '\u200b\ufeff', joinsQueued: true }, true],
  [{ trims: 'unlessCollapsed', collapses: { overCharacters: 1, overLines: 1 }, padsCollapsed: true }, true],
  [{ trims: 'unlessCollapsed' }, false],
  [{ padsCollapsed: true }, false],
  [{ trims: 'always', padsCollapsed: false }, true],
  [{ collapses: { overCharacters: 800 } }, false],
  [{ collapses: { overCharacters: 0, overLines: 3 } }, false],
  [{ tabSpaces: 9 }, false],
  [{ dropsZeroWidth: 'a' }, false],
  [{ resolvesMentions: { contentsHeading: '--- Files ---' } }, true],
  [{ resolvesMentions: { contentsHeading: 'a\nb' } }, false],
  [{ resolvesMentions: true }, false],
  [{ other: true }, false],
  [['trims'], false],
];

describe('alterationParser', () => {
  const schema = JSON.parse(readFileSync('media/schemas/agentType.schema.json', 'utf8')) as object; // ours
  const validate = new Ajv({ strict: false }).compile(schema);

  for (const [alters, isFine] of cases)
    it(`${isFine ? 'keeps' : 'refuses'} ${JSON.stringify(alters).slice(0, 90)}, and so does the schema`, () => {
      const manifest = { ...minimal, alters };
      const result = parseAgentType(manifest);
      assert.equal(result.ok, isFine, JSON.stringify(result.ok ? {} : result.problems));
      assert.equal(validate(manifest), isFine, JSON.stringify(validate.errors));
      if (result.ok) assert.deepEqual(result.type.alters, alters);
    });
});
