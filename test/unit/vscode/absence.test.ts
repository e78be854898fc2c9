import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentLogger } from '../../../src/core/base/log';
import { AbsenceMark, RELOAD_MS } from '../../../src/vscode/window/absence';

describe('AbsenceMark', () => {
  let parent: string;
  let folder: string;

  beforeEach(() => {
    parent = mkdtempSync(path.join(tmpdir(), 'core-absence-'));
    folder = path.join(parent, 'not-there-yet');
  });
  afterEach(() => rmSync(parent, { recursive: true }));

  const wasAway = async (nowMs: number, where: string | undefined = folder): Promise<boolean> => {
    const mark = new AbsenceMark(where, silentLogger);
    await mark.take(nowMs);
    return mark.wasAway;
  };

  it('tells a reload from an absence, and uses a mark once', async () => {
    assert.equal(await wasAway(0), true, 'first session');
    await new AbsenceMark(folder, silentLogger).leave(1_000);
    assert.equal(await wasAway(1_000 + RELOAD_MS), false, 'reload');
    assert.equal(await wasAway(2_000), true, 'crash: nobody left a mark');
    await new AbsenceMark(folder, silentLogger).leave(1_000);
    assert.equal(await wasAway(1_001 + RELOAD_MS), true, 'absence');
  });

  it('counts a broken mark as none, and works without a folder', async () => {
    await new AbsenceMark(folder, silentLogger).leave(1_000);
    writeFileSync(path.join(folder, 'last-seen'), 'x');
    assert.equal(await wasAway(1_000), true);
    const nowhere = new AbsenceMark(undefined, silentLogger);
    await nowhere.leave(1_000);
    await nowhere.take(1_000);
    assert.equal(nowhere.wasAway, true);
  });
});
