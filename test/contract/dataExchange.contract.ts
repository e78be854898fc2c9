import assert from 'node:assert/strict';
import { DataError } from '../../src/core/data/dataErrors';
import type { Collection, DataStore, KeptRecord, PreparedPut } from '../../src/core/data/dataStore';
import type { StoreFixture } from './dataStore.contract';

interface Note {
  readonly text: string;
  readonly owner: string;
}
const notes: Collection<Note> = { kind: 'exchanged', indexes: ['owner'], parse: (value) => value as Note };
const others: Collection<Note> = { ...notes, kind: 'exchangedToo' };
const timed: Collection<{ readonly at?: unknown }> = {
  kind: 'timed',
  indexes: ['at'],
  parse: (value) => value as object,
};

/** What exports and imports need of a store: all records of one moment, and many writes as one. */
export function dataExchangeContract(open: () => Promise<StoreFixture>): void {
  describe('for exports and imports', () => {
    let fixture: StoreFixture;
    let store: DataStore;
    beforeEach(async () => {
      fixture = await open();
      ({ store } = fixture);
    });
    afterEach(() => fixture.dispose());

    const put = (count: number, text: string): Promise<void> =>
      store.tx((tx) => {
        for (let i = 0; i < count; i++) {
          const id = `n${String(i).padStart(4, '0')}`;
          tx.put(notes, id, { text, owner: i % 3 === 0 ? 'me' : 'you' });
          tx.put(others, id, { text, owner: 'you' });
        }
      });
    const collect = async (pages: AsyncIterable<readonly KeptRecord[]>): Promise<readonly KeptRecord[]> => {
      const all: KeptRecord[] = [];
      for await (const page of pages) all.push(...page);
      return all;
    };

    it('R5 a snapshot is of one moment, whatever is written while it is read', async () => {
      await put(600, 'old');
      const { seq } = store.health;
      const found = await store.snapshot(async (snapshot) => {
        const first = await collect(snapshot.read(notes.kind));
        await put(601, 'new');
        return { seq: snapshot.seq, first, second: await collect(snapshot.read(others.kind)) };
      });
      assert.equal(found.seq, seq);
      for (const records of [found.first, found.second]) {
        assert.equal(records.length, 600);
        assert.ok(records.every(({ json }) => json.includes('"old"')));
        assert.deepEqual(records.map(({ id }) => id).sort(), records.map(({ id }) => id)); // prettier-ignore
      }
      assert.equal((await store.find(notes)).length, 601);
    });

    it('a snapshot gives part of a kind by its properties, and records as they are kept', async () => {
      await put(4, 'text');
      await store.snapshot(async (snapshot) => {
        const [first, ...rest] = await collect(snapshot.read(notes.kind, { owner: 'me' }));
        assert.deepEqual([first?.id, first?.version, first?.json, rest.length], ['n0000', 1, '{"owner":"me","text":"text"}', 1]); // prettier-ignore
        assert.deepEqual(await collect(snapshot.read('nothing')), []);
      });
      await assert.rejects(
        store.snapshot(() => Promise.reject(new Error('mine'))),
        /mine/,
      );
      await store.snapshot(async ({ seq }) => assert.equal(seq, store.health.seq));
    });

    it('a snapshot gives what is below a number by that number, page by page, whatever else is kept there', async () => {
      const values = [7, 3, 3, -1, 2.5, 8, '1', null, true, { at: 1 }, [1]];
      await store.tx((tx) => {
        values.forEach((at, index) => tx.put(timed, `t${index}`, { at }));
        tx.put(timed, 'none', {});
        for (let index = 0; index < 600; index++)
          tx.put(timed, `many${String(index).padStart(3, '0')}`, { at: index % 4 });
      });
      const found = await store.snapshot((snapshot) =>
        collect(snapshot.read(timed.kind, {}, { property: 'at', value: 7 })),
      );
      const ats = found.map(({ json }) => Number((JSON.parse(json) as { at: number }).at));
      assert.deepEqual(ats.toSorted((a, b) => a - b), ats); // prettier-ignore
      assert.equal(new Set(found.map(({ id }) => id)).size, 605);
      assert.deepEqual(found.filter(({ id }) => id.startsWith('t')).map(({ id }) => id), ['t3', 't8', 't4', 't1', 't2']); // prettier-ignore
      const some = await store.snapshot((snapshot) =>
        collect(snapshot.read(timed.kind, { at: 3 }, { property: 'at', value: 7 })),
      );
      assert.equal(some.length, 152);
      await assert.rejects(
        store.snapshot((snapshot) => collect(snapshot.read(timed.kind, {}, { property: "a'", value: 7 }))),
        (error) => DataError.is(error, 'data.invalid'),
      );
    });

    it('many puts take effect together or not at all, at their place among the transactions', async () => {
      await put(1, 'here');
      const puts = Array.from({ length: 700 }, (_, i): PreparedPut => ({
        ...{ kind: notes.kind, id: `p${i}`, json: '{"owner":"me","text":"put"}', expectedVersion: 0 },
      }));
      const before = store.health.seq;
      const conflicting = { ...puts[0], id: 'n0000' } as PreparedPut; // as the others
      await assert.rejects(store.putAll([...puts, conflicting]), (error) => DataError.is(error, 'data.conflict'));
      const aborted = AbortSignal.abort(new Error('enough'));
      await assert.rejects(store.putAll(puts, { signal: aborted }), /enough/);
      assert.deepEqual([store.health.seq, (await store.find(notes)).length], [before, 1]);
      await Promise.all([store.putAll(puts), store.tx((tx) => tx.put(notes, 'beside', { text: 'x', owner: 'me' }))]);
      assert.deepEqual([store.health.seq, (await store.find(notes)).length], [before + 701, 702]);
      await store.putAll([{ ...conflicting, expectedVersion: 1 }]);
      assert.equal((await store.get(notes, 'n0000'))?.version, 2);
    });
  });
}
