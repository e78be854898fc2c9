import assert from 'node:assert/strict';
import { builtInTypes } from '../../../../../src/core/agents/builtInTypes';
import { AgentFactory, type AgentFactoryOptions } from '../../../../../src/core/agents/agentFactory';
import type { AgentType } from '../../../../../src/core/agents/agentType';
import { approvalHash, approvalText } from '../../../../../src/core/agents/approval';
import { inject, shellWord } from '../../../../../src/core/agents/signals/injection';
import { homeSettings, type HomePlan } from '../../../../../src/core/agents/signals/homePlan';
import { fillTemplate, mergeValues, toToml } from '../../../../../src/core/agents/signals/templates';
import { aRecord, aSpec } from '../../../../support/builders';

const tools = { folder: '/opt/core tools', orc: '/opt/core tools/orc', pointerFile: '/data/gateway.json' };
/** Homes that are not made: `plans` gets what they would be. */
function homes(plans: HomePlan[], theirs: object = {}): NonNullable<AgentFactoryOptions['homes']> {
  return {
    folder: ({ agentId, generation }) => `/data/homes/${agentId}.${generation}`,
    make: (run, plan) => {
      plans.push(plan);
      const { silence } = homeSettings(plan, { ...theirs });
      return Promise.resolve({ ...run, ...(silence !== undefined && { silence }) });
    },
    settle: () => Promise.resolve(),
    list: () => Promise.resolve([]),
  };
}
const options: AgentFactoryOptions = {
  shell: '/bin/zsh', execPath: '/opt/node', demoAgent: '/demo.js', workspaceId: 'w1', tools, sha256: (text) => `hash of ${text}`,
  homes: homes([]),
}; // prettier-ignore
const SESSION = '0198d0c0-1111-7abc-8def-0123456789ab';
const base = { process: { PATH: '/usr/bin:/opt/core tools', HOME: '/home/me' }, loginShell: undefined };

function factory(changes: Partial<AgentFactoryOptions> = {}): AgentFactory {
  return new AgentFactory({ ...options, ...changes }, builtInTypes(), (error) => assert.fail(String(error)));
}

function launch(
  typeId: string,
  more: { readonly isResume?: boolean; readonly env?: Record<string, string>; readonly bare?: boolean } = {},
) {
  const record = aRecord({
    generation: 2,
    sessionId: SESSION,
    spec: aSpec({ typeId, args: ['--mine'], ...(more.env && { env: more.env }) }),
  });
  const { tools: _tools, ...without } = options;
  const made = more.bare ? new AgentFactory(without, builtInTypes(), (error) => assert.fail(String(error))) : factory();
  return made.createLaunch(record, { ...base, ...(more.isResume && { isResume: true }) }, '/run/launch/reviewer.2');
}

describe('injection', () => {
  it('gives every agent our folder first on its PATH and the pointer, and nothing secret', async () => {
    const { env, argv } = await launch('shell');
    assert.equal(env['PATH'], '/opt/core tools:/usr/bin');
    assert.equal(env['CORE_ORCHESTRATOR_GATEWAY'], '/data/gateway.json');
    assert.deepEqual(
      [env['CORE_ORCHESTRATOR_AGENT'], env['CORE_ORCHESTRATOR_GENERATION'], argv],
      ['reviewer', '2', ['/bin/zsh', '--mine']],
    );
    for (const type of builtInTypes().filter(({ id }) => id !== 'command')) {
      const { env: own, argv: words, files } = await launch(type.id);
      assert.doesNotMatch(JSON.stringify([own, words, files ?? {}]), /\.jwt|eyJ|token/iu, type.id);
    }
  });

  it('puts the hooks of Claude Code into one settings argument, before the agent’s own arguments', async () => {
    const { argv } = await launch('claude-code');
    assert.deepEqual(argv.slice(0, 4), ['claude', '--session-id', SESSION, '--settings']);
    assert.equal(argv.at(-1), '--mine');
    const settings = JSON.parse(argv[4] ?? '') as {
      readonly hooks: Record<
        string,
        [{ readonly matcher?: string; readonly hooks: [{ readonly command: string; readonly timeout: number }] }]
      >;
    }; // made above
    assert.equal(settings.hooks['Stop']?.[0].hooks[0].command, "'/opt/core tools/orc' hook Stop");
    assert.ok((settings.hooks['PermissionRequest']?.[0].hooks[0].timeout ?? 0) > 3_600);
    assert.equal(Object.hasOwn(settings, 'statusLine'), false);
    assert.equal(argv.includes('--strict-mcp-config'), false);
    const resumed = await launch('claude-code', { isResume: true });
    assert.deepEqual(resumed.argv.slice(0, 4), ['claude', '--resume', SESSION, '--settings']);
  });

  it('gives Codex its hooks as TOML, after the subcommand that resumes, and leaves the person’s notify alone', async () => {
    const { argv } = await launch('codex', { isResume: true });
    const at = argv.indexOf('resume');
    assert.equal(argv[at + 1], SESSION);
    assert.ok(
      argv
        .slice(at)
        .includes(`hooks.Stop=[{hooks=[{type="command",command="'/opt/core tools/orc' hook Stop",timeout=5}]}]`),
    );
    assert.equal(argv.some((part) => part.startsWith('notify')), false); // prettier-ignore
    assert.equal((await launch('codex')).argv.includes(SESSION), false);
    assert.equal(argv.some((part) => part.includes('bypass')), false); // prettier-ignore
    const state = argv.find((part) => part.startsWith('hooks.state=')) ?? '';
    const hashed = JSON.stringify(
      `sha256:hash of {"event_name":"stop","hooks":[{"async":false,"command":"'/opt/core tools/orc' hook Stop","timeout":5,"type":"command"}]}`,
    );
    assert.ok(state.includes(`"/<session-flags>/config.toml:stop:0:0"={trusted_hash=${hashed}}`), state);
  });

  it('merges the configuration of opencode into the one that the person has', async () => {
    const mine = { model: 'a/b', plugin: ['mine'], autoupdate: true };
    const { env } = await launch('opencode', { env: { OPENCODE_CONFIG_CONTENT: JSON.stringify(mine) } });
    assert.deepEqual(JSON.parse(env['OPENCODE_CONFIG_CONTENT'] ?? ''), {
      model: 'a/b', autoupdate: false, plugin: ['mine', 'file:///opt/core%20tools/opencodePlugin.js'],
    }); // prettier-ignore
    const broken = await launch('opencode', { env: { OPENCODE_CONFIG_CONTENT: '{' } });
    assert.deepEqual((JSON.parse(broken.env['OPENCODE_CONFIG_CONTENT'] ?? '') as { plugin: unknown }).plugin, [
      'file:///opt/core%20tools/opencodePlugin.js',
    ]);
  });

  it('gives Gemini a home of its own beside the tokens, not in the launch folder', async () => {
    const plans: HomePlan[] = [];
    const made = factory({ homes: homes(plans) });
    const record = aRecord({ generation: 2, sessionId: SESSION, spec: aSpec({ typeId: 'gemini', args: ['--mine'] }) });
    const { env, files, argv } = await made.createLaunch(record, base, '/run/launch/reviewer.2');
    assert.equal(env['GEMINI_CLI_HOME'], '/data/homes/reviewer.2');
    assert.equal(files, undefined);
    // It replaces this file at every answer: behind a link two runs would not see each other's.
    assert.equal(env['GEMINI_CLI_TRUSTED_FOLDERS_PATH'], '/home/me/.gemini/trustedFolders.json');
    const own = await launch('gemini', { env: { GEMINI_CLI_TRUSTED_FOLDERS_PATH: '/mine.json' } });
    assert.equal(own.env['GEMINI_CLI_TRUSTED_FOLDERS_PATH'], '/mine.json');
    assert.deepEqual([plans[0]?.base, plans[0]?.folder], ['/home/me', '.gemini']);
    assert.match(JSON.stringify(plans[0]?.settings), /"'\/opt\/core tools\/orc' hook AfterAgent"/);
    assert.equal(JSON.stringify(plans[0]?.settings).includes('"enabled":true'), false, 'it switches nothing on');
    assert.deepEqual(argv, ['gemini', '--session-id', SESSION, '--mine']);
    assert.deepEqual(made.degraded(made.get('gemini'), { agentId: record.id, generation: 2 }), []);
  });

  it('gives Gemini no hooks when the person’s settings switch them off, and says so of that run', async () => {
    for (const theirs of [{ enabled: false }, { disabled: ['a', 'core-orchestrator'] }]) {
      const made = factory({ homes: homes([], { hooksConfig: theirs }) });
      const record = aRecord({ generation: 2, sessionId: SESSION, spec: aSpec({ typeId: 'gemini' }) });
      await made.createLaunch(record, base, '/run/launch/reviewer.2');
      const said = (generation: number) => made.degraded(made.get('gemini'), { agentId: record.id, generation });
      assert.match(said(2).join(), /^no hooks: your Gemini settings switch them off/);
      assert.deepEqual([said(3), made.degraded(made.get('gemini'))], [[], []]);
    }
  });

  it('starts from the home that the person has relocated', async () => {
    const plans: HomePlan[] = [];
    const spec = aSpec({ typeId: 'gemini', env: { GEMINI_CLI_HOME: '/srv/me/' } });
    await factory({ homes: homes(plans) }).createLaunch(aRecord({ spec }), base, '/l');
    assert.equal(plans[0]?.base, '/srv/me');
  });

  it('injects nothing without tools, and says so', async () => {
    const { argv, files, env } = await launch('claude-code', { bare: true });
    assert.deepEqual([argv, files], [['claude', '--session-id', SESSION, '--mine'], undefined]);
    assert.equal(env['CORE_ORCHESTRATOR_GATEWAY'], undefined);
    const { tools: _tools, ...without } = options;
    const bare = new AgentFactory(without, builtInTypes(), () => undefined);
    assert.match(bare.degraded(bare.get('claude-code'))[0] ?? '', /^no hooks/);
    assert.deepEqual(factory().degraded(factory().get('claude-code')), []);
    assert.deepEqual(factory().degraded(factory().get('demo')), []); // made for its rules
    assert.match(factory().degraded(factory().get('shell'))[0] ?? '', /^no hooks: activity comes from the screen only/);
  });

  it('says without a home that a relocated one cannot be made, by starting as it is', () => {
    const type: Pick<AgentType, 'inject'> = {
      inject: { home: { variable: 'X_HOME', folder: '.x', settingsFile: 's', settings: {} } },
    };
    const places = { tools, launchFolder: '/l', folder: '/f', sessionId: undefined, env: {} };
    assert.deepEqual(inject(type, places), { args: [], env: {}, files: {} });
  });

  it('replaces only what it knows, and never twice', () => {
    const places = { orc: '{folder}', folder: '/f' };
    assert.equal(fillTemplate('{orc} {nope} {constructor} {"a":1}', places), '{folder} {nope} {constructor} {"a":1}');
    assert.equal(fillTemplate({ json: { a: ['{folder}'] } }, places), '{"a":["/f"]}');
    assert.equal(
      fillTemplate({ prefix: 'k=', toml: [{ 'a b': '{folder}"', t: 5, f: true }] }, places),
      'k=[{"a b"="/f\\"",t=5,f=true}]',
    );
  });

  it('writes TOML strings that end where they should', () => {
    assert.equal(toToml('a\n\u0001\u007f"\\é'), '"a\\n\\u0001\\u007F\\"\\\\é"');
  });

  it('merges without touching prototypes', () => {
    const merged = mergeValues({ a: { b: 1 } }, JSON.parse('{"__proto__":{"polluted":1},"a":{"c":2}}'));
    assert.deepEqual(Object.keys(merged as object).sort(), ['__proto__', 'a']);
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  });

  it('makes one word of a path for a shell', () => {
    assert.equal(shellWord("/it's/a b"), `'/it'\\''s/a b'`);
    assert.equal(shellWord('/plain/orc'), '/plain/orc');
  });

  it('S1 is part of what a person approves: every byte of it changes the hash, and it is shown', () => {
    const plain: AgentType = { ...factory().get('command'), id: 'mine' };
    const spec = aSpec({ typeId: 'mine', command: ['x'] });
    const hash = (type: AgentType) => approvalHash((text) => text, spec, type);
    const variants: readonly Partial<AgentType>[] = [
      { inject: { args: ['--evil'] } },
      { inject: { env: { LD_PRELOAD: '/evil' } } },
      { inject: { files: { 'a.js': 'evil()' } } },
      { inject: { home: { variable: 'H', folder: '.h', settingsFile: 's', settings: { evil: 1 } } } },
      { session: { id: 'ours', newArgs: ['--evil', '{sessionId}'], needsTurn: true, losses: [] } },
      { approval: { keys: { allow: ['1'] } } },
      { doctor: { knownVersions: [], versionArgs: ['evil'] } },
    ];
    assert.equal(
      new Set([plain, ...variants.map((change) => ({ ...plain, ...change }))].map(hash)).size,
      variants.length + 1,
    );
    for (const change of variants.slice(0, 5))
      assert.match(approvalText(spec, { ...plain, ...change }, ['x']), /evil/, JSON.stringify(change));
  });
});
