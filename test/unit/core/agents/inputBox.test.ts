import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import type { InputBoxRule } from '../../../../src/core/agents/agentType';
import { builtInTypes } from '../../../../src/core/agents/builtInTypes';
import { hasInputBox, readBox } from '../../../../src/core/agents/inputBox';

const demo = builtInTypes().find(({ id }) => id === 'demo')!;
const fixtures = path.resolve('test/unit/core/agents/fixtures/demo');
const ruler = '─'.repeat(40);

/** Reads `lines` as a screen; by default of the demo agent. */
function read(lines: readonly string[], box: InputBoxRule | undefined = demo.box, isInCopyMode = false) {
  return readBox({ ...(box && { box }) }, { text: lines.join('\n'), isInCopyMode });
}

describe('inputBox', () => {
  it('is hidden in a recorded dialog of the demo agent and else empty', () => {
    for (const name of readdirSync(fixtures)) {
      const text = readFileSync(path.join(fixtures, name), 'utf8').replace(/^.*\n/, '');
      const kind = name.startsWith('awaiting') ? 'hidden' : /draft/.test(name) ? 'draft' : 'empty';
      assert.equal(readBox(demo, { text, isInCopyMode: false }).kind, kind, name);
    }
  });

  it('reads a draft without its decoration, wherever it wraps', () => {
    const screen = ['● You said: › old', ruler, '› first', '  second', 'wrapped', ruler, '  enter to send'];
    assert.deepEqual(read(screen), { kind: 'draft', text: 'first\nsecond\nwrapped' });
    assert.deepEqual(read([ruler, '›', ruler, '', '']), { kind: 'empty' });
  });

  it('is hidden in copy mode, without a rule, and when a line around it is missing', () => {
    const screen = [ruler, '›', ruler];
    assert.deepEqual(read(screen, demo.box, true), { kind: 'hidden' });
    assert.deepEqual(readBox({}, { text: screen.join('\n'), isInCopyMode: false }), { kind: 'hidden' });
    assert.deepEqual([hasInputBox({}), hasInputBox(demo)], [false, true]);
    for (const part of [[], [''], [ruler], ['›'], [ruler, '›'], ['›', ruler], [ruler, ruler]])
      assert.deepEqual(read(part), { kind: 'hidden' }, JSON.stringify(part));
  });

  it('doubts a draft without the line that only the input box has above it', () => {
    const box: InputBoxRule = { top: '^▄{4,}', first: '^ >', bottom: '^▀{4,}', strip: ['^ > ?'], above: '^─{4,}' };
    const drawn = ['▄▄▄▄', ' > text', '▀▀▀▀'];
    assert.deepEqual(read(['said', ...drawn], box), { kind: 'draft', text: 'text', isDoubtful: true });
    assert.deepEqual(read(['────', '', 'a', '', 'b', ...drawn], box), { kind: 'draft', text: 'text' });
    assert.deepEqual(read(['────', 'a', 'b', 'c', ...drawn], box), { kind: 'draft', text: 'text', isDoubtful: true });
    assert.deepEqual(read(['said', '▄▄▄▄', ' >', '▀▀▀▀'], box), { kind: 'empty' });
  });

  it('finds a box without a frame by its sign and the line below it', () => {
    const box: InputBoxRule = { first: '^[>!]( |$)', until: '^ {2}status', strip: ['^[>!] ?', '^ {2}'], placeholders: ['Say something'] }; // prettier-ignore
    assert.deepEqual(read(['> old', '', '> Say something', '', '  status'], box), { kind: 'empty' });
    assert.deepEqual(read(['> a', '  b', '', '  c', '', '  status', '  more'], box), {
      kind: 'draft',
      text: 'a\nb\n\nc',
    });
    assert.deepEqual(read(['> a', '  still drawing'], box), { kind: 'hidden' });
  });

  it('takes only a draft that is wholly a placeholder for an empty box', () => {
    const box: InputBoxRule = { first: '^>', until: '^$', strip: ['^> ?'], placeholders: ['Say something', 'Try ".*"'] }; // prettier-ignore
    const kind = (line: string) => read([line, '', 'x'], box).kind;
    assert.deepEqual(['> Say something', '> Try "a"', '>'].map(kind), ['empty', 'empty', 'empty']);
    assert.deepEqual(['> Say something else', '> Now say something', '> Try "a" b'].map(kind), ['draft', 'draft', 'draft']); // prettier-ignore
  });

  it('finds a box by the run of its lines, without menus and without its footer', () => {
    const box: InputBoxRule = { first: '^ *\\|', bottom: '^ *\\+={4,}', member: '^ *\\|', strip: ['^ *\\| ?'], ignore: ['\\| .*\\|$'], footer: '^ *\\| +Mode ' }; // prettier-ignore
    const draft = [
      '  |',
      '  | an answer',
      '',
      '  | /menu   |',
      '  |',
      '  | draft',
      '  |',
      '  |  Mode x',
      '  +=====',
      ' bar',
    ];
    assert.deepEqual(read(draft, box), { kind: 'draft', text: 'draft' });
    assert.deepEqual(read(['x', '  |', '  | Mode x', '  +====='], box), { kind: 'empty' });
    assert.deepEqual(read(['x', '  |', '  | question?', '  +====='], box), { kind: 'hidden' });
  });

  it('does not read what is drawn beside the box', () => {
    const box: InputBoxRule = { first: '^\\|', bottom: '^\\+=+', member: '^\\|', strip: ['^\\| ?'], clip: true };
    const panel = (text: string) => [`|${text}`.padEnd(20) + 'panel', '+=========          panel'];
    assert.deepEqual(read(panel(''), box), { kind: 'empty' });
    assert.deepEqual(read(panel(' a'), box), { kind: 'draft', text: 'a' });
    assert.equal(read(panel(''), { ...box, clip: false }).kind, 'draft');
  });

  it('reads a draft that is taller than the screen, but nothing else of that height', () => {
    const tall: InputBoxRule = { first: '^>', until: '^ status', overflow: '^(>| {2}|$)', strip: ['^> ?', '^ {2}'], covered: ['^ {2}press'] }; // prettier-ignore
    const lines = ['> 1', '  2', '', '  4', '  5', '  6'];
    assert.deepEqual(read(['said', ...lines], tall), { kind: 'draft', text: '1\n2\n\n4\n5\n6' });
    assert.equal(read([...lines, 'x'], tall).kind, 'hidden');
    assert.equal(read([...lines, '  press enter'], tall).kind, 'hidden');
    assert.equal(read(['> 1', '  2'], tall).kind, 'hidden');
    const framed = { ...demo.box!, overflow: '^' };
    assert.equal(read(['1', '2', '3', '4', '5', '6', ruler, 'hint'], framed).kind, 'draft');
    assert.equal(read(['', '', '', '', '', '', ruler], framed).kind, 'hidden');
  });

  it('is hidden behind an overlay and behind what is drawn below it', () => {
    const text = [ruler, '›', ruler, '  search:'].join('\n');
    assert.equal(readBox(demo, { text, isInCopyMode: false }).kind, 'empty');
    const overlays = [{ id: 'search', pattern: '^ {2}search:' }];
    assert.equal(readBox({ ...demo, overlays }, { text, isInCopyMode: false }).kind, 'hidden');
    assert.equal(read([ruler, '› x', ruler, '  Enter to confirm · Esc to cancel']).kind, 'hidden');
  });

  it('reads any text without an error', () => {
    const part = fc.constantFrom(ruler, '› ', '│', '┃ x', '  ', '❯ 1. Yes', '╹▀▀▀▀▀▀▀▀▀▀▀▀▀▀', '\u0000\u001b[2J', '𝕏');
    fc.assert(
      fc.property(
        fc.array(fc.oneof(part, fc.string({ unit: 'binary', maxLength: 300 })), { maxLength: 60 }),
        (lines) => {
          for (const type of builtInTypes()) readBox(type, { text: lines.join('\n'), isInCopyMode: false });
        },
      ),
    );
  });
});
