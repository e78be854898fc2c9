import assert from 'node:assert/strict';
import type { AgentChange } from '../../../../src/core/agents/agent';
import { createKeptValidator } from '../../../../src/core/keptRules';
import { orderEvidence, pauseEvidence, withOrder } from '../../../../src/core/agents/orderEvidence';
import { agentId } from '../../../support/builders';
import { SupervisedWorld } from '../../../support/supervisedWorld';

const ID = agentId('reviewer');

const saidOf = ({ evidence }: Pick<AgentChange, 'evidence'>): readonly string[] =>
  evidence.map(({ source, detail }) => `${source}: ${detail}`);

describe('evidence of orders', () => {
  it('stands at every line of a whole life, and is never merely that of the line before', async () => {
    const world = new SupervisedWorld();
    const { supervisor } = world;
    await world.runningAgent();
    await world.run(supervisor.pause(ID));
    await world.run(supervisor.resume(ID));
    await world.run(supervisor.rename(ID, 'Tester'));
    await world.run(supervisor.restart(ID));
    await world.run(supervisor.stop(ID));
    await world.run(supervisor.start(ID));
    for (let crash = 0; world.agent().record.lifecycle !== 'quarantined' && crash < 10; crash++) {
      world.host.simulateExit(ID, { code: 1 });
      await world.clock.advanceMs(60_000);
    }
    await world.run(supervisor.release(ID));
    await world.run(supervisor.stop(ID));
    await world.run(supervisor.remove(ID));
    const { lines } = world.store;
    const gone = new Set(lines.map(({ to }) => to.lifecycle));
    for (const lifecycle of ['created', 'starting', 'running', 'paused', 'stopping', 'stopped', 'failed', 'backoff', 'quarantined', 'retired'] as const)
      assert.ok(gone.has(lifecycle), lifecycle); // prettier-ignore
    const validator = createKeptValidator(world.clock);
    for (const [index, line] of lines.entries()) {
      const where = `line ${index}: ${line.from.lifecycle} → ${line.to.lifecycle} (${line.reason})`;
      assert.ok(line.evidence.length > 0, where);
      assert.notDeepEqual(saidOf(line), index === 0 ? [] : saidOf(lines[index - 1] ?? line), where);
      assert.deepEqual(validator.validate('agentChange', line).problems, [], where);
    }
    const told = (reason: string): string | undefined => {
      const line = lines.find((one) => one.reason === reason && one.from.lifecycle !== one.to.lifecycle);
      return line && saidOf(line)[0];
    };
    assert.deepEqual(['pause_ordered', 'resume_ordered', 'removed'].map(told), [
      'person: paused by a person',
      'person: resumed by a person',
      'person: removed by a person',
    ]);
    assert.equal(saidOf(lines[0] as AgentChange)[0], 'person: created by a person');
  });

  it('names the pause in the explanation, whatever the agent does meanwhile, until it is resumed', async () => {
    const world = new SupervisedWorld();
    const idle = { text: '────\n› \n────\n  enter to send · /exit to quit' };
    const busy = { text: '• Working (2s • esc to interrupt)\n────\n› \n────\n  enter to send · /exit to quit' };
    world.host.onDidLaunch = () => world.host.simulateScreen(ID, idle);
    await world.runningAgent({ typeId: 'demo' });
    await world.clock.advanceMs(1_000);
    await world.run(world.supervisor.pause(ID));
    const conclusion = (): string => world.supervisor.explain(ID).conclusion;
    const PAUSED = /^It is paused by a person: nothing is delivered to it until it is resumed\. It is idle: /;
    assert.match(conclusion(), PAUSED);
    world.host.simulateScreen(ID, busy);
    await world.clock.advanceMs(5_000);
    assert.equal(world.agent().record.activity, 'busy');
    assert.match(conclusion(), /^It is paused by a person: .* It is busy: /);
    await world.restart();
    await world.clock.advanceMs(1_000);
    assert.equal(world.agent().record.lifecycle, 'paused');
    assert.match(conclusion(), /^It is paused by a person: /);
    assert.equal(pauseEvidence(world.agent().record.evidence).length, 1);
    await world.run(world.supervisor.resume(ID));
    assert.doesNotMatch(conclusion(), /paused/);
  });

  it('leaves a failed agent that is stopped how its run ended', async () => {
    const world = new SupervisedWorld();
    await world.runningAgent({ restartPolicy: 'never' });
    world.host.simulateExit(ID, { code: 3 });
    await world.clock.advanceMs(1_000);
    await world.run(world.supervisor.stop(ID));
    const { lifecycle, evidence } = world.agent().record;
    assert.equal(lifecycle, 'stopped');
    assert.deepEqual(saidOf({ evidence }).slice(0, 2), ['person: stopped by a person', 'exit_file: ended: code 3']);
  });

  it('keeps one order beside what else is known, and does not pile up', () => {
    const screen = { source: 'screen', detail: 'empty box', observedAtMs: 1 } as const;
    const paused = withOrder(orderEvidence('paused', 'person', 2))([screen]);
    assert.deepEqual(pauseEvidence(paused), [{ source: 'person', detail: 'paused by a person', observedAtMs: 2 }]);
    const resumed = withOrder(orderEvidence('resumed', 'policy', 3))(paused);
    assert.deepEqual(saidOf({ evidence: resumed }), ['policy: resumed by the restart policy', 'screen: empty box']);
    const many = Array.from({ length: 20 }, () => screen);
    assert.equal(withOrder(orderEvidence('stop ordered', 'tester', 4))(many).length, 8);
    const spoofed = { source: 'screen', detail: 'paused by a person', observedAtMs: 1 } as const;
    assert.deepEqual(pauseEvidence([spoofed]), []);
  });
});
