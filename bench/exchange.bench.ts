import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { SystemClock } from '../src/core/base/clock';
import { silentLogger } from '../src/core/base/log';
import type { Collection } from '../src/core/data/dataStore';
import { exportData } from '../src/core/data/exchange/dataExport';
import { lockFileName } from '../src/core/data/node/epochFence';
import { frozenFiles } from '../src/core/data/node/frozenFiles';
import { NodeExportFiles } from '../src/core/data/node/nodeExportFiles';
import { openStoreSession } from '../src/core/data/node/openStoreSession';
import { openSqlJsReader } from '../src/core/data/node/sqlJsEngine';
import { DataProcessor } from '../src/core/data/processing/dataProcessor';
import { jsonArray } from '../src/core/data/processing/jsonExport';
import { buildStoreWorker, openFileStore, temporaryFolder, wasmFile } from '../test/support/storeWorker';
import { bench, figure, median } from './figure';

const records = Number(process.env.CORE_BENCH_RECORDS ?? 1_000_000);
const messages: Collection<{ readonly body: string }> = {
  kind: 'message',
  indexes: [],
  parse: (value) => value as { readonly body: string },
};
const batch = 1_000;
/** Exports that are measured. */
const rounds = 3;

/** Prose of about 900 bytes with what prose of programs has in it; in one of twenty a secret. */
function bodyOf(index: number): string {
  const line = `Step ${index}: npm run build -- --watch; see src/index.ts:${index % 400} ("name" = 'value')\n`;
  const text = line.repeat(11);
  return index % 20 === 0 ? `${text}Authorization: Bearer abcdefgh${index}` : text;
}

/** In a process of its own, so that its memory is not counted. */
async function fill(folder: string): Promise<void> {
  fs.writeFileSync(path.join(folder, lockFileName(1)), '');
  const { session } = await openStoreSession(
    {
      ...{ folder, wasmFile, epoch: 1, isFenced: true, hasStaleWriter: false, engine: 'sql.js' },
      ...{ onDamage: 'reject', acceptMissingChanges: false },
    },
    { clock: new SystemClock(), log: silentLogger },
  );
  for (let from = 0; from < records; from += batch) {
    const ops = Array.from({ length: Math.min(batch, records - from) }, (_, i) => ({
      ...({ op: 'put', kind: messages.kind, expectedVersion: 0 } as const),
      id: `m${String(from + i).padStart(9, '0')}`,
      json: JSON.stringify({ body: bodyOf(from + i) }),
    }));
    const [reply] = session.commit([{ type: 'tx', id: 1, nowMs: 1, isDurable: false, ops }]);
    if (reply?.type !== 'done') throw new Error(`filling failed: ${JSON.stringify(reply)}`);
    session.tidy();
  }
  session.close();
}

/** The least that any export does: every row is selected and made JSON of. Nothing is written. */
async function bareLoop(folder: string): Promise<void> {
  const file = path.join(folder, 'store-1.db');
  const engine = await openSqlJsReader(file, wasmFile, frozenFiles(file));
  const startedMs = performance.now();
  let [after, length] = [0, 0];
  for (;;) {
    const rows = engine.all(
      'SELECT rowid, kind, id, version, created, updated, epoch, value FROM records WHERE rowid > ? ORDER BY rowid LIMIT 1000',
      [after],
    );
    for (const [, kind, id, version, created, updated, epoch, value] of rows)
      length += JSON.stringify({ kind, id, version, created, updated, epoch, value }).length;
    const last = rows.at(-1);
    if (!last) break;
    after = Number(last[0]);
  }
  process.stdout.write(`${performance.now() - startedMs} ${length}\n`);
  engine.close();
}

/** What this file prints as `part`, in a process of its own. */
async function apart(part: 'fill' | 'bare', folder: string): Promise<number> {
  const child = spawn(process.execPath, ['--import', 'tsx', __filename, part, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (data: Buffer) => (text += data.toString()));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`${part} ended with ${String(code)}`);
  return parseFloat(text);
}

/** Milliseconds of one export as NDJSON without secrets, and by how many megabytes the process grew. */
async function exportOnce(folder: string): Promise<{ readonly ms: number; readonly megabytes: number }> {
  const { store } = await openFileStore(path.join(folder, 'store'));
  const clock = new SystemClock();
  const files = new NodeExportFiles({ workerFile: await buildStoreWorker(), wasmFile });
  const before = process.memoryUsage.rss();
  let most = before;
  const sampling = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 50);
  const startedMs = performance.now();
  const report = await exportData(
    {
      ...{ store, files, nowMs: () => clock.nowMs() },
      processor: new DataProcessor({ clock, breathe: () => new Promise((done) => setImmediate(done)) }),
      collections: [messages] as unknown as readonly Collection<never>[],
      secretPlaces: [['value', 'env', '*']],
      document: { records: async function* () {}, format: jsonArray },
    },
    { file: path.join(folder, 'export.ndjson'), format: 'ndjson', overwrite: true },
    () => undefined,
  );
  const ms = performance.now() - startedMs;
  clearInterval(sampling);
  await store.close();
  if (report.records !== records || !report.isRedacted) throw new Error('it is not the export that was asked for');
  return { ms, megabytes: (most - before) / 1024 / 1024 };
}

const [part, folder] = process.argv.slice(2);
if (part === 'fill' && folder !== undefined) void fill(folder);
else if (part === 'bare' && folder !== undefined) void bareLoop(folder);
else
  void bench(async (report) => {
    const place = temporaryFolder();
    try {
      const own = path.join(place.folder, 'store');
      fs.mkdirSync(own, { mode: 0o700 });
      await apart('fill', own);
      // In turn, and the median of each: what else the machine does for a while tips neither.
      const bare: number[] = [await apart('bare', own)];
      const ours: Awaited<ReturnType<typeof exportOnce>>[] = [];
      for (let round = 0; round < rounds; round++) {
        ours.push(await exportOnce(place.folder));
        bare.push(await apart('bare', own));
      }
      const [rate, least] = [records / median(ours.map(({ ms }) => ms)), records / median(bare)];
      report(figure('exchange.ndjson.rate', rate, 'records/ms', { atLeast: 0.3 * least }, least));
      report(figure('exchange.memory.mb', Math.max(...ours.map(({ megabytes }) => megabytes)), 'MB', { atMost: 100 }));
    } finally {
      place.remove();
    }
  });
