import assert from 'node:assert/strict';
import { AgentError } from '../../../../../src/core/agents/agentErrors';
import type { Agent } from '../../../../../src/core/agents/baseAgent';
import type { DeliveryState, PromptReceipt } from '../../../../../src/core/agents/delivery/promptDelivery';
import { TmuxError } from '../../../../../src/core/tmux/tmuxErrors';
import { agentId } from '../../../../support/builders';
import { ScriptedTui, type TuiManners } from '../../../../support/scriptedTui';
import { SupervisedWorld } from '../../../../support/supervisedWorld';

const ID = agentId('reviewer');

interface Scene {
  readonly world: SupervisedWorld;
  readonly tui: ScriptedTui;
  readonly agent: Agent;
}

/** A demo agent that runs, rests and has an empty box. */
async function scene(manners: TuiManners = {}): Promise<Scene> {
  const world = new SupervisedWorld();
  const tui = new ScriptedTui(world.host, ID, world.clock, manners);
  world.host.onDidLaunch = () => queueMicrotask(() => tui.show());
  const agent = await world.runningAgent({ typeId: 'demo' });
  await world.clock.advanceMs(2_000);
  return { world, tui, agent };
}

const withCode = (code: string) => (error: unknown) => (error as { code?: string }).code === code;

/** States in the order in which they were kept. */
const kept = ({ world }: Scene): readonly DeliveryState[] => world.deliveries.saves.map(({ state }) => state);

const pastes = ({ world }: Scene): number => world.host.pastedTexts(ID).length;

function hook({ world, agent }: Scene, prompt: string, generation = agent.record.generation): void {
  world.hooks.fire({ agentId: ID, generation, event: 'UserPromptSubmit', prompt, observedAtMs: world.clock.nowMs() });
}

async function last({ world }: Scene): Promise<PromptReceipt> {
  const [receipt] = await world.supervisor.receipts(ID);
  assert.ok(receipt);
  return receipt;
}

describe('a prompt to a free agent', () => {
  it('is kept before each act, pasted once, submitted, and acknowledged by the screen', async () => {
    const here = await scene();
    const acts: string[] = [];
    here.world.deliveries.beforeSave = ({ state }) => void acts.push(state);
    const { paste, pressIf } = here.world.host;
    here.world.host.paste = (id, text) => (acts.push('paste'), paste(id, text));
    here.world.host.pressIf = (id, keys, isExpected) => (acts.push('press'), pressIf(id, keys, isExpected));
    const receipt = await here.world.run(here.world.supervisor.sendPrompt(ID, 'look at it'));
    assert.deepEqual(acts, ['typing', 'paste', 'typed', 'submitted', 'press', 'acknowledged']);
    assert.deepEqual(here.tui.submitted, ['look at it']);
    assert.deepEqual(
      [receipt.state, receipt.evidence, receipt.submitCount, receipt.actor, receipt.excerpt, receipt.generation],
      ['acknowledged', 'screen', 1, 'person', 'look at it', 1],
    );
    assert.ok(!('text' in receipt) && !('prepared' in receipt));
    assert.deepEqual(await here.world.supervisor.receipts(ID), [receipt]);
    assert.deepEqual(here.world.supervisor.promptsOf(ID), {
      lastReceipt: receipt,
      queuedPromptCount: 0,
      unsurePromptCount: 0,
    });
  });

  it('waits no longer than it must: 800 ms without hooks, 300 ms with them', async () => {
    const here = await scene();
    await here.world.run(here.world.supervisor.sendPrompt(ID, 'first'));
    for (const [withHook, limitMs] of [
      [false, 800],
      [true, 300],
    ] as const) {
      if (withHook) hook(here, 'the program has hooks');
      await here.world.clock.advanceMs(1_000);
      const startedMs = here.world.clock.monotonicMs();
      let endedMs = Infinity;
      const sent = here.world.supervisor.sendPrompt(ID, withHook ? 'again' : 'once more').then((receipt) => {
        endedMs = here.world.clock.monotonicMs();
        return receipt;
      });
      for (let ms = 0; ms < 1_000; ms += 10) {
        await here.world.clock.advanceMs(10);
        if (withHook && here.tui.submitted.length === 3 && ms % 50 === 0) hook(here, 'again');
      }
      assert.equal((await sent).evidence, withHook ? 'hook' : 'screen');
      assert.ok(endedMs - startedMs <= limitMs, `${endedMs - startedMs} ms`);
    }
  });

  it('is acknowledged by a hook that carries it, however the program draws it', async () => {
    const here = await scene({ collapses: true });
    hook(here, 'something else');
    const text = Array.from({ length: 60 }, (_, index) => `line ${index}\tof a long text`).join('\n');
    const sent = here.world.supervisor.sendPrompt(ID, text);
    for (let ms = 0; ms < 1_000 && here.tui.submitted.length === 0; ms += 50) await here.world.clock.advanceMs(50);
    hook(here, 'not this one');
    hook(here, text.replaceAll('\t', '    '), 99);
    await here.world.clock.advanceMs(200);
    assert.equal((await last(here)).state, 'submitted');
    hook(here, text.replaceAll('\t', '    '));
    assert.equal((await here.world.run(sent)).evidence, 'hook');
    assert.deepEqual(here.tui.submitted, [text]);
  });

  it('R7 is not believed to have arrived by an empty box where a hook of this run should have told', async () => {
    const here = await scene();
    hook(here, 'the program has hooks');
    await assert.rejects(
      here.world.run(here.world.supervisor.sendPrompt(ID, 'quit!')),
      withCode('agent.deliveryUnknown'),
    );
    assert.deepEqual(here.tui.submitted, ['quit!'], 'the program ran it as a command that its type does not know');
    const receipt = await last(here);
    assert.deepEqual([receipt.state, receipt.reason, receipt.evidence], ['delivery_unknown', 'no_evidence', undefined]);
    assert.match(receipt.detail ?? '', /did not tell/);
    await assert.rejects(here.world.run(here.world.supervisor.sendPrompt(ID, 'x')), withCode('agent.deliveryUnknown'));
    hook(here, 'x');
    await here.world.clock.advanceMs(0);
    assert.deepEqual([(await last(here)).state, (await last(here)).evidence], ['acknowledged', 'hook']);
  });

  it('is acknowledged by a hook that comes late, and by no other prompt before', async () => {
    const here = await scene();
    hook(here, 'the program has hooks');
    const sent = here.world.supervisor.sendPrompt(ID, 'x');
    await here.world.clock.advanceMs(6_000);
    assert.equal((await last(here)).state, 'submitted');
    hook(here, 'x');
    assert.equal((await here.world.run(sent)).evidence, 'hook');
  });

  it('is believed by an empty box when the program told of a prompt in other words', async () => {
    const here = await scene();
    hook(here, 'the program has hooks');
    const sent = here.world.supervisor.sendPrompt(ID, 'see it');
    await here.world.clock.advanceMs(1_000);
    hook(here, 'see it, and what a plug-in added');
    const receipt = await here.world.run(sent);
    assert.equal(receipt.evidence, 'screen');
    assert.match(receipt.detail ?? '', /in other words/);
  });

  it('to a program that works is believed by the empty box after 2 s: its hook tells when the turn begins', async () => {
    const here = await scene();
    hook(here, 'the program has hooks');
    here.tui.isBusy = true;
    here.tui.manners.isBusyAfterSubmit = true;
    here.tui.show();
    await here.world.clock.advanceMs(1_000);
    const startedMs = here.world.clock.monotonicMs();
    const receipt = await here.world.run(here.world.supervisor.sendPrompt(ID, 'x'));
    assert.equal(receipt.evidence, 'screen');
    assert.match(receipt.detail ?? '', /while the program worked/);
    assert.ok(here.world.clock.monotonicMs() - startedMs >= 2_000);
  });

  it('R7 is not confirmed by the hook of an equal prompt before it', async () => {
    const here = await scene();
    hook(here, 'the program has hooks');
    here.tui.isBusy = true;
    here.tui.manners.isBusyAfterSubmit = true;
    here.tui.show();
    await here.world.clock.advanceMs(1_000);
    const first = await here.world.run(here.world.supervisor.sendPrompt(ID, 'continue'));
    assert.equal(first.evidence, 'screen');
    const ended: PromptReceipt[] = [];
    void here.world.supervisor.sendPrompt(ID, 'continue').then((receipt) => ended.push(receipt));
    for (let ms = 0; ms < 1_000 && here.tui.draft !== 'continue'; ms += 10) await here.world.clock.advanceMs(10);
    hook(here, 'continue');
    await here.world.clock.advanceMs(20);
    assert.deepEqual(ended, [], 'the first one was told of');
    assert.equal((await here.world.supervisor.receipts(ID)).find(({ id }) => id === first.id)?.evidence, 'hook');
    for (let ms = 0; ms < 1_000 && here.tui.submitted.length < 2; ms += 10) await here.world.clock.advanceMs(10);
    assert.deepEqual(here.tui.submitted, ['continue', 'continue']);
    hook(here, 'continue');
    await here.world.clock.advanceMs(100);
    assert.deepEqual(
      ended.map(({ evidence }) => evidence),
      ['hook'],
    );
  });

  it('R7 is submitted once when the program does not get round to reading the key for seconds', async () => {
    const here = await scene({ stallMs: 4_000 });
    const receipt = await here.world.run(here.world.supervisor.sendPrompt(ID, 'only once'));
    assert.deepEqual([receipt.state, receipt.submitCount], ['acknowledged', 1]);
    assert.deepEqual(here.tui.submitted, ['only once']);
  });

  it('says how it was changed', async () => {
    const here = await scene();
    const receipt = await here.world.run(here.world.supervisor.sendPrompt(ID, ' a\r\nb\u001b[201~ '));
    assert.deepEqual(here.tui.submitted, ['a\nb']);
    assert.deepEqual(
      receipt.changes.map(({ kind }) => kind),
      ['line_endings', 'escape_sequences', 'trimmed'],
    );
  });

  it('is submitted again while the same draft is still there, and never pasted again', async () => {
    const here = await scene({ swallowedEnters: 2 });
    const receipt = await here.world.run(here.world.supervisor.sendPrompt(ID, 'x'));
    assert.deepEqual([receipt.state, receipt.submitCount, pastes(here)], ['acknowledged', 3, 1]);
    const enters = here.tui.events.filter(({ what }) => what === 'Enter').map(({ atMs }) => atMs);
    const gaps = enters.slice(1).map((atMs, index) => atMs - (enters[index] ?? 0));
    assert.ok((gaps[0] ?? 0) >= 500 && (gaps[1] ?? 0) >= 1_000, String(gaps));
    assert.deepEqual(here.tui.submitted, ['x']);
  });

  it('that never comes into the box has failed', async () => {
    const here = await scene({ swallowsPaste: true });
    await assert.rejects(here.world.run(here.world.supervisor.sendPrompt(ID, 'x')), withCode('agent.deliveryFailed'));
    const receipt = await last(here);
    assert.deepEqual([receipt.state, receipt.reason, receipt.submitCount], ['failed', 'no_draft', 0]);
    hook(here, 'x');
    await here.world.clock.advanceMs(0);
    assert.deepEqual([(await last(here)).state, (await last(here)).evidence], ['acknowledged', 'hook']);
  });

  it('that the submit key does not move is unknown, and the text stays where it is', async () => {
    const here = await scene({ swallowedEnters: 99 });
    await assert.rejects(here.world.run(here.world.supervisor.sendPrompt(ID, 'x')), withCode('agent.deliveryUnknown'));
    const receipt = await last(here);
    assert.deepEqual([receipt.state, receipt.reason], ['delivery_unknown', 'not_submitted']);
    assert.deepEqual([pastes(here), here.tui.draft], [1, 'x']);
  });

  it('is not submitted together with what somebody types at the same time', async () => {
    const here = await scene({ typedBeside: ' and mine' });
    await assert.rejects(
      here.world.run(here.world.supervisor.sendPrompt(ID, 'x y z')),
      withCode('agent.deliveryUnknown'),
    );
    assert.equal((await last(here)).reason, 'draft_mixed');
    assert.deepEqual(here.tui.submitted, []);
  });

  it('S4 is never submitted into a dialog that comes up after the paste', async () => {
    const here = await scene({ redrawMs: 50 });
    const sent = here.world.supervisor.sendPrompt(ID, 'x');
    while (here.tui.events.length === 0) await here.world.clock.advanceMs(5);
    await here.world.clock.advanceMs(60);
    here.tui.dialog = true;
    here.tui.show();
    await here.world.clock.advanceMs(3_000);
    assert.deepEqual([here.tui.answered, here.tui.submitted], [[], []]);
    here.tui.dialog = false;
    here.tui.show();
    assert.equal((await here.world.run(sent)).state, 'acknowledged');
    assert.deepEqual([here.tui.answered, here.tui.submitted, pastes(here)], [[], ['x'], 1]);
  });

  it('leaves the copy mode that a person forgot', async () => {
    const here = await scene();
    here.world.host.setScreen(ID, { isInCopyMode: true });
    assert.equal((await here.world.run(here.world.supervisor.sendPrompt(ID, 'x'))).state, 'acknowledged');
    assert.deepEqual(here.tui.submitted, ['x']);
  });

  it('of a type that shows nothing is typed and submitted, and its receipt is honest', async () => {
    const world = new SupervisedWorld();
    await world.runningAgent({ typeId: 'command', command: ['true'] });
    const receipt = await world.run(world.supervisor.sendPrompt(ID, 'x'));
    assert.deepEqual([receipt.state, receipt.reason], ['delivery_unknown', 'no_evidence_possible']);
    assert.deepEqual([world.host.pastedTexts(ID), world.host.pressedKeys(ID)], [['x'], ['Enter']]);
  });

  it('is not typed into the program that a shell runs', async () => {
    const world = new SupervisedWorld();
    await world.runningAgent({ typeId: 'shell' });
    world.host.simulateScreen(ID, { foreground: 'vim' });
    await assert.rejects(world.run(world.supervisor.sendPrompt(ID, 'x')), withCode('agent.notReady'));
    assert.deepEqual(world.host.pastedTexts(ID), []);
  });

  it('that cannot be kept is not typed', async () => {
    const here = await scene();
    here.world.deliveries.failure = new Error('disk full');
    await assert.rejects(here.world.run(here.world.supervisor.sendPrompt(ID, 'x')), /disk full/);
    assert.equal(pastes(here), 0);
  });

  it('whose submission cannot be kept is not submitted', async () => {
    const here = await scene();
    here.world.deliveries.beforeSave = ({ state }) => {
      if (state === 'submitted') here.world.deliveries.failure = new Error('disk full');
    };
    await assert.rejects(here.world.run(here.world.supervisor.sendPrompt(ID, 'x')), /disk full/);
    assert.deepEqual([pastes(here), here.tui.submitted, here.tui.draft], [1, [], 'x']);
  });

  it('that the terminal refuses has failed, with the cause', async () => {
    const here = await scene();
    here.world.host.paste = () => Promise.reject(new TmuxError('tmux.inputTooLarge', 'paste-buffer'));
    await assert.rejects(here.world.run(here.world.supervisor.sendPrompt(ID, 'x')), withCode('tmux.inputTooLarge'));
    assert.deepEqual([(await last(here)).state, (await last(here)).reason], ['failed', 'not_taken']);
  });

  it('that may have been pasted when the terminal did not answer is unknown', async () => {
    const here = await scene();
    here.world.host.paste = () => Promise.reject(new TmuxError('tmux.timeout', 'paste-buffer'));
    await assert.rejects(here.world.run(here.world.supervisor.sendPrompt(ID, 'x')), withCode('agent.deliveryUnknown'));
  });

  it('that is empty is refused', async () => {
    const here = await scene();
    for (const text of ['', ' \n\t', '\u001b[201~'])
      await assert.rejects(here.world.run(here.world.supervisor.sendPrompt(ID, text)), withCode('agent.notAllowed'));
    assert.deepEqual(kept(here), []);
  });
});

describe('a prompt to an agent that is blocked', () => {
  const blocks: readonly (readonly [
    what: string,
    code: string,
    reason: string,
    block: (tui: ScriptedTui) => void,
    free: (tui: ScriptedTui) => void,
  ])[] = [
    ['a dialog', 'agent.dialogOpen', 'dialog_open', (tui) => (tui.dialog = true), (tui) => (tui.dialog = false)],
    [
      "a person's draft",
      'agent.draftInBox',
      'draft_in_box',
      (tui) => (tui.draft = 'half a thou'),
      (tui) => (tui.draft = ''),
    ],
    [
      'a hidden box',
      'agent.inputHidden',
      'input_hidden',
      (tui) => (tui.isHidden = true),
      (tui) => (tui.isHidden = false),
    ],
  ];
  for (const [what, code, reason, block, free] of blocks) {
    it(`by ${what} is refused, and nothing is typed or kept`, async () => {
      const here = await scene();
      block(here.tui);
      here.tui.draw();
      await assert.rejects(here.world.run(here.world.supervisor.sendPrompt(ID, 'x')), withCode(code));
      assert.deepEqual([pastes(here), kept(here), here.tui.answered], [0, [], []]);
    });

    it(`by ${what} waits in the queue without looking, and is delivered when it is free`, async () => {
      const here = await scene();
      block(here.tui);
      here.tui.show();
      await here.world.clock.advanceMs(500);
      const receipt = await here.world.run(here.world.supervisor.sendPrompt(ID, 'x', { whenBlocked: 'queue' }));
      assert.deepEqual([receipt.state, receipt.reason], ['queued', reason]);
      assert.equal(here.world.supervisor.promptsOf(ID).queuedPromptCount, 1);
      await here.world.clock.advanceMs(10_000);
      const looks = here.world.host.calls.filter(({ method }) => method === 'capture').length;
      await here.world.clock.advanceMs(3_600_000);
      assert.equal(here.world.host.calls.filter(({ method }) => method === 'capture').length, looks);
      free(here.tui);
      here.tui.show();
      await here.world.clock.advanceMs(2_000);
      assert.deepEqual([here.tui.submitted, (await last(here)).state], [['x'], 'acknowledged']);
      assert.equal((await last(here)).id, receipt.id);
      assert.equal(here.world.supervisor.promptsOf(ID).queuedPromptCount, 0);
    });
  }

  it('that is paused is refused at once or waits until it goes on', async () => {
    const here = await scene();
    await here.world.run(here.world.supervisor.pause(ID));
    await assert.rejects(here.world.run(here.world.supervisor.sendPrompt(ID, 'x')), withCode('agent.paused'));
    const { state, reason } = await here.world.run(here.world.supervisor.sendPrompt(ID, 'y', { whenBlocked: 'queue' }));
    assert.deepEqual([state, reason], ['queued', 'paused']);
    await here.world.run(here.world.supervisor.resume(ID));
    await here.world.clock.advanceMs(2_000);
    assert.deepEqual(here.tui.submitted, ['y']);
  });

  it('by a dialog that only a hook told of is refused', async () => {
    const here = await scene();
    await here.world.run(
      here.world.supervisor.state.transition(ID, 1, {
        activity: 'awaiting_approval', reason: 'hook', actor: 'engine',
        evidence: [{ source: 'hook', detail: 'PermissionRequest', observedAtMs: here.world.clock.nowMs() }],
      }), // prettier-ignore
    );
    await assert.rejects(here.world.run(here.world.supervisor.sendPrompt(ID, 'x')), withCode('agent.dialogOpen'));
    assert.equal(pastes(here), 0);
  });

  it('that becomes blocked between the decision and the paste is not typed', async () => {
    const here = await scene();
    here.world.deliveries.beforeSave = ({ state }) => {
      if (state !== 'typing') return;
      here.tui.dialog = true;
      here.tui.draw();
    };
    await assert.rejects(here.world.run(here.world.supervisor.sendPrompt(ID, 'x')), withCode('agent.dialogOpen'));
    assert.deepEqual([pastes(here), (await last(here)).state], [0, 'failed']);
    const receipt = await here.world.run(here.world.supervisor.sendPrompt(ID, 'y', { whenBlocked: 'queue' }));
    assert.equal(receipt.state, 'queued');
  });

  it('is typed when what stood in the way between the decision and the paste was a screen half drawn', async () => {
    for (const disturb of [(tui: ScriptedTui) => (tui.isHidden = true), (tui: ScriptedTui) => (tui.draft = 'before')]) {
      const here = await scene();
      here.world.deliveries.beforeSave = ({ state }) => {
        if (state !== 'typing') return;
        disturb(here.tui);
        here.tui.draw();
        here.world.clock.setTimer(400, () => {
          here.tui.isHidden = false;
          here.tui.draft = '';
          here.tui.draw();
        });
      };
      const receipt = await here.world.run(here.world.supervisor.sendPrompt(ID, 'x'));
      assert.deepEqual([receipt.state, here.tui.submitted, pastes(here)], ['acknowledged', ['x'], 1]);
    }
  });

  it('by a draft that comes between the decision and the paste is not typed', async () => {
    const here = await scene();
    here.world.deliveries.beforeSave = ({ state }) => {
      if (state !== 'typing') return;
      here.tui.draft = 'half a thou';
      here.tui.draw();
    };
    await assert.rejects(here.world.run(here.world.supervisor.sendPrompt(ID, 'x')), withCode('agent.draftInBox'));
    assert.deepEqual([pastes(here), (await last(here)).state, here.tui.draft], [0, 'failed', 'half a thou']);
  });

  it('is refused behind one that waits, and what was queued goes in order', async () => {
    const here = await scene();
    here.tui.dialog = true;
    here.tui.show();
    await here.world.clock.advanceMs(500);
    const queue = ['a', 'b', 'c'].map((text) => here.world.supervisor.sendPrompt(ID, text, { whenBlocked: 'queue' }));
    await here.world.run(Promise.all(queue));
    await assert.rejects(here.world.run(here.world.supervisor.sendPrompt(ID, 'no')), withCode('agent.dialogOpen'));
    here.tui.dialog = false;
    here.tui.show();
    await here.world.clock.advanceMs(10_000);
    assert.deepEqual(here.tui.submitted, ['a', 'b', 'c']);
  });

  it('can be taken back, by its receipt or by the signal of its sender', async () => {
    const here = await scene();
    here.tui.dialog = true;
    here.tui.show();
    await here.world.clock.advanceMs(500);
    const first = await here.world.run(here.world.supervisor.sendPrompt(ID, 'a', { whenBlocked: 'queue' }));
    await here.world.run(here.world.supervisor.cancelPrompt(first.id));
    assert.equal((await last(here)).state, 'canceled');
    await assert.rejects(here.world.run(here.world.supervisor.cancelPrompt(first.id)), withCode('agent.notAllowed'));
    const controller = new AbortController();
    const waiting = here.world.supervisor.sendPrompt(ID, 'b', { signal: controller.signal });
    controller.abort(new Error('nobody waits'));
    await assert.rejects(here.world.run(waiting), /nobody waits/);
    here.tui.dialog = false;
    here.tui.show();
    await here.world.clock.advanceMs(5_000);
    assert.deepEqual(here.tui.submitted, []);
  });
});

describe('prompts of one agent', () => {
  it('are delivered one after the other, each exactly once', async () => {
    const here = await scene({ redrawMs: 90 });
    const texts = Array.from({ length: 8 }, (_, index) => `prompt ${index}`);
    await here.world.run(Promise.all(texts.map((text) => here.world.supervisor.sendPrompt(ID, text))));
    assert.deepEqual(here.tui.submitted, texts);
    assert.equal(pastes(here), 8);
  });

  it('tell every step once, after it was kept', async () => {
    const here = await scene();
    const told: string[] = [];
    here.world.supervisor.onDidChangeReceipt(({ id, state }) => {
      assert.equal(here.world.deliveries.deliveries.get(id)?.state, state);
      told.push(state);
    });
    await here.world.run(here.world.supervisor.sendPrompt(ID, 'x', { whenBlocked: 'queue' }));
    assert.deepEqual(told, ['queued', 'typing', 'typed', 'submitted', 'acknowledged']);
  });

  it('that were under way at its end are unknown; queued ones wait for the next run', async () => {
    const here = await scene({ swallowedEnters: 99 });
    const [first, second] = ['a', 'b'].map((text) =>
      here.world.supervisor.sendPrompt(ID, text, { whenBlocked: 'queue' }),
    );
    first?.catch(() => undefined);
    while (here.tui.events.length < 2) await here.world.clock.advanceMs(20);
    await here.world.run(here.world.supervisor.stop(ID));
    await assert.rejects(here.world.run(first ?? Promise.reject(new Error('none'))), withCode('agent.deliveryUnknown'));
    assert.deepEqual((await here.world.run(second ?? Promise.reject(new Error('none')))).reason, 'not_running');
    here.tui.manners.swallowedEnters = 0;
    here.tui.draft = '';
    await here.world.run(here.world.supervisor.start(ID));
    await here.world.clock.advanceMs(5_000);
    assert.deepEqual(here.tui.submitted, ['b']);
    const states = (await here.world.supervisor.receipts(ID)).map(({ state, reason }) => [state, reason]);
    assert.deepEqual(states, [
      ['acknowledged', undefined],
      ['delivery_unknown', 'ended'],
    ]);
  });
});

describe('an engine that ended in the middle', () => {
  /** A prompt that was in `state` when the engine ended; a new one over what is left. */
  async function crashedIn(state: DeliveryState, manners: TuiManners = {}): Promise<Scene> {
    const here = await scene(manners);
    let isReached = false;
    here.world.deliveries.beforeSave = (delivery) => {
      isReached ||= delivery.state === state;
      if (isReached && delivery.state !== state) return new Promise<void>(() => undefined); // the process is gone
    };
    const sent = here.world.supervisor.sendPrompt(ID, 'x', { whenBlocked: 'queue' });
    sent.catch(() => undefined);
    await here.world.clock.advanceMs(15_000);
    assert.equal(isReached, true);
    here.world.deliveries.beforeSave = () => undefined;
    await here.world.restart();
    await here.world.clock.advanceMs(15_000);
    return here;
  }

  it('goes on with what was queued', async () => {
    const here = await crashedIn('queued');
    assert.deepEqual([here.tui.submitted, pastes(here)], [['x'], 1]);
    assert.equal((await last(here)).state, 'acknowledged');
  });

  for (const state of ['typing', 'typed', 'submitted'] as const) {
    it(`never types again what was ${state}, and says what it knows`, async () => {
      const here = await crashedIn(state);
      assert.equal(pastes(here), 1);
      const receipt = await last(here);
      assert.deepEqual([receipt.state, receipt.reason], ['delivery_unknown', 'interrupted_by_crash']);
      assert.match(
        receipt.detail ?? '',
        new RegExp(`while it was ${state}; the input box (is empty now|holds this text)`),
      );
    });
  }

  it('is settled by late evidence, once', async () => {
    const here = await crashedIn('submitted');
    hook(here, 'x');
    await here.world.clock.advanceMs(0);
    assert.deepEqual([(await last(here)).state, (await last(here)).evidence], ['acknowledged', 'hook']);
    hook(here, 'x');
    await here.world.clock.advanceMs(0);
    assert.equal(here.world.deliveries.saves.filter(({ evidence }) => evidence === 'hook').length, 1);
  });

  it('is settled by a person, and what is lost can be sent again as a new delivery', async () => {
    const here = await crashedIn('submitted');
    const { id } = await last(here);
    await assert.rejects(
      here.world.run(here.world.supervisor.settleDelivery('none', 'lost')),
      withCode('agent.notFound'),
    );
    await here.world.run(here.world.supervisor.settleDelivery(id, 'lost'));
    assert.deepEqual([(await last(here)).state, (await last(here)).reason], ['failed', 'lost']);
    await assert.rejects(
      here.world.run(here.world.supervisor.settleDelivery(id, 'arrived')),
      withCode('agent.notAllowed'),
    );
    here.tui.draft = '';
    here.tui.show();
    const again = await here.world.run(here.world.supervisor.resendPrompt(id));
    assert.notEqual(again.id, id);
    assert.deepEqual([again.state, again.evidence, here.tui.submitted.at(-1)], ['acknowledged', 'screen', 'x']);
    const pasted = here.world.host.pastedTexts(ID).length;
    await assert.rejects(here.world.run(here.world.supervisor.resendPrompt(again.id)), (error: unknown) => {
      assert.ok(AgentError.is(error, 'agent.notAllowed'));
      assert.match(error.message, /it left the input box/);
      return true;
    });
    assert.equal(here.world.host.pastedTexts(ID).length, pasted, 'nothing that left the input box is typed again');
    hook(here, 'x');
    await here.world.clock.advanceMs(10);
    assert.deepEqual([(await last(here)).id, (await last(here)).evidence], [again.id, 'hook'], 'told later after all');
    await assert.rejects(here.world.run(here.world.supervisor.resendPrompt(again.id)), withCode('agent.notAllowed'));
  });
});
