import assert from 'node:assert/strict';
import type { AgentId, AgentRecord } from '../../../src/core/agents/agent';
import { wantWhatIs } from '../../../src/core/afterRestore';
import { silentLogger } from '../../../src/core/base/log';
import { agentId, aRecord, aSpec } from '../../support/builders';
import { SupervisedWorld } from '../../support/supervisedWorld';

describe('after a restore', () => {
  const id = agentId('reviewer');

  /** The engine begins anew with what the world's store holds; `former`: what the store before it knew. */
  async function begin(world: SupervisedWorld, ...former: readonly AgentRecord[]): Promise<void> {
    const { store, host, clock, ids } = world;
    const agents = new Map(former.map((record) => [record.id, record]));
    await world.run(wantWhatIs({ store, host, clock, ids, log: silentLogger }, { agents, backup: 'old.db' }));
    await world.run(world.supervisor.begin());
    await clock.advanceMs(600_000);
  }

  async function livingWorld(of: AgentId = id, generation = 4) {
    const world = new SupervisedWorld();
    await world.run(world.host.start());
    const process = world.host.simulateHosted({ agentId: of, generation, folder: '/w', argv: ['demo'], env: {} });
    return { world, process };
  }

  it('R17 who waited for a restart when the backup was made comes to rest, and is started by nobody', async () => {
    const world = new SupervisedWorld();
    world.store.records.set(id, aRecord({ lifecycle: 'backoff', generation: 2, nextStartAtMs: 5 }));
    await world.run(world.host.start());
    await begin(world);
    const { lifecycle, desired, nextStartAtMs } = world.agent().record;
    assert.deepEqual([lifecycle, desired, nextStartAtMs, world.launches()], ['stopped', 'stopped', undefined, 0]);
  });

  const cases: readonly (readonly [string, Partial<AgentRecord>])[] = [
    ['stopped with the same number of a run', { lifecycle: 'stopped', desired: 'stopped', generation: 4 }],
    ['stopped with a later number', { lifecycle: 'stopped', desired: 'stopped', generation: 6 }],
    ['running with a later number', { lifecycle: 'running', generation: 6 }],
    ['running with an earlier number', { lifecycle: 'running', generation: 2 }],
    ['being stopped', { lifecycle: 'stopping', desired: 'stopped', generation: 4 }],
    ['failed', { lifecycle: 'failed', generation: 4, exit: { code: 1 } }],
    ['never started', { lifecycle: 'created', desired: 'stopped', generation: 0 }],
    ['removed', { lifecycle: 'retired', desired: 'stopped', generation: 4 }],
  ];
  for (const [what, kept] of cases)
    it(`R18 R12 who lives goes on as it is, once, though the backup says: ${what}`, async () => {
      for (const isKnown of [false, true]) {
        const { world, process } = await livingWorld();
        const backup = aRecord({ ...kept, isFirstPromptDone: false });
        world.store.records.set(id, backup);
        await begin(world, ...(isKnown ? [aRecord({ lifecycle: 'running', generation: 4, process })] : []));
        const { lifecycle, desired, generation, ...record } = world.agent().record;
        assert.deepEqual([lifecycle, desired, generation, world.launches()], ['running', 'running', 4, 0]);
        assert.deepEqual([record.process, record.isFirstPromptDone, record.exit], [process, true, undefined]);
        const [hosted] = await world.run(world.host.list());
        assert.equal(hosted?.liveness.kind, 'alive');
        // R19: what the run that lives does not know of is counted, too.
        assert.equal(Math.max(generation, record.generationFloor ?? 0), Math.max(4, backup.generation));
      }
    });

  it('who lives and is not in the backup is whole: its record is carried over, and its history says so', async () => {
    const { world, process } = await livingWorld();
    const spec = aSpec({ name: 'The Reviewer', role: 'critic', team: 'core', restartPolicy: 'always' });
    const run = { lifecycle: 'running', activity: 'idle', generation: 4, process, sessionId: 's-1' } as const;
    await begin(world, aRecord({ spec, fleetName: 'reviewer', ...run }));
    const { record } = world.agent();
    assert.deepEqual([record.spec, record.fleetName, record.sessionId], [spec, 'reviewer', 's-1']);
    assert.deepEqual([record.lifecycle, record.generation, record.process, world.launches()], ['running', 4, process, 0]); // prettier-ignore
    const line = world.store.lines.find(({ reason }) => reason === 'carried_over');
    assert.match(line?.evidence[0]?.detail ?? '', /^carried over by the restore of old\.db/);
  });

  it('R17 what was ordered of who lives, before the restore, is carried out after it', async () => {
    for (const desired of ['stopped', 'paused'] as const) {
      const { world, process } = await livingWorld();
      world.store.records.set(id, aRecord({ lifecycle: 'running', generation: 4 }));
      const lifecycle = desired === 'stopped' ? 'stopping' : 'paused';
      await begin(world, aRecord({ lifecycle, desired, generation: 4, process }));
      assert.deepEqual([world.agent().record.lifecycle, world.agent().record.desired], [desired, desired]);
    }
  });

  it('of who was known by the id alone the backup tells the name; where that is taken, it is called by its id', async () => {
    const { world, process } = await livingWorld();
    const unknown = { name: 'reviewer', typeId: 'command', folder: '/project' };
    world.store.records.set(id, aRecord({ lifecycle: 'running', generation: 4, spec: aSpec({ name: 'Mary' }) }));
    await begin(world, aRecord({ lifecycle: 'running', generation: 4, process, spec: unknown }));
    assert.equal(world.agent().record.spec.name, 'Mary');

    const next = (await livingWorld(agentId('mary-2'))).world;
    const stopped = aRecord({ lifecycle: 'stopped', desired: 'stopped', generation: 1, fleetName: 'Mary' });
    next.store.records.set(id, { ...stopped, spec: aSpec({ name: 'Mary' }) });
    const mary = aRecord({ id: agentId('mary-2'), spec: aSpec({ name: 'mary' }), fleetName: 'Mary' });
    await begin(next, { ...mary, lifecycle: 'running', generation: 4 });
    const all = next.supervisor.registry
      .list()
      .map(({ record }) => [record.spec.name, record.fleetName])
      .sort();
    assert.deepEqual(all, [['Mary', undefined], ['mary-2', 'Mary']], 'the entry of a fleet is who lives'); // prettier-ignore
    const line = next.store.lines.find(({ reason }) => reason === 'carried_over');
    assert.match(line?.evidence[0]?.detail ?? '', /it lives with generation 4, was called "mary"$/);
  });

  it('R17 a run that was over before the restore is ended after it, too: the order to stop stands', async () => {
    for (const inBackup of [[], [aRecord({ lifecycle: 'running', generation: 4 })]]) {
      const { world } = await livingWorld();
      for (const record of inBackup) world.store.records.set(id, record);
      await begin(world, aRecord({ lifecycle: 'stopped', desired: 'stopped', generation: 6 }));
      const { lifecycle, desired, generation } = world.agent().record;
      assert.deepEqual([lifecycle, desired, generation, world.launches()], ['stopped', 'stopped', 6, 0]);
      assert.deepEqual(await world.run(world.host.list()), [], 'the stray is gone');
    }
  });

  it('R18 who was started after its last record was read goes on', async () => {
    const { world } = await livingWorld(id, 5);
    await begin(world, aRecord({ lifecycle: 'stopped', desired: 'stopped', generation: 4 }));
    const { lifecycle, desired, generation } = world.agent().record;
    assert.deepEqual([lifecycle, desired, generation, world.launches()], ['running', 'running', 5, 0]);
  });

  it('R19 a start never takes a generation that one of both histories has used', async () => {
    const atRest = { lifecycle: 'stopped', desired: 'stopped' } as const;
    const world = new SupervisedWorld();
    await world.run(world.host.start());
    world.store.records.set(id, aRecord({ ...atRest, generation: 2 }));
    await begin(world, aRecord({ ...atRest, generation: 3, generationFloor: 7 }));
    await world.run(world.supervisor.start(id));
    assert.equal(world.agent().record.generation, 8);
    await world.run(world.supervisor.stop(id));
    await world.run(world.supervisor.start(id));
    assert.equal(world.agent().record.generation, 9, 'and goes on from there');
  });

  it('R19 the id of who is not in the backup and does not live is given to nobody else, and its generations go on', async () => {
    const world = new SupervisedWorld();
    await world.run(world.host.start());
    const secret = aSpec({ env: { TOKEN: 's' }, firstPrompt: 'Hello.', role: 'critic' });
    const run = { process: { pid: 7, startTime: '7' }, sessionId: 's-1', createdAtMs: 3, fleetName: 'reviewer' };
    const removed = aRecord({ id: agentId('gone'), lifecycle: 'retired', desired: 'stopped', generation: 2 });
    await begin(world, aRecord({ spec: secret, lifecycle: 'stopped', generation: 5, ...run }), removed);
    assert.equal(world.supervisor.registry.size, 0, 'it is not there');
    const { evidence, sinceMs: _since, ...kept } = world.store.records.get(id) ?? assert.fail('it is kept');
    assert.deepEqual(kept, {
      ...{ id, spec: aSpec({ role: 'critic' }), desired: 'stopped', lifecycle: 'retired', activity: 'unknown' },
      ...{ generation: 5, reason: 'backup_restored', actor: 'engine', createdAtMs: 3, restartsAtMs: [] },
      isFirstPromptDone: true,
    });
    assert.match(evidence[0]?.detail ?? '', /^not in old\.db, before whose restore it was stopped with generation 5/);
    const agent = await world.run(world.supervisor.create(aSpec({ name: 'reviewer' })));
    assert.equal(agent.id, 'reviewer-2');
    assert.equal((await world.run(world.supervisor.create(aSpec({ name: 'gone' })))).id, 'gone-2');
  });

  it('R19 of a damaged record in the backup nothing is kept instead', async () => {
    const world = new SupervisedWorld();
    await world.run(world.host.start());
    world.store.unreadableIds.add(id);
    await begin(world, aRecord({ lifecycle: 'stopped', desired: 'stopped', generation: 5 }));
    assert.equal(world.store.records.size, 0);
  });

  it('what was kept once is the same after it is done again', async () => {
    const { world, process } = await livingWorld();
    const { store, host, clock, ids } = world;
    const record = aRecord({ lifecycle: 'running', generation: 4, process });
    const former = { agents: new Map([[id, record]]), backup: 'old.db' };
    for (let time = 0; time < 2; time++)
      await world.run(wantWhatIs({ store, host, clock, ids, log: silentLogger }, former));
    assert.deepEqual([store.records.get(id), store.lines.length], [record, 1]);
  });
});
