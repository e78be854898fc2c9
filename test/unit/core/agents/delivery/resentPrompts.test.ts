import assert from 'node:assert/strict';
import { AgentError } from '../../../../../src/core/agents/agentErrors';
import type { PromptDelivery, PromptReceipt } from '../../../../../src/core/agents/delivery/promptDelivery';
import { retentionClasses } from '../../../../../src/core/recordRetention';
import { agentId } from '../../../../support/builders';
import { ScriptedTui } from '../../../../support/scriptedTui';
import { SupervisedWorld } from '../../../../support/supervisedWorld';

const ID = agentId('reviewer');

/** A demo agent at rest, and a prompt of which nobody knows whether it arrived. */
async function scene() {
  const world = new SupervisedWorld();
  const tui = new ScriptedTui(world.host, ID, world.clock, {});
  world.host.onDidLaunch = () => queueMicrotask(() => tui.show());
  const agent = await world.runningAgent({ typeId: 'demo' });
  await world.clock.advanceMs(2_000);
  const first = await world.run(world.supervisor.sendPrompt(ID, 'x'));
  const put = (changes: Partial<PromptDelivery>): void => {
    const kept = world.deliveries.deliveries.get(first.id);
    assert.ok(kept);
    world.deliveries.deliveries.set(first.id, { ...kept, ...changes });
  };
  put({ state: 'delivery_unknown', reason: 'ended' });
  await world.clock.advanceMs(5_000);
  const resend = (id = first.id): Promise<PromptReceipt> => world.run(world.supervisor.resendPrompt(id));
  const kept = (id = first.id) => world.deliveries.deliveries.get(id);
  return { world, tui, agent, id: first.id, put, resend, kept };
}

const refused = (words: RegExp) => (error: unknown) => {
  assert.ok(AgentError.is(error, 'agent.notAllowed'));
  assert.match(error.message, words);
  return true;
};

describe('a prompt that is sent again', () => {
  for (const state of ['delivery_unknown', 'failed'] as const) {
    it(`R7 (${state}) is sent once: it is marked with the new one, and refused from then on`, async () => {
      const here = await scene();
      here.put({ state });
      const again = await here.resend();
      assert.deepEqual([here.kept()?.state, here.kept()?.resentAs, again.state], [state, again.id, 'acknowledged']);
      const pasted = here.world.host.pastedTexts(ID).length;
      await assert.rejects(here.resend(), refused(new RegExp(`sent again already \\("x", receipt ${again.id}\\)`)));
      assert.equal(here.world.host.pastedTexts(ID).length, pasted);
    });
  }

  it('R7 is marked after the new one is kept, and before that is typed', async () => {
    const here = await scene();
    const acts: string[] = [];
    here.world.deliveries.beforeSave = ({ id, state, resentAs }) =>
      void acts.push(id === here.id ? `marked ${resentAs === undefined ? 'not' : 'so'}` : state);
    const { paste } = here.world.host;
    here.world.host.paste = (id, text) => (acts.push('paste'), paste.call(here.world.host, id, text));
    await here.resend();
    assert.deepEqual(acts.slice(0, 3), ['typing', 'marked so', 'paste']);
    acts.length = 0;
    here.put({ state: 'failed', resentAs: undefined as never });
    await here.world.run(here.world.supervisor.resendPrompt(here.id, { whenBlocked: 'queue' }));
    assert.deepEqual(acts.slice(0, 2), ['queued', 'marked so']);
  });

  it('R7 is refused while a first order to do so is under way', async () => {
    const here = await scene();
    const orders = Promise.allSettled([here.resend(), here.resend()]);
    const [first, second] = await orders;
    assert.equal(first.status, 'fulfilled');
    assert.ok(second.status === 'rejected' && refused(/just now/)(second.reason));
    assert.equal(here.tui.submitted.filter((text) => text === 'x').length, 2, 'the first time and once again');
  });

  it('can be asked for once more when nothing was kept of the first order', async () => {
    const here = await scene();
    here.tui.draft = 'mine';
    here.tui.show();
    await here.world.clock.advanceMs(2_000);
    await assert.rejects(here.resend(), (error) => AgentError.is(error, 'agent.draftInBox'));
    assert.equal(here.kept()?.resentAs, undefined);
    here.tui.draft = '';
    here.tui.show();
    await here.world.clock.advanceMs(2_000);
    assert.equal((await here.resend()).state, 'acknowledged');
  });

  it('names the new one where that did not arrive either: that is what can be sent again', async () => {
    const here = await scene();
    const again = await here.resend();
    const newer = here.kept(again.id);
    assert.ok(newer);
    here.world.deliveries.deliveries.set(again.id, { ...newer, state: 'failed' });
    await assert.rejects(
      here.resend(),
      refused(new RegExp(`is failed: send that one again \\("x", receipt ${again.id}`)),
    );
    await here.world.clock.advanceMs(5_000);
    assert.equal((await here.resend(again.id)).state, 'acknowledged');
  });

  it('is sent again although the mark cannot be kept', async () => {
    const here = await scene();
    here.world.deliveries.beforeSave = ({ id }) => {
      if (id === here.id) throw new Error('the disk is full');
    };
    assert.equal((await here.resend()).state, 'acknowledged');
    assert.equal(here.kept()?.resentAs, undefined);
  });

  it('is no open question any more: a hook with its text is not evidence for it, also after a new owner took over', async () => {
    const here = await scene();
    const again = await here.resend();
    await here.world.restart();
    await here.world.clock.advanceMs(2_000);
    here.world.hooks.fire({
      ...{ agentId: ID, generation: here.agent.record.generation, event: 'UserPromptSubmit' },
      ...{ prompt: 'x', observedAtMs: here.world.clock.nowMs() },
    });
    await here.world.clock.advanceMs(10);
    assert.deepEqual([here.kept()?.state, here.kept()?.resentAs], ['delivery_unknown', again.id]);
  });

  it('is counted among those of which nobody knows until then, also by a new owner', async () => {
    const here = await scene();
    const count = (): number => here.world.supervisor.promptsOf(ID).unsurePromptCount;
    await here.world.run(here.world.supervisor.sendPrompt(ID, 'y')); // the newest one says nothing of it
    await here.world.restart();
    assert.deepEqual([count(), here.world.supervisor.promptsOf(ID).lastReceipt?.state], [1, 'acknowledged']);
    await here.world.clock.advanceMs(5_000);
    await here.resend();
    assert.equal(count(), 0);
    await here.world.restart();
    assert.equal(count(), 0);
  });

  it('is due for retention as others that came to an end', () => {
    const rule = retentionClasses(() => ({}) as never, () => true).find(({ kind }) => kind === 'delivery'); // prettier-ignore
    const isOver = (value: object): boolean | undefined => rule?.isOver?.(value);
    assert.deepEqual(
      [isOver({ state: 'delivery_unknown' }), isOver({ state: 'delivery_unknown', resentAs: 'y' })],
      [false, true],
    );
  });
});
