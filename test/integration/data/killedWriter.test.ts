import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { findStore } from '../../../src/core/data/node/storeFiles';
import { eventually } from '../../support/eventually';
import { notRun } from '../../support/notRun';
import { buildStoreWorker, openFileStore, temporaryFolder, wasmFile } from '../../support/storeWorker';
import { numbers } from '../../support/storeWorkerChild';
import { StoreProcess } from '../../support/storeWorkerProcess';
import { trials } from '../../support/trials';

const run = promisify(execFile);

/** What Debian's sqlite3 says about the structure of the store, opened from a copy. */
async function sqlite3Check(folder: string): Promise<string> {
  const store = findStore(folder);
  assert.ok(store);
  const { folder: copy, remove } = temporaryFolder();
  try {
    for (const suffix of ['', '-wal']) fs.copyFileSync(store.main + suffix, path.join(copy, `copy.db${suffix}`));
    const sql = 'PRAGMA integrity_check; SELECT count(*) = (SELECT max(seq) FROM changes) FROM changes;';
    return (await run('sqlite3', [path.join(copy, 'copy.db'), sql])).stdout;
  } finally {
    remove();
  }
}

async function hasSqlite3(): Promise<boolean> {
  return run('sqlite3', ['--version']).then(
    () => true,
    () => false,
  );
}

/** At any instant of the next `withinMs`: the instant is what is random here. */
async function randomly(withinMs: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.random() * withinMs));
}

/** The next opening is clean, a second one too, and everything acknowledged is there. */
async function assertWhole(folder: string, acked: ReadonlySet<string>, where: string): Promise<void> {
  for (const opening of ['first', 'second']) {
    const { store, report } = await openFileStore(folder);
    assert.deepEqual(
      [report.missingChanges, report.quarantinedFile, report.migratedFromVersion, report.isChecked],
      [undefined, undefined, undefined, true],
      where,
    );
    if (opening === 'second') assert.equal(report.isNew, false, where);
    assert.equal(store.health.isReadOnly, false, where);
    const found = new Set((await store.find(numbers)).map((record) => record.id));
    const lost = [...acked].filter((id) => !found.has(id));
    assert.deepEqual(lost, [], `${where}, ${opening} opening: lost ${lost.length} of ${acked.size}`);
    await store.close();
  }
}

describe('a store whose process is killed', () => {
  let folder: string;
  let remove: () => void;
  beforeEach(() => ({ folder, remove } = temporaryFolder()));
  afterEach(() => remove());

  it('R1 kill -9 at any instant loses no acknowledged record', async function () {
    const count = trials(5, 100, 300);
    this.timeout(60_000 + count * 5_000);
    const workerFile = await buildStoreWorker();
    const acked = new Set<string>();
    const hits = new Map<string, number>();
    let ackedBefore = 0;
    /** How long an opening has taken at most: kills fall into this time. */
    let openingMs = 100;

    const start = (name: string, more: Readonly<Record<string, string>> = {}): Promise<StoreProcess> =>
      StoreProcess.start({ dataFolder: folder, workerFile, wasmFile, name, role: 'acks', ...more });

    /** Kills it and notes in which state it was. */
    const kill = async (name: string, child: StoreProcess, told = ''): Promise<void> => {
      await child.kill();
      for (const { n } of child.said('ack')) acked.add(`${name}-${String(n)}`);
      const [died] = child.said('died');
      assert.equal(died, undefined, `${name}: ${JSON.stringify(died)}`);
      const [opening, open] = [child.said('opening')[0]?.at, child.said('open')[0]?.at];
      if (opening !== undefined && open !== undefined) openingMs = Math.max(openingMs, open - opening);
      const state = opening === undefined ? 'starting' : open === undefined ? 'opening' : 'writing';
      hits.set(told || state, (hits.get(told || state) ?? 0) + 1);
    };

    /** Killed while it opens what is there: nothing, a whole store, or what an earlier kill has left. */
    const killOpening = async (name: string): Promise<void> => {
      const child = await start(name);
      await child.until('opening', 20_000);
      await randomly(openingMs * 1.2);
      await kill(name, child);
    };

    const killWriting = async (name: string, width: number): Promise<void> => {
      const child = await start(name, { width: String(width) });
      await child.until('ack', 20_000);
      await randomly(250);
      await kill(name, child);
    };

    /** Killed within the milliseconds in which the log is moved into the main file, which is written at no other time. */
    const killCheckpoint = async (name: string): Promise<void> => {
      const child = await start(name, { width: '8', fillBytes: '100000' });
      await child.until('ack', 20_000);
      const main = findStore(folder)?.main ?? assert.fail('there is no store');
      const changed = (): number => fs.statSync(main).mtimeMs;
      const before = changed();
      await eventually('the main file is written', () => changed() !== before, { timeoutMs: 20_000, everyMs: 0 });
      await randomly(5);
      await kill(name, child, 'moving the log');
    };

    const kinds: readonly ((name: string, trial: number) => Promise<void>)[] = [
      async (name) => killOpening(`${name}-o`), // in the first trial: the store is being made
      async (name, trial) => killWriting(`${name}-w`, [1, 8, 64][trial % 3] ?? 1),
      async (name) => {
        await killWriting(`${name}-w`, 8);
        await killOpening(`${name}-r1`); // recovers, and so does the next
        await killOpening(`${name}-r2`);
      },
      async (name, trial) => {
        await killCheckpoint(`${name}-c`);
        if (trial % 2 === 1) await killOpening(`${name}-r`);
      },
      async (name) => {
        const child = await start(`${name}-s`, { width: '8' });
        await randomly(openingMs * 4); // from the very start on
        await kill(`${name}-s`, child);
      },
    ];
    for (let trial = 0; trial < count; trial++) {
      // A store of its own for each round: its making is killed, too.
      if (trial % kinds.length === 0) {
        ackedBefore += acked.size;
        acked.clear();
        remove();
        ({ folder, remove } = temporaryFolder());
      }
      await kinds[trial % kinds.length]?.(`t${trial}`, trial);
      await assertWhole(folder, acked, `trial ${trial}`);
    }
    const killed = [...hits].map(([state, times]) => `${times} while ${state}`).join(', ');
    process.stdout.write(`      kills: ${killed}; of ${ackedBefore + acked.size} acknowledged records 0 lost\n`);
    for (const state of ['opening', 'writing', 'moving the log']) assert.ok(hits.has(state), `no kill while ${state}`);
  });

  it('is whole for another SQLite, after a close and after a kill', async function () {
    this.timeout(60_000);
    if (!(await hasSqlite3())) notRun(this, 'sqlite3 is not installed');
    const workerFile = await buildStoreWorker();
    const { store } = await openFileStore(folder);
    await Promise.all(Array.from({ length: 500 }, (_, n) => store.tx((tx) => tx.put(numbers, `a${n}`, { n }))));
    await store.close();
    assert.equal(await sqlite3Check(folder), 'ok\n1\n');
    const child = await StoreProcess.start({
      dataFolder: folder,
      workerFile,
      wasmFile,
      name: 'b',
      role: 'acks',
      width: '16',
    });
    await child.until('ack', 20_000);
    await new Promise((resolve) => setTimeout(resolve, 100)); // some more than one
    await child.kill();
    assert.equal(await sqlite3Check(folder), 'ok\n1\n');
  });
});
