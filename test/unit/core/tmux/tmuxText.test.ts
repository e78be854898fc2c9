import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  causeOfCode,
  causeOfPane,
  exitFileName,
  parseExitFile,
  parseExitFileName,
} from '../../../../src/core/tmux/exitFile';
import { cleanPasteText, MAX_PASTE_BYTES } from '../../../../src/core/tmux/pasteText';
import { MirrorFilter } from '../../../../src/core/tmux/mirrorFilter';
import { optionCommands, tmuxConf } from '../../../../src/core/tmux/tmuxConf';
import { TmuxError } from '../../../../src/core/tmux/tmuxErrors';
import { paneFormat, TmuxFormat } from '../../../../src/core/tmux/tmuxFormat';
import { errorOfReply } from '../../../../src/core/tmux/tmuxReply';
import { isSupportedTmux, parseTmuxVersion } from '../../../../src/core/tmux/tmuxVersion';
import type { AgentId } from '../../../../src/core/agents/agent';

const signalName = (signal: number): string | undefined => ({ 1: 'SIGHUP', 9: 'SIGKILL', 15: 'SIGTERM' })[signal];

describe('tmuxVersion', () => {
  for (const [output, isSupported] of [
    ['tmux 3.3a\n', true],
    ['tmux 3.3', true],
    ['tmux 3.3-rc', true],
    ['tmux 3.7c', true],
    ['tmux 3.2a', false],
    ['tmux next-3.6', true],
    ['tmux master', true],
    ['tmux 10.0', true],
    ['tmux openbsd-7.4', true],
    ['tmux openbsd-7.2', true],
    ['tmux openbsd-7.1', false],
    ['tmux openbsd-6.8', false],
    ['tmux 3.1c', false],
    ['tmux 2.9a', false],
    ['tmux 1.8', false],
  ] as const) {
    it(`${isSupported ? 'accepts' : 'refuses'} "${output.trim()}"`, () => {
      const version = parseTmuxVersion(output);
      assert.equal(version && isSupportedTmux(version), isSupported);
    });
  }

  it('says so when it is no tmux', () => {
    for (const output of ['', 'screen 4.9', 'tmux', 'tmux abc', 'usage: tmux'])
      assert.equal(parseTmuxVersion(output), undefined, output);
  });
});

describe('tmuxReply', () => {
  for (const [reply, code] of [
    ["can't find session: reviewer", 'tmux.noSuchTarget'],
    ["can't find pane: %5", 'tmux.noSuchTarget'],
    ["can't find window: 3", 'tmux.noSuchTarget'],
    ['no such session: =a:', 'tmux.noSuchTarget'],
    ['duplicate session: reviewer', 'tmux.alreadyExists'],
    ['no server running on /tmp/tmux-0/x', 'tmux.serverGone'],
    ['error connecting to /tmp/tmux-0/x (No such file or directory)', 'tmux.serverGone'],
    ['server exited unexpectedly', 'tmux.serverGone'],
    ['lost server', 'tmux.serverGone'],
    ['directory /tmp/tmux-0 has unsafe permissions', 'tmux.socketFolderUnsafe'],
    ["couldn't create directory /tmp/tmux-0 (Permission denied)", 'tmux.socketFolderUnsafe'],
    ['command too long', 'tmux.inputTooLarge'],
    ['parse error: unknown command: foo', 'tmux.rejected'],
    ['not in a mode', 'tmux.rejected'],
  ] as const) {
    it(`reads "${reply}" as ${code}`, () => assert.equal(errorOfReply('x', reply).code, code));
  }

  it('keeps an unknown text as detail, cut', () => {
    assert.equal(errorOfReply('x', 'y'.repeat(500)).message, `tmux.rejected: tmux x (${'y'.repeat(200)})`);
  });
});

describe('tmuxFormat', () => {
  it('reads what tmux prints, with the separator raw or escaped, and drops lines it has not asked for', () => {
    const format = new TmuxFormat('m1', { a: 'x', b: 'y' });
    assert.equal(format.text, 'm1\x1f#{x}\x1f#{y}');
    assert.deepEqual(format.parse('m1\x1f1\x1f2\nm1\\0373\\037\nforged\x1f9\x1f9\n\nm1\x1f4'), [
      { a: '1', b: '2' },
      { a: '3', b: '' },
      { a: '4', b: '' },
    ]);
  });

  it('asks for what an agent can choose last', () => {
    assert.match(paneFormat('m').text, /\x1f#\{pane_current_command\}\x1f#\{pane_title\}$/);
  });
});

describe('tmuxConf', () => {
  it('keeps what agents print from the person (S6) and says the same as the commands', () => {
    const conf = tmuxConf();
    for (const line of [
      "set-clipboard 'off'",
      "allow-passthrough 'off'",
      "set-titles 'off'",
      "allow-rename 'off'",
      "automatic-rename 'off'",
      "remain-on-exit 'on'",
    ])
      assert.ok(conf.includes(line), line);
    assert.equal(conf.trim().split('\n').length, optionCommands().length);
    assert.doesNotMatch(conf, /#\(|pane_title|pane_current_command/);
  });
});

describe('exitFile', () => {
  it('names and recognises its files only', () => {
    assert.equal(exitFileName('a-1' as AgentId, 3), 'a-1.3');
    assert.deepEqual(parseExitFileName('a-1.3'), { agentId: 'a-1', generation: 3 });
    for (const name of ['.a.1.tmp', 'a', 'a.', 'a.x', 'A.1', '../a.1', 'a.1.2', 'a.-1', ''])
      assert.equal(parseExitFileName(name), undefined, name);
  });

  it('is complete only with its line break', () => {
    assert.deepEqual(
      ['', '1', '13', '0\n', '7\n', '137\n', '143\n', '200\n', '255\n', 'x\n'].map((content) =>
        parseExitFile(content, signalName),
      ),
      [
        undefined,
        undefined,
        undefined,
        { code: 0 },
        { code: 7 },
        { signal: 'SIGKILL' },
        { signal: 'SIGTERM' },
        { code: 200 },
        { code: 255 },
        undefined,
      ],
    );
    assert.deepEqual(causeOfCode(128, signalName), { code: 128 });
  });

  it('never takes a dead pane without a cause for success', () => {
    assert.deepEqual(
      [
        ['', ''],
        ['0', ''],
        ['3', ''],
        ['', '9'],
        ['', 'TERM'],
        ['', 'SIGTERM'],
        ['', '63'],
        ['137', ''],
      ].map(([status = '', signal = '']) => causeOfPane(status, signal, signalName)),
      [
        undefined,
        { code: 0 },
        { code: 3 },
        { signal: 'SIGKILL' },
        { signal: 'SIGTERM' },
        { signal: 'SIGTERM' },
        { signal: 'SIG63' },
        { signal: 'SIGKILL' },
      ],
    );
  });
});

describe('pasteText', () => {
  it('S4 leaves no byte that could act as a key or end the paste', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (input) => {
        assert.doesNotMatch(cleanPasteText(input), /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
      }),
      { numRuns: 2_000 },
    );
    assert.equal(cleanPasteText('a\x1b[201~b\r\nc\rd\te\u009b31m\x7f\0'), 'a[201~b\nc\nd\te31m');
  });

  it('makes lone surrogates visible instead of invalid', () => {
    assert.equal(cleanPasteText('a\ud800b\udc00😀'), 'a\ufffdb\ufffd😀');
  });

  it('takes 64 KiB of UTF-8 and not one byte more', () => {
    assert.equal(cleanPasteText('x'.repeat(MAX_PASTE_BYTES)).length, MAX_PASTE_BYTES);
    for (const text of ['x'.repeat(MAX_PASTE_BYTES + 1), 'é'.repeat(MAX_PASTE_BYTES / 2 + 1)]) {
      assert.throws(
        () => cleanPasteText(text),
        (error) => TmuxError.is(error, 'tmux.inputTooLarge'),
      );
    }
  });
});

describe('mirrorFilter', () => {
  it('S6 drops what speaks to the terminal instead of drawing, however it is split', () => {
    const output =
      'a\x1b[31mred\x1b]52;c;ZXZpbA==\x07b\x1b]0;title\x1b\\c\x1bP1;2|x\x1b\\d\x1b_apc\x1b\\e\x1bktitle\x1b\\f\u009d52;c;x\u009cg\x1b(Bh\x1b]8;;http://x\x07i';
    const expected = 'a\x1b[31mredbcdefg\x1b(Bhi';
    assert.equal(new MirrorFilter().push(output), expected);
    const split = new MirrorFilter();
    assert.equal([...output].map((char) => split.push(char)).join(''), expected);
  });

  it('goes on after a string that was aborted', () => {
    assert.equal(new MirrorFilter().push('\x1b]0;never ended\x1b[1mbold\x18x'), '\x1b[1mbold\x18x');
    assert.equal(new MirrorFilter().push('\x1b]0;never ended\x18x'), 'x');
  });
});
