import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ManualClock } from '../support/manualClock';
import { eventually } from '../support/eventually';
import type { Collection, DataStore } from '../../src/core/data/dataStore';
import { DataError } from '../../src/core/data/dataErrors';
import { MemoryDataStore } from '../../src/core/data/memoryDataStore';
import type { SearchOptions } from '../../src/core/data/search/dataSearch';
import type { StoreFixture } from './dataStore.contract';

interface Message {
  readonly text: string;
  readonly parts?: readonly { readonly text: string }[];
  readonly seen?: boolean;
}

/** Much cheaper than fast-check's own units for the whole of Unicode. */
const anyText = fc
  .array(fc.oneof(fc.nat(0x24f), fc.nat(0x10ffff)), { maxLength: 30 })
  .map((points) => String.fromCodePoint(...points));
const parse = (value: unknown): Message => value as Message;
const messages: Collection<Message> = { kind: 'message', indexes: [], texts: ['text', 'parts.*.text'], parse };
const drafts: Collection<Message> = { kind: 'Message', indexes: [], texts: ['text'], parse };
const silent: Collection<Message> = { kind: 'silent', indexes: [], parse };

/** What a search is, for every driver; the one in memory, which looks at each record, is the measure. */
export function dataSearchContract(open: () => Promise<StoreFixture>): void {
  let fixture: StoreFixture;
  let store: DataStore;
  const put = (id: string, text: string, collection = messages): Promise<void> =>
    store.tx((tx) => tx.put(collection, id, { text }));
  const ids = async (query: string, options?: SearchOptions): Promise<string[]> =>
    (await store.search(query, options)).hits.map(({ id }) => id);

  beforeEach(async () => {
    fixture = await open();
    store = fixture.store;
  });
  afterEach(() => fixture.dispose());

  it('search finds what the last transaction wrote, changed and removed', async () => {
    await put('a', 'The naïve fox');
    await put('b', 'fox and hound');
    await put('c', 'silent fox', silent);
    await put('d', 'a fox for the Drafts', drafts);
    assert.deepEqual(await ids('FOX'), ['d', 'b', 'a']);
    assert.deepEqual(await ids('fox', { kinds: ['message'] }), ['b', 'a']);
    assert.deepEqual(await ids('fox', { kinds: ['Message', 'silent'] }), ['d']);
    await store.tx((tx) => {
      tx.put(messages, 'a', { text: 'a cat', parts: [{ text: 'with' }, { text: 'nine lives' }] });
      tx.delete(messages, 'b');
      tx.put(messages, 'e', { text: 'hound' });
    });
    assert.deepEqual(await ids('fox', { kinds: ['message'] }), []);
    assert.deepEqual(await ids('nine "a cat"'), ['a']);
    assert.deepEqual(await ids('hound'), ['e']);
    await assert.rejects(
      store.tx((tx) => {
        tx.put(messages, 'f', { text: 'hound' });
        throw new Error('no');
      }),
    );
    assert.deepEqual(await ids('hou*'), ['e']);
    const [hit] = (await store.search('lives')).hits;
    assert.deepEqual(
      [hit?.kind, hit?.id, hit?.version, hit?.snippet],
      ['message', 'a', 2, { text: 'nine lives', marks: [[5, 10]] }],
    );
    assert.deepEqual(hit?.value, { text: 'a cat', parts: [{ text: 'with' }, { text: 'nine lives' }] });
  });

  it('search gives pages, the newest first, also of what has long been in the index and after opening again', async () => {
    await store.tx((tx) => {
      for (let i = 0; i < 600; i++) tx.put(messages, `m${i}`, { text: `needle ${i % 2 ? 'odd' : 'even'} n${i}` });
    });
    await eventually('all is in the index', async () => (await store.search('needle')).isComplete);
    await store.tx((tx) => {
      for (let i = 0; i < 600; i += 3) tx.put(messages, `m${i}`, { text: `needle again n${i}`, seen: true });
      tx.put(messages, 'last', { text: 'needle odd' });
    });
    if (fixture.reopen) store = await fixture.reopen();
    await eventually('the index has caught up', async () => (await store.search('needle')).isComplete);
    const odd = [
      'last',
      ...Array.from({ length: 600 }, (_, i) => 599 - i).flatMap((i) => (i % 2 && i % 3 ? `m${i}` : [])),
    ];
    const found: string[] = [];
    for (let before: number | undefined; ;) {
      const { hits, isComplete } = await store.search('odd', { limit: 60, ...(before !== undefined && { before }) });
      assert.ok(isComplete);
      if (hits.length === 0) break;
      found.push(...hits.map(({ id }) => id));
      before = hits.at(-1)?.position;
    }
    assert.deepEqual(found, odd);
    assert.deepEqual(await ids('n59*', { limit: 3 }), ['m599', 'm598', 'm597']);
    assert.equal((await store.search('again')).hits.length, 50);
  });

  it('search answers as the one that looks at each record does, whatever is asked and written', async function () {
    this.timeout(30_000);
    const model = new MemoryDataStore({ clock: new ManualClock() });
    const word = fc.constantFrom(...['ant', 'Antler', 'bee', 'BÉE', 'cat', 'ca', '東京', '京', 'x_y', 'OR', 'NOT']);
    const text = fc.array(word, { maxLength: 6 }).map((words) => words.join(' '));
    const hostile = [
      '"',
      '*',
      '(',
      ')',
      '-',
      '^',
      ':',
      'text:',
      'NEAR/2',
      "'; DROP TABLE search; --",
      '\0',
      '\ue000',
      '""',
    ];
    const piece = fc.oneof(word, word, word.map((each) => `${each}*`), text.map((each) => `"${each}"`), fc.constantFrom(...hostile)); // prettier-ignore
    const query = fc.oneof(
      fc.array(piece, { minLength: 1, maxLength: 5 }).map((pieces) => pieces.join(' ')),
      anyText,
    );
    const id = fc.integer({ min: 0, max: 30 }).map((n) => `i${n}`);
    const write = fc.record({ id, text: fc.option(text), seen: fc.boolean() });
    const round = fc.record({ writes: fc.array(write, { maxLength: 12 }), queries: fc.array(query, { maxLength: 6 }) });
    await fc.assert(
      fc.asyncProperty(round, fc.integer({ min: 1, max: 9 }), async ({ writes, queries }, limit) => {
        for (const each of [store, model])
          await each.tx((tx) => {
            for (const { id, text, seen } of writes)
              if (text === null) tx.delete(messages, id);
              else tx.put(messages, id, { text, seen });
          });
        for (const asked of queries) {
          const [ours, measure] = await Promise.all([store, model].map((each) => each.search(asked, { limit })));
          assert.deepEqual(
            ours?.hits.map(({ id, value, snippet }) => ({ id, value, snippet })),
            measure?.hits.map(({ id, value, snippet }) => ({ id, value, snippet })),
            JSON.stringify(asked),
          );
        }
      }),
      { numRuns: 25 },
    );
  });

  it('search refuses what is too long, and everything after closing', async () => {
    await put('a', 'needle');
    for (const query of ['x'.repeat(1_001), 'a b '.repeat(9)])
      await assert.rejects(store.search(query), (error) => DataError.is(error, 'data.invalid'));
    assert.deepEqual((await store.search(' *** ')).hits, []);
    await store.close();
    await assert.rejects(store.search('needle'), (error) => DataError.is(error, 'data.closed'));
  });
}
