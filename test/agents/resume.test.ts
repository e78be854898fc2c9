// Once for each: claude, codex, gemini, opencode
import { strict as assert } from 'node:assert';
import type { AgentId } from '../../src/core/agents/agent';
import { AgentError } from '../../src/core/agents/agentErrors';
import type { PromptReceipt } from '../../src/core/agents/delivery/promptDelivery';
import { eventually } from '../support/eventually';
import { requireTmux } from '../support/tmuxServer';
import { AgentWorld, READY_MS } from './agentWorld';
import { type Cli, CLIS, requireCli } from './cliSetup';

const QUEUED_WITH_US = 'And at last this. [[reply: at last]]';
/** These keep prompts in a queue of their own that ends with them. */
const LOSES_QUEUED: ReadonlySet<Cli> = new Set<Cli>(['claude', 'gemini']);
/**
 * Given to it while it works. codex steers it into the turn at once; opencode takes it into the conversation and runs it with
 * the next prompt after a kill.
 */
const QUEUED_INSIDE = 'And then this. [[reply: that, too]]';
const STEERED_IN = 'And then this. [[slow: 60]]';

/** Said of a prompt that was queued inside; codex loses none. */
const WHAT_BECOMES_OF_QUEUED: Readonly<Record<Cli, RegExp>> = {
  claude: /queued inside the program are lost/,
  codex: /^(?![^]*queued)/,
  gemini: /queued inside the program are lost/,
  opencode: /queued inside the program is kept but runs only after the next one/,
};

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

    const isLost = LOSES_QUEUED.has(cli);
    const insideText = cli === 'codex' ? STEERED_IN : QUEUED_INSIDE;

    /** The program works: it keeps the prompt for later itself. Its hook tells of what is in the conversation. */
    async function sendInside(id: AgentId): Promise<PromptReceipt> {
      const receipt = await world.engine.sendPrompt(id, insideText);
      assert.deepEqual([receipt.state, receipt.evidence], ['acknowledged', isLost ? 'screen' : 'hook']);
      if (cli === 'codex') await asked(insideText);
      return receipt;
    }

    async function beginDraft(id: AgentId): Promise<void> {
      await world.type(id, 'half a thought');
      await eventually('the draft is drawn', async () => (await world.screen(id)).includes('half a thought'));
    }

    /** A draft of the person is in the way: the prompt waits until it is gone. */
    async function queueWithUs(id: AgentId): Promise<PromptReceipt> {
      const receipt = await world.engine.sendPrompt(id, QUEUED_WITH_US, { whenBlocked: 'queue' });
      assert.equal(receipt.state, 'queued');
      return receipt;
    }

    /** What waited with us is delivered to the next run by itself; what was lost is sent again when that is asked for. */
    async function sendAgain(
      id: AgentId,
      { inside, ours }: { inside: PromptReceipt; ours: PromptReceipt },
    ): Promise<void> {
      await arrived(QUEUED_WITH_US);
      await world.shows(id, 'idle', 30_000);
      assert.equal((await world.engine.receipts(id)).find((one) => one.id === ours.id)?.state, 'acknowledged');
      assert.equal((await world.engine.resendPrompt(inside.id)).state, 'acknowledged');
      await arrived(insideText);
      await world.shows(id, 'idle', 30_000);
    }

    /** What is kept with the conversation is not run by itself, and is no second time sent. */
    async function keptAsItIs(id: AgentId, inside: PromptReceipt): Promise<void> {
      const askedBefore = world.model.turnsWith(insideText).length;
      assert.equal(askedBefore, cli === 'codex' ? 1 : 0);
      await adopt(id);
      await assert.rejects(world.engine.resendPrompt(inside.id), (error) => AgentError.is(error, 'agent.notAllowed'));
      assert.equal(world.model.turnsWith(insideText).length, askedBefore);
    }

    /** Another engine finds it alive: what is drawn of the turn that was killed says nothing of it. */
    async function adopt(id: AgentId): Promise<void> {
      await world.endEngine();
      await world.beginEngine();
      await world.shows(id, 'idle', 20_000);
    }

    async function asked(prompt: string): Promise<void> {
      await eventually('the model is asked', () => world.model.turnsWith(prompt).length > 0, { timeoutMs: READY_MS });
    }

    async function arrived(prompt: string): Promise<void> {
      const isIt = (text: string): boolean => text.trim() === prompt;
      await world.model.request(prompt, ({ conversation }) => conversation.userTexts.some(isIt), READY_MS);
    }

    it('goes on with the same conversation after kill -9 in a turn, and says what was lost', async () => {
      const id = await world.start();
      await world.ask(id, 'Remember the word heliotrope. [[reply: noted]]');
      await world.shows(id, 'idle', 30_000);
      const cut = await world.engine.sendPrompt(id, 'Work on. [[slow: 60]]');
      await asked('Work on. [[slow: 60]]');
      await world.shows(id, 'busy', 10_000);
      const inside = await sendInside(id);
      await beginDraft(id);
      const queued = isLost ? { inside, ours: await queueWithUs(id) } : undefined;
      await world.killAll(id);
      assert.equal(world.view(id).isResumable, true);
      const report = await world.engine.resumeSession(id);
      const losses = report.losses.join('\n');
      assert.match(losses, /interrupted/);
      assert.match(losses, WHAT_BECOMES_OF_QUEUED[cli]);
      assert.deepEqual(
        report.lostPrompts.map(({ id: lost }) => lost),
        queued ? [queued.inside.id] : [],
        JSON.stringify(report),
      );
      assert.equal(report.interruptedPrompt?.id, cut.id, JSON.stringify(report));
      await world.shows(id, 'idle', READY_MS);
      if (queued) await sendAgain(id, queued);
      else await keptAsItIs(id, inside);
      const question = 'Which word was it? [[reply: that one]]';
      const receipt = await world.engine.sendPrompt(id, question);
      assert.equal(receipt.state, 'acknowledged');
      const { conversation } = await world.model.request(
        'the next turn',
        (request) => request.conversation.message.trim() === question,
        READY_MS,
      );
      assert.match(conversation.userTexts.join('\n'), /heliotrope/);
      for (const text of [insideText, ...(queued ? [QUEUED_WITH_US] : [])])
        assert.equal(conversation.userTexts.filter((one) => one.trim() === text).length, 1, text);
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
