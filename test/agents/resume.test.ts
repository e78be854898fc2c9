import { strict as assert } from 'node:assert';
import { AgentError } from '../../src/core/agents/agentErrors';
import { eventually } from '../support/eventually';
import { requireTmux } from '../support/tmuxServer';
import { AgentWorld, READY_MS } from './agentWorld';
import { CLIS, requireCli } from './cliSetup';

for (const cli of CLIS) {
  describe(`Resuming ${cli}`, function () {
    this.timeout(300_000);
    let world: AgentWorld;

    before(async function () {
      requireTmux(this);
      requireCli(this, cli);
      world = await AgentWorld.open(cli);
    });
    after(() => world?.dispose());

    it('goes on with the same conversation after kill -9 in a turn, and says what was lost', async () => {
      const id = await world.start();
      await world.ask(id, 'Remember the word heliotrope. [[reply: noted]]');
      await world.shows(id, 'idle', 30_000);
      await world.ask(id, 'Work on. [[slow: 30]]');
      await world.shows(id, 'busy', 10_000);
      for (const pid of world.processes()) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // it ended with its parent
        }
      }
      await eventually('it has ended', () => world.view(id).lifecycle === 'failed', { timeoutMs: 15_000 });
      assert.equal(world.view(id).isResumable, true);
      const report = await world.engine.resumeSession(id);
      assert.match(report.losses.join('\n'), /interrupted/);
      await world.shows(id, 'idle', READY_MS);
      const question = 'Which word was it? [[reply: that one]]';
      const receipt = await world.engine.sendPrompt(id, question);
      assert.equal(receipt.state, 'acknowledged');
      const { conversation } = await world.model.request(
        'the next turn',
        (request) => request.conversation.message.trim() === question,
        READY_MS,
      );
      assert.match(conversation.userTexts.join('\n'), /heliotrope/);
      await world.shows(id, 'idle', 30_000);
      await world.engine.removeAgent(id);
    });

    it('is refused before anything was said', async () => {
      const id = await world.start('silent');
      await world.engine.stopAgent(id);
      await assert.rejects(world.engine.resumeSession(id), (error) => AgentError.is(error, 'agent.cannotResume'));
      assert.equal(world.view(id).lifecycle, 'stopped');
    });
  });
}
