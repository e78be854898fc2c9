// Once for each: claude, codex, gemini, opencode
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import type { AgentId } from '../../src/core/agents/agent';
import { eventually } from '../support/eventually';
import { requireTmux } from '../support/tmuxServer';
import { trials, trialSize } from '../support/trials';
import { AgentWorld, READY_MS } from './agentWorld';
import { CLIS, requireCli } from './cliSetup';

for (const cli of CLIS) {
  // Resuming after a kill is in resume.test.ts, answering requests from outside in approvals.test.ts.
  describe(`The life of ${cli}`, function () {
    this.timeout(trialSize === 'smoke' ? 300_000 : 7200_000);
    let world: AgentWorld;

    before(async function () {
      requireTmux(this);
      requireCli(this, cli);
      world = await AgentWorld.open(cli);
    });
    after(() => world?.dispose());

    /** At once: what has answered that it stopped has proved it. Processes are told by their home and folder, whoever started them when. */
    function assertNothingLeft(what: string, left: readonly number[]): void {
      assert.deepEqual(left.map(describeProcess), [], `${what}: processes are left`);
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
      await eventually('the command runs', () => world.processes().some((pid) => commandOf(pid) === 'sleep 300'));
    }

    it(`R17 stop, restart and remove of ${cli}, idle and with a running tool, leave 0 processes`, async () => {
      // Every other one with a tool, three starts each: in `npm test` one of each for every program, four of each in all; else twenty for every one.
      const rounds = trials(2, 40, 40);
      for (let round = 0; round < rounds; round++) {
        const isToolRunning = round % 2 === 1;
        const id = await world.start(`worker ${round}`);
        const act = async (what: string, work: () => Promise<void>, isOver: (pid: number) => boolean) => {
          if (isToolRunning) await runTool(id);
          const before = world.processes();
          assert.ok(before.length > 0, 'the test sees the processes of the agent');
          await work();
          const left = world.processes().filter((pid) => before.includes(pid) || isOver(pid));
          assertNothingLeft(`${what}, ${isToolRunning ? 'a tool running' : 'idle'}`, left);
        };
        await act(
          'restart',
          () => world.engine.restartAgent(id),
          (pid) => world.generationOf(pid) === 1, // another run lives by now
        );
        await world.shows(id, 'idle', READY_MS);
        await act('stop', () => world.engine.stopAgent(id), EVERY);
        await world.engine.startExisting(id);
        await world.shows(id, 'idle', READY_MS);
        await act('remove', () => world.engine.removeAgent(id), EVERY);
      }
    });
  });
}

const QUESTION = /Do you want to proceed|Would you like to run|Allow execution|Permission required/;
const EVERY = (): boolean => true;

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim();
  } catch {
    return ''; // gone meanwhile
  }
}

function describeProcess(pid: number): string {
  return `${pid}: ${commandOf(pid).slice(0, 200)}`;
}
