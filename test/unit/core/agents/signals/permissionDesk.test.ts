import assert from 'node:assert/strict';
import { AgentError } from '../../../../../src/core/agents/agentErrors';
import type { AnsweredRequest } from '../../../../../src/core/agents/answeredRequest';
import type { Agent } from '../../../../../src/core/agents/baseAgent';
import type { PermissionAnswer, PermissionRequest } from '../../../../../src/core/agents/permissionRequest';
import { DataError } from '../../../../../src/core/data/dataErrors';
import { TmuxError } from '../../../../../src/core/tmux/tmuxErrors';
import { askerType, askingScreen, keyAskerType } from '../../../../support/askerType';
import { agentId } from '../../../../support/builders';
import { SupervisedWorld } from '../../../../support/supervisedWorld';

const ID = agentId('reviewer');
const COMMAND = 'git push --force';

class World extends SupervisedWorld {
  readonly seen: (PermissionRequest | undefined)[] = [];
  readonly gone = new AbortController();

  async begin(typeId = 'asker'): Promise<Agent> {
    this.commands.add('asker');
    const { factory } = this.ports();
    factory.register(askerType);
    factory.register(keyAskerType);
    this.supervisor.dispose();
    this.supervisor = this.make({ factory });
    this.host.onDidLaunch = ({ agentId: id }) => this.host.simulateScreen(id, { text: '> ' });
    const agent = await this.runningAgent({ typeId });
    this.supervisor.onDidChangeRequest(({ request }) => this.seen.push(request));
    await this.clock.advanceMs(2_000);
    return agent;
  }

  get request(): PermissionRequest | undefined {
    return this.supervisor.request(ID);
  }

  /** The hook of a question; resolves with what it prints. */
  async ask(
    tool = 'Bash',
    input: unknown = { command: COMMAND },
  ): Promise<{ output: string | undefined; isDone: boolean }> {
    const report = {
      agentId: ID,
      generation: 1,
      event: 'Ask',
      payload: { tool, input },
      sentAtMs: this.clock.nowMs(),
      isLate: false,
    };
    const result: { output: string | undefined; isDone: boolean } = { output: undefined, isDone: false };
    void this.supervisor.hooks
      .report(report, this.gone.signal)
      .then(({ output }) => Object.assign(result, { output, isDone: true }));
    await this.clock.advanceMs(0);
    return result;
  }

  async draw(text: string): Promise<void> {
    this.host.simulateScreen(ID, { text });
    await this.clock.advanceMs(400);
  }

  answer(answer: PermissionAnswer, id = this.request?.id ?? ''): Promise<void> {
    return this.run(this.supervisor.answerRequest(ID, id, answer));
  }
}

const isCode = (code: 'agent.requestGone' | 'agent.cannotAnswer') => (error: unknown) => AgentError.is(error, code);

describe('PermissionDesk through the hook', () => {
  it('shows exactly what the program wants and holds its hook until a person answers', async () => {
    const world = new World();
    const agent = await world.begin();
    const hook = await world.ask();
    assert.equal(agent.record.activity, 'awaiting_approval');
    const { request } = world;
    assert.deepEqual(
      [
        request?.tool,
        request?.title,
        request?.detail,
        request?.door,
        request?.canAllow,
        request?.canGiveReason,
        request?.source,
      ],
      ['Bash', `Bash: ${COMMAND}`, COMMAND, 'hook', true, true, 'hook'],
    );
    assert.equal(hook.isDone, false);
    await world.answer({ kind: 'allow' });
    assert.deepEqual([hook.output, world.request], ['{"ok":true}', undefined]);
    const [line] = await world.supervisor.history(ID, 1);
    assert.deepEqual(
      [line?.reason, line?.actor, line?.evidence[0]?.detail],
      ['allowed_by_person', 'person', `allowed: Bash: ${COMMAND}`],
    );
    assert.deepEqual(world.host.pressedKeys(ID), []);
  });

  it('hands a reason to the program as data', async () => {
    const world = new World();
    await world.begin();
    const hook = await world.ask();
    await world.answer({ kind: 'deny', reason: 'not on "main"\n' });
    assert.deepEqual(JSON.parse(hook.output ?? ''), { ok: false, message: 'not on "main"' });
  });

  it('lets the hook go without an answer when the question was answered in the terminal', async () => {
    const world = new World();
    await world.begin();
    const hook = await world.ask();
    await world.draw(askingScreen(COMMAND));
    const { id } = world.request ?? {};
    await world.draw('Working (esc to interrupt)');
    assert.deepEqual([hook.isDone, hook.output, world.request], [true, undefined, undefined]);
    await assert.rejects(world.answer({ kind: 'allow' }, id), isCode('agent.requestGone'));
  });

  it('never answers another question than the one that was seen', async () => {
    const world = new World();
    await world.begin();
    const first = await world.ask();
    const seen = world.request?.id;
    const second = await world.ask('Bash', { command: 'rm -rf /' });
    assert.deepEqual([first.isDone, first.output, second.isDone], [true, undefined, false]);
    await assert.rejects(world.answer({ kind: 'allow' }, seen), isCode('agent.requestGone'));
    assert.equal(second.isDone, false);
  });

  it('falls back to keys when the hook has gone away', async () => {
    const world = new World();
    await world.begin();
    const hook = await world.ask();
    await world.draw(askingScreen(COMMAND));
    world.gone.abort();
    await world.clock.advanceMs(400);
    assert.deepEqual([hook.isDone, world.request?.door, world.request?.canAllow], [true, 'keys', true]);
    await world.answer({ kind: 'allow' });
    assert.deepEqual(world.host.pressedKeys(ID), ['1']);
  });

  it('answers no question about what the agent should do: that is for the terminal', async () => {
    const world = new World();
    const agent = await world.begin();
    const hook = await world.ask('Question', { question: 'Which one?' });
    assert.deepEqual(
      [hook.isDone, agent.record.activity, world.request?.kind, world.request?.door],
      [true, 'awaiting_input', 'question', 'none'],
    );
    await assert.rejects(world.answer({ kind: 'allow' }), isCode('agent.cannotAnswer'));
  });

  it('forgets a question when the agent ends, and when nobody ever saw it', async () => {
    const world = new World();
    await world.begin();
    const hook = await world.ask();
    await world.run(world.supervisor.stop(ID));
    assert.deepEqual([hook.isDone, world.request], [true, undefined]);
  });

  it('cuts what is over 32 KiB, and says so', async () => {
    const world = new World();
    await world.begin();
    await world.ask('Write', { file_path: '/a/b.txt', content: 'ü'.repeat(40_000) });
    assert.deepEqual([world.request?.isCut, world.request?.title], [true, 'Write: /a/b.txt']);
    assert.ok(Buffer.byteLength(world.request?.detail ?? '') <= 32 * 1024);
  });

  it('S24 allows nothing that was cut, neither by a person nor by a rule; it can be denied', async () => {
    const content = 'x'.repeat(40_000);
    const world = new World();
    world.settings = { allowRules: [{ type: '*', tool: 'Write', pattern: '.*' }] };
    const agent = await world.begin();
    const hook = await world.ask('Write', { file_path: '/a', content });
    const { canAllow, canDeny, canGiveReason, isCut } = world.request ?? {};
    assert.deepEqual([isCut, canAllow, canDeny, canGiveReason], [true, false, true, true]);
    await assert.rejects(world.answer({ kind: 'allow' }), (error) => {
      assert.ok(isCode('agent.cannotAnswer')(error) && /attach/.test((error as Error).message), String(error));
      return true;
    });
    assert.deepEqual([hook.isDone, agent.record.activity], [false, 'awaiting_approval']);
    await world.answer({ kind: 'deny' });
    assert.deepEqual([JSON.parse(hook.output ?? '').ok, world.request], [false, undefined]);
  });

  it('S24 allows by keys nothing that was cut either, when its dialog is up', async () => {
    const world = new World();
    world.settings = { allowRules: [{ type: '*', tool: 'Bash', pattern: '.*' }] };
    await world.begin('key-asker');
    await world.ask('Bash', { command: COMMAND, content: 'x'.repeat(40_000) });
    await world.draw(askingScreen(COMMAND));
    const { source, canAllow, canDeny, isCut } = world.request ?? {};
    assert.deepEqual([source, isCut, canAllow, canDeny], ['hook', true, false, true]);
    await assert.rejects(world.answer({ kind: 'allow' }), isCode('agent.cannotAnswer'));
    assert.deepEqual(world.host.pressedKeys(ID), []);
  });

  it('S24 spells out what cannot be seen, and leaves nothing out', async () => {
    const world = new World();
    await world.begin();
    await world.ask('Edit', { file_path: '/a', old_string: 'x\ny', new_string: 'z\u202e', replace_all: true });
    assert.equal(world.request?.detail, '/a\n- x\n- y\n+ z\\u{202e}\nreplace_all: true');
  });
});

describe('PermissionDesk through keys', () => {
  it('lets the hook go at once and answers by keys once the dialog of this command is up', async () => {
    const world = new World();
    await world.begin('key-asker');
    const hook = await world.ask();
    assert.deepEqual(
      [hook.isDone, hook.output, world.request?.door, world.request?.canAllow],
      [true, undefined, 'keys', false],
    );
    const { id } = world.request ?? {};
    await world.draw(askingScreen(COMMAND));
    assert.deepEqual([world.request?.id, world.request?.canAllow, world.request?.detail], [id, true, COMMAND]);
    await world.draw(askingScreen(COMMAND, 2)); // a person moved the selection: the same question
    assert.equal(world.request?.id, id);
    await world.answer({ kind: 'deny' });
    assert.deepEqual([world.host.pressedKeys(ID), world.request], [['Escape'], undefined]);
  });

  it('presses nothing when another dialog is up by then', async () => {
    const world = new World();
    await world.begin('key-asker');
    await world.ask();
    await world.draw(askingScreen(COMMAND));
    const { id } = world.request ?? {};
    world.host.setScreen(ID, { text: askingScreen('rm -rf /') }); // not settled: nobody knows yet
    await assert.rejects(world.answer({ kind: 'allow' }, id), isCode('agent.requestGone'));
    assert.deepEqual(world.host.pressedKeys(ID), []);
    await world.clock.advanceMs(400);
    assert.notEqual(world.request?.id, id);
    assert.match(world.request?.detail ?? '', /rm -rf/);
  });

  it('takes no dialog for the one that a hook told because it begins alike', async () => {
    const world = new World();
    await world.begin('key-asker');
    await world.ask('Bash', { command: 'git push' });
    await world.draw(askingScreen(COMMAND));
    assert.deepEqual([world.request?.source, world.request?.detail.includes(COMMAND)], ['screen', true]);
    await world.draw(askingScreen('git push'));
    assert.deepEqual(
      [world.request?.source, world.request?.detail, world.request?.canAllow],
      ['hook', 'git push', true],
    );
  });

  it('keeps the question of a hook while its dialog is still being drawn', async () => {
    const world = new World();
    await world.begin('key-asker');
    await world.ask();
    await world.draw(`Allow this command?\n\n  ${COMMAND}\n  Enter to confirm`);
    const { id } = world.request ?? {};
    await world.draw(askingScreen(COMMAND));
    assert.deepEqual([world.request?.id, world.request?.source], [id, 'hook']);
    await world.answer({ kind: 'allow' });
    assert.deepEqual(world.host.pressedKeys(ID), ['1']);
  });

  it('presses nothing into copy mode or into an empty box', async () => {
    for (const screen of [{ text: askingScreen(COMMAND), isInCopyMode: true }, { text: '> ' }]) {
      const world = new World();
      await world.begin('key-asker');
      await world.ask();
      await world.draw(askingScreen(COMMAND));
      const { id } = world.request ?? {};
      world.host.setScreen(ID, screen);
      await assert.rejects(world.answer({ kind: 'allow' }, id), isCode('agent.requestGone'));
      assert.deepEqual(world.host.pressedKeys(ID), []);
    }
  });

  it('S24 has the keys held to the screen that was read, and tells when the answer may have gone to another', async () => {
    const world = new World();
    const agent = await world.begin('key-asker');
    await world.ask();
    await world.draw(askingScreen(COMMAND));
    const { id } = world.request ?? {};
    const guards: unknown[] = [];
    const pressIf = world.host.pressIf.bind(world.host);
    world.host.pressIf = (agentId, keys, isExpected, ...rest: unknown[]) => (guards.push(...rest), pressIf(agentId, keys, isExpected)); // prettier-ignore
    world.host.failNext('pressIf', new TmuxError('tmux.screenChanged', 'send-keys'));
    await assert.rejects(world.answer({ kind: 'allow' }, id), (error) => TmuxError.is(error, 'tmux.screenChanged'));
    await world.clock.advanceMs(100);
    const [line] = await world.supervisor.history(agent.id, 1);
    assert.deepEqual([line?.reason, guards], ['answer_uncertain', [{ guard: 'screen' }]]);
    await world.answer({ kind: 'allow' }, id);
    assert.equal(world.request, undefined, 'it was still up');
  });

  it('asks what the screen asks when no hook told it', async () => {
    const world = new World();
    await world.begin();
    await world.draw(askingScreen(COMMAND));
    const { request } = world;
    assert.deepEqual([request?.source, request?.door, request?.canGiveReason], ['screen', 'keys', false]);
    assert.equal(request?.detail, `Allow this command?\n${COMMAND}\n1. Yes\n2. No\nEnter to confirm`);
  });
});

describe('An answer to a dialog of which the hook has told since', () => {
  /** The person sees the dialog; then the hook comes. */
  async function seenThenTold(input: unknown, typeId?: string) {
    const world = new World();
    await world.begin(typeId);
    await world.draw(askingScreen(COMMAND));
    const seen = world.request;
    const hook = await world.ask('Bash', input);
    assert.deepEqual([seen?.source, world.request?.source], ['screen', 'hook']);
    assert.notEqual(world.request?.id, seen?.id);
    return { world, hook, id: seen?.id ?? '' };
  }

  for (const typeId of ['asker', 'key-asker']) {
    it(`S24 is given to that very dialog, which showed all that the hook told (${typeId})`, async () => {
      const { world, hook, id } = await seenThenTold({ command: COMMAND }, typeId);
      await world.answer({ kind: 'allow' }, id);
      assert.deepEqual(world.host.pressedKeys(ID), ['1']);
      assert.deepEqual([hook.isDone, hook.output, world.request], [true, undefined, undefined]);
      const [line] = await world.supervisor.history(ID, 1);
      assert.deepEqual([line?.reason, line?.actor], ['allowed_by_person', 'person']);
    });
  }

  it('S24 is refused when the hook told more than the dialog shows, or something else', async () => {
    for (const input of [{ command: COMMAND, timeout: 5 }, { command: 'rm -rf /' }, { command: 'git push' }, {}]) {
      const { world, hook, id } = await seenThenTold(input);
      for (const kind of ['allow', 'deny'] as const)
        await assert.rejects(world.answer({ kind }, id), isCode('agent.requestGone'), JSON.stringify(input));
      assert.deepEqual([world.host.pressedKeys(ID), hook.isDone], [[], false]);
    }
  });

  it('S24 is refused when another dialog is up by then, or none', async () => {
    for (const text of [askingScreen('rm -rf /'), '> ']) {
      const { world, id } = await seenThenTold({ command: COMMAND });
      world.host.setScreen(ID, { text }); // not settled: nobody knows yet
      await assert.rejects(world.answer({ kind: 'allow' }, id), isCode('agent.requestGone'));
      assert.deepEqual(world.host.pressedKeys(ID), []);
    }
  });

  it('S24 is refused when a second hook has told of another request since', async () => {
    const { world, id } = await seenThenTold({ command: COMMAND });
    await world.ask('Bash', { command: 'rm -rf /' });
    await assert.rejects(world.answer({ kind: 'allow' }, id), isCode('agent.requestGone'));
    assert.deepEqual(world.host.pressedKeys(ID), []);
  });
});

describe('What was asked and answered is kept', () => {
  const kept = (world: World): readonly AnsweredRequest[] => [...world.store.answers.values()];

  it('with the text that was shown, who answered, how, where and when', async () => {
    const world = new World();
    await world.begin();
    await world.ask();
    const { id, askedAtMs } = world.request ?? {};
    await world.clock.advanceMs(100);
    await world.run(world.supervisor.answerRequest(ID, id ?? '', { kind: 'allow' }, { via: 'notification' }));
    const common = { agentId: ID, generation: 1, kind: 'permission', isCut: false, actor: 'person' } as const;
    assert.deepEqual(kept(world), [
      {
        ...{ ...common, id, tool: 'Bash', title: `Bash: ${COMMAND}`, shown: COMMAND, askedAtMs },
        ...{ outcome: 'allowed', via: 'notification', answeredAtMs: world.clock.nowMs() },
      },
    ]);
    await world.draw('Working (esc to interrupt)');
    await world.clock.advanceMs(2_000);
    await world.draw(askingScreen('rm -r build'));
    await world.run(
      world.supervisor.answerRequest(ID, world.request?.id ?? '', { kind: 'deny', reason: ' no ' }, { via: 'orc' }),
    );
    const [, second] = kept(world);
    assert.deepEqual([second?.outcome, second?.via, second?.reason], ['denied', 'orc', 'no']);
    assert.match(second?.shown ?? '', /^Allow this command\?\nrm -r build\n/);
    const [line] = await world.supervisor.history(ID, 1);
    assert.equal(line?.evidence[0]?.detail, 'denied: Allow this command? rm -r build');
  });

  it('also when it was answered in its terminal, or by a rule', async () => {
    const world = new World();
    await world.begin();
    await world.draw(askingScreen(COMMAND));
    await world.draw('Working (esc to interrupt)');
    await world.clock.advanceMs(2_000);
    world.settings = { allowRules: [{ type: '*', tool: 'Bash', pattern: 'ls' }] };
    await world.ask('Bash', { command: 'ls' });
    assert.deepEqual(
      kept(world).map(({ outcome, via, actor, rule }) => [outcome, via, actor, rule]),
      [
        ['unknown', 'terminal', 'person', undefined],
        ['allowed', 'rule', 'policy', '* / Bash / ls'],
      ],
    );
    assert.match(kept(world)[0]?.shown ?? '', /git push --force/);
  });

  it('not when it was never answered', async () => {
    const world = new World();
    await world.begin();
    await world.ask();
    await world.run(world.supervisor.stop(ID));
    assert.deepEqual(kept(world), []);
  });

  it('once the store can be written again, and no answer waits for that', async () => {
    const world = new World();
    await world.begin();
    const hook = await world.ask();
    world.store.failure = new DataError('data.readOnly', 'the disk is full');
    await world.answer({ kind: 'allow' });
    assert.deepEqual([hook.output, kept(world)], ['{"ok":true}', []]);
    world.store.failure = undefined;
    await world.clock.advanceMs(5_000);
    assert.equal(kept(world).length, 1);
  });
});

describe('allow rules', () => {
  const rules = (pattern: string, tool = 'Bash', type = '*') => [{ type, tool, pattern }];

  it('there are none by default; one that fits the whole command allows, and leaves a line', async () => {
    const world = new World();
    world.settings = { allowRules: rules('git status|git push --force', 'Bash', 'asker') };
    await world.begin();
    const hook = await world.ask();
    assert.deepEqual([hook.output, world.request], ['{"ok":true}', undefined]);
    const lines = await world.supervisor.history(ID);
    const line = lines.find(({ reason }) => reason === 'allowed_by_rule');
    assert.deepEqual([line?.actor, line?.evidence[0]?.source], ['policy', 'policy']);
    assert.match(
      line?.evidence[0]?.detail ?? '',
      /allowed by the rule asker \/ Bash \/ git status\|git push --force: Bash: git push --force/,
    );
  });

  it('a part of the command, another tool, another type, more lines or a cut request are not allowed', async () => {
    const others: readonly (readonly [Parameters<typeof rules>, string, unknown])[] = [
      [['git push'], 'Bash', { command: COMMAND }],
      [['.*', 'bash'], 'Bash', { command: COMMAND }],
      [['.*', 'Bash', 'codex'], 'Bash', { command: COMMAND }],
      [['git.*'], 'Bash', { command: 'git status\nrm -rf /' }],
      [['.*'], 'Bash', { command: 'x'.repeat(300) }],
      [['(a+)+'], 'Bash', { command: 'aaa' }],
      [['.*'], 'Bash', { note: 'no command' }],
    ];
    for (const [rule, tool, input] of others) {
      const world = new World();
      world.settings = { allowRules: rules(...rule) };
      await world.begin();
      const hook = await world.ask(tool, input);
      assert.equal(hook.isDone, false, JSON.stringify([rule, input]));
    }
  });

  it('works by keys only when the dialog shows the command', async () => {
    const world = new World();
    world.settings = { allowRules: rules('git push --force') };
    await world.begin('key-asker');
    await world.ask();
    await world.draw(askingScreen('rm -rf /'));
    assert.deepEqual([world.host.pressedKeys(ID), world.request?.source], [[], 'screen']);
    await world.ask();
    await world.draw(askingScreen('git push\n  --force'));
    assert.deepEqual(world.host.pressedKeys(ID), ['1']);
  });
});
