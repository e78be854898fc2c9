import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { DataError } from '../../../src/core/data/dataErrors';
import { checkStoreFile } from '../../../src/core/data/node/checkStoreFile';
import type { ReadQuestion, StoreReply } from '../../../src/core/data/node/storeProtocol';
import type { StoreSession } from '../../../src/core/data/node/storeSession';
import { FaultyFileSystem } from '../../support/crashFs';
import { assertPairs, everything, open, type Opened, putGroup, putPair, seeded } from '../../support/storePairs';
import { temporaryFolder, wasmFile } from '../../support/storeWorker';
import { sizedMs, trials, trialSize } from '../../support/trials';

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
      const newest = isMainOnly ? written.newest.mainOnly : written.newest.withLog;
      const where = `${place}, ${isCut ? 'cut at' : `bit ${bit} of`} ${position}`;
      const outcome = await judge(at, written.states, newest, where);
      outcomes.set(`${place}: ${outcome}`, (outcomes.get(`${place}: ${outcome}`) ?? 0) + 1);
    }
    for (const [outcome, times] of [...outcomes].toSorted()) process.stdout.write(`      ${outcome} ${times}\n`);
  });

  const suffixes = ['', '-wal', '.high'];

  /** A store's files, and what is served in each state that was acknowledged, by its highest change. */
  interface Written {
    readonly mainOnly: readonly (Buffer | undefined)[];
    readonly withLog: readonly (Buffer | undefined)[];
    /** The highest change of each. */
    readonly newest: { readonly mainOnly: number; readonly withLog: number };
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
    const mainOnlySeq = first.session.state.seq;
    first.session.close(); // the log is moved into the main file
    const mainOnly = bytes();
    const { session } = await open(folder);
    write(session, 61, 100); // these are in the log only
    const withLog = bytes();
    const withLogSeq = session.state.seq;
    session.close();
    assert.deepEqual([mainOnlySeq, withLogSeq], [120, 200]);
    assert.ok((mainOnly[1]?.length ?? 0) === 0 && (withLog[1]?.length ?? 0) > 50_000);
    return { mainOnly, withLog, newest: { mainOnly: mainOnlySeq, withLog: withLogSeq }, states };
  }

  /** Opens a damaged store. Whatever it serves must be what was written; an older state than `newest` must be reported. */
  async function judge(at: string, states: Written['states'], newest: number, where: string): Promise<string> {
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
      assert.ok(session.state.seq === newest || report.missingChanges, `${where}: what is missing is not reported`);
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

  for (const [nth, code] of ['ENOSPC', 'EIO', 'EACCES'].entries()) {
    it(`R4 ${code} at any one call gives no false acknowledgement; it recovers and nothing acknowledged is lost`, async function () {
      this.timeout(sizedMs(120_000, 900_000, 900_000));
      let calls = Infinity;
      let count = 0;
      const failed = { opening: 0, write: 0, hold: 0, compact: 0, checkpoint: 0, read: 0 };
      const apart = trialSize === 'smoke' ? 29 : 1; // of the calls one after the other: some, others for each code, or each
      for (let k = 1 + (apart > 1 ? 10 * nth : 0); k <= calls; k += apart, count++) {
        const at = emptied();
        const files = new FaultyFileSystem();
        files.waitsForDisk = false; // the power stays
        const where = `${code} at call ${k}`;
        let made = 0;
        const arm = (): void => void (files.fault = () => (++made === k ? code : undefined));
        arm();
        const acked = new Map<number, number>();
        let opened: Opened | undefined;
        try {
          opened = await open(at, files);
        } catch (error) {
          assert.ok(DataError.is(error), `${where}: ${String(error)}`);
          assert.notEqual(error.code, 'data.corrupt', `${where}: ${String(error)}`);
          failed.opening++;
        }
        const session = (opened ?? (await open(at, files))).session;
        /** Whatever has failed: the reason is told, and it passes. */
        const recover = (): void => {
          if (session.isInTrouble) {
            assert.notEqual(session.state.reason, undefined, where);
            assert.ok(session.probe(), `${where}: it recovers`);
          }
          assert.equal(session.state.reason, undefined, where);
        };
        for (let n = 1; n <= 6; n++) {
          const isDone = putPair(session, n % 3, n, n === 3 ? 30_000 : 10); // what is long is given back in the end
          if (isDone) acked.set(n % 3, n);
          else failed.write++;
          recover();
        }
        assert.ok(acked.size === 3, `${where}: one failure is one refused write at most`);
        /** One that is refused is done the next time; neither is what was acknowledged lost. */
        const maintain = (what: 'hold' | 'compact'): StoreReply & { readonly type: 'answer' } => {
          for (let attempt = 1; ; attempt++) {
            const reply = session.maintain(0, { do: what });
            assert.ok(reply.type === 'answer' && attempt <= 2, where);
            if (!reply.error) return reply;
            assert.ok(['data.io', 'data.readOnly'].includes(reply.error.code), `${where}: ${reply.error.code}`);
            failed[what]++;
            recover();
          }
        };
        const { held } = maintain('hold');
        assert.ok(held, where);
        if (putPair(session, 0, 7)) acked.set(0, 7);
        else failed.write++;
        recover();
        assert.equal(session.maintain(0, { do: 'release', hold: held.hold }).type, 'answer', where);
        while (maintain('compact').compacted?.unusedPages !== 0);
        if (made < k) {
          // A log that is long enough to be moved: of few pages, so that few calls do it.
          files.fault = undefined;
          for (let n = 8; n < 60; n++) acked.set(2, putGroup(session, [{ pair: 2, n, fill: 60_000 }])[0]?.n ?? -1);
          arm();
          const before = made;
          session.tidy();
          assert.ok(made >= k || made > before + 10, `${where}: ${made - before} calls move the log`);
          if (session.isInTrouble) failed.checkpoint++;
          recover();
          // A reading that fails says so, and the next one does not.
          if (made < k && everything(session).error) failed.read++;
        }
        files.fault = undefined;
        assertPairs(session, acked, where);
        arm();
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
      trials(count, count, count);
      const told = Object.entries(failed).map(([what, times]) => `${what} ${times}`);
      process.stdout.write(`      failed: ${told.join(', ')}\n`);
      const isEach = trialSize === 'smoke' || Object.values(failed).every((times) => times > 0);
      assert.ok(calls > 100 && isEach, `${calls} calls; ${told.join()}`);
    });
  }
});
