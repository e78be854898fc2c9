import assert from 'node:assert/strict';
import fc from 'fast-check';
import { AgentError } from '../../../../src/core/agents/agentErrors';
import type { AgentHost } from '../../../../src/core/agents/agentHost';
import { AgentRegistry } from '../../../../src/core/agents/agentRegistry';
import type { AgentStore } from '../../../../src/core/agents/agentStore';
import { AgentStateManager } from '../../../../src/core/agents/agentStateManager';
import { isLegalStep, LIFECYCLES } from '../../../../src/core/agents/agentTransitions';
import type { Agent } from '../../../../src/core/agents/baseAgent';
import type { Processes } from '../../../../src/core/agents/processes';
import { silentLogger } from '../../../../src/core/base/log';
import { agentId, aRecord, aSpec, CountingIds, seededRandom } from '../../../support/builders';
import { FakeAgentStore } from '../../../support/fakeAgentStore';
import { ManualClock } from '../../../support/manualClock';
import { SupervisedWorld } from '../../../support/supervisedWorld';
import { sizedMs, trials } from '../../../support/trials';

const ID = agentId('reviewer');
const MINUTE_MS = 60_000;
/** Real time for the larger counts; the tests themselves move a clock by hand. */
const TIMEOUT_MS = sizedMs(30_000, 1_800_000, 7_200_000);

describe('R16 crash loops', function () {
  this.timeout(TIMEOUT_MS);

  /** Lets one agent fail `afterMs` after each start for `hours`; gives its starts by manual time. */
  async function crashLoop(seed: number, afterMs: number, hours: number) {
    const world = new SupervisedWorld();
    world.random = seededRandom(seed);
    const startsAtMs: number[] = [];
    world.host.onDidLaunch = () => {
      startsAtMs.push(world.clock.monotonicMs());
      world.clock.setTimer(afterMs, () => world.host.simulateExit(ID, { code: 1 }));
    };
    await world.run(world.supervisor.begin());
    await world.run(world.supervisor.create(aSpec()));
    world.supervisor.start('reviewer').catch(() => undefined); // ends early when it crashes at once
    await world.clock.advanceMs(0);
    for (
      let advancedMs = 0;
      advancedMs < hours * 60 * MINUTE_MS && world.clock.pendingCount > 0;
      advancedMs += MINUTE_MS
    ) {
      await world.clock.advanceMs(MINUTE_MS);
    }
    return { world, startsAtMs };
  }

  for (const [what, afterMs] of [
    ['at once', 0],
    ['after 5 s', 5_000],
  ] as const) {
    // prettier-ignore
    it(`R16 an agent that exits ${what} is quarantined after five restarts, with one notice, and only a person releases it`, async () => {
      for (let seed = 0; seed < trials(10, 30, 10_000); seed++) {
        const { world, startsAtMs } = await crashLoop(seed, afterMs, 1);
        assert.equal(world.agent().record.lifecycle, 'quarantined', `seed ${seed}`);
        assert.equal(startsAtMs.length, 6, `seed ${seed}`);
        const gapsMs = startsAtMs.slice(1).map((atMs, index) => atMs - (startsAtMs[index] ?? 0) - afterMs);
        gapsMs.forEach((gapMs, index) => assert.ok(Math.abs(gapMs - 1_000 * 2 ** index) <= 200 * 2 ** index + 1, `seed ${seed}: ${gapMs}`));
        assert.deepEqual(world.raised.map((notice) => notice.fingerprint), ['agent.quarantined:reviewer']); // prettier-ignore
        await assert.rejects(world.run(world.supervisor.start('reviewer')), (error) => AgentError.is(error, 'agent.quarantined'));
        await world.restart();
        await world.clock.advanceMs(60 * MINUTE_MS);
        assert.equal(world.launches(), 6, `seed ${seed}: started while quarantined`);
        world.host.onDidLaunch = () => undefined;
        await world.run(world.supervisor.release('reviewer'));
        assert.deepEqual([world.agent().record.lifecycle, world.agent().record.restartsAtMs, world.notices.size], ['running', [], 0]);
      }
    });
  }

  it('R16 an agent in quarantine can be stopped instead: nothing starts, the notice goes, and a later start has a fresh budget', async () => {
    const { world } = await crashLoop(1, 0, 1);
    await world.run(world.supervisor.stop('reviewer'));
    const { lifecycle, desired } = world.agent().record;
    assert.deepEqual([lifecycle, desired, world.notices.size, world.launches()], ['stopped', 'stopped', 0, 6]);
    world.host.onDidLaunch = () => undefined;
    await world.run(world.supervisor.start('reviewer'));
    assert.deepEqual([world.agent().record.lifecycle, world.agent().record.restartsAtMs], ['running', []]);
  });

  it('R16 an agent that fails every 3 minutes is restarted each time, within a minute, and never quarantined', async () => {
    for (let seed = 0; seed < trials(3, 30, 10_000); seed++) {
      const { world, startsAtMs } = await crashLoop(seed, 3 * MINUTE_MS, 3);
      const gapsMs = startsAtMs.slice(1).map((atMs, index) => atMs - (startsAtMs[index] ?? 0) - 3 * MINUTE_MS);
      assert.ok(startsAtMs.length >= 50 && Math.max(...gapsMs) <= MINUTE_MS, `seed ${seed}: ${startsAtMs.length}`);
      assert.deepEqual(world.raised, []);
    }
  });

  it('R16 an agent that ends well with policy always is quarantined as well when it does so too often', async () => {
    const world = new SupervisedWorld();
    world.host.onDidLaunch = () => void world.clock.setTimer(3_000, () => world.host.simulateExit(ID, { code: 0 }));
    await world.runningAgent({ restartPolicy: 'always' });
    await world.clock.advanceMs(10 * MINUTE_MS);
    assert.deepEqual([world.agent().record.lifecycle, world.launches()], ['quarantined', 6]);
  });
});

describe('R17 stop is final', function () {
  this.timeout(TIMEOUT_MS);

  /** Wraps a port so that the engine "dies" at its `dieAt`-th call: neither it nor any later call ever answers. */
  class Fuse {
    calls = 0;
    isArmed = false;
    constructor(private readonly dieAt: number) {}

    guard<T extends object>(port: T, isAsync: (name: string) => boolean): T {
      return new Proxy(port, {
        get: (target, name) => {
          const value: unknown = Reflect.get(target, name, target);
          if (typeof value !== 'function') return value;
          return (...args: unknown[]) => {
            if (this.isArmed && isAsync(String(name)) && ++this.calls >= this.dieAt)
              return new Promise(() => undefined);
            return Reflect.apply(value as (...all: unknown[]) => unknown, target, args);
          };
        },
      });
    }
  }

  async function crashDuringStop(dieAt: number, ignores: boolean): Promise<{ readonly isOver: boolean }> {
    const world = new SupervisedWorld();
    if (ignores) world.host.shape = { ignores: ['SIGHUP', 'SIGTERM', 'SIGINT'] };
    await world.runningAgent();
    world.supervisor.dispose();
    const fuse = new Fuse(dieAt);
    const dying = world.make({
      host: fuse.guard<AgentHost>(world.host, (name) => ['discard', 'press', 'paste', 'capture'].includes(name)),
      store: fuse.guard<AgentStore>(world.store, (name) => name === 'save'),
      processes: fuse.guard<Processes>(world.processes, () => true),
    });
    await world.run(dying.begin());
    await world.clock.advanceMs(2_000); // what adoption looks at is done
    fuse.isArmed = true;
    let isOver = false;
    dying.stop('reviewer').then(() => (isOver = true), () => undefined); // prettier-ignore
    await world.clock.advanceMs(60_000);
    dying.dispose();
    const wasOrdered = world.store.records.get(ID)?.desired === 'stopped';

    world.supervisor = world.make();
    await world.run(world.supervisor.begin());
    await world.clock.advanceMs(30 * MINUTE_MS);
    assert.equal(world.launches(), 1, `restarted after a crash at call ${dieAt}`);
    if (wasOrdered) {
      assert.deepEqual(
        [world.agent().record.lifecycle, world.processes.table, await world.host.list()],
        ['stopped', [], []],
        `crash at call ${dieAt}`,
      );
    } else {
      assert.equal(dieAt, 1, 'the wish is kept before anything else is done');
      assert.deepEqual([world.agent().record.lifecycle, world.processes.table.length], ['running', 1]);
    }
    return { isOver };
  }

  for (const ignores of [false, true]) {
    it(`R17 a crash at any call of a stop (${ignores ? 'agent ignores HUP and TERM' : 'agent obeys'}): the next engine finishes it and never restarts`, async () => {
      let points = 0;
      for (let dieAt = 1; dieAt < 1_000; dieAt++) {
        const { isOver } = await crashDuringStop(dieAt, ignores);
        points = dieAt;
        if (isOver) break;
      }
      assert.ok(points >= 8 && points < 1_000, `${points} crash points`);
    });
  }
});

describe('R18 healthy agents are left alone', function () {
  this.timeout(TIMEOUT_MS);

  it('R18 silence, suspended machines and jumping clocks end and restart nobody', async () => {
    for (let seed = 0; seed < trials(20, 10_000, 50_000); seed++) {
      const world = new SupervisedWorld();
      const random = seededRandom(seed);
      await world.runningAgent();
      for (let hour = 0; hour < 24; hour++) {
        const what = random();
        if (what < 0.25) world.clock.jumpWallMs((random() - 0.5) * 16 * 3_600_000);
        else if (world.host.status.kind === 'lost') world.host.simulateServerReturn();
        else if (what < 0.5)
          world.host.simulateScreen(ID, { text: `output ${hour}`, foreground: random() < 0.5 ? 'bash' : 'make' });
        else if (what < 0.6) await world.restart();
        else if (what < 0.8) world.host.simulateConnectionLoss();
        await world.clock.advanceMs(3_600_000);
      }
      if (world.host.status.kind === 'lost') world.host.simulateServerReturn();
      await world.clock.advanceMs(60_000);
      assert.deepEqual(
        [world.processes.signals, world.launches(), world.agent().record.lifecycle],
        [[], 1, 'running'],
        `seed ${seed}`,
      );
    }
  });
});

describe('R19 generations', function () {
  this.timeout(TIMEOUT_MS);

  it('R19 facts of another generation never touch the present one, in any interleaving', async () => {
    const facts = fc.array(
      fc.record({
        age: fc.integer({ min: -1, max: 3 }),
        lifecycle: fc.constantFrom(...LIFECYCLES.filter((one) => one !== 'retired')),
      }),
      { maxLength: 30 },
    );
    await fc.assert(
      fc.asyncProperty(facts, async (sequence) => {
        const store = new FakeAgentStore();
        const registry = new AgentRegistry((id, read) => ({ id, get record() { return read(); } }) as Agent, (error) => { throw error; }); // prettier-ignore
        const logged: string[] = [];
        const log = { ...silentLogger, info: (message: string) => void logged.push(message) };
        const state = new AgentStateManager({ registry, store, clock: new ManualClock(), ids: new CountingIds(), log });
        store.records.set(ID, aRecord({ generation: 5 }));
        await state.load();
        let model = { lifecycle: registry.get(ID).record.lifecycle, generation: 5 };
        let strangers = 0;
        // All at once: the manager puts them in order.
        const results = sequence.map(({ age, lifecycle }) => {
          const claimed = model.generation - age;
          const isNew = lifecycle === 'starting' && isLegalStep(model.lifecycle, lifecycle);
          if (claimed !== model.generation) strangers++;
          else if (isLegalStep(model.lifecycle, lifecycle))
            model = { lifecycle, generation: isNew ? claimed + 1 : claimed };
          return state.transition(ID, claimed, {
            lifecycle,
            reason: 'r',
            actor: 'engine',
            ...(isNew && { nextGeneration: claimed + 1 }),
          });
        });
        await Promise.allSettled(results);
        await state.flush();
        const { lifecycle, generation } = registry.get(ID).record;
        assert.deepEqual({ lifecycle, generation }, model);
        assert.equal(
          logged.filter((one) => one === 'refused a change of an agent: other_generation').length,
          strangers,
        );
        assert.equal(store.records.get(ID)?.generation, model.generation);
      }),
      { numRuns: trials(300, 10_000, 50_000) },
    );
  });

  it('R19 a late exit of an earlier run ends nobody', async () => {
    const world = new SupervisedWorld();
    await world.runningAgent();
    await world.run(world.supervisor.restart('reviewer'));
    world.host.simulateStaleExit(ID, 1, { code: 1 });
    world.host.simulateStaleExit(ID, 3, { code: 1 });
    await world.clock.advanceMs(MINUTE_MS);
    assert.deepEqual(
      [world.agent().record.lifecycle, world.agent().record.generation, world.launches()],
      ['running', 2, 2],
    );
  });
});

describe('R12 one run per identity', function () {
  this.timeout(TIMEOUT_MS);

  it('R12 what is left of the earlier run is ended and proved gone before the next one begins', async () => {
    const world = new SupervisedWorld();
    const agent = await world.runningAgent({ restartPolicy: 'on_failure' });
    const survivor = world.processes.add({ parent: agent.record.process!, ignores: ['SIGHUP', 'SIGTERM'] }); // same session
    const seen: number[] = [];
    world.host.onDidLaunch = () =>
      void seen.push(world.processes.table.filter((row) => row.pid === survivor.pid).length);
    world.host.simulateExit(ID, { code: 1 });
    await world.clock.advanceMs(30_000);
    assert.deepEqual([seen, agent.record.lifecycle, agent.record.generation], [[0], 'running', 2]);
  });

  it('R12 nothing is started while the end of the earlier run cannot be proved', async () => {
    const world = new SupervisedWorld();
    const agent = await world.runningAgent();
    world.processes.add({ parent: agent.record.process!, isUnkillable: true, ignores: ['SIGTERM'] });
    world.host.simulateExit(ID, { code: 1 });
    await world.clock.advanceMs(10 * MINUTE_MS);
    await assert.rejects(world.run(world.supervisor.start('reviewer')), (error) =>
      AgentError.is(error, 'agent.stillRunning'),
    );
    assert.equal(world.launches(), 1);
    assert.ok(world.notices.has('agent.cannotStart:reviewer'));
  });

  it('R12 a pid that was given away again is neither a survivor nor a target', async () => {
    const world = new SupervisedWorld();
    const agent = await world.runningAgent();
    const { pid } = agent.record.process!;
    world.host.simulateExit(ID, { code: 1 });
    const stranger = world.processes.add({ pid, startTime: 'another' });
    const inItsSession = world.processes.add({ parent: stranger });
    await world.clock.advanceMs(10_000);
    assert.equal(agent.record.generation, 2);
    assert.deepEqual(world.processes.signals, []);
    assert.ok([stranger, inItsSession].every((row) => world.processes.table.includes(row)));
  });

  it('R12 R17 what a program forks while it is being ended is ended, too, in whatever session', async () => {
    const world = new SupervisedWorld();
    const agent = await world.runningAgent();
    const tool = world.processes.add({
      parent: agent.record.process!,
      isSessionLeader: true,
      ignores: ['SIGHUP', 'SIGTERM'],
    });
    let forks = 0;
    const onDidEnd = world.processes.onDidEnd;
    world.processes.onDidEnd = (row, signal) => {
      // The tool forks in the moment of its end, and so do its children, three times.
      if (row.sessionId === tool.pid && forks++ < 3)
        world.processes.add({ groupId: tool.pid, sessionId: tool.pid, marker: row.marker });
      onDidEnd(row, signal);
    };
    await world.run(world.supervisor.stop('reviewer'));
    assert.deepEqual([forks, world.processes.table], [4, []]);
  });

  it('R12 what a person detached from an agent that was stopped is left alone at the next start', async () => {
    const world = new SupervisedWorld();
    const agent = await world.runningAgent();
    const daemon = world.processes.add({ marker: 'w1:reviewer:1' }); // a session of its own, and its parent is gone
    await world.run(world.supervisor.stop('reviewer'));
    await world.run(world.supervisor.start('reviewer'));
    assert.deepEqual([agent.record.generation, world.processes.table.includes(daemon)], [2, true]);
  });

  it('R12 a run whose process was never recorded is found by its mark', async () => {
    const world = new SupervisedWorld();
    world.store.records.set(ID, aRecord({ lifecycle: 'starting', generation: 1 }));
    const orphan = world.processes.add({ marker: 'w1:reviewer:1' });
    await world.run(world.supervisor.begin());
    assert.equal(world.agent().record.lifecycle, 'lost');
    await world.run(world.supervisor.restart('reviewer'));
    assert.ok(!world.processes.table.includes(orphan));
    assert.deepEqual([world.agent().record.lifecycle, world.launches()], ['running', 1]);
  });

  it('R12 of racing starts over one store and one host exactly one begins', async () => {
    for (let round = 0; round < trials(20, 200, 1_000); round++) {
      const world = new SupervisedWorld();
      world.store.records.set(ID, aRecord({ desired: 'stopped' }));
      const racers = Array.from({ length: 8 }, () => world.make());
      await world.run(Promise.all(racers.map((racer) => racer.begin())));
      const outcomes = await world.run(Promise.allSettled(racers.map((racer) => racer.start('reviewer'))));
      assert.equal(outcomes.filter((one) => one.status === 'fulfilled').length, 1);
      assert.ok(outcomes.every((one) => one.status === 'fulfilled' || AgentError.is(one.reason)));
      assert.deepEqual([world.launches(), world.processes.table.length], [1, 1]);
      racers.forEach((racer) => racer.dispose());
    }
  });
});
