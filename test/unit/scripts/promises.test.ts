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
});
