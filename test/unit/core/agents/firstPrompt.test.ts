import assert from 'node:assert/strict';
import { agentId, aSpec } from '../../../support/builders';
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
  await world.run(world.supervisor.state.flush());
  return world;
}

function assertTold(world: SupervisedWorld, why: RegExp): void {
  const notice = world.notices.get(NOTICE);
  assert.deepEqual([notice?.level, notice?.agentId], ['warning', ID]);
  assert.match(notice?.title ?? '', /first prompt of Reviewer was not typed/);
  assert.match(notice?.detail ?? '', why);
  assert.match(notice?.detail ?? '', /Attach to the agent and type it/);
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

  it('is not typed into a dialog, and a person learns of it, until the agent is removed', async () => {
    const world = await started('demo', ({ host }) => {
      host.onDidLaunch = () => queueMicrotask(() => host.simulateScreen(ID, approvalDemo));
    });
    assert.deepEqual(world.host.pastedTexts(ID), []);
    assertTold(world, /asks something first/);
    await world.run(world.supervisor.remove(ID, { stopFirst: true }));
    assert.equal(world.notices.has(NOTICE), false);
  });

  it('that the host did not take is told as well, with the cause', async () => {
    const world = await started('shell', ({ host }) => {
      host.paste = () => Promise.reject(new TmuxError('tmux.inputTooLarge', 'too large'));
    });
    assertTold(world, /could not be typed, or not completely \(tmux\.inputTooLarge/);
  });

  it('that was typed is nothing to tell', async () => {
    const world = await started('shell');
    assert.deepEqual([world.host.pastedTexts(ID), world.raised], [[SECRET], []]);
  });
});
