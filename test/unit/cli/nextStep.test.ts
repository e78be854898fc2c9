import assert from 'node:assert/strict';
import { parseCommandLine } from '../../../src/cli/commandLine';
import type { AgentRow } from '../../../src/cli/engineAnswers';
import { handleOf, nextStep, shellWord } from '../../../src/cli/nextStep';

const row = (changes: Partial<AgentRow> = {}): AgentRow => ({
  id: 'reviewer', name: 'Reviewer', typeId: 'demo', lifecycle: 'running', activity: 'idle', sinceMs: 1, reason: '', ...changes,
}); // prettier-ignore
const request = { id: 'R1', kind: 'permission', title: 't', detail: 'd', canAllow: true };
const commands = (text: string | undefined): readonly string[] =>
  [...(text ?? '').matchAll(/`orc ([^`]*)`/g)].map(([, command = '']) => command);

describe('the handle of an agent in a shell', () => {
  it('is its name, quoted where a shell would read something into it', () => {
    assert.equal(handleOf(row(), [row()]), 'Reviewer');
    assert.equal(handleOf(row({ name: 'My agent' }), []), "'My agent'");
    assert.equal(handleOf(row({ name: "Jo's $(x)" }), []), "'Jo'\\''s $(x)'");
    assert.deepEqual(['a', '~', '=x', '@x', '漢', ''].map(shellWord), ['a', "'~'", "'=x'", "'@x'", "'漢'", "''"]);
  });

  it('is its id where the name leads elsewhere or cannot be typed', () => {
    const names = ['-x', '', 'a\u202eb', 'a\u001b[31m', ' a'];
    for (const name of names) assert.equal(handleOf(row({ name }), []), 'reviewer');
    assert.equal(handleOf(row(), [row(), row({ id: 'other', name: 'reviewer' })]), 'reviewer');
    assert.equal(handleOf(row({ name: 'b' }), [row({ name: 'b' }), row({ id: 'b', name: 'B2' })]), 'reviewer');
  });
});

describe('the next step after a refusal', () => {
  const codes = [
    'agent.dialogOpen', 'agent.draftInBox', 'agent.inputHidden', 'agent.notReady', 'agent.notRunning', 'agent.paused',
    'agent.deliveryUnknown', 'agent.linesWouldSplit', 'agent.cannotResume', 'agent.quarantined', 'agent.cannotAnswer', 'agent.requestGone',
    'agent.commandNotFound', 'agent.folderMissing', 'agent.endedEarly', 'agent.startDeadline',
  ]; // prettier-ignore
  const states = [
    row(), row({ needsYou: 'input' }), row({ request }), row({ request: { ...request, canAllow: false } }),
    row({ request: { ...request, kind: 'question' } }), row({ lifecycle: 'starting' }), row({ lifecycle: 'stopped' }),
  ]; // prettier-ignore

  it('is one command that orc takes, with this agent in it', () => {
    for (const code of codes)
      for (const agent of states)
        for (const isTerminal of [true, false]) {
          const found = commands(nextStep(code, agent, 'Reviewer', isTerminal));
          assert.equal(found.length, 1, code);
          const line = parseCommandLine((found[0] ?? '').split(' '));
          assert.equal(line.operands[0], 'Reviewer');
          assert.notEqual(line.verb.name, 'prompt');
        }
    assert.equal(nextStep('engine.restricted', row(), 'Reviewer', true), undefined);
  });

  it('for a running agent is never a start, which would do nothing', () => {
    for (const code of codes.filter((each) => each !== 'agent.quarantined' && each !== 'agent.notRunning'))
      if (!['agent.commandNotFound', 'agent.folderMissing'].includes(code))
        assert.doesNotMatch(nextStep(code, row(), 'R', true) ?? '', /orc start/, code);
  });

  it('after a refused prompt is approve only for what approve can answer', () => {
    const verbOf = (agent: AgentRow, isTerminal = true) =>
      commands(nextStep('agent.dialogOpen', agent, 'R', isTerminal))[0]?.split(' ')[0];
    assert.deepEqual([verbOf(row({ request })), verbOf(row({ request }), false)], ['approve', 'why']);
    assert.equal(verbOf(row()), 'attach');
    assert.equal(verbOf(row({ request: { ...request, kind: 'question' } })), 'attach');
    assert.equal(verbOf(row({ request: { ...request, canAllow: false } })), 'attach');
  });
});
