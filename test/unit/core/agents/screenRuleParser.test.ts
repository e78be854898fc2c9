import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import Ajv from 'ajv';
import { parseAgentType } from '../../../../src/core/agents/agentTypeParser';

const minimal = { id: 'mine', label: 'Mine', command: ['mine'] };
const rule = { id: 'r', activity: 'idle', where: 'box', pattern: 'x' };
const box = { first: '^> ', strip: ['^> '] };
const validate = new Ajv({ strict: false }).compile(
  JSON.parse(readFileSync('media/schemas/agentType.schema.json', 'utf8')) as object, // ours
);

function problemsOf(more: object): readonly string[] {
  const result = parseAgentType({ ...minimal, ...more });
  return result.ok ? [] : result.problems.map(({ path, message }) => `${path}: ${message}`);
}

describe('screenRuleParser', () => {
  it('reads a box, overlays and rules with all that they can have', () => {
    const whole = {
      box: {
        ...box, top: '^-', bottom: '^-', member: '^\\|', until: '^s', footer: 'f', overflow: '^ ', clip: true, placeholders: ['Say .*'], ignore: ['m'], covered: ['c'],
      },
      overlays: [{ id: 'transcript', pattern: 'q to quit', lines: 3 }, { id: 'help', pattern: '^help' }],
      screenRules: [{ ...rule, since: '^>', box: 'empty', also: ['a'], excludes: ['b'], lines: 60, ignoreCase: true }],
    }; // prettier-ignore
    const result = parseAgentType({ ...minimal, ...whole });
    assert.ok(result.ok);
    const { box: readBox, overlays, screenRules } = result.type;
    assert.deepEqual({ box: readBox, overlays, screenRules }, whole);
  });

  it('reports every pattern that could hang, wherever it stands', () => {
    const hangs = '(a+)+$';
    const why = /: repeats a group that itself repeats or chooses/;
    const box = Object.fromEntries(['first', 'top', 'bottom', 'member', 'until', 'footer', 'overflow'].map((key) => [key, hangs])); // prettier-ignore
    const lists = Object.fromEntries(['strip', 'placeholders', 'ignore', 'covered'].map((key) => [key, [hangs]]));
    const found = problemsOf({
      box: { ...box, ...lists },
      overlays: [{ id: 'o', pattern: hangs }],
      screenRules: [{ ...rule, pattern: hangs, since: hangs, also: [hangs], excludes: [hangs] }],
    });
    assert.equal(found.length, 7 + 4 + 1 + 4);
    for (const problem of found) assert.match(problem, why);
  });

  it('agrees with the schema about what is wrong', () => {
    for (const [more, isRight] of [
      [{ box }, true],
      [{ box: { first: '^>' } }, true],
      [{ box: {} }, false],
      [{ box: { ...box, member: '^x' } }, false],
      [{ box: { ...box, clip: true } }, false],
      [{ box: { ...box, extra: 1 } }, false],
      [{ box: { ...box, strip: 'x' } }, false],
      [{ box: { ...box, ignore: Array.from({ length: 13 }, () => 'x') } }, false],
      [{ overlays: [] }, true],
      [{ overlays: [{ id: 'a', pattern: 'x', lines: 0 }] }, false],
      [{ overlays: [{ id: 'a' }] }, false],
      [{ overlays: [{ id: '<b>', pattern: 'x' }] }, false],
      [{ screenRules: [{ ...rule, where: 'everywhere' }] }, false],
      [{ screenRules: [{ ...rule, box: 'full' }] }, false],
      [{ screenRules: [{ ...rule, since: 7 }] }, false],
    ] as const) {
      assert.equal(problemsOf(more).length === 0, isRight, JSON.stringify(more));
      assert.equal(validate({ ...minimal, ...more }), isRight, JSON.stringify(more));
    }
    assert.equal(problemsOf({ overlays: [{ id: 'a', pattern: 'x' }, { id: 'a', pattern: 'y' }] }).length, 1); // prettier-ignore
  });
});
