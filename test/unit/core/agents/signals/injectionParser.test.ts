import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import Ajv from 'ajv';
import { parseAgentType } from '../../../../../src/core/agents/agentTypeParser';

const minimal = { id: 'mine', label: 'Mine', command: ['mine'] };
const hook = { event: 'Stop', says: 'x' };
const home = { variable: 'H', folder: '.h', settingsFile: 's.json', settings: {} };
const silence = { when: [{ path: '/a/b', equals: false }], leavesOut: ['hooks'], says: 'none' };
const session = { id: 'hook', needsTurn: true, losses: [] };

/** What is added to a minimal manifest → is it fine? */
const cases: readonly (readonly [Readonly<Record<string, unknown>>, boolean])[] = [
  [{ inject: { args: ['{orc}', { json: { a: 1 } }, { prefix: 'x=', toml: [1] }] } }, true],
  [{ inject: { args: [{ json: {}, toml: {} }] } }, false],
  [{ inject: { args: [{ prefix: 'x' }] } }, false],
  [{ inject: { args: [7] } }, false],
  [{ inject: { env: { '1X': 'a' } } }, false],
  [{ inject: { files: { '../x': 'a' } } }, false],
  [{ inject: { files: { '..': 'a' } } }, false],
  [{ inject: { files: { 'a.json': { json: [] } } } }, true],
  [{ inject: { home } }, true],
  [{ inject: { home: { ...home, folder: '../h' } } }, false],
  [{ inject: { home: { ...home, settings: [] } } }, false],
  [{ inject: { home: { ...home, keepFiles: ['/etc/passwd'] } } }, false],
  [{ inject: { home: { ...home, fileVariables: { X_PATH: 'x.json' } } } }, true],
  [{ inject: { home: { ...home, fileVariables: { X_PATH: '/etc/x' } } } }, false],
  [{ inject: { home: { ...home, fileVariables: { '1X': 'x.json' } } } }, false],
  [{ inject: { home: { ...home, besides: ['.agents'] } } }, true],
  [{ inject: { home: { ...home, besides: ['../x'] } } }, false],
  [{ inject: { home: { ...home, silence } } }, true],
  [{ inject: { home: { ...home, silence: { ...silence, when: [{ path: 'a', equals: false }] } } } }, false],
  [{ inject: { home: { ...home, silence: { ...silence, says: 7 } } } }, false],
  [{ inject: { home: { ...home, silence: { when: [], leavesOut: [] } } } }, false],
  [{ inject: { shell: 'x' } }, false],
  [{ hooks: [{ ...hook, activity: 'idle', unlessPath: '/a', when: { path: '/b', equals: true } }] }, true],
  [{ hooks: [{ ...hook, endsTurn: true }] }, true],
  [{ hooks: [{ ...hook, endsTurn: 'yes' }] }, false],
  [{ hooks: [{ ...hook, leavesQuestion: true }] }, true],
  [{ hooks: [{ ...hook, leavesQuestion: 'yes' }] }, false],
  [{ hooks: [{ ...hook, activity: 'unknown' }] }, false],
  [{ hooks: [{ ...hook, event: 'a b' }] }, false],
  [{ hooks: [{ ...hook, promptPath: 'prompt' }] }, false],
  [{ hooks: [{ ...hook, when: { path: '/b', equals: null } }] }, false],
  [{ hooks: [{ ...hook, permission: { kind: 'other' } }] }, false],
  [{ hooks: [{ event: 'x' }] }, false],
  [{ osc: [{ id: 'a', code: 7501, pattern: 'x', activity: 'busy' }] }, true],
  [{ osc: [{ id: 'a', code: -1, pattern: 'x', activity: 'busy' }] }, false],
  [{ approval: { hook: { allow: {}, waitMs: 0 }, keys: { allow: ['1'], deny: ['Escape'] }, dialogTop: '^x' } }, true],
  [{ approval: { hook: { waitMs: 86_400_001 } } }, false],
  [{ approval: { keys: { allow: ['F1'] } } }, false],
  [{ session }, true],
  [{ session: { ...session, id: 'ours' } }, false],
  [{ session: { ...session, id: 'ours', newArgs: ['--id'] } }, false],
  [{ session: { ...session, id: 'ours', newArgs: ['--id={sessionId}'] } }, true],
  [{ usage: 'claude' }, true],
  [{ usage: 'other' }, false],
  [{ doctor: { knownVersions: ['1.0'], versionArgs: ['-V'], args: ['a'], firstHook: 'x.y' } }, true],
  [{ doctor: { knownVersions: [], folder: 'workspace' } }, true],
  [{ doctor: { knownVersions: [], folder: '/tmp' } }, false],
  [{ doctor: {} }, false],
  [
    { prompt: { canPaste: true, leadingSpace: '/!', trailingSpace: '@', firstAckMs: 20_000, queuesWhileBusy: true } },
    true,
  ],
  [{ prompt: { canPaste: true, firstAckMs: 1 } }, false],
];

describe('injectionParser', () => {
  const schema = JSON.parse(readFileSync('media/schemas/agentType.schema.json', 'utf8')) as object; // ours
  const validate = new Ajv({ strict: false }).compile(schema);

  for (const [addition, isFine] of cases)
    it(`${isFine ? 'takes' : 'refuses'} ${JSON.stringify(addition).slice(0, 90)}, and so does the schema`, () => {
      const manifest = { ...minimal, ...addition };
      const result = parseAgentType(manifest);
      assert.equal(result.ok, isFine, JSON.stringify(result.ok ? {} : result.problems));
      assert.equal(validate(manifest), isFine, JSON.stringify(validate.errors));
    });

  it('keeps what it read', () => {
    const [manifest] = [{ ...minimal, inject: { home }, hooks: [hook], session, usage: 'codex' }];
    const result = parseAgentType(manifest);
    assert.ok(result.ok);
    assert.deepEqual(
      [result.type.inject, result.type.hooks, result.type.session, result.type.usage],
      [{ home }, [hook], session, 'codex'],
    );
  });

  it('says that TOML has no null', () => {
    const result = parseAgentType({ ...minimal, inject: { args: [{ toml: { a: null } }] } });
    assert.equal(result.ok, false);
  });
});
