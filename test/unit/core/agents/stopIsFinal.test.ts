import assert from 'node:assert/strict';
import type { AgentRecord } from '../../../../src/core/agents/agent';
import { AgentError } from '../../../../src/core/agents/agentErrors';
import type { AgentStore } from '../../../../src/core/agents/agentStore';
import type { AgentSupervisor } from '../../../../src/core/agents/agentSupervisor';
import { sleep } from '../../../../src/core/base/clock';
import { agentId, aSpec } from '../../../support/builders';
import { SupervisedWorld } from '../../../support/supervisedWorld';
import { trials } from '../../../support/trials';

const ID = agentId('reviewer');
const MAX_TURNS = 40;

const ALL = MAX_TURNS + 1;

/** So many of 0 to MAX_TURNS, or a few fewer: evenly apart. */
function waits(count: number): readonly number[] {
  const step = Math.ceil(ALL / count);
  return Array.from({ length: Math.ceil(ALL / step) }, (_, at) => at * step);
}

/** How long the store takes for a write. */
interface Latency {
  readonly label: string;
  readonly turns: number;
  readonly ms: number;
}

const LATENCIES: readonly Latency[] = [
  { label: 'at once', turns: 0, ms: 0 },
  { label: 'after 3 turns', turns: 3, ms: 0 },
  { label: 'after 11 turns', turns: 11, ms: 0 },
  { label: 'after 30 ms', turns: 0, ms: 30 },
];

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
}

/** A begun world over a store that takes its time, with one agent in the given state. */
async function slowWorld(latency: Latency, state: 'created' | 'running' | 'paused'): Promise<SupervisedWorld> {
  const world = new SupervisedWorld();
  const { store, clock } = world;
  const slow: AgentStore = {
    unreadableIds: store.unreadableIds,
    load: () => store.load(),
    changes: (id, limit) => store.changes(id, limit),
    getApproval: (hash) => store.getApproval(hash),
    putApproval: (approval) => store.putApproval(approval),
    putAnswer: (answer) => store.putAnswer(answer),
    save: async (...all) => {
      await turns(latency.turns);
      if (latency.ms > 0) await sleep(clock, latency.ms);
      await store.save(...all);
    },
  };
  world.supervisor.dispose();
  world.supervisor = world.make({ store: slow });
  await world.run(world.supervisor.begin());
  await world.run(world.supervisor.create(aSpec()));
  if (state !== 'created') await world.run(world.supervisor.start(ID));
  if (state === 'paused') await world.run(world.supervisor.pause(ID));
  return world;
}

const states = ({ desired, lifecycle }: AgentRecord): readonly string[] => [desired, lifecycle];

/** Nothing runs, nothing is wanted, and neither time nor the next engine changes that. */
async function assertStaysStopped(world: SupervisedWorld, where: string): Promise<void> {
  const rests = world.agent().record.lifecycle === 'created' ? 'created' : 'stopped';
  const launches = world.launches();
  for (const next of [() => Promise.resolve(), () => world.restart()]) {
    await next();
    await world.clock.advanceMs(120_000);
    assert.deepEqual(states(world.agent().record), ['stopped', rests], where);
    assert.equal(world.store.records.get(ID)?.desired, 'stopped', where);
    assert.deepEqual([world.processes.table, world.launches()], [[], launches], where);
  }
}

interface GivenOrder {
  readonly what: string;
  readonly from: 'created' | 'running' | 'paused';
  readonly give: (supervisor: AgentSupervisor) => Promise<void>;
}

const START: GivenOrder = { what: 'start', from: 'created', give: (supervisor) => supervisor.start(ID) };
const ORDERS: readonly GivenOrder[] = [
  START,
  { what: 'restart', from: 'created', give: (supervisor) => supervisor.restart(ID) },
  { what: 'restart', from: 'running', give: (supervisor) => supervisor.restart(ID) },
  { what: 'pause', from: 'running', give: (supervisor) => supervisor.pause(ID) },
  { what: 'resume', from: 'paused', give: (supervisor) => supervisor.resume(ID) },
  { what: 'rename', from: 'running', give: (supervisor) => supervisor.rename(ID, 'Other') },
];

describe('R17 a stop wins over whatever was ordered before it', function () {
  this.timeout(120_000);

  for (const latency of LATENCIES) {
    for (const { what, from, give } of ORDERS) {
      it(`R17 a stop 0 to ${MAX_TURNS} turns after a ${what} (${from}; the store answers ${latency.label}) is final`, async () => {
        for (const wait of waits(trials(14, ALL, ALL))) {
          const world = await slowWorld(latency, from);
          const earlier = give(world.supervisor);
          earlier.catch(() => undefined); // it may be superseded
          await turns(wait);
          await world.run(world.supervisor.stop(ID));
          await world.run(earlier.catch((error: unknown) => assert.ok(AgentError.is(error), String(error))));
          await assertStaysStopped(world, `${wait} turns`);
          world.supervisor.dispose();
        }
      });
    }
  }

  for (const latency of LATENCIES) {
    it(`R17 an order 0 to ${MAX_TURNS} turns after a stop (the store answers ${latency.label}) leaves what is wanted and what is in agreement`, async () => {
      const all = waits(trials(14, ALL, ALL));
      for (const { what, from, give } of [...ORDERS, { ...START, from: 'running' as const }]) {
        for (const wait of all) {
          const world = await slowWorld(latency, from);
          const stop = world.supervisor.stop(ID);
          await turns(wait);
          const later = give(world.supervisor);
          later.catch(() => undefined); // it may be superseded
          await world.run(stop);
          await world.run(later.catch(() => undefined));
          if (world.agent().record.desired === 'stopped')
            await assertStaysStopped(world, `${what} ${from}, ${wait} turns`);
          else assert.deepEqual(states(world.agent().record), ['running', 'running'], `${what} ${from}, ${wait} turns`);
          world.supervisor.dispose();
        }
      }
    });
  }

  it('R17 a stop around the moment of an automatic restart is final', async () => {
    for (const latency of LATENCIES) {
      for (const waitMs of [0, 900, 999, 1_000, 1_001, 1_030, 1_050, 1_100]) {
        for (let wait = 0; wait <= MAX_TURNS; wait += 4) {
          const world = await slowWorld(latency, 'running');
          world.host.simulateExit(ID, { code: 1 });
          await world.clock.advanceMs(waitMs);
          await turns(wait);
          await world.run(world.supervisor.stop(ID));
          await assertStaysStopped(world, `${latency.label}, ${waitMs} ms and ${wait} turns`);
          world.supervisor.dispose();
        }
      }
    }
  });

  it('R17 a stop in the middle of a restart is final, wherever it comes', async () => {
    for (let waitMs = 0; waitMs <= 400; waitMs += 10) {
      for (const wait of [0, 1, 2, 5, 9]) {
        const world = await slowWorld({ label: '', turns: 1, ms: 0 }, 'running');
        const restart = world.supervisor.restart(ID);
        restart.catch(() => undefined); // it may be superseded
        await world.clock.advanceMs(waitMs);
        await turns(wait);
        await world.run(world.supervisor.stop(ID));
        await world.run(restart.catch(() => undefined));
        await assertStaysStopped(world, `${waitMs} ms and ${wait} turns`);
        world.supervisor.dispose();
      }
    }
  });

  it('R17 what was seen of a run is kept before anything is sent: the next engine ends a tool whose parent the stop has ended', async () => {
    const world = new SupervisedWorld();
    const agent = await world.runningAgent();
    const root = agent.record.process;
    assert.ok(root);
    // In a session of its own and without the mark: only who has seen it under its parent can know it.
    const tool = world.processes.add({
      parent: root,
      isSessionLeader: true,
      marker: '',
      ignores: ['SIGHUP', 'SIGTERM'],
    });
    world.supervisor.stop(ID).catch(() => undefined); // the engine does not live to see its end
    for (let waitedMs = 0; waitedMs < 60_000 && (await world.processes.identify(root.pid)); waitedMs += 50)
      await world.clock.advanceMs(50);
    assert.deepEqual(world.processes.table.map(({ pid }) => pid), [tool.pid]); // prettier-ignore
    assert.ok(world.store.records.get(ID)?.ending?.some(({ pid }) => pid === tool.pid));
    await world.restart();
    await world.clock.advanceMs(60_000);
    const { lifecycle, ending } = world.agent().record;
    assert.deepEqual([lifecycle, ending, world.processes.table], ['stopped', undefined, []]);
  });
});
