import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import Ajv from 'ajv';
import fc from 'fast-check';
import { AgentError } from '../../../../src/core/agents/agentErrors';
import type { AgentSpec } from '../../../../src/core/agents/agent';
import { approvalContent, approvalHash, approvalText, isApproved } from '../../../../src/core/agents/approval';
import { SPEC_PROPERTIES } from '../../../../src/core/agents/agentSpec';
import { builtInTypes } from '../../../../src/core/agents/builtInTypes';
import { parseFleetFile, requireFleetFile } from '../../../../src/core/agents/fleetFile';
import { aSpec } from '../../../support/builders';
import { FakeAgentStore } from '../../../support/fakeAgentStore';

const context = { workspaceFolder: '/ws', knownTypes: builtInTypes().map((type) => type.id) };
const problems = (text: string) =>
  parseFleetFile(text, context).problems.map(
    ({ path, message, line, column }) => `${line}:${column} ${path}: ${message}`,
  );
const folderOf = (folder: string) =>
  parseFleetFile(JSON.stringify({ agents: [{ name: 'A', type: 'demo', folder }] }), context).agents[0]?.folder;
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const AGENT_PROPERTIES = SPEC_PROPERTIES.join(', ').replace('typeId', 'type');
const SAMPLE = '{"agents": [\n  {"name": "A", "type": "demo"} // one\n]}';
const shell = builtInTypes().find((type) => type.id === 'shell')!;

describe('fleetFile', () => {
  it('reads agents, with comments and trailing commas, and seats them in the workspace', () => {
    const text = `{ // fleet
      "version": 1,
      "agents": [
        { "name": "Planner", "type": "demo", "role": "planner", "team": "app", "firstPrompt": "loop" },
        { "name": "Build", "type": "command", "command": ["make", "-j2"], "folder": "sub/../lib/", "env": {"A": "b"}, "args": ["x"], "restartPolicy": "never" },
      ],
    }`;
    assert.deepEqual(parseFleetFile(text, context), {
      agents: [
        { name: 'Planner', typeId: 'demo', folder: '/ws', role: 'planner', team: 'app', firstPrompt: 'loop' },
        {
          name: 'Build',
          typeId: 'command',
          folder: '/ws/lib',
          args: ['x'],
          env: { A: 'b' },
          command: ['make', '-j2'],
          restartPolicy: 'never',
        },
      ],
      types: [],
      problems: [],
    });
  });

  it('accepts the sample fleet that the product ships', () => {
    assert.deepEqual(problems(readFileSync('sample/.vscode/agents.json', 'utf8')), []);
  });

  it('reports every problem with its line and column', () => {
    const text = ['{', '  "agents": [', '    { "name": "A", "typ": "demo" },', '    { "name": "a", "type": "nope", "env": { "X Y": "1" } },', '    { "name": "a", "type": "shell", "folder": "../out" }', '  ],', '  "more": 1', '}'].join('\n'); // prettier-ignore
    assert.deepEqual(problems(text), [
      '6:2 more: is not a known property; there are: $schema, version, agents, types',
      `2:19 agents[0].typ: is not a known property; there are: ${AGENT_PROPERTIES}`,
      '2:4 agents[0].type: must be a string',
      '3:44 agents[1].env["X Y"]: is not a name for an environment variable',
      '4:36 agents[2].folder: must stay inside the workspace and use "/"',
    ]);
    assert.deepEqual(
      problems('{"agents":[{"name":"A","type":"nope"},{"name":"a","type":"demo"},{"name":"C","type":"command"}]}'),
      [
        `0:23 agents[0].type: no agent type "nope"; there are: ${context.knownTypes.join(', ')}`,
        '0:39 agents[1].name: "a" is used twice',
        '0:65 agents[2]: must have "command" (type "command")',
      ],
    );
  });

  it('says in words what is wrong with JSON, where it is mended and what is allowed', () => {
    const VALUES = 'a text in double quotes, a number, true, false, null, a list [ ] or an object { }';
    const unquoted = (found: string) =>
      `"${found}" is not understood: names and texts stand in double quotes; a value is ${VALUES}`;
    const cases: readonly (readonly [text: string, ...problems: readonly string[]])[] = [
      ['{ agents: [] }', `0:2 : ${unquoted('agents')}`],
      ["{ 'agents': [] }", "0:2 : 'agents' is in single quotes: names and texts take double quotes"],
      ['{"agents": True}', `0:11 : ${unquoted('True')}`],
      ['{"agents" []}', '0:9 : a colon is missing between a name and its value'],
      ['{"agents": [{"name": "a"}\n {"name": "b"}]}', '0:25 : a comma is missing after this'],
      ['{"agents": [\n', '0:12 : a closing ] is missing after this'],
      ['{"agents": [\n,]}', `1:0 : "," stands where a value is expected: ${VALUES}`],
      ['{"agents": []}}', '0:14 : "}" comes after the end: the file is one object { }'],
      ['{"agents": []} /* x', '0:15 : a comment that begins with /* does not end: */ is missing'],
      ['{"agents":', `0:10 : the end stands where a value is expected: ${VALUES}`],
      ['{"agents": [\n b,\n c]}', `1:1 : ${unquoted('b')}`, `2:1 : ${unquoted('c')}`],
    ];
    for (const [text, ...expected] of cases) assert.deepEqual(problems(text), expected);
    for (let length = 0; length < SAMPLE.length; length++)
      for (const told of problems(SAMPLE.slice(0, length) + '\u0007' + SAMPLE.slice(length)))
        assert.doesNotMatch(told, /[A-Z][a-z]+[A-Z]|undefined|\u0007/, told);
    assert.throws(() => requireFleetFile('{\n x }', context), /line 2, column 2: "x" is not understood/);
  });

  it('reports what is no JSON, is empty, or is not an object, and never throws', () => {
    assert.deepEqual(problems('{\n "agents": [}\n').length > 0, true);
    for (const text of [
      '',
      '[]',
      'null',
      '{"agents":{}}',
      '{"agents":[1]}',
      '{"version":2,"agents":[]}',
      `{"agents":${'['.repeat(5_000)}`,
      '{"__proto__":{"agents":[]}}',
    ]) {
      assert.ok(problems(text).length > 0, text.slice(0, 40));
    }
    fc.assert(fc.property(fc.string({ maxLength: 200 }), (text) => void parseFleetFile(text, context))); // prettier-ignore
    fc.assert(
      fc.property(
        fc.jsonValue(),
        (value) => void parseFleetFile(JSON.stringify({ agents: [value], types: [value] }), context),
      ),
    );
    assert.throws(() => requireFleetFile('{}', context), (error) => AgentError.is(error, 'agent.fleetInvalid') && error.problems.length === 1); // prettier-ignore
  });

  it('says of a file that is empty or a list what it needs instead', () => {
    const told = (text: string): string[] =>
      parseFleetFile(text, context).problems.map(({ message, line }) => `${line}: ${message}`);
    const needed = 'the file needs an object { } with "agents", a list [ ]';
    for (const empty of ['', ' \n\t'])
      assert.deepEqual(told(empty), [`0: the file is empty: ${needed}; Create Fleet File writes a first one`]);
    for (const commented of ['// nothing yet\n', '/* nor here */'])
      assert.deepEqual(told(commented), [`0: the file has no agents: ${needed}`]);
    assert.deepEqual(told('\n[{"name": "A", "type": "demo"}]'), [
      '1: the file is a list [ ], which belongs into "agents": write { "agents": [ … ] }',
    ]);
    assert.deepEqual(told('"agents"'), [`0: the file is no object: ${needed}`]);
    assert.deepEqual(told('{}'), [`0: has no "agents": ${needed}`]);
  });

  it('keeps relative folders inside the workspace; absolute ones stay what they are, for the approval to show', () => {
    assert.deepEqual(['.', 'a/./b', 'a/../b', '/elsewhere/../x', ''].map(folderOf), [
      '/ws',
      '/ws/a/b',
      '/ws/b',
      '/x',
      undefined,
    ]);
    for (const folder of ['..', '../x', 'a/../../x', '~/x', 'a\\..\\..\\x', '..\\x', 'a\u0000b'])
      assert.equal(folderOf(folder), undefined, folder);
    fc.assert(
      fc.property(fc.array(fc.constantFrom('..', '.', 'a', 'b', ''), { maxLength: 8 }), (parts) => {
        const folder = folderOf(parts.join('/').replace(/^\/+/, '') || '.');
        assert.ok(folder === undefined || folder === '/ws' || (folder.startsWith('/ws/') && !folder.includes('..')));
      }),
    );
  });

  it('brings types along, checked like all others, never in place of a built-in one', () => {
    const file = (types: unknown) => JSON.stringify({ agents: [{ name: 'A', type: 'mine' }], types });
    assert.equal(parseFleetFile(file([{ id: 'mine', label: 'M', command: ['m'] }]), context).types[0]?.id, 'mine');
    assert.match(
      problems(file([{ id: 'demo', label: 'M', command: ['m'] }])).join(),
      /types\[0\]\.id: "demo" is in use/,
    );
    assert.match(problems(file([{ id: 'mine', label: 'M', command: ['m'], screenRules: [{ id: 'x', activity: 'idle', where: 'bottom', pattern: '(a+)+' }] }])).join(), /screenRules\[0\]\.pattern: repeats/); // prettier-ignore
  });

  describe('has a schema that agrees with the parser', () => {
    const schema = (name: string) => JSON.parse(readFileSync(`media/schemas/${name}.schema.json`, 'utf8')) as object; // ours
    const ajv = new Ajv({ strict: false });
    ajv.addSchema(schema('agentType'));
    const validate = ajv.compile(schema('fleet'));
    const agent = { name: 'A', type: 'demo' };
    const agree = (value: unknown): boolean => {
      const isRight = problems(JSON.stringify(value)).length === 0;
      assert.equal(validate(value), isRight, JSON.stringify(value));
      return isRight;
    };
    /** Values of each property at and beyond its limits. */
    const values = {
      name: [
        'A',
        'a b',
        'ä漢😀',
        '',
        ' A',
        'A ',
        'a  b',
        'a\tb',
        'a\nb',
        'a\u200bb',
        '\u202eA',
        'a\u00a0',
        '\ud800',
        'x\u{e0041}',
        '\u001b[31m',
        'n'.repeat(80),
        'n'.repeat(81),
        1,
      ],
      type: ['demo', 'shell', 'command', '', 'Demo', 'a b', 'x'.repeat(42), null],
      folder: [
        '.',
        'a',
        'a/./b',
        'a/../b',
        './/a/',
        '/',
        '/x',
        '/x\\y',
        '...',
        '..a',
        'a/..b',
        'a/b/../../c',
        '',
        '..',
        '../x',
        './../x',
        '/..',
        '/a/../..',
        'a/../../x',
        'a/b/../../..',
        'a/b/c/../../../../x',
        '~',
        '~/x',
        'a\\b',
        'a\u0000b',
        [],
        'f'.repeat(4097),
      ],
      role: ['web', 'Lead 2', 'ä.b_c-d', '', 'web/app', '(lead)', ' x', '-x', 'a\tb', 'r'.repeat(61), {}],
      team: ['web', 'web/app', 'a:b'],
      firstPrompt: ['go', 'a\nb', '', 'a\u0000', 'p'.repeat(65_537), false],
      args: [[], ['x', ''], ['a\u0000'], 'x', [1], Array<string>(201).fill('x'), ['a'.repeat(32_769)]],
      env: [{}, { A: '' }, { _a1: 'x' }, { 'A-B': '' }, { '1A': '' }, { A: 1 }, { A: '\u0000' }, []],
      command: [['make'], ['make', ''], [], [''], ['', 'x'], 'make', ['a\u0000'], [null]],
      restartPolicy: ['never', 'on_failure', 'always', 'sometimes', ''],
      extra: [1],
    } as const;

    it('about each value of each property', () => {
      let right = 0;
      let wrong = 0;
      for (const [key, all] of Object.entries(values))
        for (const value of all)
          for (const base of [agent, { ...agent, type: 'command', command: ['make'] }])
            if (agree({ agents: [{ ...base, [key]: value }] })) right++;
            else wrong++;
      assert.ok(right > 40 && wrong > 100, `${right} ${wrong}`);
    });

    it('about what is missing, and about the file', () => {
      const { name, type } = agent;
      for (const value of [
        ...[{ agents: [agent] }, { agents: [{ name }] }, { agents: [{ type }] }, { agents: [{}] }, { agents: [null] }],
        ...[{ agents: [] }, { types: [] }, {}, [], null, { agents: {} }, { agents: [agent], more: 1 }],
        ...[{ version: 1, agents: [] }, { version: 2, agents: [] }, { version: '1', agents: [] }, { $schema: 'x', agents: [] }],
        ...[{ agents: [{ name, type: 'command' }] }, { agents: [{ name, type: 'command', command: ['make'] }] }],
        ...[{ agents: Array.from({ length: 201 }, (_, index) => ({ name: `A${index}`, type })) }],
        ...[{ id: 'mine', label: 'M', command: ['m'] }, { id: 'mine' }, { id: 'My', label: 'M', command: ['m'] }, { id: 'mine', label: 'M', command: [''] }].map((mine) => ({ agents: [agent], types: [mine] })),
      ])
        agree(value); // prettier-ignore
    });

    it('about any agent that is put together of them', () => {
      const property = (all: readonly unknown[]) => fc.option(fc.constantFrom(...all), { nil: undefined });
      const made = fc.record(Object.fromEntries(Object.entries(values).map(([key, all]) => [key, property(all)])));
      const sparse = fc.tuple(made, fc.subarray(Object.keys(values), { maxLength: 3 })).map(([all, keys]) => ({
        ...agent,
        ...Object.fromEntries(keys.map((key) => [key, all[key]])),
      }));
      fc.assert(fc.property(sparse, (one) => void agree(JSON.parse(JSON.stringify({ agents: [one] })))));
      const text = fc.string({
        unit: fc.constantFrom('a', 'B', '1', ' ', '/', '.', '..', '../', '\\', '~', '\t', '\u200b', '-', '(', 'é'),
        maxLength: 7,
      });
      fc.assert(fc.property(fc.constantFrom('name', 'folder', 'role', 'team'), text, (key, given) => void agree({ agents: [{ ...agent, [key]: given }] }))); // prettier-ignore
    });
  });
});

describe('approval', () => {
  const base: AgentSpec = aSpec({ args: ['-c', 'x'], env: { A: '1' }, firstPrompt: 'go' });

  it('S1 asks again when one byte of what would run has changed', () => {
    const changes: readonly Partial<AgentSpec>[] = [
      { args: ['-c', 'y'] }, { args: ['-c x'] }, { args: ['-c', 'x', ''] }, { env: { A: '2' } }, { env: { B: '1' } }, { env: { A: '1', B: '' } },
      { folder: '/project/' }, { firstPrompt: 'go ' }, { command: ['z'] },
    ]; // prettier-ignore
    const hashes = [base, ...changes.map((change) => ({ ...base, ...change }))].map((spec) =>
      approvalHash(sha256, spec, shell),
    );
    const types = [
      { command: ['{shell}', ''] },
      { env: { X: '1' } },
      { quit: [{ text: 'rm -r .' }] },
      { resume: ['-r'] },
    ];
    hashes.push(...types.map((change) => approvalHash(sha256, base, { ...shell, ...change })));
    assert.equal(new Set(hashes).size, hashes.length);
  });

  it('S1 asks again for any change of any character, anywhere', () => {
    const texts = fc.string({ unit: 'grapheme', maxLength: 8 });
    const specs = fc.record({
      args: fc.array(texts, { maxLength: 3 }),
      folder: texts,
      firstPrompt: texts,
      env: fc.dictionary(fc.constantFrom('A', 'B'), texts),
    });
    fc.assert(
      fc.property(specs, specs, (a, b) => {
        const isSame = JSON.stringify([a.args, a.folder, a.firstPrompt, Object.entries(a.env).sort()]) === JSON.stringify([b.args, b.folder, b.firstPrompt, Object.entries(b.env).sort()]); // prettier-ignore
        assert.equal(approvalContent({ ...base, ...a }, shell) === approvalContent({ ...base, ...b }, shell), isSame);
      }),
    );
  });

  it('does not ask again for a new name, team or restart policy, nor for the order of variables', () => {
    const hash = approvalHash(sha256, { ...base, env: { A: '1', B: '2' } }, shell);
    assert.equal(
      approvalHash(
        sha256,
        { ...base, env: { B: '2', A: '1' }, name: 'Other', team: 't', restartPolicy: 'always' },
        shell,
      ),
      hash,
    );
  });

  it('S1 knows only what was stored', async () => {
    const store = new FakeAgentStore();
    const hash = approvalHash(sha256, base, shell);
    assert.equal(await isApproved(store, hash), false);
    await store.putApproval({ hash, shown: 'x', approvedAtMs: 0, actor: 'person' });
    assert.equal(await isApproved(store, hash), true);
  });

  it('S24 shows everything, whole and unmistakable', () => {
    const hostile = aSpec({
      name: 'A',
      args: ["it's", 'a\nb', '\u202erm', 'x'.repeat(5_000), '', '$(touch P)'],
      env: { TOKEN: 'v\u200b1' },
      firstPrompt: 'line 1\n  command: safe',
    });
    const text = approvalText(hostile, shell, ['/bin/bash', ...(hostile.args ?? [])]);
    assert.ok(text.includes('x'.repeat(5_000)) && !text.includes('…'));
    assert.ok(text.includes("'it'\\''s' 'a\\nb' '\\u{202e}rm'") && text.includes("'$(touch P)'"));
    assert.ok(text.includes("environment: TOKEN='v\\u{200b}1'"));
    assert.equal(text.split('\n').filter((line) => line.trim().startsWith('command:')).length, 1);
    assert.deepEqual(text.split('\n').length, 6);
  });

  it('S24 says what is sent when a request is answered, and when', () => {
    const lineOf = (id: string): string => {
      const type = builtInTypes().find((each) => each.id === id)!;
      const lines = approvalText(aSpec({ typeId: id }), type, ['x']).split('\n');
      return lines.find((line) => line.includes('answers what it asks')) ?? '';
    };
    assert.equal(
      lineOf('demo'),
      "  when you or a rule of yours answers what it asks: presses 1 to approve, Escape to deny; its question begins with a line that matches '^(Allow this command\\\\?|\\\\? (Which|Do you))'",
    );
    assert.equal(
      lineOf('opencode'),
      `  when you or a rule of yours answers what it asks: sends its hook '{"reply":"once"}' to approve, '{"reply":"reject","message":"{reason}"}' to deny, which waits up to 1434 min; its question begins with a line that matches '△'`,
    );
    assert.match(
      lineOf('claude-code'),
      /: sends its hook '.*"allow".* to approve, .*; presses 1 to approve, Escape to deny; /,
    );
    assert.match(lineOf('codex'), /asks: presses 1 to approve, Escape to deny; /);
    assert.equal(lineOf('shell'), '');
  });
});
