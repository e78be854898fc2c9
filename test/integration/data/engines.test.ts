import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { DataError } from '../../../src/core/data/dataErrors';
import type { Collection } from '../../../src/core/data/dataStore';
import { sqlEnginesOf } from '../../../src/core/data/node/openSqlEngine';
import { findStore } from '../../../src/core/data/node/storeFiles';
import type { StoreEngineChoice } from '../../../src/core/data/storeEngine';
import { declaresNodeSqlite, noNodeSqlite, runInEditorNode } from '../../support/nodeWithSqlite';
import { notRun } from '../../support/notRun';
import { openFileStore, temporaryFolder } from '../../support/storeWorker';

interface Note {
  readonly text: string;
}
const notes: Collection<Note> = { kind: 'note', indexes: ['text'], parse: (value) => value as Note };
const metrics: Collection<Note> = { ...notes, kind: 'metric', durability: 'normal' };

describe('the engine of the store', () => {
  let folder: string;
  let remove: () => void;
  beforeEach(() => ({ folder, remove } = temporaryFolder()));
  afterEach(() => remove());

  it('auto is sql.js, wherever it passes its self-test', async () => {
    assert.equal(sqlEnginesOf('auto')[0], 'sql.js');
    const { store } = await openFileStore(folder);
    assert.match(store.health.engine, /^sql\.js/);
    await store.close();
  });

  it('that was named but is not there opens nothing and changes nothing', async () => {
    await assert.rejects(openFileStore(folder, { engine: 'sql.js', wasmFile: `${folder}/none.wasm` }), (error) =>
      DataError.is(error, 'data.engineUnavailable'),
    );
    assert.deepEqual(fs.readdirSync(folder), []);
    if (noNodeSqlite) {
      await assert.rejects(openFileStore(folder, { engine: 'node:sqlite' }), (error) =>
        DataError.is(error, 'data.engineUnavailable'),
      );
      assert.deepEqual(fs.readdirSync(folder), []);
    }
  });

  if (declaresNodeSqlite)
    describe('node:sqlite', () => {
      before(function () {
        if (noNodeSqlite) notRun(this, noNodeSqlite);
      });

      const orders: readonly (readonly [StoreEngineChoice, StoreEngineChoice])[] = [
        ['sql.js', 'node:sqlite'],
        ['node:sqlite', 'sql.js'],
      ];
      for (const [first, second] of orders) {
        it(`R1 opens and goes on with a store: written by ${first}, then by ${second}, then by ${first}`, async () => {
          const written: string[] = [];
          for (const [turn, engine] of [first, second, first].entries()) {
            const { store, report } = await openFileStore(folder, { engine });
            assert.deepEqual([report.isNew, report.isChecked, report.missingChanges], [turn === 0, true, undefined]);
            assert.ok(store.health.engine.startsWith(engine));
            for (let i = 0; i < 30; i++) {
              const text = `${turn}.${i} ünï\u{1f600}`;
              await store.tx((tx) => {
                tx.put(notes, `n${turn}.${i}`, { text });
                tx.put(metrics, `m${i}`, { text });
              });
              written.push(text);
            }
            assert.deepEqual((await store.find(notes)).map((r) => r.value.text).sort(), [...written].sort());
            assert.equal((await store.find(notes, { where: { text: written[0] ?? '' } })).length, 1);
            assert.equal((await store.get(metrics, 'm3'))?.version, turn + 1);
            assert.equal((await store.changes(0)).length, (turn + 1) * 60);
            await store.close();
            const main = findStore(folder)?.main ?? '';
            assert.equal(fs.statSync(main).mode & 0o777, 0o600);
            const said = execFileSync('sqlite3', [main, 'PRAGMA integrity_check'], { encoding: 'utf8' });
            assert.equal(said, 'ok\n');
          }
        });
      }

      it('takes over where sql.js fails its self-test, when nobody named an engine', async () => {
        const { store } = await openFileStore(folder, { wasmFile: `${folder}/none.wasm` });
        assert.match(store.health.engine, /^node:sqlite/);
        await store.tx((tx) => tx.put(notes, 'a', { text: 'kept' }));
        await store.close();
      });

      it('moves a long log into the main file between commits, and leaves the log no longer than that', async () => {
        const { store } = await openFileStore(folder, { engine: 'node:sqlite' });
        const text = 'x'.repeat(200_000);
        for (let i = 0; i < 100; i++) await store.tx((tx) => tx.put(notes, `n${i % 3}`, { text: `${i}${text}` }));
        const main = findStore(folder)?.main ?? '';
        assert.ok(fs.statSync(`${main}-wal`).size < 8_000_000, 'the log began again');
        assert.ok(fs.statSync(main).size > 400_000);
        await store.close();
      });

      it('keeps another program from the file while it is open', async () => {
        const { store } = await openFileStore(folder, { engine: 'node:sqlite' });
        const main = findStore(folder)?.main ?? '';
        assert.throws(() => execFileSync('sqlite3', [main, 'SELECT 1 FROM records'], { stdio: 'pipe' }), /locked/);
        await store.close();
      });
    });

  if (!declaresNodeSqlite)
    it("R1 node:sqlite does all that in VS Code's Node", async function () {
      this.timeout(180_000);
      const run = await runInEditorNode(__filename, 'the engine of the store node:sqlite');
      assert.ok(run.isPassed, run.output);
      assert.deepEqual([run.passed >= 5, run.pending], [true, 0], run.output);
    });
});
