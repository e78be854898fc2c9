import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ControlModeParser, unescapeOutput, type ControlEvent } from '../../../../src/core/tmux/controlModeParser';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array): string => new TextDecoder().decode(data);

/** Events with the escaped bytes as text, so that they can be compared. */
function parse(input: Uint8Array | string, cut: (length: number) => readonly number[] = () => []): readonly unknown[] {
  const data = typeof input === 'string' ? bytes(input) : input;
  const events: ControlEvent[] = [];
  const parser = new ControlModeParser((event) => events.push(event));
  let from = 0;
  for (const to of [...cut(data.length), data.length]) {
    parser.push(data.subarray(from, to));
    from = to;
  }
  return events.map((event) => (event.kind === 'output' ? { ...event, escaped: text(event.escaped) } : event));
}

const reply = (number: number, lines: string, { isError = false, flags = 1 } = {}): ControlEvent => ({
  kind: 'reply',
  number,
  flags,
  isError,
  text: lines,
});

describe('controlModeParser', () => {
  it('reads replies with and without lines, and errors', () => {
    assert.deepEqual(
      parse('%begin 1 7 0\n%end 1 7 0\n%begin 1 8 1\na\n\nb\n%end 1 8 1\n%begin 1 9 1\nno\n%error 1 9 1\n'),
      [reply(7, '', { flags: 0 }), reply(8, 'a\n\nb'), reply(9, 'no', { isError: true })],
    );
  });

  it('reads output of both forms', () => {
    assert.deepEqual(
      parse(
        '%output %1 a\\012 b \n%extended-output %22 513 : x : y\n%extended-output %3 0 future field : z\n%output %4 \n',
      ),
      [
        { kind: 'output', paneId: '%1', escaped: 'a\\012 b ' },
        { kind: 'output', paneId: '%22', escaped: 'x : y' },
        { kind: 'output', paneId: '%3', escaped: 'z' },
        { kind: 'output', paneId: '%4', escaped: '' },
      ],
    );
  });

  it('reads flow control, subscriptions and the end', () => {
    assert.deepEqual(
      parse(
        '%pause %1\n%continue %1\n%subscription-changed core-dead $1 @2 3 %4 : 1  9\n%exit\n%exit too far behind\n',
      ),
      [
        { kind: 'pause', paneId: '%1' },
        { kind: 'continue', paneId: '%1' },
        { kind: 'subscription', name: 'core-dead', paneId: '%4', value: '1  9' },
        { kind: 'exit', reason: '' },
        { kind: 'exit', reason: 'too far behind' },
      ],
    );
  });

  it('hands on notifications it does not know, and lines that are none', () => {
    assert.deepEqual(parse('%sessions-changed\n%of-the-future a b\nhello\n'), [
      { kind: 'notification', name: 'sessions-changed', rest: '' },
      { kind: 'notification', name: 'of-the-future', rest: 'a b' },
      { kind: 'stray', line: 'hello' },
    ]);
  });

  it('takes screen text inside a reply for text, whatever it looks like', () => {
    const screen = '%exit\n%output %1 x\n%end 1 7 1\n%end 2 8 1\n%begin 1 9 1\n%error 1 8 0';
    assert.deepEqual(parse(`%begin 1 8 1\n${screen}\n%end 1 8 1\n`), [reply(8, screen)]);
  });

  it('notices a forged end: the true one then has no beginning', () => {
    assert.deepEqual(parse('%begin 1 8 1\n%end 1 8 1\nrest\n%end 1 8 1\n'), [
      reply(8, ''),
      { kind: 'stray', line: 'rest' },
      { kind: 'violation', detail: 'the end of a reply that had not begun' },
    ]);
  });

  it('notices a forged end that is followed by a forged beginning: numbers must grow', () => {
    const events = parse('%begin 1 8 1\n%end 1 8 1\n%begin 1 8 1\nforged\n%end 1 8 1\n');
    assert.deepEqual(events[1], { kind: 'violation', detail: 'a reply out of order' });
  });

  it('does not let a line without an end fill the memory', () => {
    const events: ControlEvent[] = [];
    const parser = new ControlModeParser((event) => events.push(event));
    for (let i = 0; i < 33; i++) parser.push(new Uint8Array(1024 * 1024).fill(65));
    assert.deepEqual(
      events.map((event) => event.kind),
      ['violation'],
    );
  });

  it('gives the same events however 10 000 notifications are cut into chunks', () => {
    const lines = Array.from({ length: 10_000 }, (_, i) =>
      i % 10 === 0
        ? `%begin 5 ${i} 1\nline é ${i}\n%end 5 ${i} 1`
        : i % 3 === 0
          ? `%window-add @${i}`
          : `%output %${i % 50} 漢\\033[1m${i}\\134`,
    );
    const input = bytes(`${lines.join('\n')}\n`);
    const whole = parse(input);
    assert.equal(whole.length, 10_000);
    fc.assert(
      fc.property(fc.array(fc.nat(input.length), { minLength: 1, maxLength: 500 }), (cuts) => {
        assert.deepEqual(
          parse(input, () => cuts.sort((a, b) => a - b)),
          whole,
        );
      }),
      { numRuns: 5 },
    );
    assert.deepEqual(
      parse(input, (length) => Array.from({ length }, (_, i) => i)),
      whole,
      'byte by byte',
    );
  });

  describe('unescapeOutput', () => {
    it('gives back every byte', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 300 }), (data) => {
          const escaped = [...data].flatMap((byte) =>
            byte < 32 || byte === 92 ? [...bytes(`\\${byte.toString(8).padStart(3, '0')}`)] : [byte],
          );
          assert.deepEqual([...unescapeOutput(Uint8Array.from(escaped))], [...data]);
        }),
      );
    });

    it('leaves a backslash that begins no escape', () => {
      assert.deepEqual(
        ['a\\', '\\x41', '\\9', '\\777', '\\12'].map((input) => text(unescapeOutput(bytes(input)))),
        ['a\\', '\\x41', '\\9', '\\777', '\\12'],
      );
    });

    it('keeps a character that is split between two notifications whole for a streaming decoder', () => {
      const decoder = new TextDecoder();
      const [first, second] = [bytes('漢').subarray(0, 1), bytes('漢').subarray(1)];
      const shown = [first, second].map((part) => decoder.decode(unescapeOutput(part), { stream: true }));
      assert.deepEqual(shown, ['', '漢']);
    });
  });
});
