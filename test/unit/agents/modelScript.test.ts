import { strict as assert } from 'node:assert';
import { type Conversation, readAnthropic, readChat, readGemini, readResponses } from '../../agents/model/conversation';
import { readScript } from '../../agents/model/script';
import { toolCall } from '../../agents/model/toolCall';
import { TurnPlanner } from '../../agents/model/turn';

const asked = (message: string, more: Partial<Conversation> = {}): Conversation => ({
  userTexts: [message],
  message,
  step: 0,
  tools: ['Bash'],
  isStreaming: true,
  ...more,
});

describe('Script of the scripted model', () => {
  it('reads directives from left to right and leaves other brackets alone', () => {
    assert.deepEqual(
      readScript('a [[reply: x ]] b [[nothing: 1]] [[hang]] [[tool: t {"a":[[1]]}]] [[bash: [ -f x ]]]'),
      [
        { name: 'reply', argument: 'x' },
        { name: 'hang', argument: '' },
        { name: 'tool', argument: 't {"a":[[1]]}' },
        { name: 'bash', argument: '[ -f x ]' },
      ],
    );
  });

  it('goes on after the call that was answered', () => {
    const message = '[[reply: first]][[bash: one]][[reply: second]][[bash: two]][[reply: third]]';
    const planner = new TurnPlanner();
    const turns = [0, 1, 2, 3].map((step) => planner.plan(asked(message, { step })));
    assert.deepEqual(
      turns.map((turn) => turn.kind === 'answer' && [turn.speech.map(({ argument }) => argument), turn.call?.input]),
      [
        [['first'], { command: 'one', description: 'A scripted command' }],
        [['second'], { command: 'two', description: 'A scripted command' }],
        [['third'], undefined],
        [['Done:  said '], undefined],
      ],
    );
  });

  it('does not count what the program has no tool for', () => {
    const turn = new TurnPlanner().plan(asked('[[read: a]][[bash: one]][[reply: end]]', { step: 1 }));
    assert.deepEqual(turn, { kind: 'answer', speech: [{ name: 'reply', argument: 'end' }] });
  });

  it('fails as often as it was told, and anew for another message', () => {
    const planner = new TurnPlanner();
    const kinds = ['a', 'a', 'a', 'b'].map((name) => planner.plan(asked(`${name} [[error: 529 x2]]`)).kind);
    assert.deepEqual(kinds, ['error', 'error', 'answer', 'error']);
  });

  it('answers a side request without following the script', () => {
    const turn = new TurnPlanner().plan(asked('[[error: 500]]', { tools: [] }));
    assert.equal(turn.kind, 'answer');
  });

  it('fills the schema that an answer must follow', () => {
    const schema = {
      type: 'object',
      properties: { to: { enum: ['model', 'user'] }, n: { type: 'integer', minimum: 2 }, list: { type: 'array' } },
    };
    const turn = new TurnPlanner().plan(asked('x', { schema }));
    assert.equal(turn.kind, 'answer');
    assert.deepEqual(turn.kind === 'answer' && JSON.parse(turn.speech[0]?.argument ?? ''), {
      to: 'user',
      n: 2,
      list: [],
    });
  });

  it('speaks of files and commands in the words of the declared tool', () => {
    const write = { name: 'write', argument: 'a.txt one\ntwo' } as const;
    assert.deepEqual(toolCall(write, ['write_file'])?.input, { file_path: 'a.txt', content: 'one\ntwo' });
    assert.deepEqual(toolCall(write, ['write'])?.input, { filePath: 'a.txt', content: 'one\ntwo' });
    assert.equal(
      toolCall(write, ['apply_patch'])?.input,
      '*** Begin Patch\n*** Add File: a.txt\n+one\n+two\n*** End Patch\n',
    );
    assert.deepEqual(toolCall({ name: 'bash', argument: 'ls' }, ['exec_command'])?.input, { cmd: 'ls' });
    assert.equal(toolCall({ name: 'tool', argument: 'echo {"text":"x"}' }, ['mcp__lab__echo'])?.name, 'mcp__lab__echo');
    assert.equal(toolCall({ name: 'tool', argument: 'echo' }, ['myecho']), undefined);
  });
});

describe('Requests to the scripted model', () => {
  const texts = ['  tabs\tand blanks ', '<system-reminder>x</system-reminder>'];

  it('knows the words of the person among those that a program adds, byte for byte', () => {
    const anthropic = readAnthropic({
      messages: [
        { role: 'user', content: 'before' },
        { role: 'assistant', content: [{ type: 'text', text: 'yes' }] },
        { role: 'user', content: texts.map((text) => ({ type: 'text', text })) },
      ],
      tools: [{ name: 'Bash' }],
      stream: true,
    });
    assert.equal(anthropic.message, texts[0]);
    assert.deepEqual(anthropic.userTexts, ['before', ...texts]);
    const codex = readResponses({
      input: [
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: texts[0] }] },
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: '<environment_context>x' }] },
      ],
    });
    assert.equal(codex.message, texts[0]);
    assert.equal(readChat({ messages: [{ role: 'user', content: texts[0] }] }).message, texts[0]);
    assert.equal(readGemini({ contents: [{ role: 'user', parts: [{ text: texts[0] }] }] }, true).message, texts[0]);
  });

  it('finds a prompt that was typed during a turn of Claude Code', () => {
    const steered =
      'The user sent a new message while you were working:\nand [[reply: this]]\n\nIMPORTANT: After completing';
    const { message, userTexts } = readAnthropic({
      messages: [
        { role: 'user', content: 'first' },
        { role: 'system', content: [{ type: 'text', text: steered }] },
      ],
    });
    assert.equal(message, 'and [[reply: this]]');
    assert.deepEqual(userTexts, ['first', 'and [[reply: this]]']);
  });

  it('counts the answered calls since the last message, in all four protocols', () => {
    const claude = readAnthropic({
      messages: [
        { role: 'user', content: 'go' },
        { role: 'assistant', content: [{ type: 'tool_use', name: 'Bash' }] },
        { role: 'user', content: [{ type: 'tool_result', content: [{ type: 'text', text: 'out' }] }] },
      ],
    });
    const codex = readResponses({
      input: [
        { role: 'user', content: 'go' },
        { type: 'function_call', name: 'Bash' },
        { type: 'function_call_output', output: 'out' },
      ],
    });
    const opencode = readChat({
      messages: [
        { role: 'user', content: 'go' },
        { role: 'assistant', tool_calls: [{ function: { name: 'Bash' } }] },
        { role: 'tool', content: 'out' },
      ],
    });
    const gemini = readGemini(
      {
        contents: [
          { role: 'user', parts: [{ text: 'go' }] },
          { role: 'model', parts: [{ functionCall: { name: 'Bash' } }] },
          { role: 'user', parts: [{ functionResponse: { response: { output: 'out' } } }] },
        ],
      },
      true,
    );
    for (const conversation of [claude, codex, opencode, gemini]) {
      const { message, step, lastTool, lastResult } = conversation;
      assert.deepEqual(
        { message, step, lastTool, lastResult },
        { message: 'go', step: 1, lastTool: 'Bash', lastResult: 'out' },
      );
    }
  });

  it('takes nothing for granted', () => {
    for (const body of [null, 7, [], {}, { messages: 1, input: {}, contents: [null], tools: [[]] }])
      for (const read of [readAnthropic, readResponses, readChat, (value: unknown) => readGemini(value, false)])
        assert.equal(read(body).message, '');
  });
});
