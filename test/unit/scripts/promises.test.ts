import assert from 'node:assert/strict';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

interface FileOfTests {
  readonly name: string;
  readonly counts: readonly number[];
  readonly once: number;
}
interface PromisesScript {
  isOf(id: string, title: string): boolean;
  compareIds(a: string, b: string): number;
  trialsText(counts: readonly number[]): string;
  byFile(records: readonly { file: string; trials?: number }[]): readonly FileOfTests[];
  fileText(file: FileOfTests): string;
  tableWith(
    table: string,
    results: readonly { id: string; size: string; trials: string; files: readonly FileOfTests[]; outcome: string }[],
    when: { today: string; commit: string },
  ): string;
}
// Scripts run before anything is installed, so they are plain JavaScript.
const script = import(pathToFileURL(path.resolve('scripts/lib/promises.mjs')).href) as Promise<PromisesScript>;

describe('promises', () => {
  it('belong to titles that begin with their id, alone or among several', async () => {
    const { isOf } = await script;
    for (const title of ['R1 loses nothing', 'S2 R1 holds', 'R1, S2: holds', 'R1'])
      assert.equal(isOf('R1', title), true, title);
    for (const title of ['R13 fences', 'proves R1', 'S2 as R1 does', 'R1x', 'R', ''])
      assert.equal(isOf('R1', title), false, title);
  });

  it('are sorted by letter, then by number', async () => {
    const { compareIds } = await script;
    assert.deepEqual(['S2', 'R13', 'R1', 'S1', 'R2'].sort(compareIds), ['R1', 'R2', 'R13', 'S1', 'S2']);
  });

  it('tell the fewest and the most trials of their tests, and those of each file', async () => {
    const { byFile, fileText, trialsText } = await script;
    const files = byFile([
      { file: 'b', trials: 3_000 },
      { file: 'a' },
      { file: 'b', trials: 20 },
      { file: 'b' },
      { file: 'c', trials: 100 },
    ]);
    assert.deepEqual(files, [
      { name: 'a', counts: [], once: 1 },
      { name: 'b', counts: [3_000, 20], once: 1 },
      { name: 'c', counts: [100], once: 0 },
    ]);
    assert.deepEqual(
      files.map(({ counts }) => trialsText(counts)),
      ['–', '20–3000', '100'],
    );
    assert.deepEqual(files.map(fileText), [
      '`a` (1 test once)',
      '`b` (20–3000 in 2 tests, 1 once)',
      '`c` (100 in 1 test)',
    ]);
  });

  it('keep the lines of the others when one is replaced, each with its day and commit', async () => {
    const { tableWith } = await script;
    const result = (id: string, trials: string, count: number) => {
      const files = Array.from({ length: count }, (_, at) => ({ name: `test/${at}.test.ts`, counts: [], once: 1 }));
      return { id, size: 'ci', trials, files, outcome: 'holds' };
    };
    const first = tableWith('', [result('R2', '–', 1), result('R1', '20', 2)], {
      today: '2026-01-02',
      commit: 'abc1234',
    });
    const second = tableWith(first, [result('R2', '20–10000', 9)], { today: '2026-02-03', commit: 'def5678+' });
    const rows = (table: string) => table.split('\n').filter((line) => /^\| R/.test(line));
    assert.deepEqual(
      rows(first).map((row) => row.slice(0, 6)),
      ['| R1  ', '| R2  '],
    );
    assert.match(
      rows(first)[0] ?? '',
      / \| 2026-01-02 \| abc1234 {2}\| ci {6}\| 20 .*\| holds {6}\| `test\/0\.test\.ts` /,
    );
    assert.match(rows(second)[1] ?? '', / \| 2026-02-03 \| def5678\+ \| ci {6}\| 20–10000 /);
    const changed = second.split('\n').filter((line) => !first.split('\n').includes(line));
    assert.deepEqual(changed, [rows(second)[1]]);
    assert.equal(tableWith(second, [], { today: '', commit: '' }), second);
    const earlier = '| R1  | It holds. | 2025-12-31 | ci | – | holds | `a` (1 test once)   |\n';
    assert.match(
      tableWith(earlier, [], { today: '', commit: '' }),
      /\| 2025-12-31 \| – {8}\| ci {6}\| – {12}\| holds {6}\| `a` \(1 test once\) \|\n$/,
    );
  });
});
