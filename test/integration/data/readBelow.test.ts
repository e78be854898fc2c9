import assert from 'node:assert/strict';
import fs from 'node:fs';
import { silentLogger } from '../../../src/core/base/log';
import type { Collection, DataStore } from '../../../src/core/data/dataStore';
import { frozenFiles } from '../../../src/core/data/node/frozenFiles';
import { openSqlJsReader } from '../../../src/core/data/node/sqlJsEngine';
import type { SqlEngine } from '../../../src/core/data/node/sqlEngine';
import { findRecords, type KeptRow, readPage } from '../../../src/core/data/node/storeSql';
import { DataProcessor } from '../../../src/core/data/processing/dataProcessor';
import { applyRetention, type RetentionReport } from '../../../src/core/data/retention/retention';
import { SystemClock } from '../../../src/core/base/clock';
import { allLines, oldLines } from '../../support/retentionChild';
import { declaresNodeSqlite, noNodeSqlite, runInEditorNode } from '../../support/nodeWithSqlite';
import { notRun } from '../../support/notRun';
import { openFileStore, temporaryFolder, wasmFile } from '../../support/storeWorker';

const lines: Collection<{ readonly atMs: number; readonly text: string }> = { ...oldLines, indexes: ['atMs'] };

describe('what is old', () => {
  let folder: string;
  let remove: () => void;
  beforeEach(() => ({ folder, remove } = temporaryFolder()));
  afterEach(() => remove());

  /** 5 000 lines, one a second from 1 ms on; returns the file, complete by itself. */
  async function filled(of = lines): Promise<string> {
    const { store, report } = await openFileStore(folder);
    await store.tx((tx) => {
      for (let i = 0; i < 5_000; i++) tx.put(of, `l${i}`, { atMs: 1 + i * 1_000, text: 'x'.repeat(200) });
    });
    await store.close();
    return report.file;
  }

  it('is read along its index, a page at a time, and nothing else is', async () => {
    const file = await filled();
    const engine = await openSqlJsReader(file, wasmFile, frozenFiles(file));
    const read: KeptRow[] = [];
    const asked: string[] = [];
    const counting: Pick<SqlEngine, 'all' | 'get'> = {
      all: (sql, params) => (asked.push(sql), engine.all(sql, params)),
      get: (sql, params) => engine.get(sql, params),
    };
    for (let after = undefined as KeptRow['cursor'] | undefined; ;) {
      const below = { property: 'atMs', value: 100_000 };
      const page = readPage(counting, { kind: 'line', where: [], below, ...(after && { after }) }, 64);
      read.push(...page);
      after = page.at(-1)?.cursor;
      if (page.length < 64) break;
    }
    assert.deepEqual([read.length, asked.length], [100, 2]);
    assert.deepEqual(read.map(({ record }) => record.id), read.map((_, index) => `l${index}`)); // prettier-ignore
    const oldest = { where: [], orderBy: 'atMs', descending: false, limit: 1 };
    assert.equal(findRecords(counting, 'line', oldest)[0]?.id, 'l0');
    for (const [index, sql] of asked.entries()) {
      const params = [[1, 64], [1, 1, 1, 'x', 64], [1]][index] ?? [];
      const plan = engine.all(`EXPLAIN QUERY PLAN ${sql}`, params).map((row) => row.join(' ')).join('\n'); // prettier-ignore
      assert.match(
        plan,
        index === 2
          ? /SCAN records USING INDEX ix_line_atMs_/
          : /SEARCH records USING INDEX ix_line_atMs_\w+ \(<expr>[<>]\?/,
      );
      assert.doesNotMatch(plan, /TEMP B-TREE/);
    }
    engine.close();
  });

  /** Makes one line no JSON any more, on the disk. */
  function damage(file: string): void {
    const [bytes, text] = [fs.readFileSync(file), '{"atMs":5001,'];
    for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) bytes.write('?', at);
    fs.writeFileSync(file, bytes);
  }

  const dayMs = 86_400_000;
  const apply = (store: DataStore, nowMs: number): Promise<RetentionReport> =>
    applyRetention(
      [allLines],
      {
        ...{ store, archive: undefined, nowMs: () => nowMs, log: silentLogger },
        processor: new DataProcessor({ clock: new SystemClock() }),
      },
      new AbortController().signal,
    );

  it('leaves the store although a record beside it is damaged, and takes no snapshot where there is none', async () => {
    damage(await filled());
    const { store } = await openFileStore(folder);
    const snapshot = store.snapshot.bind(store);
    let snapshots = 0;
    store.snapshot = (use, options) => (snapshots++, snapshot(use, options));
    assert.deepEqual([await apply(store, dayMs), snapshots], [{ moved: 0, isMore: false }, 0]);
    assert.deepEqual([await apply(store, dayMs + 10_000), snapshots], [{ moved: 9, isMore: false }, 1]);
    await store.close();
  });

  const engines = declaresNodeSqlite ? (['sql.js', 'node:sqlite'] as const) : (['sql.js'] as const);
  for (const engine of engines)
    it(`leaves a store without the index although one of its records is no JSON (${engine})`, async function () {
      if (engine === 'node:sqlite' && noNodeSqlite) notRun(this, noNodeSqlite);
      damage(await filled(oldLines));
      const { store } = await openFileStore(folder, { engine });
      try {
        assert.deepEqual(await apply(store, dayMs + 10_000), { moved: 9, isMore: false });
        assert.deepEqual(await apply(store, dayMs + 10_000), { moved: 0, isMore: false });
      } finally {
        await store.close();
      }
    });
  if (!declaresNodeSqlite)
    it('leaves it by node:sqlite, too, in the Node of VS Code', async () => {
      const run = await runInEditorNode(__filename, 'no JSON (node:sqlite)');
      assert.ok(run.isPassed && run.passed === 1, run.output);
    }).timeout(60_000);
});
