// Once for each: claude, codex, gemini, opencode
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
  // Resuming after a kill is in resume.test.ts, answering requests from outside in approvals.test.ts.
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
  });
}

const QUESTION = /Do you want to proceed|Would you like to run|Allow execution|Permission required/;
