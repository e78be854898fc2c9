import assert from 'node:assert/strict';
import { ServerLossNotice } from '../../../src/core/serverLossNotice';
import type { AlertNotice } from '../../../src/core/monitoring/alertSink';
import { aSpec } from '../../support/builders';
import { SupervisedWorld } from '../../support/supervisedWorld';

describe('the notice that tmux has ended', () => {
  async function createFixture(...policies: readonly ('never' | 'on_failure' | undefined)[]) {
    const world = new SupervisedWorld();
    const { host, clock, supervisor } = world;
    const told: AlertNotice[] = [];
    const notices = { raise: (notice: AlertNotice) => void told.push(notice), resolve: () => undefined };
    const notice = new ServerLossNotice({ host, registry: supervisor.registry, notices, clock });
    await world.run(supervisor.begin());
    for (const [index, restartPolicy] of policies.entries()) {
      const agent = await world.run(
        supervisor.create(aSpec({ name: `Agent ${index}`, ...(restartPolicy && { restartPolicy }) })),
      );
      await world.run(supervisor.start(agent.id));
    }
    const titles = (): readonly string[] => told.map(({ level, title }) => `${level} ${title}`);
    return { world, host, clock, notice, told, titles };
  }

  it('says once how many agents lost their run, and how many are started again', async () => {
    const { host, clock, notice, told, titles } = await createFixture(undefined, 'on_failure', 'never');
    host.simulateServerLoss();
    await clock.advanceMs(500);
    assert.equal(told.length, 0, 'it is told when it is known what follows');
    host.simulateServerReturn();
    await clock.advanceMs(5_000);
    assert.deepEqual(titles(), [
      'error tmux ended unexpectedly: 3 agents lost their run; 2 are started again by their restart policy',
    ]);
    assert.match(told[0]?.detail ?? '', /^Agent 0, Agent 1, Agent 2\. Where a conversation cannot be resumed/);
    await clock.advanceMs(60_000);
    assert.equal(told.length, 1);
    notice.dispose();
  });

  it('is not raised where nobody lost a run, where one ends by itself, or where a person ended it', async () => {
    const { world, host, clock, notice, told } = await createFixture('never', 'never');
    host.simulateExit(world.agent('agent-0').id, { code: 1 });
    host.simulateConnectionLoss();
    host.simulateServerReturn();
    await clock.advanceMs(5_000);
    await world.run(world.supervisor.stop(world.agent('agent-1').id));
    host.simulateServerLoss();
    host.simulateServerReturn();
    await clock.advanceMs(5_000);
    assert.deepEqual(told, []);
    notice.dispose();
  });
});
