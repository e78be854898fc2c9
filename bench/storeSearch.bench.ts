import fs from 'node:fs';
import path from 'node:path';
import { SystemClock } from '../src/core/base/clock';
import { silentLogger } from '../src/core/base/log';
import { lockFileName } from '../src/core/data/node/epochFence';
import { openStoreSession } from '../src/core/data/node/openStoreSession';
import type { StoreSession } from '../src/core/data/node/storeSession';
import { compileSearch } from '../src/core/data/search/dataSearch';
import { temporaryFolder, wasmFile } from '../test/support/storeWorker';
import { bench, figure, interleave, median, percentile, timed } from './figure';

const records = Number(process.env.CORE_BENCH_SEARCHED ?? 100_000);
const wordCount = 20_000;

/** The same words in each run; a few of them in nearly every message, most of them rare, as in prose. */
let seed = 1;
function random(): number {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
  return seed / 0x7fffffff;
}
const letters = 'etaoinshrdlucmfwypvbgkjqxz';
const words = Array.from({ length: wordCount }, (_, i) => {
  let word = '';
  for (let rest = i + 7; rest > 0; rest = Math.floor(rest / 26)) word += letters[rest % 26];
  return word + (i % 3 ? 'er' : 'ing');
});
function prose(): string {
  return Array.from({ length: 100 }, () => words[Math.floor(wordCount * random() ** 4)]).join(' ');
}

async function open(folder: string): Promise<StoreSession> {
  fs.mkdirSync(folder, { mode: 0o700 });
  fs.writeFileSync(path.join(folder, lockFileName(1)), '');
  const { session } = await openStoreSession(
    {
      ...{ folder, wasmFile, epoch: 1, isFenced: true, hasStaleWriter: false, engine: 'sql.js' },
      ...{ onDamage: 'reject', acceptMissingChanges: false },
    },
    { clock: new SystemClock(), log: silentLogger },
  );
  return session;
}

function write(session: StoreSession, kind: string, ids: readonly string[], isDurable = true): void {
  const ops = ids.map((id) => ({ ...({ op: 'put', kind, expectedVersion: 0 } as const), id, json: JSON.stringify({ text: prose() }) })); // prettier-ignore
  const [reply] = session.commit([{ type: 'tx', id: 1, nowMs: Date.now(), isDurable, ops }]);
  if (reply?.type !== 'done') throw new Error(`the commit failed: ${JSON.stringify(reply)}`);
}

function index(session: StoreSession): number[] {
  const slices: number[] = [];
  while (session.hasSearchWork) {
    const startedMs = performance.now();
    session.workOnSearch();
    slices.push(performance.now() - startedMs);
    session.tidy();
  }
  return slices;
}

void bench(async (report) => {
  const { folder, remove } = temporaryFolder();
  try {
    const session = await open(path.join(folder, 'searched'));
    session.declare('message', [], ['text']);
    for (let from = 0; from < records; from += 500) {
      write(session, 'message', Array.from({ length: 500 }, (_, i) => `m${from + i}`), false); // prettier-ignore
      session.tidy();
    }
    const slices = index(session);
    report(figure('store.search.slice.p99', percentile(slices, 99), 'ms', { atMost: 50 }));
    const at = (rank: number): string => words[rank] ?? '';
    const queries = [at(5), at(3_000), `${at(0)} ${at(1)}`, `"${at(0)} ${at(1)}"`, `${at(3).slice(0, 3)}*`, 'nothing'];
    const times: number[] = [];
    for (let round = 0; round < 20; round++) {
      for (const query of queries) {
        const search = compileSearch(query);
        const startedMs = performance.now();
        const reply = session.answer(1, { of: 'search', search });
        times.push(performance.now() - startedMs);
        if (reply.type !== 'answer' || !reply.page?.isComplete) throw new Error(`the search for ${query} failed`);
      }
    }
    report(figure('store.search.p95', percentile(times, 95), 'ms', { atMost: 10 }));
    session.close();

    // One more message with a text that is searched, beside one without; each with its part of the work that follows.
    const plain = await open(path.join(folder, 'plain'));
    const indexed = await open(path.join(folder, 'indexed'));
    indexed.declare('message', [], ['text']);
    let next = 0;
    const commits = async (of: StoreSession): Promise<number[]> => {
      const all: number[] = [];
      for (let i = 0; i < 20; i++) {
        all.push(await timed(() => write(of, 'message', [`c${next++}`])));
        of.tidy();
      }
      if (of === indexed) index(of);
      return all;
    };
    for (let i = 0; i < 75; i++) {
      await commits(plain);
      await commits(indexed);
    }
    const both = await interleave(50, { ours: () => commits(indexed), baseline: () => commits(plain) });
    report(figure('store.search.commit.p50', median(both.ours), 'ms', { ratioAtMost: 1.3 }, median(both.baseline)));
    plain.close();
    indexed.close();
  } finally {
    remove();
  }
});
