// Runs alone: how soon an exit is known is measured.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { AgentId } from '../../../src/core/agents/agent';
import type { AgentExit } from '../../../src/core/agents/agentHost';
import type { ExitCause } from '../../../src/core/agents/agentState';
import type { TmuxAgentHost } from '../../../src/core/tmux/node/tmuxAgentHost';
import { eventually } from '../../support/eventually';
import { notRun } from '../../support/notRun';
import { childrenOf } from '../../support/processTree';
import { requireTmux, TmuxTestServer } from '../../support/tmuxServer';
import { ToldProgram } from '../../support/toldProgram';
import { sizedMs, trials } from '../../support/trials';

/**
 * An exit file is seen within milliseconds (`exit.known.*` of the benches). Here the machine may be busy with anything, so the middle
 * one of a test's deaths is allowed far more; half a poll of 500 ms, which would be no better than asking, it is not allowed.
 */
const MEDIAN_MS = 250;
/** For a single death, which may meet any stall of the machine. */
const WITHIN_MS = 5_000;
/** Nothing is written when the script itself is killed: tmux tells it once a second. */
const SCRIPT_WITHIN_MS = 1_500;
/** So many die one after the other before the next ones are started. */
const GROUP = 10;

interface Victim {
  readonly agentId: AgentId;
  readonly scriptPid: number;
  readonly program: ToldProgram;
}

describe('exit detection', function () {
  this.timeout(sizedMs(60_000, 300_000, 900_000));
  let server: TmuxTestServer;
  let host: TmuxAgentHost;
  let exits: AgentExit[];

  before(function () {
    requireTmux(this);
    if (process.platform !== 'linux') notRun(this, 'finds the processes to kill in /proc');
  });
  beforeEach(async () => {
    server = new TmuxTestServer();
    host = server.host();
    exits = [];
    host.onDidExit((exit) => exits.push(exit));
    await host.start();
  });
  afterEach(() => server?.dispose());

  /** Lets `count` agents die, `GROUP` at a time; every death must be told once, with this cause, in time: each and the middle one. */
  async function letDie(
    count: number,
    cause: (i: number) => ExitCause,
    kill: (victim: Victim, i: number) => void,
    { withinMs = WITHIN_MS, medianMs = MEDIAN_MS } = {},
  ): Promise<void> {
    const knownMs: number[] = [];
    for (let from = 0; from < count; from += GROUP) {
      const victims = await Promise.all(
        Array.from({ length: Math.min(GROUP, count - from) }, (_, i) => launch(from + i)),
      );
      for (const [i, victim] of victims.entries()) {
        const diedMs = performance.now();
        kill(victim, from + i);
        const exit = await eventually(
          `the death of ${victim.agentId}`,
          () => exits.find(({ agentId }) => agentId === victim.agentId),
          { timeoutMs: withinMs, everyMs: 1 },
        );
        knownMs.push(performance.now() - diedMs);
        assert.deepEqual(exit.cause, cause(from + i), `${victim.agentId} after ${knownMs.at(-1)} ms`);
        assert.ok((knownMs.at(-1) ?? NaN) <= withinMs, `${victim.agentId} was known after ${knownMs.at(-1)} ms`);
      }
      for (const { agentId, program } of victims) {
        program.dispose();
        await host.discard(agentId);
      }
    }
    assert.equal(exits.length, count, 'each death is told once');
    const middleMs = knownMs.sort((a, b) => a - b)[Math.floor(count / 2)] ?? NaN;
    assert.ok(middleMs <= medianMs, `half of the deaths were known after more than ${middleMs} ms`);
  }

  async function launch(i: number): Promise<Victim> {
    const agentId = `victim-${i}` as AgentId;
    const program = new ToldProgram(join(server.folder, 'programs'), agentId);
    const { pid } = await host.launch({
      agentId,
      generation: 1,
      folder: '/',
      argv: program.argv,
      env: { PATH: process.env.PATH ?? '' },
    });
    await eventually('the program runs', () => childrenOf(pid).length > 0);
    return { agentId, scriptPid: pid, program };
  }

  // A crash loop (R16) is counted by the deaths that are told: none may be missed, none told twice.
  it('R16 misses no normal exit and tells the right code', () =>
    letDie(
      trials(10, 100, 300),
      (i) => ({ code: (i * 7) % 126 }),
      ({ program }, i) => program.tell(`exit ${(i * 7) % 126}`),
    ));

  it('R16 misses no death by TERM to the whole group', () =>
    letDie(
      trials(10, 100, 300),
      () => ({ signal: 'SIGTERM' }),
      ({ scriptPid }) => process.kill(-scriptPid, 'SIGTERM'),
    ));

  it('R16 misses no death by kill -9', () =>
    letDie(
      trials(10, 100, 300),
      () => ({ signal: 'SIGKILL' }),
      ({ scriptPid }) => process.kill(childrenOf(scriptPid)[0] ?? -1, 'SIGKILL'),
    ));

  it('R16 learns of the death of the launch script itself within 1.5 s', () =>
    letDie(
      trials(10, 100, 300),
      () => ({ signal: 'SIGKILL' }),
      ({ scriptPid }) => process.kill(scriptPid, 'SIGKILL'),
      { withinMs: SCRIPT_WITHIN_MS, medianMs: SCRIPT_WITHIN_MS },
    ));

  it('survives a Ctrl-C that the agent handles', async () => {
    const agentId = 'handles' as AgentId;
    await host.launch({
      agentId,
      generation: 1,
      folder: '/',
      argv: ['/bin/sh', '-c', `trap 'echo caught' INT; echo ready; while :; do sleep 0.05; done`],
      env: { PATH: process.env.PATH ?? '' },
    });
    await eventually('ready', async () => (await host.capture(agentId)).text.includes('ready'));
    await host.press(agentId, ['C-c']);
    await eventually('caught', async () => (await host.capture(agentId)).text.includes('caught'));
    assert.deepEqual([await host.probe(agentId), exits], [{ kind: 'alive' }, []]);
  });

  it('tells what keeps an agent from running by its code: folder 125, not executable 126, not found 127', async () => {
    const launchWith = (agentId: string, folder: string, argv: readonly string[]) =>
      host.launch({ agentId: agentId as AgentId, generation: 1, folder, argv, env: { PATH: process.env.PATH ?? '' } });
    await launchWith('no-folder', '/does/not/exist', ['true']);
    await launchWith('no-program', '/', ['does-not-exist-at-all']);
    await launchWith('no-permission', '/', ['/etc/passwd']);
    await eventually('all three ended', () => exits.length === 3);
    assert.deepEqual(Object.fromEntries(exits.map(({ agentId, cause }) => [agentId, cause.code])), {
      'no-folder': 125,
      'no-program': 127,
      'no-permission': 126,
    });
    await eventually('the screen says why', async () =>
      (await host.capture('no-folder' as AgentId)).text.includes(
        'core-orchestrator: cannot enter the folder /does/not/exist',
      ),
    );
  });

  it('knows at the next start how an agent ended while nobody looked, without announcing it', async () => {
    const victim = await launch(0);
    await host.stop();
    victim.program.tell('exit 9');
    await eventually('it has ended', () => childrenOf(victim.scriptPid).length === 0);
    await host.start();
    const [found] = await eventually('seen dead', async () => {
      const listed = await host.list();
      return listed[0]?.liveness.kind === 'dead' ? listed : undefined;
    });
    assert.deepEqual(found?.liveness, { kind: 'dead', cause: { code: 9 } });
    victim.program.dispose();
  });

  it('gives an agent its environment and nothing else', async () => {
    const agentId = 'env' as AgentId;
    await host.launch({
      agentId,
      generation: 1,
      folder: '/tmp',
      argv: ['/usr/bin/env'],
      env: { ONLY: 'this', HOME: '/h' },
    });
    await eventually('ended', () => exits[0]);
    const names = await eventually('printed', async () => {
      const { text } = await host.capture(agentId);
      return text.includes('HOME') ? text.split('\n').map((line) => line.split('=')[0]) : undefined;
    });
    assert.deepEqual(names.filter((name) => name !== '').sort(), ['HOME', 'ONLY', 'PWD', 'TERM']);
  });

  it('S10 shows no environment value in any argument vector', async () => {
    const secret = `secret-${Math.random().toString(36).slice(2)}`;
    const agentId = 'secretive' as AgentId;
    await host.launch({
      agentId,
      generation: 1,
      folder: '/',
      argv: ['sleep', '60'],
      env: { PATH: process.env.PATH ?? '', KEY: secret },
    });
    await eventually('the agent runs', async () => (await host.list())[0]?.foreground === 'sleep');
    const { readdirSync, readFileSync } = await import('node:fs');
    const shown = readdirSync('/proc').filter((pid) => {
      try {
        return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(secret);
      } catch {
        return false; // ended meanwhile
      }
    });
    assert.deepEqual(shown, []);
    const global =
      server.tmux('show-environment', '-g').stdout + server.tmux('show-environment', '-t', `=${agentId}:`).stdout;
    assert.equal(global.includes(secret), false);
  });
});
