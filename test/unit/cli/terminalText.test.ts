import assert from 'node:assert/strict';
import fc from 'fast-check';
import { cleanBlock, cleanLine, fitted, formatAge, formatTable, widthOf } from '../../../src/cli/terminalText';

const HOSTILE = '\u001b[31mred\u001b]0;title\u0007\u009b2J\u202eevil\u200b\r\n\tend\u0007';

const anyText = fc.array(fc.integer({ min: 0, max: 0x2fff })).map((codes) => String.fromCodePoint(...codes));

describe('text for a terminal', () => {
  it('S6 leaves nothing of a line that could move the cursor, change colours or hide text', () => {
    assert.equal(cleanLine(HOSTILE), 'redevil end');
    fc.assert(
      fc.property(anyText, (text) => !/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/.test(cleanLine(text))),
    );
  });

  it('S6 keeps the lines of a block and nothing else that is not text', () => {
    assert.equal(cleanBlock('a\u001b[2Jb\r\nc\td\u0007'), 'ab\nc d');
    fc.assert(fc.property(anyText, (text) => !/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.test(cleanBlock(text))));
  });

  it('cuts by characters, not inside of one', () => {
    assert.equal(cleanLine('😀😀😀😀', 3), '😀😀…');
  });

  it('counts wide characters as two columns and combining marks as none', () => {
    assert.deepEqual(['abc', '漢字', '😀', 'e\u0301'].map(widthOf), [3, 4, 2, 1]);
    assert.equal(fitted('漢字漢字', 5), '漢字…');
  });

  it('fits tables into 80 columns, whatever is in them', () => {
    const rows = [
      [
        'A very long name of an agent that nobody would type',
        'a-very-long-id-of-an-agent-1234567890',
        'claude-code',
        'awaiting approval',
        '12 min',
        'Bash: rm -rf node_modules && npm ci && npm test',
      ],
      ['漢字の名前'.repeat(8), 'b', 'codex', 'idle', '3 s', ''],
    ];
    const table = formatTable(['NAME', 'ID', 'TYPE', 'STATE', 'SINCE', 'NOTE'], rows, 80);
    for (const line of table.split('\n')) assert.ok(widthOf(line) <= 80, line);
    assert.match(table, /awaiting/);
  });

  it('shortens no name and no id of a list, leaves columns out instead, and shortens nothing without a terminal', () => {
    const head = ['NAME', 'ID', 'TYPE', 'STATE', 'SINCE', 'NOTE'];
    const row = [
      'A name of some length',
      'a-name-of-some-length-1234567890',
      'claude-code',
      'awaiting approval',
      '12 min',
      'Bash: npm ci',
    ];
    const fit = { kept: [0, 1], droppable: [5, 2, 4, 1] };
    for (const width of [80, 70, 60, 40]) {
      const table = formatTable(head, [row], width, fit);
      for (const line of table.split('\n')) assert.ok(widthOf(line) <= width, line);
      assert.ok(table.includes(row[0] ?? ''), table);
      assert.equal(table.includes(row[1] ?? ''), width >= 70, table);
    }
    const long = formatTable(head, [[...row.slice(0, 5), 'x'.repeat(500)]], Infinity, fit);
    assert.ok(long.includes('x'.repeat(500)));
  });

  it('leaves a table alone that fits', () => {
    assert.equal(formatTable(['NAME', 'X'], [['a', 'bb']], 80), 'NAME  X\na     bb');
  });

  it('tells ages in one unit', () => {
    assert.deepEqual([-5, 59_999, 60_000, 7_200_000, 200_000_000].map(formatAge), [
      '0 s',
      '59 s',
      '1 min',
      '2 h',
      '2 d',
    ]);
  });
});
