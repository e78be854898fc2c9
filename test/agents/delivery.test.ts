import { strict as assert } from 'node:assert';
import type { AgentId } from '../../src/core/agents/agent';
import { builtInTypes } from '../../src/core/agents/builtInTypes';
import { preparePrompt } from '../../src/core/agents/delivery/preparePrompt';
import type { PromptReceipt } from '../../src/core/agents/delivery/promptDelivery';
import { eventually } from '../support/eventually';
import { requireTmux } from '../support/tmuxServer';
import { trials, trialSize } from '../support/trials';
import { AgentWorld, READY_MS } from './agentWorld';
import { CLIS, requireCli, TYPE_IDS } from './cliSetup';
import { isAsDeclared, PAYLOADS } from './payloads';

/** A conversation as long as this is begun anew, so that no program compacts it. */
const PER_CONVERSATION = 50;

interface Sent {
  readonly what: string;
  readonly mark: string;
  readonly prepared: string;
  readonly alters: readonly string[];
  readonly receipt: PromptReceipt;
}

for (const cli of CLIS) {
  describe(`Deliveries to ${cli}`, function () {
    this.timeout(trialSize === 'smoke' ? 240_000 : 3 * 3600_000);
    const type = builtInTypes().find(({ id }) => id === TYPE_IDS[cli]);
    let world: AgentWorld;
    let id: AgentId;

    before(async function () {
      requireTmux(this);
      requireCli(this, cli);
      world = await AgentWorld.open(cli);
      id = await world.start();
    });
    after(() => world?.dispose());

    async function send(index: number, situation: Situation): Promise<Sent> {
      const payload = PAYLOADS[index % PAYLOADS.length];
      if (!payload || !type) throw new Error('there is a payload and a type');
      const mark = `(delivery ${index} of this test)`;
      const text = payload.text(mark);
      const { prepared } = preparePrompt(text, type);
      const what = `${payload.name}, ${situation.name}`;
      await situation.before(world, id);
      const receipt = await world.engine.sendPrompt(id, text).catch(async (error: unknown) => {
        throw new Error(`${what}: ${String(error)}\n${await world.screen(id)}\n${world.log}`);
      });
      return { what, mark, prepared, alters: type.alters ?? [], receipt };
    }

    it(`R7 every prompt that ${cli} acknowledges is in the model's log as it was prepared, exactly once`, async () => {
      const count = trials(PAYLOADS.length, 500, 500);
      const all: Sent[] = [];
      const problems: string[] = [];
      let conversation: Sent[] = [];
      for (let index = 0; index < count; index++) {
        const situation = SITUATIONS[index % SITUATIONS.length] ?? SITUATIONS[0];
        const sent = await send(index, situation);
        all.push(sent);
        conversation.push(sent);
        if (conversation.length < PER_CONVERSATION && index < count - 1) continue;
        problems.push(...(await compare(world, id, conversation)));
        conversation = [];
        if (index < count - 1) await world.engine.restartAgent(id);
      }
      console.log(`      ${cli}: ${summary(all)}, ${problems.length} problems`);
      assert.deepEqual(problems, []);
    });

    it(`refuses while a dialog of ${cli} is up, and delivers what waits once it is answered`, async () => {
      await world.shows(id, 'idle', 20_000);
      await world.ask(id, 'Build it. [[sudo: mkdir -p made && echo built]]');
      await world.shows(id, 'awaiting_approval', 10_000);
      const asked = world.model.requests.length;
      await assert.rejects(world.engine.sendPrompt(id, 'Never typed'), { code: 'agent.dialogOpen' });
      const queued = await world.engine.sendPrompt(id, 'Typed when it is free', { whenBlocked: 'queue' });
      assert.equal(queued.state, 'queued');
      assert.equal(world.view(id).activity, 'awaiting_approval');
      await world.keys(id, 'Escape');
      await world.model.request(
        'the prompt that waited',
        ({ index, conversation }) => index >= asked && conversation.message.trim() === 'Typed when it is free',
        30_000,
      );
      assert.ok(!world.model.requests.some(({ conversation }) => conversation.message.includes('Never typed')));
    });

    it(`leaves a person's draft in the box of ${cli} alone`, async () => {
      await world.shows(id, 'idle', 20_000);
      await world.type(id, 'half a thought');
      await eventually('the draft is drawn', async () => (await world.screen(id)).includes('half a thought'));
      await assert.rejects(world.engine.sendPrompt(id, 'Never typed'), { code: 'agent.draftInBox' });
      assert.match(await world.screen(id), /half a thought/);
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
      if (!type) throw new Error('there is a type');
      const { prepared } = preparePrompt(firstPrompt, type);
      const isIt = (text: string): boolean => isAsDeclared(text, prepared, type.alters ?? []);
      const { conversation } = await world.model.request(
        'the first prompt',
        (request) => isIt(request.conversation.message),
        READY_MS,
      );
      assert.equal(conversation.userTexts.filter(isIt).length, 1);
    });
  });
}

interface Situation {
  readonly name: string;
  before(world: AgentWorld, id: AgentId): Promise<void>;
}

const IDLE: Situation = { name: 'idle', before: (world, id) => untilIdle(world, id) };

const SITUATIONS: readonly [Situation, ...Situation[]] = [
  IDLE,
  IDLE,
  { name: 'right after the last one', before: () => Promise.resolve() },
  IDLE,
  {
    name: 'while it works',
    async before(world, id) {
      await untilIdle(world, id);
      await world.engine.sendPrompt(id, `Work a little, ${world.model.requests.length}. [[slow: 2]]`);
    },
  },
  {
    name: 'while the person scrolls back',
    async before(world, id) {
      await untilIdle(world, id);
      await world.scrollBack(id);
    },
  },
];

async function untilIdle(world: AgentWorld, id: AgentId): Promise<void> {
  await world.shows(id, 'idle', 30_000);
}

function summary(all: readonly Sent[]): string {
  const by = (evidence: string): number => all.filter(({ receipt }) => receipt.evidence === evidence).length;
  return `${all.length} prompts, acknowledged ${by('hook')} by hook and ${by('screen')} by screen`;
}

/** What is wrong with a conversation, judged by the last request, which holds all of it. */
async function compare(world: AgentWorld, id: AgentId, sent: readonly Sent[]): Promise<readonly string[]> {
  await untilIdle(world, id);
  const turns = world.model.requests.filter(({ kind }) => kind === 'turn');
  const everything = turns.at(-1)?.conversation.userTexts ?? [];
  return sent.flatMap(({ what, mark, prepared, alters, receipt }) => {
    const [arrived = '', ...more] = everything.filter((text) => text.includes(mark));
    if (receipt.state !== 'acknowledged') return [`${what}: ${receipt.state} ${receipt.reason ?? ''}`];
    if (arrived === '' || more.length > 0)
      return [`${what}: arrived ${arrived === '' ? 0 : 1 + more.length} times (${receipt.evidence ?? ''})`];
    if (isAsDeclared(arrived, prepared, alters)) return [];
    return [
      `${what}: arrived as ${JSON.stringify(arrived.slice(0, 200))}, not ${JSON.stringify(prepared.slice(0, 200))}`,
    ];
  });
}
