import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentId } from '../../../src/core/agents/agent';
import type { SettledScreen } from '../../../src/core/agents/agentHost';
import type { TmuxAgentHost } from '../../../src/core/tmux/node/tmuxAgentHost';
import { TmuxError } from '../../../src/core/tmux/tmuxErrors';
import { eventually } from '../../support/eventually';
import { requireTmux, TmuxTestServer } from '../../support/tmuxServer';
import { trials } from '../../support/trials';

const GUARDED = { guard: 'screen' } as const;

describe('keys that answer what is on the screen', function () {
  this.timeout(60_000);
  const a = 'asker' as AgentId;
  let server: TmuxTestServer;
  let host: TmuxAgentHost;

  before(function () {
    requireTmux(this);
  });
  beforeEach(async () => {
    server = new TmuxTestServer();
    host = server.host();
    await host.start();
  });
  afterEach(() => server?.dispose());

  /** Shows a text, then what is put into the file of the same name, each as a whole screen; keys are kept by the terminal, shown nowhere. */
  async function ask(text: string): Promise<void> {
    writeFileSync(file('screen'), text);
    const program = 'stty raw -echo; n=0; while :; do if [ -e "$1" ]; then mv "$1" "$1.shown"; printf "\\033[H\\033[2J"; cat "$1.shown"; fi; sleep 0.01; done & cat > "$2"'; // prettier-ignore
    await host.launch({ agentId: a, generation: 1, folder: '/', argv: ['/bin/sh', '-c', program, 'ask', file('screen'), file('keys')], env: { PATH: process.env.PATH ?? '' } }); // prettier-ignore
    await eventually('asked', async () => (await host.capture(a)).text === shown(text));
  }

  const file = (name: string): string => join(server.folder, name);
  const shown = (text: string): string => text.replaceAll('\r', '');
  const pressed = (): string => spawnSync('cat', [file('keys')], { encoding: 'utf8' }).stdout;

  /** The screen becomes `text` before anything else can happen in this process. */
  function changeTo(text: string): void {
    writeFileSync(file('next'), text);
    spawnSync('mv', [file('next'), file('screen')]);
    const untilMs = Date.now() + 10_000;
    while (server.tmux('capture-pane', '-p', '-t', `=${a}:`).stdout.trimEnd() !== shown(text))
      if (Date.now() > untilMs) throw new Error('it did not change');
  }

  it('S24 are not pressed when the dialog changes after it was read, in the very moment of the answer', async () => {
    for (let round = 0; round < trials(1, 5, 20); round++) {
      const [first, second] = [`Allow?\r\n  ls ${round}\r\n1. Yes`, `Allow?\r\n  rm -rf ${round}\r\n1. Yes`];
      if (round === 0) await ask(first);
      else changeTo(first);
      const seen: string[] = [];
      const answer = host.pressIf(
        a,
        ['1'],
        ({ text }) => {
          seen.push(text);
          if (seen.length === 1) changeTo(second);
          return text === shown(first);
        },
        GUARDED,
      );
      assert.equal(await answer, false);
      assert.deepEqual(seen, [shown(first), shown(second)], 'looked at again, and judged');
      assert.equal(pressed(), '');
    }
  });

  it('are pressed when only what does not matter has changed', async () => {
    await ask('Working 1s\r\nAllow?\r\n1. Yes');
    let looks = 0;
    const isExpected = ({ text }: SettledScreen): boolean => {
      if (++looks === 1) changeTo('Working 2s\r\nAllow?\r\n1. Yes');
      return text.includes('Allow?');
    };
    assert.equal(await host.pressIf(a, ['1'], isExpected, GUARDED), true);
    await eventually('pressed once', () => pressed() === '1');
    assert.equal(looks, 3, 'what was there when they were pressed was judged as well');
  });

  it('are not pressed into a screen that never stands still', async () => {
    await ask('Working 0s\r\nAllow?');
    let looks = 0;
    const isExpected = (): boolean => (changeTo(`Working ${++looks}s\r\nAllow?`), true);
    assert.equal(await host.pressIf(a, ['1'], isExpected, GUARDED), false);
    assert.deepEqual([looks, pressed()], [3, '']);
  });

  it('are said to have been pressed into something else, when only that could be found out', async () => {
    await ask('Allow?\r\n1. Yes');
    let looks = 0;
    const isExpected = ({ text }: SettledScreen): boolean => {
      if (++looks === 1) changeTo('Allow?\r\n1. Yes\r\n\r\n  and delete all'); // where nothing was, below where nothing is
      return !text.includes('delete');
    };
    const answer = host.pressIf(a, ['1'], isExpected, GUARDED);
    await assert.rejects(answer, (error) => TmuxError.is(error, 'tmux.screenChanged'));
    await eventually('pressed', () => pressed() === '1');
  });

  it('S2 no text of a screen is a format, a pattern or a command', async () => {
    const canary = file('canary');
    const lines = [
      `#(touch ${canary}) #{pane_id} #[fg=red] #{?1,a,b} #H %H %0`,
      '^$ [a-z]* (x|y)+ {2} a? . \\ \\n \\033 ~ $HOME',
      `"double" 'single' ; kill-server ; | \` touch ${canary} \``,
      '  - é 日本語 👩‍💻 │ ❯ 1. Yes   }, {, #, ##{x}',
      ']] [^ ] [ [[:alpha:]] *',
    ];
    const repeats = trials(2, 20, 60);
    for (let repeat = 1; repeat <= repeats; repeat++) {
      const screen = [
        `Allow ${repeat}?`,
        ...lines.slice(repeat % lines.length),
        ...lines.slice(0, repeat % lines.length),
      ];
      if (repeat === 1) await ask(screen.join('\r\n'));
      else changeTo(screen.join('\r\n'));
      const { text } = await host.capture(a);
      assert.equal(await host.pressIf(a, ['1'], (seen) => seen.text === text, GUARDED), true, `${repeat}`);
      await eventually('pressed', () => pressed() === '1'.repeat(repeat));
      await eventually('nothing is left with the terminal', () => !server.tmux('show-options', '-p', '-t', `=${a}:`).stdout.includes('@core_seen')); // prettier-ignore
      assert.equal(existsSync(canary), false, `${repeat}`);
    }
    // The control: where such a line is a format, it runs.
    await eventually('the canary sings', () => {
      server.tmux('display-message', '-p', '-t', `=${a}:`, lines[0] ?? '');
      return existsSync(canary);
    });
  });

  it('are pressed into a screen without one empty line, and into one with nothing else', async () => {
    await ask(
      Array.from({ length: 40 }, (_, row) => (row % 3 === 0 ? 'x'.repeat(120) : `${row % 7} │ dialog`)).join('\r\n'),
    );
    assert.equal(await host.pressIf(a, ['1'], () => true, GUARDED), true);
    changeTo('');
    assert.equal(await host.pressIf(a, ['2'], () => true, GUARDED), true);
    await eventually('pressed', () => pressed() === '12');
  });

  it('reach the program also when a person has left it in copy mode', async () => {
    await ask('Allow?\r\n1. Yes');
    server.tmux('copy-mode', '-t', `=${a}:`);
    assert.equal(await host.pressIf(a, ['1'], () => true, GUARDED), true);
    await eventually('pressed', () => pressed() === '1');
  });
});
