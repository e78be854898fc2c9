import assert from 'node:assert/strict';
import { builtInTypes } from '../../../../../src/core/agents/builtInTypes';
import { ScreenJudge } from '../../../../../src/core/agents/delivery/deliveryScreen';
import {
  AFTER_DIALOG_MS,
  ANSWERED_MS,
  DRAFT_MS,
  ReadyCheck,
  START_HOOK_MS,
} from '../../../../../src/core/agents/delivery/readyCheck';
import { RunKnowledge } from '../../../../../src/core/agents/delivery/runFacts';
import { silentLogger } from '../../../../../src/core/base/log';
import type { AgentRecord } from '../../../../../src/core/agents/agent';
import { agentId } from '../../../../support/builders';
import { ScriptedTui } from '../../../../support/scriptedTui';
import { SupervisedWorld } from '../../../../support/supervisedWorld';

const ID = agentId('reviewer');

async function check(
  isFirst: boolean,
  isStarting: (passedMs: number) => boolean,
  isHolding?: (passedMs: number) => boolean,
  isTurnEnding?: (passedMs: number) => boolean,
): Promise<number> {
  const world = new SupervisedWorld();
  const tui = new ScriptedTui(world.host, ID, world.clock);
  world.host.onDidLaunch = () => queueMicrotask(() => tui.show());
  const agent = await world.runningAgent({ typeId: 'demo' });
  const { host, clock } = world;
  const beganMs = clock.monotonicMs();
  const passedMs = (): number => clock.monotonicMs() - beganMs;
  const ready = new ReadyCheck(
    {
      host,
      clock,
      log: silentLogger,
      judge: new ScreenJudge('bash'),
      ...(isHolding && { isHolding: () => isHolding(passedMs()) }),
      ...(isTurnEnding && { isTurnEnding: () => isTurnEnding(passedMs()) }),
    },
    agent,
  );
  const result = await world.run(ready.check(isFirst, new AbortController().signal, () => isStarting(passedMs())));
  assert.equal(result.kind, 'free');
  return passedMs();
}

describe('a program that has just started', () => {
  it('is typed into once it has told of its start, not before', async () => {
    const tookMs = await check(true, (passedMs) => passedMs < 2_000);
    assert.ok(tookMs >= 2_000 && tookMs < 2_500, `${tookMs} ms`);
  });

  it('that never tells is waited for no longer than 5 s', async () => {
    const tookMs = await check(true, () => true);
    assert.ok(tookMs >= START_HOOK_MS && tookMs < START_HOOK_MS + 1_000, `${tookMs} ms`);
  });

  it('that took a prompt already is waited for no more', async () => {
    assert.ok((await check(false, () => true)) < 1_000);
  });
});

/** The screens follow each other after so many milliseconds; the last one stays. */
async function checkScreens(
  typeId: string,
  screens: readonly (readonly [atMs: number, lines: readonly string[]])[],
  changed: (nowMs: number) => Partial<AgentRecord> = () => ({}),
): Promise<readonly [kind: string, tookMs: number]> {
  const world = new SupervisedWorld();
  const { host, clock } = world;
  const tui = new ScriptedTui(world.host, ID, clock);
  host.onDidLaunch = () => queueMicrotask(() => tui.show());
  const { id, record } = await world.runningAgent({ typeId: 'demo' });
  const agent = {
    id,
    record: { ...record, ...changed(clock.nowMs()) },
    type: builtInTypes().find((one) => one.id === typeId),
  };
  for (const [atMs, lines] of screens) clock.setTimer(atMs, () => host.setScreen(ID, { text: lines.join('\n') }));
  await clock.advanceMs(0);
  const ready = new ReadyCheck({ host, clock, log: silentLogger, judge: new ScreenJudge('bash') }, agent);
  const beganMs = clock.monotonicMs();
  const result = await world.run(ready.check(false, new AbortController().signal));
  return [result.kind === 'free' ? 'free' : result.reason, clock.monotonicMs() - beganMs];
}

const LINE = '─'.repeat(40);
const BOX = [LINE, '› ', LINE, '  enter to send · /exit to quit'];
const DIALOG = [
  LINE,
  'Allow this command?',
  '  rm -r build',
  '❯ 1. Yes',
  '  2. No',
  LINE,
  '  Enter to confirm · Esc to cancel',
];

describe('a program whose dialog has just gone', () => {
  it('R7 is not typed into at once: its input box is drawn before it is read', async () => {
    const [kind, tookMs] = await checkScreens('demo', [
      [0, DIALOG],
      [60, BOX],
    ]);
    assert.equal(kind, 'free');
    assert.ok(tookMs >= AFTER_DIALOG_MS && tookMs < AFTER_DIALOG_MS + 500, `${tookMs} ms`);
  });

  it('without one it is typed into as soon as two looks agree', async () => {
    const [kind, tookMs] = await checkScreens('demo', [[0, BOX]]);
    assert.equal(kind, 'free');
    assert.ok(tookMs < AFTER_DIALOG_MS / 2, `${tookMs} ms`);
  });

  it('is blocked while it is up', async () => {
    assert.equal((await checkScreens('demo', [[0, DIALOG]]))[0], 'dialog_open');
  });

  const answered = (nowMs: number): Partial<AgentRecord> => ({
    activity: 'awaiting_approval',
    evidence: [
      { source: 'person', detail: 'allowed', observedAtMs: nowMs },
      { source: 'screen', detail: 'a dialog', observedAtMs: nowMs - 1_000 },
    ],
  });

  it('R7 that was answered a moment ago is waited for: it is drawn for some time after the key', async () => {
    const screens = [[0, DIALOG], [900, BOX]] as const; // prettier-ignore
    const [kind, tookMs] = await checkScreens('demo', screens, answered);
    assert.equal(kind, 'free');
    assert.ok(tookMs >= 900 + AFTER_DIALOG_MS && tookMs < 2_500, `${tookMs} ms`);
  });

  it('that was answered and stays is a dialog again after 3 s', async () => {
    const [kind, tookMs] = await checkScreens('demo', [[0, DIALOG]], answered);
    assert.equal(kind, 'dialog_open');
    assert.ok(tookMs >= ANSWERED_MS && tookMs < ANSWERED_MS + 500, `${tookMs} ms`);
  });

  it('that another source tells of is not gone with an answer to an earlier one', async () => {
    const told = (nowMs: number): Partial<AgentRecord> => ({
      activity: 'awaiting_approval',
      evidence: [{ source: 'hook', detail: 'asks again', observedAtMs: nowMs }, ...(answered(nowMs).evidence ?? [])],
    });
    assert.equal((await checkScreens('demo', [[0, BOX]], told))[0], 'dialog_open');
  });
});

describe('a program that ends its turn', () => {
  const opencode = builtInTypes().find(({ id }) => id === 'opencode');
  const busy = { sinceMs: 0 };
  const told = (run: RunKnowledge, observedAtMs: number, activity: 'busy' | 'idle' | 'awaiting_approval', endsTurn?: true) =>
    run.noteTurn({ activity, observedAtMs, ...(endsTurn && { endsTurn }) }); // prettier-ignore
  const isEnding = (run: RunKnowledge, nowMs: number): boolean => {
    assert.ok(opencode);
    return run.isTurnEnding(opencode, busy, nowMs);
  };

  it('R7 is waited for, however long it draws an empty box already', async () => {
    const tookMs = await check(false, () => false, undefined, (passedMs) => passedMs < 8_000); // prettier-ignore
    assert.ok(tookMs >= 8_000 && tookMs < 8_500, `${tookMs} ms`);
  });

  it('R7 from a refused request on until its hook says that it is over, for 10 s at most', () => {
    const run = new RunKnowledge(1);
    assert.equal(isEnding(run, 0), false);
    told(run, 1_000, 'busy', true);
    told(run, 1_100, 'busy');
    assert.deepEqual([isEnding(run, 2_000), isEnding(run, 10_999), isEnding(run, 11_000)], [true, true, false]);
    told(run, 1_200, 'idle');
    assert.equal(isEnding(run, 2_000), false);
  });

  it('R7 or may do so when its question has gone and no hook has told how', () => {
    const run = new RunKnowledge(1);
    told(run, 1_000, 'awaiting_approval');
    assert.equal(isEnding(run, 2_000), true);
    told(run, 3_000, 'busy');
    assert.equal(isEnding(run, 3_100), false, 'it was allowed, and works on');
  });

  it('is none of a type that does not tell', () => {
    const run = new RunKnowledge(1);
    told(run, 1_000, 'busy', true);
    const other = builtInTypes().find(({ id }) => id === 'claude-code');
    assert.ok(other && !run.isTurnEnding(other, busy, 2_000));
  });
});

describe('a program that holds an earlier prompt back', () => {
  it('is not typed into until it has taken that one', async () => {
    const tookMs = await check(
      false,
      () => false,
      (passedMs) => passedMs < 2_000,
    );
    assert.ok(tookMs >= 2_000 && tookMs < 2_500, `${tookMs} ms`);
  });
});

describe('a draft in the box', () => {
  const demo = (draft: string): readonly string[] => ['─'.repeat(60), `› ${draft}`, '─'.repeat(60)];

  it("is somebody's only when it stands for a while", async () => {
    const [kind, tookMs] = await checkScreens('demo', [[0, demo('half a thought')]]);
    assert.equal(kind, 'draft_in_box');
    assert.ok(tookMs >= DRAFT_MS && tookMs <= DRAFT_MS + 200, `${tookMs} ms`);
    const changing = [0, 500, 1_000].map((atMs) => [atMs, demo(`half a thou ${atMs}`)] as const);
    assert.equal((await checkScreens('demo', changing))[0], 'draft_in_box');
    assert.equal((await checkScreens('demo', [[0, demo('half a thought')], [DRAFT_MS - 200, demo('')]]))[0], 'free'); // prettier-ignore
  });

  it('of gemini is waited for when it may be an earlier prompt, whose box is all that is drawn yet', async () => {
    const box = (text: string): readonly string[] => ['▄'.repeat(80), ` > ${text}`, '▀'.repeat(80)];
    const asked = ['✦ Received 47 bytes 732bb487', ...box('first\n    second')];
    const frame = ['─'.repeat(80), ' Shift+Tab to accept edits'];
    const footer = [
      ' workspace (/directory)      sandbox        /model',
      ' ~/project      no sandbox     gemini-2.5-pro',
    ];
    const whole = [
      ...asked,
      '✦ Received 13 bytes',
      ...frame,
      ...box('  Type your message or @path/to/file'),
      ...footer,
    ];
    const [kind, tookMs] = await checkScreens('gemini', [[0, asked], [1_500, whole]]); // prettier-ignore
    assert.equal(kind, 'free');
    assert.ok(tookMs >= 1_500 && tookMs < 2_000, `${tookMs} ms`);
    assert.equal((await checkScreens('gemini', [[0, [...asked, ...frame]], [1_500, whole]]))[0], 'free'); // prettier-ignore
    assert.equal((await checkScreens('gemini', [[0, asked]]))[0], 'draft_in_box', 'nobody can tell: not typed into');
    const [drafted, draftMs] = await checkScreens('gemini', [[0, [...asked, ...frame, ...box('half a'), ...footer]]]);
    assert.deepEqual([drafted, draftMs < 1_000], ['draft_in_box', true]);
  });
});

describe('the submit key', () => {
  it('is held back while Claude Code ends a turn, and for no other line', () => {
    const claude = builtInTypes().find(({ id }) => id === 'claude-code')!;
    const isHeld = (line: string): boolean => {
      const rule = '─'.repeat(80);
      const text = ['● Received 32 bytes', '', line, '', rule, '❯ text', rule, '  esc to interrupt'].join('\n');
      const screen = { text, title: '', foreground: 'claude', isInCopyMode: false } as Parameters<ScreenJudge['judge']>[1]; // prettier-ignore
      return new ScreenJudge('bash').judge(claude, screen, 0).isHeld;
    };
    assert.equal(isHeld('✽ Considering… (running stop hook · 0s · ↓ 6 tokens)'), true);
    assert.deepEqual(['✽ Considering… (3s · ↓ 6 tokens)', '● It is running stop hook'].map(isHeld), [false, false]);
  });
});

describe('what is known of a run', () => {
  const type = (id: string) => builtInTypes().find((one) => one.id === id)!;

  it('is that the hook of its start is to come, until any hook came; not for one that was found running', () => {
    const run = new RunKnowledge(1);
    assert.equal(run.awaitsStartHook(type('gemini')), false);
    run.noteStart();
    assert.equal(run.awaitsStartHook(type('gemini')), true);
    assert.equal(run.awaitsStartHook(type('codex')), false, 'it tells nothing before its first prompt');
    assert.equal(run.awaitsStartHook(type('demo')), false);
    run.noteHook(undefined);
    assert.equal(run.awaitsStartHook(type('gemini')), false);
    assert.equal(run.hasHooks, true);
  });

  it('is that gemini holds back a prompt that it took while it worked, until it tells or has rested', () => {
    const gemini = type('gemini');
    const taken = { state: 'acknowledged', evidence: 'screen', submitCount: 1, prepared: 'a prompt', stateAtMs: 1_000 } as Parameters<RunKnowledge['noteOutcome']>[0]; // prettier-ignore
    const busy = { activity: 'busy', sinceMs: 0 } as const;
    const idle = { activity: 'idle', sinceMs: 5_000 } as const;
    const run = new RunKnowledge(1);
    run.noteOutcome(taken, gemini);
    assert.equal(run.isHolding(gemini, busy, 1_000), false, 'it rested when the prompt came');
    run.noteOutcome(taken, gemini, true);
    assert.equal(run.isHolding(gemini, busy, 900_000), true);
    assert.equal(run.isHolding(type('codex'), busy, 2_000), false, 'it joins nothing');
    assert.deepEqual([run.isHolding(gemini, idle, 7_000), run.isHolding(gemini, idle, 7_600)], [true, false]);
    run.noteHook('another prompt');
    assert.equal(run.isHolding(gemini, busy, 2_000), true);
    run.noteHook("a person's\n\na prompt");
    assert.equal(run.isHolding(gemini, busy, 2_000), false);
  });

  it('is that opencode has come to rest just now, and is left alone for a moment', () => {
    const run = new RunKnowledge(1);
    const idle = { activity: 'idle', sinceMs: 5_000 } as const;
    assert.equal(run.isHolding(type('opencode'), idle, 5_100), false, 'a new process has no turn that ends');
    run.noteOutcome({ state: 'acknowledged', evidence: 'hook', submitCount: 1 } as Parameters<RunKnowledge['noteOutcome']>[0], type('opencode')); // prettier-ignore
    assert.deepEqual([5_900, 6_000].map((nowMs) => run.isHolding(type('opencode'), idle, nowMs)), [true, false]); // prettier-ignore
    assert.equal(run.isHolding(type('opencode'), { activity: 'busy', sinceMs: 5_000 }, 5_100), false);
    assert.equal(run.isHolding(type('codex'), idle, 5_100), false);
  });

  it('keeps that a hook tells of prompts once hooks arrive, whatever is missed', () => {
    const missed = { state: 'acknowledged', evidence: 'screen', submitCount: 1 } as Parameters<RunKnowledge['noteOutcome']>[0]; // prettier-ignore
    const without = new RunKnowledge(1);
    without.noteOutcome(missed, type('gemini'));
    assert.equal(without.expectsHook(type('gemini')), false);
    const run = new RunKnowledge(1);
    run.noteHook(undefined);
    run.noteOutcome(missed, type('gemini'));
    assert.equal(run.expectsHook(type('gemini')), true);
  });
});
