import assert from 'node:assert/strict';
import { builtInTypes } from '../../../../../src/core/agents/builtInTypes';
import { ScreenJudge } from '../../../../../src/core/agents/delivery/deliveryScreen';
import { ReadyCheck, START_HOOK_MS } from '../../../../../src/core/agents/delivery/readyCheck';
import { RunKnowledge } from '../../../../../src/core/agents/delivery/runFacts';
import { silentLogger } from '../../../../../src/core/base/log';
import { agentId } from '../../../../support/builders';
import { ScriptedTui } from '../../../../support/scriptedTui';
import { SupervisedWorld } from '../../../../support/supervisedWorld';

const ID = agentId('reviewer');

async function check(isFirst: boolean, isStarting: (passedMs: number) => boolean): Promise<number> {
  const world = new SupervisedWorld();
  const tui = new ScriptedTui(world.host, ID, world.clock);
  world.host.onDidLaunch = () => queueMicrotask(() => tui.show());
  const agent = await world.runningAgent({ typeId: 'demo' });
  const { host, clock } = world;
  const ready = new ReadyCheck({ host, clock, log: silentLogger, judge: new ScreenJudge('bash') }, agent);
  const beganMs = clock.monotonicMs();
  const passedMs = (): number => clock.monotonicMs() - beganMs;
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

describe('what is known of a run', () => {
  const type = (id: string) => builtInTypes().find((one) => one.id === id)!;

  it('is that the hook of its start is to come, until any hook came; not for one that was found running', () => {
    const run = new RunKnowledge(1);
    assert.equal(run.awaitsStartHook(type('gemini')), false);
    run.noteStart();
    assert.equal(run.awaitsStartHook(type('gemini')), true);
    assert.equal(run.awaitsStartHook(type('codex')), false, 'it tells nothing before its first prompt');
    assert.equal(run.awaitsStartHook(type('demo')), false);
    run.noteHook(false);
    assert.equal(run.awaitsStartHook(type('gemini')), false);
    assert.equal(run.hasHooks, true);
  });

  it('keeps that a hook tells of prompts once hooks arrive, whatever is missed', () => {
    const missed = { state: 'acknowledged', evidence: 'screen', submitCount: 1 } as Parameters<RunKnowledge['noteOutcome']>[0]; // prettier-ignore
    const without = new RunKnowledge(1);
    without.noteOutcome(missed, type('gemini'));
    assert.equal(without.expectsHook(type('gemini')), false);
    const run = new RunKnowledge(1);
    run.noteHook(false);
    run.noteOutcome(missed, type('gemini'));
    assert.equal(run.expectsHook(type('gemini')), true);
  });
});
