import assert from 'node:assert/strict';
import { agentId } from '../../../../support/builders';
import { ScriptedTui } from '../../../../support/scriptedTui';
import { SupervisedWorld } from '../../../../support/supervisedWorld';

const ID = agentId('reviewer');
const LINES = 'first\nsecond';

const withCode = (code: string) => (error: unknown) => (error as { code?: string }).code === code;

describe('a prompt of several lines', () => {
  /** An agent that runs and rests, and what is known of its bracketed paste. */
  async function scene(bracketsPaste: boolean | undefined, typeId = 'demo') {
    const world = new SupervisedWorld();
    const tui = new ScriptedTui(world.host, ID, world.clock);
    world.host.onDidLaunch = () => queueMicrotask(() => tui.show());
    await world.runningAgent(typeId === 'command' ? { typeId, command: ['true'] } : { typeId });
    if (bracketsPaste !== undefined) world.host.setScreen(ID, { bracketsPaste });
    await world.clock.advanceMs(2_000);
    tui.show();
    await world.clock.advanceMs(200);
    const send = (text: string, whenBlocked: 'refuse' | 'queue' = 'refuse') =>
      world.supervisor.sendPrompt(ID, text, { whenBlocked });
    return { world, tui, send };
  }

  it('R7 is not typed where each line would be taken for itself, and its sender and its receipt are told why', async () => {
    for (const typeId of ['demo', 'command']) {
      const { world, send } = await scene(false, typeId);
      await assert.rejects(world.run(send(LINES)), withCode('agent.linesWouldSplit'));
      const [receipt] = await world.supervisor.receipts(ID);
      assert.deepEqual([receipt?.state, receipt?.reason, world.host.pastedTexts(ID)], ['failed', 'would_split', []]);
      assert.match(receipt?.detail ?? '', /as one line, or each as a prompt of its own/);
      await world.run(send('one line'));
      assert.deepEqual(world.host.pastedTexts(ID), ['one line'], 'what has one line is typed as ever');
    }
  });

  it('R7 that is given leave to wait fails as well, and does not stop those behind it', async () => {
    const { world, tui, send } = await scene(false);
    const refused = assert.rejects(world.run(send(LINES, 'queue')), withCode('agent.linesWouldSplit'));
    await Promise.all([refused, world.run(send('one line', 'queue'))]);
    assert.deepEqual(tui.submitted, ['one line']);
    const states = (await world.supervisor.receipts(ID)).map(({ state }) => state);
    assert.deepEqual(states, ['acknowledged', 'failed']);
  });

  it('is typed once the program has asked for bracketed paste, as one that is just starting does', async () => {
    const { world, tui, send } = await scene(false);
    world.clock.setTimer(2_500, () => world.host.setScreen(ID, { bracketsPaste: true }));
    const receipt = await world.run(send(LINES));
    assert.deepEqual([receipt.state, receipt.changes, tui.submitted], ['acknowledged', [], [LINES]]);
  });

  it('is not typed when the program gave bracketed paste up at the last moment', async () => {
    const { world, send } = await scene(true);
    world.deliveries.beforeSave = ({ state }) => {
      if (state === 'typing') world.host.setScreen(ID, { bracketsPaste: false });
    };
    await assert.rejects(world.run(send(LINES)), withCode('agent.linesWouldSplit'));
    assert.deepEqual(world.host.pastedTexts(ID), []);
  });

  it('waits on when the run ends before anything was typed', async () => {
    const { world, send } = await scene(false);
    const sent = send(LINES, 'queue');
    await world.clock.advanceMs(1_000);
    world.host.simulateExit(ID, { code: 0 });
    assert.deepEqual([(await world.run(sent)).state, world.host.pastedTexts(ID)], ['queued', []]);
  });

  it('is typed as ever where bracketed paste is on, without one look more', async () => {
    const looks: number[] = [];
    for (const bracketsPaste of [undefined, true]) {
      const { world, tui, send } = await scene(bracketsPaste);
      const before = world.host.calls.length;
      const receipt = await world.run(send(LINES));
      assert.deepEqual([receipt.changes, tui.submitted], [[], [LINES]]);
      looks.push(world.host.calls.length - before);
    }
    assert.equal(looks[0], looks[1]);
  });

  it('is typed with a word of doubt where nothing is known and nothing is seen', async () => {
    const { world, send } = await scene(undefined, 'command');
    const receipt = await world.run(send(LINES));
    assert.deepEqual(receipt.changes.map(({ kind }) => kind), ['lines_may_split']); // prettier-ignore
    assert.deepEqual([receipt.state, receipt.reason], ['delivery_unknown', 'no_evidence_possible']);
    assert.deepEqual((await world.run(send('one line'))).changes, []);
  });
});
