import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isAgentId } from '../../../../src/core/agents/agent';
import { agentIdFor, nameKey, parseAgentSpec } from '../../../../src/core/agents/agentSpec';
import { aSpec } from '../../../support/builders';

function paths(value: unknown): readonly string[] {
  const result = parseAgentSpec(value);
  return result.ok ? [] : result.problems.map((problem) => problem.path);
}

describe('agentSpec', () => {
  it('accepts a complete spec unchanged', () => {
    const spec = aSpec({
      role: 'reviewer', team: 'Team 1', firstPrompt: 'line 1\nline 2', args: ['', '-x'], env: { TOKEN: 's' }, command: ['a b'], restartPolicy: 'always',
    }); // prettier-ignore
    assert.deepEqual(parseAgentSpec(spec), { ok: true, spec });
  });

  it('reports all problems with their paths and never a value of the environment', () => {
    const spec = {
      name: ' ',
      typeId: '',
      folder: 'rel',
      role: '-',
      args: [1],
      env: { 'BAD NAME': 'topsecret', T: 5 },
      command: [],
      restartPolicy: 'x',
      more: 1,
    };
    assert.deepEqual(paths(spec), [
      'more',
      'name',
      'typeId',
      'folder',
      'role',
      'args[0]',
      'env["BAD NAME"]',
      'env.T',
      'command',
      'restartPolicy',
    ]);
    assert.ok(!JSON.stringify(parseAgentSpec(spec)).includes('topsecret'));
  });

  for (const name of [
    'a\nb',
    'a\u202eb',
    'a\u200bb',
    '\u001b[31mred',
    ' edge',
    'two  blanks',
    'x'.repeat(81),
    '',
    'a\u0000',
  ]) {
    it(`refuses the name ${JSON.stringify(name.slice(0, 20))}`, () =>
      assert.deepEqual(paths(aSpec({ name })), ['name']));
  }

  for (const name of ['Reviewer', 'Prüfer 2', '审阅者', 'a#(touch x)', '$(rm)', "it's", '👩‍💻'.replace('\u200d', '')]) {
    it(`accepts the name ${JSON.stringify(name)}: it never reaches tmux`, () =>
      assert.deepEqual(paths(aSpec({ name })), []));
  }
});

describe('agentIdFor', () => {
  it('makes readable ids and numbers what is taken', () => {
    const taken = new Set<string>();
    const take = (name: string): string => {
      const id = agentIdFor(name, (candidate) => taken.has(candidate));
      taken.add(id);
      return id;
    };
    assert.deepEqual(
      [
        'Reviewer',
        'reviewer',
        'REVIEWER!',
        'Prüfer Nº 2',
        '审阅者',
        '…',
        '-x-',
        '#(touch P)',
        'a'.repeat(80),
        'a'.repeat(80),
      ].map(take),
      [
        'reviewer',
        'reviewer-2',
        'reviewer-3',
        'prufer-no-2',
        'agent',
        'agent-2',
        'x',
        'touch-p',
        'a'.repeat(32),
        `${'a'.repeat(32)}-2`,
      ],
    );
  });

  it('gives for any name an id that may reach tmux and is not taken', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), fc.integer({ min: 0, max: 5 }), (name, count) => {
        const taken = new Set<string>();
        for (let i = 0; i <= count; i++) {
          const id = agentIdFor(name, (candidate) => taken.has(candidate));
          assert.ok(isAgentId(id) && !taken.has(id));
          taken.add(id);
        }
      }),
    );
  });

  it('compares names as people do', () => assert.equal(nameKey('Ｒeviewer '), nameKey('REVIEWER')));
});
