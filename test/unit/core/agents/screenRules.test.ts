import assert from 'node:assert/strict';
import type { SettledScreen } from '../../../../src/core/agents/agentHost';
import type { AgentType, ScreenRule } from '../../../../src/core/agents/agentType';
import { builtInTypes } from '../../../../src/core/agents/builtInTypes';
import { type CompiledScreen, compileScreen, readScreen } from '../../../../src/core/agents/screenReader';
import { type RecordedScreen, readRecordedScreens } from '../../../agents/recordedScreens';

type Shown = Omit<SettledScreen, 'agentId' | 'generation'>;

/** Screens that rules may be tuned on; what is held out judges them elsewhere. */
const screens = readRecordedScreens().filter(({ isDead, set }) => !isDead && set === 'tuning');

/** What no recorded screen shows: one that does, but for this. */
const EDITED: Readonly<Record<string, readonly [why: string, screen: RegExp, from: RegExp, to: string]>> = {
  'codex: tool dialog': ['the form of a tool server', /^permission-command/, /^ {2}Press enter to confirm or esc to cancel.*$/m, '  enter to submit | esc to cancel'], // prettier-ignore
  'gemini: busy, possibly retrying': ['it has worked for minutes', /streaming/, /\(esc to cancel, \d+s\)/, '(esc to cancel, 6m 1s)'], // prettier-ignore
  'opencode: busy bar': ['a line that is not drawn to its end yet', /^bypass-streaming/, /esc interrupt/, ''],
  'opencode: esc interrupt': ['animations are switched off', /^bypass-streaming/, /[⬝■]{8}/, '[⋯]'],
  'opencode: limit reached': ['in place of another error', /^error-401-final/, /The key is not valid/g, 'Usage limit reached.'], // prettier-ignore
};

const isWaiting = (activity: string): boolean => activity === 'awaiting_approval' || activity === 'awaiting_input';

function shown({ title, foreground, cursor, isInCopyMode }: RecordedScreen, lines: readonly string[]): Shown {
  return { text: lines.join('\n'), title, foreground, cursor, isInCopyMode, observedAtMs: 0 };
}

/** A screen as it is, then as terminals show it now and then: no title, a title only, its top cut off, a line not drawn yet. */
function* views(screen: RecordedScreen): Generator<Shown> {
  const { lines } = screen;
  const whole = shown(screen, lines);
  yield* [whole, { ...whole, title: '' }, { ...whole, isInCopyMode: true }];
  for (const title of [screen.title, '']) {
    for (let from = 1; from < lines.length; from++) yield { ...shown(screen, lines.slice(from)), title };
    for (let at = 0; at < lines.length; at++)
      yield { ...shown(screen, lines.map((line, index) => (index === at ? '' : line))), title }; // prettier-ignore
  }
}

/** By this rule the screen is read as what it is, and without it as something else. */
function decides(rule: ScreenRule, all: CompiledScreen, others: CompiledScreen, view: Shown): boolean {
  const reading = readScreen(all, view);
  if (reading.rule !== rule.id) return false;
  const without = readScreen(others, view);
  return without.activity !== reading.activity || without.isRetry !== reading.isRetry;
}

function edited(type: AgentType, rule: ScreenRule): Shown | undefined {
  const edit = EDITED[`${type.id}: ${rule.id}`];
  if (!edit) return undefined;
  const [why, name, from, to] = edit;
  const screen = screens.find(
    (one) => one.typeId === type.id && name.test(one.name) && from.test(one.lines.join('\n')),
  );
  assert.ok(screen, `a recorded screen for: ${why}`);
  return { ...shown(screen, [screen.lines.join('\n').replace(from, to)]), title: '' };
}

function isNeeded(type: AgentType, rule: ScreenRule): boolean {
  const all = compileScreen(type, 'bash');
  const others = compileScreen({ ...type, screenRules: type.screenRules.filter((one) => one !== rule) }, 'bash');
  const own = edited(type, rule);
  if (own) return decides(rule, all, others, own);
  return screens.some(({ typeId, expected, ...screen }) => {
    const isRight = expected.activity === rule.activity || (isWaiting(expected.activity) && isWaiting(rule.activity));
    if (typeId !== type.id || !isRight) return false;
    for (const view of views({ typeId, expected, ...screen })) if (decides(rule, all, others, view)) return true;
    return false;
  });
}

describe('the screen rules of the real programs', function () {
  this.timeout(60_000);
  for (const type of builtInTypes().filter(({ id }) => screens.some(({ typeId }) => typeId === id))) {
    it(`of ${type.id} are each needed: without it a screen is read as something else than it is`, () => {
      const idle = type.screenRules.filter((rule) => !isNeeded(type, rule)).map(({ id }) => id);
      assert.deepEqual(idle, []);
    });
  }

  it('would be found out if one was there twice', () => {
    const type = builtInTypes().find(({ id }) => id === 'gemini') ?? assert.fail('no gemini');
    const [first] = type.screenRules;
    assert.ok(first);
    const twin = { ...first, id: 'its twin' };
    assert.ok(!isNeeded({ ...type, screenRules: [...type.screenRules, twin] }, twin));
  });
});
