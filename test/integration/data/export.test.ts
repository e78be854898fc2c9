import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { SystemClock } from '../../../src/core/base/clock';
import { silentLogger } from '../../../src/core/base/log';
import type { Collection } from '../../../src/core/data/dataStore';
import { type DataExportPorts, exportData } from '../../../src/core/data/exchange/dataExport';
import { ExchangeError } from '../../../src/core/data/exchange/exchangeErrors';
import { connectStore, startWorkerThread } from '../../../src/core/data/node/openDataStore';
import { NodeExportFiles } from '../../../src/core/data/node/nodeExportFiles';
import type { StartThread, StoreThread } from '../../../src/core/data/node/storeConnection';
import { readInThread } from '../../../src/core/data/node/storeReader';
import { DataProcessor } from '../../../src/core/data/processing/dataProcessor';
import { jsonArray } from '../../../src/core/data/processing/jsonExport';
import { checkHere } from '../../support/checkHere';
import { defaultSettings } from '../../support/storeWorkerInProcess';
import { buildStoreWorker, openFileStore, temporaryFolder, wasmFile } from '../../support/storeWorker';
import { sizedMs, trials } from '../../support/trials';

interface Half {
  readonly round: number;
}
const lefts: Collection<Half> = { kind: 'left', indexes: [], parse: (value) => value as Half }; // written by this test
const rights: Collection<Half> = { ...lefts, kind: 'right' };

describe('Exports of a store on a file', () => {
  const clock = new SystemClock();
  let place: ReturnType<typeof temporaryFolder>;
  let store: Awaited<ReturnType<typeof openFileStore>>['store'];
  let file: string;
  let workerFile: string;
  beforeEach(async () => {
    place = temporaryFolder();
    workerFile = await buildStoreWorker();
    fs.mkdirSync(path.join(place.folder, 'store'), { mode: 0o700 });
    ({ store } = await openFileStore(path.join(place.folder, 'store')));
    file = path.join(place.folder, 'export.json');
  });
  afterEach(async () => {
    await store.close();
    place.remove();
  });

  const ports = (): DataExportPorts => ({
    store,
    files: new NodeExportFiles({ workerFile, wasmFile }),
    processor: new DataProcessor({ clock, breathe: () => new Promise((done) => setImmediate(done)) }),
    nowMs: () => clock.nowMs(),
    collections: [lefts, rights] as unknown as readonly Collection<never>[],
    secretPlaces: [],
    document: { records: async function* () {}, format: jsonArray },
  });
  interface Written {
    readonly kind: string;
    readonly value: Half;
  }
  /** By the program of SQLite itself where it is a database. */
  async function recordsOf(format: 'json' | 'ndjson' | 'sqlite'): Promise<readonly Written[]> {
    if (format === 'sqlite') {
      const sql = `SELECT json_group_array(json_object('kind', kind, 'value', json(value)))
        FROM (SELECT kind, value FROM records ORDER BY kind, id)`;
      const { stdout } = await promisify(execFile)('sqlite3', ['-readonly', file, sql], { maxBuffer: 2 ** 24 });
      return JSON.parse(stdout) as readonly Written[]; // just written
    }
    const text = fs.readFileSync(file, 'utf8');
    if (format === 'json') return JSON.parse(text) as readonly Written[]; // just written
    return text.trimEnd().split('\n').map((line) => JSON.parse(line) as Written); // just written
  } // prettier-ignore
  const files = (): string[] => fs.readdirSync(place.folder).filter((name) => name !== 'store' && name !== 'other');

  it('R5 never holds half of a transaction, while others write', async function () {
    this.timeout(sizedMs(60_000, 1_800_000, 1_800_000));
    const rounds = trials(4, 1_000, 1_000);
    // More than one page of each: what is read later is of the same moment.
    const all = Array.from({ length: 700 }, (_, at) => String(at).padStart(3, '0'));
    await store.tx((tx) => {
      for (const at of all) tx.put(lefts, `l${at}`, { round: 0 });
      for (const at of all) tx.put(rights, `r${at}`, { round: 0 });
    });
    let isOver = false;
    const writing = (async () => {
      for (let round = 1; !isOver; round++) {
        await store.tx((tx) => {
          for (const at of [round % 7, 350 + (round % 7), 693 + (round % 7)].map((each) => all[each] ?? '')) {
            tx.put(lefts, `l${at}`, { round });
            tx.put(rights, `r${at}`, { round });
          }
        });
      }
    })();
    try {
      for (let i = 0; i < rounds; i++) {
        const format = i % 10 === 2 ? 'sqlite' : i % 2 === 0 ? 'json' : 'ndjson';
        await exportData(ports(), { file, format, overwrite: true }, () => undefined);
        const records = await recordsOf(format);
        const roundsOf = (kind: string): number[] =>
          records.filter((each) => each.kind === kind).map(({ value }) => value.round);
        assert.equal(roundsOf('left').length, all.length);
        assert.deepEqual(roundsOf('left'), roundsOf('right'));
        assert.equal(new Set([0, 350, 693].map((from) => Math.max(...roundsOf('left').slice(from, from + 7)))).size, 1);
      }
    } finally {
      isOver = true;
      await writing;
    }
  });

  it('R5 is whole when the thread of the store ended on its way and everything was read again', async function () {
    this.timeout(60_000);
    const folder = path.join(place.folder, 'other');
    fs.mkdirSync(folder, { mode: 0o700 });
    const threads: StoreThread[] = [];
    const start = startWorkerThread(workerFile, { ...defaultSettings, folder }, silentLogger);
    const recording: StartThread = (...args) => {
      const thread = start(...args);
      threads.push(thread);
      return thread;
    };
    const openReader = readInThread(workerFile, wasmFile);
    const { store: other } = await connectStore(recording, 1, { runCheck: checkHere, openReader });
    try {
      const padding = 'x'.repeat(500);
      await other.tx((tx) => {
        for (let round = 0; round < 2_000; round++) tx.put(lefts, `l${round}`, { round, padding } as Half);
      });
      let pages = 0;
      const ending = (): void => void (++pages === 4 && threads[0]?.terminate());
      const breathing = new DataProcessor({ clock, breathe: () => new Promise((done) => setImmediate(done)) });
      const processor: DataExportPorts['processor'] = {
        run: (options, signal) => breathing.run({ ...options, progressEvery: 1 }, signal),
      };
      const request = { file, format: 'ndjson' } as const;
      const { records, sizeBytes } = await exportData({ ...ports(), store: other, processor }, request, ending);
      const text = fs.readFileSync(file, 'utf8');
      const all = text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { kind: string; value: Half }); // just written
      const rounds = all.filter(({ kind }) => kind === 'left').map(({ value }) => value.round);
      assert.deepEqual([threads.length, records, Buffer.byteLength(text)], [2, 2_000, sizeBytes]);
      assert.deepEqual([all.length, rounds.length, new Set(rounds).size], [2_002, 2_000, 2_000]);
    } finally {
      await other.close();
    }
  });

  it('makes a file for its owner only, and none but that', async () => {
    await store.tx((tx) => tx.put(lefts, 'l', { round: 1 }));
    const report = await exportData(ports(), { file, format: 'ndjson' }, () => undefined);
    const { mode, size } = fs.statSync(file);
    assert.deepEqual([mode & 0o777, size, report.records], [0o600, report.sizeBytes, 1]);
    assert.deepEqual(files(), ['export.json']);
  });

  it('leaves a file that is there as it is, unless it is told to replace it; what is no file always', async () => {
    fs.writeFileSync(file, 'mine');
    const isThere = (error: unknown): boolean => ExchangeError.is(error, 'exchange.fileExists');
    await assert.rejects(
      exportData(ports(), { file, format: 'json' }, () => undefined),
      isThere,
    );
    assert.equal(fs.readFileSync(file, 'utf8'), 'mine');
    await exportData(ports(), { file, format: 'json', overwrite: true }, () => undefined);
    assert.notEqual(fs.readFileSync(file, 'utf8'), 'mine');
    const link = path.join(place.folder, 'link');
    fs.symlinkSync(file, link);
    for (const other of [link, place.folder, 'relative.json', path.join(place.folder, 'none', 'x.json')])
      await assert.rejects(
        exportData(ports(), { file: other, format: 'json', overwrite: true }, () => undefined),
        (error) => ExchangeError.is(error, 'exchange.fileUnusable'),
      );
    assert.deepEqual(files().sort(), ['export.json', 'link']);
  });

  it('leaves nothing when it is cancelled on its way', async () => {
    const abort = new AbortController();
    await store.tx((tx) => {
      for (let i = 0; i < 3_000; i++) tx.put(lefts, `l${i}`, { round: i });
    });
    const stopped = exportData(ports(), { file, format: 'json' }, () => abort.abort(new Error('enough')), abort.signal);
    await assert.rejects(stopped, /enough/);
    assert.deepEqual(files(), []);
  });
});
