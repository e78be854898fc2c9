import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentId } from '../../../../src/core/agents/agent';
import { DELIVERY_FAULT_POINTS, type DeliveryFaultPoint } from '../../../../src/core/agents/delivery/faultPoints';
import { isFinal, type PromptReceipt } from '../../../../src/core/agents/delivery/promptDelivery';
import { eventually } from '../../../support/eventually';
import { EngineMachine, type RunningEngine } from '../../../support/runningEngine';
import { requireTmux } from '../../../support/tmuxServer';
import { trials } from '../../../support/trials';

/** Where the prompt may have been typed already, so that nobody can know without evidence. */
const MAY_BE_TYPED: readonly DeliveryFaultPoint[] = DELIVERY_FAULT_POINTS.slice(
  DELIVERY_FAULT_POINTS.indexOf('typing.kept'),
  DELIVERY_FAULT_POINTS.indexOf('acknowledged.kept'),
);

describe('An engine that is killed while it delivers a prompt', function () {
  this.timeout(60_000);
  let machine: EngineMachine;
  let engine: RunningEngine;
  let logFile: string;
  const id = 'demo' as AgentId; // named so by its start

  before(function () {
    requireTmux(this);
  });
  beforeEach(async () => {
    machine = new EngineMachine();
    logFile = join(machine.workspace, 'taken.jsonl');
    engine = await machine.engine();
    await engine.becomes('ready');
    const env = { DEMO_LOG: logFile, DEMO_WORK_MS: '0' };
    await engine.call('start', { name: 'demo', typeId: 'demo', folder: machine.workspace, env });
    await engine.call('prompt', id, 'a first one, so that it is no new process');
  });
  afterEach(() => machine.end());

  const taken = (): readonly string[] =>
    !existsSync(logFile)
      ? []
      : readFileSync(logFile, 'utf8')
          .trim()
          .split('\n')
          .map((line) => (JSON.parse(line) as { text: string }).text); // the demo agent writes it

  /** Kills the engine at `point` of the delivery of `text`, lets the next one take over, and waits until that has decided. */
  async function crash(point: DeliveryFaultPoint, text: string): Promise<PromptReceipt | undefined> {
    await engine.call('arm', point);
    await assert.rejects(engine.call('prompt', id, text, { whenBlocked: 'queue' }), /the engine process has ended/);
    engine = await machine.engine();
    await engine.becomes('ready');
    return eventually(
      `an end of what crashed at ${point}`,
      async () => {
        const receipt = (await engine.call('receipts', id)).find(({ excerpt }) => excerpt === text);
        if (!receipt) return { receipt: undefined };
        return isFinal(receipt.state) ? { receipt } : undefined;
      },
      { timeoutMs: 20_000, everyMs: 50 },
    ).then(({ receipt }) => receipt);
  }

  it('R7 leaves each prompt delivered exactly once or reported unknown, at every named instant', async function () {
    const rounds = trials(1, 10, 50);
    this.timeout(60_000 + rounds * DELIVERY_FAULT_POINTS.length * 15_000);
    const receipts = new Map<
      string,
      { readonly point: DeliveryFaultPoint; readonly receipt: PromptReceipt | undefined }
    >();
    for (let round = 0; round < rounds; round++) {
      for (const point of DELIVERY_FAULT_POINTS) {
        const text = `round ${round} at ${point}`;
        receipts.set(text, { point, receipt: await crash(point, text) });
        // What was left in the box is for a person to decide about: here it is thrown away.
        await machine.tmux('send-keys', '-t', `=${id}:`, 'C-u');
        await eventually('an empty box', async () => /^› ?$/m.test(await machine.tmux('capture-pane', '-p', '-t', `=${id}:`))); // prettier-ignore
      }
    }
    assert.equal((await engine.call('prompt', id, 'a last one')).state, 'acknowledged');
    const all = taken();
    for (const [text, { point, receipt }] of receipts) {
      const count = all.filter((one) => one === text).length;
      const state = receipt?.state ?? 'nothing kept';
      assert.ok(count <= 1, `${text}: doubled`);
      if (point === 'intent.received') assert.deepEqual([state, count], ['nothing kept', 0], text);
      else if (MAY_BE_TYPED.includes(point)) assert.equal(state, 'delivery_unknown', text);
      else assert.deepEqual([state, count], ['acknowledged', 1], text);
      if (state === 'delivery_unknown') assert.equal(receipt?.reason, 'interrupted_by_crash', text);
    }
    const expected = [...receipts].map(([text]) => text).filter((text) => all.includes(text));
    assert.deepEqual(all.slice(1, -1), expected, 'in order');
  });
});
