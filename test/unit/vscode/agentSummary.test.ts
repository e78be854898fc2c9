import { strict as assert } from 'node:assert';
import type { AgentId } from '../../../src/core/agents/agent';
import type { AgentView, EngineStatus } from '../../../src/core/engine';
import { groupAgents } from '../../../src/vscode/agents/agentGroups';
import { badgeText, summarize, viewMessage } from '../../../src/vscode/agents/agentSummary';
import { welcomeState, type WelcomeFacts } from '../../../src/vscode/agents/welcomeState';
import { anAgentView } from '../../support/fakeEngine';

const an = (id: string, overrides: Partial<AgentView>): AgentView =>
  anAgentView({ id: id as AgentId, name: id, ...overrides });
const ready = { kind: 'ready', epoch: 1, tmuxVersion: '3.3a', isTmuxLost: false, isReadOnly: false } as const;

describe('agent summary', () => {
  it('counts who works and who needs you, and lists those first', () => {
    const summary = summarize([
      an('a', { activity: 'busy' }),
      an('b', { activity: 'idle' }),
      an('c', { activity: 'awaiting_input' }),
      an('d', { activity: 'busy' }),
    ]);
    assert.deepEqual(summary, {
      needYouCount: 1,
      workingCount: 2,
      text: '2 working, 1 needs you',
      lines: ['c: needs input', 'a: working', 'b: idle', 'd: working'],
    });
  });

  it('says something also when nobody works or waits', () => {
    assert.equal(summarize([an('a', {}), an('b', {})]).text, '2 idle');
    assert.equal(summarize([an('a', {}), an('b', { activity: 'unknown' })]).text, '2 running');
    assert.equal(summarize([an('a', { lifecycle: 'stopped' })]).text, 'no agent running');
    assert.equal(
      summarize([an('a', { lifecycle: 'failed' }), an('b', { lifecycle: 'quarantined' })]).text,
      '2 need you',
    );
  });

  it('names the badge in a sentence', () => {
    assert.deepEqual([0, 1, 2].map(badgeText), ['', '1 agent needs you', '2 agents need you']);
  });

  it('says above the rows when they cannot be trusted or changed', () => {
    assert.equal(viewMessage(ready), undefined);
    assert.equal(viewMessage({ ...ready, isReadOnly: true }), 'Read-only: changes cannot be kept now.');
    const lost = (hasRun: boolean): EngineStatus => ({ ...ready, isTmuxLost: true, tmuxLoss: { reason: '', hasRun } });
    assert.match(viewMessage(lost(true)) ?? '', /^tmux stopped/);
    assert.match(viewMessage(lost(false)) ?? '', /^tmux cannot be started.*Check Setup/);
    const following: EngineStatus = { kind: 'following', ownerPid: 1, isOwnerResponding: true, isConnected: false };
    assert.equal(viewMessage(following), 'Managed by another window that cannot be reached. Shown read-only.');
    assert.equal(
      viewMessage({ ...following, isConnected: true }),
      'Managed by another window. Commands work here, too.',
    );
    assert.match(
      viewMessage({ kind: 'following', ownerPid: 1, isOwnerResponding: false, isConnected: false }) ?? '',
      /take over/,
    );
  });
});

describe('agent groups', () => {
  const agents = [
    an('a', { activity: 'busy', team: 'red', folder: '/x/one' }),
    an('b', { lifecycle: 'exited', folder: '/y/one' }),
    an('c', { activity: 'awaiting_approval', team: 'blue', folder: '/x/one' }),
    an('d', { activity: 'idle', team: 'red', folder: '/x/two' }),
    an('e', { lifecycle: 'failed', team: 'blue', folder: '/x/two' }),
  ];
  const shown = (groupBy: 'state' | 'team' | 'folder' | 'none'): string[] =>
    groupAgents(agents, groupBy).map(({ label, agentIds }) => `${label}: ${agentIds.join(' ')}`);

  it('by state: who needs you, who is active, who has ended', () => {
    assert.deepEqual(shown('state'), ['Needs You: c e', 'Active: a d', 'Ended: b']);
  });

  it('by team, with those without one last', () => {
    assert.deepEqual(shown('team'), ['blue: c e', 'red: a d', 'No Team: b']);
  });

  it('by folder, where two folders of one name stay apart', () => {
    assert.deepEqual(shown('folder'), ['one: a c', 'one: b', 'two: d e']);
  });

  it('not at all', () => assert.deepEqual(shown('none'), []));

  it('keep an agent under its heading while it goes from idle to working', () => {
    const keys = (activity: 'idle' | 'busy'): string[] =>
      groupAgents([an('a', { activity })], 'state').map(({ key }) => key);
    assert.deepEqual(keys('idle'), keys('busy'));
  });
});

describe('welcome text', () => {
  const facts: WelcomeFacts = {
    status: ready,
    isWindows: false,
    isVirtualWorkspace: false,
    isTrusted: true,
    hasFolder: true,
    hasFleetFile: false,
  };
  const blocked = (code: string): EngineStatus => ({ kind: 'blocked', code, detail: '' });
  const cases: readonly (readonly [string, Partial<WelcomeFacts>, string])[] = [
    ['no agents', {}, 'empty'],
    ['no agents but a fleet file', { hasFleetFile: true }, 'emptyFleet'],
    ['no folder', { hasFolder: false }, 'noFolder'],
    ['starting', { status: { kind: 'starting' } }, 'starting'],
    ['not started, trusted', { status: { kind: 'stopped' } }, 'starting'],
    ['not started, untrusted', { status: { kind: 'stopped' }, isTrusted: false }, 'untrusted'],
    ['watching, untrusted', { status: { kind: 'restricted' }, isTrusted: false }, 'untrusted'],
    ['Windows', { isWindows: true, status: { kind: 'stopped' }, isTrusted: false }, 'windows'],
    ['virtual workspace', { isVirtualWorkspace: true }, 'virtualWorkspace'],
    ['tmux missing', { status: blocked('tmux.notInstalled') }, 'noTmux'],
    ['tmux too old', { status: blocked('tmux.tooOld') }, 'oldTmux'],
    ['unsafe socket folder', { status: blocked('tmux.socketFolderUnsafe') }, 'unsafeFolder'],
    ['unsafe data folder', { status: blocked('data.folderUnsafe') }, 'unsafeFolder'],
    ['damaged store', { status: blocked('data.corrupt') }, 'storeCorrupt'],
    ['newer store', { status: blocked('data.newerSchema') }, 'storeNewer'],
    ['read-only folder', { status: blocked('data.readOnly') }, 'storeReadOnly'],
    ['network file system', { status: blocked('data.networkFileSystem') }, 'networkFileSystem'],
    ['anything else', { status: blocked('engine.failed') }, 'blocked'],
    [
      'another window',
      { status: { kind: 'following', ownerPid: 1, isOwnerResponding: true, isConnected: false } },
      'elsewhere',
    ],
    [
      'another window that takes commands',
      { status: { kind: 'following', ownerPid: 1, isOwnerResponding: true, isConnected: true } },
      'connected',
    ],
    [
      'another window that hangs',
      { status: { kind: 'following', ownerPid: 1, isOwnerResponding: false, isConnected: false } },
      'ownerHung',
    ],
  ];
  for (const [title, overrides, expected] of cases) {
    it(`for ${title}`, () => assert.equal(welcomeState({ ...facts, ...overrides }), expected));
  }
});
