import { strict as assert } from 'node:assert';
import type { AgentId } from '../../../src/core/agents/agent';
import { AgentError } from '../../../src/core/agents/agentErrors';
import type { PromptReceipt } from '../../../src/core/agents/delivery/promptDelivery';
import { silentLogger } from '../../../src/core/base/log';
import type { AgentView } from '../../../src/core/engine';
import { ResumeDesk } from '../../../src/vscode/commands/resumeDesk';
import { DeliveryPresenter } from '../../../src/vscode/notices/deliveryPresenter';
import { MERGE_MS } from '../../../src/vscode/notices/mergeTimer';
import type { Choice } from '../../../src/vscode/notices/windowPort';
import { PromptSender } from '../../../src/vscode/prompts/promptSender';
import { anAgentView, aReceipt, FakeEngine } from '../../support/fakeEngine';
import { FakeWindow } from '../../support/fakeWindow';
import { ManualClock } from '../../support/manualClock';

const A = 'a' as AgentId;
const an = (id: string, overrides: Partial<AgentView> = {}): AgentView =>
  anAgentView({ id: id as AgentId, name: id.toUpperCase(), ...overrides });

function createFixture() {
  const [engine, window, clock] = [new FakeEngine(), new FakeWindow(), new ManualClock()];
  const told: string[] = [];
  const tell = (what: string): void => void told.push(what);
  const sender = new PromptSender({ engine, window, clock, log: silentLogger, tell, leavesEnded: () => true });
  const documents = { show: async () => {}, close: async () => {} };
  const resume = new ResumeDesk({ engine, window, sender, documents });
  const presenter = new DeliveryPresenter(engine, clock, window, sender, resume, () => 'all');
  const receive = (id: string, changes: Partial<PromptReceipt>): void =>
    engine.simulateReceipt(aReceipt({ id, agentId: A, excerpt: `text of ${id}`, ...changes }));
  const resends = (): readonly string[] => engine.calls.filter((call) => /^(settle|resend)/.test(call));
  return { engine, window, clock, sender, presenter, receive, resends, told };
}

const unknown = { state: 'delivery_unknown', reason: 'ended' } as const;

describe('DeliveryPresenter', () => {
  it('tells what failed while nobody waited for it, merged, and not what late evidence settled', async () => {
    const { engine, window, clock, presenter, receive } = createFixture();
    for (const id of ['a', 'b', 'c']) engine.simulateAgent(an(id));
    const fail = (id: string, state: 'failed' | 'delivery_unknown' | 'acknowledged'): void =>
      receive(`r-${id}`, { agentId: id as AgentId, state, reason: 'no_draft' });
    fail('a', 'failed');
    await clock.advanceMs(MERGE_MS);
    fail('a', 'failed');
    fail('b', 'delivery_unknown');
    fail('c', 'delivery_unknown');
    fail('c', 'acknowledged');
    await clock.advanceMs(MERGE_MS);
    assert.deepEqual(window.shown, [
      'warning: A prompt to A did not arrive: the text never appeared in its input box. [Show Receipts|Attach]',
      'warning: 2 prompts did not or may not have arrived: A, B. [Show Receipts]',
    ]);
    presenter.dispose();
    assert.deepEqual([engine.listenerCount, clock.pendingCount], [0, 0]);
  });

  it('leaves to the sender what was sent from this window', async () => {
    const { engine, window, clock, sender } = createFixture();
    engine.simulateAgent(an('a'));
    engine.deliver = async (agentId) => aReceipt({ agentId, state: 'failed' });
    await sender.sendToAll([A], 'x');
    await clock.advanceMs(MERGE_MS);
    assert.deepEqual(window.shown, []);
  });

  it('does not answer a person who has just said that a prompt is lost, nor one who sends it again', async () => {
    const { engine, window, clock, receive } = createFixture();
    engine.simulateAgent(an('a'));
    receive('r1', { state: 'failed', reason: 'lost' });
    receive('r2', { state: 'delivery_unknown', reason: 'no_evidence' });
    receive('r2', { state: 'delivery_unknown', reason: 'no_evidence', resentAs: 'r3' });
    await clock.advanceMs(MERGE_MS);
    assert.deepEqual(window.shown, []);
  });

  it('waits until a program has ended, and offers all that it may have taken along in one message', async () => {
    const { engine, window, clock, receive, resends } = createFixture();
    engine.simulateAgent(an('a'));
    engine.simulateAgent(an('a', { desired: 'stopped', lifecycle: 'stopping' }));
    receive('r1', unknown); // it was being typed when the stop was ordered
    await clock.advanceMs(MERGE_MS * 10);
    assert.deepEqual(window.shown, []);
    engine.simulateAgent(an('a', { desired: 'stopped', lifecycle: 'stopped' }));
    receive('r2', { ...unknown, steps: { acknowledged: 1, delivery_unknown: 2 } });
    receive('r3', { state: 'failed', reason: 'ended' });
    window.answer = 'Send Again…';
    await clock.advanceMs(MERGE_MS);
    assert.deepEqual(window.shown, [
      'warning: 3 prompts to A did not or may not have arrived: the agent ended. [Send Again…|Show Receipts]',
      'chooseMany: Send Again [text of r1|text of r2|*text of r3]',
    ]);
    assert.deepEqual(resends(), ['resendPrompt r3 (queue)']);
  });

  it('has in it what this window was sending, and nobody asks about that one twice', async () => {
    const { engine, window, clock, sender, receive } = createFixture();
    engine.simulateAgent(an('a', { generation: 2 }));
    engine.deliver = async () => {
      receive('r1', unknown);
      throw new AgentError('agent.deliveryUnknown', 'ended', { agentId: A });
    };
    await sender.sendToAll([A], 'x');
    receive('r2', unknown);
    await clock.advanceMs(MERGE_MS);
    assert.deepEqual(window.shown, [
      'warning: 2 prompts to A may not have arrived: the agent ended. [Send Again…|Show Receipts|Attach]',
    ]);
  });

  describe('its list to send again', () => {
    /** What becomes of three prompts between the message and its button. */
    async function afterwards(change: (fixture: ReturnType<typeof createFixture>) => void) {
      const fixture = createFixture();
      const { engine, window, clock, receive } = fixture;
      engine.simulateAgent(an('a', { lifecycle: 'failed' }));
      for (const id of ['r1', 'r2', 'r3']) receive(id, unknown);
      const choices: Choice[] = [];
      let hint = '';
      window.chooseMany = async (_question, said, offered) => {
        hint = said;
        choices.push(...offered);
        return offered.map(({ id }) => id);
      };
      const { show } = window;
      window.show = async (severity, text, buttons) => {
        if (buttons.includes('Send Again…')) change(fixture);
        window.answer = 'Send Again…';
        return show.call(window, severity, text, buttons);
      };
      await clock.advanceMs(MERGE_MS);
      return { ...fixture, choices, hint: () => hint };
    }

    it('is of what is open by now, as it is by now; R7 what was sent again meanwhile is not sent a second time', async () => {
      const { choices, resends, hint } = await afterwards(({ receive }) => {
        receive('r1', { ...unknown, resentAs: 'r9' });
        receive('r9', { state: 'acknowledged' });
        receive('r2', { state: 'failed', reason: 'lost' });
      });
      assert.deepEqual(
        choices.map(({ id, isPicked, detail }) => [id, isPicked, detail]),
        [
          ['r2', true, 'failed; a person says that it did not arrive'],
          ['r3', false, 'It may have arrived: look at the agent first; delivery unknown; the agent ended'],
        ],
      );
      assert.ok(hint().length <= 60, hint());
      assert.deepEqual(resends(), ['resendPrompt r2 (queue)', 'resendPrompt r3 (queue)']);
    });

    it('has the new one where that did not arrive either', async () => {
      const { choices } = await afterwards(({ receive }) => {
        receive('r1', { ...unknown, resentAs: 'r9' });
        receive('r9', { state: 'failed', reason: 'no_draft' });
        for (const id of ['r2', 'r3']) receive(id, { state: 'acknowledged' });
      });
      assert.deepEqual(choices.map(({ id, isPicked }) => [id, isPicked]), [['r9', true]]); // prettier-ignore
    });

    it('is none when nothing is left, and that is said', async () => {
      const { choices, window, resends } = await afterwards(({ receive }) => {
        for (const id of ['r1', 'r2', 'r3']) receive(id, { state: 'acknowledged' });
      });
      assert.deepEqual([choices, resends()], [[], []]);
      assert.match(window.shown.at(-1) ?? '', /^information: Nothing is left to send again: /);
    });

    it('tries each one that is picked, and tells in one message by its text what was not sent', async () => {
      const { window, resends } = await afterwards(({ receive, window: shown }) => {
        const { chooseMany } = shown;
        shown.chooseMany = async (question, hint, choices) => {
          receive('r1', { ...unknown, resentAs: 'r9' }); // while the list is open
          receive('r2', { ...unknown, resentAs: 'r9' });
          return chooseMany.call(shown, question, hint, choices);
        };
      });
      assert.deepEqual(resends(), ['r1', 'r2', 'r3'].map((id) => `resendPrompt ${id} (queue)`)); // prettier-ignore
      assert.equal(
        window.shown.at(-1),
        'warning: 1 prompt was sent again. "text of r1" to A: not sent again: it was sent again already (receipt r9). ' +
          '"text of r2" to A: not sent again: it was sent again already (receipt r9). [Show Receipts]',
      );
    });
  });
});
