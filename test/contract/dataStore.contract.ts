import assert from 'node:assert/strict';
import type { Collection, DataStore, KeptRecord, Tx } from '../../src/core/data/dataStore';
import { DataError, type DataErrorCode } from '../../src/core/data/dataErrors';

export interface StoreFixture {
  readonly store: DataStore;
  /** Closes and opens again what was kept; undefined for stores that keep nothing. */
  readonly reopen: (() => Promise<DataStore>) | undefined;
  dispose(): Promise<void>;
}

interface Note {
  readonly text: string;
  readonly group?: string | number | boolean | null;
  readonly rank?: number | string | null;
}

interface Account {
  readonly balance: number;
}

const notes: Collection<Note> = { kind: 'note', indexes: ['group', 'rank'], parse: parseNote };
const others: Collection<Note> = { kind: 'other.note', indexes: [], parse: parseNote, durability: 'normal' };
const accounts: Collection<Account> = { kind: 'account', indexes: [], parse: (value) => value as Account };

function parseNote(value: unknown): Note {
  if (typeof value !== 'object' || value === null || !('text' in value)) throw new Error('not a note');
  return value as Note;
}

export async function rejectsWith(code: DataErrorCode, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error) => DataError.is(error, code) || assert.fail(`${String(error)}, not ${code}`));
}

/** What a store does that loses its workspace (C32); stores on files do it in `durableStore.contract.ts`, by lock files. */
export function fencedStoreContract(
  open: () => Promise<{ readonly store: DataStore; readonly fence: () => void }>,
): void {
  it('C32 refuses every write once another one owns the workspace', async () => {
    const { store, fence } = await open();
    await store.tx((tx) => tx.put(notes, 'a', { text: 'acknowledged' }));
    fence();
    for (const id of ['b', 'c']) {
      await rejectsWith(
        'data.fenced',
        store.tx((tx) => tx.put(notes, id, { text: 'too late' })),
      );
    }
    assert.equal(store.health.isReadOnly, true);
    assert.equal((await store.changes(0)).length, 1);
    await store.close();
  });
}

/** What every DataStore does (C30, C31, C33, C34, C41 and the ordinary things); C37 is of those that outlive their process. */
export function dataStoreContract(open: () => Promise<StoreFixture>): void {
  let fixture: StoreFixture;
  let store: DataStore;
  const put = (id: string, value: Note): Promise<void> => store.tx((tx) => tx.put(notes, id, value));
  const ids = async (query: Parameters<typeof store.find<Note>>[1]): Promise<string[]> =>
    (await store.find(notes, query)).map((record) => record.id);

  beforeEach(async () => {
    fixture = await open();
    store = fixture.store;
  });
  afterEach(() => fixture.dispose());

  it('keeps a record with its bookkeeping', async () => {
    await put('a', { text: 'one' });
    const first = await store.get(notes, 'a');
    await put('a', { text: 'two' });
    const second = await store.get(notes, 'a');
    assert.ok(first && second);
    assert.deepEqual(
      { ...first, createdAtMs: 0, updatedAtMs: 0 },
      { kind: 'note', id: 'a', version: 1, epoch: 1, createdAtMs: 0, updatedAtMs: 0, value: { text: 'one' } },
    );
    assert.equal(second.version, 2);
    assert.equal(second.createdAtMs, first.createdAtMs);
    assert.ok(second.updatedAtMs >= first.updatedAtMs);
    assert.deepEqual(second.value, { text: 'two' });
    assert.equal(await store.get(others, 'a'), undefined);
    assert.equal(await store.get(notes, 'b'), undefined);
  });

  it('C30 a transaction takes effect whole or not at all', async () => {
    await put('a', { text: 'old' });
    const failure = new Error('changed my mind');
    const work = (tx: Tx): void => {
      tx.put(notes, 'a', { text: 'new' });
      tx.put(notes, 'b', { text: 'new' });
      tx.delete(notes, 'a');
      throw failure;
    };
    await assert.rejects(store.tx(work), failure);
    assert.deepEqual(
      (await store.find(notes)).map((record) => [record.id, record.value.text]),
      [['a', 'old']],
    );
    assert.equal((await store.changes(0)).length, 1);
    assert.equal(store.health.seq, 1);
  });

  it('a transaction returns its result and sees its own writes', async () => {
    await put('a', { text: 'a', group: 'x', rank: 1 });
    await put('b', { text: 'b', group: 'x', rank: 2 });
    const seen = await store.tx((tx) => {
      tx.put(notes, 'c', { text: 'c', group: 'x', rank: 0 });
      tx.put(notes, 'a', { text: 'a2', group: 'x', rank: 9 });
      tx.delete(notes, 'b');
      const found = tx.find(notes, { where: { group: 'x' }, orderBy: 'rank', limit: 2 });
      return { found: found.map((r) => [r.id, r.version]), b: tx.get(notes, 'b'), a: tx.get(notes, 'a')?.value.text };
    });
    assert.deepEqual(seen, {
      found: [
        ['c', 1],
        ['a', 2],
      ],
      b: undefined,
      a: 'a2',
    });
  });

  it('transactions take effect in the order of the calls', async () => {
    const seen: (string | undefined)[] = [];
    await Promise.all([
      put('a', { text: '1' }),
      store.tx((tx) => {
        const before = tx.get(notes, 'a')?.value.text;
        tx.put(notes, 'a', { text: `${before}2` });
      }),
      put('b', { text: 'blind' }),
      store.tx((tx) =>
        tx.put(notes, 'a', { text: `${tx.get(notes, 'a')?.value.text}3${tx.get(notes, 'b')?.value.text}` }),
      ),
    ]);
    seen.push((await store.get(notes, 'a'))?.value.text);
    assert.deepEqual(seen, ['123blind']);
  });

  it('refuses a write that expects another version, and only that transaction', async () => {
    await put('a', { text: 'one' });
    const outcomes = await Promise.allSettled([
      store.tx((tx) => tx.put(notes, 'b', { text: 'b' })),
      store.tx((tx) => {
        tx.put(notes, 'c', { text: 'never' });
        tx.put(notes, 'a', { text: 'never' }, { expectedVersion: 0 });
      }),
      store.tx((tx) => tx.put(notes, 'a', { text: 'two' }, { expectedVersion: 1 })),
      store.tx((tx) => tx.put(notes, 'a', { text: 'late' }, { expectedVersion: 1 })),
      store.tx((tx) => tx.put(notes, 'd', { text: 'd' }, { expectedVersion: 0 })),
    ]);
    const codes = outcomes.map((o) =>
      o.status === 'fulfilled' ? 'ok' : DataError.is(o.reason) ? o.reason.code : String(o.reason),
    );
    assert.deepEqual(codes, ['ok', 'data.conflict', 'ok', 'data.conflict', 'ok']);
    assert.deepEqual(
      (await store.find(notes)).map((r) => [r.id, r.value.text]),
      [
        ['a', 'two'],
        ['b', 'b'],
        ['d', 'd'],
      ],
    );
    assert.deepEqual(
      (await store.changes(0)).map((c) => [c.seq, c.id, c.version]),
      [
        [1, 'a', 1],
        [2, 'b', 1],
        [3, 'a', 2],
        [4, 'd', 1],
      ],
    );
  });

  it('removes only the version that is expected', async () => {
    await put('a', { text: 'one' });
    await put('a', { text: 'two' });
    const remove = (id: string, expectedVersion: number): Promise<void> =>
      store.tx((tx) => {
        tx.put(notes, 'beside', { text: 'beside' });
        tx.delete(notes, id, { expectedVersion });
      });
    await rejectsWith('data.conflict', remove('a', 1));
    await rejectsWith('data.conflict', remove('gone', 1));
    await rejectsWith('data.invalid', remove('a', 1.5));
    assert.deepEqual(await ids({}), ['a'], 'nothing of those took effect');
    await remove('a', 2);
    await remove('gone', 0);
    assert.deepEqual(await ids({}), ['beside']);
  });

  it('C31 loses no update among concurrent read-modify-write transactions', async () => {
    await store.tx((tx) => tx.put(accounts, 'x', { balance: 0 }));
    const count = 300;
    const add = (tx: Tx): void => tx.put(accounts, 'x', { balance: (tx.get(accounts, 'x')?.value.balance ?? 0) + 1 });
    await Promise.all(Array.from({ length: count }, () => store.tx(add)));
    assert.deepEqual((await store.get(accounts, 'x'))?.value, { balance: count });
    assert.equal((await store.get(accounts, 'x'))?.version, count + 1);
  });

  it('C31 shows no write skew: two that each read both and write one never both succeed', async () => {
    const withdraw =
      (from: string) =>
      (tx: Tx): boolean => {
        const total = tx.find(accounts).reduce((sum, record) => sum + record.value.balance, 0);
        if (total < 100) return false;
        tx.put(accounts, from, { balance: (tx.get(accounts, from)?.value.balance ?? 0) - 100 });
        return true;
      };
    for (let round = 0; round < 500; round++) {
      await store.tx((tx) => {
        tx.put(accounts, 'left', { balance: 50 });
        tx.put(accounts, 'right', { balance: 50 });
      });
      const outcomes = await Promise.all([store.tx(withdraw('left')), store.tx(withdraw('right'))]);
      assert.deepEqual(outcomes, [true, false]);
    }
  });

  it('finds by declared indexes, in order, type for type', async () => {
    const groups: [string, Note['group']][] = [
      ['a', 1],
      ['b', true],
      ['c', '1'],
      ['d', null],
      ['f', 0],
      ['g', false],
      ['h', '{"x":1}'],
    ];
    await store.tx((tx) => {
      for (const [id, group] of groups) tx.put(notes, id, { text: id, group: group ?? null });
      tx.put(notes, 'e', { text: 'without' });
    });
    const found: Record<string, string[]> = {};
    for (const [, group] of groups) found[JSON.stringify(group)] = await ids({ where: { group: group ?? null } });
    assert.deepEqual(found, {
      '1': ['a'],
      true: ['b'],
      '"1"': ['c'],
      null: ['d', 'e'],
      '0': ['f'],
      false: ['g'],
      '"{\\"x\\":1}"': ['h'],
    });
    assert.deepEqual(await ids({ where: { group: 'nothing' } }), []);
  });

  it('orders by missing, numbers, text by code point, then by id', async () => {
    const ranks: [string, Note['rank']][] = [
      ['a', 10],
      ['b', 9],
      ['c', '\u{1f600}'],
      ['d', '\uffee'],
      ['e', null],
      ['g', -1.5],
      ['h', 'Z'],
      ['i', 9],
    ];
    await store.tx((tx) => {
      for (const [id, rank] of ranks) tx.put(notes, id, { text: id, rank: rank ?? null });
      tx.put(notes, 'f', { text: 'f' });
    });
    const ordered = ['e', 'f', 'g', 'b', 'i', 'a', 'h', 'd', 'c'];
    assert.deepEqual(await ids({ orderBy: 'rank' }), ordered);
    assert.deepEqual(await ids({ orderBy: 'rank', descending: true, limit: 4 }), [...ordered].reverse().slice(0, 4));
    assert.deepEqual(await ids({ descending: true, limit: 2 }), ['i', 'h']);
    assert.deepEqual(await ids({ limit: 0 }), []);
  });

  it('reads page by page what comes after an id, by code point, also what the transaction wrote itself', async () => {
    const all = ['A', 'a', 'a b', 'b', '\uffee', '\u{1f600}'];
    await store.tx((tx) => all.forEach((id, at) => tx.put(notes, id, { text: id, group: at % 2 ? 'x' : 'y' })));
    const pages: string[][] = [];
    for (let after: string | undefined; pages.length < 9; after = pages.at(-1)?.at(-1)) {
      const page = await ids({ ...(after !== undefined && { after }), limit: 2 });
      if (page.length === 0) break;
      pages.push(page);
    }
    assert.deepEqual(pages, [all.slice(0, 2), all.slice(2, 4), all.slice(4)]);
    assert.deepEqual(await ids({ after: 'a', where: { group: 'x' } }), ['b', '\u{1f600}']);
    assert.deepEqual(await ids({ after: 'aa' }), all.slice(3), 'the id itself need not be there');
    const inside = await store.tx((tx) => {
      tx.put(notes, 'a a', { text: 'new' });
      tx.delete(notes, 'b');
      return tx.find(notes, { after: 'a', limit: 3 }).map(({ id }) => id);
    });
    assert.deepEqual(inside, ['a a', 'a b', '\uffee']);
    await rejectsWith('data.invalid', store.find(notes, { after: 'a', descending: true }));
    await rejectsWith('data.invalid', store.find(notes, { after: 'a', orderBy: 'rank' }));
    await rejectsWith('data.invalid', store.find(notes, { after: 'a\nb' }));
  });

  it('refuses what it cannot keep or look up', async () => {
    await rejectsWith('data.invalid', put('', { text: 'x' }));
    await rejectsWith('data.invalid', put('a\nb', { text: 'x' }));
    await rejectsWith('data.invalid', put('x'.repeat(201), { text: 'x' }));
    await rejectsWith(
      'data.invalid',
      store.tx((tx) => tx.put(notes, 'a', 7 as unknown as Note)),
    );
    await rejectsWith('data.invalid', put('a', { text: new Date() as unknown as string }));
    await rejectsWith('data.invalid', put('a', { text: Number.NaN as unknown as string }));
    await rejectsWith('data.tooLarge', put('a', { text: 'x'.repeat(1024 * 1024) }));
    await rejectsWith('data.invalid', store.find(notes, { where: { text: 'x' } }));
    await rejectsWith('data.invalid', store.find(notes, { limit: -1 }));
    await rejectsWith('data.invalid', store.get({ ...notes, kind: "x' OR 1=1 --" }, 'a'));
    await rejectsWith(
      'data.invalid',
      store.tx((tx) => Promise.resolve(tx)),
    );
    assert.deepEqual(await store.find(notes), []);
  });

  it('refuses the use of a transaction after its callback', async () => {
    let escaped: Tx | undefined;
    await store.tx((tx) => void (escaped = tx));
    assert.throws(
      () => escaped?.put(notes, 'a', { text: 'late' }),
      (error) => DataError.is(error, 'data.invalid'),
    );
  });

  it('keeps any text and large values unchanged', async () => {
    const texts = [
      '',
      '\0',
      'a\0b',
      'ä€\u{1f600}',
      '\ud800 alone',
      '"\\\'',
      'x'.repeat(1024 * 1024 - 21),
      '\u202eevil',
      '__proto__',
    ];
    await store.tx((tx) => texts.forEach((text, i) => tx.put(notes, `t${i}`, { text, group: i })));
    await store.tx((tx) => tx.put(notes, 'ïd \u{1f600} ünï', { text: 'id' }));
    for (const [i, text] of texts.entries()) assert.equal((await store.get(notes, `t${i}`))?.value.text, text);
    assert.equal((await store.get(notes, 'ïd \u{1f600} ünï'))?.value.text, 'id');
  });

  it('C33 numbers changes without gap or duplicate over 10 000 writes', async () => {
    const all: Promise<void>[] = [];
    for (let i = 0; i < 2_500; i++) {
      all.push(
        store.tx((tx) => {
          tx.put(notes, `n${i}`, { text: String(i), rank: i });
          tx.put(others, `o${i}`, { text: String(i) });
          tx.put(notes, `n${i}`, { text: `${i}b`, rank: -i });
          tx.delete(others, `o${i}`);
          tx.delete(others, 'never there');
        }),
      );
    }
    await Promise.all(all);
    let store2 = store;
    if (fixture.reopen) store2 = await fixture.reopen();
    await store2.tx((tx) => tx.put(notes, 'last', { text: 'last' }));
    const seqs: number[] = [];
    for (let after = 0; ;) {
      const page = await store2.changes(after, 777);
      if (page.length === 0) break;
      seqs.push(...page.map((change) => change.seq));
      after = page.at(-1)?.seq ?? Infinity;
    }
    assert.deepEqual(
      seqs,
      Array.from({ length: 10_001 }, (_, i) => i + 1),
    );
    assert.equal(store2.health.seq, 10_001);
    assert.deepEqual(
      (await store2.changes(4, 4)).map((c) => [c.kind, c.id, c.op, c.version]),
      [
        ['note', 'n1', 'put', 1],
        ['other.note', 'o1', 'put', 1],
        ['note', 'n1', 'put', 2],
        ['other.note', 'o1', 'delete', 1],
      ],
    );
    assert.equal((await store2.find(notes)).length, 2_501);
    assert.deepEqual(
      (await store2.find(notes, { orderBy: 'rank', limit: 2 })).map((r) => r.id),
      ['last', 'n2499'],
    );
  }).timeout(60_000);

  const accountsNow = (): Promise<{ readonly seq: number; readonly records: readonly KeptRecord[] }> =>
    store.snapshot(async (snapshot) => {
      const records: KeptRecord[] = [];
      for await (const page of snapshot.read('account')) records.push(...page);
      return { seq: snapshot.seq, records };
    });

  it('C34 what is read of one moment, beside writers, is whole and restores equal', async () => {
    const width = 5;
    await store.tx((tx) => Array.from({ length: width }, (_, i) => tx.put(accounts, `a${i}`, { balance: 100 })));
    let isEnough = false;
    // The sum is the same after each transaction, and only then.
    const writing = (async () => {
      for (let i = 0; !isEnough; i++) {
        const [from, to] = [`a${i % width}`, `a${(i + 1 + (i % 3)) % width}`];
        await store.tx((tx) => {
          tx.put(accounts, from, { balance: (tx.get(accounts, from)?.value.balance ?? 0) - 1 });
          tx.put(accounts, to, { balance: (tx.get(accounts, to)?.value.balance ?? 0) + 1 });
        });
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    for (let round = 0; round < 3; round++) {
      const { seq, records } = await accountsNow();
      const sum = records.reduce((total, { json }) => total + (JSON.parse(json) as Account).balance, 0);
      assert.deepEqual([records.length, sum], [width, width * 100]);
      const versions = new Map(
        (await store.changes(0, 1_000_000))
          .filter((change) => change.seq <= seq)
          .map(({ id, version }) => [id, version]),
      );
      assert.deepEqual(new Map(records.map(({ id, version }) => [id, version])), versions);
    }
    isEnough = true;
    await writing;
    const { records: before } = await accountsNow();
    await store.tx((tx) => before.forEach(({ id }) => tx.delete(accounts, id)));
    await store.putAll(before.map(({ kind, id, json }) => ({ kind, id, json, expectedVersion: 0 })));
    const after = await store.find(accounts);
    assert.deepEqual(after.map(({ id, value }) => [id, value]), before.map(({ id, json }) => [id, JSON.parse(json)])); // prettier-ignore
  });

  it('C41 closing finishes what was called before, is idempotent, and ends everything', async () => {
    const before = put('a', { text: 'in time' });
    const closing = store.close();
    const late = put('b', { text: 'too late' });
    await rejectsWith('data.closed', late);
    await before;
    await Promise.all([closing, store.close()]);
    store.dispose();
    await rejectsWith('data.closed', store.get(notes, 'a'));
    await rejectsWith('data.closed', store.changes(0));
    if (fixture.reopen) assert.equal((await (await fixture.reopen()).get(notes, 'a'))?.value.text, 'in time');
  });
}
