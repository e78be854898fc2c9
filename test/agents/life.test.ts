import { strict as assert } from 'node:assert';
import type { AgentId } from '../../src/core/agents/agent';
import { eventually } from '../support/eventually';
import { requireTmux } from '../support/tmuxServer';
import { trials, trialSize } from '../support/trials';
import { AgentWorld, READY_MS } from './agentWorld';
import { CLIS, requireCli } from './cliSetup';

/** Processes are looked for until there are none, this long: what ends by itself a moment later is no orphan. */
const ORPHAN_MS = 4_000;

for (const cli of CLIS) {
  describe(`The life of ${cli}`, function () {
    this.timeout(trialSize === 'smoke' ? 240_000 : 3600_000);
    let world: AgentWorld;

    before(async function () {
      requireTmux(this);
      requireCli(this, cli);
      world = await AgentWorld.open(cli);
    });
    after(() => world?.dispose());

    async function assertNothingLeft(what: string, pids: readonly number[]): Promise<void> {
      const left = (): readonly number[] => world.processes().filter((pid) => pids.includes(pid));
      await eventually(`${what}: no process is left`, () => left().length === 0, { timeoutMs: ORPHAN_MS }).catch(() => {
        assert.fail(`${what}: ${left().length} processes are left`);
      });
    }

    async function runTool(id: AgentId): Promise<void> {
      await world.ask(id, 'Run it. [[sudo: mkdir -p made && sleep 300]]');
      // A hook tells of the question before it is drawn; a key that comes between is lost.
      await eventually('the question is drawn', async () => QUESTION.test(await world.screen(id)), {
        timeoutMs: 20_000,
      });
      await world.shows(id, 'awaiting_approval', 20_000);
      await world.keys(id, 'Enter');
      await world.shows(id, 'busy');
      await eventually('the command runs', () => world.processes().length > 1);
    }

    it(`R17 stop, restart and remove of ${cli}, idle and with a running tool, leave 0 processes`, async () => {
      const rounds = trials(2, 20, 20);
      for (let round = 0; round < rounds; round++) {
        const isToolRunning = round % 2 === 1;
        const id = await world.start(`worker ${round}`);
        const act = async (what: string, work: () => Promise<void>): Promise<void> => {
          if (isToolRunning) await runTool(id);
          const pids = world.processes();
          assert.ok(pids.length > 0, 'the test sees the processes of the agent');
          await work();
          await assertNothingLeft(`${what}, ${isToolRunning ? 'a tool running' : 'idle'}`, pids);
        };
        await act('restart', () => world.engine.restartAgent(id));
        await world.shows(id, 'idle', READY_MS);
        await act('stop', () => world.engine.stopAgent(id));
        await world.engine.startExisting(id);
        await world.shows(id, 'idle', READY_MS);
        await act('remove', () => world.engine.removeAgent(id));
        assert.equal(world.processes().length, 0);
      }
    });

    // What follows is proved at every size by resume.test.ts and approvals.test.ts; here once more, in other ways.
    if (trialSize === 'smoke') return;

    it(`resumes the same conversation of ${cli} after a kill, by its id`, async () => {
      const id = await world.start('talker');
      const word = `parsnip-${process.pid}`;
      await world.engine.sendPrompt(id, `Remember ${word}. [[reply: I will]]`);
      await world.shows(id, 'idle', 60_000);
      const { pid } = world.view(id);
      assert.ok(pid !== undefined);
      process.kill(pid, 'SIGKILL');
      await eventually('its end', () => world.view(id).lifecycle === 'failed');
      assert.ok(world.view(id).isResumable);
      const { sessionId } = await world.engine.resumeSession(id);
      assert.match(sessionId, /\S/);
      await world.shows(id, 'idle', READY_MS);
      await world.engine.sendPrompt(id, 'What did I say?');
      const asked = await world.model.request(
        'the next turn',
        ({ conversation }) => conversation.message.trim() === 'What did I say?',
        60_000,
      );
      assert.equal(asked.conversation.userTexts.filter((text) => text.includes(word)).length, 1);
      await world.engine.removeAgent(id);
    });

    it(`an allowed request of ${cli} is carried out, a denied one is not, from outside its terminal`, async () => {
      const id = await world.start('asker');
      const answer = async (kind: 'allow' | 'deny', file: string): Promise<string> => {
        const asked = world.model.requests.length;
        await world.ask(id, `Make ${file}. [[sudo: mkdir -p ${file}]]`);
        // Where the answer is a key, it can be given once the dialog is drawn.
        const request = await eventually(
          'a request that can be answered',
          () => {
            const open = world.view(id).request;
            return open && (kind === 'allow' ? open.canAllow : open.canDeny) ? open : undefined;
          },
          { timeoutMs: 20_000 },
        ).catch((error: unknown) => {
          throw new Error(`${String(error)} ${JSON.stringify(world.view(id))}`);
        });
        assert.match(request.detail, new RegExp(file));
        await world.engine.answerRequest(id, request.id, { kind });
        await world.shows(id, 'idle', 20_000);
        await assert.rejects(world.engine.answerRequest(id, request.id, { kind }), { code: 'agent.requestGone' });
        const results = world.model.requests.slice(asked).flatMap(({ conversation }) => conversation.lastResult ?? []);
        return results.join('\n');
      };
      await answer('allow', 'allowed');
      await answer('deny', 'forbidden');
      const made = world.folders();
      assert.ok(made.includes('allowed'), made.join());
      assert.ok(!made.includes('forbidden'), made.join());
      await world.engine.removeAgent(id);
    });
  });
}

const QUESTION = /Do you want to proceed|Would you like to run|Allow execution|Permission required/;
