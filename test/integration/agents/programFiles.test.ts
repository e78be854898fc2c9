import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NodeTrialRun } from '../../../src/core/agents/node/nodeTrialRun';
import { NodeUsageReader } from '../../../src/core/agents/node/nodeUsageReader';

describe('files of programs', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'program-files-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('reads records on from where it stopped, whole lines only', async () => {
    const file = join(folder, 'a.jsonl');
    const reader = new NodeUsageReader();
    writeFileSync(file, 'eins\nzwölf\nhal');
    const first = await reader.read(file, 0, 1_000);
    assert.deepEqual([first.lines, first.nextOffset], [['eins', 'zwölf'], 12]);
    appendFileSync(file, 'b\n');
    assert.deepEqual((await reader.read(file, first.nextOffset, 1_000)).lines, ['halb']);
    writeFileSync(file, 'neu\n');
    assert.deepEqual(await reader.read(file, 17, 1_000), {
      lines: ['neu'],
      nextOffset: 4,
      isReset: true,
      unreadBytes: 0,
    });
    writeFileSync(file, 'x'.repeat(100));
    assert.deepEqual(await reader.read(file, 0, 40), { lines: [], nextOffset: 40, isReset: false, unreadBytes: 60 });
  });

  it('does not wait for a pipe that somebody passes off as a record', async () => {
    const pipe = join(folder, 'p.jsonl');
    execFileSync('mkfifo', [pipe]);
    assert.deepEqual(await new NodeUsageReader().read(pipe, 0, 1_000), {
      lines: [],
      nextOffset: 0,
      isReset: false,
      unreadBytes: 0,
    });
  });

  it('runs a program to its end, within its time, in a folder that is removed', async () => {
    const trial = new NodeTrialRun();
    const made = await trial.makeFolder();
    const { signal } = new AbortController();
    const at = { env: { PATH: process.env.PATH ?? '' }, folder: made.path, timeoutMs: 5_000 };
    const said = await trial.run('/bin/sh', ['-c', 'pwd; echo oops >&2; exit 3'], at, signal);
    assert.deepEqual([said.code, said.output.includes(made.path), said.output.includes('oops')], [3, true, true]);
    const killed = await trial.run('/bin/sh', ['-c', 'exec sleep 60'], { ...at, timeoutMs: 100 }, signal);
    assert.equal(killed.code, undefined);
    await assert.rejects(trial.run('/no/such/program', [], at, signal));
    await made.remove();
    assert.deepEqual([existsSync(made.path), readdirSync(folder)], [false, []]);
  });
});
