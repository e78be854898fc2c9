import { strict as assert } from 'node:assert';
import { DeliveryReason, DeliveryState } from '../../../src/core/agents/delivery/promptDelivery';
import { DELIVERY_WORDS, REASON_WORDS, reasonWords, whyWords } from '../../../src/shared/receiptWords';

describe('words of receipts, in the window and of orc', () => {
  it('are there for every reason of a delivery, and for no other', () => {
    assert.deepEqual(Object.keys(REASON_WORDS).sort(), Object.values(DeliveryReason).sort());
    assert.deepEqual(Object.keys(DELIVERY_WORDS).sort(), Object.values(DeliveryState).sort());
    for (const reason of Object.values(DeliveryReason))
      assert.notEqual(reasonWords({ state: 'failed', reason }), reason.replaceAll('_', ' '));
  });

  it('say what a prompt waits for, why it did not arrive, and nothing where nothing is to be said', () => {
    assert.equal(reasonWords({ state: 'queued', reason: 'dialog_open' }), 'waits: it shows a question');
    assert.equal(reasonWords({ state: 'failed', reason: 'ended' }), 'the agent ended');
    assert.equal(reasonWords({ state: 'acknowledged' }), '');
    assert.equal(reasonWords({ state: 'failed', reason: 'of_another_version' }), 'of another version');
  });

  it('do not say twice what the detail says, too', () => {
    const detail = 'typed and submitted; programs of this type do not show whether they took it';
    assert.deepEqual(whyWords({ state: 'delivery_unknown', reason: 'no_evidence_possible', detail }), [detail]);
    assert.deepEqual(whyWords({ state: 'failed', reason: 'no_draft', detail: 'x' }), [
      'the text never appeared in its input box',
      'x',
    ]);
    assert.deepEqual(whyWords({ state: 'acknowledged' }), []);
  });
});
