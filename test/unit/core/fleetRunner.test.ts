import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { AgentError } from '../../../src/core/agents/agentErrors';
import type { FleetPlan } from '../../../src/core/engine';
import { FleetRunner } from '../../../src/core/fleetRunner';
import { askerType } from '../../support/askerType';
import { agentId, aSpec } from '../../support/builders';
import { SupervisedWorld } from '../../support/supervisedWorld';

const FILE = '/project/.vscode/agents.json';
const SIZE = 20;

/** A begun supervisor with a runner of fleets. */
class FleetWorld {
  readonly world = new SupervisedWorld();
  runner!: FleetRunner;

  async begin(): Promise<this> {
    const { factory, clock } = this.world.ports();
    factory.register(askerType);
    this.world.supervisor = this.world.make({ factory });
    const { supervisor, store } = this.world;
    this.runner = new FleetRunner({
      supervisor,
      store,
      factory,
      clock,
      adoptType: () => Promise.resolve(),
      isFleetType: () => false,
      sha256: (text) => createHash('sha256').update(text).digest('hex'),
    });
    await this.world.run(supervisor.begin());
    return this;
  }

  resume(): ReturnType<FleetRunner['resume']> {
    return this.world.run(this.runner.resume(() => undefined, new AbortController().signal));
  }

  /** A plan of shells that a person has approved. */
  approved(size: number): Promise<FleetPlan> {
    return this.approvedOf(Array.from({ length: size }, (_, index) => ({ name: `A${index}` })));
  }

  async approvedOf(
    entries: readonly { readonly name: string; readonly args?: readonly string[] }[],
  ): Promise<FleetPlan> {
    const agents = entries.map((entry) => ({ ...entry, type: 'shell' }));
    const plan = await this.runner.plan(JSON.stringify({ agents }), FILE);
    await this.runner.approve(plan.agents.map(({ hash }) => hash));
    return plan;
  }

  start(plan: FleetPlan, signal = new AbortController().signal): ReturnType<FleetRunner['start']> {
    return this.runner.start(plan, () => undefined, signal);
  }

  stopAll(): ReturnType<FleetRunner['stopAll']> {
    return this.world.run(this.runner.stopAll(() => undefined, new AbortController().signal));
  }

  assertAtRest(where: string): void {
    const { supervisor, processes } = this.world;
    const states = supervisor.registry.list().map(({ record }) => `${record.desired} ${record.lifecycle}`);
    assert.deepEqual(
      states.filter((state) => state !== 'stopped stopped' && state !== 'stopped created'),
      [],
      where,
    );
    assert.deepEqual(processes.table, [], where);
  }
}

describe('FleetRunner', () => {
  it('R17 stopping everything ends a fleet that is being started, whenever it comes: nothing runs afterwards', async () => {
    for (const waitMs of [0, 10, 50, 100, 200, 400, 600, 900, 1_300]) {
      for (const turns of [0, 1, 4, 9, 15]) {
        const fleet = await new FleetWorld().begin();
        const starting = fleet.start(await fleet.approved(SIZE));
        await fleet.world.clock.advanceMs(waitMs);
        for (let turn = 0; turn < turns; turn++) await Promise.resolve();
        const where = `${waitMs} ms and ${turns} turns`;
        const stopped = await fleet.stopAll();
        assert.deepEqual([stopped.failed, stopped.isCanceled], [[], false], where);
        fleet.assertAtRest(where);
        const started = await fleet.world.run(starting);
        assert.deepEqual(started.failed, [], where);
        const launches = fleet.world.host.launchedSpecs().length;
        await fleet.world.clock.advanceMs(60_000);
        await fleet.world.restart();
        await fleet.world.clock.advanceMs(60_000);
        fleet.assertAtRest(where);
        assert.equal(fleet.world.host.launchedSpecs().length, launches, where);
      }
    }
  });

  it('R17 stopping everything ends single starts that are on their way, also of agents that never ran', async () => {
    for (let turns = 0; turns <= 40; turns++) {
      const fleet = await new FleetWorld().begin();
      const { supervisor } = fleet.world;
      await fleet.world.run(supervisor.create(aSpec({ name: 'Resting' })));
      await fleet.world.run(supervisor.create(aSpec()));
      const both = [
        supervisor.start('reviewer'),
        supervisor.create(aSpec({ name: 'Late' })).then(({ id }) => supervisor.start(id)),
      ];
      const ended = Promise.allSettled(both);
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      const stopped = await fleet.stopAll();
      await fleet.world.run(ended);
      fleet.assertAtRest(`${turns} turns`);
      assert.deepEqual([stopped.failed, stopped.skipped.includes('Resting')], [[], true], `${turns} turns`);
    }
  });

  it('R17 stopping everything cancels a planned restart, and leaves what has ended as it is, with its reason', async () => {
    const fleet = await new FleetWorld().begin();
    const { world } = fleet;
    const { supervisor, host, clock } = world;
    for (const name of ['Runs', 'Fails', 'Ends', 'Waits', 'Loops']) {
      const restartPolicy = name === 'Waits' || name === 'Loops' ? 'on_failure' : 'never';
      await world.run(supervisor.create(aSpec({ name, restartPolicy })));
      await world.run(supervisor.start(name.toLowerCase()));
    }
    const crash = (name: string, code = 1): void => host.simulateExit(agentId(name), { code });
    const recordOf = (name: string) => world.agent(name).record;
    host.onDidLaunch = ({ agentId: id }) => void (id === 'loops' && clock.setTimer(3_000, () => crash('loops')));
    crash('loops');
    await clock.advanceMs(600_000);
    for (const [name, code] of [['fails', 3], ['ends', 0], ['waits', 4]] as const) crash(name, code); // prettier-ignore
    await clock.advanceMs(10);
    const kept = ['fails', 'ends', 'loops'].map((name) => recordOf(name));
    assert.deepEqual(kept.map(({ lifecycle }) => lifecycle), ['failed', 'exited', 'quarantined']); // prettier-ignore
    assert.equal(recordOf('waits').lifecycle, 'backoff');

    const { succeeded, skipped, failed } = await fleet.stopAll();
    assert.deepEqual(
      [succeeded.toSorted(), skipped.toSorted(), failed],
      [['Runs', 'Waits'], ['Ends', 'Fails', 'Loops'], []],
    );
    for (const before of kept) {
      const { lifecycle, reason, evidence, exit, sinceMs, desired } = recordOf(before.id);
      const same = { lifecycle: before.lifecycle, reason: before.reason, evidence: before.evidence, exit: before.exit, sinceMs: before.sinceMs }; // prettier-ignore
      assert.deepEqual({ lifecycle, reason, evidence, exit, sinceMs }, same);
      assert.equal(desired, 'stopped', before.id);
    }
    assert.deepEqual(world.processes.table, [], 'what a failed run has left is ended');
    const launches = host.launchedSpecs().length;
    await clock.advanceMs(60_000);
    await world.restart();
    await clock.advanceMs(60_000);
    assert.deepEqual([recordOf('waits').lifecycle, host.launchedSpecs().length], ['stopped', launches]);
    assert.deepEqual(kept.map(({ id }) => recordOf(id).reason), kept.map(({ reason }) => reason)); // prettier-ignore
  });

  it('R17 stopping everything stops an agent that was given the name of one that was stopped before it', async () => {
    const called = (id: string, name: string) => ({ id: agentId(id), record: { spec: aSpec({ name }) } });
    let agents = [called('a', 'A')];
    const resting = new Set<string>();
    const supervisor = {
      registry: { list: () => agents },
      isAtRest: (id: string) => resting.has(id),
      stop: async (id: string) => {
        resting.add(id);
        if (id === 'a') agents = [called('a', 'B'), called('a-2', 'A')]; // renamed, and its name was taken
      },
    };
    const runner = new FleetRunner({ supervisor } as never); // all that is asked
    const { succeeded } = await runner.stopAll(() => undefined, new AbortController().signal);
    assert.deepEqual(
      [[...resting], succeeded],
      [
        ['a', 'a-2'],
        ['A', 'A'],
      ],
    );
  });

  it('R12 an entry whose agent may live, of whom a restored store knows nothing but the id, is not started beside it', async () => {
    const fleet = new FleetWorld();
    const { world } = fleet;
    await world.run(world.host.start());
    for (const id of ['c-dev', 'c-dev-2'])
      world.host.simulateHosted({ agentId: agentId(id), generation: 3, folder: '/w', argv: ['sh'], env: {} });
    await fleet.begin();
    const plan = await fleet.approvedOf(['C++ Dev', 'C# Dev', 'C-dev-op'].map((name) => ({ name })));
    const { succeeded, failed } = await world.run(fleet.start(plan));
    assert.deepEqual([succeeded, failed.map(({ name }) => name)], [['C-dev-op'], ['C++ Dev', 'C# Dev']]);
    for (const { error } of failed)
      assert.ok(AgentError.is(error, 'agent.nameTaken') && /restore the backup/.test(String(error)));
    for (const id of ['c-dev', 'c-dev-2']) await world.run(world.supervisor.stop(agentId(id)));
    assert.deepEqual((await world.run(fleet.start(plan))).failed, []);
  });

  it('a fleet can be started again after everything was stopped', async () => {
    const fleet = await new FleetWorld().begin();
    const plan = await fleet.approved(SIZE);
    const starting = fleet.start(plan);
    await fleet.world.clock.advanceMs(100);
    await fleet.stopAll();
    assert.equal((await fleet.world.run(starting)).isCanceled, true);
    const again = await fleet.world.run(fleet.start(plan));
    assert.deepEqual([again.succeeded.length, again.failed, again.isCanceled], [SIZE, [], false]);
    const stopped = await fleet.stopAll();
    assert.deepEqual([stopped.succeeded.length, stopped.skipped], [SIZE, []]);
  });

  it('an agent that was renamed is the same one: it is neither started twice nor given its old name back', async () => {
    const fleet = await new FleetWorld().begin();
    const { world } = fleet;
    await world.run(fleet.start(await fleet.approved(2)));
    await world.run(world.supervisor.rename('a0', 'Another'));
    const plan = await fleet.approved(2);
    assert.deepEqual(plan.agents.map(({ existing }) => existing), ['a0', 'a1']); // prettier-ignore
    assert.deepEqual(
      (await world.run(fleet.start(plan))).skipped.toSorted(),
      ['A1', 'Another'],
      'as they are called now',
    );
    await fleet.stopAll();
    assert.deepEqual((await world.run(fleet.start(plan))).succeeded.toSorted(), ['A0', 'A1']);
    const names = world.supervisor.registry.list().map(({ record }) => record.spec.name);
    assert.deepEqual(names.toSorted(), ['A1', 'Another']);
  });

  it('agents whose names lead to one id are as many agents: none is skipped, none is given the command of another', async () => {
    const names = ['C++ Dev', 'C# Dev', ...'АБВГДЕ', ...'日月火水木金'];
    const fleet = await new FleetWorld().begin();
    const { world } = fleet;
    const entries = names.map((name) => ({ name, args: [name] }));
    const started = await world.run(fleet.start(await fleet.approvedOf(entries)));
    assert.deepEqual([started.succeeded.toSorted(), started.skipped, started.failed], [names.toSorted(), [], []]);
    const argsOf = (): unknown => world.supervisor.registry.list().map(({ record }) => [record.spec.name, record.spec.args]); // prettier-ignore
    assert.deepEqual(argsOf(), names.map((name) => [name, [name]])); // prettier-ignore
    await fleet.stopAll();
    const again = await fleet.approvedOf(entries.toReversed());
    assert.equal(new Set(again.agents.map(({ existing }) => existing)).size, names.length);
    assert.deepEqual((await world.run(fleet.start(again))).succeeded.length, names.length);
    assert.deepEqual(argsOf(), names.map((name) => [name, [name]])); // prettier-ignore
  });

  it('an agent that a person started is never overwritten by a fleet file', async () => {
    const fleet = await new FleetWorld().begin();
    const { world } = fleet;
    const own = aSpec({ name: 'C Dev', args: ['mine'] });
    await world.run(world.supervisor.create(own));
    await world.run(world.supervisor.create(aSpec({ name: 'Reviewer', args: ['mine'] })));
    const plan = await fleet.approvedOf([{ name: 'C# Dev' }, { name: 'reviewer' }]);
    const result = await world.run(fleet.start(plan));
    assert.deepEqual([result.succeeded, result.skipped], [['C# Dev'], []]);
    assert.deepEqual(
      result.failed.map(({ name, error }) => [name, AgentError.is(error, 'agent.nameTaken')]),
      [['reviewer', true]],
    );
    assert.deepEqual(
      world.supervisor.registry.list().map(({ id, record }) => [id, record.spec.name, record.spec.args]),
      [['c-dev', 'C Dev', ['mine']], ['reviewer', 'Reviewer', ['mine']], ['c-dev-2', 'C# Dev', undefined]],
    ); // prettier-ignore
  });

  it('an entry that says what an agent of its name already is takes that agent in, with what is changed in the file later', async () => {
    const fleet = await new FleetWorld().begin();
    const { world } = fleet;
    await world.run(world.supervisor.create(aSpec({ name: 'Reviewer' })));
    assert.deepEqual((await world.run(fleet.start(await fleet.approvedOf([{ name: 'Reviewer' }])))).succeeded, [
      'Reviewer',
    ]);
    await fleet.stopAll();
    const changed = await fleet.approvedOf([{ name: 'Reviewer', args: ['-x'] }]);
    assert.deepEqual((await world.run(fleet.start(changed))).succeeded, ['Reviewer']);
    assert.deepEqual(world.agent('reviewer').record.spec.args, ['-x']);
  });

  it('knows whose an agent is after a restart, and when a person and the file give it the same new name', async () => {
    const fleet = await new FleetWorld().begin();
    const { world } = fleet;
    await world.run(fleet.start(await fleet.approvedOf([{ name: 'A', args: ['1'] }])));
    await world.run(world.supervisor.rename('a', 'B'));
    await fleet.stopAll();
    assert.equal(world.store.records.get(agentId('a'))?.fleetName, 'A');
    const both = await fleet.approvedOf([{ name: 'A', args: ['1'] }, { name: 'B', args: ['2'] }]); // prettier-ignore
    const result = await world.run(fleet.start(both));
    assert.deepEqual([result.succeeded, result.failed.map(({ name }) => name)], [['A'], ['B']]);
    await fleet.stopAll();
    const renamed = await world.run(fleet.start(await fleet.approvedOf([{ name: 'B', args: ['2'] }])));
    assert.deepEqual([renamed.succeeded, renamed.failed], [['B'], []]);
    const { spec, fleetName } = world.agent('a').record;
    assert.deepEqual([spec.name, spec.args, fleetName], ['B', ['2'], 'B']);
  });

  it('brings back what should run, and says of each whether it is in its conversation and what that has lost', async () => {
    const fleet = await new FleetWorld().begin();
    const { world } = fleet;
    const { supervisor, host, clock } = world;
    world.commands.add('asker');
    host.onDidLaunch = ({ agentId: id }) => host.simulateScreen(id, { text: '> ' });
    const specs = [
      aSpec({ name: 'Asker', typeId: 'asker' }),
      aSpec({ name: 'Silent', typeId: 'asker' }),
      aSpec({ name: 'Plain' }),
      aSpec({ name: 'Stopped' }),
    ];
    for (const spec of specs) {
      const { id } = await world.run(supervisor.create({ ...spec, restartPolicy: 'never' }));
      await world.run(supervisor.start(id));
    }
    await world.run(supervisor.stop('stopped'));
    const { sessionId: session = '', generation } = world.agent('asker').record;
    const said = { agentId: agentId('asker'), generation, event: 'Prompt', sentAtMs: clock.nowMs(), isLate: false };
    await supervisor.hooks.report({ ...said, payload: { prompt: 'work', session } }, new AbortController().signal);
    for (const name of ['asker', 'silent', 'plain']) host.simulateExit(agentId(name), { signal: 9 });
    await clock.advanceMs(5_000);
    const result = await fleet.resume();
    assert.deepEqual([...result.succeeded].sort(), ['Asker', 'Plain', 'Silent']);
    assert.deepEqual([result.failed, result.skipped], [[], []]);
    const returned = [...(result.returned ?? [])].sort((a, b) => a.name.localeCompare(b.name));
    assert.deepEqual(
      returned.map(({ name, report }) => [name, report?.sessionId, report?.losses]),
      [
        ['Asker', session, askerType.session.losses],
        ['Plain', undefined, undefined],
        ['Silent', undefined, undefined],
      ],
    );
    assert.deepEqual((await fleet.resume()).returned, []);
  });

  it('remembers the last 20 plans: what was planned before them must be planned again', async () => {
    const fleet = await new FleetWorld().begin();
    const hashes: string[] = [];
    for (let count = 0; count < 22; count++) {
      const plan = await fleet.runner.plan(
        JSON.stringify({ agents: [{ name: 'P', type: 'shell', args: [String(count)] }] }),
        FILE,
      );
      hashes.push(...plan.agents.map(({ hash }) => hash));
    }
    const isRefused = (error: unknown): boolean => AgentError.is(error, 'agent.notApproved');
    await assert.rejects(fleet.runner.approve(hashes.slice(0, 1)), isRefused);
    await assert.rejects(fleet.runner.approve(hashes.slice(1, 2)), isRefused);
    await fleet.runner.approve(hashes.slice(2));
  });
});
