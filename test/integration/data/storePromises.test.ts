import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { SystemClock } from '../../../src/core/base/clock';
import { silentLogger } from '../../../src/core/base/log';
import { DataError } from '../../../src/core/data/dataErrors';
import { checkStoreFile } from '../../../src/core/data/node/checkStoreFile';
import { type FileSystem, nodeFileSystem } from '../../../src/core/data/node/fileSystem';
import { openStoreSession } from '../../../src/core/data/node/openStoreSession';
import type { ReadQuestion, StoreReply, TxRequest } from '../../../src/core/data/node/storeProtocol';
import type { StoreSession } from '../../../src/core/data/node/storeSession';
import type { StoredRecord } from '../../../src/core/data/recordCodec';
import { FaultyFileSystem } from '../../support/crashFs';
import { materialise, PowerLoss, RecordingFs } from '../../support/recordingFs';
import { temporaryFolder, wasmFile } from '../../support/storeWorker';
import { defaultSettings } from '../../support/storeWorkerInProcess';
import { trials, trialSize } from '../../support/trials';

type Opened = Awaited<ReturnType<typeof openStoreSession>>;

function open(folder: string, files: FileSystem = nodeFileSystem): Promise<Opened> {
  return openStoreSession({ ...defaultSettings, folder }, { clock: new SystemClock(), log: silentLogger, files });
}

let nextRequest = 1;

interface Pair {
  readonly pair: number;
  readonly n: number;
  readonly fill?: number;
  /** Its second half is refused: nothing of it may be found. */
  readonly isRefused?: boolean;
}

/** One transaction of two records that always say the same. */
function requestOf({ pair, n, fill = 0, isRefused = false }: Pair): TxRequest {
  const json = JSON.stringify({ fill: 'x'.repeat(fill), n });
  const ops = ['left', 'right'].map((side) => ({
    ...({ op: 'put', kind: 'pair', id: `${side}${pair}`, json } as const),
    expectedVersion: isRefused && side === 'right' ? 1_000_000 : undefined,
  }));
  return { type: 'tx', id: nextRequest++, nowMs: 1, isDurable: true, ops };
}

/** Commits transactions together. Returns those that were acknowledged. */
function putGroup(session: StoreSession, pairs: readonly Pair[]): readonly Pair[] {
  session.declare('pair', ['n']);
  const requests = pairs.map(requestOf);
  const done = new Set(session.commit(requests).flatMap((reply) => (reply.type === 'done' ? reply.ids : [])));
  return pairs.filter((_, i) => done.has(requests[i]?.id ?? 0));
}

/** One alone, with the housekeeping that follows; true when it was acknowledged. */
function putPair(session: StoreSession, pair: number, n: number, fill = 0): boolean {
  const acked = putGroup(session, [{ pair, n, fill }]);
  session.tidy();
  return acked.length === 1;
}

function everything(session: StoreSession): StoreReply & { readonly type: 'answer' } {
  const query = { where: [], orderBy: 'id', descending: false, limit: undefined };
  const reply = session.answer(0, { of: 'records', kind: 'pair', query });
  assert.ok(reply.type === 'answer');
  return reply;
}

/** Answers as text by question, or the code of the error that came instead. */
type Served = ReadonlyMap<string, string>;

/** Everything, in the order of the ids and by an index; each record by its id; and the journal. */
function servedBy(session: StoreSession): Served {
  const all = (orderBy: string): ReadQuestion => {
    return { of: 'records', kind: 'pair', query: { where: [], orderBy, descending: false, limit: undefined } };
  };
  const questions: ReadQuestion[] = [all('id'), all('n'), { of: 'changes', after: 0, limit: 1_000 }];
  for (let pair = 0; pair < 20; pair++) {
    for (const side of ['left', 'right']) questions.push({ of: 'record', kind: 'pair', recordId: `${side}${pair}` });
  }
  const served = questions.map((question) => {
    const reply = session.answer(0, question);
    assert.ok(reply.type === 'answer');
    return [JSON.stringify(question), reply.error?.code ?? JSON.stringify(reply.records ?? reply.changes)] as const;
  });
  return new Map(served);
}

function numberIn(record: StoredRecord): number {
  return (JSON.parse(record.json) as { readonly n: number }).n;
}

/** Both of every pair say the same, and no pair is behind what was acknowledged. */
function assertPairs(session: StoreSession, acked: ReadonlyMap<number, number>, where: string): void {
  const reply = everything(session);
  assert.equal(reply.error, undefined, where);
  const found = new Map((reply.records ?? []).map((record) => [record.id, numberIn(record)]));
  for (const [id, n] of found)
    if (id.startsWith('left')) assert.equal(found.get(id.replace('left', 'right')), n, where);
  for (const [pair, n] of acked) {
    assert.ok((found.get(`left${pair}`) ?? -1) >= n, `${where}: pair ${pair} lost what was acknowledged (${n})`);
  }
}

/** The same numbers for the same seed (Lehmer; Park and Miller 1988). */
function seeded(seed: number): () => number {
  let state = (seed % 2147483646) + 1;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

describe('promises of the store', () => {
  let folder: string;
  let remove: () => void;
  beforeEach(() => ({ folder, remove } = temporaryFolder()));
  afterEach(() => remove());
  const emptied = (): string => {
    const at = path.join(folder, 'trial');
    fs.rmSync(at, { recursive: true, force: true });
    fs.mkdirSync(at, { mode: 0o700 });
    return at;
  };

  it('R2 power loss at any instant loses no acknowledged record and leaves no torn state', async function () {
    const count = trials(150, 6_000, 6_000);
    this.timeout(60_000 + count * 100);
    const recorded = path.join(folder, 'recorded');
    fs.mkdirSync(recorded);
    const files = new RecordingFs();
    /** After so many changes of files this pair had been acknowledged with this number. */
    const acks: { readonly at: number; readonly pair: number; readonly n: number }[] = [];
    let { session } = await open(recorded, files);
    for (let n = 1; files.changes.length < 2_000; n++) {
      // One alone, or several under one commit; in some of these one is refused, or two are about the same pair.
      const group: Pair[] = Array.from({ length: n % 3 === 0 ? 1 : 1 + (n % 5) }, (_, i) => {
        return { pair: (n + i) % 7, n: 10 * n + i, fill: n % 40 === 0 ? 20_000 : 50 };
      });
      if (n % 4 === 1) group.push({ pair: n % 7, n: 10 * n + 8, isRefused: true }, { pair: n % 7, n: 10 * n + 9 });
      const acked = putGroup(session, group);
      assert.deepEqual(acked, group.filter(({ isRefused }) => isRefused !== true)); // prettier-ignore
      // They were told so before the housekeeping.
      for (const { pair, n: number } of acked) acks.push({ at: files.changes.length, pair, n: number });
      session.tidy();
      if (n % 60 === 59) {
        const held = session.maintain(0, { do: 'hold' }); // moves the log into the main file
        assert.ok(held.type === 'answer' && held.held);
        session.maintain(0, { do: 'release', hold: held.held.hold });
      }
      if (n % 200 !== 199) continue;
      session.close();
      ({ session } = await open(recorded, files));
    }
    session.close();
    const kinds = Object.values(PowerLoss);
    const all = files.changes.length * kinds.length;
    const step = Math.max(1, all / count);
    let refused = 0;
    for (let trial = 0; trial < all; trial += step) {
      const prefix = Math.floor(trial / kinds.length);
      const loss = kinds[Math.floor(trial) % kinds.length] ?? PowerLoss.Dropped;
      const where = `after ${prefix} changes, ${loss}`;
      const at = emptied();
      materialise(at, files.changes.slice(0, prefix), loss, seeded(trial));
      const acked = new Map<number, number>();
      for (const ack of acks) if (ack.at <= prefix) acked.set(ack.pair, ack.n);
      let opened: Opened;
      try {
        opened = await open(at);
      } catch (error) {
        // Only while the store was being made: nothing was acknowledged, and the person is told.
        assert.ok(acked.size === 0 && DataError.is(error, 'data.corrupt'), `${where}: ${String(error)}`);
        refused++;
        continue;
      }
      assert.equal(opened.report.missingChanges, undefined, where);
      assertPairs(opened.session, acked, where);
      opened.session.close();
    }
    assert.ok(refused < count / 20, `${refused} were refused`);
  });

  it('R3 a flipped bit or a cut file changes no record that is served, or is reported', async function () {
    const count = trials(100, 2_000, 20_000);
    this.timeout(60_000 + count * 200);
    const written = await twoStores();
    const random = seeded(Date.now());
    const outcomes = new Map<string, number>();
    for (let trial = 0; trial < count; trial++) {
      const at = emptied();
      // What stands in the log hides damage of the main file: half of the trials have none.
      const isMainOnly = trial % 2 === 0;
      const files = isMainOnly ? written.mainOnly : written.withLog;
      const target = isMainOnly ? (trial % 10 === 0 ? 2 : 0) : Math.floor(trial / 2) % 3;
      const whole = files[target] ?? Buffer.alloc(0);
      const damaged = Buffer.from(whole);
      const position = Math.floor(random() * damaged.length);
      const isCut = random() < 0.25;
      const bit = Math.floor(random() * 8);
      damaged[position] = (damaged[position] ?? 0) ^ (1 << bit);
      suffixes.forEach((suffix, i) => {
        const bytes = i !== target ? files[i] : isCut ? whole.subarray(0, position) : damaged;
        if (bytes) fs.writeFileSync(path.join(at, `store-1.db${suffix}`), bytes, { mode: 0o600 });
      });
      const place = `${['main file', 'log', 'note'][target] ?? ''} ${isMainOnly ? 'without' : 'with'} a log`;
      const outcome = await judge(at, written, `${place}, ${isCut ? 'cut at' : `bit ${bit} of`} ${position}`);
      outcomes.set(`${place}: ${outcome}`, (outcomes.get(`${place}: ${outcome}`) ?? 0) + 1);
    }
    for (const [outcome, times] of [...outcomes].toSorted()) process.stdout.write(`      ${outcome} ${times}\n`);
  });

  const suffixes = ['', '-wal', '.high'];

  /** A store's files, and what is served in each state that was acknowledged, by its highest change. */
  interface Written {
    readonly mainOnly: readonly (Buffer | undefined)[];
    readonly withLog: readonly (Buffer | undefined)[];
    readonly states: ReadonlyMap<number, Served>;
  }

  async function twoStores(): Promise<Written> {
    const states = new Map<number, Served>();
    const first = await open(folder);
    const write = (session: StoreSession, from: number, to: number): void => {
      for (let n = from; n <= to; n++) {
        assert.ok(putPair(session, n % 20, n, 100));
        states.set(session.state.seq, servedBy(session));
      }
    };
    const bytes = (): (Buffer | undefined)[] =>
      suffixes.map((suffix) => {
        const file = first.report.file + suffix;
        return fs.existsSync(file) ? fs.readFileSync(file) : undefined;
      });
    write(first.session, 1, 60);
    first.session.close(); // the log is moved into the main file
    const mainOnly = bytes();
    const { session } = await open(folder);
    write(session, 61, 100); // these are in the log only
    const withLog = bytes();
    session.close();
    assert.ok((mainOnly[1]?.length ?? 0) === 0 && (withLog[1]?.length ?? 0) > 50_000);
    return { mainOnly, withLog, states };
  }

  /** Opens a damaged store. Whatever it serves must be what was written; what is not there must be reported. */
  async function judge(at: string, { states }: Written, where: string): Promise<string> {
    let opened: Opened;
    try {
      opened = await open(at);
    } catch (error) {
      assert.ok(
        DataError.is(error, 'data.corrupt') || DataError.is(error, 'data.newerSchema'),
        `${where}: ${String(error)}`,
      );
      return 'refused';
    }
    const { session, report } = opened;
    try {
      const served = servedBy(session);
      const expected = states.get(session.state.seq);
      assert.ok(expected, `${where}: change ${session.state.seq} is the highest`);
      let refusals = 0;
      for (const [question, answer] of served) {
        if (answer === 'data.corrupt') refusals++;
        else assert.ok(answer === expected.get(question), `${where}: something else is served for ${question}`);
      }
      const isNewest = session.state.seq === Math.max(...states.keys()) || where.includes('without a log');
      assert.ok(isNewest || report.missingChanges, `${where}: what is missing is not reported`);
      if (report.missingChanges) return 'reported as missing';
      if (refusals > 0) return 'refused when read';
      const held = session.maintain(0, { do: 'hold' });
      assert.ok(held.type === 'answer');
      if (!held.held) {
        assert.equal(held.error?.code, 'data.corrupt', where);
        return 'found by a checkpoint';
      }
      const copy = path.join(at, 'held'); // one thread cannot have a file open twice
      fs.copyFileSync(held.held.file, copy);
      const check = await checkStoreFile({ file: copy, wasmFile, depth: 'full' });
      return check.isWhole ? 'harmless' : 'found by the check';
    } finally {
      try {
        session.close();
      } catch (error) {
        assert.ok(DataError.is(error), where); // a damaged file may not be moved into
      }
    }
  }

  for (const code of ['ENOSPC', 'EIO', 'EACCES']) {
    it(`R4 ${code} at any one call gives no false acknowledgement; it recovers and nothing acknowledged is lost`, async function () {
      this.timeout(300_000);
      let calls = Infinity;
      let failing = 0;
      const apart = trialSize === 'smoke' ? 3 : 1; // of the calls one after the other: each third, or each
      for (let k = 1; k <= calls; k += apart) {
        const at = emptied();
        const files = new FaultyFileSystem();
        const where = `${code} at call ${k}`;
        let made = 0;
        files.fault = () => (++made === k ? code : undefined);
        const acked = new Map<number, number>();
        let opened: Opened | undefined;
        try {
          opened = await open(at, files);
        } catch (error) {
          assert.ok(DataError.is(error), `${where}: ${String(error)}`);
          assert.notEqual(error.code, 'data.corrupt', `${where}: ${String(error)}`);
          failing++;
        }
        const session = (opened ?? (await open(at, files))).session;
        for (let n = 1; n <= 6; n++) {
          const isDone = putPair(session, n % 3, n, n === 3 ? 30_000 : 10);
          if (isDone) acked.set(n % 3, n);
          else failing++;
          if (session.isInTrouble) {
            assert.notEqual(session.state.reason, undefined, where);
            assert.ok(session.probe(), `${where}: it recovers`);
          }
          assert.equal(session.state.reason, undefined, where);
        }
        assert.ok(acked.size === 3, `${where}: one failure is one refused write at most`);
        assertPairs(session, acked, where);
        try {
          session.close();
        } catch (error) {
          assert.ok(DataError.is(error), `${where}: ${String(error)}`);
        }
        if (made < k) calls = k;
        const again = await open(at);
        assert.equal(again.report.missingChanges, undefined, where);
        assertPairs(again.session, acked, where);
        again.session.close();
      }
      assert.ok(calls > 40 && failing > 10 / apart, `${calls} calls, ${failing} failed`);
    });
  }
});
