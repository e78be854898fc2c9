import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { SystemClock } from '../src/core/base/clock';
import { silentLogger } from '../src/core/base/log';
import { lockFileName } from '../src/core/data/node/epochFence';
import { openStoreSession } from '../src/core/data/node/openStoreSession';
import type { StoreSession } from '../src/core/data/node/storeSession';
import { temporaryFolder, wasmFile } from '../test/support/storeWorker';
import { bench, figure, median } from './figure';

const records = Number(process.env.CORE_BENCH_RECORDS ?? 1_000_000);
const conversations = Math.ceil(records / 500);
const kind = 'message';
const index = 'conversation';
const batch = 2_000;
const body = 'All the tests pass now; the last one failed because of a file that was left over. '.repeat(10);

/** What a child process measured. */
interface Measured {
  readonly openMs: number;
  readonly addedBytes: number;
  readonly lastMs: readonly number[];
}

async function open(folder: string): Promise<StoreSession> {
  fs.writeFileSync(path.join(folder, lockFileName(1)), '');
  const { session } = await openStoreSession(
    {
      ...{ folder, wasmFile, epoch: 1, isFenced: true, hasStaleWriter: false, engine: 'sql.js' },
      ...{ onDamage: 'reject', acceptMissingChanges: false },
    },
    { clock: new SystemClock(), log: silentLogger },
  );
  session.declare(kind, [index]);
  return session;
}

async function fill(folder: string): Promise<void> {
  const session = await open(folder);
  for (let from = 0; from < records; from += batch) {
    const ops = Array.from({ length: Math.min(batch, records - from) }, (_, i) => ({
      ...({ op: 'put', kind, expectedVersion: 0 } as const),
      id: `m${String(from + i).padStart(9, '0')}`,
      json: JSON.stringify({ body, conversation: (from + i) % conversations }),
    }));
    const [reply] = session.commit([{ type: 'tx', id: 1, nowMs: 1, isDurable: false, ops }]);
    if (reply?.type !== 'done') throw new Error(`filling failed: ${JSON.stringify(reply)}`);
    session.tidy();
  }
  session.close();
}

/** As the store's thread does it: the last 50 of one conversation after the other. */
async function ours(folder: string): Promise<Measured> {
  globalThis.gc?.();
  const beforeBytes = process.memoryUsage.rss();
  const startedMs = performance.now();
  const session = await open(folder);
  const openMs = performance.now() - startedMs;
  const lastMs: number[] = [];
  for (let i = 0; i < 200; i++) {
    const conversation = (i * 7_919) % conversations;
    const query = { where: [[index, conversation]], orderBy: 'id', descending: true, limit: 50 } as const;
    const askedMs = performance.now();
    const reply = session.answer(i, { of: 'records', kind, query });
    lastMs.push(performance.now() - askedMs);
    if (reply.type !== 'answer' || reply.records?.length !== 50) throw new Error('not the last 50');
  }
  const addedBytes = process.memoryUsage.rss() - beforeBytes;
  session.close();
  return { openMs, addedBytes, lastMs };
}

/** The same file the other way: all of it in memory. */
async function inMemory(folder: string): Promise<Measured> {
  const { default: initSqlJs } = await import('sql.js');
  const sqlJs = await initSqlJs();
  globalThis.gc?.();
  const beforeBytes = process.memoryUsage.rss();
  const startedMs = performance.now();
  const bytes = fs.readFileSync(path.join(folder, 'store-1.db'));
  bytes[18] = bytes[19] = 1; // in memory there is no log
  const database = new sqlJs.Database(bytes);
  database.exec('SELECT count(*) FROM meta');
  return { openMs: performance.now() - startedMs, addedBytes: process.memoryUsage.rss() - beforeBytes, lastMs: [] };
}

const roles: Readonly<Record<string, (folder: string) => Promise<Measured | void>>> = { fill, ours, inMemory };

/** In a process of its own, so that only its memory is counted. */
async function inChild(role: string, folder: string): Promise<Measured> {
  const child = spawn(process.execPath, ['--expose-gc', '--import', 'tsx', __filename, role, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`${role} ended with ${String(code)}`);
  return JSON.parse(output || 'null') as Measured; // written by the child just ended
}

async function measure(): Promise<void> {
  await bench(async (report) => {
    const { folder, remove } = temporaryFolder();
    try {
      await inChild('fill', folder);
      const [mine, other]: [Measured[], Measured[]] = [[], []];
      for (let round = 0; round < 3; round++) {
        mine.push(await inChild('ours', folder));
        other.push(await inChild('inMemory', folder));
      }
      const both = (of: (measured: Measured) => number): [number, number] => [
        median(mine.map(of)),
        median(other.map(of)),
      ];
      const [openMs, openOtherMs] = both(({ openMs }) => openMs);
      report(figure('store.open.1m', openMs, 'ms', { ratioAtMost: 0.2 }, openOtherMs));
      const [bytes, otherBytes] = both(({ addedBytes }) => addedBytes / 1e6);
      report(figure('store.memory.1m', bytes, 'MB', { ratioAtMost: 0.05 }, otherBytes));
      report(figure('store.last50.1m', median(mine.flatMap(({ lastMs }) => lastMs)), 'ms', { atMost: 2 }));
    } finally {
      remove();
    }
  });
}

const [role, folder = ''] = process.argv.slice(2);
const work = role === undefined ? undefined : roles[role];
if (work) void work(folder).then((measured) => process.stdout.write(measured ? JSON.stringify(measured) : ''));
else void measure();
