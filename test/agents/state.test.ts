// Runs alone: how soon a state is known is measured.
// Once for each: gemini, opencode, codex, claude
import { strict as assert } from 'node:assert';
import type { AgentId } from '../../src/core/agents/agent';
import type { Activity } from '../../src/core/agents/agentState';
import type { AgentType, Unseen } from '../../src/core/agents/agentType';
import { builtInTypes } from '../../src/core/agents/builtInTypes';
import { eventually } from '../support/eventually';
import { notRun } from '../support/notRun';
import { requireTmux } from '../support/tmuxServer';
import { sizedMs, trialSize } from '../support/trials';
import { AgentWorld } from './agentWorld';
import { CLIS, type Cli, requireCli, TYPE_IDS } from './cliSetup';

/**
 * From what happens to the state that says so. What happens is seen outside of the product: the model has the request or has ended
 * its answer, the screen shows the question or the retry, the key is pressed. How long the program itself takes until then does not count.
 * A second; 2.5 s in `npm test`, where the suite in the extension host runs beside and gets the processors, too. `npm run verify` is strict.
 */
const LIMIT_MS = sizedMs(2_500, 1_000, 1_000);
/** In the titles: what the size asserts. */
const LIMIT = LIMIT_MS / 1000;
const MINUTE_MS = 60_000;

type Shown = Readonly<Record<Cli, readonly Activity[]>>;

function all(...activities: readonly Activity[]): Shown {
  return { claude: activities, codex: activities, gemini: activities, opencode: activities };
}

/**
 * What must be right in time although no hook tells it: each situation, and what each program's agent shows then. The end by
 * `kill -9` is a lifecycle, not an activity, and has its own test. Where a program cannot be seen to do something, its manifest says so (`unseen`).
 */
const SHOWS = {
  'Esc while it streams': all('idle'),
  'Esc in a tool': all('idle'),
  'a question': all('awaiting_approval'),
  'allowed in the terminal': all('busy'),
  'denied in the terminal': all('idle'),
  'a final API error': all('error'),
  'a retry after a rate limit': all('rate_limited'),
  'a retry after an overload': all('rate_limited'),
  // Gemini asks whether to go on.
  'a usage limit': { ...all('rate_limited'), gemini: ['awaiting_input'] },
  // All say that they failed; Claude Code's message and its hook also name the limit as the reason.
  'given up on a rate limit': { ...all('error'), claude: ['rate_limited'] },
  'given up on an overload': all('error'),
} satisfies Readonly<Record<string, Shown>>;
type Situation = keyof typeof SHOWS;

/** How often gemini tries before it begins to count again, or asks whether to go on. */
const GEMINI_TRIES = 10;

const QUESTION = /Do you want to proceed|Would you like to run|Allow execution|Permission required/;
/** Drawn while it tries again. Gemini draws nothing. */
const RETRYING: Readonly<Record<Cli, RegExp>> = {
  claude: /Retrying in/,
  codex: /[Rr]econnecting/,
  gemini: /(?!)/,
  opencode: /retrying/,
};
/**
 * How often in a row: fewer than make it give up, enough that it says so. Claude Code gives up on the third overload; Codex says
 * nothing of an overload before its fifth request.
 */
const FAILURES: Readonly<Record<Cli, { readonly rateLimit: number; readonly overload: number }>> = {
  claude: { rateLimit: 2, overload: 2 },
  codex: { rateLimit: 3, overload: 8 },
  gemini: { rateLimit: 2, overload: 2 },
  opencode: { rateLimit: 2, overload: 2 },
};
/** The status with which each one's provider says that it is overloaded. */
const OVERLOAD: Readonly<Record<Cli, number>> = { claude: 529, codex: 503, gemini: 503, opencode: 503 };
/** Drawn while it has not given up. */
const WORKING: Readonly<Record<Cli, RegExp>> = {
  claude: /esc to interrupt/,
  codex: /esc to interrupt/,
  gemini: /\(esc to cancel/,
  opencode: /esc (again to )?interrupt/,
};

function typeOf(cli: Cli): AgentType {
  const type = builtInTypes().find(({ id }) => id === TYPE_IDS[cli]);
  assert.ok(type);
  return type;
}

for (const cli of CLIS) {
  describe(`The state of ${cli}`, function () {
    this.timeout(3 * MINUTE_MS);
    const delays: string[] = [];
    let world: AgentWorld;
    let id: AgentId;

    before(async function () {
      requireTmux(this);
      requireCli(this, cli);
      world = await AgentWorld.open(cli);
      id = await world.start('worker', { retries: 4 });
      // The first request of a process may take a program many seconds.
      await world.ask(id, 'Say hello. [[reply: Hello]]');
      await world.shows(id, 'idle', MINUTE_MS);
    });
    after(async () => {
      if (delays.length > 0) console.log(`      ${cli}, known after: ${delays.join('; ')}`);
      await world?.dispose();
    });

    async function within(what: string, activity: Activity | readonly Activity[], agent = id): Promise<void> {
      const tookMs = await world.shows(agent, activity, 10_000);
      delays.push(`${what} ${Math.round(tookMs)} ms`);
      assert.ok(tookMs <= LIMIT_MS, `${what}: known after ${Math.round(tookMs)} ms`);
    }

    const isKnown = (situation: Situation): Promise<void> => within(situation, SHOWS[situation][cli]);

    async function interrupt(): Promise<void> {
      await world.keys(id, 'Escape');
      if (cli === 'opencode') {
        await eventually('it asks for a second press', async () => /again to interrupt/.test(await world.screen(id)));
        await world.keys(id, 'Escape');
      }
    }

    const draws = (what: string, pattern: RegExp, timeoutMs = 20_000): Promise<unknown> =>
      eventually(what, async () => pattern.test(await world.screen(id)), { timeoutMs, everyMs: 20 });

    /** Every activity that is shown from now until it is called. */
    function watchActivities(agent = id): () => ReadonlySet<Activity> {
      const seen = new Set<Activity>([world.view(agent).activity]);
      const watch = world.engine.onDidChangeAgent(({ view }) => {
        if (view?.id === agent) seen.add(view.activity);
      });
      return () => {
        watch.dispose();
        return seen;
      };
    }

    /** That it tries again is told, and it is never called idle before it has its answer. */
    async function triesAgain(situation: Situation, status: number, unseen: Unseen): Promise<void> {
      const count = FAILURES[cli][unseen === 'rate_limit_retry' ? 'rateLimit' : 'overload'];
      await world.ask(id, `Fail ${status}. [[error: ${status} x${count}]][[reply: At last]]`);
      const end = watchActivities();
      const isUnseen = typeOf(cli).unseen?.[unseen] !== undefined;
      if (isUnseen) await within(`${situation} (unseen)`, 'busy');
      else {
        await draws('it says that it tries again', RETRYING[cli], MINUTE_MS);
        await isKnown(situation);
        await eventually(
          'the evidence says that it tries again',
          () => world.view(id).evidence.some(({ detail }) => /retrying|trying again/i.test(detail)),
          { timeoutMs: LIMIT_MS },
        );
      }
      await eventually('the answer after all', () => world.model.requests.at(-1)?.turn === 'answer', {
        timeoutMs: MINUTE_MS,
      });
      const seen = end();
      assert.ok(!seen.has('idle'), [...seen].join(', '));
      await world.shows(id, 'idle', 20_000);
    }

    /** Gemini asks whether it is to try again; the second answer is that it stops. Resolves when it has drawn its error below the prompt. */
    async function stopTrying(agent: AgentId, prompt: string): Promise<void> {
      await world.keys(agent, 'Down', 'Enter');
      const drawn = async (): Promise<string> => (await world.screen(agent)).split(prompt).at(-1) ?? '';
      const hasFailed = async (): Promise<boolean> => /API Error|✕/.test(await drawn());
      await eventually('it draws its error', hasFailed, { timeoutMs: 10_000, everyMs: 20 });
    }

    /** A program that says nothing of its retries: that it works without progress is told. */
    async function saysThatItPossiblyRetries(): Promise<void> {
      const silentMs = typeOf(cli).silentRetryMs;
      if (silentMs === undefined) return;
      const beganMs = performance.now();
      const isTold = (): boolean => world.view(id).evidence.some(({ detail }) => detail.includes('possibly retrying'));
      await eventually('it is possibly retrying', isTold, { timeoutMs: silentMs + 10_000 });
      delays.push(
        `possibly retrying ${Math.round(performance.now() - beganMs - silentMs)} ms after ${silentMs / 1000} s`,
      );
    }

    it(`R25 is busy while ${cli} answers, and idle within ${LIMIT} s of the end`, async () => {
      await world.ask(id, 'Stream. [[slow: 2]]');
      await within('the beginning', 'busy');
      await eventually('the answer is over', () => world.model.requests.at(-1)?.end, { timeoutMs: 20_000 });
      await within('the end', 'idle');
    });

    it(`R25 is idle within ${LIMIT} s of Esc while ${cli} streams`, async () => {
      await world.ask(id, 'Stream for long. [[slow: 30]]');
      await world.shows(id, 'busy');
      await draws('it streams', /part 5/);
      await interrupt();
      await isKnown('Esc while it streams');
    });

    it(`R25 waits for approval within ${LIMIT} s of the question of ${cli}; allowed in the terminal it works; Esc in the tool ends that`, async () => {
      await world.ask(id, 'Build it. [[sudo: mkdir -p made && sleep 30]]');
      await draws('the question', QUESTION);
      await isKnown('a question');
      await world.keys(id, 'Enter');
      await isKnown('allowed in the terminal');
      await new Promise((resolve) => setTimeout(resolve, 1_500)); // the command runs
      assert.equal(world.view(id).activity, 'busy');
      await interrupt();
      await isKnown('Esc in a tool');
    });

    it(`R25 is idle within ${LIMIT} s after a request of ${cli} was denied in the terminal`, async () => {
      await world.ask(id, 'Build more. [[sudo: mkdir -p made/more && sleep 30]]');
      await draws('the question', QUESTION);
      await world.shows(id, 'awaiting_approval', 10_000);
      await world.keys(id, 'Escape');
      await isKnown('denied in the terminal');
    });

    it(`R25 is an error within ${LIMIT} s of the last answer to ${cli}`, async () => {
      // What makes opencode give up at once; the others give up on 400 as well.
      const status = typeOf(cli).unseen?.final_error === undefined ? 400 : 401;
      await world.ask(id, `Fail. [[error: ${status}]]`);
      await isKnown('a final API error');
      await world.ask(id, 'Go on. [[reply: Well]]');
      await world.shows(id, 'idle', 20_000);
    });

    if (typeOf(cli).unseen?.final_error !== undefined) {
      it(`R25 works while ${cli} tries a refused request again, for ever, until it is stopped`, async () => {
        await world.ask(id, 'Fail for ever. [[error: 400]]');
        await draws('it says that it tries again', RETRYING[cli]);
        await within('a retry for ever', 'busy');
        await interrupt();
        await world.shows(id, ['idle', 'error'], 10_000);
        await world.ask(id, 'Go on then. [[reply: Well]]');
        await world.shows(id, 'idle', 20_000);
      });
    }

    it(`R25 knows within ${LIMIT} s that ${cli} tries again after a rate limit, and never calls it idle`, () =>
      triesAgain('a retry after a rate limit', 429, 'rate_limit_retry'));

    it(`R25 knows within ${LIMIT} s that ${cli} tries again after an overload, and never calls it idle`, () =>
      triesAgain('a retry after an overload', OVERLOAD[cli], 'overload_retry'));

    for (const status of [429, OVERLOAD[cli]]) {
      if (typeOf(cli).unseen?.[status === 429 ? 'rate_limit_end' : 'overload_end'] !== undefined) {
        it(`R25 works, possibly retrying, while ${cli} tries again after ${status} for ever, until it is stopped`, async function () {
          if (trialSize === 'smoke') notRun(this, 'it takes minutes: npm run verify -- R25');
          this.timeout(15 * MINUTE_MS);
          const prompt = `Never give up on ${status}.`;
          world.model.failWith(status);
          try {
            await world.ask(id, prompt);
            await world.shows(id, 'busy');
            const end = watchActivities();
            await saysThatItPossiblyRetries();
            const goesOn = (): boolean => world.model.turnsWith(prompt).length > GEMINI_TRIES + 1;
            await eventually('more tries than it has', goesOn, { timeoutMs: 12 * MINUTE_MS, everyMs: 500 });
            assert.deepEqual([...end()], ['busy']);
            await interrupt();
            await isKnown('Esc while it streams');
          } finally {
            world.model.failWith(undefined);
          }
          await world.ask(id, 'Go on again. [[reply: Well]]');
          await world.shows(id, 'idle', 20_000);
        });
        continue;
      }
      it(`R25 knows within ${LIMIT} s that ${cli} has given up on ${status}, and never calls it idle before`, async function () {
        if (trialSize === 'smoke') notRun(this, 'it may take minutes: npm run verify -- R25');
        this.timeout(30 * MINUTE_MS);
        world.model.failWith(status);
        try {
          await world.ask(id, `Give up on ${status}.`);
          await draws('it works', WORKING[cli]);
          const end = watchActivities();
          const beganMs = performance.now();
          await saysThatItPossiblyRetries();
          await eventually('it gives up', async () => !WORKING[cli].test(await world.screen(id)), {
            timeoutMs: 25 * MINUTE_MS,
            everyMs: 50,
          });
          const tries = world.model.turnsWith(`Give up on ${status}.`).length;
          delays.push(`${tries} tries of ${status} in ${Math.round((performance.now() - beganMs) / 1000)} s`);
          await isKnown(status === 429 ? 'given up on a rate limit' : 'given up on an overload');
          const seen = end();
          assert.ok(!seen.has('idle'), [...seen].join(', '));
        } finally {
          world.model.failWith(undefined);
        }
        await world.ask(id, 'Go on again. [[reply: Well]]');
        await world.shows(id, 'idle', 20_000);
      });
    }

    if (cli === 'gemini') {
      it(`R25 knows within ${LIMIT} s that gemini, set to do so, asks after its tries of 429, and gives up when it is told to`, async function () {
        if (trialSize === 'smoke') notRun(this, 'it takes minutes: npm run verify -- R25');
        this.timeout(15 * MINUTE_MS);
        const asking = await world.start('asking', { asksAfterTries: true });
        world.model.failWith(429);
        try {
          await world.ask(asking, 'Ask me then.');
          await world.shows(asking, 'busy');
          const end = watchActivities(asking);
          const beganMs = performance.now();
          const asks = async (): Promise<boolean> => /1\. Keep trying/.test(await world.screen(asking));
          await eventually('it asks', asks, { timeoutMs: 12 * MINUTE_MS, everyMs: 50 });
          const tries = world.model.turnsWith('Ask me then.').length;
          delays.push(`asks after ${tries} tries of 429 in ${Math.round((performance.now() - beganMs) / 1000)} s`);
          await within('whether to go on', 'awaiting_input', asking);
          assert.deepEqual([...end()], ['busy', 'awaiting_input']);
          await stopTrying(asking, 'Ask me then.');
          await within('given up on a rate limit', 'error', asking);
        } finally {
          world.model.failWith(undefined);
          await world.engine.stopAgent(asking);
        }
      });
    }

    it(`R25 knows within ${LIMIT} s that the usage of ${cli} is used up`, async () => {
      await world.ask(id, 'Too much. [[limit]]');
      await isKnown('a usage limit');
      if (cli !== 'gemini') return;
      await stopTrying(id, 'Too much.');
      await isKnown('given up on a rate limit');
    });

    it(`R25 knows within ${LIMIT} s that ${cli} was killed`, async () => {
      const { pid } = world.view(id);
      assert.ok(pid !== undefined);
      process.kill(pid, 'SIGKILL');
      const beganMs = performance.now();
      await eventually('its end', () => world.view(id).lifecycle === 'failed');
      delays.push(`kill -9 ${Math.round(performance.now() - beganMs)} ms`);
      assert.ok(performance.now() - beganMs <= LIMIT_MS);
    });
  });
}
