import assert from 'node:assert/strict';
import type { AgentId } from '../../../../src/core/agents/agent';
import type { LaunchSpec } from '../../../../src/core/agents/agentHost';
import { launchScript } from '../../../../src/core/tmux/launchScript';
import { TmuxError } from '../../../../src/core/tmux/tmuxErrors';

const paths = { exitFile: '/run/exit/a.1', temporaryExitFile: '/run/exit/.a.1.tmp', inheritedNames: ['PATH', 'HOME'] };
const aSpec = (changes: Partial<LaunchSpec> = {}): LaunchSpec => ({
  agentId: 'a' as AgentId,
  generation: 1,
  folder: '/w',
  argv: ['prog'],
  env: {},
  ...changes,
});

describe('launchScript', () => {
  it('enters the folder, sets the environment, runs the vector, leaves the code', () => {
    const script = launchScript(
      aSpec({ folder: "/it's", argv: ['prog', '-x', '$(y) `z`\n"'], env: { PATH: '/bin', KEY: "a'b" } }),
      paths,
    );
    assert.equal(
      script,
      [
        'trap : INT QUIT TERM',
        '(',
        `cd -- '/it'\\''s' || { printf '%s\\n' 'core-orchestrator: cannot enter the folder /it'\\''s' >&2; exit 125; }`,
        'unset HOME',
        'unset TMUX',
        'unset TMUX_PANE',
        'unset TERM_PROGRAM',
        'unset TERM_PROGRAM_VERSION',
        'unset COLORTERM',
        'unset SHELL',
        'unset OLDPWD',
        "export PATH='/bin'",
        "export KEY='a'\\''b'",
        `exec 'prog' '-x' '$(y) \`z\`\n"'`,
        ')',
        'code=$?',
        "trap '' INT QUIT TERM",
        'umask 077',
        `{ printf '%s\\n' "$code" > '/run/exit/.a.1.tmp' && mv -f '/run/exit/.a.1.tmp' '/run/exit/a.1'; } 2>/dev/null || printf '%s\\n' "$code" > '/run/exit/a.1'`,
        'exit "$code"',
        '',
      ].join('\n'),
    );
  });

  it('does not pass on what belongs to the shell', () => {
    assert.doesNotMatch(
      launchScript(aSpec({ env: { UID: '0', SHELLOPTS: 'x', PPID: '1', OK: '1' } }), paths),
      /UID|SHELLOPTS|PPID/,
    );
  });

  it('S3 refuses what no shell could carry', () => {
    const refused: readonly Partial<LaunchSpec>[] = [
      { argv: [] },
      { argv: [''] },
      { argv: ['-c', 'x'] },
      { folder: 'relative' },
      { folder: '' },
      { folder: '/a\0b' },
      { argv: ['a', 'b\0'] },
      { env: { A: '\0' } },
      { env: { 'A;touch x': '1' } },
      { env: { 'A=B': '1' } },
      { env: { '': '1' } },
      { env: { '1A': '1' } },
      { env: { 'A\n': '1' } },
    ];
    for (const changes of refused) {
      assert.throws(
        () => launchScript(aSpec(changes), paths),
        (error) => TmuxError.is(error, 'tmux.invalidArgument'),
        JSON.stringify(changes),
      );
    }
  });

  it('shows no control characters of a folder on the terminal', () => {
    assert.match(launchScript(aSpec({ folder: '/a\x1b]0;x\x07' }), paths), /cannot enter the folder \/a\?\]0;x\?'/);
  });
});
