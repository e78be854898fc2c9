import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { findStore } from '../../../src/core/data/node/storeFiles';
import { journalIsWhole, sqlite3Check } from '../../support/sqlite3';
import { nodeFor } from '../../support/nodeWithSqlite';
import { notRun } from '../../support/notRun';
import {
  buildFaultyStoreWorker,
  buildStoreWorker,
  openFileStore,
  temporaryFolder,
  wasmFile,
} from '../../support/storeWorker';
import { numbers } from '../../support/storeWorkerChild';
import { StoreProcess } from '../../support/storeWorkerProcess';
import { FAULTS_FILE, type StoreFaults } from '../../support/storeFaults';
import { trials } from '../../support/trials';

const run = promisify(execFile);

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
      [report.missingChanges, report.quarantined, report.migratedFromVersion, report.isChecked],
      [undefined, undefined, undefined, true],
      where,
    );
    if (opening === 'second') assert.deepEqual([report.isNew, report.wasUnclean], [false, false], where);
    assert.equal(store.health.isReadOnly, false, where);
    const found = new Set((await store.find(numbers)).map((record) => record.id));
    const lost = [...acked].filter((id) => !found.has(id));
    assert.deepEqual(lost, [], `${where}, ${opening} opening: lost ${lost.length} of ${acked.size}`);
    await store.close();
  }
}

/** Writers that are killed, all on one folder at a time, with one engine. */
class Killings {
  readonly acked = new Set<string>();
  /** Kills by the state in which they hit. */
  readonly hits = new Map<string, number>();
  ackedBefore = 0;
  folder = '';
  #remove: () => void = () => undefined;
  /** How long an opening has taken at most: kills fall into this time. */
  #openingMs = 100;

  constructor(
    private readonly program: string,
    private readonly engine: 'sql.js' | 'node:sqlite',
    private readonly workerFile: string,
  ) {
    this.beginAnew();
  }

  /** A store of its own for each round: its making is killed, too. */
  beginAnew(): void {
    this.ackedBefore += this.acked.size;
    this.acked.clear();
    this.end();
    ({ folder: this.folder, remove: this.#remove } = temporaryFolder());
    const faults: StoreFaults = { tell: ['checkpoint.begun', 'checkpoint.done'] };
    fs.writeFileSync(path.join(this.folder, FAULTS_FILE), JSON.stringify(faults));
  }

  end(): void {
    this.#remove();
  }

  /** Killed while it opens what is there: nothing, a whole store, or what an earlier kill has left. */
  async opening(name: string): Promise<void> {
    const child = await this.#start(name);
    await child.until('opening', 20_000);
    await randomly(this.#openingMs * 1.2);
    await this.#kill(name, child);
  }

  async writing(name: string, width: number): Promise<void> {
    const child = await this.#start(name, { width: String(width) });
    await child.until('ack', 20_000);
    await randomly(250);
    await this.#kill(name, child);
  }

  /**
   * Killed within the milliseconds in which the log is moved into the main file, as the store's own thread tells them. Who reacts too late has
   * killed a writer, which counts as that; then another one is.
   */
  async movingTheLog(name: string): Promise<void> {
    for (let attempt = 0; attempt < 20; attempt++) {
      const child = await this.#start(`${name}${attempt}`, { width: '8', fillBytes: '100000' });
      await child.until('ack', 20_000);
      await child.next(({ point }) => point === 'checkpoint.begun');
      if (attempt % 3 === 2) await randomly(3);
      if ((await this.#kill(`${name}${attempt}`, child)) === 'moving the log') return;
    }
  }

  /** From the very start on. */
  async starting(name: string): Promise<void> {
    const child = await this.#start(name, { width: '8' });
    await randomly(this.#openingMs * 4);
    await this.#kill(name, child);
  }

  /** By the engine that wrote it, before others look at it. */
  async assertReadBack(where: string): Promise<void> {
    const child = await this.#start('r', { role: 'read' });
    const { ids, isReadOnly } = await child.until('found', 30_000);
    await child.until('closed', 30_000);
    await child.kill();
    const found = new Set(ids as readonly string[]); // what the child found
    assert.deepEqual([[...this.acked].filter((id) => !found.has(id)), isReadOnly], [[], false], where);
  }

  #start(name: string, more: Readonly<Record<string, string>> = {}): Promise<StoreProcess> {
    const { folder: dataFolder, workerFile, engine, program } = this;
    return StoreProcess.start({ dataFolder, workerFile, wasmFile, engine, name, role: 'acks', ...more }, program);
  }

  /** Kills it and notes in which state it was. */
  async #kill(name: string, child: StoreProcess): Promise<string> {
    await child.kill();
    // Another SQLite finds it whole before anything has recovered it; killed early enough there is none.
    if (findStore(this.folder)) assert.equal(await sqlite3Check(this.folder), 'ok\n', name);
    for (const { n } of child.said('ack')) this.acked.add(`${name}-${String(n)}`);
    const [died] = child.said('died');
    assert.equal(died, undefined, `${name}: ${JSON.stringify(died)}`);
    const [opening, open] = [child.said('opening')[0]?.at, child.said('open')[0]?.at];
    if (opening !== undefined && open !== undefined) this.#openingMs = Math.max(this.#openingMs, open - opening);
    const isMoving = child.said('at').at(-1)?.['point'] === 'checkpoint.begun';
    const isOpen = isMoving ? 'moving the log' : 'writing';
    const state = opening === undefined ? 'starting' : open === undefined ? 'opening' : isOpen;
    this.hits.set(state, (this.hits.get(state) ?? 0) + 1);
    return state;
  }
}

describe('a store whose process is killed', () => {
  let folder: string;
  let remove: () => void;
  beforeEach(() => ({ folder, remove } = temporaryFolder()));
  afterEach(() => remove());

  for (const engine of ['sql.js', 'node:sqlite'] as const) {
    it(`R1 kill -9 at any instant loses no acknowledged record: ${engine}`, async function () {
      const count = trials(engine === 'sql.js' ? 4 : 1, 100, 300);
      this.timeout(60_000 + count * 10_000);
      const program = nodeFor(engine) ?? notRun(this, "neither this Node nor VS Code's has node:sqlite");
      const killings = new Killings(program, engine, await buildFaultyStoreWorker());
      const kinds: readonly ((name: string, trial: number) => Promise<void>)[] = [
        async (name) => killings.opening(`${name}-o`), // in the first trial: the store is being made
        async (name, trial) => killings.writing(`${name}-w`, [1, 8, 64][trial % 3] ?? 1),
        async (name) => {
          await killings.writing(`${name}-w`, 8);
          await killings.opening(`${name}-r1`); // recovers, and so does the next
          await killings.opening(`${name}-r2`);
        },
        async (name, trial) => {
          await killings.movingTheLog(`${name}-c`);
          if (trial % 2 === 1) await killings.opening(`${name}-r`);
        },
        async (name) => killings.starting(`${name}-s`),
      ];
      const first = count === 1 ? 1 : 0; // a single one is killed while it writes
      try {
        for (let trial = 0; trial < count; trial++) {
          if (trial % kinds.length === 0) killings.beginAnew();
          await kinds[(first + trial) % kinds.length]?.(`t${trial}`, trial);
          if (engine === 'node:sqlite') await killings.assertReadBack(`trial ${trial}`);
          await assertWhole(killings.folder, killings.acked, `trial ${trial}`);
        }
      } finally {
        killings.end();
      }
      const { hits, ackedBefore, acked } = killings;
      const killed = [...hits].map(([state, times]) => `${times} while ${state}`).join(', ');
      process.stdout.write(`      kills: ${killed}; of ${ackedBefore + acked.size} acknowledged records 0 lost\n`);
      const states = count < kinds.length - 1 ? [] : ['opening', 'writing', 'moving the log'];
      for (const state of states) assert.ok(hits.has(state), `no kill while ${state}`);
      assert.ok(hits.size > 0);
    });
  }

  for (const engine of ['sql.js', 'node:sqlite'] as const) {
    it(`R1 R5 and its backups are whole for another SQLite, after a close and after a kill: ${engine}`, async function () {
      this.timeout(60_000);
      if (!(await hasSqlite3())) notRun(this, 'sqlite3 is not installed');
      const program = nodeFor(engine) ?? notRun(this, "neither this Node nor VS Code's has node:sqlite");
      const args = { dataFolder: folder, workerFile: await buildStoreWorker(), wasmFile, engine };
      const tour = await StoreProcess.start({ ...args, name: 'a', role: 'tour' }, program);
      await tour.until('closed', 30_000);
      await tour.kill();
      assert.equal(await sqlite3Check(folder, journalIsWhole), 'ok\n1\n');
      const backup = [
        '-readonly',
        path.join(folder, 'tour.db'),
        'PRAGMA integrity_check; SELECT count(*) > 0 FROM records',
      ];
      assert.equal((await run('sqlite3', backup)).stdout, 'ok\n1\n');
      const child = await StoreProcess.start({ ...args, name: 'b', role: 'acks', width: '16' }, program);
      await child.until('ack', 20_000);
      await randomly(100);
      await child.kill();
      assert.equal(await sqlite3Check(folder, journalIsWhole), 'ok\n1\n');
    });
  }
});
