import assert from 'node:assert/strict';
import { agentEnvironment, inheritedEnvironment } from '../../../../src/core/agents/environment';

const leaks = {
  CLAUDECODE: '1', CLAUDE_CODE_SSE_PORT: '1', ANTHROPIC_API_KEY: 'editor', ANTHROPIC_BASE_URL: 'x', OPENAI_API_KEY: 'x', GEMINI_CLI_IDE_PORT: '1',
  VSCODE_IPC_HOOK: 'x', ELECTRON_RUN_AS_NODE: '1', TERM_PROGRAM: 'vscode', TERM_PROGRAM_VERSION: '1', CI: '1', NO_COLOR: '1', NODE_OPTIONS: '--x',
  TMUX: 'x', TMUX_PANE: '%1', TERM: 'dumb', GIT_ASKPASS: 'x', npm_config_x: 'y', LD_PRELOAD: 'x',
}; // prettier-ignore
const clean = {
  HOME: '/h',
  USER: 'me',
  PATH: '/bin',
  LC_ALL: 'C',
  XDG_RUNTIME_DIR: '/run',
  SSH_AUTH_SOCK: '/s',
  TZ: 'UTC',
  DISPLAY: ':0',
};

describe('environment', () => {
  it('takes only the allow-list from our own process', () => {
    assert.deepEqual(inheritedEnvironment({ ...clean, ...leaks, UNSET: undefined }), clean);
  });

  it('takes back what the launchers of VS Code changed', () => {
    const changed = {
      ...clean,
      PATH: '/opt/server/bin/remote-cli:/bin:/home/me/remote-cli:/snap/code/180/bin/remote-cli/',
      XDG_DATA_HOME: '/home/me/snap/code/180/.local/share',
      XDG_DATA_HOME_VSCODE_SNAP_ORIG: '',
      XDG_DATA_DIRS: '/home/me/snap/code/180/usr/share:/usr/share',
      XDG_DATA_DIRS_VSCODE_SNAP_ORIG: '/usr/share',
      LD_PRELOAD_VSCODE_SNAP_ORIG: '/x.so',
    };
    assert.deepEqual(inheritedEnvironment(changed), {
      ...clean,
      PATH: '/bin:/home/me/remote-cli',
      XDG_DATA_DIRS: '/usr/share',
    });
    assert.equal('PATH' in inheritedEnvironment({ HOME: '/h' }), false);
  });

  it('passes what the login shell exports, but never the marks of other programs', () => {
    const env = agentEnvironment({
      process: { ...clean, ...leaks },
      loginShell: { ...leaks, ANTHROPIC_API_KEY: 'own', PATH: '/mine:/bin', SHLVL: '2', PWD: '/' },
      type: undefined,
      spec: undefined,
      own: {},
    });
    assert.equal(env['ANTHROPIC_API_KEY'], 'own');
    assert.equal(env['PATH'], '/mine:/bin');
    assert.equal(env['TERM'], 'tmux-256color');
    for (const name of [
      'CLAUDECODE',
      'VSCODE_IPC_HOOK',
      'ELECTRON_RUN_AS_NODE',
      'TERM_PROGRAM',
      'TMUX',
      'TMUX_PANE',
      'SHLVL',
      'PWD',
    ]) {
      assert.equal(env[name], undefined, name);
    }
  });

  it('lets type, agent and our own variables win in this order', () => {
    const env = agentEnvironment({
      process: clean,
      loginShell: { A: 'shell' },
      type: { A: 'type', B: 'type', C: 'type' },
      spec: { B: 'spec', C: 'spec' },
      own: { C: 'own' },
    });
    assert.deepEqual([env['A'], env['B'], env['C'], env['COLORTERM']], ['type', 'spec', 'own', 'truecolor']);
  });

  it('gives a language when nobody says one', () => {
    const parts = { loginShell: undefined, type: undefined, spec: undefined, own: {} };
    assert.equal(agentEnvironment({ process: { HOME: '/h' }, ...parts })['LANG'], 'C.UTF-8');
    assert.equal(agentEnvironment({ process: { LANG: 'de_DE.UTF-8' }, ...parts })['LANG'], 'de_DE.UTF-8');
    assert.equal(agentEnvironment({ process: { LC_ALL: 'C' }, ...parts })['LANG'], undefined);
  });
});
