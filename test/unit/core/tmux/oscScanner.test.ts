// Runs alone: how long it takes is measured.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { MAX_OSC_CHARS, OscScanner } from '../../../../src/core/tmux/node/oscScanner';
import { OscWatch } from '../../../../src/core/tmux/node/oscWatch';
import type { HostedEntry } from '../../../../src/core/tmux/hostedAgents';
import type { AgentId } from '../../../../src/core/agents/agent';
import { asPaneId, asWindowId } from '../../../../src/core/tmux/tmuxArgs';
import { ManualClock } from '../../../support/manualClock';

const BEL = '\x07';
const ST = '\x1b\\';

/** As tmux writes output of a pane: bytes below 32 and the backslash as octal escapes. */
function escaped(bytes: Uint8Array): Buffer {
  const parts = [...bytes].map((byte) =>
    byte < 32 || byte === 92 ? Buffer.from(`\\${byte.toString(8).padStart(3, '0')}`) : Buffer.from([byte]),
  );
  return Buffer.concat(parts);
}

function scan(...chunks: readonly (string | Uint8Array)[]): string[] {
  const found: string[] = [];
  const scanner = new OscScanner(
    (code) => [0, 2, 7501].includes(code),
    ({ code, text }) => found.push(`${code} ${text}`),
  );
  for (const chunk of chunks) scanner.push(escaped(typeof chunk === 'string' ? Buffer.from(chunk) : chunk));
  return found;
}

describe('oscScanner', () => {
  it('finds titles and state reports, ended by BEL or ST, and nothing else', () => {
    const text = `a\x1b[31mred\x1b]0;one ✳${BEL}b\x1b]2;two${ST}\x1b]8;;http://x${ST}link\x1b]7501;state=idle;x${BEL}\x1b]52;c;eHg=${BEL}`;
    assert.deepEqual(scan(text), ['0 one ✳', '2 two', '7501 state=idle;x']);
  });

  it('finds the same, however the output is cut', () => {
    const piece = fc.constantFrom(`\x1b]0;⠂ é漢${BEL}`, `\x1b]7501;state=working${ST}`, `\x1b]8;;x${ST}`, 'text \\ ', '\x1b', ']', '\x1b[1m', BEL, `\x1b]2;unfinished`, '\n', '033]'); // prettier-ignore
    const cuts = fc.array(fc.nat({ max: 400 }), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), cuts, (pieces, at) => {
        const whole = Buffer.from(pieces.join(''));
        const edges = [0, ...at.map((cut) => Math.min(cut, whole.length)), whole.length].sort((a, b) => a - b);
        const chunks = edges.slice(1).map((end, i) => whole.subarray(edges[i], end));
        assert.deepEqual(scan(...chunks), scan(whole));
      }),
    );
  });

  it('is not swallowed by a sequence that never ends', () => {
    assert.deepEqual(scan('\x1b]0;half', ' title\x1b[2J', `\x1b]0;whole${BEL}`), ['0 half title', '0 whole']);
    assert.deepEqual(scan('\x1b]52;', 'x'.repeat(100_000), `\x1b]0;after${BEL}`), ['0 after']);
    assert.deepEqual(scan(`\x1b]${'9'.repeat(50)}`, `\x1b]0;after${BEL}`), ['0 after']);
    assert.deepEqual(scan(`\x1b]0${BEL}\x1b];x${BEL}\x1b]x;y${BEL}`), []);
  });

  it('cuts long texts and keeps no more of them', () => {
    const [found = ''] = scan('\x1b]0;', ...Array.from({ length: 100 }, () => 'é'.repeat(1_000)), BEL);
    assert.equal(found, `0 ${'é'.repeat(MAX_OSC_CHARS)}`);
  });

  it('costs little in output without any', () => {
    const line = escaped(Buffer.from('\x1b[38;5;12mx\x1b[0m\r\n'.repeat(4_000)));
    const scanner = new OscScanner(
      () => true,
      () => assert.fail(),
    );
    const startedMs = performance.now();
    for (let i = 0; i < 100; i++) scanner.push(line);
    assert.ok(performance.now() - startedMs < 500, 'over 20 MB');
  });
});

describe('oscWatch', () => {
  const entry: HostedEntry = {
    agentId: 'a' as AgentId,
    generation: 3,
    pid: 7,
    paneId: asPaneId('%1'),
    windowId: asWindowId('@1'),
    process: undefined,
    isHosted: true,
    cause: undefined,
  };
  const createFixture = () => {
    const clock = new ManualClock();
    const told: string[] = [];
    const watch = new OscWatch(clock, ({ generation, code, text }) => told.push(`${generation} ${code} ${text}`));
    const print = (text: string): void => watch.push(entry, escaped(Buffer.from(text)));
    return { clock, told, watch, print };
  };

  it('tells a title when it changed and every report of state', () => {
    const { told, print } = createFixture();
    for (let i = 0; i < 3; i++) print(`\x1b]0;same${BEL}\x1b]7501;state=working${BEL}`);
    assert.deepEqual(told, ['3 0 same', ...Array.from({ length: 3 }, () => '3 7501 state=working')]);
  });

  it('of a flood tells at most 20 per second, always the last, and never holds back a report of state', async () => {
    const { clock, told, print } = createFixture();
    for (let i = 0; i < 1_000; i++) {
      print(`\x1b]0;title ${i}${BEL}`);
      if (i === 500) print(`\x1b]7501;state=blocked${BEL}`);
      if (i === 500) assert.equal(told.at(-1), '3 7501 state=blocked');
      await clock.advanceMs(2);
    }
    await clock.advanceMs(100);
    assert.ok(told.length <= 1 + 8 + 42, `${told.length} in 2 s`);
    assert.equal(told.at(-1), '3 0 title 999');
    assert.equal(clock.pendingCount, 0);
  });

  it('takes the title of a settled screen where the stream cannot have told it', () => {
    const { told, watch, print } = createFixture();
    print(`\x1b]0;streamed${BEL}`);
    watch.noteTitle(entry, 'older', true);
    watch.noteGap(entry);
    watch.noteTitle(entry, 'after the gap', true);
    watch.noteTitle(entry, 'not streamed', false);
    watch.noteTitle(entry, 'not streamed', false);
    assert.deepEqual(told, ['3 0 streamed', '3 2 after the gap', '3 2 not streamed']);
  });

  it('begins anew for another run in the same terminal and leaves no timer behind', async () => {
    const { clock, told, watch, print } = createFixture();
    print(`\x1b]0;same${BEL}`);
    watch.push({ ...entry, generation: 4 }, escaped(Buffer.from(`\x1b]0;same${BEL}`)));
    assert.deepEqual(told, ['3 0 same', '4 0 same']);
    for (let i = 0; i < 20; i++) watch.push({ ...entry, generation: 4 }, escaped(Buffer.from(`\x1b]0;${i}${BEL}`)));
    watch.dispose();
    assert.equal(clock.pendingCount, 0);
    await clock.advanceMs(1_000);
  });
});
