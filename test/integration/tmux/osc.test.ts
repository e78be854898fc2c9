import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentId } from '../../../src/core/agents/agent';
import type { OscSequence } from '../../../src/core/agents/agentHost';
import type { TmuxAgentHost } from '../../../src/core/tmux/node/tmuxAgentHost';
import { eventually } from '../../support/eventually';
import { requireTmux, TmuxTestServer } from '../../support/tmuxServer';
import { trials } from '../../support/trials';

const a = 'agent-a' as AgentId;

describe('sequences in the output of a real terminal', function () {
  this.timeout(30_000);
  let server: TmuxTestServer;
  let host: TmuxAgentHost;
  let oscs: OscSequence[];

  before(function () {
    requireTmux(this);
  });
  beforeEach(async () => {
    server = new TmuxTestServer();
    host = server.host();
    oscs = [];
    host.onDidOsc((osc) => oscs.push(osc));
    await host.start();
  });
  afterEach(() => server?.dispose());

  const run = (script: string) =>
    host.launch({
      agentId: a,
      generation: 1,
      folder: '/',
      argv: ['/bin/sh', '-c', `${script}; exec cat`],
      env: { PATH: process.env.PATH ?? '', LANG: 'C.UTF-8' },
    });
  const texts = () => oscs.map(({ code, text }) => `${code} ${text}`);

  it('are found when the program writes them byte by byte', async () => {
    const bytes = [
      '033',
      ']',
      '7',
      '5',
      '0',
      '1',
      ';',
      's',
      '=',
      '303',
      '251',
      '033',
      '134',
      '033',
      ']',
      '0',
      ';',
      't',
      '007',
    ];
    const print = bytes.map((byte) => `printf '${byte.length === 3 ? `\\${byte}` : byte}'; sleep 0.02`).join('; ');
    await run(`sleep 0.3; ${print}`);
    await eventually('both', () => oscs.length === 2, { timeoutMs: 10_000 });
    assert.deepEqual(texts(), ['7501 s=é', '0 t']);
  });

  it('are limited in a flood, of which the last is told', async () => {
    const startedMs = performance.now();
    await run(
      `i=0; while [ $i -lt 3000 ]; do printf '\\033]0;title %d\\007' $i; i=$((i+1)); done; printf '\\033]7501;state=idle\\007'`,
    );
    await eventually('the last', () => texts().includes('0 title 2999') && texts().includes('7501 state=idle'), { timeoutMs: 15_000 }); // prettier-ignore
    const seconds = (performance.now() - startedMs) / 1_000;
    assert.ok(oscs.length <= 9 + 21 * (seconds + 1), `${oscs.length} in ${seconds.toFixed(1)} s`);
    assert.equal((await host.capture(a)).title, 'title 2999');
  });

  it('S2 with hostile titles are told as text, run nothing and harm nothing', async () => {
    const rounds = trials(2, 20, 100);
    const canary = join(server.folder, 'canary');
    const hostile = (round: number): string => `#(touch ${canary}) %end 1 2 3 #{pane_id} $(touch ${canary}) ${round}`;
    const titles = Array.from(
      { length: rounds },
      (_, round) => `printf '\\033]2;%s\\007' '${hostile(round)}'; sleep 0.1`,
    );
    await run(`sleep 0.3; ${titles.join('; ')}; printf '\\033]2;\\033]2;\\033]2;nested\\007'; printf '\\033]0;'`);
    await eventually('told', () => texts().includes('2 nested'), { timeoutMs: 10_000 + rounds * 500 });
    for (let round = 0; round < rounds; round++) assert.ok(texts().includes(`2 ${hostile(round)}`), String(round));
    assert.equal(host.status.kind, 'ready');
    assert.deepEqual(await host.probe(a), { kind: 'alive' });
    await host.list();
    // What tmux runs can leave the trace: by then a title would have, too.
    server.tmux('run-shell', `touch ${canary}-of-control`);
    await eventually('the control', () => existsSync(`${canary}-of-control`));
    assert.equal(existsSync(canary), false);
  });

  it('pressIf refuses when the screen changes in between', async () => {
    await run(`printf 'Approve?'; read -r answer; printf 'Delete all?'`);
    await eventually('asked', async () => (await host.capture(a)).text.includes('Approve?'));
    const seen = (await host.capture(a)).text; // what a person saw
    await host.press(a, ['Enter']);
    await eventually('another question', async () => (await host.capture(a)).text.includes('Delete all?'));
    assert.equal(await host.pressIf(a, ['Enter'], ({ text }) => text === seen), false);
    assert.equal(await host.pressIf(a, ['Enter'], ({ text }) => text.includes('Delete all?')), true);
  });

  it('R13 pressIf presses nothing when the right to act was lost while the screen was read', async () => {
    let isOurs = true;
    const fenced = server.host({ fence: () => isOurs });
    await fenced.start();
    await run('read -r answer; echo pressed');
    await eventually('seen', async () => (await fenced.list()).length === 1);
    const pressing = fenced.pressIf(a, ['Enter'], () => {
      isOurs = false;
      return true;
    });
    await assert.rejects(pressing, { code: 'tmux.fenced' });
    assert.doesNotMatch((await host.capture(a)).text, /pressed/);
  });
});
