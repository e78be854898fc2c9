import assert from 'node:assert/strict';
import { newDelivery } from '../../../src/core/agents/delivery/deliveryRecord';
import { Emitter } from '../../../src/core/base/event';
import { DELIVERIES } from '../../../src/core/dataDeliveryStore';
import type { DurableStore, StoreCheckReport } from '../../../src/core/data/durableStore';
import type { KeptCheck, StoreKeeper } from '../../../src/core/data/storeCare';
import { type Engine, STORE_FINDINGS } from '../../../src/core/engine';
import { loadParts } from '../../../src/core/engineParts';
import { agentId } from '../../support/builders';
import { WindowedMachine } from '../../support/windowedMachine';

const whole: StoreCheckReport = {
  ...{ isWhole: true, findings: [], isCut: false, depth: 'full', records: 1, changes: 1, seq: 1 },
};

describe('the check that an engine makes by itself', () => {
  before(async () => {
    await loadParts(); // reading program files takes real time, which the clock of these tests does not wait for
  });

  it('finds what does not fit together, says so, and takes it back once a person has mended it', async () => {
    const machine = new WindowedMachine();
    const { store, world } = machine;
    let kept: KeptCheck | undefined;
    const keeper = { lastCheck: async () => kept, keepCheck: async (check: KeptCheck) => void (kept = check) };
    machine.storeKeeper = keeper as unknown as StoreKeeper; // nothing else of it is asked
    const checked = Object.assign(store, { check: async () => whole }) as unknown as DurableStore; // as above
    const onDidFindDamage = new Emitter<void>(() => undefined).event;
    machine.durable = { store: checked, wasUnclean: false, isChecked: true, onDidFindDamage };
    const engine: Engine = machine.window(1);
    await machine.run(engine.start());
    await machine.settle();
    const lost = newDelivery({ id: 'p1', agentId: agentId('nobody'), text: 't', actor: 'person' }, 1);
    await store.tx((tx) => tx.put(DELIVERIES, 'p1', lost));
    const isTold = (): boolean => engine.notices.some(({ fingerprint }) => fingerprint === STORE_FINDINGS);

    await world.clock.advanceMs(4 * 60_000);
    assert.equal(isTold(), false, 'not while a window is being opened');
    await world.clock.advanceMs(2 * 60_000);
    await machine.until(isTold);
    const [notice] = engine.notices;
    assert.match(
      notice?.detail ?? '',
      /^delivery p1: this prompt was for an agent that is not known\. Nothing was changed\./,
    );
    await machine.until(() => kept?.hasFindings === true);

    const signal = new AbortController().signal;
    const check = () => machine.run(engine.checkIntegrity(() => undefined, signal));
    const [finding] = (await check()).findings;
    assert.equal(isTold(), true);
    const fix = finding?.fix ?? assert.fail('nothing was found');
    assert.ok(fix.kind === 'deleteRecord');
    await machine.run(engine.fixIntegrity(fix));
    assert.equal((await check()).isWhole, true);
    assert.equal(isTold(), false);
    await machine.run(engine.stop());
  });
});
