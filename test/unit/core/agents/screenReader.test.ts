import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { builtInTypes } from '../../../../src/core/agents/builtInTypes';
import { resolveActivity, type ActivityState } from '../../../../src/core/agents/activityResolver';
import { compileScreen, type Reading, readScreen, readSilence } from '../../../../src/core/agents/screenReader';
import { requireAgentType } from '../../../../src/core/agents/agentTypeParser';
import { aScreen } from '../../../support/builders';

const compiled = (id: string) =>
  compileScreen(
    builtInTypes().find((type) => type.id === id)!,
    'bash',
  );
const fixtures = path.resolve('test/unit/core/agents/fixtures/demo');

function fixture(name: string) {
  const [first = '', ...lines] = readFileSync(path.join(fixtures, name), 'utf8').split('\n');
  return aScreen({ title: first.replace('title: ', ''), text: lines.join('\n') });
}

describe('screenReader', () => {
  for (const name of readdirSync(fixtures)) {
    const expected = name.replace(/[-.].*$/, '');
    it(`reads the recorded screen ${name} of the demo agent as ${expected}`, () => {
      assert.equal(readScreen(compiled('demo'), fixture(name)).activity, expected);
    });
  }

  it('says why, cleaned of everything that acts and cut to 200 characters', () => {
    const { evidence } = readScreen(
      compiled('demo'),
      aScreen({ text: `■ Error: \u001b[31m\u202eboom${'x'.repeat(400)}`, observedAtMs: 7 }),
    );
    assert.deepEqual([evidence.source, evidence.observedAtMs, [...evidence.detail].length], ['screen', 7, 200]);
    assert.match(evidence.detail, /^bottom rule "error line": ■ Error: boomx/);
  });

  it('lets dialogs win over everything, work over an old error, both over an empty box', () => {
    const type = requireAgentType({
      id: 't', label: 't', command: ['t'],
      screenRules: (['idle', 'busy', 'error', 'rate_limited', 'awaiting_input', 'awaiting_approval'] as const).map((activity) => ({ id: activity, activity, where: 'bottom', pattern: `^${activity}$` })),
    }); // prettier-ignore
    const order = ['awaiting_approval', 'awaiting_input', 'rate_limited', 'busy', 'error', 'idle'];
    for (let from = 0; from < order.length; from++) {
      const text = order.slice(from).reverse().join('\n');
      assert.equal(readScreen(compileScreen(type, 'sh'), aScreen({ text })).activity, order[from]);
    }
  });

  it('tells a waiting shell from one that runs something by the foreground command', () => {
    for (const [foreground, activity] of [
      ['bash', 'idle'],
      ['-bash', 'idle'],
      ['vim', 'busy'],
      ['bashful', 'busy'],
      ['', 'unknown'],
    ] as const) {
      // prettier-ignore
      assert.equal(readScreen(compiled('shell'), aScreen({ foreground })).activity, activity, foreground);
    }
  });

  it('trusts no text while somebody looks at the scroll-back', () => {
    const screen = { ...fixture('busy.txt'), isInCopyMode: true };
    assert.equal(readScreen(compiled('demo'), screen).activity, 'unknown');
  });

  it('calls a silent program before something like a prompt probably waiting, and no more', () => {
    const silent = (text: string) => readSilence(compiled('command'), aScreen({ text }), 2_000);
    for (const text of ['Password: ', 'x\n>>> ', 'Continue? \n\n', 'user@host:~$ ']) {
      assert.equal(silent(text)?.activity, 'unknown');
      assert.match(silent(text)?.evidence.detail ?? '', /^probably waiting: silent for 2 s/);
    }
    for (const text of ['', 'compiling…', 'done.']) assert.equal(silent(text), undefined, text);
  });

  it('reads any screen fast, whatever the size', () => {
    const demo = compiled('demo');
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 2_000 }), (text) => void readScreen(demo, aScreen({ text })))); // prettier-ignore
    const startedMs = performance.now();
    readScreen(demo, aScreen({ text: `${'• Working ('.repeat(100_000)}\n`.repeat(10), title: 'x'.repeat(1_000_000) }));
    assert.ok(performance.now() - startedMs < 500);
  });
});

describe('activityResolver', () => {
  const reading = (activity: Reading['activity']): Reading => ({
    activity,
    rule: 'r',
    evidence: { source: 'screen', detail: '', observedAtMs: 0 },
  });

  /** What is shown after each of these looks. */
  function shown(
    looks: readonly (readonly [atMs: number, activity: Reading['activity']])[],
    start: Reading['activity'] = 'busy',
  ) {
    let state: ActivityState = { activity: start };
    return looks.map(([atMs, activity]) => (state = resolveActivity(state, reading(activity), atMs).state).activity);
  }

  it('believes dialogs, work and errors at once', () => {
    for (const activity of ['awaiting_approval', 'awaiting_input', 'error', 'rate_limited', 'busy'] as const) {
      assert.deepEqual(shown([[0, activity]], 'idle'), [activity]);
    }
  });

  it('believes idle only when it is seen twice, 120 ms apart, with nothing in between', () => {
    assert.deepEqual(shown([[0, 'idle'], [119, 'idle'], [120, 'idle']]), ['busy', 'busy', 'idle']); // prettier-ignore
    assert.deepEqual(shown([[0, 'idle'], [60, 'busy'], [130, 'idle'], [249, 'idle'], [250, 'idle']]), ['busy', 'busy', 'busy', 'busy', 'idle']); // prettier-ignore
    assert.deepEqual(resolveActivity({ activity: 'busy' }, reading('idle'), 0).lookAgainMs, 120);
  });

  it('does not flicker to unknown while a screen is redrawn', () => {
    assert.deepEqual(shown([[0, 'unknown'], [500, 'busy'], [600, 'unknown'], [1_599, 'unknown'], [1_600, 'unknown']]), ['busy', 'busy', 'busy', 'busy', 'unknown']); // prettier-ignore
  });

  it('never shows idle while the last look saw a dialog', () => {
    const looks = fc.array(
      fc.tuple(
        fc.integer({ min: 1, max: 300 }),
        fc.constantFrom('idle', 'busy', 'awaiting_approval', 'awaiting_input', 'unknown'),
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(looks, (steps) => {
        let state: ActivityState = { activity: 'unknown' };
        let nowMs = 0;
        for (const [deltaMs, activity] of steps) {
          nowMs += deltaMs;
          state = resolveActivity(state, reading(activity as Reading['activity']), nowMs).state;
          if (activity.startsWith('awaiting')) assert.equal(state.activity, activity);
        }
      }),
    );
  });
});
