// Runs alone: how soon a state is known is measured.
import { strict as assert } from 'node:assert';
import type { AgentId } from '../../src/core/agents/agent';
import type { Activity } from '../../src/core/agents/agentState';
import { eventually } from '../support/eventually';
import { requireTmux } from '../support/tmuxServer';
import { trialSize } from '../support/trials';
import { AgentWorld } from './agentWorld';
import { CLIS, type Cli, requireCli } from './cliSetup';

/**
 * From what happens to the state that says so. What happens is seen outside of the product: the model has the request or has ended
 * its answer, the question is drawn, the key is pressed. How long the program itself takes until then does not count.
 */
const LIMIT_MS = 1_000;

/** What a program shows after the model's provider says that the plan is used up. */
const AT_LIMIT: Readonly<Record<Cli, readonly Activity[]>> = {
  claude: ['rate_limited', 'error'],
  codex: ['rate_limited', 'error'],
  gemini: ['awaiting_input', 'rate_limited'], // it asks whether to go on
  opencode: ['rate_limited', 'error'],
};

for (const cli of CLIS) {
  describe(`The state of ${cli}`, function () {
    this.timeout(180_000);
    let world: AgentWorld;
    let id: AgentId;

    before(async function () {
      requireTmux(this);
      requireCli(this, cli);
      world = await AgentWorld.open(cli);
      id = await world.start('worker', { retries: 4 });
      // The first request of a process may take a program many seconds.
      await world.ask(id, 'Say hello. [[reply: Hello]]');
      await world.shows(id, 'idle', 60_000);
    });
    after(() => world?.dispose());

    async function within(what: string, activity: Activity | readonly Activity[]): Promise<void> {
      const tookMs = await world.shows(id, activity, 10_000);
      assert.ok(tookMs <= LIMIT_MS, `${what}: known after ${Math.round(tookMs)} ms`);
    }

    async function interrupt(): Promise<void> {
      await world.keys(id, 'Escape');
      if (cli === 'opencode') {
        await eventually('it asks for a second press', async () => /again to interrupt/.test(await world.screen(id)));
        await world.keys(id, 'Escape');
      }
    }

    it(`is busy while ${cli} answers, and idle within 1 s of the end`, async () => {
      await world.ask(id, 'Stream. [[slow: 2]]');
      await within('the beginning', 'busy');
      await eventually('the answer is over', () => world.model.requests.at(-1)?.end, { timeoutMs: 20_000 });
      await within('the end', 'idle');
    });

    it(`is idle within 1 s of Esc while ${cli} streams`, async () => {
      await world.ask(id, 'Stream for long. [[slow: 30]]');
      await world.shows(id, 'busy');
      await eventually('it streams', async () => (await world.screen(id)).includes('part 5'), { timeoutMs: 10_000 });
      await interrupt();
      await within('Esc', 'idle');
    });

    it(`waits for approval within 1 s of the question of ${cli}; allowed in the terminal it works; Esc in the tool ends that`, async () => {
      await world.ask(id, 'Build it. [[sudo: mkdir -p made && sleep 30]]');
      await eventually('the question is drawn', async () => QUESTION.test(await world.screen(id)), {
        timeoutMs: 10_000,
      });
      await within('the question', 'awaiting_approval');
      await world.keys(id, 'Enter');
      await within('allowed', 'busy');
      await new Promise((resolve) => setTimeout(resolve, 1_500)); // the command runs
      assert.equal(world.view(id).activity, 'busy');
      await interrupt();
      await within('Esc in the tool', 'idle');
    });

    it(`is idle within 1 s after a request of ${cli} was denied in the terminal`, async () => {
      await world.ask(id, 'Build more. [[sudo: mkdir -p made/more && sleep 30]]');
      await eventually('the question is drawn', async () => QUESTION.test(await world.screen(id)), {
        timeoutMs: 10_000,
      });
      await world.shows(id, 'awaiting_approval', 10_000);
      await world.keys(id, 'Escape');
      await within('denied', 'idle');
    });

    it(`is an error within 1 s of the last answer to ${cli}`, async () => {
      await world.ask(id, 'Fail. [[error: 400]]');
      if (cli === 'opencode') {
        // It takes this for an error that passes and tries again for ever: it works until it is stopped.
        await within('the retry', ['busy', 'rate_limited']);
        await eventually('it says that it tries again', async () => /retrying/.test(await world.screen(id)), {
          timeoutMs: 10_000,
        });
        assert.ok(['busy', 'rate_limited'].includes(world.view(id).activity), world.view(id).activity);
        await interrupt();
        await world.shows(id, ['idle', 'error'], 10_000);
      } else await within('the error', 'error');
      await world.ask(id, 'Go on. [[reply: Well]]');
      await world.shows(id, 'idle', 20_000);
    });

    // Programs wait longer and longer between their tries: the second status is left to the larger sizes.
    for (const status of trialSize === 'smoke' ? [429] : [429, 529]) {
      it(`never calls ${cli} idle while it tries again after ${status}`, async () => {
        await world.ask(id, `Overloaded ${status}. [[error: ${status} x2]][[reply: At last]]`);
        const seen = new Set<Activity>();
        await eventually(
          'the answer after all',
          () => {
            seen.add(world.view(id).activity);
            return world.model.requests.at(-1)?.turn === 'answer';
          },
          { timeoutMs: 60_000 },
        );
        assert.ok(!seen.has('idle'), [...seen].join(', '));
        await world.shows(id, 'idle', 20_000);
      });
    }

    it(`knows within 1 s that the usage of ${cli} is used up`, async () => {
      await world.ask(id, 'Too much. [[limit]]');
      await within('the limit', AT_LIMIT[cli]);
    });

    it(`knows within 1 s that ${cli} was killed`, async () => {
      const { pid } = world.view(id);
      assert.ok(pid !== undefined);
      process.kill(pid, 'SIGKILL');
      const beganMs = performance.now();
      await eventually('its end', () => world.view(id).lifecycle === 'failed');
      assert.ok(performance.now() - beganMs <= LIMIT_MS);
    });
  });
}

const QUESTION = /Do you want to proceed|Would you like to run|Allow execution|Permission required/;
