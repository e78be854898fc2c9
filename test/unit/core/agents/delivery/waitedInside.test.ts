import assert from 'node:assert/strict';
import type { AgentChange } from '../../../../../src/core/agents/agent';
import type { Agent } from '../../../../../src/core/agents/baseAgent';
import type { PromptDelivery, PromptReceipt } from '../../../../../src/core/agents/delivery/promptDelivery';
import { mayHaveWaited } from '../../../../../src/core/agents/delivery/waitedInside';
import type { Activity, EvidenceSource, Lifecycle } from '../../../../../src/core/agents/agentState';
import { newDelivery, step } from '../../../../../src/core/agents/delivery/deliveryRecord';
import { askerType } from '../../../../support/askerType';
import { agentId } from '../../../../support/builders';
import { ScriptedTui } from '../../../../support/scriptedTui';
import { SupervisedWorld } from '../../../../support/supervisedWorld';

const ID = agentId('reviewer');

describe('a prompt that left the input box while its program worked', () => {
  type Line = readonly [atMs: number, to: Activity | Lifecycle, source?: EvidenceSource, generation?: number];

  /** A history, newest first; what is no activity is a lifecycle. */
  function history(...lines: readonly Line[]): readonly AgentChange[] {
    let from: AgentChange['from'] = { lifecycle: 'starting', activity: 'unknown' };
    return lines
      .map(([atMs, what, source = 'screen', generation = 1]): AgentChange => {
        const isLifecycle = ['starting', 'lost', 'failed', 'stopping', 'stopped', 'backoff'].includes(what);
        const to = (isLifecycle ? { lifecycle: what, activity: 'unknown' } : { lifecycle: 'running', activity: what }) as AgentChange['to']; // prettier-ignore
        const evidence = [{ source, detail: 'seen', observedAtMs: atMs }];
        const line = { id: `${atMs}`, agentId: ID, generation, atMs, from, to, reason: 'r', actor: 'engine', evidence };
        from = to;
        return line;
      })
      .reverse();
  }

  /** Typed at 10 s, out of the box at 11 s. */
  function taken(change: Partial<PromptDelivery> = {}): PromptDelivery {
    const fresh = newDelivery({ id: 'p', agentId: ID, text: 'x', actor: 'person' }, 10_000);
    const typed = step(fresh, 'typing', 10_000, { prepared: 'x', generation: 1 });
    return { ...step(typed, 'acknowledged', 11_000, { evidence: 'screen', cameDuringWork: true }), ...change };
  }

  const busy: readonly Line[] = [[0, 'idle'], [9_000, 'busy']]; // prettier-ignore
  const crash: Line = [20_000, 'failed', 'process'];

  it('may have waited inside until the end, however the run ended', () => {
    assert.equal(mayHaveWaited(taken(), history(...busy, crash)), true);
    assert.equal(mayHaveWaited(taken(), history(...busy, [20_000, 'stopping'], [21_000, 'stopped'])), true);
    assert.equal(mayHaveWaited(taken(), history(...busy, [15_000, 'lost'], [40_000, 'failed'])), true);
    assert.equal(mayHaveWaited(taken(), history(...busy, [15_000, 'awaiting_approval'], crash)), true);
  });

  it('has not when it began the turn, when a hook told of it, nor when a person has settled it', () => {
    const { cameDuringWork: _, ...began } = taken();
    assert.equal(mayHaveWaited(began, history(...busy, crash)), false);
    assert.equal(mayHaveWaited(taken({ evidence: 'hook' }), history(...busy, crash)), false);
    assert.equal(mayHaveWaited(taken({ evidence: 'person' }), history(...busy, crash)), false);
    assert.equal(mayHaveWaited(taken({ state: 'delivery_unknown' }), history(...busy, crash)), false);
  });

  it('has not when the program rested since, in between or at its end', () => {
    assert.equal(mayHaveWaited(taken(), history(...busy, [13_000, 'idle'], [15_100, 'busy'], crash)), false);
    assert.equal(mayHaveWaited(taken(), history(...busy, [13_000, 'idle'], crash)), false);
    assert.equal(mayHaveWaited(taken(), history(...busy, [19_500, 'idle', 'hook'], crash)), false);
  });

  it('may have when the program only seemed to rest: for a moment, between two turns, or before it came', () => {
    assert.equal(mayHaveWaited(taken(), history(...busy, [13_000, 'idle'], [14_000, 'busy'], crash)), true);
    assert.equal(mayHaveWaited(taken(), history(...busy, [13_000, 'idle', 'hook'], [13_100, 'busy'], crash)), true);
    assert.equal(mayHaveWaited(taken(), history(...busy, [19_500, 'idle'], crash)), true);
    const late = history([0, 'idle', 'hook'], [12_000, 'busy'], crash);
    assert.equal(mayHaveWaited(taken(), late), true, 'what it did was noticed late');
    assert.equal(mayHaveWaited(taken(), history([0, 'idle'], [11_900, 'failed'])), true, 'or never');
  });

  it('is judged by its own run when the next has begun, and not by a history that does not reach back to it', () => {
    const next = [[21_000, 'backoff'], [22_000, 'starting', 'policy', 2], [23_000, 'idle', 'hook', 2], [99_000, 'busy', 'hook', 2]] as const satisfies readonly Line[]; // prettier-ignore
    assert.equal(mayHaveWaited(taken(), history(...busy, crash, ...next)), true);
    assert.equal(mayHaveWaited(taken(), history(crash, ...next)), false);
  });
});

interface Scene {
  readonly world: SupervisedWorld;
  readonly tui: ScriptedTui;
  readonly agent: Agent;
  /** Of the prompt that began the turn and of the two that came while it worked. */
  readonly sent: readonly PromptReceipt[];
}

const TEXTS = ['begin', 'and this', 'and that'];

/** A demo agent that works, with two prompts in its queue. */
async function scene(spec: object = {}): Promise<Scene> {
  const world = new SupervisedWorld();
  const tui = new ScriptedTui(world.host, ID, world.clock, { isBusyAfterSubmit: true });
  world.host.onDidLaunch = () => {
    tui.isBusy = false;
    queueMicrotask(() => tui.show());
  };
  const agent = await world.runningAgent({ typeId: 'demo', ...spec });
  await world.clock.advanceMs(2_000);
  const sent: PromptReceipt[] = [];
  for (const text of TEXTS) sent.push(await world.run(world.supervisor.sendPrompt(ID, text)));
  assert.deepEqual(sent.map(({ state, evidence, cameDuringWork = false }) => [state, evidence, cameDuringWork]), [
    ['acknowledged', 'screen', false],
    ['acknowledged', 'screen', true],
    ['acknowledged', 'screen', true],
  ]); // prettier-ignore
  return { world, tui, agent, sent };
}

async function states({ world }: Scene): Promise<readonly string[]> {
  return (await world.supervisor.receipts(ID)).map(({ state }) => state).reverse();
}

/** The history is kept so much later. */
function slowDisk({ store, clock }: SupervisedWorld, ms: number): void {
  const { save } = store;
  store.save = async (...change) => {
    await new Promise<void>((resolve) => void clock.setTimer(ms, resolve));
    return save.apply(store, change);
  };
}

const TOLD = ['acknowledged', 'delivery_unknown', 'delivery_unknown'];

describe('prompts that waited inside a program that ended', () => {
  it('are told once, each by its receipt, when it crashed and a policy has begun the next run', async () => {
    const here = await scene({ restartPolicy: 'always' });
    const { world, sent } = here;
    const told: PromptReceipt[] = [];
    world.supervisor.onDidChangeReceipt((receipt) => told.push(receipt));
    slowDisk(world, 40);
    world.host.simulateExit(ID, { signal: 'SIGKILL' });
    await world.clock.advanceMs(60_000);
    assert.deepEqual([world.agent().record.generation, world.agent().record.lifecycle], [2, 'running']);
    assert.deepEqual(await states(here), TOLD);
    assert.deepEqual(told.map(({ id, reason, generation }) => [id, reason, generation]), [
      [sent[1]?.id, 'ended', 1],
      [sent[2]?.id, 'ended', 1],
    ]); // prettier-ignore
    assert.match(told[0]?.detail ?? '', /may have waited inside the program/);
    assert.equal(world.host.pastedTexts(ID).length, TEXTS.length, 'R7 nothing is typed by itself');
    await world.restart();
    await world.clock.advanceMs(1_000);
    assert.deepEqual([await states(here), told.length], [TOLD, 2]);
  });

  it('are told after a stop, and can be sent again', async () => {
    const here = await scene();
    const { world, sent } = here;
    await world.run(world.supervisor.stop(ID));
    await world.clock.advanceMs(10);
    assert.deepEqual(await states(here), TOLD);
    const again = await world.run(world.supervisor.resendPrompt(sent[1]?.id ?? '', { whenBlocked: 'queue' }));
    assert.equal(again.state, 'queued');
  });

  it('are told of an end while no engine was there, and of one that the engine did not survive', async () => {
    const away = await scene();
    await away.world.supervisor.detach();
    away.world.host.simulateExit(ID, { code: 1 });
    await away.world.restart();
    await away.world.clock.advanceMs(10);
    assert.deepEqual(await states(away), TOLD);
    const cut = await scene({ restartPolicy: 'never' });
    cut.world.deliveries.failure = new Error('killed before it was kept');
    cut.world.host.simulateExit(ID, { code: 1 });
    await cut.world.clock.advanceMs(10);
    cut.world.deliveries.failure = undefined;
    assert.deepEqual(await states(cut), ['acknowledged', 'acknowledged', 'acknowledged']);
    await cut.world.restart();
    await cut.world.clock.advanceMs(10);
    assert.deepEqual(await states(cut), TOLD);
  });

  it('are not those that it took before it came to rest, also when that is kept late', async () => {
    const here = await scene({ restartPolicy: 'never' });
    slowDisk(here.world, 15_000);
    here.tui.isBusy = false;
    here.tui.show();
    await here.world.clock.advanceMs(10_000);
    assert.equal(here.agent.record.activity, 'idle');
    here.world.host.simulateExit(ID, { code: 1 });
    await here.world.clock.advanceMs(120_000);
    assert.deepEqual(await states(here), ['acknowledged', 'acknowledged', 'acknowledged']);
  });

  it('have arrived when a hook tells so after the end, and just before or while it is kept', async () => {
    for (const [heard, when] of [
      ['before', 'acknowledged'],
      ['while', 'delivery_unknown'],
    ] as const) {
      const here = await scene({ restartPolicy: 'never' });
      const { world } = here;
      const hook = (prompt: string): void =>
        world.hooks.fire({ agentId: ID, generation: 1, event: 'P', prompt, observedAtMs: world.clock.nowMs() });
      world.deliveries.beforeSave = async ({ state, text }) => {
        if (text !== 'and that' || state !== when) return;
        if (heard === 'while') hook('and that');
        await new Promise<void>((resolve) => void world.clock.setTimer(40, resolve)); // a slow disk
      };
      if (heard === 'before') hook('and that');
      world.host.simulateExit(ID, { code: 1 });
      await world.clock.advanceMs(200);
      assert.deepEqual([heard, ...(await states(here))], [heard, 'acknowledged', 'delivery_unknown', 'acknowledged']);
      hook('and this');
      await world.clock.advanceMs(10);
      const receipts = await world.supervisor.receipts(ID);
      assert.deepEqual(receipts.map(({ evidence }) => evidence), ['hook', 'hook', 'screen']); // prettier-ignore
      assert.deepEqual(await states(here), ['acknowledged', 'acknowledged', 'acknowledged']);
    }
  });

  it('go with an agent that is removed', async () => {
    const here = await scene();
    await here.world.run(here.world.supervisor.remove(ID, { stopFirst: true }));
    await here.world.clock.advanceMs(1_000);
    assert.equal(here.world.deliveries.deliveries.size, 0);
  });
});

describe('prompts inside a program that tells by hooks', () => {
  it('are lost for a resume, unless a hook told of them, also of a run that is over', async () => {
    const world = new SupervisedWorld();
    world.commands.add('asker');
    const { factory } = world.ports();
    const { id: _, ...demo } = factory.get('demo');
    factory.register({ ...demo, ...askerType, box: demo.box, screenRules: demo.screenRules, inject: {}, approval: undefined } as never); // prettier-ignore
    world.supervisor.dispose();
    world.supervisor = world.make({ factory });
    const tui = new ScriptedTui(world.host, ID, world.clock, { isBusyAfterSubmit: true });
    world.host.onDidLaunch = () => queueMicrotask(() => tui.show());
    const agent = await world.runningAgent({ typeId: 'asker', restartPolicy: 'never' });
    const session = agent.record.sessionId;
    const tell = async (prompt: string): Promise<void> => {
      const report = { agentId: ID, generation: 1, event: 'Prompt', payload: { prompt, session }, sentAtMs: world.clock.nowMs(), isLate: true }; // prettier-ignore
      await world.supervisor.hooks.report(report, new AbortController().signal);
    };
    await world.clock.advanceMs(2_000);
    const sending = world.supervisor.sendPrompt(ID, 'begin');
    await world.clock.advanceMs(1_000);
    await tell('begin');
    const sent = [await world.run(sending)];
    for (const text of ['and this', 'and that']) sent.push(await world.run(world.supervisor.sendPrompt(ID, text)));
    assert.deepEqual(sent.map(({ evidence }) => evidence), ['hook', 'screen', 'screen']); // prettier-ignore
    world.host.simulateExit(ID, { signal: 'SIGKILL' });
    await world.clock.advanceMs(10);
    await tell('and this');
    await world.clock.advanceMs(10);
    const states = (await world.supervisor.receipts(ID)).map(({ state, evidence }) => [state, evidence]);
    assert.deepEqual(states, [['delivery_unknown', 'screen'], ['acknowledged', 'hook'], ['acknowledged', 'hook']]); // prettier-ignore
    tui.isBusy = false;
    const report = await world.run(world.supervisor.resumeSession(ID));
    assert.deepEqual(report.lostPrompts.map(({ id }) => id), [sent[2]?.id]); // prettier-ignore
    assert.equal(report.interruptedPrompt?.id, sent[1]?.id, 'it was taken out of the queue, and then cut');
  });
});
