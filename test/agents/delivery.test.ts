// Once for each: claude, codex, gemini, opencode
import { strict as assert } from 'node:assert';
import type { AgentId } from '../../src/core/agents/agent';
import type { InputAlterations } from '../../src/core/agents/agentType';
import { builtInTypes } from '../../src/core/agents/builtInTypes';
import { preparePrompt } from '../../src/core/agents/delivery/preparePrompt';
import { eventually } from '../support/eventually';
import { requireTmux } from '../support/tmuxServer';
import { trials, trialSize } from '../support/trials';
import { AgentWorld, READY_MS } from './agentWorld';
import { type Cli, CLIS, requireCli, TYPE_IDS } from './cliSetup';
import { schedule, SITUATIONS, type Trial } from './deliverySchedule';
import { type Outcome, SEND_WHEN, type Target, untilIdle } from './deliverySituations';
import { isAsDeclared, PAYLOADS } from './payloads';

/** After so many that could not be sent at all, the rest says nothing new. */
const MAX_UNSENT = 5;
const LOG_LINES = 30;
/** So long a prompt that waits inside the program is waited for. */
const LATE_MS = 15_000;

const markOf = (index: number): string => `(delivery ${index} of this test)`;
const MARK = /\(delivery \d+ of this test\)/g;

interface Sent extends Outcome {
  readonly what: string;
  /** The program was at work when it came. */
  readonly whileWorking: boolean;
  readonly mark: string;
  readonly prepared: string;
}

function typeOf(cli: Cli) {
  const type = builtInTypes().find(({ id }) => id === TYPE_IDS[cli]);
  if (!type) throw new Error(`there is no type for ${cli}`);
  return type;
}

for (const cli of CLIS) {
  describe(`Deliveries to ${cli}`, function () {
    this.timeout(trialSize === 'smoke' ? 300_000 : 3 * 3600_000);
    const type = typeOf(cli);
    const alters = type.alters ?? {};
    let world: AgentWorld;
    let id: AgentId;

    before(async function () {
      requireTmux(this);
      requireCli(this, cli);
      world = await AgentWorld.open(cli);
      id = await world.start();
    });
    after(() => world?.dispose());

    async function send(trial: Trial): Promise<Sent | string> {
      const { index, situation } = trial;
      const payload = PAYLOADS[trial.payload];
      if (!payload) throw new Error('there is a payload');
      const mark = markOf(index);
      const text = payload.text(mark);
      const what = `${index}: ${payload.name}, ${situation}`;
      try {
        const outcome = await SEND_WHEN[situation]({ world, id }, text, index);
        return {
          ...outcome,
          what,
          mark,
          whileWorking: situation === 'working',
          prepared: preparePrompt(text, type).prepared,
        };
      } catch (error) {
        const screen = await world.screen(id);
        const log = world.log.split('\n').slice(-LOG_LINES).join('\n');
        return `${what}: ${String(error)}\n${screen}\n${log}`;
      }
    }

    it(`R7 every prompt that ${cli} acknowledges is in the model's log as it was prepared, exactly once`, async () => {
      const all: Sent[] = [];
      const problems: string[] = [];
      let conversation: Sent[] = [];
      let unsent = 0;
      const judge = async (): Promise<void> => {
        const found = await compare({ world, id }, conversation, alters);
        for (const problem of found) console.log(`      ${problem}`);
        problems.push(...found);
        conversation = [];
        if (trialSize !== 'smoke') console.log(`      ${cli}: ${all.length} sent, ${problems.length} problems`);
      };
      for (const trial of schedule(trials(PAYLOADS.length, 500, 500))) {
        if (trial.situation === 'launch' && trial.index > 0) await judge();
        const sent = await send(trial);
        if (typeof sent !== 'string') {
          all.push(sent);
          conversation.push(sent);
          continue;
        }
        console.log(`      ${sent}`);
        problems.push(sent);
        await judge();
        if (++unsent >= MAX_UNSENT) break;
        await world.engine.restartAgent(id);
      }
      await judge();
      console.log(`      ${cli}: ${summary(all)}, ${problems.length} problems`);
      assert.deepEqual(problems, []);
    });

    if (alters.trims === 'unlessCollapsed')
      it(`${cli} keeps the blank behind a long text while it rests, and drops it while it works`, async () => {
        const long = (word: string): string => `${'a line\n'.repeat(200)}${word} @x`;
        const took = (text: string) => world.model.request(text.slice(-10), ({ conversation }) => conversation.userTexts.some((one) => one.trim() === text)); // prettier-ignore
        for (const [situation, behind] of [
          ['idle', ' '],
          ['working', ''],
        ] as const) {
          const text = long(situation);
          assert.equal(preparePrompt(text, type).prepared, `${text} `);
          await SEND_WHEN[situation]({ world, id }, text, 0);
          const { conversation } = await took(text);
          assert.ok(conversation.userTexts.includes(text + behind), situation);
        }
      });

    if (alters.joinsQueued)
      it(`${cli} makes one prompt of those that a person lets wait inside it`, async () => {
        await untilIdle({ world, id });
        await world.ask(id, 'Work for a while. [[slow: 6]]');
        for (const text of ['first of two', 'second of two']) {
          await world.type(id, text);
          await eventually('it is drawn', async () => (await world.screen(id)).includes(text), { timeoutMs: 10_000 });
          await new Promise((resolve) => setTimeout(resolve, 300)); // an Enter that follows at once is part of the text
          await world.keys(id, 'Enter');
        }
        const { conversation } = await world.model.request('both', ({ conversation: { message } }) => message.includes('second of two'), READY_MS); // prettier-ignore
        assert.match(conversation.message, /first of two\s+second of two/);
        await untilIdle({ world, id });
      });

    if (cli === 'opencode')
      it(`${cli} keeps what waits inside it when Esc ends its turn, and tells the model with the next prompt`, async () => {
        await untilIdle({ world, id });
        await world.ask(id, 'Work until Esc. [[slow: 60]]');
        const waiting = 'Wait until Esc. [[reply: never said]]';
        const { evidence } = await world.engine.sendPrompt(id, waiting);
        assert.equal(evidence, 'hook');
        await world.keys(id, 'Escape');
        await eventually('it asks for a second press', async () => /again to interrupt/.test(await world.screen(id)));
        await world.keys(id, 'Escape');
        await untilIdle({ world, id });
        await new Promise((resolve) => setTimeout(resolve, 3_000)); // so long it might still begin
        assert.equal(world.view(id).activity, 'idle');
        assert.equal(world.view(id).lastReceipt?.state, 'acknowledged');
        assert.deepEqual(world.model.turnsWith(waiting), []);
        await world.ask(id, 'After Esc. [[reply: done]]');
        const told = world.model.turnsWith('After Esc. [[reply: done]]').at(-1);
        assert.ok(told?.conversation.userTexts.includes(waiting), JSON.stringify(told?.conversation.userTexts));
        await untilIdle({ world, id });
      });

    it(`delivers the first prompt of a launch of ${cli}`, async () => {
      await world.engine.removeAgent(id);
      const { env, args } = world.home.setUp(cli, { serverUrl: world.model.url });
      const firstPrompt = '/first thing of all';
      id = await world.engine.startAgent({
        name: 'starter',
        typeId: TYPE_IDS[cli],
        folder: world.home.workspace,
        env,
        args,
        firstPrompt,
      });
      const { prepared } = preparePrompt(firstPrompt, type);
      const isIt = (text: string): boolean => isAsDeclared(text, prepared, alters);
      const { conversation } = await world.model.request(
        'the first prompt',
        (request) => isIt(request.conversation.message),
        READY_MS,
      );
      assert.equal(conversation.userTexts.filter(isIt).length, 1);
    });
  });
}

function summary(all: readonly Sent[]): string {
  const by = (evidence: string): number => all.filter(({ receipt }) => receipt.evidence === evidence).length;
  const situations = SITUATIONS.map((name) => `${name} ${all.filter(({ what }) => what.endsWith(`, ${name}`)).length}`);
  return `${all.length} prompts (${situations.join(', ')}), acknowledged ${by('hook')} by hook and ${by('screen')} by screen`;
}

/** What is wrong with a conversation, judged by the last request, which holds all of it. */
async function compare(target: Target, sent: readonly Sent[], alters: InputAlterations): Promise<readonly string[]> {
  const problems: string[] = [];
  const said = (): readonly string[] =>
    target.world.model.requests.filter(({ kind }) => kind === 'turn').at(-1)?.conversation.userTexts ?? [];
  // What was taken while it worked may follow after a moment of rest.
  const isAllThere = (): boolean => sent.every(({ mark }) => said().some((text) => text.includes(mark)));
  await eventually('all is there', isAllThere, { timeoutMs: LATE_MS }).catch(() => undefined); // told below
  await untilIdle(target).catch((error: unknown) => problems.push(`it does not come to rest: ${String(error)}`));
  const everything = said();
  const foreign = everything.flatMap((text) => text.match(MARK) ?? []).filter((mark) => sent.every((one) => one.mark !== mark)); // prettier-ignore
  for (const mark of new Set(foreign)) problems.push(`${mark}: it is in a conversation that it was not sent into`);
  for (const { what, mark, whileWorking, prepared, receipt, typed } of sent) {
    const arrived = everything.filter((text) => text.includes(mark));
    if (receipt.state !== 'acknowledged') problems.push(`${what}: ${receipt.state} ${receipt.reason ?? ''}`);
    else if (arrived.length !== 1)
      problems.push(`${what}: arrived ${arrived.length} times (${receipt.evidence ?? ''})`);
    else if (!isAsDeclared(arrived[0] ?? '', prepared, alters, whileWorking))
      problems.push(`${what}: arrived as ${difference(arrived[0] ?? '', prepared)}`);
    if (!typed) continue;
    const seen = everything.filter((text) => text.includes(typed.text));
    if (seen.length !== typed.times || seen.some((text) => text.trim() !== typed.text))
      problems.push(`${what}: the person's own draft arrived as ${seen.map(shown).join(' and ') || 'nothing'}`);
  }
  return problems;
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}

/** Two long texts around the first place at which they differ. */
function difference(arrived: string, prepared: string): string {
  let at = 0;
  while (at < arrived.length && arrived[at] === prepared[at]) at++;
  const around = (text: string): string => JSON.stringify(text.slice(Math.max(0, at - 40), at + 160));
  return `${around(arrived)}, not ${around(prepared)}, from character ${at} on (${arrived.length} and ${prepared.length} long)`;
}
