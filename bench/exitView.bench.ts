/**
 * How soon the engine itself shows that an agent has ended, and with what: from the death of a real process, through the exit file, the
 * supervisor and a commit on the store's real file, to the change of the agent's view with its exit.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { AgentId } from '../src/core/agents/agent';
import { DEFAULT_RESTART_SETTINGS } from '../src/core/agents/restartBudget';
import { SystemClock } from '../src/core/base/clock';
import { UlidIds } from '../src/core/base/ids';
import { silentLogger } from '../src/core/base/log';
import { openLocalWorkspace } from '../src/core/node/localWorkspace';
import { Orchestrator } from '../src/core/orchestrator';
import { buildBundles } from '../test/support/bundles';
import { eventually } from '../test/support/eventually';
import { childrenOf } from '../test/support/processTree';
import { EngineMachine } from '../test/support/runningEngine';
import { ToldProgram } from '../test/support/toldProgram';
import { bench, figure, NotRunHere, percentile } from './figure';
import { POLL_MS } from './poller';

const AGENTS = 50;
const ROUNDS = 2;
const POLLED = 15;
const STARTS_AT_ONCE = 10;

interface Victim {
  readonly id: AgentId;
  readonly programPid: number;
  readonly program: ToldProgram;
}

async function engineOf(machine: EngineMachine): Promise<Orchestrator> {
  const distFolder = await buildBundles();
  const clock = new SystemClock();
  process.env['TMUX_TMPDIR'] = machine.root;
  return new Orchestrator({
    clock,
    log: silentLogger,
    ids: new UlidIds(() => clock.nowMs(), randomBytes),
    random: Math.random,
    settings: () => ({
      isTrusted: true,
      startDeadlineMs: 30_000,
      restart: DEFAULT_RESTART_SETTINGS,
      recoveredFolder: machine.workspace,
    }),
    openWorkspace: () =>
      openLocalWorkspace({
        path: machine.workspace,
        storageFolder: join(machine.root, 'storage'),
        runtimeParent: machine.root,
        tmuxPath: 'tmux',
        passEnvironment: [],
        execPath: process.execPath,
        distFolder,
        env: process.env,
        clock,
        log: silentLogger,
      }),
  });
}

async function start(machine: EngineMachine, engine: Orchestrator, name: string): Promise<Victim> {
  const program = new ToldProgram(join(machine.root, 'programs'), name);
  const id = await engine.startAgent({
    name,
    typeId: 'command',
    folder: machine.workspace,
    command: program.argv,
    restartPolicy: 'never',
  });
  const { pid } = engine.agent(id) ?? {};
  if (pid === undefined) throw new Error(`${name} does not run`);
  const programPid = await eventually('its program', () => childrenOf(pid)[0]);
  return { id, programPid, program };
}

/** Every other one exits with code 3, the others are killed; the milliseconds until `knownMs` has it. */
async function endEach(
  victims: readonly Victim[],
  knownMs: (id: AgentId) => number | undefined,
  restMs = 0,
): Promise<number[]> {
  const times: number[] = [];
  for (const [i, { id, programPid, program }] of victims.entries()) {
    await wait(Math.random() * restMs);
    const endedMs = performance.now();
    if (i % 2 === 0) program.tell('exit 3');
    else process.kill(programPid, 'SIGKILL');
    times.push((await eventually(`the end of ${id}`, () => knownMs(id), { everyMs: 5 })) - endedMs);
  }
  return times;
}

void bench(async (report) => {
  if (process.platform !== 'linux') throw new NotRunHere('the processes to kill are found in /proc');
  const machine = new EngineMachine();
  const engine = await engineOf(machine);
  const all: Victim[] = [];
  const startAll = async (round: string, count: number): Promise<readonly Victim[]> => {
    const made: Victim[] = [];
    for (let from = 0; from < count; from += STARTS_AT_ONCE) {
      const names = Array.from({ length: Math.min(STARTS_AT_ONCE, count - from) }, (_, i) => `a${round}-${from + i}`);
      made.push(...(await Promise.all(names.map((name) => start(machine, engine, name)))));
    }
    all.push(...made);
    return made;
  };
  try {
    await engine.start();
    await eventually('ready', () => engine.status.kind === 'ready', { timeoutMs: 20_000 });
    const shown = new Map<AgentId, number>();
    engine.onDidChangeAgent(({ id, view }) => {
      const isRight = view?.exit?.code === 3 || view?.exit?.signal === 'SIGKILL';
      if (isRight && !shown.has(id)) shown.set(id, performance.now());
    });
    const ours: number[] = [];
    for (let round = 0; round < ROUNDS; round++)
      ours.push(...(await endEach(await startAll(String(round), AGENTS), (id) => shown.get(id))));

    const victims = await startAll('polled', POLLED);
    const gone = new Map<string, number>();
    let isOver = false;
    const polling = (async () => {
      for (; !isOver; await wait(POLL_MS)) {
        const list = await machine.tmux('list-panes', '-a', '-F', '#{pane_dead} #{session_name}');
        const live = new Set(list.split('\n').filter((line) => line.startsWith('0 ')).map((line) => line.slice(2))); // prettier-ignore
        for (const { id } of victims) if (!live.has(id) && !gone.has(id)) gone.set(id, performance.now());
      }
    })();
    const polled = await endEach(victims, (id) => gone.get(id), POLL_MS).finally(() => (isOver = true));
    await polling;
    report(figure('exit.view.p50', percentile(ours, 50), 'ms', { atMost: 15 }, percentile(polled, 50)));
    report(figure('exit.view.p99', percentile(ours, 99), 'ms', { atMost: 50 }, percentile(polled, 99)));
  } finally {
    for (const { program } of all) program.dispose();
    await engine.stop();
    await machine.end();
  }
});
