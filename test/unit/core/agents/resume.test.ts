import assert from 'node:assert/strict';
import { AgentError } from '../../../../src/core/agents/agentErrors';
import type { Agent } from '../../../../src/core/agents/baseAgent';
import type { PromptReceipt } from '../../../../src/core/agents/delivery/promptDelivery';
import { newSessionId, type ResumeReport } from '../../../../src/core/agents/sessionResume';
import { UlidIds } from '../../../../src/core/base/ids';
import { askerType, askingScreen } from '../../../support/askerType';
import { agentId } from '../../../support/builders';
import { SupervisedWorld } from '../../../support/supervisedWorld';

const ID = agentId('reviewer');
const isRefused = (error: unknown): boolean => AgentError.is(error, 'agent.cannotResume');

class World extends SupervisedWorld {
  screen = '> ';

  async begin(spec: object = {}, changes: object = {}): Promise<Agent> {
    this.commands.add('asker');
    const { factory } = this.ports();
    factory.register({ ...askerType, ...changes });
    this.supervisor.dispose();
    this.supervisor = this.make({ factory });
    this.host.onDidLaunch = ({ agentId: id }) => this.host.simulateScreen(id, { text: this.screen });
    return this.runningAgent({ typeId: 'asker', ...spec });
  }

  async say(prompt: string, session = this.agent().record.sessionId): Promise<void> {
    await this.tell('Prompt', { prompt, session });
  }

  async tell(event: string, payload: unknown): Promise<void> {
    const { generation } = this.agent().record;
    const report = { agentId: ID, generation, event, payload, sentAtMs: this.clock.nowMs(), isLate: false };
    await this.supervisor.hooks.report(report, new AbortController().signal);
    await this.clock.advanceMs(1_000);
  }

  /** The program that is started next ends at once with `code` and these last words. */
  refuseNext(words: string, code = 1): void {
    this.host.onDidLaunch = ({ agentId: id }) => {
      this.host.setScreen(id, { text: words });
      this.host.simulateExit(id, { code });
      this.host.onDidLaunch = ({ agentId: next }) => this.host.simulateScreen(next, { text: '> ' });
    };
  }

  get lastArgv(): readonly string[] {
    return this.host.launchedSpecs(ID).at(-1)?.argv ?? [];
  }
}

describe('resuming a conversation', () => {
  it('starts in the conversation it had, by its id, without its first prompt', async () => {
    const world = new World();
    const agent = await world.begin({ firstPrompt: 'begin' });
    const { sessionId = '' } = agent.record;
    assert.deepEqual(world.lastArgv, ['asker', '--session', sessionId]);
    await world.say('begin');
    await world.run(world.supervisor.stop(ID));
    assert.equal(world.supervisor.isResumable(ID), true);
    const pasted = world.host.pastedTexts(ID).length;
    const report = await world.run(world.supervisor.resumeSession(ID));
    assert.deepEqual([world.lastArgv, report.sessionId], [['asker', '--resume', sessionId], sessionId]);
    assert.deepEqual(
      [agent.record.sessionId, agent.record.hasSessionTurn, agent.record.lifecycle],
      [sessionId, true, 'running'],
    );
    await world.clock.advanceMs(10_000);
    assert.equal(world.host.pastedTexts(ID).length, pasted);
  });

  it('says what an interrupted turn has lost, and nothing after a finished one', async () => {
    const world = new World();
    await world.begin();
    world.screen = 'Working';
    world.host.simulateScreen(ID, { text: 'Working' });
    await world.say('long work');
    await world.run(world.supervisor.stop(ID));
    world.screen = '> ';
    assert.deepEqual((await world.run(world.supervisor.resumeSession(ID))).losses, askerType.session.losses);
    await world.clock.advanceMs(2_000);
    await world.tell('Stop', {});
    assert.equal(world.agent().record.activity, 'idle');
    await world.run(world.supervisor.stop(ID));
    assert.deepEqual((await world.run(world.supervisor.resumeSession(ID))).losses, []);
  });

  it('does not take what a program shows while it is being killed for the end of its turn', async () => {
    const losses = async (idleMs: number): Promise<readonly string[]> => {
      const world = new World();
      await world.begin();
      await world.say('hello');
      await world.tell('Stop', {});
      // A turn that no hook ends: only its screen shows an empty box in the end.
      world.host.simulateScreen(ID, { text: 'Working' });
      await world.say('long work');
      await world.clock.advanceMs(5_000);
      assert.equal(world.agent().record.activity, 'busy');
      for (let i = 0; i < 5; i++) {
        world.host.simulateScreen(ID, { text: '> ' });
        await world.clock.advanceMs(200);
      }
      assert.equal(world.agent().record.activity, 'idle');
      await world.clock.advanceMs(idleMs);
      world.host.simulateExit(ID, { signal: 'SIGKILL' });
      await world.clock.advanceMs(10);
      return (await world.run(world.supervisor.resumeSession(ID))).losses;
    };
    assert.deepEqual(await losses(0), askerType.session.losses);
    assert.deepEqual(await losses(10_000), []);
  });

  it('refuses, and starts nothing, while it runs, before anything was said, and where it cannot be done', async () => {
    const world = new World();
    await world.begin();
    await assert.rejects(world.run(world.supervisor.resumeSession(ID)), isRefused);
    await world.run(world.supervisor.stop(ID));
    assert.equal(world.supervisor.isResumable(ID), false);
    await assert.rejects(world.run(world.supervisor.resumeSession(ID)), isRefused);
    assert.equal(world.launches(), 1);
    const plain = new World();
    await plain.runningAgent();
    await plain.run(plain.supervisor.stop(ID));
    await assert.rejects(plain.run(plain.supervisor.resumeSession(ID)), isRefused);
  });

  it('tells why the program refused, in its own words, and leaves the agent ended', async () => {
    const world = new World();
    const agent = await world.begin({ restartPolicy: 'always' });
    await world.say('hello');
    await world.run(world.supervisor.stop(ID));
    world.refuseNext('No conversation found with session ID: 123\n');
    await assert.rejects(
      world.run(world.supervisor.resumeSession(ID)),
      (error) => AgentError.is(error, 'agent.cannotResume') && error.detail.includes('No conversation found'),
    );
    assert.deepEqual(
      [agent.record.lifecycle, agent.record.desired, agent.record.reason],
      ['failed', 'stopped', 'cannot_resume'],
    );
    await world.clock.advanceMs(120_000);
    assert.equal(world.launches(), 2);
  });

  it('a start is a new conversation; a conversation belongs to its folder', async () => {
    const world = new World();
    const agent = await world.begin();
    await world.say('hello');
    const { sessionId, spec } = agent.record;
    await world.run(world.supervisor.restart(ID));
    assert.notEqual(agent.record.sessionId, sessionId);
    assert.deepEqual([world.lastArgv[1], agent.record.hasSessionTurn], ['--session', false]);
    await world.say('hello');
    await world.run(world.supervisor.stop(ID));
    world.folders.add('/elsewhere');
    await world.run(world.supervisor.respecify(ID, { ...spec, folder: '/elsewhere' }));
    assert.equal(world.supervisor.isResumable(ID), false);
  });

  it('resumes after a new owner took over', async () => {
    const world = new World();
    await world.begin();
    await world.say('hello');
    const { sessionId } = world.agent().record;
    await world.run(world.supervisor.stop(ID));
    await world.supervisor.detach();
    const { factory } = world.ports();
    factory.register(askerType);
    world.supervisor = world.make({ factory });
    await world.run(world.supervisor.begin());
    await world.run(world.supervisor.resumeSession(ID));
    assert.deepEqual(world.lastArgv, ['asker', '--resume', sessionId]);
  });
});

describe('the prompt of an interrupted turn', () => {
  /** Sends a prompt and lets the program tell that it took it. */
  async function ask(world: World, text: string): Promise<PromptReceipt> {
    return taken(world, world.supervisor.sendPrompt(ID, text), text);
  }

  async function taken(world: World, sending: Promise<PromptReceipt>, text: string): Promise<PromptReceipt> {
    await world.clock.advanceMs(1_000);
    world.host.simulateScreen(ID, { text: 'Working' });
    await world.say(text);
    return sending;
  }

  async function endTurn(world: World): Promise<void> {
    world.host.simulateScreen(ID, { text: '> ' });
    await world.tell('Stop', {});
  }

  async function killAndResume(world: World): Promise<ResumeReport> {
    world.screen = '> ';
    world.host.simulateExit(ID, { signal: 'SIGKILL' });
    await world.clock.advanceMs(10);
    return world.run(world.supervisor.resumeSession(ID));
  }

  /** One prompt that was answered, and one that was not. */
  async function interrupted(): Promise<{ world: World; first: PromptReceipt; second: PromptReceipt }> {
    const world = new World();
    await world.begin({}, { inject: {} }); // its hooks are expected to tell
    const first = await ask(world, 'first');
    await endTurn(world);
    const second = await ask(world, 'second');
    assert.deepEqual([first.evidence, second.evidence, world.agent().record.activity], ['hook', 'hook', 'busy']);
    return { world, first, second };
  }

  const isNotAllowed = (error: unknown): boolean => AgentError.is(error, 'agent.notAllowed');

  it('is told, as no lost one, and is sent a second time when that is asked for, once', async () => {
    const { world, first, second } = await interrupted();
    await assert.rejects(world.run(world.supervisor.resendPrompt(second.id)), isNotAllowed, 'before the end');
    const report = await killAndResume(world);
    assert.deepEqual([report.interruptedPrompt?.id, report.lostPrompts], [second.id, []]);
    const pasted = world.host.pastedTexts(ID).length;
    await world.clock.advanceMs(60_000);
    assert.equal(world.host.pastedTexts(ID).length, pasted, 'R7 nothing is typed by itself');
    await assert.rejects(world.run(world.supervisor.resendPrompt(first.id)), isNotAllowed);
    const sending = world.supervisor.resendPrompt(second.id);
    await assert.rejects(world.supervisor.resendPrompt(second.id), isNotAllowed, 'while it is under way');
    const again = await taken(world, sending, 'second');
    assert.notEqual(again.id, second.id);
    assert.deepEqual([again.state, world.host.pastedTexts(ID).slice(pasted)], ['acknowledged', ['second']]);
    await assert.rejects(world.run(world.supervisor.resendPrompt(second.id)), isNotAllowed, 'a third time');
  });

  it('is not told, and nothing is told as lost, once it was sent again', async () => {
    const { world, second } = await interrupted();
    await killAndResume(world);
    const again = await taken(world, world.supervisor.resendPrompt(second.id), 'second');
    const [newest] = await world.supervisor.receipts(ID);
    assert.equal(newest?.id, again.id);
    const kept = world.deliveries.deliveries.get(second.id);
    assert.equal(kept?.resentAs, again.id);
    world.deliveries.deliveries.set(second.id, { ...kept, state: 'delivery_unknown' });
    const report = await killAndResume(world);
    assert.deepEqual([report.interruptedPrompt?.id, report.lostPrompts], [again.id, []]);
  });

  it('stays on offer while the agent cannot be typed into, and only in the run that the offer was made for', async () => {
    const { world, second } = await interrupted();
    await killAndResume(world);
    await world.run(world.supervisor.pause(ID));
    await assert.rejects(world.run(world.supervisor.resendPrompt(second.id)), (error) =>
      AgentError.is(error, 'agent.paused'),
    );
    await world.run(world.supervisor.restart(ID));
    await assert.rejects(world.run(world.supervisor.resendPrompt(second.id)), isNotAllowed);
    const other = await interrupted();
    await killAndResume(other.world);
    await other.world.run(other.world.supervisor.pause(ID));
    await assert.rejects(other.world.run(other.world.supervisor.resendPrompt(other.second.id)));
    await other.world.run(other.world.supervisor.resume(ID));
    const again = await taken(other.world, other.world.supervisor.resendPrompt(other.second.id), 'second');
    assert.equal(again.state, 'acknowledged');
  });

  it('is the one that began the turn, not one that the program took into it', async () => {
    const { world, second } = await interrupted();
    const steered = await ask(world, 'and this');
    const report = await killAndResume(world);
    assert.deepEqual([report.interruptedPrompt?.id, report.lostPrompts], [second.id, []]);
    await assert.rejects(world.run(world.supervisor.resendPrompt(steered.id)), isNotAllowed);
  });

  it('is the same one after a question inside the turn, and after what was drawn while it was killed', async () => {
    const { world, second } = await interrupted();
    for (const [text, activity] of [
      [askingScreen('ls'), 'awaiting_approval'],
      ['Working', 'busy'],
      ['> ', 'idle'],
    ] as const) {
      world.host.simulateScreen(ID, { text });
      await world.clock.advanceMs(activity === 'idle' ? 1_200 : 5_000);
      assert.equal(world.agent().record.activity, activity);
    }
    assert.equal((await killAndResume(world)).interruptedPrompt?.id, second.id);
  });

  it('is the same one when a slow program shows for a moment that it rests', async () => {
    const { world, second } = await interrupted();
    for (const [text, activity, forMs] of [
      ['> ', 'idle', 1_200],
      ['Working', 'busy', 500],
    ] as const) {
      world.host.simulateScreen(ID, { text });
      await world.clock.advanceMs(forMs);
      assert.equal(world.agent().record.activity, activity);
    }
    assert.equal((await killAndResume(world)).interruptedPrompt?.id, second.id);
  });

  it('is known although the store is slow to take how the run ended', async () => {
    const { world, second } = await interrupted();
    const save = world.store.save.bind(world.store);
    world.store.save = async (...change) => {
      await new Promise<void>((resolve) => void world.clock.setTimer(40, resolve));
      return save(...change);
    };
    assert.equal((await killAndResume(world)).interruptedPrompt?.id, second.id);
  });

  it('is none after a finished turn, nor of a turn that was begun in the terminal', async () => {
    const finished = await interrupted();
    await endTurn(finished.world);
    assert.equal((await killAndResume(finished.world)).interruptedPrompt, undefined);
    const typed = await interrupted();
    await endTurn(typed.world);
    typed.world.host.simulateScreen(ID, { text: 'Working' });
    await typed.world.say('typed by the person');
    const report = await killAndResume(typed.world);
    assert.deepEqual([report.losses, report.interruptedPrompt], [askerType.session.losses, undefined]);
  });
});

describe('an error of an earlier run that is still drawn', () => {
  const failing = {
    ...askerType,
    screenRules: [{ id: 'failed', activity: 'error', where: 'bottom', pattern: '^Failed' }, ...askerType.screenRules],
  } as const;

  async function adopted(world: World): Promise<void> {
    await world.supervisor.detach();
    const { factory } = world.ports();
    factory.register(failing);
    world.supervisor = world.make({ factory });
    await world.run(world.supervisor.begin());
    await world.clock.advanceMs(5_000);
  }

  it('is no state of the run that goes on, nor after another engine has taken it over, until its next turn', async () => {
    const world = new World();
    await world.begin({}, { screenRules: failing.screenRules });
    await world.say('hello');
    await world.run(world.supervisor.stop(ID));
    world.screen = 'Failed\n> ';
    await world.run(world.supervisor.resumeSession(ID));
    await world.clock.advanceMs(5_000);
    assert.equal(world.agent().record.activity, 'idle');
    await adopted(world);
    assert.equal(world.agent().record.activity, 'idle');
    await world.say('try again');
    await world.tell('Stop', {});
    await world.clock.advanceMs(5_000);
    assert.equal(world.agent().record.activity, 'error');
    await adopted(world);
    assert.equal(world.agent().record.activity, 'error', 'its own error lasts');
  });
});

describe('restarts by policy', () => {
  it('go on with the conversation once something was said in it, else begin a new one', async () => {
    const world = new World();
    const agent = await world.begin();
    world.host.simulateExit(ID, { code: 1 });
    await world.clock.advanceMs(60_000);
    assert.deepEqual([world.launches(), world.lastArgv[1]], [2, '--session']);
    await world.say('hello');
    const { sessionId } = agent.record;
    world.host.simulateExit(ID, { signal: 'SIGKILL' });
    await world.clock.advanceMs(60_000);
    assert.deepEqual(
      [world.launches(), world.lastArgv, agent.record.lifecycle],
      [3, ['asker', '--resume', sessionId], 'running'],
    );
  });

  it('begin a new conversation when the program refuses the old one', async () => {
    const world = new World();
    const agent = await world.begin();
    await world.say('hello');
    world.refuseNext('No conversation found');
    world.host.simulateExit(ID, { code: 1 });
    await world.clock.advanceMs(120_000);
    assert.deepEqual([world.launches(), world.lastArgv[1], agent.record.lifecycle], [3, '--session', 'running']);
  });
});

describe('newSessionId', () => {
  it('is a UUID version 7 that carries its time and differs each time', () => {
    const ids = new UlidIds(() => 0x0198d0c01111, (size) => new Uint8Array(size).fill(7)); // prettier-ignore
    const [one, other] = [newSessionId(ids), newSessionId(ids)];
    assert.match(one, /^0198d0c0-1111-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.notEqual(one, other);
  });
});
