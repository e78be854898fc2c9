import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { NodeStatusFiles } from '../../../src/core/agents/node/nodeStatusFiles';
import type { Disposable } from '../../../src/core/base/disposable';
import { silentLogger } from '../../../src/core/base/log';
import { eventually } from '../../support/eventually';

describe('nodeStatusFiles', () => {
  let folder: string;
  let program: ChildProcess;
  let watch: Disposable | undefined;
  const told: string[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'status-'));
    told.length = 0;
  });
  afterEach(() => {
    watch?.dispose();
    program.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  /** A process with this environment, and a watch on its status file. */
  function begin(env: Readonly<Record<string, string>>): string {
    program = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e9)'], { env, stdio: 'ignore' });
    const files = new NodeStatusFiles(silentLogger, env);
    const place = { pid: program.pid ?? 0, variable: 'PROGRAM_HOME', folder: '.program', path: 'sessions/own.json' };
    watch = files.watch(place, (text) => told.push(text));
    const home = env['PROGRAM_HOME'] ?? join(env['HOME'] ?? '', '.program');
    return join(home, place.path);
  }

  function write(path: string, text: string): void {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }

  it('tells a file that is there, and every change, without looking again and again', async () => {
    write(join(folder, '.program/sessions/own.json'), 'idle');
    const path = begin({ HOME: folder });
    await eventually('what is there', () => told.at(-1) === 'idle');
    write(path, 'busy');
    await eventually('the change', () => told.at(-1) === 'busy');
    write(join(folder, '.program/sessions/other.json'), 'other');
    write(path, 'waiting');
    await eventually('the next change', () => told.at(-1) === 'waiting');
    assert.ok(!told.includes('other'));
  });

  it('waits for folders that the program makes later, in the home that its launch names', async () => {
    const path = begin({ HOME: folder, PROGRAM_HOME: join(folder, 'elsewhere') });
    await new Promise((resolve) => setTimeout(resolve, 100)); // the watch has begun
    mkdirSync(join(folder, 'elsewhere'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    write(path, 'busy');
    await eventually('the first state', () => told.at(-1) === 'busy');
  });

  it('tells nothing after it was disposed, nor of a file that is too large', async () => {
    const path = begin({ HOME: folder });
    write(path, 'x'.repeat(70_000));
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.deepEqual(told, []);
    watch?.dispose();
    write(path, 'idle');
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.deepEqual(told, []);
  });
});
