import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import type { Collection } from '../../../src/core/data/dataStore';
import { findStore } from '../../../src/core/data/node/storeFiles';
import { prepareRestore } from '../../../src/core/data/node/storeRestore';
import { STORE_FAULT_POINTS, type StoreFaultPoint } from '../../../src/core/data/node/storeFaultPoints';
import { checkHere } from '../../support/checkHere';
import { nodeFor } from '../../support/nodeWithSqlite';
import { notRun } from '../../support/notRun';
import { buildFaultyStoreWorker, openFileStore, temporaryFolder, wasmFile } from '../../support/storeWorker';
import { history, type HistoryEntry, numbers } from '../../support/storeWorkerChild';
import { StoreProcess } from '../../support/storeWorkerProcess';
import { FAULTS_FILE, type StoreFaults } from '../../support/storeFaults';
import { sizedMs, trials } from '../../support/trials';

interface Note {
  readonly text: string;
}
const notes: Collection<Note> = { kind: 'note', indexes: ['text'], parse: (value) => value as Note };

const DAMAGED = 'something else '.repeat(1_000);

describe('a store that is killed', () => {
  let folder: string;
  let remove: () => void;
  beforeEach(() => ({ folder, remove } = temporaryFolder()));
  afterEach(() => remove());

  /** A store with something in it, and what the failpoint needs besides. */
  async function prepare(at: string, point: StoreFaultPoint): Promise<Readonly<Record<string, string>>> {
    const { store } = await openFileStore(at);
    await store.tx((tx) => tx.put(notes, 'before', { text: 'old' }));
    const backup = path.join(at, 'copy.db');
    if (point.startsWith('restore')) {
      await store.backup(backup);
      await store.tx((tx) => tx.put(notes, 'before', { text: 'new' }));
    }
    await store.close();
    if (point.startsWith('restore')) await prepareRestore({ folder: at, backup, runCheck: checkHere, wasmFile });
    if (point.startsWith('quarantine')) {
      fs.writeFileSync(findStore(at)?.main ?? assert.fail('no store'), DAMAGED);
      return { onDamage: 'quarantine' };
    }
    if (point !== 'fresh.named') return {};
    fs.writeFileSync(path.join(at, 'lock.2'), '');
    return { staleEpoch: '2' };
  }

  /** The damaged store is told after the kill, at each opening, and is where it is told to be. */
  async function assertTold(at: string, point: StoreFaultPoint): Promise<void> {
    for (const opening of ['first', 'second']) {
      const where = `${point}, ${opening} opening`;
      const { store, report } = await openFileStore(at, { onDamage: 'quarantine' });
      assert.equal(report.isNew, opening === 'first', where);
      const [aside = '', ...others] = report.quarantined?.files ?? [];
      assert.deepEqual([fs.readFileSync(aside, 'utf8'), others], [DAMAGED, []], where);
      await store.tx((tx) => tx.put(notes, opening, { text: 'goes on' }));
      await store.close();
    }
  }

  /** Whole after the kill, again after another opening, and with everything that was acknowledged. */
  async function assertRecovered(at: string, point: StoreFaultPoint, acked: readonly string[]): Promise<void> {
    for (const opening of ['first', 'second']) {
      const where = `${point}, ${opening} opening`;
      const { store, report } = await openFileStore(at);
      assert.deepEqual([report.missingChanges, report.quarantined, report.isNew], [undefined, undefined, false], where);
      const isTold = opening === 'first' && point.startsWith('restore');
      assert.equal(report.restored?.backup, isTold ? path.join(at, 'copy.db') : undefined, where);
      const ids = new Set((await store.find(numbers)).map(({ id }) => id));
      assert.deepEqual(acked.filter((id) => !ids.has(id)), [], where); // prettier-ignore
      assert.equal((await store.get(notes, 'before'))?.value.text, 'old', where);
      await store.tx((tx) => tx.put(notes, opening, { text: 'goes on' }));
      if (opening === 'second') assert.equal((await store.check('full')).isWhole, true, where);
      await store.close();
    }
  }

  for (const engine of ['sql.js', 'node:sqlite'] as const) {
    it(`R1 C38 reopens after a kill at every named failpoint: ${engine}`, async function () {
      const count = trials(1, STORE_FAULT_POINTS.length, 3 * STORE_FAULT_POINTS.length);
      this.timeout(60_000 + count * 10_000);
      const program = nodeFor(engine) ?? notRun(this, "neither this Node nor VS Code's has node:sqlite");
      const workerFile = await buildFaultyStoreWorker();
      const first = Math.floor(Math.random() * STORE_FAULT_POINTS.length);
      for (let trial = 0; trial < count; trial++) {
        const point = STORE_FAULT_POINTS[(first + trial) % STORE_FAULT_POINTS.length] ?? 'open.opened';
        const at = fs.mkdtempSync(path.join(folder, 'killed-'));
        const more = await prepare(at, point);
        const faults: StoreFaults = { killAt: { point, nth: point.startsWith('commit') ? 7 : 1 } };
        fs.writeFileSync(path.join(at, FAULTS_FILE), JSON.stringify(faults));
        const args = { dataFolder: at, workerFile, wasmFile, engine, name: 'n', role: 'tour', ...more };
        const child = await StoreProcess.start(args, program);
        await child.until('killed', 30_000);
        await child.exited;
        fs.rmSync(path.join(at, FAULTS_FILE));
        if (point.startsWith('quarantine')) await assertTold(at, point);
        else await assertRecovered(at, point, child.said('ack').map(({ n }) => `n-${String(n)}`)); // prettier-ignore
      }
    });

    it(`R1 C40 a random history has nothing lost, doubled or unexpected, whenever its process is killed: ${engine}`, async function () {
      const lives = trials(1, 60, 200);
      const lifeMs = sizedMs(300, 2_000, 2_000);
      this.timeout(60_000 + lives * (lifeMs + 10_000));
      const program = nodeFor(engine) ?? notRun(this, "neither this Node nor VS Code's has node:sqlite");
      const workerFile = await buildFaultyStoreWorker();
      const [begun, acked] = [new Set<string>(), new Set<string>()];
      for (let life = 0; life < lives; life++) {
        const args = { dataFolder: folder, workerFile, wasmFile, engine, name: `l${life}`, role: 'history' };
        const child = await StoreProcess.start(args, program);
        await child.until('ack', 30_000);
        await new Promise((resolve) => setTimeout(resolve, Math.random() * lifeMs)); // the instant is what is random here
        await child.kill();
        assert.deepEqual(child.said('died'), []);
        for (const { op } of child.said('begin')) begun.add(String(op));
        for (const { op } of child.said('ack')) acked.add(String(op));
      }
      const { store } = await openFileStore(folder);
      const kept = new Map((await store.find(history)).map(({ id, version, value }) => [id, { version, value }]));
      const lost = [...acked].filter((op) => !kept.has(op));
      const doubled = [...kept].filter(([, { version }]) => version !== 1);
      const unexpected = [...kept.keys()].filter((op) => !begun.has(op));
      assert.deepEqual({ lost, doubled, unexpected }, { lost: [], doubled: [], unexpected: [] });
      assertSerial([...kept.values()].map(({ value }) => value), new Map((await store.find(numbers)).map(({ id, value }) => [id, value.n]))); // prettier-ignore
      const changes = await store.changes(0, 10_000_000);
      assert.deepEqual([changes.length, changes.at(-1)?.seq], [kept.size * 2, kept.size * 2], 'both writes of each');
      process.stdout.write(`      ${lives} kills, ${kept.size} transactions, ${acked.size} acknowledged\n`);
      await store.close();
    });
  }

  /** Each value of each counter was seen by exactly one transaction: they took effect one after the other, whole. */
  function assertSerial(entries: readonly HistoryEntry[], counters: ReadonlyMap<string, number>): void {
    const seen = new Map<string, number[]>();
    for (const { counter, before } of entries) {
      const values = seen.get(counter) ?? [];
      values.push(before);
      seen.set(counter, values);
    }
    assert.deepEqual([...seen.keys()].sort(), [...counters.keys()].sort());
    for (const [counter, values] of seen) {
      assert.deepEqual(values.sort((a, b) => a - b), values.map((_, at) => at), counter); // prettier-ignore
      assert.equal(counters.get(counter), values.length, counter);
    }
  }
});
