import assert from 'node:assert/strict';
import type { AgentRecord } from '../../../../src/core/agents/agent';
import { type AdoptionFacts, decideAdoption } from '../../../../src/core/agents/adoption';
import type { HostedAgent } from '../../../../src/core/agents/agentHost';
import { isLive, LIFECYCLES } from '../../../../src/core/agents/agentTransitions';
import { agentId, aRecord } from '../../../support/builders';
import { SupervisedWorld } from '../../../support/supervisedWorld';

const ID = agentId('reviewer');

function decide(
  record: Partial<AgentRecord>,
  hosted: Partial<HostedAgent> | undefined,
  leftovers: AdoptionFacts['leftovers'] = 'unknown',
) {
  const there: HostedAgent | undefined = hosted && {
    agentId: ID,
    generation: 2,
    liveness: { kind: 'alive' },
    foreground: '',
    title: '',
    ...hosted,
  };
  return decideAdoption({ record: aRecord({ generation: 2, ...record }), hosted: there, leftovers });
}

describe('decideAdoption', () => {
  it('adopts whatever lives with the recorded generation and is wanted, without a restart', () => {
    for (const lifecycle of [
      'starting',
      'running',
      'paused',
      'lost',
      'exited',
      'failed',
      'backoff',
      'quarantined',
    ] as const) {
      assert.deepEqual(decide({ lifecycle }, {}), { kind: 'adopt', generation: 2 }, lifecycle);
    }
  });

  it('finishes stops: what was ordered before a crash is carried out after it', () => {
    for (const lifecycle of ['starting', 'running', 'paused', 'lost', 'stopping'] as const) {
      for (const liveness of [{ kind: 'alive' }, { kind: 'dead', cause: {} }] as const) {
        assert.equal(decide({ lifecycle, desired: 'stopped' }, { liveness }).kind, 'finishStop', lifecycle);
      }
      for (const leftovers of ['alive', 'gone', 'unknown'] as const) {
        assert.equal(decide({ lifecycle, desired: 'stopped' }, undefined, leftovers).kind, 'finishStop', lifecycle);
      }
    }
    for (const lifecycle of ['stopped', 'exited', 'failed', 'quarantined', 'created', 'retired'] as const) {
      assert.equal(decide({ lifecycle, desired: 'stopped' }, {}).kind, 'endStray', lifecycle);
    }
  });

  it('ends an older generation that lives, and adopts a newer one as the only one there is', () => {
    for (const lifecycle of LIFECYCLES) {
      assert.equal(decide({ lifecycle }, { generation: 1 }).kind, 'endStray', lifecycle);
      if (lifecycle !== 'retired')
        assert.deepEqual(decide({ lifecycle }, { generation: 3 }), { kind: 'adopt', generation: 3 });
      assert.equal(decide({ lifecycle, desired: 'stopped' }, { generation: 3 }).kind, 'endStray', lifecycle);
    }
  });

  it('records an end only when it is proved, with the cause if it is of this generation', () => {
    const dead = { kind: 'dead', cause: { code: 7 } } as const;
    for (const lifecycle of ['starting', 'running', 'paused', 'lost'] as const) {
      assert.deepEqual(decide({ lifecycle }, { liveness: dead }), {
        kind: 'ended',
        cause: { code: 7 },
        source: 'pane',
      });
      assert.deepEqual(decide({ lifecycle }, { liveness: dead, generation: 1 }), {
        kind: 'ended',
        cause: {},
        source: 'pane',
      });
      assert.deepEqual(decide({ lifecycle }, undefined, 'gone'), { kind: 'ended', cause: {}, source: 'process' });
      assert.deepEqual(decide({ lifecycle }, undefined, 'alive').kind, 'lost');
      assert.deepEqual(decide({ lifecycle }, undefined, 'unknown').kind, 'lost');
      assert.deepEqual(decide({ lifecycle }, { liveness: { kind: 'unknown', reason: 'x' } }).kind, 'lost');
    }
  });

  it('starts nothing for a failed look: unknown is lost or left alone, never ended, never continued', () => {
    for (const lifecycle of LIFECYCLES) {
      for (const desired of ['running', 'paused', 'stopped'] as const) {
        const { kind } = decide({ lifecycle, desired }, { liveness: { kind: 'unknown', reason: 'x' } });
        assert.equal(kind, isLive(lifecycle) ? 'lost' : 'leave');
      }
    }
  });

  it('continues what waits for a restart, and leaves the rest in peace', () => {
    for (const hosted of [undefined, { liveness: { kind: 'dead', cause: {} } } as const]) {
      for (const lifecycle of ['stopped', 'backoff', 'failed', 'exited'] as const) {
        assert.equal(decide({ lifecycle }, hosted).kind, 'continue');
        const isWaiting = lifecycle === 'backoff';
        assert.equal(decide({ lifecycle, desired: 'stopped' }, hosted).kind, isWaiting ? 'settle' : 'leave');
        assert.equal(decide({ lifecycle, desired: 'paused' }, hosted).kind, 'leave');
      }
      for (const lifecycle of ['created', 'quarantined', 'retired'] as const)
        assert.equal(decide({ lifecycle }, hosted).kind, 'leave');
    }
  });
});

describe('AgentSupervisor: adoption', () => {
  it('R14 a crash of the engine disturbs no agent: every one is adopted, none restarted', async () => {
    const world = new SupervisedWorld();
    await world.run(world.supervisor.begin());
    for (let i = 0; i < 10; i++)
      await world.run(
        world.supervisor.create(aSpecNamed(`Agent ${i}`)).then((agent) => world.supervisor.start(agent.id)),
      );
    await world.run(world.supervisor.pause('agent-3'));
    const before = world.processes.table.map((row) => row.pid);
    for (let crash = 0; crash < 5; crash++) await world.restart();
    assert.deepEqual(world.processes.table.map((row) => row.pid), before); // prettier-ignore
    assert.equal(world.host.launchedSpecs().length, 10);
    assert.deepEqual(world.processes.signals, []);
    assert.equal(world.agent('agent-3').record.lifecycle, 'paused');
    const records = world.supervisor.registry.list().map((agent) => agent.record);
    assert.ok(records.every((record) => record.generation === 1 && record.evidence.length > 0));
    assert.equal(records.filter((record) => record.lifecycle === 'running').length, 9);
  });

  it('recovers a tagged session without a record, and never starts it by itself', async () => {
    const world = new SupervisedWorld();
    const process = world.host.simulateHosted({
      agentId: agentId('ghost'),
      generation: 4,
      folder: '/',
      argv: ['x'],
      env: {},
    });
    world.processes.add({ ...process, marker: 'w1:ghost:4' });
    await world.run(world.supervisor.begin());
    const { record } = world.agent('ghost');
    assert.deepEqual(
      [record.lifecycle, record.generation, record.reason, record.process?.pid],
      ['running', 4, 'recovered_without_record', process.pid],
    );
    world.host.simulateExit(agentId('ghost'), { code: 1 });
    await world.clock.advanceMs(600_000);
    assert.deepEqual([world.agent('ghost').record.lifecycle, world.launches('ghost')], ['failed', 0]);
  });

  it('ends what lives of a removed agent', async () => {
    const world = new SupervisedWorld();
    world.store.records.set(ID, aRecord({ lifecycle: 'retired', desired: 'stopped', generation: 2 }));
    const process = world.host.simulateHosted({ agentId: ID, generation: 2, folder: '/', argv: ['x'], env: {} });
    world.processes.add({ ...process, marker: 'w1:reviewer:2' });
    await world.run(world.supervisor.begin());
    assert.deepEqual([world.processes.table, await world.host.list()], [[], []]);
  });

  it('ends an older generation and then follows the policy for the recorded one', async () => {
    const world = new SupervisedWorld();
    world.store.records.set(ID, aRecord({ lifecycle: 'starting', generation: 3 }));
    const process = world.host.simulateHosted({ agentId: ID, generation: 2, folder: '/project', argv: ['x'], env: {} });
    world.processes.add({ ...process, marker: 'w1:reviewer:2' });
    await world.run(world.supervisor.begin());
    await world.clock.advanceMs(10_000);
    assert.deepEqual(
      [world.agent().record.generation, world.agent().record.lifecycle, world.processes.table.length],
      [4, 'running', 1],
    );
  });

  it('adopts a newer generation than recorded', async () => {
    const world = new SupervisedWorld();
    world.store.records.set(ID, aRecord({ lifecycle: 'running', generation: 2, process: { pid: 1, startTime: 'x' } }));
    const process = world.host.simulateHosted({ agentId: ID, generation: 5, folder: '/project', argv: ['x'], env: {} });
    world.processes.add({ ...process, marker: 'w1:reviewer:5' });
    await world.run(world.supervisor.begin());
    const { record } = world.agent();
    assert.deepEqual(
      [record.lifecycle, record.generation, record.process, world.launches()],
      ['running', 5, process, 0],
    );
  });

  it('keeps a waiting restart waiting for the rest of its time, at most the longest delay', async () => {
    const world = new SupervisedWorld();
    world.store.records.set(
      ID,
      aRecord({ lifecycle: 'backoff', generation: 1, nextStartAtMs: world.clock.nowMs() + 3_000 }),
    );
    world.store.records.set(
      agentId('far'),
      aRecord({ id: agentId('far'), lifecycle: 'backoff', generation: 1, nextStartAtMs: world.clock.nowMs() + 1e9 }),
    );
    await world.run(world.supervisor.begin());
    await world.clock.advanceMs(2_900);
    assert.equal(world.launches(), 0);
    await world.clock.advanceMs(200);
    assert.deepEqual([world.launches(), world.launches('far')], [1, 0]);
    await world.clock.advanceMs(60_000);
    assert.equal(world.launches('far'), 1);
  });

  it('R17 what waits for a restart that nobody wants any more comes to rest', async () => {
    const world = new SupervisedWorld();
    const waiting = aRecord({ lifecycle: 'backoff', desired: 'stopped', generation: 1, nextStartAtMs: 5 });
    world.store.records.set(ID, waiting);
    await world.run(world.supervisor.begin());
    await world.clock.advanceMs(600_000);
    const { lifecycle, nextStartAtMs, reason } = world.agent().record;
    assert.deepEqual([lifecycle, nextStartAtMs, reason, world.launches()], ['stopped', undefined, 'stop_finished', 0]);
    const [line] = await world.supervisor.history(ID);
    assert.deepEqual([line?.from.lifecycle, line?.to.lifecycle], ['backoff', 'stopped']);
  });

  it('finishes an interrupted restart by starting', async () => {
    const world = new SupervisedWorld();
    world.store.records.set(ID, aRecord({ lifecycle: 'stopped', generation: 1 }));
    await world.run(world.supervisor.begin());
    await world.clock.advanceMs(5_000);
    assert.deepEqual([world.agent().record.lifecycle, world.launches()], ['running', 1]);
  });

  it('starts nothing by itself while that is not allowed', async () => {
    const world = new SupervisedWorld();
    world.settings = { isAutomaticStartAllowed: () => false };
    for (const lifecycle of ['stopped', 'backoff', 'failed', 'exited'] as const) {
      world.store.records.set(agentId(lifecycle), aRecord({ id: agentId(lifecycle), lifecycle, generation: 1 }));
    }
    await world.run(world.supervisor.begin());
    await world.clock.advanceMs(600_000);
    assert.equal(world.host.launchedSpecs().length, 0);
  });
});

describe('AgentSupervisor: loss of the host', () => {
  it('calls everything lost, starts and ends nothing, and adopts when the connection is back', async () => {
    const world = new SupervisedWorld();
    await world.runningAgent();
    await world.run(world.supervisor.pause('reviewer'));
    world.host.simulateConnectionLoss();
    await world.clock.advanceMs(600_000);
    assert.deepEqual([world.agent().record.lifecycle, world.launches(), world.processes.signals], ['lost', 1, []]);
    world.host.simulateServerReturn();
    await world.clock.advanceMs(1_000);
    assert.deepEqual([world.agent().record.lifecycle, world.launches()], ['paused', 1]);
  });

  it('restarts, after the server died, only what is proved gone; an orphan stays lost until its end, with one notice', async () => {
    const world = new SupervisedWorld();
    await world.runningAgent();
    await world.run(world.supervisor.create(aSpecNamed('Orphan')).then((agent) => world.supervisor.start(agent.id)));
    const orphan = world.agent('orphan').record.process!;
    world.processes.end(world.agent().record.process!, 'SIGHUP');
    world.host.simulateServerLoss('gone', [agentId('orphan')]);
    await world.clock.advanceMs(30_000);
    assert.equal(world.host.launchedSpecs().length, 2);
    world.host.simulateServerReturn();
    await world.clock.advanceMs(30_000);
    assert.deepEqual([world.agent().record.lifecycle, world.agent('orphan').record.lifecycle], ['running', 'lost']);
    assert.deepEqual([world.launches(), world.launches('orphan')], [2, 1]);
    assert.ok(world.notices.has('agent.orphan:orphan'));
    world.processes.end(orphan);
    await world.clock.advanceMs(30_000);
    assert.deepEqual(
      [world.agent('orphan').record.lifecycle, world.launches('orphan'), world.notices.size],
      ['running', 2, 0],
    );
  });

  it('lets a person stop a lost agent: its processes are ended without the host', async () => {
    const world = new SupervisedWorld();
    await world.runningAgent();
    world.host.simulateConnectionLoss();
    await world.clock.advanceMs(10);
    await world.run(world.supervisor.stop('reviewer'));
    assert.deepEqual([world.agent().record.lifecycle, world.processes.table], ['stopped', []]);
  });
});

function aSpecNamed(name: string) {
  return { name, typeId: 'shell', folder: '/project' };
}
