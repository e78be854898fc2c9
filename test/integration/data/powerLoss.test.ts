import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { DataError } from '../../../src/core/data/dataErrors';
import type { KeptRecord } from '../../../src/core/data/dataStore';
import { writeArchive } from '../../../src/core/data/node/archiveWriter';
import { nodeFileSystem } from '../../../src/core/data/node/fileSystem';
import { placeCopy } from '../../../src/core/data/node/placeCopy';
import { ensurePrivateFolder } from '../../../src/core/data/node/safeFolder';
import { backupsFolder } from '../../../src/core/data/node/storeBackups';
import { prepareRestore } from '../../../src/core/data/node/storeRestore';
import type { StoreSession } from '../../../src/core/data/node/storeSession';
import { checkHere } from '../../support/checkHere';
import { DiskRecorder, materialise, PowerLoss } from '../../support/diskRecorder';
import {
  assertPairs,
  numbersOf,
  open,
  type Opened,
  type Pair,
  putGroup,
  putPair,
  seeded,
} from '../../support/storePairs';
import { temporaryFolder, wasmFile } from '../../support/storeWorker';
import { sizedMs, trials, trialSize } from '../../support/trials';

const eachKind = Object.values(PowerLoss);

/** For a short run, in which each change counts: more of the many subsets. */
const moreSubsets = [...eachKind, PowerLoss.Subset, PowerLoss.Subset, PowerLoss.Subset];

const DAMAGED = Buffer.from('something else '.repeat(1_000));

describe('R2 power loss', () => {
  let folder: string;
  let remove: () => void;
  let disk: DiskRecorder;
  let recorded: string;
  beforeEach(() => {
    ({ folder, remove } = temporaryFolder());
    recorded = path.join(folder, 'recorded');
    fs.mkdirSync(recorded, { mode: 0o700 });
    disk = new DiskRecorder(recorded);
  });
  afterEach(() => {
    disk.stop();
    remove();
  });

  /** The disk after each number of changes, none and all of them too, with each kind of loss; of these some in a smoke test. */
  async function afterEachChange(
    smoke: number,
    kinds: readonly PowerLoss[],
    look: (at: string, prefix: number, where: string) => Promise<void>,
  ): Promise<number> {
    const all = (disk.changes.length + 1) * kinds.length;
    const count = trials(Math.min(smoke, all), all, all);
    for (let i = 0; i < count; i++) {
      const trial = trialSize === 'smoke' ? Math.floor((i * all) / count) : i;
      const prefix = Math.floor(trial / kinds.length);
      const loss = kinds[trial % kinds.length] ?? PowerLoss.Dropped;
      const at = path.join(folder, 'trial');
      fs.rmSync(at, { recursive: true, force: true });
      fs.mkdirSync(at, { mode: 0o700 });
      materialise(at, disk.changes.slice(0, prefix), loss, seeded(trial));
      await look(at, prefix, `after ${prefix} changes, ${loss}`);
    }
    return count;
  }

  it('R2 at any instant loses no acknowledged record and leaves no torn state', async function () {
    this.timeout(sizedMs(60_000, 900_000, 900_000));
    /** After so many changes of files this pair had been acknowledged with this number. */
    const acks: { readonly at: number; readonly pair: number; readonly n: number }[] = [];
    let { session } = await open(recorded);
    for (let n = 1; disk.changes.length < 2_000; n++) {
      // One alone, or several under one commit; in some of these one is refused, or two are about the same pair.
      const group: Pair[] = Array.from({ length: n % 3 === 0 ? 1 : 1 + (n % 5) }, (_, i) => {
        return { pair: (n + i) % 7, n: 10 * n + i, fill: n % 40 === 0 ? 20_000 : 50 };
      });
      if (n % 4 === 1) group.push({ pair: n % 7, n: 10 * n + 8, isRefused: true }, { pair: n % 7, n: 10 * n + 9 });
      const acked = putGroup(session, group);
      assert.deepEqual(acked, group.filter(({ isRefused }) => isRefused !== true)); // prettier-ignore
      // They were told so before the housekeeping.
      for (const { pair, n: number } of acked) acks.push({ at: disk.changes.length, pair, n: number });
      session.tidy();
      if (n % 60 === 59) await hold(session, () => undefined); // moves the log into the main file
      if (n % 200 !== 199) continue;
      session.close();
      ({ session } = await open(recorded));
    }
    session.close();
    disk.stop();
    let refused = 0;
    const count = await afterEachChange(150, eachKind, async (at, prefix, where) => {
      const acked = new Map<number, number>();
      for (const ack of acks) if (ack.at <= prefix) acked.set(ack.pair, ack.n);
      let opened: Opened;
      try {
        opened = await open(at);
      } catch (error) {
        // Only while the store was being made: nothing was acknowledged, and the person is told.
        assert.ok(acked.size === 0 && DataError.is(error, 'data.corrupt'), `${where}: ${String(error)}`);
        refused++;
        return;
      }
      assert.equal(opened.report.missingChanges, undefined, where);
      assertPairs(opened.session, acked, where);
      opened.session.close();
    });
    assert.ok(refused < count / 20, `${refused} were refused`);
  });

  it('R2 while a backup is made and restored, and while files are copied for a new owner, leaves the former or the new store whole', async function () {
    this.timeout(sizedMs(60_000, 900_000, 900_000));
    /** What the store holds from a change on; `former` may still, or again, be there instead. */
    const moments: { readonly at: number; readonly line: 'old' | 'new' | 'either'; readonly acked: ReadonlyMap<number, number> }[] = []; // prettier-ignore
    const acked = { old: new Map<number, number>(), new: new Map<number, number>() };
    let line: 'old' | 'new' | 'either' = 'old';
    const note = (): void => void moments.push({ at: disk.changes.length, line, acked: new Map(acked[line === 'new' ? 'new' : 'old']) }); // prettier-ignore
    const write = (session: StoreSession, pair: number, n: number): void => {
      assert.ok(putPair(session, pair, n, 3_000));
      acked[line === 'new' ? 'new' : 'old'].set(pair, n);
      note();
    };
    let { session } = await open(recorded);
    for (let n = 1; n <= 12; n++) write(session, n % 5, n);
    const inBackup = new Map(acked.old);
    const backup = path.join(backupsFolder(recorded), 'kept.db');
    await placeCopy({
      to: backup,
      signal: new AbortController().signal,
      onProgress: undefined,
      copy: (from) => hold(session, from),
      check: (file) => checkHere({ file, wasmFile, depth: 'full' }, new AbortController().signal),
    });
    const backedUpAt = disk.changes.length;
    const bytes = fs.readFileSync(backup);
    for (let n = 13; n <= 24; n++) write(session, n % 5, n);
    line = 'either';
    note();
    await prepareRestore({ folder: recorded, backup, runCheck: checkHere, wasmFile });
    session.close();
    ({ session } = await open(recorded, nodeFileSystem, { epoch: 2 }));
    line = 'new';
    for (const [pair, n] of inBackup) acked.new.set(pair, n);
    note();
    for (let n = 1_001; n <= 1_008; n++) write(session, n % 5, n);
    // Its owner is suspended now, and another one takes over.
    const { session: next } = await open(recorded, nodeFileSystem, { epoch: 3, hasStaleWriter: true });
    for (let n = 1_009; n <= 1_016; n++) write(next, n % 5, n);
    next.close();
    disk.stop();
    const newest = Math.max(...inBackup.values());
    await afterEachChange(60, moreSubsets, async (at, prefix, where) => {
      if (prefix >= backedUpAt) assert.ok(fs.readFileSync(path.join(at, 'backups', 'kept.db')).equals(bytes), where);
      const now = moments.findLast((moment) => moment.at <= prefix);
      let opened: Opened;
      try {
        opened = await open(at, nodeFileSystem, { epoch: 9 });
      } catch (error) {
        assert.ok(now === undefined && DataError.is(error, 'data.corrupt'), `${where}: ${String(error)}`);
        return; // while the store was being made
      }
      assert.equal(opened.report.missingChanges, undefined, where);
      const isRestored = opened.report.restored !== undefined || now?.line === 'new';
      const expected = now?.line === 'either' && isRestored ? inBackup : (now?.acked ?? new Map<number, number>());
      assertPairs(opened.session, expected, where);
      const isOld = (n: number): boolean => (isRestored ? n > newest && n < 1_000 : n > 1_000);
      assert.deepEqual(numbersOf(opened.session).filter(isOld), [], `${where}: of the other store`);
      opened.session.close();
    });
    session.close();
  });

  it('R2 while months are archived leaves each archive as it was or as it is now', async function () {
    this.timeout(sizedMs(60_000, 300_000, 300_000));
    const archive = path.join(recorded, 'archive');
    const files: { readonly at: number; readonly name: string; readonly bytes: Buffer }[] = [];
    for (const [epoch, ids] of [
      [1, ['a', 'b']],
      [1, ['c']],
      [2, ['d']],
    ] as const) {
      // prettier-ignore
      const records = ids.map((id): KeptRecord => {
        return { kind: 'pair', id, version: 1, createdAtMs: 1, updatedAtMs: 1, epoch, json: '{"n":1}' };
      });
      await writeArchive({ archive, month: '2026-11', epoch, wasmFile, records });
      const name = `2026-11.${epoch}.db`;
      files.push({ at: disk.changes.length, name, bytes: fs.readFileSync(path.join(archive, name)) });
    }
    disk.stop();
    await afterEachChange(20, moreSubsets, async (at, prefix, where) => {
      const due = files.findLastIndex((file) => file.at <= prefix);
      const there = files.map(({ name, bytes }) => {
        const file = path.join(at, 'archive', name);
        return fs.existsSync(file) && fs.readFileSync(file).equals(bytes);
      });
      assert.ok(due < 0 || there.slice(due).includes(true), `${where}: ${there.join()}`);
      if (due >= 0) return;
      const names = fs.existsSync(path.join(at, 'archive')) ? fs.readdirSync(path.join(at, 'archive')) : [];
      assert.ok(there.includes(true) || !names.some((name) => name.endsWith('.db')), `${where}: ${names.join()}`);
    });
  });

  it('R2 while a damaged store is put aside leaves no empty one that nobody is told of', async function () {
    this.timeout(sizedMs(60_000, 300_000, 300_000));
    const settings = { onDamage: 'quarantine' } as const;
    const { session, report } = await open(recorded);
    const acked = new Map<number, number>();
    for (let n = 1; n <= 12; n++) {
      assert.ok(putPair(session, n % 5, n, 3_000));
      acked.set(n % 5, n);
    }
    session.close();
    const fd = fs.openSync(report.file, 'r+');
    fs.writeSync(fd, DAMAGED, 0, DAMAGED.length, 0);
    fs.fsyncSync(fd);
    fs.closeSync(fd);
    const damagedAt = disk.changes.length;
    let told = 0;
    const { session: next } = await open(recorded, nodeFileSystem, settings);
    next.close();
    disk.stop();
    await afterEachChange(60, moreSubsets, async (at, prefix, where) => {
      if (prefix < damagedAt) return;
      const opened = await open(at, nodeFileSystem, settings);
      const files = opened.report.quarantined?.files.map((file) => fs.readFileSync(file)) ?? [];
      const isTold = files.some((bytes) => bytes.subarray(0, DAMAGED.length).equals(DAMAGED));
      // A log whose end was not durable may come back and mend the file: then everything is there.
      if (!isTold) assertPairs(opened.session, acked, where);
      else told++;
      opened.session.close();
    });
    assert.ok(told > 0);
  });

  it('R2 does not take away the folder of a store that was made', async () => {
    const store = path.join(recorded, 'workspaces', 'one');
    ensurePrivateFolder(store);
    disk.stop();
    const at = path.join(folder, 'trial');
    fs.mkdirSync(at);
    materialise(at, disk.changes, PowerLoss.Dropped, seeded(1));
    assert.ok(fs.statSync(path.join(at, 'workspaces', 'one')).isDirectory());
  });
});

/** While the main file is held unchanged. */
async function hold(session: StoreSession, use: (file: string) => unknown): Promise<void> {
  const reply = session.maintain(0, { do: 'hold' });
  assert.ok(reply.type === 'answer' && reply.held);
  await use(reply.held.file);
  session.maintain(0, { do: 'release', hold: reply.held.hold });
}
