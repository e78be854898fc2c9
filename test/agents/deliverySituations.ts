import { strict as assert } from 'node:assert';
import type { AgentId } from '../../src/core/agents/agent';
import { isFinal, type PromptReceipt } from '../../src/core/agents/delivery/promptDelivery';
import { eventually } from '../support/eventually';
import { type AgentWorld, READY_MS } from './agentWorld';
import type { SituationName } from './deliverySchedule';

/** One agent to which prompts are sent. */
export interface Target {
  readonly world: AgentWorld;
  readonly id: AgentId;
}

export interface Outcome {
  readonly receipt: PromptReceipt;
  /** What a person typed, and how often it has to be in the conversation as it is. */
  readonly typed?: { readonly text: string; readonly times: 0 | 1 };
}

/** Brings the situation about, sends the prompt, and ends the situation where it stands in the way. */
type Situation = (target: Target, text: string, index: number) => Promise<Outcome>;

const ACKNOWLEDGED_MS = 60_000;

export const SEND_WHEN: Readonly<Record<SituationName, Situation>> = {
  async launch({ world, id }, text) {
    const { generation } = world.view(id);
    const restarted = world.engine.restartAgent(id);
    await Promise.race([
      restarted, // when it fails, that is told
      eventually('it is launched', () => world.view(id).generation > generation, { timeoutMs: READY_MS }),
    ]);
    const [receipt] = await Promise.all([queued({ world, id }, text), restarted]);
    return { receipt };
  },

  async idle(target, text) {
    await untilIdle(target);
    return sent(target, text);
  },

  after: (target, text) => sent(target, text),

  async working(target, text) {
    await untilIdle(target);
    const { world, id } = target;
    await world.engine.sendPrompt(id, `Work a little, ${world.model.requests.length}. [[slow: 2]]`);
    return sent(target, text);
  },

  async scrolled(target, text) {
    await untilIdle(target);
    await target.world.scrollBack(target.id);
    return sent(target, text);
  },

  /** The person deletes the draft, or every other time submits it. */
  async draft(target, text, index) {
    await untilIdle(target);
    const { world, id } = target;
    const draft = `half a thought (draft ${index})`;
    await world.type(id, draft);
    await eventually('the draft is drawn', async () => (await world.screen(id)).includes(draft));
    await assert.rejects(world.engine.sendPrompt(id, text), { code: 'agent.draftInBox' });
    const waiting = await world.engine.sendPrompt(id, text, { whenBlocked: 'queue' });
    assert.deepEqual([waiting.state, waiting.reason], ['queued', 'draft_in_box']);
    assert.ok((await world.screen(id)).includes(draft), 'the draft is left alone');
    const isSubmitted = index % 2 === 1;
    await world.keys(id, ...(isSubmitted ? ['Enter'] : Array.from(draft, () => 'BSpace')));
    return { receipt: await final(target, waiting.id), typed: { text: draft, times: isSubmitted ? 1 : 0 } };
  },

  async dialog(target, text, index) {
    await untilIdle(target);
    const { world, id } = target;
    await world.ask(id, `Build it, ${index}. [[sudo: mkdir -p made && echo built]]`);
    await world.shows(id, 'awaiting_approval', 15_000);
    await assert.rejects(world.engine.sendPrompt(id, text), { code: 'agent.dialogOpen' });
    const waiting = await world.engine.sendPrompt(id, text, { whenBlocked: 'queue' });
    assert.deepEqual([waiting.state, waiting.reason], ['queued', 'dialog_open']);
    await world.shows(id, 'awaiting_approval', 5_000);
    await world.keys(id, 'Escape');
    const receipt = await final(target, waiting.id);
    assert.ok(!world.folders().includes('made'), 'nothing was approved');
    return { receipt };
  },
};

export async function untilIdle({ world, id }: Target): Promise<void> {
  await world.shows(id, 'idle', 60_000);
}

/** A program that cannot take a second prompt while it works on the first says so: then the prompt waits. */
async function sent(target: Target, text: string): Promise<Outcome> {
  try {
    return { receipt: await target.world.engine.sendPrompt(target.id, text) };
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== 'agent.notReady') throw error;
    return { receipt: await queued(target, text) };
  }
}

async function queued(target: Target, text: string): Promise<PromptReceipt> {
  const { id } = await target.world.engine.sendPrompt(target.id, text, { whenBlocked: 'queue' });
  return final(target, id);
}

async function final({ world, id }: Target, receiptId: string): Promise<PromptReceipt> {
  return eventually(
    'the prompt that waited is delivered',
    async () => {
      const receipt = (await world.engine.receipts(id)).find((one) => one.id === receiptId);
      return receipt && isFinal(receipt.state) ? receipt : undefined;
    },
    { timeoutMs: ACKNOWLEDGED_MS, everyMs: 50 },
  );
}
