import assert from 'node:assert/strict';
import { AgentError } from '../../../../src/core/agents/agentErrors';
import type { AgentErrorCode } from '../../../../src/core/agents/agentErrors';
import { OrchestratorError } from '../../../../src/core/base/errors';
import { TmuxError } from '../../../../src/core/tmux/tmuxErrors';
import { agentId, aRecord, aSpec } from '../../../support/builders';
import { ScriptedTui } from '../../../support/scriptedTui';
import { SupervisedWorld } from '../../../support/supervisedWorld';

const ID = agentId('reviewer');
const idleDemo = { text: '────\n› \n────\n  enter to send · /exit to quit' };
const approvalDemo = {
  text: '────\nAllow this command?\n❯ 1. Yes\n  2. No\n────\n  Enter to confirm · Esc to cancel',
};

function withCode(code: AgentErrorCode): (error: unknown) => boolean {
  return (error) => AgentError.is(error, code);
}

/** Lifecycles in the order of the history. */
function walk(world: SupervisedWorld): readonly string[] {
  return world.store.lines.filter((line) => line.from.lifecycle !== line.to.lifecycle).map((line) => line.to.lifecycle);
}

describe('AgentSupervisor: start', () => {
  it('creates without starting, then launches with a clean environment and says it runs', async () => {
    const world = new SupervisedWorld();
    const agent = await world.runningAgent({ env: { EXTRA: '1' }, args: ['-x'] });
    assert.equal(agent.record.lifecycle, 'running');
    const [launch] = world.host.launchedSpecs();
    assert.deepEqual(launch?.argv, ['/bin/bash', '-x']);
    assert.deepEqual(
      [launch?.env['EXTRA'], launch?.env['CORE_ORCHESTRATOR_RUN'], launch?.generation, launch?.folder],
      ['1', 'w1:reviewer:1', 1, '/project'],
    );
    assert.deepEqual(walk(world), ['starting', 'running']);
    assert.deepEqual(world.store.records.get(ID), agent.record);
    assert.ok(agent.record.process && agent.record.evidence.length > 0);
  });

  it('says running as soon as the first screen settles', async () => {
    const world = new SupervisedWorld();
    await world.run(world.supervisor.begin());
    await world.run(world.supervisor.create(aSpec()));
    const start = world.supervisor.start('reviewer');
    await world.clock.advanceMs(100);
    assert.equal(world.agent().record.lifecycle, 'starting');
    world.host.simulateScreen(ID, { text: '$ ', foreground: 'bash' });
    await world.clock.advanceMs(0);
    await start;
    assert.equal(world.agent().record.lifecycle, 'running');
  });

  it('waits for a rule of the type to match, and types the first prompt once then', async () => {
    const world = new SupervisedWorld();
    await world.run(world.supervisor.begin());
    await world.run(world.supervisor.create(aSpec({ typeId: 'demo', firstPrompt: 'work 5' })));
    const start = world.supervisor.start('reviewer');
    await world.clock.advanceMs(5_000);
    assert.equal(world.agent().record.lifecycle, 'starting');
    const tui = new ScriptedTui(world.host, ID, world.clock);
    tui.show();
    await world.run(start);
    assert.ok(world.agent().record.isFirstPromptDone);
    assert.equal(world.agent().record.activity, 'idle');
    await world.clock.advanceMs(3_000);
    assert.deepEqual(tui.submitted, ['work 5']);
    const keys = world.host.calls.filter((call) => call.method === 'paste' || call.method === 'press');
    assert.deepEqual(keys.map((call) => call.method), ['paste', 'press']); // prettier-ignore
  });

  it('ends and fails what is not ready in time, and restarts it by policy', async () => {
    const world = new SupervisedWorld();
    await world.run(world.supervisor.begin());
    await world.run(world.supervisor.create(aSpec({ typeId: 'demo' })));
    await assert.rejects(world.run(world.supervisor.start('reviewer')), withCode('agent.startDeadline'));
    assert.deepEqual(world.processes.table, []);
    assert.deepEqual(walk(world), ['starting', 'failed', 'backoff']);
    assert.equal(world.clock.monotonicMs() >= 60_000 && world.clock.monotonicMs() < 62_000, true);
  });

  for (const [what, spec, code] of [
    ['command', { typeId: 'command', command: ['nothing-such'] }, 'agent.commandNotFound'],
    ['folder', { folder: '/gone' }, 'agent.folderMissing'],
  ] as const) {
    it(`checks the ${what} first: a clear error, a failed agent, no launch and no restart`, async () => {
      const world = new SupervisedWorld();
      await world.run(world.supervisor.begin());
      await world.run(world.supervisor.create(aSpec(spec)));
      await assert.rejects(world.run(world.supervisor.start('reviewer')), withCode(code));
      await world.clock.advanceMs(600_000);
      assert.equal(world.launches(), 0);
      assert.deepEqual([world.agent().record.lifecycle, world.agent().record.desired], ['failed', 'stopped']);
      assert.deepEqual([...world.notices.keys()], [], 'the person is told once: by the error');
      await assert.rejects(world.run(world.supervisor.start('reviewer', { actor: 'policy' })), withCode(code));
      assert.deepEqual([...world.notices.keys()], ['agent.cannotStart:reviewer']);
    });
  }

  it('refuses unknown types, missing commands, bad specs and taken names, all before anything is kept', async () => {
    const world = new SupervisedWorld();
    await world.runningAgent();
    const kept = world.store.records.size;
    const create = (spec: object) => world.run(world.supervisor.create({ ...aSpec({ name: 'Other' }), ...spec }));
    await assert.rejects(create({ typeId: 'nope' }), withCode('agent.unknownType'));
    await assert.rejects(create({ typeId: 'command' }), withCode('agent.invalidSpec'));
    await assert.rejects(
      create({ folder: 'relative', args: [1] }),
      (error) => AgentError.is(error, 'agent.invalidSpec') && error.problems.length === 2,
    );
    await assert.rejects(create({ name: 'REVIEWER' }), withCode('agent.nameTaken'));
    const both = await Promise.allSettled([create({ name: 'Twin' }), create({ name: 'twin' })]);
    assert.deepEqual(both.map((one) => one.status).sort(), ['fulfilled', 'rejected']);
    assert.equal(world.store.records.size, kept + 1);
  });

  it('leaves a running agent alone when it is started again', async () => {
    const world = new SupervisedWorld();
    await world.runningAgent();
    await Promise.all([1, 2, 3].map(() => world.run(world.supervisor.start('reviewer'))));
    assert.equal(world.launches(), 1);
  });

  it('calls a short program that ends well exited, and one that ends badly an error', async () => {
    const world = new SupervisedWorld();
    await world.run(world.supervisor.begin());
    await world.run(world.supervisor.create(aSpec({ typeId: 'command', command: ['true'], restartPolicy: 'never' })));
    for (const [code, lifecycle] of [
      [0, 'exited'],
      [3, 'failed'],
    ] as const) {
      // prettier-ignore
      world.host.onDidLaunch = () => queueMicrotask(() => world.host.simulateExit(ID, { code }));
      const start = world.run(world.supervisor.start('reviewer'));
      if (code === 0) await start;
      else await assert.rejects(start, withCode('agent.endedEarly'));
      assert.deepEqual([world.agent().record.lifecycle, world.agent().record.exit], [lifecycle, { code }]);
    }
  });

  it('calls an agent lost, not failed, when the launch got no answer; nothing is launched again until that is known', async () => {
    const world = new SupervisedWorld();
    await world.run(world.supervisor.begin());
    await world.run(world.supervisor.create(aSpec()));
    world.host.failNext('launch', new TmuxError('tmux.timeout', 'new-session'));
    await assert.rejects(world.run(world.supervisor.start('reviewer')), withCode('agent.launchUnknown'));
    assert.equal(world.agent().record.lifecycle, 'lost');
    await assert.rejects(world.run(world.supervisor.start('reviewer')), withCode('agent.stillRunning'));
    await world.clock.advanceMs(20_000); // looked at again: proved that nothing runs, so the policy applies
    assert.deepEqual([world.agent().record.lifecycle, world.agent().record.generation], ['running', 2]);
  });

  it('adopts, without a second launch, what a launch without an answer did start', async () => {
    const world = new SupervisedWorld();
    await world.run(world.supervisor.begin());
    await world.run(world.supervisor.create(aSpec()));
    world.host.onDidLaunch = () => {
      throw new TmuxError('tmux.timeout', 'new-session');
    };
    await assert.rejects(world.run(world.supervisor.start('reviewer')), withCode('agent.launchUnknown'));
    await world.clock.advanceMs(20_000);
    assert.deepEqual(
      [world.agent().record.lifecycle, world.agent().record.generation, world.launches()],
      ['running', 1, 1],
    );
    assert.ok(world.agent().record.process);
  });

  it('types no first prompt into a dialog that comes up first', async () => {
    const world = new SupervisedWorld();
    await world.run(world.supervisor.begin());
    await world.run(world.supervisor.create(aSpec({ typeId: 'demo', firstPrompt: 'yes' })));
    world.host.onDidLaunch = () => queueMicrotask(() => world.host.simulateScreen(ID, approvalDemo));
    await world.run(world.supervisor.start('reviewer'));
    await world.clock.advanceMs(5_000);
    assert.deepEqual(world.host.pastedTexts(ID), []);
    assert.equal(world.supervisor.promptsOf(ID).queuedPromptCount, 1);
  });

  it('reads an agent whose type comes later, as soon as it comes', async () => {
    const world = new SupervisedWorld();
    await world.run(world.supervisor.begin());
    const { factory } = world.ports();
    world.supervisor = world.make({ factory });
    const manifest = {
      id: 'late',
      label: 'Late',
      command: ['true'],
      screenRules: [{ id: 'r', activity: 'busy', where: 'bottom', pattern: 'working' }],
    };
    world.store.records.set(ID, aRecord({ lifecycle: 'running', generation: 1, spec: aSpec({ typeId: 'late' }) }));
    world.host.simulateHosted({ agentId: ID, generation: 1, folder: '/project', argv: ['true'], env: {} });
    world.host.setScreen(ID, { text: 'working' });
    await world.run(world.supervisor.begin());
    assert.equal(world.agent().record.activity, 'unknown');
    factory.register(manifest);
    await world.clock.advanceMs(10);
    assert.equal(world.agent().record.activity, 'busy');
  });

  it('stops what was started when the caller cancels', async () => {
    const world = new SupervisedWorld();
    await world.run(world.supervisor.begin());
    await world.run(world.supervisor.create(aSpec({ typeId: 'demo' })));
    const abort = new AbortController();
    const start = world.supervisor.start('reviewer', { signal: abort.signal });
    start.catch(() => undefined);
    await world.clock.advanceMs(1_000);
    abort.abort(new Error('cancelled'));
    await assert.rejects(world.run(start), /cancelled/);
    assert.deepEqual([world.agent().record.lifecycle, world.agent().record.desired], ['stopped', 'stopped']);
    assert.deepEqual(world.processes.table, []);
  });

  it('starts nothing while the host is not there', async () => {
    const world = new SupervisedWorld();
    world.host.simulateStatusAtStart({ kind: 'blocked', code: 'tmux.notInstalled', detail: 'no tmux' });
    await world.run(world.supervisor.begin());
    await world.run(world.supervisor.create(aSpec()));
    await assert.rejects(world.run(world.supervisor.start('reviewer')), withCode('agent.hostUnavailable'));
    assert.equal(world.agent().record.lifecycle, 'created');
  });
});

describe('AgentSupervisor: stop', () => {
  it('persists the wish first, asks politely, proves every process gone and removes the terminal', async () => {
    const world = new SupervisedWorld();
    const agent = await world.runningAgent();
    const child = world.processes.add({ parent: agent.record.process!, isSessionLeader: true }); // a tool with setsid
    await world.run(world.supervisor.stop('reviewer'));
    const signals = world.processes.signals.map(({ pid, signal }) => [
      pid === child.pid ? 'program' : 'launch script',
      signal,
    ]);
    assert.deepEqual(signals, [
      ['program', 'SIGHUP'],
      ['launch script', 'SIGTERM'],
    ]);
    assert.deepEqual(world.processes.table, []);
    assert.deepEqual(await world.host.list(), []);
    assert.deepEqual(
      [agent.record.lifecycle, agent.record.desired, agent.record.process],
      ['stopped', 'stopped', undefined],
    );
    assert.equal(world.store.lines.filter((line) => line.reason === 'stop_ordered')[0]?.to.lifecycle, 'running');
  });

  it('kills what ignores HUP and TERM', async () => {
    const world = new SupervisedWorld();
    world.host.shape = { ignores: ['SIGHUP', 'SIGTERM', 'SIGINT'] };
    await world.runningAgent();
    await world.run(world.supervisor.stop('reviewer'));
    assert.deepEqual(
      new Set(world.processes.signals.map(({ signal }) => signal)),
      new Set(['SIGHUP', 'SIGTERM', 'SIGKILL']),
    );
    assert.deepEqual(world.processes.table, []);
    assert.equal(world.agent().record.lifecycle, 'stopped');
  });

  it('says so when not even SIGKILL helps, and never restarts it', async () => {
    const world = new SupervisedWorld();
    world.host.shape = { ignores: ['SIGHUP', 'SIGTERM', 'SIGINT'], isUnkillable: true };
    await world.runningAgent();
    await assert.rejects(world.run(world.supervisor.stop('reviewer')), withCode('agent.killFailed'));
    await world.clock.advanceMs(600_000);
    assert.deepEqual(
      [world.agent().record.lifecycle, world.agent().record.reason, world.launches()],
      ['failed', 'kill_failed', 1],
    );
    assert.ok(world.notices.has('agent.killFailed:reviewer'));
  });

  it('never signals a pid that belongs to somebody else now', async () => {
    const world = new SupervisedWorld();
    const agent = await world.runningAgent();
    const { pid } = agent.record.process!;
    world.processes.table.length = 0;
    const stranger = world.processes.add({ pid, startTime: 'later' });
    await world.run(world.supervisor.stop('reviewer'));
    assert.deepEqual(world.processes.signals, []);
    assert.deepEqual(world.processes.table, [stranger]);
    assert.equal(agent.record.lifecycle, 'stopped');
  });

  it('ends a start that is under way', async () => {
    const world = new SupervisedWorld();
    await world.run(world.supervisor.begin());
    await world.run(world.supervisor.create(aSpec({ typeId: 'demo' })));
    const start = world.supervisor.start('reviewer');
    start.catch(() => undefined);
    await world.clock.advanceMs(500);
    await world.run(world.supervisor.stop('reviewer'));
    await assert.rejects(start, withCode('agent.superseded'));
    await world.clock.advanceMs(600_000);
    assert.deepEqual(
      [world.agent().record.lifecycle, world.launches(), world.processes.table.length],
      ['stopped', 1, 0],
    );
  });

  it('does nothing when the wish cannot be kept', async () => {
    const world = new SupervisedWorld();
    const agent = await world.runningAgent();
    world.store.failure = new Error('disk full');
    await assert.rejects(world.run(world.supervisor.stop('reviewer')), /disk full/);
    assert.deepEqual(
      [agent.record.lifecycle, agent.record.desired, world.processes.signals.length],
      ['running', 'running', 0],
    );
  });

  it('types no quit text into a dialog, and does not wait for an answer to what it did not ask', async () => {
    const world = new SupervisedWorld();
    await world.run(world.supervisor.begin());
    await world.run(world.supervisor.create(aSpec({ typeId: 'demo' })));
    world.host.onDidLaunch = () => queueMicrotask(() => world.host.simulateScreen(ID, approvalDemo));
    await world.run(world.supervisor.start('reviewer'));
    assert.equal(world.agent().record.activity, 'awaiting_approval');
    const orderedAtMs = world.clock.monotonicMs();
    await world.run(world.supervisor.stop('reviewer'));
    assert.ok(world.clock.monotonicMs() - orderedAtMs < 1_000, `took ${world.clock.monotonicMs() - orderedAtMs} ms`);
    assert.deepEqual([world.host.pastedTexts(ID), world.host.pressedKeys(ID)], [[], []]);
    assert.equal(world.agent().record.lifecycle, 'stopped');
  });

  it('calls an agent lost when its processes cannot be looked at', async () => {
    const world = new SupervisedWorld();
    await world.runningAgent();
    world.processes.failure = new Error('no /proc');
    await assert.rejects(world.run(world.supervisor.stop('reviewer')), withCode('agent.stillRunning'));
    assert.equal(world.agent().record.lifecycle, 'lost');
    world.processes.failure = undefined;
    await world.clock.advanceMs(20_000);
    await world.run(world.supervisor.reconcile());
    assert.equal(world.agent().record.lifecycle, 'stopped');
  });
});

describe('AgentSupervisor: other operations', () => {
  it('leaves an agent that ends while it is paused at rest, whatever its restart policy, also after a restart of the engine', async () => {
    for (const restartPolicy of ['on_failure', 'always'] as const) {
      const world = new SupervisedWorld();
      await world.runningAgent({ restartPolicy });
      await world.run(world.supervisor.pause('reviewer'));
      world.host.simulateExit(ID, { code: 1 });
      await world.clock.advanceMs(600_000);
      await world.restart();
      await world.clock.advanceMs(600_000);
      assert.deepEqual([world.agent().record.lifecycle, world.launches()], ['failed', 1], restartPolicy);
      await world.run(world.supervisor.start('reviewer'));
      assert.deepEqual([world.agent().record.lifecycle, world.agent().record.desired], ['running', 'running']);
    }
  });

  it('pauses and resumes without touching the process', async () => {
    const world = new SupervisedWorld();
    const agent = await world.runningAgent();
    await world.run(world.supervisor.pause('reviewer'));
    await world.run(world.supervisor.pause('reviewer'));
    assert.deepEqual([agent.record.lifecycle, agent.record.desired], ['paused', 'paused']);
    await assert.rejects(world.run(world.supervisor.sendPrompt('reviewer', 'x')), withCode('agent.paused'));
    await world.run(world.supervisor.resume('reviewer'));
    assert.deepEqual([agent.record.lifecycle, agent.record.desired, world.launches()], ['running', 'running', 1]);
    await world.run(world.supervisor.stop('reviewer'));
    await assert.rejects(world.run(world.supervisor.resume('reviewer')), withCode('agent.notRunning'));
  });

  it('restarts with a new generation, and only after the old one is gone', async () => {
    const world = new SupervisedWorld();
    const agent = await world.runningAgent();
    await world.run(world.supervisor.restart('reviewer'));
    assert.deepEqual([agent.record.generation, world.launches(), world.processes.table.length], [2, 2, 1]);
    assert.deepEqual(walk(world), ['starting', 'running', 'stopping', 'stopped', 'starting', 'running']);
  });

  it('types text first and the submit key no sooner than 100 ms later', async () => {
    const world = new SupervisedWorld();
    await world.runningAgent();
    world.host.simulateScreen(ID, { foreground: 'bash' });
    const sent = world.supervisor.sendPrompt('reviewer', 'hello');
    while (world.host.pastedTexts(ID).length === 0) await world.clock.advanceMs(1);
    await world.clock.advanceMs(98);
    assert.deepEqual([world.host.pastedTexts(ID), world.host.pressedKeys(ID)], [['hello'], []]);
    await world.clock.advanceMs(2);
    assert.equal((await sent).reason, 'no_evidence_possible');
    assert.deepEqual(world.host.pressedKeys(ID), ['Enter']);
  });

  it('refuses prompts that would answer a dialog, even one that has only just come up', async () => {
    const world = new SupervisedWorld();
    await world.run(world.supervisor.begin());
    await world.run(world.supervisor.create(aSpec({ typeId: 'demo' })));
    world.host.onDidLaunch = () => queueMicrotask(() => world.host.simulateScreen(ID, idleDemo));
    await world.run(world.supervisor.start('reviewer'));
    world.host.setScreen(ID, approvalDemo); // not settled yet
    await assert.rejects(world.run(world.supervisor.sendPrompt('reviewer', 'yes')), withCode('agent.dialogOpen'));
    assert.deepEqual([world.host.pastedTexts(ID), world.host.pressedKeys(ID)], [[], []]);
  });

  it('refuses prompts for agents that do not run or cannot be typed into', async () => {
    const world = new SupervisedWorld();
    await world.run(world.supervisor.begin());
    world.commands.add('aider');
    const aider = await world.run(world.supervisor.create(aSpec({ name: 'C', typeId: 'aider' })));
    await assert.rejects(world.run(world.supervisor.sendPrompt('c', 'x')), withCode('agent.notRunning'));
    await world.run(world.supervisor.start(aider.id));
    await assert.rejects(world.run(world.supervisor.sendPrompt('c', 'x')), withCode('agent.notAllowed'));
    assert.equal(aider.record.activity, 'unknown');
  });

  it('ends a prompt when the agent ends under it', async () => {
    const world = new SupervisedWorld();
    await world.runningAgent({ restartPolicy: 'never' });
    world.host.simulateScreen(ID, { foreground: 'bash' });
    const early = world.supervisor.sendPrompt('reviewer', 'hello');
    const late = world.supervisor.sendPrompt('reviewer', 'hello again');
    const ends = Promise.all([
      assert.rejects(early, withCode('agent.deliveryUnknown')),
      assert.rejects(late, withCode('agent.notRunning')),
    ]);
    while (world.host.pastedTexts(ID).length === 0) await world.clock.advanceMs(1);
    world.host.simulateExit(ID, { code: 1 });
    await world.run(ends);
    await world.clock.advanceMs(0);
    assert.equal(world.agent().record.lifecycle, 'failed');
  });

  it('renames without changing the id, and refuses taken and bad names', async () => {
    const world = new SupervisedWorld();
    const agent = await world.runningAgent();
    await world.run(world.supervisor.create(aSpec({ name: 'Other' })));
    await assert.rejects(world.run(world.supervisor.rename('reviewer', 'other')), withCode('agent.nameTaken'));
    await assert.rejects(world.run(world.supervisor.rename('reviewer', 'a\u202eb')), withCode('agent.invalidSpec'));
    await world.run(world.supervisor.rename('reviewer', 'Critic'));
    assert.deepEqual([agent.id, agent.record.spec.name, agent.record.lifecycle], ['reviewer', 'Critic', 'running']);
  });

  it('gives an agent that does not run another spec, checked like a new one', async () => {
    const world = new SupervisedWorld();
    const agent = await world.runningAgent();
    const respecify = (spec: object) => world.run(world.supervisor.respecify('reviewer', { ...aSpec(), ...spec }));
    await assert.rejects(respecify({ args: ['-x'] }), withCode('agent.stillRunning'));
    await world.run(world.supervisor.stop('reviewer'));
    await assert.rejects(respecify({ typeId: 'nope' }), withCode('agent.unknownType'));
    await assert.rejects(respecify({ folder: 'relative' }), withCode('agent.invalidSpec'));
    await respecify({ args: ['-x'], firstPrompt: 'go' });
    await world.run(world.supervisor.start('reviewer'));
    world.host.simulateScreen(ID, { foreground: 'bash' });
    await world.clock.advanceMs(3_000);
    assert.deepEqual(world.host.launchedSpecs()[1]?.argv, ['/bin/bash', '-x']);
    assert.deepEqual([agent.id, agent.record.lifecycle, world.host.pastedTexts(ID)], ['reviewer', 'running', ['go']]);
  });

  it('is spoken of in words, not in codes and milliseconds, while it waits for its restart', async () => {
    const world = new SupervisedWorld();
    const agent = await world.runningAgent({ restartPolicy: 'on_failure' });
    world.host.simulateExit(ID, { code: 1 });
    await world.clock.advanceMs(10);
    assert.match(agent.record.evidence[0]?.detail ?? '', /^restart 1 of 5 in [01]\.\d s$/);
    assert.match(world.supervisor.explain(ID).conclusion, /^It is waiting to restart \(restart planned\): /);
    await assert.rejects(
      world.run(world.supervisor.remove('reviewer')),
      /reviewer is waiting to restart: stop it first/,
    );
  });

  it('removes only ended agents, forgets what may be secret, and never gives the id away again', async () => {
    const world = new SupervisedWorld();
    await world.runningAgent({ env: { TOKEN: 'secret' }, firstPrompt: 'secret' });
    await assert.rejects(world.run(world.supervisor.remove('reviewer')), withCode('agent.stillRunning'));
    const removed: string[] = [];
    world.supervisor.registry.onDidRemove((record) => removed.push(record.lifecycle));
    await world.run(world.supervisor.remove('reviewer', { stopFirst: true }));
    assert.deepEqual([removed, world.supervisor.registry.size, world.processes.table.length], [['retired'], 0, 0]);
    await world.clock.advanceMs(0);
    assert.ok(
      !JSON.stringify([world.store.records.get(ID), ...world.deliveries.deliveries.values()]).includes('secret'),
    );
    assert.equal((await world.run(world.supervisor.create(aSpec()))).id, 'reviewer-2');
    await world.restart();
    assert.equal((await world.run(world.supervisor.create(aSpec({ name: 'reviewer 3' })))).id, 'reviewer-3');
    assert.equal(
      (
        await world.run(
          world.supervisor.remove('reviewer-3').then(() => world.supervisor.create(aSpec({ name: 'Reviewer!' }))),
        )
      ).id,
      'reviewer-4',
    );
  });

  it('after detach agents keep running and every call is refused', async () => {
    const world = new SupervisedWorld();
    await world.runningAgent();
    await world.run(world.supervisor.detach());
    await world.run(world.supervisor.detach());
    assert.equal(world.processes.table.length, 1);
    await assert.rejects(
      async () => world.supervisor.stop('reviewer'),
      (error) => error instanceof OrchestratorError,
    );
    await world.clock.advanceMs(600_000);
    assert.deepEqual([world.clock.pendingCount, world.host.listenerCount, world.host.listenerFailures], [0, 0, []]);
  });
});
