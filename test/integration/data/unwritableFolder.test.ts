import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { SystemClock } from '../../../src/core/base/clock';
import { silentLogger } from '../../../src/core/base/log';
import { DataError } from '../../../src/core/data/dataErrors';
import { EpochWorkspaceLock } from '../../../src/core/data/node/epochWorkspaceLock';
import type { Ownership } from '../../../src/core/data/workspaceLock';
import { notRun } from '../../support/notRun';
import { temporaryFolder } from '../../support/storeWorker';

function acquire(dataFolder: string, runtimeFolder: string): Promise<Ownership> {
  const lock = new EpochWorkspaceLock({ dataFolder, runtimeFolder, clock: new SystemClock(), log: silentLogger });
  return lock.acquire(() => undefined, new AbortController().signal);
}

const isTold = (folder: string, says: RegExp) => (error: unknown) => {
  assert.ok(DataError.is(error, 'data.io'), String(error));
  assert.equal(error.disposition, 'retry');
  assert.ok(error.message.includes(folder), error.message);
  assert.match(error.message, says);
  return true;
};

describe('a folder that cannot be written when the engine starts', () => {
  let folder: string;
  let remove: () => void;
  beforeEach(() => ({ folder, remove } = temporaryFolder()));
  afterEach(() => remove());

  it('is told with what failed, why and what to do: something else stands in its way', async () => {
    const file = path.join(folder, 'file');
    fs.writeFileSync(file, '');
    const [below, run] = [path.join(file, 'data'), path.join(folder, 'run')];
    await assert.rejects(acquire(below, run), isTold(below, /cannot be made: .*is a file.*\(ENOTDIR\).*Move/));
    await assert.rejects(acquire(file, run), isTold(file, /cannot be made: .*file of this name.*\(EEXIST\).*Move/));
    const data = path.join(folder, 'data');
    await assert.rejects(acquire(data, below), isTold(below, /ENOTDIR/));
    fs.rmSync(file);
    (await acquire(below, run)).release();
  });

  it('is told of a folder without the right to write, and works when the right is given', async function () {
    if (process.getuid?.() === 0) return notRun(this, 'root may write everywhere');
    const parent = path.join(folder, 'parent');
    fs.mkdirSync(parent, { mode: 0o500 });
    const data = path.join(parent, 'data');
    await assert.rejects(acquire(data, path.join(folder, 'run')), isTold(data, /no right.*\(EACCES\).*chmod/));
    fs.chmodSync(parent, 0o700);
    (await acquire(data, path.join(folder, 'run'))).release();
  });

  it('is told of a full disk and of one that is read-only, and works when there is space again', async function () {
    const disk = path.join(folder, 'disk');
    fs.mkdirSync(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=700', 'tmpfs', disk], { stdio: 'ignore' });
    } catch {
      return notRun(this, 'a small disk can be mounted by root only');
    }
    try {
      const [data, run] = [path.join(disk, 'data'), path.join(folder, 'run')];
      fs.mkdirSync(data, { mode: 0o700 });
      fs.writeFileSync(path.join(disk, 'ballast'), Buffer.alloc(64 * 1024 - 4096));
      fs.writeFileSync(path.join(disk, 'last'), Buffer.alloc(4096 - 1));
      await assert.rejects(acquire(data, run), isTold(data, /cannot be written: the disk is full \(ENOSPC\)\. Free/));
      execFileSync('mount', ['-o', 'remount,ro', disk]);
      await assert.rejects(acquire(data, run), isTold(data, /read-only \(EROFS\)/));
      execFileSync('mount', ['-o', 'remount,rw', disk]);
      fs.rmSync(path.join(disk, 'ballast'));
      (await acquire(data, run)).release();
    } finally {
      execFileSync('umount', [disk]);
    }
  });
});
