import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ManualClock } from '../../../../support/manualClock';
import type { Collection } from '../../../../../src/core/data/dataStore';
import { DataError } from '../../../../../src/core/data/dataErrors';
import { MemoryDataStore } from '../../../../../src/core/data/memoryDataStore';
import { snippetOf, textsAt } from '../../../../../src/core/data/search/searchDocument';
import { parseSearch } from '../../../../../src/core/data/search/searchTerms';
import { searchWords } from '../../../../../src/core/data/search/searchWords';

const wordsOf = (text: string): string[] => searchWords(text).map((word) => word.text);
const finds = (text: string, query: string): boolean => snippetOf([text], parseSearch(query)) !== undefined;

describe('search', () => {
  it('takes letters and digits for words, without regard to case, width, ligatures and diacritics', () => {
    assert.deepEqual(wordsOf('Fix the_Bug in v1.2 – naïve ﬁle, ＡＢＣ!'), [
      ...['fix', 'the', 'bug', 'in', 'v1', '2', 'naive', 'file', 'abc'],
    ]);
    assert.deepEqual(wordsOf('Straße STRASSE'), ['strasse', 'strasse']);
    assert.deepEqual(wordsOf('ΣΊΣΥΦΟΣ σίσυφος'), ['σισυφοσ', 'σισυφοσ']);
    assert.deepEqual(wordsOf('İstanbul'), ['istanbul']);
    assert.deepEqual(wordsOf('日本語 한국어 สวัสดี'), ['日', '本', '語', '한', '국', '어', 'ส', 'วั', 'ส', 'ดี']);
    assert.deepEqual(wordsOf('がabcガ'), ['が', 'abc', 'ガ']);
    assert.deepEqual(wordsOf('\u{fdfa} \u{1f600} \ud800'), ['صلىاللهعليهوسلم']);
    assert.equal(wordsOf('x'.repeat(100))[0]?.length, 64);
  });

  it('says where each word stands', () => {
    const text = 'a Straße 東京';
    assert.deepEqual(
      searchWords(text).map(({ start, end }) => text.slice(start, end)),
      ['a', 'Straße', '東', '京'],
    );
  });

  it('reads words, phrases and beginnings; everything else means nothing', () => {
    const read = (query: string): string[] =>
      parseSearch(query).map(({ words, isPrefix }) => words.join('+') + (isPrefix ? '*' : ''));
    assert.deepEqual(read('fix "the bug" beg* snake_case'), ['fix', 'the+bug', 'beg*', 'snake+case']);
    assert.deepEqual(read('“typed so” "open end'), ['typed+so', 'open+end']);
    assert.deepEqual(read('a OR b NOT c NEAR/3 d'), ['a', 'or', 'b', 'not', 'c', 'near+3', 'd']);
    assert.deepEqual(read(' * " "" !?- '), []);
    assert.deepEqual(read('"phrase that beg*"'), ['phrase+that+beg*']);
    assert.deepEqual(read('東京* ab* abc*'), ['東+京', 'ab', 'abc*']);
    for (const query of ['x'.repeat(1_001), 'a '.repeat(17)])
      assert.throws(
        () => parseSearch(query),
        (error) => DataError.is(error, 'data.invalid'),
      );
  });

  it('finds all words, a phrase only as it stands, and a beginning', () => {
    const text = 'The quick brown fox jumps over 東京都庁';
    for (const query of ['fox quick', '"quick brown"', 'jum*', '東京', '京都', '"over 東京"', 'FOX', '庁'])
      assert.ok(finds(text, query), query);
    for (const query of ['fox cat', '"brown quick"', 'umps*', '都京', 'jump']) assert.ok(!finds(text, query), query);
  });

  it('reads texts by their paths, and nothing that is no text', () => {
    const value = { text: 'one', parts: [{ text: 'two' }, { text: 3 }, 'x', null], more: { a: { text: 'four' } } };
    assert.deepEqual(textsAt(value, ['text', 'parts.*.text', 'more.*.text', 'gone.text', 'more']), [
      ...['one', 'two', 'four'],
    ]);
    assert.deepEqual(textsAt('text', ['text']), []);
    const secret = { parts: [{ text: 'X_TOKEN=hunter22 go' }], text: 'password=hunter22' };
    assert.deepEqual(textsAt(secret, ['text', 'parts.*.text~']), ['password=hunter22', 'X_TOKEN=[redacted] go']);
    assert.equal(snippetOf(['one', 'two'], parseSearch('"one two"')), undefined, 'a phrase is in one text');
    assert.ok(snippetOf(['one', 'two'], parseSearch('two one')));
  });

  it('cuts out what was found, on one line, without invisible characters', () => {
    const text = `${'before '.repeat(30)}the\n\u202eneedle\u0007 and${' after'.repeat(60)}`;
    const found = snippetOf([text], parseSearch('needle and'));
    assert.ok(found);
    assert.deepEqual(
      found.marks.map(([start, end]) => found.text.slice(start, end)),
      ['needle', 'and'],
    );
    assert.ok(found.text.length <= 163 && !/[\p{Cc}\p{Cf}]/u.test(found.text), found.text);
    assert.ok(found.text.startsWith('…') && found.text.endsWith('…'));
  });

  it('cuts out what stands behind half of a surrogate pair, and never a pair in two', () => {
    const found = snippetOf(['\udc00needle'], parseSearch('needle'));
    assert.deepEqual(found, { text: '\udc00needle', marks: [[1, 7]] });
    const long = snippetOf([`${'😀'.repeat(30)} needle`], parseSearch('needle'));
    assert.ok(long?.text.startsWith('…😀'), long?.text);
  });

  it('any text finds itself by any of its words and by a phrase of them; places and snippets are sound', () => {
    const point = fc.oneof(fc.nat(0x24f), fc.nat(0xffff), fc.nat(0x10ffff));
    const unit = fc.oneof(
      fc.array(point, { maxLength: 40 }).map((points) => String.fromCodePoint(...points)),
      fc.lorem(),
    );
    fc.assert(
      fc.property(unit, fc.nat(), fc.nat(8), (text, at, length) => {
        const words = searchWords(text);
        for (const { start, end } of words) assert.ok(start < end && end <= text.length);
        const chosen = words.slice(at % (words.length || 1)).slice(0, length + 1);
        const [first, last] = [chosen[0], chosen.at(-1)];
        if (!first || !last) return;
        const phrase = text.slice(first.start, last.end).replace(/["“”„«»＂]/g, ' ');
        const found = snippetOf([text], parseSearch(`"${phrase}"`));
        assert.ok(found, JSON.stringify([text, phrase]));
        for (const [start, end] of found.marks) assert.ok(start < end && end <= found.text.length);
      }),
      { numRuns: 60 },
    );
  });

  it('a search in memory declares itself by use, and refuses bad bounds', async () => {
    const store = new MemoryDataStore({ clock: new ManualClock() });
    const notes: Collection<{ text: string }> = {
      ...{ kind: 'note', indexes: [], texts: ['text'] },
      parse: (value) => value as { text: string },
    };
    await store.tx((tx) => tx.put(notes, 'a', { text: 'needle' }));
    assert.equal((await store.search('needle')).hits.length, 1);
    for (const options of [{ limit: 0 }, { limit: 501 }, { before: -1 }, { kinds: ['x y'] }])
      await assert.rejects(store.search('needle', options), (error) => DataError.is(error, 'data.invalid'));
  });
});
