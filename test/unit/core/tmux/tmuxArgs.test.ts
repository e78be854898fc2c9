import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AgentId } from '../../../../src/core/agents/agent';
import {
  agentTarget,
  asPaneId,
  asWindowId,
  encodeCommandLine,
  TmuxArgs,
  TmuxStart,
} from '../../../../src/core/tmux/tmuxArgs';
import { TmuxError } from '../../../../src/core/tmux/tmuxErrors';

const id = (text: string): AgentId => text as AgentId; // also hostile ones: what the checks are for

describe('tmuxArgs', () => {
  it('addresses an agent exactly, never by prefix or pattern', () => {
    assert.equal(agentTarget(id('agent-1')), '=agent-1:');
  });

  it('S2 refuses everything that is not an agent id', () => {
    for (const text of [
      '',
      '-x',
      'A',
      'a b',
      'a:b',
      'a.0',
      '=a',
      'a#(touch x)',
      '#{pid}',
      'a\n',
      'ä',
      'a'.repeat(42),
      '%1',
      '@1',
      '$1',
      '*',
      '{last}',
    ]) {
      assert.throws(
        () => agentTarget(id(text)),
        (error) => TmuxError.is(error, 'tmux.invalidArgument'),
        JSON.stringify(text),
      );
      assert.throws(
        () => TmuxArgs.newAgentSession(id(text), 1, { columns: 1, rows: 1 }, ['/bin/sh', 'x'], ''),
        TmuxError,
      );
      assert.throws(() => TmuxArgs.killSession(id(text)), TmuxError);
    }
  });

  it('refuses pane and window targets of another shape', () => {
    for (const text of ['', '%', '1', '%1.2', '%1;', '@', '=a:', '%1\n', '#{pane_id}']) {
      assert.throws(() => asPaneId(text), TmuxError, text);
      assert.throws(() => asWindowId(text), TmuxError, text);
    }
    assert.deepEqual([asPaneId('%12'), asWindowId('@3')], ['%12', '@3']);
  });

  it('never passes -c, -n or -T, which execute #(…)', () => {
    const commands = TmuxArgs.newAgentSession(
      id('a'),
      3,
      { columns: 120, rows: 40 },
      ['/bin/sh', '/run/x'],
      '#{pane_id}',
    );
    assert.deepEqual(
      commands.map(({ name, args }) => [name, ...args]),
      [
        ['new-session', '-d', '-s', 'a', '-x', '120', '-y', '40', '-P', '-F', '#{pane_id}', '--', '/bin/sh', '/run/x'],
        ['set-option', '-p', '-t', '=a:', '@core_agent', 'a'],
        ['set-option', '-p', '-t', '=a:', '@core_generation', '3'],
        ['link-window', '-d', '-s', '=a:', '-t', '=_hub:'],
      ],
    );
  });

  it('does not offer what takes the server down', () => {
    const names = Object.keys(TmuxArgs);
    assert.deepEqual(
      names.filter((name) => /respawn|unlink/i.test(name)),
      [],
    );
    for (const action of ['pause', 'continue'] as const)
      assert.doesNotMatch(TmuxArgs.controlFlow(asPaneId('%1'), action).args.join(' '), /off/);
  });

  it('never starts a server or reads a configuration of the user when attaching', () => {
    const args = TmuxStart.attach('core-x', 'no-output');
    assert.ok(args.includes('-N'));
    assert.equal(args[args.indexOf('-f') + 1], '/dev/null');
  });

  describe('encodeCommandLine', () => {
    it('leaves plain words alone and escapes the rest inside double quotes', () => {
      const line = encodeCommandLine([TmuxArgs.setBuffer('b-1', 'a"b\\c;$HOME #{pid} ~\n\'é漢')]);
      assert.equal(
        line,
        'set-buffer -b "b-1" -- "a\\042b\\134c\\073\\044HOME \\043\\173pid\\175 \\176\\012\\047é漢"'.replace(
          '"b-1"',
          'b-1',
        ),
      );
    });

    it('joins a sequence that stops at the first failure', () => {
      assert.equal(
        encodeCommandLine([TmuxArgs.killServer(), TmuxArgs.waitForDeath()]),
        'kill-server ; wait-for core-dead',
      );
    });

    it('refuses NUL', () => {
      assert.throws(
        () => encodeCommandLine([TmuxArgs.setBuffer('b', 'a\0b')]),
        (error) => TmuxError.is(error, 'tmux.invalidArgument'),
      );
    });

    it('S2 is one line whose every special character is escaped, for any text', () => {
      fc.assert(
        fc.property(fc.string({ unit: 'binary' }), (text) => {
          fc.pre(!text.includes('\0'));
          const line = encodeCommandLine([TmuxArgs.setBuffer('b', text)]);
          const argument = line.slice('set-buffer -b b -- '.length);
          assert.match(argument, /^([A-Za-z0-9-]+|"([A-Za-z0-9 _./:=,@%+\-\u0080-\uffff]|\\[0-3][0-7]{2})*")$/);
          assert.equal(decode(argument), text);
        }),
        { numRuns: 2_000 },
      );
    });
  });
});

function decode(argument: string): string {
  const inner = argument.startsWith('"') ? argument.slice(1, -1) : argument;
  return inner.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}
