import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentId } from '../../../../src/core/agents/agent';
import { DELIVERY_FAULT_POINTS, type DeliveryFaultPoint } from '../../../../src/core/agents/delivery/faultPoints';
import { isFinal, type PromptReceipt } from '../../../../src/core/agents/delivery/promptDelivery';
import { eventually } from '../../../support/eventually';
import { EngineMachine, type RunningEngine } from '../../../support/runningEngine';
import { requireTmux } from '../../../support/tmuxServer';
import { trials, trialSize } from '../../../support/trials';

/** Where the prompt may have been typed already, so that nobody can know without evidence. */
const MAY_BE_TYPED: readonly DeliveryFaultPoint[] = DELIVERY_FAULT_POINTS.slice(
  DELIVERY_FAULT_POINTS.indexOf('typing.kept'),
  DELIVERY_FAULT_POINTS.indexOf('acknowledged.kept'),
);

/** The text may stand in the box, and the submit key was not pressed. */
const BEFORE_SUBMIT: readonly DeliveryFaultPoint[] = ['paste.done', 'draft.seen', 'typed.kept', 'draft.settled', 'submitted.kept']; // prettier-ignore
/** The demo agent, telling each prompt that it takes by a hook. */
const HOOKING_TYPE = {
  ...(JSON.parse(readFileSync('src/core/agents/types/demo.json', 'utf8')) as object), // our own file
  id: 'hooking-demo',
  label: 'Hooking demo',
  hooks: [{ event: 'UserPromptSubmit', activity: 'busy', promptPath: '/prompt', says: 'it took a prompt' }],
};

describe('An engine that is killed while it delivers a prompt', function () {
  this.timeout(60_000);
  let machine: EngineMachine;
  let engine: RunningEngine;
  let logFile: string;
  const id = 'demo' as AgentId; // named so by its start

  before(function () {
    requireTmux(this);
  });
  afterEach(() => machine?.end());

  async function begin(typeId: string, hook: readonly string[]): Promise<void> {
    machine = new EngineMachine(HOOKING_TYPE);
    logFile = join(machine.workspace, 'taken.jsonl');
    engine = await machine.engine();
    await engine.becomes('ready');
    const env = { DEMO_LOG: logFile, DEMO_WORK_MS: '0', DEMO_HOOK: JSON.stringify(hook) };
    await engine.call('start', { name: 'demo', typeId, folder: machine.workspace, env });
    await engine.call('prompt', id, 'a first one, so that it is no new process');
  }

  const taken = (): readonly string[] =>
    !existsSync(logFile)
      ? []
      : readFileSync(logFile, 'utf8')
          .trim()
          .split('\n')
          .map((line) => (JSON.parse(line) as { text: string }).text); // the demo agent writes it

  /** Kills the engine at `point` of the delivery of `text`, lets the next one take over, and waits until that has decided. */
  async function crash(
    point: DeliveryFaultPoint,
    text: string,
    whileDead: () => Promise<void> = () => Promise.resolve(),
  ): Promise<PromptReceipt | undefined> {
    await engine.call('arm', point);
    await assert.rejects(engine.call('prompt', id, text, { whenBlocked: 'queue' }), /the engine process has ended/);
    await whileDead();
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
    await begin('demo', []);
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

  it('R7 learns from a hook that waited in the spool that the prompt was taken while no engine lived, and says so once', async function () {
    const rounds = trials(1, 5, 20);
    const points: readonly DeliveryFaultPoint[] =
      trialSize === 'smoke' ? ['typed.kept', 'submit.pressed'] : [...BEFORE_SUBMIT, 'submit.pressed', 'evidence.seen'];
    this.timeout(60_000 + rounds * points.length * 15_000);
    await begin('hooking-demo', ['orc', 'hook', 'UserPromptSubmit']);
    const expected = new Map<string, string>();
    for (let round = 0; round < rounds; round++) {
      for (const point of points) {
        const text = `round ${round} told of ${point}`;
        let hasSpooled = true;
        const receipt = await crash(point, text, async () => {
          // What stands in the box is submitted by the person in the terminal.
          if (BEFORE_SUBMIT.includes(point)) {
            await eventually('the draft', async () => (await machine.tmux('capture-pane', '-p', '-t', `=${id}:`)).includes(`› ${text}`)); // prettier-ignore
            await machine.tmux('send-keys', '-t', `=${id}:`, 'Enter');
          }
          const spools = eventually('the hook has spooled', async () => (await machine.spooled()).length === 1, {
            timeoutMs: 15_000,
          });
          // The evidence may have been the hook itself, which the engine took with it.
          if (point === 'evidence.seen') hasSpooled = await spools.then(() => true).catch(() => false);
          else await spools;
        });
        expected.set(text, hasSpooled ? 'acknowledged by hook' : 'delivery_unknown');
        assert.equal(outcome(receipt), expected.get(text), text);
        await eventually('the spool is empty', async () => (await machine.spooled()).length === 0);
      }
    }
    const texts = [...expected.keys()];
    assert.deepEqual(taken().slice(1), texts, 'each once, in order');
    const receipts = (await engine.call('receipts', id)).filter(({ excerpt }) => expected.has(excerpt));
    assert.deepEqual(
      receipts.map((receipt) => [receipt.excerpt, outcome(receipt)]),
      [...expected].toReversed(),
    );
  });
});

function outcome(receipt: PromptReceipt | undefined): string {
  if (receipt?.state !== 'acknowledged') return receipt?.state ?? 'nothing kept';
  return `acknowledged by ${receipt.evidence ?? 'nothing'}`;
}
