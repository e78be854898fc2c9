import fs from 'node:fs';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { SystemClock } from '../src/core/base/clock';
import { silentLogger } from '../src/core/base/log';
import type { Collection, DataStore } from '../src/core/data/dataStore';
import { lockFileName } from '../src/core/data/node/epochFence';
import { hasNodeSqlite } from '../src/core/data/node/nodeSqliteEngine';
import type { SqlEngineId } from '../src/core/data/node/openSqlEngine';
import { openStoreSession } from '../src/core/data/node/openStoreSession';
import type { StoreSession } from '../src/core/data/node/storeSession';
import { openFileStore, temporaryFolder, wasmFile } from '../test/support/storeWorker';
import { bench, type Figure, figure, interleave, NotRunHere, median, timed } from './figure';

const messages: Collection<{ readonly body: string }> = {
  kind: 'message',
  indexes: [],
  parse: (value) => value as { readonly body: string },
};

/** With the bookkeeping of a record about 1 KB. */
const body = 'x'.repeat(1000);

/** What runs in the store's own thread, run here: a durable commit without the two hops between threads. */
async function openSession(folder: string, engine: SqlEngineId = 'sql.js'): Promise<StoreSession> {
  fs.writeFileSync(path.join(folder, lockFileName(1)), ''); // commits are fenced, as in the product
  const { session } = await openStoreSession(
    {
      folder,
      wasmFile,
      epoch: 1,
      isFenced: true,
      hasStaleWriter: false,
      onDamage: 'reject',
      acceptMissingChanges: false,
      engine,
    },
    { clock: new SystemClock(), log: silentLogger },
  );
  return session;
}

/** A durable commit of one message; with `isTidied` the log is moved when it is time, as in the store's own thread. */
function commitOne(session: StoreSession, id: string, isTidied = true): void {
  const op = { op: 'put', kind: messages.kind, id, json: JSON.stringify({ body }), expectedVersion: 0 } as const;
  const [reply] = session.commit([{ type: 'tx', id: 1, nowMs: Date.now(), isDurable: true, ops: [op] }]);
  if (reply?.type !== 'done') throw new Error(`the commit failed: ${JSON.stringify(reply)}`);
  if (isTidied) session.tidy();
}

/** CPU time of this thread in milliseconds, where this Node tells it (from 23.9 on). */
function threadCpuMs(): number | undefined {
  const { threadCpuUsage } = process as { threadCpuUsage?: () => NodeJS.CpuUsage };
  const used = threadCpuUsage?.call(process);
  return used && (used.user + used.system) / 1000;
}

/** The processor's time of each turn of the event loop, until stopped: what we do to the loop, whatever else the machine does. */
function watchTurns(): () => readonly number[] {
  const turns: number[] = [];
  let last = threadCpuMs();
  let isOver = false;
  const tick = (): void => {
    const now = threadCpuMs();
    if (now !== undefined && last !== undefined) turns.push(now - last);
    last = now;
    if (!isOver && now !== undefined) setImmediate(tick);
  };
  setImmediate(tick);
  return () => {
    isOver = true;
    return turns;
  };
}

async function write512(store: DataStore, prefix: string, forMs: number): Promise<void> {
  const untilMs = performance.now() + forMs;
  let next = 0;
  const writer = async (): Promise<void> => {
    while (performance.now() < untilMs) {
      const id = `${prefix}${next++}`;
      await store.tx((tx) => tx.put(messages, id, { body }, { expectedVersion: 0 }));
    }
  };
  await Promise.all(Array.from({ length: 512 }, writer));
}

/** How long the thread of the callers is held up while many write at once. */
async function loopDelay(store: DataStore, report: (figure: Figure) => void): Promise<void> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await write512(store, 'loop', 3_000);
  delay.disable();
  report(figure('store.loop.p99', delay.percentile(99) / 1e6, 'ms', { atMost: 10 }));
  // Apart from that, since looking at every turn keeps the thread busy.
  const stop = watchTurns();
  await write512(store, 'turn', 1_500);
  const turns = stop().toSorted((a, b) => b - a);
  // But for two, which are those in which the code was compiled.
  if (turns.length > 0) report(figure('store.loop.turn', turns[2] ?? 0, 'ms', { atMost: 10 }));
}

/** A store of about so many megabytes, past its first moving of the log. */
async function filledSession(folder: string, megabytes: number): Promise<StoreSession> {
  fs.mkdirSync(folder, { mode: 0o700 });
  const session = await openSession(folder);
  const json = JSON.stringify({ body: 'x'.repeat(10_000) });
  for (let batch = 0; batch < megabytes; batch++) {
    const ops = Array.from({ length: 100 }, (_, i) => ({
      ...({ op: 'put', kind: 'filling', json, expectedVersion: 0 } as const),
      id: `f${batch}.${i}`,
    }));
    session.commit([{ type: 'tx', id: batch, nowMs: Date.now(), isDurable: true, ops }]);
    session.tidy();
  }
  for (let i = 0; i < 1_500; i++) commitOne(session, `warm${i}`);
  return session;
}

/** One more message the way of a database in memory: all of it is exported, written, synced and renamed. */
async function exportOne(file: string): Promise<() => void> {
  const { default: initSqlJs } = await import('sql.js');
  const sqlJs = await initSqlJs();
  const bytes = fs.readFileSync(file);
  bytes[18] = bytes[19] = 1; // in memory there is no log
  const database = new sqlJs.Database(bytes);
  database.run('CREATE TABLE more(id, body)');
  return () => {
    database.run('INSERT INTO more VALUES(1, ?)', [body]);
    fs.writeFileSync(`${file}.export`, database.export());
    const fd = fs.openSync(`${file}.export`, 'r+');
    fs.fsyncSync(fd);
    fs.closeSync(fd);
    fs.renameSync(`${file}.export`, `${file}.exported`);
  };
}

/** One more message in a small and in a large store, and by export of the large one. */
async function bySize(report: (figure: Figure) => void, folder: string): Promise<void> {
  const largeMegabytes = Number(process.env.CORE_BENCH_LARGE_MB ?? 200);
  const large = await filledSession(path.join(folder, 'large'), largeMegabytes);
  const small = await filledSession(path.join(folder, 'small'), 1);
  let next = 0;
  const times = async (session: StoreSession): Promise<number[]> => {
    const all: number[] = [];
    for (let i = 0; i < 20; i++) {
      all.push(await timed(() => commitOne(session, `size${next++}`, false)));
      session.tidy();
    }
    return all;
  };
  const sizes = await interleave(50, { ours: () => times(large), baseline: () => times(small) });
  report(figure('store.commit.large.p50', median(sizes.ours), 'ms', { ratioAtMost: 1.5 }, median(sizes.baseline)));
  large.close();
  small.close();
  const save = await exportOne(path.join(folder, 'large', 'store-1.db'));
  const saves: number[] = [];
  for (let i = 0; i < 5; i++) saves.push(await timed(save));
  report(figure('store.commit.export', median(sizes.ours), 'ms', { ratioAtMost: 1 / 200 }, median(saves)));
}

/** A bare loop of node:sqlite: one statement that inserts a row of the same text and commits, with a log and `synchronous=FULL`. */
interface BareSqlite {
  insert(id: string): void;
  /** Moves the log when it is as long as that at which the store does so; like the store's not in a commit. */
  tidy(): void;
  close(): void;
}

/** The part of `node:sqlite` used here: this file is compiled for a Node that may not have it. */
interface NodeSqlite {
  readonly DatabaseSync: new (file: string) => {
    exec(sql: string): void;
    prepare(sql: string): { run(...params: readonly string[]): unknown };
    close(): void;
  };
}

function openBare(file: string): BareSqlite {
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite') as unknown as NodeSqlite; // it is there, or nothing is measured
  const database = new DatabaseSync(file);
  database.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0');
  database.exec('CREATE TABLE messages(id TEXT PRIMARY KEY, value TEXT NOT NULL)');
  const statement = database.prepare('INSERT INTO messages(id, value) VALUES(?, ?)');
  const value = JSON.stringify({ body });
  let inserts = 0;
  return {
    insert: (id) => void statement.run(id, value),
    tidy: () => {
      if (++inserts % 500 === 0) database.exec('PRAGMA wal_checkpoint(PASSIVE)');
    },
    close: () => database.close(),
  };
}

/**
 * The thread's part of a commit (what the thread of the store does, without what a caller waits for), where this Node has node:sqlite:
 * beside a bare loop of that, and beside the store itself on that engine.
 */
async function byEngine(report: (figure: Figure) => void, folder: string): Promise<void> {
  if (!hasNodeSqlite())
    throw new NotRunHere(
      `store.commit.engine.p50, store.commit.engines.p50: Node ${process.versions.node} has no node:sqlite`,
    );
  const open = async (engine: SqlEngineId): Promise<StoreSession> => {
    const at = fs.mkdtempSync(path.join(folder, 'engine-'));
    const session = await openSession(at, engine);
    for (let i = 0; i < 1_500; i++) commitOne(session, `warm${i}`);
    return session;
  };
  const [ours, other] = [await open('sql.js'), await open('node:sqlite')];
  const bare = openBare(path.join(folder, 'bare.db'));
  for (let i = 0; i < 1_500; i++) {
    bare.insert(`warm${i}`);
    bare.tidy();
  }
  let next = 0;
  const twenty = async (commit: (id: string) => void, tidy: () => void): Promise<number[]> => {
    const all: number[] = [];
    for (let i = 0; i < 20; i++) {
      const id = `e${next++}`;
      all.push(await timed(() => commit(id)));
      tidy();
    }
    return all;
  };
  const times = (session: StoreSession): Promise<number[]> => {
    return twenty((id) => commitOne(session, id, false), () => session.tidy()); // prettier-ignore
  };
  const bareTimes = (): Promise<number[]> => twenty(bare.insert, bare.tidy);
  const loop = await interleave(100, { ours: () => times(ours), baseline: bareTimes });
  report(figure('store.commit.engine.p50', median(loop.ours), 'ms', { ratioAtMost: 1.6 }, median(loop.baseline)));
  const both = await interleave(100, { ours: () => times(ours), baseline: () => times(other) });
  report(figure('store.commit.engines.p50', median(both.ours), 'ms', { ratioAtMost: 1.6 }, median(both.baseline)));
  ours.close();
  other.close();
  bare.close();
}

void bench(async (report) => {
  const { folder, remove } = temporaryFolder();
  const threadFolder = fs.mkdtempSync(path.join(folder, 'thread-'));
  const { store } = await openFileStore(folder);
  const session = await openSession(threadFolder);
  const raw = fs.openSync(path.join(folder, 'raw'), 'a', 0o600);
  const bytes = Buffer.alloc(1024, 'x');
  let next = 0;
  const newId = (): string => `m${String(next++).padStart(9, '0')}`;
  const options = { expectedVersion: 0 } as const; // as messages are: each id once
  const call = (): Promise<void> => store.tx((tx) => tx.put(messages, newId(), { body }, options));
  const commit = (): void => commitOne(session, newId(), false);
  const rawAppend = (): void => {
    fs.writeSync(raw, bytes);
    fs.fdatasyncSync(raw);
  };
  const rawAsync = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const done = (error: Error | null): void => (error ? reject(error) : resolve());
      fs.write(raw, bytes, (error) => (error ? reject(error) : fs.fdatasync(raw, done)));
    });
  // Past the first checkpoint: until then the log's file still grows, which costs both metadata and time.
  for (let i = 0; i < 1_500; i++) await call();
  for (let i = 0; i < 1_500; i++) {
    commit();
    session.tidy();
  }
  for (let i = 0; i < 200; i++) {
    rawAppend();
    await rawAsync();
  }
  // Some milliseconds in one go, so that a busy moment of the machine hits all ways.
  const repeat = async (work: () => unknown, after: () => void = () => {}): Promise<number[]> => {
    const times: number[] = [];
    for (let i = 0; i < 20; i++) {
      times.push(await timed(work));
      after();
    }
    return times;
  };
  const baseline = (): Promise<number[]> => repeat(rawAppend);
  // What a caller waits who must not block its event loop, as the extension host must not: for us, and for the bare file.
  const waited = await interleave(100, { ours: () => repeat(call), baseline: () => repeat(rawAsync) });
  report(figure('store.commit.p50', median(waited.ours), 'ms', { ratioAtMost: 1.5 }, median(waited.baseline)));
  // What the thread of the store does, beside what a thread does that blocks.
  const commits = await interleave(100, { ours: () => repeat(commit, () => session.tidy()), baseline });
  report(figure('store.commit.thread.p50', median(commits.ours), 'ms', { ratioAtMost: 1.5 }, median(commits.baseline)));
  // Both differences at once: what our caller waits, beside a thread that blocks.
  const mixed = await interleave(100, { ours: () => repeat(call), baseline });
  report(figure('store.commit.blocking.p50', median(mixed.ours), 'ms', { ratioAtMost: 2.5 }, median(mixed.baseline)));
  await loopDelay(store, report);
  session.close();
  await store.close();
  fs.closeSync(raw);
  await bySize(report, folder);
  await byEngine(report, folder).finally(remove);
});
