import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import type { AgentId } from '../../../src/core/agents/agent';
import { STOP_FAULT_POINTS, type StopFaultPoint } from '../../../src/core/agents/stopFaultPoints';
import { eventually } from '../../support/eventually';
import { notRun } from '../../support/notRun';
import { EngineMachine, type RunningEngine } from '../../support/runningEngine';
import { StubbornAgent } from '../../support/stubbornAgent';
import { requireTmux } from '../../support/tmuxServer';
import { sizedMs, trials, trialSize } from '../../support/trials';

const ID = 'stubborn' as AgentId; // named so by its start
/** Trials beside each other, each on a machine of its own: they mostly wait for a program that does not end. */
const LANES = 6;
/** The first restart is due 1 s (± 20 %) after an end: what was going to be restarted is by then. */
const RESTART_MS = 1_500;
/** Two engines for each instant cost seconds of a processor: the smoke takes every other one, `npm run verify -- R17` all. */
const POINTS = STOP_FAULT_POINTS.filter((_, at) => trialSize !== 'smoke' || at % 2 === 0);

interface Trial {
  readonly round: number;
  readonly point: StopFaultPoint;
  /** Does not even leave when it is asked by its quit keys. */
  readonly isDeaf: boolean;
}

/** From the kill on, there is most left of one that is deaf; before, most is orphaned by one that leaves. Every other round the other way. */
function trial(round: number, point: StopFaultPoint): Trial {
  const isLate = STOP_FAULT_POINTS.indexOf(point) >= STOP_FAULT_POINTS.indexOf('kill.begun');
  return { round, point, isDeaf: isLate === (round % 2 === 0) };
}

async function view(engine: RunningEngine) {
  return (await engine.call('agents')).find(({ id }) => id === ID);
}

/** Kills the engine at the point of a stop; the next one has to end what was to be ended, and to leave it so. */
async function crash({ point, isDeaf }: Trial): Promise<void> {
  const machine = new EngineMachine();
  const agent = new StubbornAgent(machine.workspace);
  try {
    const dying = await machine.engine();
    await dying.becomes('ready', 60_000);
    const spec = { name: ID, typeId: 'demo', folder: machine.workspace, restartPolicy: 'always' as const };
    await dying.call('start', { ...spec, env: agent.env(isDeaf) });
    await eventually('its program and two others', () => agent.living().length >= 3, { timeoutMs: 30_000 });
    await dying.call('arm', point);
    await assert.rejects(dying.call('stop', ID), /the engine process has ended/);

    const next = await machine.engine();
    await next.becomes('ready', 60_000);
    await eventually('it is stopped', async () => (await view(next))?.lifecycle === 'stopped', {
      timeoutMs: 60_000,
      everyMs: 50,
    });
    await assertOver(machine, agent, next);
    await new Promise((resolve) => setTimeout(resolve, RESTART_MS));
    await assertOver(machine, agent, next);
  } finally {
    await machine.end();
    agent.end();
  }
}

async function assertOver(machine: EngineMachine, agent: StubbornAgent, engine: RunningEngine): Promise<void> {
  const { lifecycle, desired, generation } = (await view(engine)) ?? {};
  assert.deepEqual({ lifecycle, desired, generation }, { lifecycle: 'stopped', desired: 'stopped', generation: 1 });
  assert.deepEqual(agent.living(), [], 'processes of it live on');
  await assert.rejects(machine.tmux('has-session', '-t', `=${ID}`), 'its terminal is there');
  const tokens = (): readonly string[] =>
    readdirSync(machine.root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.jwt'));
  await eventually('no token of it is left', () => tokens().length === 0);
}

describe('An engine that is killed while it stops an agent that does not end', function () {
  before(function () {
    requireTmux(this);
    if (!existsSync('/proc/self/environ'))
      notRun(this, 'no /proc: the processes of a run could not be judged from outside');
  });

  it('R17 leaves an agent that the next engine ends, with every process, and never restarts, at named instants', async function () {
    const rounds = trials(1, 25, 50);
    this.timeout(sizedMs(240_000, 1_800_000, 3_600_000));
    const waiting = Array.from({ length: rounds }, (_, round) => POINTS.map((point) => trial(round, point))).flat();
    const failures: string[] = [];
    const lane = async (): Promise<void> => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const { round, point, isDeaf } = next;
        await crash(next).catch((error: unknown) =>
          failures.push(`round ${round} at ${point}${isDeaf ? ', deaf' : ''}: ${String(error)}`),
        );
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    assert.deepEqual(failures, []);
  });
});
