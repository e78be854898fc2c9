// Runs alone: how long it takes is measured.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { builtInTypes } from '../../../../src/core/agents/builtInTypes';
import { compileScreen, readScreen, readSilence } from '../../../../src/core/agents/screenReader';
import { requireAgentType } from '../../../../src/core/agents/agentTypeParser';
import { aScreen } from '../../../support/builders';

const compiled = (id: string) =>
  compileScreen(
    builtInTypes().find((type) => type.id === id)!,
    'bash',
  );
const fixtures = path.resolve('test/unit/core/agents/fixtures/demo');

/** A type with a box, a rule for each way to look, and what the test adds. */
function aType(more: object) {
  const type = requireAgentType({
    id: 't', label: 't', command: ['t'], ...more,
    box: { first: '^>', until: '^status$', strip: ['^> ?'] },
    screenRules: [
      { id: 'dialog', activity: 'awaiting_approval', where: 'bottom', pattern: '^allow\\?' },
      { id: 'title', activity: 'busy', where: 'title', pattern: 'spinner' },
      { id: 'working', activity: 'busy', where: 'aboveBox', pattern: '^working' },
      { id: 'failed', activity: 'error', where: 'aboveBox', lines: 60, since: '^asked', pattern: '^failed' },
      { id: 'empty', activity: 'idle', where: 'box', box: 'empty', pattern: '^>' },
    ],
  }); // prettier-ignore
  return { compiled: compileScreen(type, 'bash') };
}

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

  it('says that nothing is known, and why, while an overlay covers the screen, but for a dialog and the title', () => {
    const { compiled: type } = aType({ overlays: [{ id: 'transcript', pattern: '^q to quit' }] });
    const read = (text: string, title = '') => readScreen(type, aScreen({ text, title }));
    assert.equal(read('> \nstatus').activity, 'idle');
    assert.equal(read('working\n> \nstatus').activity, 'busy');
    const covered = read('working\n> \nstatus\nq to quit');
    assert.deepEqual([covered.activity, covered.rule], ['unknown', '']);
    assert.match(covered.evidence.detail, /covered by an overlay: transcript/);
    assert.equal(read('> \nstatus\nq to quit', 'spinner').activity, 'busy');
    assert.equal(read('allow?\nstatus\nq to quit').activity, 'awaiting_approval');
  });

  it('needs an empty box for idle, and says so when a draft is in it', () => {
    const { compiled: type } = aType({});
    const { activity, evidence } = readScreen(type, aScreen({ text: '> half a sentence\nstatus' }));
    assert.equal(activity, 'unknown');
    assert.match(evidence.detail, /a draft is in its input box/);
    assert.equal(readScreen(type, aScreen({ text: 'no box' })).activity, 'unknown');
  });

  it('looks only above the box and at the last turn where a rule says so', () => {
    const { compiled: type } = aType({});
    const read = (...lines: string[]) => readScreen(type, aScreen({ text: [...lines, '> ', 'status'].join('\n') })).activity; // prettier-ignore
    assert.equal(read('asked: a', 'failed'), 'error');
    assert.equal(read('asked: a', 'failed', 'asked: b', 'done'), 'idle');
    assert.equal(read('failed', '', 'more'), 'error');
    assert.equal(readScreen(type, aScreen({ text: '> \nstatus\nfailed' })).activity, 'idle');
  });

  it('says of a program that it tries again, when it says so', () => {
    const types = new Map(builtInTypes().map((type) => [type.id, compileScreen(type, 'bash')]));
    const read = (typeId: string, lines: readonly string[]): readonly unknown[] => {
      const compiled = types.get(typeId);
      assert.ok(compiled);
      const { activity, isRetry } = readScreen(compiled, aScreen({ text: lines.join('\n'), title: '' }));
      return [activity, isRetry];
    };
    const codex = (...lines: readonly string[]): readonly string[] => [
      '› Do it', ...lines, '', '› Ask Codex to do anything', '', '  a-model default · ~/project',
    ]; // prettier-ignore
    assert.deepEqual(
      read(
        'codex',
        codex('• Reconnecting... 2/5 (3s • esc to interrupt)', '  └ Unexpected status 503 Service Unavailable'),
      ),
      ['rate_limited', true],
    );
    assert.deepEqual(
      read('codex', codex('• Reconnecting... 2/5 (3s • esc to interrupt)', '  └ Unexpected status 401 Unauthorized')),
      ['busy', true],
    );
    assert.deepEqual(read('codex', codex('• Working (3s • esc to interrupt)')), ['busy', undefined]);
  });

  it('says of a Gemini that works for minutes without a tool that it is possibly retrying', () => {
    const box = ['▄'.repeat(40), ' >   Type your message or @path/to/file', '▀'.repeat(40), ' workspace'];
    const read = (...lines: string[]) => readScreen(compiled('gemini'), aScreen({ text: [...lines, ...box].join('\n') })); // prettier-ignore
    const [short, long, tool] = [
      read(' ⠏ Thinking... (esc to cancel, 9s)'),
      read(' ⠏ Thinking... (esc to cancel, 6m 1s)'),
      read('│ ⊷  Shell sleep 100', ' ⠏ Thinking... (esc to cancel, 1m 3s)'),
    ];
    assert.deepEqual([short.activity, long.activity, tool.activity], ['busy', 'busy', 'busy']);
    assert.match(long.evidence.detail, /busy, possibly retrying.*6m 1s/);
    for (const { evidence } of [short, tool]) assert.doesNotMatch(evidence.detail, /possibly retrying/);
    assert.equal(read('✦ done (esc to cancel, 9s)').activity, 'idle');
  });

  it('knows the first questions of Gemini also in a terminal that is too low for them', () => {
    const folder = path.resolve('test/fixtures/screens/gemini/0.61.0/80x24');
    for (const name of ['sign-in', 'sign-in-second-option', 'onboarding-2']) {
      const { lines } = JSON.parse(readFileSync(path.join(folder, `${name}.json`), 'utf8')) as { lines: string[] };
      const shown = lines.slice(0, lines.findLastIndex((line) => line.trim() !== '') + 1);
      for (const rows of [9, 12]) {
        const text = shown.slice(-rows).join('\n');
        assert.equal(readScreen(compiled('gemini'), aScreen({ text })).activity, 'awaiting_input', `${name}, ${rows}`);
      }
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
