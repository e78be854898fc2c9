import assert from 'node:assert/strict';
import { AgentError } from '../../../../../src/core/agents/agentErrors';
import type { PromptDelivery, PromptReceipt } from '../../../../../src/core/agents/delivery/promptDelivery';
import { agentId } from '../../../../support/builders';
import { ScriptedTui } from '../../../../support/scriptedTui';
import { SupervisedWorld } from '../../../../support/supervisedWorld';

const ID = agentId('reviewer');
const OWN = /^reviewer has an earlier prompt, “work 50”, in its input box, typed and not submitted: press Enter/;
const OTHER = /^reviewer has text in its input box/;

/** A demo agent whose engine was interrupted after the paste of `work 50`; `drawn` is what stands in its box since. */
async function scene(drawn: string, changes: Partial<PromptDelivery> = {}) {
  const world = new SupervisedWorld();
  const tui = new ScriptedTui(world.host, ID, world.clock, {});
  world.host.onDidLaunch = () => queueMicrotask(() => tui.show());
  await world.runningAgent({ typeId: 'demo' });
  await world.clock.advanceMs(2_000);
  const first = await world.run(world.supervisor.sendPrompt(ID, 'work 50'));
  const kept = world.deliveries.deliveries.get(first.id);
  assert.ok(kept);
  const { evidence: _evidence, ...typing } = kept;
  world.deliveries.deliveries.set(first.id, { ...typing, state: 'typing', ...changes });
  tui.draft = drawn;
  tui.show();
  await world.restart();
  await world.clock.advanceMs(5_000);
  const pasted = world.host.pastedTexts(ID).length;
  const refusal = async (send: () => Promise<PromptReceipt>): Promise<string> => {
    const error: unknown = await world.run(send()).catch((thrown: unknown) => thrown);
    assert.ok(AgentError.is(error, 'agent.draftInBox'), String(error));
    assert.equal(world.host.pastedTexts(ID).length, pasted, 'nothing is typed');
    return error.detail;
  };
  return { world, tui, id: first.id, refusal, state: () => world.deliveries.deliveries.get(first.id)?.state };
}

describe('a prompt of the engine that stands in the box, typed and not submitted', () => {
  it('is named when another prompt is refused, and by no Enter sent', async () => {
    const { world, tui, id, refusal, state } = await scene('work 50');
    assert.equal(state(), 'delivery_unknown');
    assert.match(await refusal(() => world.supervisor.sendPrompt(ID, 'next')), OWN);
    assert.match(await refusal(() => world.supervisor.resendPrompt(id)), OWN);
    await world.supervisor.settleDelivery(id, 'lost');
    assert.match(await refusal(() => world.supervisor.resendPrompt(id)), OWN);
    assert.deepEqual([tui.draft, tui.submitted], ['work 50', ['work 50']]);
  });

  it('is named by the receipts of prompts that wait', async () => {
    const { world } = await scene('work 50');
    const waits = await world.run(world.supervisor.sendPrompt(ID, 'next', { whenBlocked: 'queue' }));
    assert.equal(waits.reason, 'draft_in_box');
    assert.match(waits.detail ?? '', /^the agent has an earlier prompt, “work 50”, in its input box/);
  });

  it('is known by its beginning when that is long enough to tell', async () => {
    const long = 'work through the list of open questions and answer each of them in one line';
    const begun = await scene(long.slice(0, 40), { text: long, prepared: long });
    assert.match(
      await begun.refusal(() => begun.world.supervisor.sendPrompt(ID, 'next')),
      /earlier prompt, “work through/,
    );
  });

  for (const [what, drawn, changes] of [
    ['another text', 'half a thought', {}],
    ['a few letters that it begins with', 'wo', {}],
    ['more than the prompt', 'work 50 and then some', {}],
    ['the text of a prompt that arrived', 'work 50', { state: 'acknowledged' }],
    ['the text of a prompt of an earlier run', 'work 50', { state: 'delivery_unknown', generation: 0 }],
    ['the text of a prompt that was never typed', 'work 50', { state: 'failed', reason: 'draft_in_box' }],
  ] as const)
    it(`is not seen in ${what}`, async () => {
      const { world, refusal } = await scene(drawn, changes);
      assert.match(await refusal(() => world.supervisor.sendPrompt(ID, 'next')), OTHER);
    });
});
