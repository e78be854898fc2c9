import assert from 'node:assert/strict';
import { agentId, aSpec } from '../../../support/builders';
import { ScriptedTui } from '../../../support/scriptedTui';
import { SupervisedWorld } from '../../../support/supervisedWorld';
import { TmuxError } from '../../../../src/core/tmux/tmuxErrors';

const ID = agentId('reviewer');
const NOTICE = `agent.firstPrompt:${ID}`;
const SECRET = 'look at the secret plan';
const approvalDemo = {
  text: '────\nAllow this command?\n❯ 1. Yes\n  2. No\n────\n  Enter to confirm · Esc to cancel',
};

/** A world with an agent of this type that was started with a first prompt. */
async function started(typeId: string, prepare: (world: SupervisedWorld) => void = () => undefined) {
  const world = new SupervisedWorld();
  for (const program of ['aider', 'copilot', 'cursor-agent']) world.commands.add(program);
  await world.run(world.supervisor.begin());
  await world.run(world.supervisor.create(aSpec({ typeId, firstPrompt: SECRET })));
  prepare(world);
  await world.run(world.supervisor.start(ID));
  await world.clock.advanceMs(5_000);
  await world.run(world.supervisor.state.flush());
  return world;
}

function assertTold(world: SupervisedWorld, why: RegExp): void {
  const notice = world.notices.get(NOTICE);
  assert.deepEqual([notice?.level, notice?.agentId], ['warning', ID]);
  assert.match(notice?.title ?? '', /first prompt of Reviewer was not typed/);
  assert.match(notice?.detail ?? '', why);
  assert.match(notice?.detail ?? '', /Attach to the agent and type it|typed as soon as the agent is free/);
  const line = world.store.lines.find(({ reason }) => reason === 'first_prompt_not_typed');
  assert.match(line?.evidence[0]?.detail ?? '', why);
  assert.match(world.agent().record.evidence[0]?.detail ?? '', why);
  assert.ok((line?.evidence.length ?? 0) > 1, 'what the state rests on stays');
  assert.ok(![...world.raised, ...world.store.lines].some((one) => JSON.stringify(one).includes(SECRET)));
}

describe('the first prompt', () => {
  for (const typeId of ['aider', 'copilot', 'cursor-agent']) {
    it(`is not typed into a ${typeId} agent, and a person learns of it, until the next start`, async () => {
      const world = await started(typeId);
      assert.deepEqual([world.host.pastedTexts(ID), world.agent().record.lifecycle], [[], 'running']);
      assertTold(world, /cannot be typed into safely yet/);
      await world.run(world.supervisor.stop(ID));
      await world.run(world.supervisor.respecify(ID, aSpec({ typeId })));
      await world.run(world.supervisor.start(ID));
      assert.equal(world.notices.has(NOTICE), false);
    });
  }

  const dialogFirst = ({ host }: SupervisedWorld): void => {
    host.onDidLaunch = () => queueMicrotask(() => host.simulateScreen(ID, approvalDemo));
  };
  /** A shell in the foreground of its terminal. */
  const shellFirst = ({ host }: SupervisedWorld): void => {
    host.onDidLaunch = () => queueMicrotask(() => host.simulateScreen(ID, { foreground: 'bash' }));
  };

  it('is not typed into a dialog, and a person learns of it, until the agent is removed', async () => {
    const world = await started('demo', dialogFirst);
    assert.deepEqual(world.host.pastedTexts(ID), []);
    assertTold(world, /asks something first/);
    await world.run(world.supervisor.remove(ID, { stopFirst: true }));
    assert.equal(world.notices.has(NOTICE), false);
  });

  it('is typed once the dialog is gone, and then there is nothing to tell any more', async () => {
    const world = await started('demo', dialogFirst);
    const tui = new ScriptedTui(world.host, ID, world.clock);
    tui.show();
    await world.clock.advanceMs(5_000);
    assert.deepEqual([tui.submitted, world.notices.has(NOTICE)], [[SECRET], false]);
    const [receipt] = await world.supervisor.receipts(ID);
    assert.deepEqual([receipt?.state, receipt?.actor, receipt?.isFirstPrompt], ['acknowledged', 'engine', true]);
  });

  it('that waits for a dialog is taken back by the next run, which brings its own', async () => {
    const world = await started('demo', dialogFirst);
    world.host.onDidLaunch = () => undefined;
    const tui = new ScriptedTui(world.host, ID, world.clock);
    world.host.onDidLaunch = () => queueMicrotask(() => tui.show());
    await world.run(world.supervisor.restart(ID));
    await world.clock.advanceMs(5_000);
    assert.deepEqual(tui.submitted, [SECRET]);
    const states = (await world.supervisor.receipts(ID)).map(({ state, reason }) => [state, reason]);
    assert.deepEqual(states, [['acknowledged', undefined], ['canceled', 'superseded']]); // prettier-ignore
  });

  it('that the host did not take is told as well, with the cause', async () => {
    const world = await started('shell', (made) => {
      shellFirst(made);
      made.host.paste = () => Promise.reject(new TmuxError('tmux.inputTooLarge', 'too large'));
    });
    assertTold(world, /could not be typed, or not completely \(tmux\.inputTooLarge/);
  });

  it('that was typed is nothing to tell', async () => {
    const world = await started('shell', shellFirst);
    assert.deepEqual([world.host.pastedTexts(ID), world.raised], [[SECRET], []]);
  });
});
