import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import Ajv from 'ajv';
import { AgentError } from '../../../../src/core/agents/agentErrors';
import { parseAgentType, requireAgentType } from '../../../../src/core/agents/agentTypeParser';
import { builtInTypes } from '../../../../src/core/agents/builtInTypes';
import { AGENT_KEYS } from '../../../../src/core/agents/agentHost';

const minimal = { id: 'mine', label: 'Mine', command: ['mine'] };
const rule = { id: 'r', activity: 'idle', where: 'bottom', pattern: 'x' };

function problemsOf(manifest: unknown): readonly string[] {
  const result = parseAgentType(manifest);
  return result.ok ? [] : result.problems.map(({ path, message }) => `${path}: ${message}`);
}

function schema(name: string): object {
  return JSON.parse(readFileSync(`media/schemas/${name}.schema.json`, 'utf8')) as object; // ours
}

describe('agentTypeParser', () => {
  it('fills a minimal manifest with safe defaults', () => {
    assert.deepEqual(requireAgentType(minimal), {
      ...minimal,
      icon: 'terminal',
      graceMs: 5_000,
      quit: [],
      readiness: { when: 'settled', afterMs: 2_000 },
      screenRules: [],
      prompt: { canPaste: false, submitKey: 'Enter', submitDelayMs: 100 },
    });
  });

  it('reports every problem of a manifest at once, with its path', () => {
    const manifest = {
      id: 'Bad Id',
      label: '',
      command: [''],
      surprise: 1,
      env: { 'A-B': 'x', OK: 2 },
      readiness: { when: 'rule' },
      quit: [{ keys: ['F13'] }, { text: 'a', keys: [] }, {}],
      graceMs: -1,
      prompt: {},
    };
    const [surprise, ...others] = problemsOf(manifest);
    assert.match(surprise ?? '', /^surprise: is not a known property; there are: \$schema, id, label, /);
    assert.deepEqual(others, [
      'id: must be a-z, 0-9 and -',
      'label: must have 1 to 60 characters',
      'command: must begin with a program',
      'readiness.when: needs at least one screen rule',
      'prompt.canPaste: must be true or false',
      'env.A-B: is not a name for an environment variable',
      'env.OK: must be a string',
      `quit[0].keys[0]: must be one of ${AGENT_KEYS.join(', ')}`,
      'quit[1]: must have exactly one of text, keys, signal',
      'quit[2]: must have exactly one of text, keys, signal',
      'graceMs: must be a whole number from 0 to 120000',
    ]);
  });

  it('reports patterns that could hang, and rules of the same name', () => {
    assert.deepEqual(
      problemsOf({
        ...minimal,
        screenRules: [rule, { ...rule, pattern: '(a+)+', excludes: ['('] }, { ...rule, where: 'middle' }],
      }).length,
      3,
    );
    assert.deepEqual(problemsOf({ ...minimal, screenRules: [rule, rule] }), [
      'screenRules: has two rules with the id "r"',
    ]);
  });

  it('never throws for anything that JSON can say', () => {
    for (const value of [
      null,
      1,
      'x',
      [],
      {},
      { id: {} },
      { ...minimal, screenRules: {} },
      { ...minimal, command: 'x' },
      { ...minimal, quit: [null] },
    ]) {
      assert.ok(problemsOf(value).length > 0, JSON.stringify(value));
    }
  });

  it('throws one typed error with all problems where a caller asks for that', () => {
    assert.throws(() => requireAgentType({}), (error) => AgentError.is(error, 'agent.typeInvalid') && error.problems.length === 3); // prettier-ignore
  });
});

describe('builtInTypes', () => {
  it('ships the types of the product, each valid by its own schema, too', () => {
    const validate = new Ajv({ allErrors: true, strict: false }).compile(schema('agentType'));
    const ids = builtInTypes().map((type) => type.id);
    assert.deepEqual(ids, [
      'claude-code',
      'codex',
      'gemini',
      'opencode',
      'aider',
      'copilot',
      'cursor-agent',
      'shell',
      'command',
      'demo',
    ]);
    for (const id of ids) {
      const manifest: unknown = JSON.parse(readFileSync(`src/core/agents/types/${id}.json`, 'utf8'));
      assert.ok(validate(manifest), `${id}: ${JSON.stringify(validate.errors)}`);
    }
  });

  it('never types into programs whose dialogs cannot be seen', () => {
    for (const type of builtInTypes().filter(({ screenRules, id }) => screenRules.length === 0 && id !== 'command')) {
      assert.equal(type.prompt.canPaste, false, type.id);
      assert.deepEqual(type.quit.filter((step) => !('signal' in step)), [], type.id); // prettier-ignore
    }
  });

  it('has schema and parser agree about what is wrong', () => {
    const validate = new Ajv({ strict: false }).compile(schema('agentType'));
    const cases: readonly unknown[] = [
      minimal,
      { ...minimal, screenRules: [rule], readiness: { when: 'rule' } },
      { ...minimal, graceMs: 1.5 },
      { ...minimal, id: 'UPPER' },
      { ...minimal, quit: [{ text: 'x', keys: ['Enter'] }] },
      { ...minimal, quit: [{ signal: 'SIGKILL' }] },
      { ...minimal, prompt: { canPaste: true, submitKey: 'F1' } },
      { ...minimal, env: { '1X': '' } },
      { ...minimal, screenRules: [{ ...rule, activity: 'unknown' }] },
      { ...minimal, screenRules: [{ ...rule, lines: 61 }] },
      { ...minimal, silence: { afterMs: 100, pattern: 'x' } },
      { ...minimal, extra: true },
      { label: 'x' },
    ];
    for (const manifest of cases)
      assert.equal(validate(manifest), parseAgentType(manifest).ok, JSON.stringify(manifest));
  });
});
